"""Who has how many open cases, as a figure. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from mash.api.pages.figures.pictures import Bars
from mash.api.pages.figures.tables import Figure, Rows
from mash.api.pages.words import counted
from mash.config.words import worded
from mash.flows.store.reads.workload import Workload

THERE = {"there": "Yes", "absent": "Absent", "left": "Does not work here any more"}


def work(found: Workload, ratings: Mapping[str, str]) -> Figure:
    """The work of each person, the late part of it standing out, and how much nobody has."""
    names = [", ".join((each.login, *map(worded, each.roles[:1]))) for each in found.workers]
    rows: Rows = tuple(
        (name, each.open, each.late, ratings.get(each.most_urgent or "", "None"), THERE[each.presence])
        for name, each in zip(names, found.workers, strict=True)
    )
    says = f"{counted(found.unallocated, 'open case')} {'is' if found.unallocated == 1 else 'are'} allocated to nobody."
    drawn = Bars([(str(row[0]), float(row[2]), float(row[1]) - float(row[2]), f"{row[1]}, {row[2]} late") for row in rows])
    heads = ("Worker", "Open", "Late", "Most urgent", "There")
    return Figure("workload", "Who has how many open cases", says, heads, rows, drawn if rows else None)
