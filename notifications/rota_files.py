"""A rota as files that other programs read and write: CSV for spreadsheets, iCalendar for calendars. Both lose nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import icalendar
from pydantic import ValidationError

from mash.notifications.rota import DAY, Absence, Pattern, Rota, Shift
from mash.states.clocks import LONDON, WEEKDAYS

COLUMNS = ("entry", "role", "person", "days", "starts", "ends", "since", "until", "every", "bank_holidays", "instead_of", "why")
ENTRIES = {"weekly": ("patterns", Pattern), "shift": ("shifts", Shift), "absence": ("absences", Absence)}
ICAL_DAYS = dict(zip(("MO", "TU", "WE", "TH", "FR", "SA", "SU"), WEEKDAYS, strict=True))


LARGEST_FILE = 1_000_000
"""Bytes; a year of a hub's rota has fewer than 100,000."""
TOO_LARGE = f"the file is larger than a rota can be: expected at most {LARGEST_FILE:,} bytes"
ODD = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, OSError)
"""What icalendar, and the arithmetic of its values, were seen to raise for files that were changed at random. A time zone is
looked for as a file, whose name may be too long for one."""


class RotaFileWrong(Exception):
    """A rota file that cannot be read; says in which line or event, and what is expected."""


# --- CSV ----------------------------------------------------------------------------------------------------------------------


def to_csv(rota: Rota) -> str:
    """The rota as CSV: a line for each weekly pattern, shift and absence. A shift's and an absence's times carry their date."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for entry, (name, _) in ENTRIES.items():
        for item in getattr(rota, name):
            values = item.model_dump(mode="json", exclude_none=True)
            if entry != "weekly":
                values |= {"starts": _local(item.begins), "ends": _local(item.ends)}
                del values["begins"]
            writer.writerow({"entry": entry, **values, **({"days": " ".join(item.days)} if entry == "weekly" else {})})
    return out.getvalue()


def from_csv(text: str) -> Rota:
    """The rota of a CSV file. Raises RotaFileWrong, naming the line."""
    if len(text) > LARGEST_FILE:
        raise RotaFileWrong(TOO_LARGE)
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    try:
        return _of_rows(rows)
    except csv.Error:
        raise RotaFileWrong(
            f"line {rows.line_num}: not CSV: expected a line of {len(COLUMNS)} fields, parted by commas"
        ) from None


def _of_rows(rows: csv.DictReader[str]) -> Rota:
    if unknown := [str(place) for place, name in enumerate(rows.fieldnames or (), 1) if name not in COLUMNS]:
        # By their places: in a file without a line of headings, they are people.
        raise RotaFileWrong(f"unknown columns ({', '.join(unknown)}) in the first line; there are {', '.join(COLUMNS)}")
    return _collected((f"line {rows.line_num}", *_of_row(row, rows.line_num)) for row in rows)


def _of_row(row: dict[str, Any], line: int) -> tuple[str, dict[str, Any]]:
    cells = {name: value.strip() for name, value in row.items() if isinstance(value, str) and value.strip()}
    entry = cells.pop("entry", "")
    if entry == "weekly" and "days" in cells:
        return entry, {**cells, "days": tuple(cells["days"].lower().replace(",", " ").split())}
    if entry in ENTRIES and entry != "weekly":
        begins, ends = (_instant(cells.pop(name, ""), line) for name in ("starts", "ends"))
        return entry, {**cells, "begins": begins, "ends": ends}
    return entry, cells


def _local(at: datetime) -> str:
    return at.astimezone(LONDON).isoformat(timespec="minutes")


def _instant(text: str, line: int) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise RotaFileWrong(f"line {line}: expected a date and time such as 2026-11-27 17:00") from None
    return (at if at.tzinfo else at.replace(tzinfo=LONDON)).astimezone(UTC)


def _collected(entries: Iterable[tuple[str, str, dict[str, Any]]]) -> Rota:
    found: dict[str, list[Any]] = {name: [] for name, _ in ENTRIES.values()}
    for where, entry, values in entries:
        if entry not in ENTRIES:
            raise RotaFileWrong(f"{where}: 'entry' must be one of {', '.join(ENTRIES)}")
        name, kind = ENTRIES[entry]
        try:
            found[name].append(kind(**values))
        except ValidationError as wrong:
            first = wrong.errors(include_input=False)[0]
            raise RotaFileWrong(f"{where}: {'.'.join(map(str, first['loc'])) or entry}: {first['msg']}") from None
    return Rota(**{name: tuple(items) for name, items in found.items()})


# --- iCalendar ----------------------------------------------------------------------------------------------------------------


def to_ical(rota: Rota, hub: str, made_at: datetime) -> bytes:
    """The rota as a calendar: weekly patterns as recurring events, shifts and absences as single ones."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//mash//rota//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"MASH rota {hub}")
    events = [
        *(_of_pattern(p) for p in rota.patterns),
        *(_of_shift(s) for s in rota.shifts),
        *(_of_absence(a) for a in rota.absences),
    ]
    for number, event in enumerate(events, 1):
        event.add("uid", f"{hub}.{number}@rota.mash")
        event.add("dtstamp", made_at)
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _of_pattern(pattern: Pattern) -> icalendar.Event:
    days = [pattern.since + timedelta(days=n) for n in range(7 * (pattern.every + 1))]
    first = next((day for day in days if pattern.begins_on(day, ())), pattern.since)
    names = {day: name for name, day in ICAL_DAYS.items()}
    rule: dict[str, Any] = {"freq": "weekly", "interval": pattern.every, "byday": [names[day] for day in pattern.days]}
    if pattern.until:
        rule["until"] = datetime.combine(pattern.until, time(23, 59, 59), LONDON).astimezone(UTC)
    event = _event(f"{pattern.role}: {pattern.person}", role=pattern.role, person=pattern.person, since=pattern.since.isoformat())
    event.add("dtstart", datetime.combine(first, pattern.starts, LONDON))
    event.add("dtend", datetime.combine(first + DAY if pattern.ends <= pattern.starts else first, pattern.ends, LONDON))
    event.add("rrule", rule)
    if not pattern.bank_holidays:
        event.add("x-mash-bank-holidays", "no")
    return event


