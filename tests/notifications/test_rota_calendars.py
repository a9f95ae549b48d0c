"""Calendars that other programs write: read as RFC 5545 has them, or refused by name."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
from hypothesis import event, given, settings
from hypothesis import strategies as st

from mash.notifications.rota_files import RotaFileWrong, read_rota_file
from mash.states.clocks import LONDON, Calendar, Window

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
ALWAYS_SHUT_ON_MONDAYS = Calendar(windows={"tue": (Window(opens=time(9), closes=time(17)),)})
FIRST, LAST = datetime(2026, 10, 12, tzinfo=LONDON), datetime(2028, 4, 15, tzinfo=LONDON)
"""From both changes of the clocks to both of the next year, and into the one after."""
ZONES: tuple[Any, ...] = (LONDON, LONDON, LONDON, None, UTC, ZoneInfo("America/New_York"))

N = int(__import__("os").environ.get("N", "100"))
ROLE = "out_of_hours"

# --- calendars ----------------------------------------------------------------------------------------------------------------

quarters = st.builds(time, st.integers(0, 23), st.sampled_from([0, 30]))
lengths = st.sampled_from([timedelta(hours=n) for n in (1, 4, 8, 12, 16, 24, 25, 72)] + [timedelta(days=7)])
byday = st.lists(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, max_size=4, unique=True)
ordinal = st.builds(lambda n, day: f"{n}{day}", st.sampled_from([1, 2, 4, -1]), st.sampled_from(["MO", "FR", "SU"]))


@st.composite
def rules(draw: st.DrawFn, start: date | datetime) -> dict[str, Any]:
    """A rule of whatever parts a rota may have."""
    frequency = draw(st.sampled_from(["WEEKLY", "WEEKLY", "WEEKLY", "DAILY", "MONTHLY", "YEARLY"]))
    rule: dict[str, Any] = {"FREQ": frequency}
    maybe = lambda what, values: rule.update({what: draw(values)}) if draw(st.integers(0, 3)) == 0 else None  # noqa: E731
    if draw(st.booleans()):
        rule["INTERVAL"] = draw(st.integers(1, 8 if frequency == "DAILY" else 4))
    if frequency in ("WEEKLY", "DAILY") and draw(st.booleans()):
        rule["BYDAY"] = draw(byday)
    elif frequency in ("MONTHLY", "YEARLY"):
        rule |= draw(
            st.sampled_from([{}, {"BYMONTHDAY": [1, 15]}, {"BYMONTHDAY": [-1]}, {"BYDAY": ["SA", "SU"], "BYSETPOS": [1, -1]}])
            | ordinal.map(lambda day: {"BYDAY": [day]})
        )
    maybe("WKST", st.sampled_from(["SU", "MO", "WE"]))
    maybe("BYMONTH", st.lists(st.integers(1, 12), min_size=1, max_size=6, unique=True))
    if isinstance(start, datetime):
        maybe("BYHOUR", st.lists(st.integers(0, 23), min_size=1, max_size=3, unique=True))
        maybe("BYMINUTE", st.lists(st.sampled_from([0, 30]), min_size=1, unique=True))
    ends = draw(st.sampled_from(["never", "never", "count", "until"]))
    if ends == "count":
        rule["COUNT"] = draw(st.integers(1, 60))
    elif ends == "until":
        until = start + timedelta(
            days=draw(st.integers(0, 500)), hours=draw(st.integers(-3, 3)) if isinstance(start, datetime) else 0
        )
        rule["UNTIL"] = until.astimezone(UTC) if isinstance(until, datetime) and until.tzinfo else until
    return rule


def _event(uid: str, person: str, start: Any, length: timedelta, as_duration: bool) -> icalendar.Event:
    made = icalendar.Event()
    made.add("uid", uid)
    made.add("dtstamp", NOW)
    made.add("summary", f"{ROLE}: {person}")
    made.add("dtstart", start)
    if as_duration:
        made.add("duration", length)
    else:
        made.add("dtend", start + length)
    return made


@st.composite
def series(draw: st.DrawFn, uid: str) -> list[icalendar.Event]:
    """An event with its rule, what is taken out and added, and what changes occurrences of it."""
    day = draw(st.dates(date(2026, 10, 1), date(2027, 4, 5)))
    start: Any = datetime.combine(day, draw(quarters), draw(st.sampled_from(ZONES))) if draw(st.integers(0, 7)) else day
    length = draw(lengths) if isinstance(start, datetime) else timedelta(days=draw(st.integers(1, 7)))
    master = _event(uid, draw(st.sampled_from(["p1", "p2"])), start, length, draw(st.booleans()))
    if draw(st.integers(0, 3)):
        rule = draw(rules(start))
        master.add("rrule", rule)
        aligned = _first(start, rule)
        if aligned and draw(st.integers(0, 9)):
            end = aligned + length
            for name in ("DTSTART", "DTEND"):
                if name in master:
                    del master[name]
            master.add("dtstart", aligned)
            if "DURATION" not in master:
                master.add("dtend", end)
            start = aligned
    moved = st.integers(1, 60).map(lambda days: start + timedelta(days=days))
    for extra in draw(st.lists(moved, max_size=2)):
        period = isinstance(extra, datetime) and extra.tzinfo and draw(st.booleans())
        zone = {"TZID": extra.tzinfo.key} if period and isinstance(extra.tzinfo, ZoneInfo) else {}
        if period:  # icalendar writes neither by itself
            master.add("rdate", [(extra, extra + timedelta(hours=3))], parameters={"VALUE": "PERIOD", **zone})
        else:
            master.add("rdate", [extra])
    if "RRULE" not in master and "RDATE" not in master:
        return [master]
    found = sorted(_starts(master), key=str)[:40]
    named = draw(st.lists(st.sampled_from(found), max_size=4, unique_by=str)) if found else []
    out, changed = named[:2], named[2:]
    if out:
        whole_days = isinstance(start, datetime) and draw(st.integers(0, 5)) == 0
        master.add("exdate", [each.date() for each in out] if whole_days else out)
    return [master, *(draw(change(uid, each, length)) for each in changed)]


@st.composite
def change(draw: st.DrawFn, uid: str, at: Any, length: timedelta) -> icalendar.Event:
    shift = timedelta(days=draw(st.integers(-2, 3)), hours=draw(st.integers(-5, 5)) if isinstance(at, datetime) else 0)
    made = _event(
        uid,
        draw(st.sampled_from(["p1", "p2", "p3"])),
        at + shift,
        draw(st.sampled_from([length, length * 2])),
        draw(st.booleans()),
    )
    ranged = {"RANGE": "THISANDFUTURE"} if draw(st.booleans()) else {}
    made.add("recurrence-id", at, parameters=ranged)
    if draw(st.integers(0, 2)) == 0:
        made.add("status", draw(st.sampled_from(["CANCELLED", "CANCELLED", "CONFIRMED", "TENTATIVE"])))
    return made


def _first(start: Any, rule: dict[str, Any]) -> Any:
    """The first time from `start` on that is one of the rule: a series begins with an occurrence of it."""
    free = {name: value for name, value in rule.items() if name not in ("COUNT", "UNTIL")}
    made = _event("first", "p1", start, timedelta(days=1), False)
    made.add("rrule", free)
    found = [each for each in _starts(made) if each != start]
    return min(found, default=None)


def _starts(made: icalendar.Event) -> list[Any]:
    calendar = icalendar.Calendar()
    calendar.add_component(made)
    return [each["DTSTART"].dt for each in recurring_ical_events.of(calendar).between(FIRST, FIRST + timedelta(days=400))]


@st.composite
def calendars(draw: st.DrawFn) -> bytes:
    """A calendar as another program may export it; some define the zones they use, some do not."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Example//Rota//EN")
    calendar.add("version", "2.0")
    for number in range(draw(st.integers(1, 2))):
        for each in draw(series(f"{number}@example.org")):
            calendar.add_component(each)
    if draw(st.booleans()):
        calendar.add_missing_timezones(first_date=date(2026, 1, 1), last_date=date(2030, 1, 1))
    return bytes(calendar.to_ical())


