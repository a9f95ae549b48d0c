"""Telling change from chance in a series of weeks: XmR charts (Wheeler, Understanding Variation). Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import fmean

FEWEST = 4
"""Weeks: of fewer, nothing can be said."""
MOVING = 2.66
"""Of the mean moving range: the natural limits of a process."""
RUN = 8
"""So many weeks in a row on one side of the mean are a change too."""
PLACES, NEAR = 6, 1e-6


@dataclass(frozen=True)
class Limits:
    """Of a process that goes on as it is: its mean, its natural limits, and the places that say it does not: those outside the
    limits, and those in a run on one side of the mean."""

    mean: float
    low: float
    high: float
    outside: tuple[int, ...]
    runs: tuple[int, ...]


def limits_of(values: Sequence[float], most: float = math.inf) -> Limits | None:
    """The limits of a series whose values lie between 0 and `most`, each compared with the one before; None for one that is too
    short to say."""
    if len(values) < FEWEST:
        return None
    # Rounded, or the mean of a series that stays the same would lie beside it by what a machine cannot write.
    values = [round(value, PLACES) for value in values]
    mean = round(fmean(values), PLACES)
    spread = MOVING * fmean(abs(b - a) for a, b in pairwise(values))
    low, high = max(0.0, mean - spread), min(most, mean + spread)
    outside = tuple(place for place, value in enumerate(values) if not low - NEAR <= value <= high + NEAR)
    return Limits(mean, low, high, outside, tuple(_runs(values, mean)))


def _runs(values: Sequence[float], mean: float) -> list[int]:
    """The places in runs on one side of the mean. A value that equals it is on neither side, and ends a run."""
    found, begun = list[int](), 0
    for side, run in groupby(values, key=lambda value: (value > mean) - (value < mean)):
        ends = begun + len(list(run))
        if side and ends - begun >= RUN:
            found += range(begun, ends)
        begun = ends
    return found
