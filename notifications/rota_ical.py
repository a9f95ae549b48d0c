"""An iCalendar file (RFC 5545), line by line: what a rota cannot be read from for certain is refused by name, before its events
are worked out."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
from icalendar.parser import Contentline

from mash.notifications.rota_entries import RotaFileWrong, places
from mash.notifications.rota_rules import parts_of, why_not_read
from mash.notifications.times import YEARS

ODD = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, OSError)
"""What icalendar, and the arithmetic of its values, were seen to raise for files that were changed at random. A time zone is
looked for as a file, whose name may be too long for one."""
_WITHIN = {
    "": {"VCALENDAR"},
    "VCALENDAR": {"VEVENT", "VTIMEZONE"},
    "VEVENT": {"VALARM"},
    "VTIMEZONE": {"STANDARD", "DAYLIGHT"},
}
"""The components that are read, each within which; an alarm is somebody's own affair."""
_OF_ZONES = ("STANDARD", "DAYLIGHT")
_ONCE = ("UID", "SUMMARY", "DTSTART", "DTEND", "DURATION", "RRULE", "RECURRENCE-ID", "STATUS", "SEQUENCE")
_ONLY_IN_SERIES = ("RRULE", "RDATE", "EXDATE")
_MOMENTS = ("DTSTART", "DTEND", "RDATE", "EXDATE", "RECURRENCE-ID")


@dataclass(frozen=True)
class Line:
    """A line of the file, unfolded."""

    number: int
    name: str
    params: dict[str, str]
    value: str


@dataclass(frozen=True, eq=False)
class Event:
    """An event as it was written, and as icalendar reads it."""

    where: str
    lines: tuple[Line, ...]
    component: Any

    def of(self, *names: str) -> Iterator[Line]:
        """Its lines of these names."""
        return (line for line in self.lines if line.name in names)

    @property
    def rule(self) -> dict[str, str]:
        """The parts of its rule, as they were written."""
        return next((parts_of(line.value) for line in self.of("RRULE")), {})

    @property
    def start(self) -> date | datetime:
        """When it begins, in the zone in which it is written."""
        return self.component["DTSTART"].dt  # type: ignore[no-any-return]

    @property
    def changes(self) -> date | datetime | None:
        """Which occurrence of its series it changes."""
        return self.component["RECURRENCE-ID"].dt if "RECURRENCE-ID" in self.component else None

    @property
    def sequence(self) -> int:
        """How often it was changed: the last version is meant."""
        return int(self.component.get("SEQUENCE", -1))

    def moments(self, name: str) -> list[date | datetime | tuple[datetime, datetime | timedelta]]:
        """All values of EXDATE or RDATE."""
        found = self.component.get(name, [])
        return [each.dt for values in (found if isinstance(found, list) else [found]) for each in values.dts]

    def refused(self, why: str, line: Line | None = None) -> RotaFileWrong:
        """The refusal of this event, or of one of its lines."""
        return RotaFileWrong(f"{self.where}: {f'line {line.number}: ' if line else ''}{why}")


@dataclass(frozen=True)
class Written:
    """An iCalendar file that can be read for certain."""

    calendar: Any
    events: tuple[Event, ...]

    @property
    def zones(self) -> list[Any]:
        """The time zones that it defines."""
        return [each for each in self.calendar.subcomponents if isinstance(each, icalendar.Timezone)]


def read_ical(text: str) -> Written:
    """The events of an iCalendar file. Raises RotaFileWrong, which names the line or the event."""
    properties, blocks = _blocks(text)
    _check_calendar(properties)
    # It forgets the zones that files before this one defined.
    icalendar.use_zoneinfo()  # type: ignore[no-untyped-call]  # it has no types
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a zone with a vendor's prefix, which is compared with its definition below
            calendar = icalendar.Calendar.from_ical(text)
    except ODD:
        raise RotaFileWrong("not an iCalendar file: expected BEGIN:VCALENDAR and what follows, by RFC 5545") from None
    components = [each for each in calendar.subcomponents if each.name == "VEVENT"]
    if len(components) != len(blocks):
        raise RotaFileWrong("not an iCalendar file: a line of it is none to every program")
    events = tuple(
        Event(f"event {number} (line {begun})", tuple(lines), component)
        for number, ((begun, lines), component) in enumerate(zip(blocks, components, strict=True), 1)
    )
    for event in events:
        try:
            _check_event(event)
        except ODD:
            raise event.refused("its times cannot be read: expected DTSTART, DTEND and RRULE by RFC 5545") from None
    _check_once(events)
    return Written(calendar, events)


