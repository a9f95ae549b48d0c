"""What the people of a case are called on a page: by name and age, or by initials and age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

SHOWN = 3
"""How many people a heading names before it counts the others."""


def named(subject: Mapping[str, Any], today: date) -> str:
    """A subject, as was given of them: 'Ewa Nowicka, 8'."""
    return _with_age(" ".join(_names(subject)) or "Not named", subject, today)


def by_initials(subject: Mapping[str, Any], today: date) -> str:
    """The same in a list of cases: 'E.N., 8'."""
    letters = [word[0].upper() for word in " ".join(_names(subject)).split()]
    return _with_age("".join(f"{letter}." for letter in letters) or "Not named", subject, today)


def together(people: Sequence[str]) -> str:
    """Several people in one line: 'Ewa Nowicka, 8 and Filip Nowicki, under 1'."""
    if len(people) > SHOWN:
        return f"{', '.join(people[:SHOWN])} and {len(people) - SHOWN} more"
    return " and ".join(filter(None, (", ".join(people[:-1]), *people[-1:])))


def _names(subject: Mapping[str, Any]) -> list[str]:
    name = subject.get("name") or ""
    if isinstance(name, Mapping):
        return [str(name[part]).strip() for part in ("given", "family") if name.get(part)]
    return [str(name).strip()] if str(name).strip() else []


def _with_age(called: str, subject: Mapping[str, Any], today: date) -> str:
    age = _age(subject, today)
    return f"{called}, {age}" if age else called


def _age(subject: Mapping[str, Any], today: date) -> str:
    """Full years; empty where the birthday is not known, or cannot be right."""
    if subject.get("cohort") == "unborn" or (subject.get("expected_date") and not subject.get("date_of_birth")):
        return "unborn"
    try:
        born = date.fromisoformat(str(subject.get("date_of_birth")))
    except ValueError:
        return ""
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return "" if years < 0 else str(years) if years else "under 1"