def _of_shift(shift: Shift) -> icalendar.Event:
    known = {"role": shift.role, "person": shift.person, "why": shift.why, "instead-of": shift.instead_of or ""}
    return _spell(_event(f"{shift.role}: {shift.person} ({shift.why})", **known), shift)


def _of_absence(absence: Absence) -> icalendar.Event:
    return _spell(_event(f"{absence.person} is away", person=absence.person, absent="yes"), absence)


def _spell(event: icalendar.Event, spell: Shift | Absence) -> icalendar.Event:
    event.add("dtstart", spell.begins.astimezone(UTC))
    event.add("dtend", spell.ends.astimezone(UTC))
    return event


def _event(summary: str, **known: str) -> icalendar.Event:
    event = icalendar.Event()
    event.add("summary", summary)
    for name, value in known.items():
        if value:
            event.add(f"x-mash-{name}", value)
    return event


def from_ical(text: bytes) -> Rota:
    """The rota of a calendar. An event that was not written by us needs a summary such as 'duty_manager: p14'; what recurs must
    recur weekly. Raises RotaFileWrong, naming the event."""
    if len(text) > LARGEST_FILE:
        raise RotaFileWrong(TOO_LARGE)
    try:
        calendar = icalendar.Calendar.from_ical(text)
        events = calendar.walk("VEVENT")
    except ODD:
        raise RotaFileWrong("not an iCalendar file: expected BEGIN:VCALENDAR and what follows") from None
    return _collected((f"event {number}", *_readable(event, number)) for number, event in enumerate(events, 1))


def _readable(event: icalendar.Component, number: int) -> tuple[str, dict[str, Any]]:
    try:
        return _of_event(event, number)
    except ODD:
        raise RotaFileWrong(f"event {number}: its times cannot be read: expected DTSTART, DTEND and RRULE by RFC 5545") from None


def _of_event(event: icalendar.Component, number: int) -> tuple[str, dict[str, Any]]:
    written = [_moment(event, name, number) for name in ("dtstart", "dtend")]
    begins, ends = (at.astimezone(UTC) for at in written)
    role, _, person = str(event.get("summary", "")).partition(":")
    values: dict[str, Any] = {
        "role": str(event.get("x-mash-role", role.strip())),
        "person": str(event.get("x-mash-person", person.split("(")[0].strip())),
    }
    if event.get("x-mash-absent"):
        return "absence", {"person": values["person"], "begins": begins, "ends": ends}
    if "rrule" not in event:
        more = {
            "why": str(event.get("x-mash-why", "extra")),
            "instead_of": event.get("x-mash-instead-of") and str(event["x-mash-instead-of"]),
        }
        return "shift", {**values, **more, "begins": begins, "ends": ends}
    # As the clock on the wall says, without a way through UTC: half past one is half past one also in the night that has none.
    starts, stops = (at.astimezone(LONDON) for at in written)
    return "weekly", {**values, **_weekly(event, starts, stops, number)}


def _weekly(event: icalendar.Component, begins: datetime, ends: datetime, number: int) -> dict[str, Any]:
    rule: dict[str, Any] = {name.lower(): value for name, value in dict(event["rrule"]).items()}  # type: ignore[arg-type]  # a vRecur is a dict
    if [str(freq).upper() for freq in rule.get("freq", [])] != ["WEEKLY"] or {"count", "bymonth", "bysetpos"} & set(rule):
        raise RotaFileWrong(f"event {number}: only what recurs weekly can be read, with INTERVAL, BYDAY and UNTIL")
    if ends - begins > DAY:
        raise RotaFileWrong(f"event {number}: a weekly shift lasts a day at most; write a longer one as several")
    until = next(iter(rule.get("until", [])), None)
    return {
        "days": tuple(ICAL_DAYS[str(day)] for day in rule.get("byday", [])) or (WEEKDAYS[begins.weekday()],),
        "starts": begins.time(),
        "ends": ends.time(),
        "since": date.fromisoformat(str(event.get("x-mash-since", begins.date().isoformat()))),
        "until": (until.astimezone(LONDON).date() if isinstance(until, datetime) else until),
        "every": int(next(iter(rule.get("interval", [1])))),
        "bank_holidays": str(event.get("x-mash-bank-holidays", "yes")) != "no",
    }


def _moment(event: icalendar.Component, name: str, number: int) -> datetime:
    """When something begins or ends, in the zone in which it is written: London's where none is."""
    found = getattr(event.get(name), "dt", None)
    if isinstance(found, datetime):
        return found if found.tzinfo else found.replace(tzinfo=LONDON)
    if isinstance(found, date):
        return datetime.combine(found, time(), LONDON)
    raise RotaFileWrong(f"event {number}: it needs a DTSTART and a DTEND")
