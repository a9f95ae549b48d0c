"""A rule of a calendar (RRULE, RFC 5545): its parts, and why it is not read. What the RFC forbids, programs read differently."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, time
from math import prod

from dateutil.rrule import rrulestr

MOST_A_DAY = 8
"""Shifts of one person that a rule may have on one day."""
_TIMES = ("BYHOUR", "BYMINUTE", "BYSECOND")
_BY = ("BYDAY", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", *_TIMES)
_PARTS = frozenset(("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYSETPOS", *_BY))
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_NOT_IN = {
    "BYMONTHDAY": ("WEEKLY",),
    "BYYEARDAY": ("DAILY", "WEEKLY", "MONTHLY"),
    "BYWEEKNO": ("DAILY", "WEEKLY", "MONTHLY"),
    "BYSETPOS": ("DAILY", "WEEKLY"),
}
"""Parts that a rule of these frequencies must not have (3.3.10); the last it may, and nobody's shifts do."""


def parts_of(text: str) -> dict[str, str]:
    """The parts of a rule, as they were written."""
    pieces = (piece.partition("=") for piece in _pieces(text))
    return {name.strip(): value.strip() for name, _, value in pieces}


def why_not_read(text: str, start: date | datetime) -> str:
    """Why a rule of a series that begins then is not read, in words; empty for one that is."""
    return next(_reasons(text, parts_of(text), start), "")


def _pieces(text: str) -> list[str]:
    return text.strip().rstrip(";").upper().split(";")


def _reasons(text: str, rule: dict[str, str], start: date | datetime) -> Iterator[str]:
    if len(rule) < len(_pieces(text)):
        yield "a part of it is there twice"
    if unknown := sorted(set(rule) - _PARTS):
        known = all(re.fullmatch(r"[A-Z]{2,12}", name) for name in unknown)
        yield f"{', '.join(unknown) if known else 'a part of it'} is not read"
    frequency = rule.get("FREQ", "")
    if frequency not in _FREQUENCIES:
        yield f"FREQ must be one of {', '.join(_FREQUENCIES)}"
    for name in ("INTERVAL", "COUNT"):
        if name in rule and not re.fullmatch(r"0*[1-9][0-9]{0,3}", rule[name]):
            yield f"{name} must be a number from 1 to 9999"
    if "COUNT" in rule and "UNTIL" in rule:
        yield "COUNT and UNTIL: one of them is meant"
    for name in (name for name, frequencies in _NOT_IN.items() if name in rule and frequency in frequencies):
        yield f"{name} has no meaning in a rule that is {frequency}"
    if re.search(r"\d", rule.get("BYDAY", "")) and (frequency in ("DAILY", "WEEKLY") or "BYWEEKNO" in rule):
        yield f"a number before a day of BYDAY has no meaning in a rule that is {frequency}"
    if "BYSETPOS" in rule and not set(rule) & set(_BY):
        yield "BYSETPOS needs another BY..."
    yield from _reasons_of_time(rule, start)
    if not _begins_by(rule, start):
        yield "it begins on no day of its rule: RFC 5545 leaves open what that means"


def _reasons_of_time(rule: dict[str, str], start: date | datetime) -> Iterator[str]:
    times = [name for name in _TIMES if name in rule]
    if times and not isinstance(start, datetime):
        yield f"{times[0]} has no meaning where DTSTART is a date"
    if prod(rule[name].count(",") + 1 for name in times) > MOST_A_DAY:
        yield f"more than {MOST_A_DAY} shifts a day"
    form = r"\d{8}"
    if isinstance(start, datetime):
        form = r"\d{8}T\d{6}Z" if start.tzinfo else r"\d{8}T\d{6}"
    if "UNTIL" in rule and not re.fullmatch(form, rule["UNTIL"]):
        yield (
            "UNTIL must be written as DTSTART is: a date, a time without a zone, or for a time with a zone a time in UTC "
            "(20270101T090000Z). Else programs read it differently"
        )


def _begins_by(rule: dict[str, str], start: date | datetime) -> bool:
    """Whether a series' first event is one of its rule."""
    # Asked of a rule that has no day at all, such as 30 February, dateutil would look until the year 9999.
    of_month = {start.day, start.day - 1 - monthrange(start.year, start.month)[1]}
    for name, own in (("BYMONTH", {start.month}), ("BYMONTHDAY", of_month)):
        if name in rule and not own & {int(each) for each in rule[name].split(",")}:
            return False
    wall = start.replace(tzinfo=None) if isinstance(start, datetime) else datetime.combine(start, time())
    parts = {name: value for name, value in rule.items() if name not in ("COUNT", "UNTIL")}
    text = ";".join(f"{name}={value}" for name, value in {**parts, "UNTIL": f"{wall:%Y%m%dT%H%M%S}"}.items())
    return next(iter(rrulestr(text, dtstart=wall)), None) == wall
