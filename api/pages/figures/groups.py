"""Ethnicity and age beside need: who is referred for what, group by group. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from mash.api.pages.figures.pictures import Panels
from mash.api.pages.figures.tables import NOTHING, Figure, Rows
from mash.config import codes
from mash.flows.store.reads.described import Described

WHITE, MIXED, ASIAN, BLACK, OTHER, UNKNOWN = "White", "Mixed", "Asian", "Black", "Any other", "Not known"
GROUPS = {
    **dict.fromkeys(("WBRI", "WIRI", "WIRT", "WOTH", "WROM"), WHITE),
    **dict.fromkeys(("MWBC", "MWBA", "MWAS", "MOTH"), MIXED),
    **dict.fromkeys(("AIND", "APKN", "ABAN", "AOTH", "CHNE"), ASIAN),
    **dict.fromkeys(("BCRB", "BAFR", "BOTH"), BLACK),
    "OOTH": OTHER,
}
"""The broad groups of the 2021 census by the codes of the children in need census; refused and not obtained are not known."""
AGES = (("Unborn", -1), ("Under 1", 0), ("1 to 4", 4), ("5 to 9", 9), ("10 to 15", 15), ("16 and 17", 17), ("Adults", 200))
"""Groups of the children in need census by their last year of age, and adults."""


def ethnicities(found: Mapping[Described, int]) -> Figure:
    """Ethnicity beside need."""
    order = (WHITE, MIXED, ASIAN, BLACK, OTHER, UNKNOWN)
    return _crossed("ethnicity", "Ethnicity beside need", found, order, lambda each: GROUPS.get(each.ethnicity, UNKNOWN))


def ages(found: Mapping[Described, int]) -> Figure:
    """Age beside need."""
    return _crossed("age", "Age beside need", found, (*(name for name, _ in AGES), UNKNOWN), _age)


def _age(each: Described) -> str:
    return UNKNOWN if each.years is None else next((name for name, last in AGES if each.years <= last), UNKNOWN)


def _crossed(
    name: str, title: str, found: Mapping[Described, int], order: tuple[str, ...], group: Callable[[Described], str]
) -> Figure:
    counted = Counter[tuple[str, str]]()
    for each, number in found.items():
        counted[codes.spoken("primary_need", each.need) or "Not recorded", group(each)] += number
    needs = Counter[str]()
    totals = Counter[str]()
    for (need, of), number in counted.items():
        needs[need] += number
        totals[of] += number
    groups = [each for each in order if totals[each]]
    order_of_needs = sorted(needs, key=lambda need: (-needs[need], need))
    rows: Rows = tuple((need, *(counted[need, of] for of in groups)) for need in order_of_needs)
    shares = {f"{of} ({totals[of]})": [100 * counted[str(row[0]), of] / totals[of] for row in rows] for of in groups}
    drawn = Panels([str(row[0]) for row in rows], shares) if rows else None
    says = f"{_most(rows, shares)} {needs.total()} people, of the contacts of these weeks." if rows else NOTHING
    return Figure(name, title, says, ("Primary need", *groups), rows, drawn, of_people=len(groups), crossed=True)


def _most(rows: Rows, shares: Mapping[str, list[float]]) -> str:
    """What each group is referred for, of all it is referred for; all on one scale."""
    first = {group.rsplit(" (", 1)[0]: str(rows[max(range(len(rows)), key=lambda at: of[at])][0]) for group, of in shares.items()}
    if len(set(first.values())) == 1:
        return f"{next(iter(first.values()))} comes first in every group."
    return "Each bar is a share of its group: what its people are referred for."
