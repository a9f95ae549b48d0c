"""Small numbers: what leaves the hub as counts is not to say anything about one child. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence, Set
from typing import TypeVar

FEWEST = 5
"""Counts of people under this are not given by themselves, as in the Department for Education's tables (there 1 to 5)."""
K = TypeVar("K", bound=Hashable)


def withheld(counts: Mapping[K, int], hidden: Set[K] = frozenset()) -> set[K]:
    """Which of these counts are not given: those of 1 to FEWEST - 1, and what is `hidden` for another reason; and where together
    these are still so few, or one alone, that the sum of all gives them away, the smallest of the others too."""
    few = {each for each, number in counts.items() if 0 < number < FEWEST or each in hidden}
    rest = (each for each, number in counts.items() if number >= FEWEST and each not in few)
    others = sorted(rest, key=lambda each: (counts[each], str(each)))
    while few and others and (len(few) < 2 or sum(counts[each] for each in few) < FEWEST):
        few.add(others.pop(0))
    return few


def withheld_of_table(rows: Sequence[Sequence[int]]) -> set[tuple[int, int]]:
    """The same of a table of counts whose rows and columns may both be added up: places by row and column."""
    hidden: set[tuple[int, int]] = set()
    lines = [[(at, column) for column in range(len(row))] for at, row in enumerate(rows)]
    lines += [list(column) for column in zip(*lines, strict=True)]
    while True:
        found = set().union(*(withheld({(at, column): rows[at][column] for at, column in line}, hidden) for line in lines))
        if found <= hidden:
            return hidden
        hidden |= found