# --- how they are read --------------------------------------------------------------------------------------------------------


def instant(value: Any) -> datetime:
    """A time of a calendar; without a zone it is London's."""
    at = value if isinstance(value, datetime) else datetime.combine(value, time())
    return (at if at.tzinfo else at.replace(tzinfo=LONDON)).astimezone(UTC)


def expected(data: bytes) -> dict[str, list[tuple[datetime, datetime]]]:
    """Who is on duty when, by `recurring-ical-events`."""
    spells: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for each in recurring_ical_events.of(icalendar.Calendar.from_ical(data)).between(FIRST - timedelta(days=30), LAST):
        if each.get("STATUS") != "CANCELLED":
            begins, ends = max(instant(each["DTSTART"].dt), FIRST), min(instant(each["DTEND"].dt), LAST)
            if begins < ends:
                spells[str(each["SUMMARY"]).split(": ")[1]].append((begins.astimezone(UTC), ends.astimezone(UTC)))
    joined: dict[str, list[tuple[datetime, datetime]]] = {}
    for person, each in spells.items():
        for begins, ends in sorted(each):
            before = joined.setdefault(person, [])
            if before and begins <= before[-1][1]:
                before[-1] = (before[-1][0], max(before[-1][1], ends))
            else:
                before.append((begins, ends))
    return joined


@given(calendars())
@settings(deadline=None, max_examples=N)
def test_a_calendar_is_read_as_recurring_ical_events_reads_it_or_refused_by_name(data: bytes) -> None:
    try:
        rota = read_rota_file(data, NOW).rota
    except RotaFileWrong as wrong:
        assert str(wrong).startswith("event ")  # noqa: PT017  what is refused is what this is about
        event(f"refused: {str(wrong).split(': ', 1)[1][:60]}")
        return
    event("read")
    found = rota.stretches(ROLE, FIRST.astimezone(UTC), LAST.astimezone(UTC), ALWAYS_SHUT_ON_MONDAYS)
    assert {person: [(each.begins, each.ends) for each in spells] for person, spells in found.items()} == expected(data)