# --- lines --------------------------------------------------------------------------------------------------------------------


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """The lines, each with the number of the first it was folded into."""
    begun, line = 0, ""
    # A line without anything in it parts no folded line, as icalendar reads it.
    for number, each in ((number, each) for number, each in enumerate(re.split(r"\r?\n", text), 1) if each):
        if each[0] in " \t" and line:
            line += each[1:]
            continue
        if line:
            yield begun, line
        begun, line = number, each
    if line:
        yield begun, line


def _parts(number: int, line: str) -> Line:
    try:
        name, params, value = Contentline(line).parts()  # type: ignore[no-untyped-call]  # it has no types
    except ODD:
        raise RotaFileWrong(f"line {number}: not a line of iCalendar: expected NAME:VALUE") from None
    return Line(number, name.upper(), {key.upper(): str(each) for key, each in params.items()}, value)


def _blocks(text: str) -> tuple[list[Line], list[tuple[int, list[Line]]]]:
    """The calendar's own lines, and each event's with the line in which it begins."""
    properties: list[Line] = []
    events: list[tuple[int, list[Line]]] = []
    within: list[str] = []
    begun = False
    for line in (_parts(number, line) for number, line in _unfolded(text)):
        here = within[-1] if within else ""
        if line.name == "BEGIN":
            name = line.value.upper()
            if name not in _WITHIN.get(here, ()):
                where = f"within {here}" if here else "here"
                raise RotaFileWrong(f"line {line.number}: {_component(name)} is not read {where}: take it out")
            if name == "VCALENDAR" and begun:
                raise RotaFileWrong(f"line {line.number}: a second calendar: a rota is one")
            begun = True
            within.append(name)
            if name == "VEVENT":
                events.append((line.number, []))
        elif line.name == "END":
            if line.value.upper() != here:
                raise RotaFileWrong(f"line {line.number}: an END without its BEGIN")
            within.pop()
        elif here == "VEVENT":
            events[-1][1].append(line)
        elif here in _OF_ZONES:
            _check_zone(line)
        elif here == "VCALENDAR":
            properties.append(line)
        elif not here:
            raise RotaFileWrong("not an iCalendar file: expected BEGIN:VCALENDAR and what follows")
    if within:
        raise RotaFileWrong(f"not a whole iCalendar file: it ends within {within[-1]}, as if it were cut off")
    return properties, events


def _check_zone(line: Line) -> None:
    """A time zone changes by a rule that comes to its next change: of one that stands still what reads it never gets there."""
    rule = parts_of(line.value) if line.name == "RRULE" else {}
    for name in ("INTERVAL", "COUNT"):
        if name in rule and not re.fullmatch(r"0*[1-9][0-9]{0,3}", rule[name]):
            raise RotaFileWrong(f"line {line.number}: RRULE of a time zone: {name} must be a number from 1 to 9999")


def _component(name: str) -> str:
    return name if re.fullmatch(r"V[A-Z]{3,15}|STANDARD|DAYLIGHT", name) else "a component of another kind"


# --- checks -------------------------------------------------------------------------------------------------------------------


def _check_calendar(properties: list[Line]) -> None:
    for line in properties:
        value = line.value.strip().upper()
        if line.name == "METHOD" and value not in ("PUBLISH", "REQUEST"):
            raise RotaFileWrong(f"line {line.number}: METHOD: this is an answer or a cancellation, not a calendar")
        if line.name == "CALSCALE" and value != "GREGORIAN":
            raise RotaFileWrong(f"line {line.number}: CALSCALE: only the Gregorian calendar is read")
        if line.name == "X-WR-TIMEZONE" and value not in ("EUROPE/LONDON", "GMT STANDARD TIME"):
            raise RotaFileWrong(f"line {line.number}: X-WR-TIMEZONE: only Europe/London is read: give each time its zone (TZID)")


