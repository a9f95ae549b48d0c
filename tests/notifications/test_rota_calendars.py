"""Calendars that other programs write: read as RFC 5545 has them, or refused by name."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from hypothesis import event, given
from hypothesis import strategies as st

from mash.notifications.rota_calendar import to_ical
from mash.notifications.rota_entries import RotaFileWrong
from mash.notifications.rota_files import read_rota_file
from mash.states.clocks import LONDON, Calendar, Window

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
ALWAYS_SHUT_ON_MONDAYS = Calendar(windows={"tue": (Window(opens=time(9), closes=time(17)),)})
FIRST, LAST = datetime(2026, 10, 12, tzinfo=LONDON), datetime(2028, 4, 15, tzinfo=LONDON)
"""From both changes of the clocks to both of the next year, and into the one after."""
ZONES: tuple[Any, ...] = (LONDON, LONDON, LONDON, None, UTC, ZoneInfo("America/New_York"))

ROLE = "out_of_hours"


CALENDARS = Path(__file__).parent / "calendars"
MONDAY = "DTSTART;TZID=Europe/London:20261130T090000 | DTEND;TZID=Europe/London:20261130T170000"
WEEKLY = f"{MONDAY} | RRULE:FREQ=WEEKLY"
NIGHTS = "DTSTART;TZID=Europe/London:20270320T210000 | DURATION:PT12H | RRULE:FREQ=WEEKLY"


def ics(*events: str, before: str = "VERSION:2.0") -> bytes:
    """A calendar of these events, each of these lines, beside a UID and a summary unless they say otherwise."""
    made = before.split(" | ")
    for number, event_ in enumerate(events, 1):
        usual = (f"UID:{number}@example.org", "SUMMARY:duty_manager: dm1")
        lines = event_.split(" | ")
        made += ["BEGIN:VEVENT", *(each for each in usual if each.split(":")[0] not in event_), *lines, "END:VEVENT"]
    return "\r\n".join(["BEGIN:VCALENDAR", *made, "END:VCALENDAR", ""]).encode()


def duty(data: bytes, until: str = "2026-12-20", since: datetime = NOW, role: str = "duty_manager") -> list[str]:
    """Who is on duty when: 'dm1 Mon 30 09:00-17:00'."""
    ends = datetime.fromisoformat(until).replace(tzinfo=UTC)
    found = read_rota_file(data, NOW).rota.stretches(role, since, ends, ALWAYS_SHUT_ON_MONDAYS)
    local = (
        (spell.begins, person, spell.begins.astimezone(LONDON), spell.ends.astimezone(LONDON))
        for person, spells in found.items()
        for spell in spells
    )
    return [f"{person} {begins:%a} {begins.day} {begins:%H:%M}-{ends:%H:%M}" for _, person, begins, ends in sorted(local)]


def days(*events: str) -> list[int]:
    """On which days anybody's duty begins until 20 December."""
    return [int(each.split()[2]) for each in duty(ics(*events))]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([f"{WEEKLY} | EXDATE;TZID=Europe/London:20261207T090000"], [30, 14]),
        ([f"{WEEKLY} | EXDATE:20261207T090000Z"], [30, 14]),
        ([f"{WEEKLY} | EXDATE;VALUE=DATE:20261207"], [30, 14]),
        ([f"{MONDAY} | RDATE;TZID=Europe/London:20261202T090000,20261204T090000"], [30, 2, 4]),
        ([f"{WEEKLY} | STATUS:CANCELLED"], []),
        ([f"{WEEKLY};UNTIL=20261214T090000Z"], [30, 7, 14]),
        ([f"{WEEKLY};UNTIL=20261214T085959Z"], [30, 7]),
        ([f"{WEEKLY};COUNT=2"], [30, 7]),
        ([f"{WEEKLY};INTERVAL=2"], [30, 14]),
        (["DTSTART:20261130T090000Z | DURATION:PT8H | RRULE:FREQ=DAILY;INTERVAL=8"], [30, 8, 16]),
        (["DTSTART:20261130T090000 | DTEND:20261130T170000"], [30]),
        (["DTSTART;VALUE=DATE:20261130 | RRULE:FREQ=MONTHLY;BYMONTHDAY=-1,10"], [30, 10]),
        (["DTSTART;TZID=GMT Standard Time:20261130T090000 | DURATION:PT8H"], [30]),
        (["DTSTART;TZID=/example.org/Europe/London:20261130T090000 | DURATION:PT8H"], [30]),
        ([f"{MONDAY} | SEQUENCE:1", f"{MONDAY} | UID:1@example.org | SEQUENCE:2 | STATUS:CANCELLED"], []),
        ([f"{MONDAY} | SUMMARY:Duty Manager: DM1"], [30]),
    ],
)
def test_the_parts_of_a_calendar_are_read(events: list[str], expected: list[int]) -> None:
    assert days(*events) == expected


