"""Who cases are about in a list: by initials and age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from mash.api.pages.summary import UNBORN
from mash.api.pages.words import age

SHOWN = 3
"""How many people a line names before it counts the others."""


def by_initials(subject: Mapping[str, Any], today: date) -> str:
    """A subject, as was given of them: 'E.N., 8'; of a name in parts the first letter of each word."""
    letters = [word[0].upper() for word in _name(subject).split() if word[0].isalpha()]
    called = "".join(f"{letter}." for letter in letters) or "Not named"
    return ", ".join(filter(None, (called, _age(subject, today))))


def together(people: Sequence[str]) -> str:
    """Several people in one line: 'E.N., 8 and F.N., 9 months'."""
    if len(people) > SHOWN:
        return f"{', '.join(people[:SHOWN])} and {len(people) - SHOWN} more"
    return " and ".join(filter(None, (", ".join(people[:-1]), *people[-1:])))


def _name(subject: Mapping[str, Any]) -> str:
    name = subject.get("name") or ""
    if isinstance(name, Mapping):
        return " ".join(str(name.get(part) or "") for part in ("given", "family"))
    return str(name)


def _age(subject: Mapping[str, Any], today: date) -> str:
    """In words; empty where the birthday is not known, or cannot be right."""
    if subject.get("cohort") == UNBORN or (subject.get("expected_date") and not subject.get("date_of_birth")):
        return UNBORN
    try:
        return age(date.fromisoformat(str(subject.get("date_of_birth"))), today)
    except ValueError:
        return ""
