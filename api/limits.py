"""How much each caller may ask: a steady rate with bursts, at the cost of one number per caller."""

from __future__ import annotations

import hashlib
import ipaddress
import math
from functools import lru_cache

MOST_CALLERS = 20_000
"""How many callers are remembered; beyond, those that have been quiet longest are forgotten."""
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


@lru_cache(maxsize=4096)
def place_of(address: str) -> str:
    """Where a caller calls from: an address, or the network of an IPv6 one, since a single caller has 2^64 of them."""
    try:
        return str(ipaddress.ip_network((address, 64), strict=False)) if ":" in address else address
    except ValueError:
        return address


def network_of(address: str) -> str:
    """Of where a caller calls from, what may stand in a log: the network (of IPv4 the /24, of IPv6 the /48), nobody's address."""
    try:
        found = ipaddress.ip_network(address, strict=False)
    except ValueError:
        return "unknown"
    return str(found.supernet(new_prefix=24 if found.version == 4 else 48))