def test_a_shift_that_was_moved_stands_once_and_one_that_another_takes_is_the_others() -> None:
    changed = "RECURRENCE-ID;TZID=Europe/London:20261207T090000 | UID:1@example.org"
    moved = f"{changed} | DTSTART;TZID=Europe/London:20261208T100000 | DURATION:PT2H"
    assert duty(ics(WEEKLY, moved), "2026-12-12") == ["dm1 Mon 30 09:00-17:00", "dm1 Tue 8 10:00-12:00"]
    taken = f"{changed} | {MONDAY.replace('1130', '1207')} | SUMMARY:duty_manager: dm2"
    assert duty(ics(WEEKLY, taken)) == ["dm1 Mon 30 09:00-17:00", "dm2 Mon 7 09:00-17:00", "dm1 Mon 14 09:00-17:00"]


def test_from_a_change_of_this_and_all_later_shifts_on_they_are_the_others_without_end() -> None:
    later = "RECURRENCE-ID;TZID=Europe/London;RANGE=THISANDFUTURE:20261207T090000 | UID:1@example.org"
    data = ics(WEEKLY, f"{later} | DTSTART;TZID=Europe/London:20261208T100000 | DURATION:PT2H | SUMMARY:duty_manager: dm2")
    assert duty(data) == ["dm1 Mon 30 09:00-17:00", "dm2 Tue 8 10:00-12:00", "dm2 Tue 15 10:00-12:00"]
    far = datetime(2040, 1, 2, tzinfo=UTC)
    assert duty(data, "2040-01-05", far) == ["dm2 Tue 3 10:00-12:00"]
    over = f"{later} | STATUS:CANCELLED | {MONDAY.replace('1130', '1207')}"
    assert duty(ics(WEEKLY, over)) == ["dm1 Mon 30 09:00-17:00"]


def test_a_night_ends_by_the_clock_on_the_wall_in_both_nights_in_which_the_clocks_change() -> None:
    spring = duty(ics(NIGHTS), "2027-04-05", datetime(2027, 3, 27, tzinfo=UTC))
    assert spring == ["dm1 Sat 27 21:00-09:00", "dm1 Sat 3 21:00-09:00"]
    autumn = duty(ics(NIGHTS), "2027-11-02", datetime(2027, 10, 30, tzinfo=UTC))
    assert autumn == ["dm1 Sat 30 21:00-09:00"]


def test_what_recurs_by_utc_is_an_hour_later_in_summer() -> None:
    data = ics("DTSTART:20261130T090000Z | DURATION:PT8H | RRULE:FREQ=WEEKLY")
    assert duty(data, "2027-07-06", datetime(2027, 7, 5, tzinfo=UTC)) == ["dm1 Mon 5 10:00-18:00"]