def _check_event(event: Event) -> None:
    for line in event.lines:
        if line.name in _ONCE and sum(1 for _ in event.of(line.name)) > 1:
            raise event.refused(f"more than one {line.name}", line)
        if line.name == "EXRULE":
            raise event.refused("EXRULE is not read: RFC 5545 has it no longer; write EXDATE", line)
    if event.component.errors:
        broken = {str(name) for name, _ in event.component.errors if name}
        raise event.refused(f"{places(sorted(broken)) or 'a line'} cannot be read", next(event.of(*broken), None))
    for name in ("DTSTART", "SUMMARY"):
        if name not in event.component:
            raise event.refused(f"it needs a {name}")
    _check_moments(event)
    _check_length(event)
    status = str(event.component.get("STATUS", "")).upper()
    if status not in ("", "CONFIRMED", "CANCELLED"):
        raise event.refused(
            "STATUS: whether it takes place is open: confirm it, cancel it or take it out", next(event.of("STATUS"))
        )
    if event.changes is not None:
        for line in event.of(*_ONLY_IN_SERIES):
            raise event.refused(
                f"{line.name} with RECURRENCE-ID is not read: it changes one occurrence, or this and all later", line
            )
        line = next(event.of("RECURRENCE-ID"))
        if line.params.get("RANGE", "THISANDFUTURE").upper() != "THISANDFUTURE":
            raise event.refused("RANGE: only THISANDFUTURE is read", line)
        if "UID" not in event.component:
            raise event.refused("RECURRENCE-ID needs the UID of its series", line)
    for line in event.of("RRULE"):
        if why := why_not_read(line.value, event.start):
            raise event.refused(f"RRULE: {why}", line)


def _check_moments(event: Event) -> None:
    """Each time is one that is known for certain."""
    has_time = isinstance(event.start, datetime)
    for line in event.of(*_MOMENTS):
        found = event.component.get(line.name)
        values = [
            value
            for each in (found if isinstance(found, list) else [found])
            for value in ([each.dt] if hasattr(each, "dt") else [one.dt for one in each.dts])
        ]
        flat = [part for value in values for part in (value if isinstance(value, tuple) else (value,))]
        for value in flat:
            if isinstance(value, timedelta):
                continue
            if not isinstance(value, date) or value.year not in YEARS:
                raise event.refused(f"{line.name}: expected a date or a time of {YEARS[0]} to {YEARS[-1]}", line)
            whole_day_off = line.name == "EXDATE" and not isinstance(value, datetime)
            if isinstance(value, datetime) != has_time and not whole_day_off:
                raise event.refused(f"{line.name} must be a date where DTSTART is one, and a time where that is", line)
        if line.params.get("TZID") and any(isinstance(value, datetime) and value.tzinfo is None for value in flat):
            raise event.refused(f"{line.name}: its time zone is none that is known, and the file does not define it", line)


def _check_length(event: Event) -> None:
    component, has_time = event.component, isinstance(event.start, datetime)
    if "DTEND" in component and "DURATION" in component:
        raise event.refused("it has a DTEND and a DURATION: one of them is meant")
    if has_time and "DTEND" not in component and "DURATION" not in component:
        raise event.refused("it needs a DTEND or a DURATION")
    if "DURATION" in component:
        length = component["DURATION"].dt
        if not has_time and length % timedelta(days=1):
            raise event.refused("a DURATION of hours needs a DTSTART with a time", next(event.of("DURATION")))
    else:
        length = component["DTEND"].dt - event.start if "DTEND" in component else timedelta(days=1)
    if length <= timedelta(0):
        raise event.refused("it must end after it begins")


def _check_once(events: tuple[Event, ...]) -> None:
    """No two events are the same one: which of them is meant, nobody knows."""
    seen: dict[tuple[object, ...], Event] = {}
    for event in events:
        if "UID" not in event.component:
            continue
        key = (str(event.component["UID"]), str(event.changes), event.sequence)
        if key in seen:
            raise event.refused(f"it is {seen[key].where} over again (the same UID): one of them is meant")
        seen[key] = event


# --- time zones ---------------------------------------------------------------------------------------------------------------


def check_zone(written: Written, event: Event, moments: Iterable[date | datetime]) -> None:
    """Raises RotaFileWrong where the zone of an event's times is known by neither name nor definition, or by two that differ."""
    line = next(event.of("DTSTART"))
    name = line.params.get("TZID", "")
    own = next((zone for zone in written.zones if str(zone.get("TZID")) == name), None) if name else None
    if own is None:
        if not isinstance(getattr(event.start, "tzinfo", None), ZoneInfo | None):
            raise event.refused("DTSTART: its time zone is none that is known, and the file does not define it", line)
        return
    zone = own.to_tz(lookup_tzid=False)
    for at in moments:
        if isinstance(at, datetime) and at.replace(tzinfo=zone).utcoffset() != at.utcoffset():
            raise event.refused("DTSTART: the file defines its time zone otherwise than the zone of that name is", line)
