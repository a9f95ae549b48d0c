"""How much each caller may ask: a steady rate with bursts, at the cost of one number per caller."""

from __future__ import annotations

import hashlib
import ipaddress
import math
from dataclasses import dataclass
from functools import lru_cache

MOST_CALLERS = 20_000
"""How many callers are remembered; beyond, those that have been quiet longest are forgotten."""
WIDER = 8
"""How many times as much as from one /64 may come from the /56 around it, which is 256 of them: a large office, a campus."""
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""IPv4 addresses as NAT64 writes them (RFC 6052)."""
KNOWN_SECONDS = 3600.0
"""For how long a credential that was accepted is taken for a known one."""


class Rate:
    """So many requests a minute, or within so many `seconds`, from each caller, at once or spread out: a bucket that fills
    steadily (GCRA). 0 is no limit.

    Not the package `limits`: in memory it keeps an entry per request and starts a thread to expire them (25 to 100 us a request,
    where a whole 401 costs 85), and never forgets a caller, so that whoever invents callers fills the memory.
    """

    def __init__(self, most: int, seconds: float = 60.0) -> None:
        self.seconds, self.interval = seconds, seconds / most if most else 0.0
        self.full: dict[str, float] = {}
        """When each caller will have everything again."""

    def wait(self, caller: str, now: float) -> int:
        """How many whole seconds a caller has to wait for another request; 0 when there is one left."""
        ahead = self.full.get(caller, now) - now + self.interval - self.seconds
        return math.ceil(ahead) if ahead > 1e-6 else 0

    def take(self, caller: str, now: float) -> None:
        """A request of a caller counts."""
        until = max(self.full.pop(caller, now), now) + self.interval
        if len(self.full) >= MOST_CALLERS:
            self._forget(now)
        # The latest stands last.
        self.full[caller] = min(until, now + self.seconds)

    def give_back(self, caller: str) -> None:
        """A request that was counted does not count after all."""
        if caller in self.full:
            self.full[caller] -= self.interval

    def _forget(self, now: float) -> None:
        for caller in [caller for caller, until in self.full.items() if until <= now]:
            del self.full[caller]
        for caller in list(self.full)[: len(self.full) - MOST_CALLERS // 2]:
            del self.full[caller]


class Known:
    """The credentials that were accepted lately, by their digests: whoever shows one is a caller of their own, wherever they call
    from. Others are counted by address, or whoever makes up a new key for each request would never reach a limit."""

    def __init__(self) -> None:
        self.until: dict[str, float] = {}

    def __call__(self, digest: str, now: float) -> bool:
        """Whether it was accepted lately."""
        return self.until.get(digest, 0.0) > now

    def add(self, digest: str, now: float) -> None:
        """It was accepted."""
        self.until.pop(digest, None)
        if len(self.until) >= MOST_CALLERS:
            del self.until[next(iter(self.until))]
        self.until[digest] = now + KNOWN_SECONDS

    def discard(self, digest: str) -> None:
        """It was not accepted: it may have been revoked."""
        self.until.pop(digest, None)


def digest_of(credential: bytes) -> str:
    """What stands for a credential in memory."""
    return hashlib.sha256(credential).hexdigest()


class ByPlace:
    """`Rate` of callers who are known by nothing but where they call from: as much from one place, and WIDER times as much from
    the network around it, which one subscriber may have all of."""

    def __init__(self, most: int, seconds: float = 60.0) -> None:
        self.near, self.wide = Rate(most, seconds), Rate(most * WIDER, seconds)

    def wait(self, place: Place, now: float) -> int:
        """How many whole seconds whoever calls from there has to wait."""
        return max(self.near.wait(place.near, now), self.wide.wait(place.wide, now) if place.wide else 0)

    def take(self, place: Place, now: float) -> None:
        """A request from there counts."""
        self.near.take(place.near, now)
        if place.wide:
            self.wide.take(place.wide, now)

    def give_back(self, place: Place) -> None:
        """A request that was counted does not count after all."""
        self.near.give_back(place.near)
        self.wide.give_back(place.wide)


@dataclass(frozen=True)
class Place:
    """Where a caller calls from: an IPv4 address, or the /64 of an IPv6 one, since a single caller has 2^64 of them; and of IPv6
    the /56 around it, which is what providers give a subscriber (RIPE 690)."""

    near: str
    wide: str = ""

    @property
    def network(self) -> str:
        """What may stand in a log: the network (of IPv4 the /24, of IPv6 the /48), nobody's address."""
        try:
            found = ipaddress.ip_network(self.near, strict=False)
        except ValueError:
            return "unknown"
        return str(found.supernet(new_prefix=24 if found.version == 4 else 48))


@lru_cache(maxsize=4096)
def place_of(address: str) -> Place:
    """Where a caller calls from, by their address as the server or a proxy writes it. An IPv4 address that is written as an IPv6
    one is the IPv4 one: all of them are in one /64."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return Place(address)
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or (ipaddress.IPv4Address(int(found) & 0xFFFFFFFF) if found in TRANSLATED else None)
        if inner is None:
            near, wide = (str(ipaddress.ip_network((found, prefix), strict=False)) for prefix in (64, 56))
            return Place(near, wide)
        found = inner
    return Place(str(found))