def test_a_weekly_rule_without_end_needs_no_second_import_and_another_says_until_when_it_is_written_out() -> None:
    assert read_rota_file(ics(f"{WEEKLY} | EXDATE:20261207T090000Z"), NOW).rota.written_out_until is None
    monthly = read_rota_file(ics(f"{MONDAY} | RRULE:FREQ=MONTHLY;BYMONTHDAY=30"), NOW).rota
    assert monthly.written_out_until == datetime(2028, 11, 30, 9, tzinfo=UTC), "two years after it begins"
    assert read_rota_file(ics(f"{MONDAY} | RRULE:FREQ=MONTHLY;BYMONTHDAY=30;COUNT=5"), NOW).rota.written_out_until is None


def test_a_shift_edited_in_a_calendar_program_is_the_edited_one() -> None:
    exported = to_ical(read_rota_file(ics(MONDAY), NOW).rota, "sandwell", NOW)
    assert duty(exported.replace(b"dm1", b"dm2")) == ["dm2 Mon 30 09:00-17:00"]


def test_whoever_is_taken_off_in_an_exported_calendar_is_off() -> None:
    data = (CALENDARS / "exdate.ics").read_bytes()
    assert duty(data, "2026-12-03") == ["dm1 Mon 30 09:00-17:00", "dm1 Wed 2 09:00-17:00"]


def test_a_cancelled_night_is_a_gap_and_whoever_is_cancelled_is_never_on_duty() -> None:
    nights = duty((CALENDARS / "cancelled.ics").read_bytes(), "2026-12-08", role="out_of_hours")
    assert [night.split()[:3] for night in nights] == [
        ["edt1", *day.split()] for day in ("Mon 30", "Tue 1", "Wed 2", "Fri 4", "Mon 7")
    ]


def test_a_fortnight_that_begins_on_a_sunday_is_one() -> None:
    on = duty((CALENDARS / "fortnight.ics").read_bytes(), role="out_of_hours")
    assert [" ".join(day.split()[1:3]) for day in on] == ["Sun 29", "Mon 30", "Tue 1", "Sun 13", "Mon 14", "Tue 15"]


