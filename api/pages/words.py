"""Codes in words, and moments and lengths as people say them: for the templates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from mash.config import codes
from mash.flows.story import facts_of
from mash.states.clocks import LONDON, local
from mash.states.events import Event
from mash.states.machine import NAMES

SPECIAL = {
    "nhs": "NHS",
    "mash": "MASH",
    "section_17": "section 17",
    "section_47": "section 47",
    "marac": "MARAC",
    "mappa": "MAPPA",
    "safe_contact": "Safe contact: take care how the family is reached",
    "staff_safety": "Staff safety: do not visit alone",
    "child_protection_plan": "Has or had a child protection plan",
    "looked_after": "Looked after",
    "gp": "GP",
}
"""Codes whose words are not their own letters."""


def worded(code: Any) -> str:
    """A code in words: `practice_manager` is 'practice manager'."""
    if code is None or code == "":
        return ""
    text = str(code)
    return SPECIAL.get(text) or NAMES.get(text) or text.replace("_", " ")


def sentence(code: Any) -> str:
    """A code in words, as a sentence begins."""
    text = worded(code)
    return text[:1].upper() + text[1:]


def moment(at: datetime | None) -> str:
    """A moment in London, as letters have it."""
    return local(at) if at else ""


def machine_time(at: datetime | None) -> str:
    """A moment as `<time datetime>` has it."""
    return at.astimezone(LONDON).isoformat(timespec="seconds") if at else ""


def duration(span: timedelta) -> str:
    """A length in the two largest units: '2 days 3 h', '4 h 10 min', '12 min'."""
    minutes = int(abs(span).total_seconds() // 60)
    days, hours, minutes = minutes // 1440, minutes % 1440 // 60, minutes % 60
    if days:
        return f"{days} day{'s' if days > 1 else ''}" + (f" {hours} h" if hours else "")
    if hours:
        return f"{hours} h" + (f" {minutes} min" if minutes else "")
    return f"{minutes} min"


def left(due: datetime | None, now: datetime) -> str:
    """What is left until a moment, in words: it never says it by colour alone."""
    if due is None:
        return "no clock running"
    return f"{duration(due - now)} left" if due >= now else f"late by {duration(now - due)}"


def haste(due: datetime | None, now: datetime) -> str:
    """How pressing a due time is: 'late', 'soon' within the hour, 'later', or 'none'."""
    if due is None:
        return "none"
    if due < now:
        return "late"
    return "soon" if due - now <= timedelta(hours=1) else "later"


CODED = {
    "code": "referral_source",
    "primary_need": "primary_need",
    "factors": "assessment_factors",
    "sex": "sex",
    "ethnicity": "ethnicity",
    "disability": "disability",
}
"""Fields of a submission that have a code of the census."""


def decoded(field: str, given: Any) -> str:
    """What was given in a field of a submission, in words beside its code where it has one."""
    if isinstance(given, bool):
        return "yes" if given else "no"
    return census(CODED[field], given) if field in CODED and isinstance(given, str) else str(given)


def census(code_set: str, code: str) -> str:
    """A code of the census and what it means; what is no code of it is shown as it is."""
    return f"{code}: {codes.label(code_set, code)}" if codes.known(code_set, code) else code


def need(code: str | None) -> str:
    """A primary need of the census, by its code and in words."""
    return census("primary_need", code) if code else "not recorded"


def told(event: Event) -> str:
    """The facts of an event in words."""
    return facts_of(event).replace("_", " ")


FILTERS: dict[str, Callable[..., str]] = {
    "worded": worded,
    "sentence": sentence,
    "moment": moment,
    "machine_time": machine_time,
    "duration": duration,
    "left": left,
    "haste": haste,
    "need": need,
    "told": told,
}
