"""Random numbers by what they are for: the same run, case and purpose draw the same number, whatever else is simulated.

So scenarios share their chance (common random numbers), and what differs between them is what was changed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import blake2b

_WHOLE = float(1 << 64)


def draw(*what_for: object) -> float:
    """A number from 0 to below 1, by the run, the case and the purpose."""
    digest = blake2b("\x1f".join(map(str, what_for)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / _WHOLE


def exponential(mean: float, number: float) -> float:
    """A waiting time without memory, of this mean, by a drawn number."""
    return -mean * math.log1p(-number)


def counted(mean: float, number: float) -> int:
    """How many come in a stretch in which so many come on average (Poisson), by a drawn number."""
    chance = math.exp(-mean)
    count, below = 0, chance
    while number >= below and chance > 0.0:
        count += 1
        chance *= mean / count
        below += chance
    return count


def one_of(values: Sequence[float], number: float) -> float:
    """One of the values, each as likely as the other, by a drawn number."""
    return values[int(number * len(values))]