@pytest.mark.parametrize(
    ("event_", "says"),
    [
        (f"{WEEKLY};INTERVAL=0", r"event 1 \(line 3\): line 8: RRULE: INTERVAL"),
        (f"{MONDAY} | RRULE:FREQ=HOURLY", "FREQ must be one of"),
        (f"{WEEKLY};BYEASTER=1", "RRULE: BYEASTER is not read"),
        (f"{WEEKLY};BYDAY=MO;BYDAY=TU", "there twice"),
        (f"{WEEKLY};BYDAY=1MO", "a number before a day"),
        (f"{WEEKLY};BYMONTHDAY=3", "BYMONTHDAY has no meaning"),
        (f"{WEEKLY};COUNT=3;UNTIL=20261214T090000Z", "COUNT and UNTIL"),
        (f"{WEEKLY};UNTIL=20261214", "UNTIL must be written as DTSTART is"),
        (f"{WEEKLY};UNTIL=20261214T090000", "UNTIL must be written as DTSTART is"),
        (f"{WEEKLY};BYDAY=TU", "it begins on no day of its rule"),
        (f"{WEEKLY};BYDAY=XX", "RRULE"),
        (f"{MONDAY} | RRULE:FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "it begins on no day of its rule"),
        (f"{WEEKLY} | RRULE:FREQ=DAILY", "more than one RRULE"),
        (f"{WEEKLY} | EXRULE:FREQ=DAILY", "EXRULE is not read"),
        (f"{WEEKLY} | EXDATE:20261207T100000Z", "EXDATE: no shift begins Mon 7 Dec 2026 10:00"),
        (f"{WEEKLY} | EXDATE;VALUE=DATE:20261208", "EXDATE: no shift begins on 2026-12-08"),
        (f"{WEEKLY} | EXDATE;TZID=Europe/London:soon", "EXDATE cannot be read"),
        (f"{WEEKLY} | STATUS:TENTATIVE", "STATUS"),
        (f"{MONDAY} | DURATION:PT8H", "a DTEND and a DURATION"),
        ("DTSTART:20261130T090000Z", "a DTEND or a DURATION"),
        ("DTSTART:20261130T090000Z | DTEND:20261130T080000Z", "must end after it begins"),
        ("DTSTART:20261130T090000Z | DTEND;VALUE=DATE:20261201", "DTEND must be a date where DTSTART is one"),
        ("DTEND:20261130T090000Z", "it needs a DTSTART"),
        ("DTSTART;TZID=Our office:20261130T090000 | DURATION:PT8H", "its time zone is none that is known"),
        ("DTSTART:16010101T090000Z | DURATION:PT8H", "DTSTART: expected a date or a time of 2000 to 2099"),
        (f"{MONDAY} | SUMMARY:Team day", "its summary must be such as 'duty_manager: dm1'"),
        (f"{MONDAY} | SUMMARY:duty_manager: Jane Doe", "its summary must be such as"),
        (f"{MONDAY} | SUMMARY:duty_manager: dm1 (not sure)", "its summary must be such as"),
        (f"{MONDAY} | RECURRENCE-ID;RANGE=THISANDPRIOR:20261130T090000Z", "only THISANDFUTURE"),
        (f"{MONDAY} | RECURRENCE-ID;RANGE=THISANDFUTURE:20261130T090000Z", "a series that the file has not"),
        (f"{WEEKLY} | RECURRENCE-ID:20261130T090000Z", "RRULE with RECURRENCE-ID"),
        (f"{MONDAY} | X-MASH-BANK-HOLIDAYS:no", "X-MASH-BANK-HOLIDAYS"),
        (
            "DTSTART:20261130T000000Z | DURATION:PT30M | RRULE:FREQ=DAILY;BYHOUR=0,3,6,9,12,15,18,21",
            "more than 5,000 turns",
        ),
        (
            "DTSTART;TZID=Europe/London:20270327T013000 | DURATION:PT30M | RRULE:FREQ=DAILY;BYHOUR=1,2;BYMINUTE=30",
            "the hour that never comes",
        ),
    ],
)
def test_what_is_not_read_for_certain_is_refused_by_name(event_: str, says: str) -> None:
    with pytest.raises(RotaFileWrong, match=says) as wrong:
        read_rota_file(ics(event_), NOW)
    assert "Jane" not in str(wrong.value)


@pytest.mark.parametrize(
    ("change_", "says"),
    [
        ("RECURRENCE-ID;VALUE=DATE:20261207", "RECURRENCE-ID must be a date where DTSTART is one"),
        ("RECURRENCE-ID:20261208T090000Z", "RECURRENCE-ID: no shift begins Tue 8 Dec 2026 09:00"),
        ("RECURRENCE-ID:20261214T090000Z", "an EXDATE takes out what it changes"),
        ("SEQUENCE:0", r"event 1 \(line 3\) over again"),
    ],
)
def test_a_change_that_misses_its_shift_is_refused(change_: str, says: str) -> None:
    series_ = f"{WEEKLY} | EXDATE:20261214T090000Z | SEQUENCE:0"
    with pytest.raises(RotaFileWrong, match=says):
        read_rota_file(ics(series_, f"{change_} | UID:1@example.org | {MONDAY}"), NOW)


def test_two_shifts_an_hour_apart_in_summer_are_not_taken_for_one_another() -> None:
    hourly = "DTSTART;TZID=Europe/London:20270601T080000 | DURATION:PT1H | RRULE:FREQ=DAILY;BYHOUR=8,9;COUNT=6"
    with pytest.raises(RotaFileWrong, match="too near to each other to tell them apart"):
        read_rota_file(ics(f"{hourly} | EXDATE;TZID=Europe/London:20270602T090000"), NOW)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x00 nonsense", "not text"),
        (b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n", "not a whole iCalendar file: it ends within VEVENT"),
        (ics(MONDAY, before="METHOD:CANCEL"), "METHOD"),
        (ics(MONDAY, before="CALSCALE:HEBREW"), "CALSCALE"),
        (ics(MONDAY, before="X-WR-TIMEZONE:America/New_York"), "X-WR-TIMEZONE"),
        (ics(MONDAY, before="VERSION:2.0 | BEGIN:VTODO | END:VTODO"), "line 3: VTODO is not read within VCALENDAR"),
        (ics(MONDAY) + ics(WEEKLY), "a second calendar"),
    ],
)
def test_a_file_that_is_no_calendar_of_shifts_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(RotaFileWrong, match=says):
        read_rota_file(data, NOW)


