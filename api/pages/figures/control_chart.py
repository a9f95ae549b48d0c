"""Telling change from chance in a series of weeks, by the weeks before it changed: XmR charts for values, p′ for shares. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import fmean
from typing import Literal

FEWEST = 8
"""Weeks: from fewer no limits are reckoned."""
RECENT = 4
"""The last weeks, which are first compared with those before them: a change that is in them must not widen its own limits."""
RUN = 8
"""So many weeks in a row on one side of the average are a change too."""
MOVING = 2.66
"""Of the mean moving range: three standard deviations of values that follow one another (Wheeler, Understanding Variation)."""
STEADY = 1.128
"""The mean moving range of values whose standard deviation is 1."""
ERRORS = 3
"""Standard errors to each limit: of a process that goes on as it is, 3 weeks in 1,000 lie outside."""
PLACES, NEAR = 6, 1e-6
Side = Literal["lower", "higher"]


@dataclass(frozen=True)
class Limits:
    """What a series would be within if nothing changed, as its first `base` weeks say; and the places that say it has: those
    outside the limits, and those in a run on one side of the average."""

    mean: float
    low: tuple[float, ...]
    high: tuple[float, ...]
    base: int
    outside: tuple[int, ...]
    runs: tuple[int, ...]

    @property
    def signals(self) -> frozenset[int]:
        """The places of what chance does not explain."""
        return frozenset((*self.outside, *self.runs))


@dataclass(frozen=True)
class Verdict:
    """What the latest weeks say: outside the limits for so many weeks, or so many on one side of the average."""

    side: Side
    weeks: int
    outside: bool


_Bounds = tuple[float, list[tuple[float, float]]]
"""An average, and the limits of each week."""
_Reckoning = Callable[[Sequence[int]], _Bounds]
"""These, by the weeks at these places."""


def limits_of_values(values: Sequence[float]) -> Limits | None:
    """The limits of numbers of 0 or more, each compared with the one before; None for a series that is too short to say."""

    def bounds(usual: Sequence[int]) -> _Bounds:
        found = [values[place] for place in usual]
        mean = fmean(found)
        spread = MOVING * fmean(abs(b - a) for a, b in pairwise(found))
        return mean, [(max(0.0, mean - spread), mean + spread)] * len(values)

    return _limits(values, bounds)


def limits_of_shares(counts: Sequence[tuple[int, int]]) -> Limits | None:
    """The limits of shares, in per cent, each given as a part and the whole that it is of: the fewer a week's whole, the wider.
    What is counted belongs together (a case asks several agencies), so that weeks differ by more than if each stood alone: the
    limits are as much wider (Laney 2002)."""

    def bounds(usual: Sequence[int]) -> _Bounds:
        part, whole = (sum(column) for column in zip(*(counts[place] for place in usual), strict=True))
        mean = part / whole
        errors = [math.sqrt(mean * (1 - mean) / of) for _, of in counts]
        scores = [(counts[place][0] / counts[place][1] - mean) / errors[place] for place in usual if errors[place]]
        wider = max(1.0, fmean(abs(b - a) for a, b in pairwise(scores)) / STEADY) if len(scores) > 1 else 1.0
        spread = [ERRORS * wider * error for error in errors]
        return 100 * mean, [(100 * max(0.0, mean - each), 100 * min(1.0, mean + each)) for each in spread]

    return _limits([100 * part / whole for part, whole in counts], bounds)


def limits_among(mean: float, counts: Sequence[tuple[int, int]]) -> Limits:
    """The limits of shares beside one another, in per cent, that all have this average: the fewer one is of, the wider."""
    average = mean / 100
    spread = [100 * ERRORS * math.sqrt(average * (1 - average) / of) for _, of in counts]
    within = [(max(0.0, mean - each), min(100.0, mean + each)) for each in spread]
    return _reckoned([100 * part / of for part, of in counts], lambda _: (mean, within), (), 0)


def verdict_of(values: Sequence[float], limits: Limits) -> Verdict | None:
    """What the latest weeks say that chance does not explain; None where they are within it."""
    sides = _sides(values, limits.mean)
    stretch = _latest(sides)
    if not sides or not sides[-1]:
        return None
    side: Side = "lower" if sides[-1] < 0 else "higher"
    weeks = 0
    while weeks < stretch and len(values) - 1 - weeks in limits.outside:
        weeks += 1
    if weeks:
        return Verdict(side, weeks, outside=True)
    return Verdict(side, stretch, outside=False) if stretch >= RUN else None


def _limits(values: Sequence[float], bounds: _Reckoning) -> Limits | None:
    if len(values) < FEWEST:
        return None
    before = len(values) - RECENT
    begun = _changed(values, _drawn(values, bounds, before)) if before >= FEWEST else None
    return _drawn(values, bounds, begun if begun is not None and begun >= FEWEST else len(values))


def _changed(values: Sequence[float], limits: Limits) -> int | None:
    """Where the latest weeks on one side of the average begin, if chance does not explain them; None where it does."""
    begun = len(values) - _latest(_sides(values, limits.mean))
    return begun if limits.signals & set(range(begun, len(values))) else None


def _drawn(values: Sequence[float], bounds: _Reckoning, base: int) -> Limits:
    """By the first weeks: without those among them that chance does not explain, or what is usual would seem to be a change."""
    found = _reckoned(values, bounds, range(base), base)
    usual = [place for place in range(base) if place not in found.outside]
    return found if len(usual) in (base, *range(FEWEST)) else _reckoned(values, bounds, usual, base)


def _reckoned(values: Sequence[float], bounds: _Reckoning, usual: Sequence[int], base: int) -> Limits:
    # Rounded, or the average of a series that stays the same would lie beside it by what a machine cannot write.
    mean, within = bounds(usual)
    low, high = zip(*((round(low, PLACES), round(high, PLACES)) for low, high in within), strict=True)
    outside = tuple(place for place, value in enumerate(values) if not low[place] - NEAR <= value <= high[place] + NEAR)
    return Limits(round(mean, PLACES), low, high, base, outside, tuple(_runs(_sides(values, mean))))


def _sides(values: Sequence[float], mean: float) -> list[int]:
    """Where each value lies: -1 below the average, 1 above, 0 on it."""
    return [0 if abs(value - mean) < NEAR else -1 if value < mean else 1 for value in values]


def _latest(sides: Sequence[int]) -> int:
    """How many of the last lie on one side; none where the last lies on the average."""
    weeks = next((back for back, side in enumerate(reversed(sides)) if side != sides[-1]), len(sides))
    return weeks if sides and sides[-1] else 0


def _runs(sides: Sequence[int]) -> Iterator[int]:
    """The places in runs on one side of the average. One that lies on it is on neither side, and ends a run."""
    begun = 0
    for side, run in groupby(sides):
        ends = begun + len(list(run))
        if side and ends - begun >= RUN:
            yield from range(begun, ends)
        begun = ends
