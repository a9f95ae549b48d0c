"""Small numbers: what leaves the hub as counts is not to say anything about one child. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

FEWEST = 5
"""Counts of people under this are not given by themselves, as in the Department for Education's tables (there 1 to 5)."""
K = TypeVar("K", bound=Hashable)


def withheld(counts: Mapping[K, int]) -> set[K]:
    """Which of these counts are not given: those of 1 to FEWEST - 1; and where together these are still so few, or one alone,
    that the sum of all gives them away, the smallest of the others too."""
    few = {each for each, number in counts.items() if 0 < number < FEWEST}
    others = sorted((each for each, number in counts.items() if number >= FEWEST), key=lambda each: (counts[each], str(each)))
    while few and others and (len(few) < 2 or sum(counts[each] for each in few) < FEWEST):
        few.add(others.pop(0))
    return few
