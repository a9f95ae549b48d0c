"""How far a simulation is, and how long it still takes: by what its runs took so far, as busy as the machine is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mash.flows.foresight.arrivals import WEEK
from mash.flows.foresight.compare import QUARTER, Asked
from mash.flows.foresight.hub import WARM_UP
from mash.flows.foresight.run import PROCESSES

WEEKS_A_MONTH = 365.25 / 12 / 7


class Far(NamedTuple):
    """How many runs of at most how many are done, and in how many seconds all are: fewer, where what-ifs are refused."""

    done: int
    of_runs: int
    left: float


Hears = Callable[[Far], None]
"""Hears how far it is, whenever a run is done."""


def weeks(asked: Asked, runs: int) -> float:
    """How many weeks are simulated in the first so many runs of what is asked: last quarter's come first, and then those of the
    months ahead, as it is and for each what-if; each begins some weeks before what counts."""
    warm_up = WARM_UP / WEEK
    quarter, ahead = QUARTER + warm_up, asked.months * WEEKS_A_MONTH + warm_up
    return min(runs, asked.runs) * quarter + max(0, runs - asked.runs) * ahead


def how_far(asked: Asked, done: int, of_runs: int, took: float) -> Far:
    """How far it is once so many runs are done, which took so many seconds since the first began. A run takes as long as the
    weeks that it simulates."""
    # When the first is done, those beside it nearly are.
    worked = weeks(asked, max(done, PROCESSES))
    return Far(done, of_runs, took * (weeks(asked, of_runs) - weeks(asked, done)) / worked)
