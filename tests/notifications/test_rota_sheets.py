"""Sheets as spreadsheets write them: understood wholly, or refused by line."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mash.notifications.rota import Absence, Pattern, Shift
from mash.notifications.rota_entries import RotaFileWrong
from mash.notifications.rota_files import read_rota_file
from mash.states.clocks import LONDON, WEEKDAYS

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
HEADINGS = "entry,role,person,days,starts,ends,since,until,every,bank_holidays,instead_of,why"
WEEKLY = "weekly,duty_manager,dm1,mon tue wed thu fri,09:00,17:00,2026-11-02,,1,no,,"
EXPECTED = Pattern(
    role="duty_manager", person="dm1", days=("mon", "tue", "wed", "thu", "fri"), starts=time(9), ends=time(17),
    since=date(2026, 11, 2), bank_holidays=False,
)  # fmt: skip


def read(*lines: str, headings: str = HEADINGS, ending: str = "\r\n", encoding: str = "utf-8") -> list[Pattern | Shift | Absence]:
    data = "".join(line + ending for line in (headings, *lines)).encode(encoding)
    return [entry.item for entry in read_rota_file(data, NOW).entries]


@pytest.mark.parametrize(
    "line",
    [
        WEEKLY,
        WEEKLY.replace("09:00", "9:00"),
        WEEKLY.replace("09:00", "0900").replace("17:00", "17.00"),
        WEEKLY.replace("09:00", "09:00:00").replace("17:00", "5:00:00 PM"),
        WEEKLY.replace("2026-11-02", "02/11/2026"),
        WEEKLY.replace("2026-11-02", "2/11/26"),
        WEEKLY.replace("2026-11-02", "02-Nov-26"),
        WEEKLY.replace("2026-11-02", "2 November 2026"),
        WEEKLY.replace("2026-11-02", "02/11/2026 00:00"),
        WEEKLY.replace("mon tue wed thu fri", '"Mon, Tue, Wed, Thu, Fri"'),
        *(
            WEEKLY.replace("mon tue wed thu fri", f'"{days}"')
            for days in (
                "Monday Tuesday Wednesday Thursday Friday",
                "mon-fri",
                "Monday – Friday",
                "Mon to Fri",
                "Mon-Thu fri",
                "Mon/Tue/Wed/Thu/Fri",
                "Mondays, Tuesdays & Wed. to Fri.",
                "weekdays",
            )
        ),
        WEEKLY.replace("weekly", "Weekly").replace("duty_manager", "Duty Manager").replace("dm1", " DM1 "),
        WEEKLY.replace(",no,", ",FALSE,"),
        WEEKLY + ",,,",
    ],
)
def test_a_weekly_line_is_read_as_spreadsheets_write_it(line: str) -> None:
    assert read(line) == [EXPECTED]


SPELT = {
    day: (day, day.title(), day.upper(), long, f"{long.title()}s", f"{day}.")
    for day, long in zip(WEEKDAYS, ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), strict=True)
}
WEEK = [*WEEKDAYS, *WEEKDAYS]


@st.composite
def listed(draw: st.DrawFn) -> tuple[list[str], str]:
    """Days of the week, and how somebody lists them: one by one, or from one to another."""
    days, written = list[str](), list[str]()
    for _ in range(draw(st.integers(1, 3))):
        first, more = draw(st.integers(0, 6)), draw(st.integers(0, 6))
        begin, end = (draw(st.sampled_from(SPELT[WEEK[place]])) for place in (first, first + more))
        days += WEEK[first : first + more + 1]
        written.append(begin + draw(st.sampled_from(("-", " - ", "–", " to "))) + end if more else begin)
    return days, draw(st.sampled_from((" ", ", ", "/", " and ", " & ", "; "))).join(written)


@given(listed())
def test_the_days_of_a_line_are_those_that_whoever_wrote_it_meant(found: tuple[list[str], str]) -> None:
    days, written = found
    line = WEEKLY.replace("mon tue wed thu fri", f'"{written}"')
    if len(set(days)) < len(days):
        with pytest.raises(RotaFileWrong, match="twice"):
            read(line)
        return
    (pattern,) = read(line)
    assert isinstance(pattern, Pattern) and sorted(pattern.days) == sorted(days)


@pytest.mark.parametrize(
    "days", ["monk", "sunset", "montue", "mon.tue", "mon?", "m t w", "mon-", "-fri", "mon-tue-wed", "mon not tue"]
)
def test_days_that_are_not_understood_are_not_half_read(days: str) -> None:
    with pytest.raises(RotaFileWrong, match="expected days such as"):
        read(WEEKLY.replace("mon tue wed thu fri", days))


def test_a_file_is_read_whatever_it_is_parted_by_ends_its_lines_with_and_is_encoded_in() -> None:
    line, headings = (each.replace(",", ";") for each in (WEEKLY, HEADINGS))
    assert read(line, headings=headings) == [EXPECTED]
    assert read(line, headings=f"sep=;\r\n{headings}") == [EXPECTED]
    line, headings = (each.replace(",", "\t") for each in (WEEKLY, HEADINGS))
    assert read(line, headings=headings, encoding="utf-16") == [EXPECTED]
    assert read(WEEKLY, encoding="utf-8-sig") == [EXPECTED]
    for ending in ("\n", "\r\n", "\r"):
        assert read(WEEKLY, ending=ending) == [EXPECTED]
    assert read(WEEKLY, headings=f"{HEADINGS},,") == [EXPECTED]
    assert read(",,,,,,,,,,,", WEEKLY, ",,,,,,,,,,,", "") == [EXPECTED], "rows without anything in them"


def test_a_shift_may_end_at_midnight_and_a_night_on_the_next_day() -> None:
    (whole,) = read(WEEKLY.replace("09:00", "00:00").replace("17:00", "24:00"))
    assert isinstance(whole, Pattern) and whole.shift_on(date(2026, 12, 1)) == (
        datetime(2026, 12, 1, tzinfo=UTC),
        datetime(2026, 12, 2, tzinfo=UTC),
    )
    (away,) = read("absence,,dm1,,21/12/2026 9:00,24/12/2026 24:00,,,,,,")
    assert away == Absence(person="dm1", begins=datetime(2026, 12, 21, 9, tzinfo=UTC), ends=datetime(2026, 12, 25, tzinfo=UTC))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("yearly,duty_manager,dm1,,,,,,,,,", "line 2: 'entry' must be one of weekly, shift, absence, written_out"),
        (WEEKLY.replace("09:00", "24:00"), "line 2: starts: expected a time such as 09:00"),
        (WEEKLY.replace("09:00", "900"), "line 2: starts: expected a time"),
        (WEEKLY.replace("09:00", "0.375"), "line 2: starts: expected a time"),
        (WEEKLY.replace("17:00", "5"), "line 2: ends: expected a time"),
        (WEEKLY.replace("2026-11-02", "11/27/2026"), "line 2: since: '11/27/2026' is in no calendar: a date is day/month/year"),
        (WEEKLY.replace("2026-11-02", "31/11/2026"), "line 2: since: '31/11/2026' is in no calendar"),
        (WEEKLY.replace("2026-11-02", "friday"), "line 2: since: expected a date"),
        (WEEKLY.replace("2026-11-02", "02/11"), "line 2: since: expected a date"),
        (WEEKLY.replace("2026-11-02", "46328"), "line 2: since: expected a date"),
        (WEEKLY.replace("2026-11-02", ""), "line 2: since: it is needed"),
        (WEEKLY.replace("mon tue", "mon mon"), "line 2: weekly: a day is named twice"),
        (WEEKLY.replace("mon tue", "workdays"), "line 2: days: expected days such as mon tue"),
        (WEEKLY.replace("dm1", "Jane Doe"), "line 2: person"),
        (WEEKLY.replace(",,1,no,,", ",,1,no,dm2,"), "line 2: instead_of: no entry of the kind 'weekly' has this"),
        (f"{WEEKLY},,,oh", "line 2: more fields than the line of headings has"),
        ("shift,duty_manager,dm1,,soon,later,,,,,,", "line 2: starts: expected a date and a time such as"),
        ("shift,duty_manager,dm1,,28/03/2027 1:30,28/03/2027 9:00,,,,,,", "line 2: starts: 01:30 on Sun 28 Mar 2027 never comes"),
        ("shift,duty_manager,dm1,,31/10/2027 1:30,31/10/2027 9:00,,,,,,", "line 2: starts: 01:30 on Sun 31 Oct 2027 comes twice"),
        ("shift,duty_manager,dm1,,27/11/2026 17:00,27/11/2026 9:00,,,,,,", "line 2: shift: it must end after it begins"),
        ("shift,duty_manager,dm1,,27/11/2026 9:00,27/11/2026 17:00,,,,,dm1,cover", "line 2: instead_of: nobody stands in for"),
    ],
)
def test_what_is_not_understood_is_refused_by_line_and_nothing_of_it_is_repeated(line: str, says: str) -> None:
    with pytest.raises(RotaFileWrong, match=f"^{says.replace('(', '[(]')}") as wrong:
        read(line)
    assert "Jane" not in str(wrong.value)


def test_a_line_that_is_wrong_is_counted_as_the_spreadsheet_counts_it() -> None:
    with pytest.raises(RotaFileWrong, match=r"^line 5: starts"):
        read(",,,,,,,,,,,", WEEKLY, WEEKLY.replace("09:00", "9"), headings=f"sep=,\r\n{HEADINGS}")


@pytest.mark.parametrize(
    ("headings", "says"),
    [
        (HEADINGS.replace("role", "colour"), r"unknown columns \(2\) in the first line"),
        (HEADINGS.replace("why", "role"), "two columns have the same heading: role"),
        (WEEKLY.replace("dm1", "Jane Doe"), "unknown columns"),
    ],
)
def test_a_sheet_with_other_headings_is_refused_and_nobody_in_it_is_named(headings: str, says: str) -> None:
    with pytest.raises(RotaFileWrong, match=says) as wrong:
        read(WEEKLY, headings=headings)
    assert "Jane" not in str(wrong.value)


def test_a_workbook_is_not_taken_for_a_sheet() -> None:
    with pytest.raises(RotaFileWrong, match="save it as 'CSV UTF-8' first"):
        read_rota_file(b"PK\x03\x04rest of a workbook", NOW)


# --- properties ---------------------------------------------------------------------------------------------------------------

days_written = st.sampled_from(
    ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d-%b-%y", "%d %B %Y", "%d/%m/%y", "%a %d %b %Y", "%A %d/%m/%Y"]
)
all_dates = st.dates(date(2000, 1, 1), date(2099, 12, 31))
clocks_written = st.sampled_from(["%H:%M", "%H.%M", "%H%M", "%H:%M:00", "%I:%M %p"])


@given(all_dates, st.times(), st.times(), days_written, clocks_written, st.sampled_from(",;\t"))
def test_a_day_and_a_time_are_read_however_they_are_written(
    day: date, starts: time, ends: time, day_written: str, clock_written: str, parted: str
) -> None:
    cells = ["weekly", "duty_manager", "dm1", "mon", starts.strftime(clock_written), ends.strftime(clock_written)]
    headings = ["entry", "role", "person", "days", "starts", "ends", "since"]
    (item,) = read(parted.join([*cells, day.strftime(day_written)]), headings=parted.join(headings))
    assert isinstance(item, Pattern)
    assert (item.since, item.starts, item.ends) == (day, time(starts.hour, starts.minute), time(ends.hour, ends.minute))


@given(st.text(max_size=12), st.sampled_from(["days", "starts", "ends", "since", "until", "every", "bank_holidays", "not_on"]))
def test_whatever_stands_in_a_field_is_read_or_refused_by_its_line(text: str, column: str) -> None:
    values = {
        "entry": "weekly",
        "role": "r",
        "person": "p",
        "days": "mon",
        "starts": "09:00",
        "ends": "17:00",
        "since": "2026-11-02",
    }
    values[column] = '"' + text.replace('"', '""') + '"'
    try:
        read(",".join(values.values()), headings=",".join(values))
    except RotaFileWrong as wrong:
        assert str(wrong).startswith(("line ", "not text"))  # noqa: PT017  what is refused is what this is about


@given(all_dates, st.times(), days_written, clocks_written)
def test_a_shift_begins_when_it_is_written_or_is_refused_in_the_hour_that_comes_twice_or_never(
    day: date, clock: time, day_written: str, clock_written: str
) -> None:
    wall = datetime.combine(day, time(clock.hour, clock.minute))
    cells = ("shift", "r", "p", f"{wall.strftime(day_written)} {wall.strftime(clock_written)}", "31/12/2099 24:00")
    try:
        (item,) = read(",".join(cells), headings="entry,role,person,starts,ends")
    except RotaFileWrong as wrong:
        assert "never comes" in str(wrong) or "comes twice" in str(wrong)  # noqa: PT017  that hour alone is refused
        return
    assert isinstance(item, Shift) and item.begins.astimezone(LONDON).replace(tzinfo=None) == wall
