"""Moments and lengths as people say them, and what else templates need."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from mash.config.words import census, sentence, worded
from mash.states.clocks import LONDON, local


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


def need(code: str | None) -> str:
    """A primary need of the census, by its code and in words."""
    return census("primary_need", code) if code else "not recorded"


FILTERS: dict[str, Callable[..., str]] = {
    "worded": worded,
    "sentence": sentence,
    "moment": moment,
    "machine_time": machine_time,
    "duration": duration,
    "left": left,
    "haste": haste,
    "need": need,
}
