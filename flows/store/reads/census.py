"""What the Children in Need census asks of the people of a case, and what of it is missing: for whoever reads them whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from mash.flows.store.details import day, for_census
from mash.states.census import Owed, asked_of, census_owed, counted_until, of_school_age
from mash.states.clocks import day_of
from mash.states.referral import Referral


@dataclass(frozen=True)
class Questions:
    """What the census asks of one subject, and what of that is still missing."""

    fields: tuple[Owed, ...]
    owed: tuple[Owed, ...]


def asked_by_census(referral: Referral, items: Iterable[Mapping[str, Any]], now: datetime) -> dict[str, Questions]:
    """By subject: whatever the census asks anything of, as far as it may be read in these `items` of a case. While a case is open
    it is asked for the census to come, and for that of its end afterwards; of a child who has a plan from then on, for the one
    to come."""
    if referral.erased:
        return {}
    today = day_of(now)
    ended = today if referral.open else day_of(referral.stage_since)
    shown = {item["subject"]: item for item in items if item["kind"] == "subject"}
    found: dict[str, Questions] = {}
    for sid, subject in referral.subjects.items():
        item = shown.get(sid)
        if item is not None and item["view"] != "whole":
            continue
        fields, outcome = (item and item["fields"]) or {}, referral.outcomes.get(sid)
        at_school = _at_school(fields, counted_until(subject, ended, today))
        asked = asked_of(subject, outcome, of_school_age=at_school)
        owed = census_owed(subject, outcome, for_census(fields), of_school_age=at_school)
        found |= {sid: Questions(asked, owed)} if asked else {}
    return found


def _at_school(fields: Mapping[str, Any], on: date) -> bool:
    """Whether somebody is of school age; of whom the birthday is not known, the birthday is asked first."""
    born = day(str(fields.get("date_of_birth") or ""))
    return born is not None and of_school_age(born, on)