def test_a_zone_whose_rule_never_comes_to_its_next_change_is_refused_by_its_line() -> None:
    zone = "BEGIN:VTIMEZONE | TZID:Our office | BEGIN:STANDARD | DTSTART:20000101T000000 | TZOFFSETFROM:+0000 | TZOFFSETTO:+0000"
    rule = "RRULE:FREQ=YEARLY;COUNT=0;BYMONTH=10;BYDAY=-1SU"
    with pytest.raises(RotaFileWrong, match="RRULE of a time zone: COUNT must be a number from 1 to 9999"):
        duty(
            ics(
                "DTSTART;TZID=Our office:20261130T090000 | DTEND;TZID=Our office:20261130T170000",
                before=f"{zone} | {rule} | END:STANDARD | END:VTIMEZONE",
            )
        )


def test_a_zone_that_another_file_defined_is_not_this_files() -> None:
    by_name = "DTSTART;TZID=GMT Standard Time:20261130T090000 | DURATION:PT8H"
    read_rota_file((CALENDARS / "exdate.ics").read_bytes(), NOW)
    assert duty(ics(by_name)) == ["dm1 Mon 30 09:00-17:00"]
    own = "BEGIN:VTIMEZONE | TZID:Our office | BEGIN:STANDARD | DTSTART:20000101T000000 | TZOFFSETFROM:+0000 | TZOFFSETTO:+0000"
    ours = by_name.replace("GMT Standard Time", "Our office")
    assert duty(ics(ours, before=f"{own} | END:STANDARD | END:VTIMEZONE")) == ["dm1 Mon 30 09:00-17:00"]
    with pytest.raises(RotaFileWrong, match="its time zone is none that is known"):
        read_rota_file(ics(ours), NOW)


def test_a_zone_that_the_file_defines_otherwise_than_its_name_is_refused_and_one_of_its_own_is_read() -> None:
    offsets = "DTSTART:20000101T000000 | TZOFFSETFROM:+0200 | TZOFFSETTO:+0200"
    zone = f"BEGIN:VTIMEZONE | TZID:{{name}} | BEGIN:STANDARD | {offsets} | END:STANDARD | END:VTIMEZONE"
    own = "DTSTART;TZID=Two hours ahead:20261130T110000 | DURATION:PT8H"
    assert duty(ics(own, before=zone.format(name="Two hours ahead"))) == ["dm1 Mon 30 09:00-17:00"]
    with pytest.raises(RotaFileWrong, match="defines its time zone otherwise"):
        read_rota_file(ics(MONDAY, before=zone.format(name="Europe/London")), NOW)


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

    def maybe(what: str, values: st.SearchStrategy[Any]) -> None:
        if draw(st.integers(0, 3)) == 0:
            rule[what] = draw(values)

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
    defined = draw(st.booleans())
    if defined:
        calendar.add_missing_timezones(first_date=date(2026, 1, 1), last_date=date(2030, 1, 1))
    name = draw(st.sampled_from(["Europe/London", "Europe/London", "GMT Standard Time", *(["Our office"] if defined else [])]))
    return bytes(calendar.to_ical()).replace(b"Europe/London", name.encode())


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
