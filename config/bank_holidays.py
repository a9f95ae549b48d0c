"""England's bank holidays, and those that a hub's own file adds to them."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import holidays

YEARS = range(2013, 2036)
"""The years whose bank holidays every calendar knows: from the source documents to the next decade."""


@cache
def englands() -> tuple[str, ...]:
    """England's bank holidays with their substitutes, in order."""
    return tuple(day.isoformat() for day in sorted(holidays.country_holidays("GB", subdiv="ENG", years=YEARS)))


def with_englands(own: Any) -> Any:
    """The days of a hub's file beside England's: one that is proclaimed adds to them. What is no list of days is left as it
    is, for the profile to refuse by its line."""
    if not isinstance(own, list | tuple):
        return own
    days = [day.isoformat() if isinstance(day, date) else day for day in own]
    return sorted({*englands(), *days}) if all(isinstance(day, str) for day in days) else [*englands(), *days]


def added(own: list[date]) -> list[str]:
    """Those of a hub's days that are none of England's."""
    return [day.isoformat() for day in sorted(own) if day.isoformat() not in englands()]
