"""Who somebody is, in few words: initials and age in a list, the whole name on paper."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from mash.config.words import age, listed
from mash.flows.store.marks import day
from mash.flows.store.names import initials_of, name_of

NOT_NAMED, AGE_NOT_KNOWN, UNBORN = "Not named", "age not known", "unborn"


def whole_name(fields: dict[str, Any]) -> str:
    """The name, as it was given."""
    return name_of(json.dumps(fields).encode()).strip() or NOT_NAMED


def age_said(fields: dict[str, Any], today: date) -> str:
    """'8', '9 months', 'unborn', or that it is not known."""
    born = day(str(fields.get("date_of_birth") or ""))
    if born is None and fields.get("expected_date"):
        return UNBORN
    return (age(born, today) if born else "") or AGE_NOT_KNOWN


def in_few_words(people: Iterable[dict[str, Any]], today: date) -> str:
    """'E.N., 8 and F.N., 9 months'; of whom nothing is known, how many they are."""
    said = [f"{initials_of(fields.get('name')) or NOT_NAMED}, {age_said(fields, today)}" for fields in people]
    if unknown := said.count(f"{NOT_NAMED}, {AGE_NOT_KNOWN}"):
        said = [each for each in said if each != f"{NOT_NAMED}, {AGE_NOT_KNOWN}"]
        said.append(NOT_NAMED if unknown == 1 and not said else f"{unknown} {NOT_NAMED.lower()}")
    return listed(said) or NOT_NAMED
