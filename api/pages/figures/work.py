"""Who has how many open cases, as a figure. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from mash.api.pages.figures.pictures import Bars
from mash.api.pages.figures.tables import Figure, Rows
from mash.api.pages.words import counted
from mash.flows.store.reads.workload import Workload

THERE = {"there": "Yes", "absent": "Absent", "left": "Does not work here any more"}


def work(found: Workload, ratings: Mapping[str, str]) -> Figure:
    """The work of each person, the late part of it standing out, and how much nobody has."""
    rows: Rows = tuple(
        (each.login, each.open, each.late, ratings.get(each.most_urgent or "", "None"), THERE[each.presence])
        for each in found.workers
    )
    says = f"{counted(found.unallocated, 'open case')} {'is' if found.unallocated == 1 else 'are'} allocated to nobody."
    drawn = Bars([(each.login, each.late, each.open - each.late, f"{each.open}, {each.late} late") for each in found.workers])
    heads = ("Worker", "Open", "Late", "Most urgent", "There")
    return Figure("workload", "Who has how many open cases", says, heads, rows, drawn if rows else None)
