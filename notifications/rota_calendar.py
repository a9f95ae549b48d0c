"""A rota as a calendar (iCalendar): weekly patterns as recurring events, shifts and absences as single ones. Each event's summary
says what it is."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any

import icalendar

from mash.notifications.rota import DAY, Absence, Pattern, Rota, Shift
from mash.notifications.rota_entries import tidied
from mash.states.clocks import LONDON, WEEKDAYS

ICAL_DAYS = dict(zip(("MO", "TU", "WE", "TH", "FR", "SA", "SU"), WEEKDAYS, strict=True))
BANK_HOLIDAYS = "X-MASH-BANK-HOLIDAYS"
"""'no' on a weekly event whose shifts do not begin on bank holidays: iCalendar knows none."""
WRITTEN_OUT = "X-MASH-WRITTEN-OUT-UNTIL"
"""Of a calendar: until when its turns are written out, in UTC."""
_SUMMARY = re.compile(
    r"(?P<role>[^:()]+):\s*(?P<person>[^\s:()]+)(?:\s*\((?P<why>extra|cover|swap|turn)(?:\s+for\s+(?P<instead_of>[^\s:()]+))?\))?"
)
_AWAY = re.compile(r"(?P<person>[^\s:()]+) is away", re.IGNORECASE)
SUMMARIES = "'duty_manager: dm1', 'duty_manager: dm3 (cover for dm1)' or 'dm1 is away'"


def of_summary(summary: str) -> tuple[str, dict[str, Any]] | None:
    """What an event is by its summary: the kind of entry, and its role and people. None where it says something else."""
    words = summary.strip()
    if match := _AWAY.fullmatch(words):
        return "absence", {"person": match["person"].lower()}
    if match := _SUMMARY.fullmatch(words):
        parts = {name: value.lower() for name, value in match.groupdict().items() if value}
        return "shift", {"why": "turn", **parts, "role": tidied(parts["role"])}
    return None


def to_ical(rota: Rota, hub: str, made_at: datetime) -> bytes:
    """The rota as a calendar. A pattern by which no shift ever begins is left out: it says nothing."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//mash//rota//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"MASH rota {hub}")
    if rota.written_out_until:
        calendar.add(WRITTEN_OUT, f"{rota.written_out_until.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    patterns = (_of_pattern(pattern) for pattern in rota.patterns)
    events = [
        *(event for event in patterns if event),
        *(_of_shift(shift) for shift in rota.shifts),
        *(_spell(f"{absence.person} is away", absence) for absence in rota.absences),
    ]
    for number, event in enumerate(events, 1):
        event.add("uid", f"{hub}.{number}@rota.mash")
        event.add("dtstamp", made_at)
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _of_pattern(pattern: Pattern) -> icalendar.Event | None:
    # A rule's first event is always one of it (RFC 5545, 3.8.5.3): it has to be a day of the pattern.
    bare = pattern.model_copy(update={"not_on": ()})
    days = (pattern.since + timedelta(days=n) for n in range(7 * (pattern.every + 1)))
    first = next((day for day in days if bare.begins_on(day, ())), None)
    if first is None:
        return None
    names = {day: name for name, day in ICAL_DAYS.items()}
    rule: dict[str, Any] = {"freq": "weekly", "interval": pattern.every, "byday": [names[day] for day in pattern.days]}
    if pattern.until:
        rule["until"] = datetime.combine(pattern.until, time(23, 59, 59), LONDON).astimezone(UTC)
    event = icalendar.Event()
    event.add("summary", f"{pattern.role}: {pattern.person}")
    event.add("dtstart", datetime.combine(first, pattern.starts, LONDON))
    event.add("dtend", datetime.combine(first + DAY if pattern.ends <= pattern.starts else first, pattern.ends, LONDON))
    event.add("rrule", rule)
    if off := [day for day in pattern.not_on if bare.begins_on(day, ())]:
        event.add("exdate", [datetime.combine(day, pattern.starts, LONDON) for day in off])
    if not pattern.bank_holidays:
        event.add(BANK_HOLIDAYS, "no")
    return event


def _of_shift(shift: Shift) -> icalendar.Event:
    instead = f" for {shift.instead_of}" if shift.instead_of else ""
    return _spell(f"{shift.role}: {shift.person} ({shift.why}{instead})", shift)


def _spell(summary: str, spell: Shift | Absence) -> icalendar.Event:
    event = icalendar.Event()
    event.add("summary", summary)
    event.add("dtstart", spell.begins.astimezone(UTC))
    event.add("dtend", spell.ends.astimezone(UTC))
    return event
