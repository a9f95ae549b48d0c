"""When a clock is due: elapsed hours, hub hours, working days, and the nights on which the clocks change."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mash.states.clocks import LONDON, WEEKDAYS, Calendar, Length, Window

OFFICE = Window(opens=time(9), closes=time(17))
EASTER_AND_CHRISTMAS = (date(2026, 4, 3), date(2026, 4, 6), date(2026, 12, 25), date(2026, 12, 28))
HUB = Calendar(windows=dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), (OFFICE,)), bank_holidays=EASTER_AND_CHRISTMAS)

INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
ELAPSED = st.integers(1, 400).map(lambda n: Length.model_validate(f"{n} h"))
HUB_HOURS = st.integers(1, 120).map(lambda n: Length.model_validate(f"{n / 2:g} hub hours"))
WORKING_DAYS = st.integers(1, 60).map(lambda n: Length.model_validate(f"{n} working days"))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Hubs with up to three windows a day, some of them round the night, and some days closed."""
    windows = {}
    for day in draw(st.lists(st.sampled_from(("mon", "tue", "wed", "thu", "fri", "sat", "sun")), min_size=1, unique=True)):
        edges = sorted(draw(st.lists(st.integers(0, 95), min_size=2, max_size=6, unique=True)))
        quarters = [time(n // 4, n % 4 * 15) for n in edges]
        windows[day] = tuple(Window(opens=a, closes=b) for a, b in zip(quarters[::2], quarters[1::2], strict=False))
    closed = draw(st.lists(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=8))
    return Calendar(windows=windows, bank_holidays=tuple(closed))


def at(text: str) -> datetime:
    """A local time of the hub as an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


def length(text: str) -> Length:
    return Length.model_validate(text)


def open_time(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """How long the hub is open between two instants."""
    total, day = timedelta(0), start.astimezone(LONDON).date()
    while day <= end.astimezone(LONDON).date():
        for opens, closes in calendar.open_on(day):
            total += max(timedelta(0), min(closes, end) - max(opens, start))
        day += timedelta(days=1)
    return total


@given(calendars(), INSTANTS, ELAPSED | HUB_HOURS | WORKING_DAYS)
def test_nothing_is_due_before_it_starts(calendar: Calendar, start: datetime, long: Length) -> None:
    assert calendar.add(start, long) > start


@given(calendars(), INSTANTS, HUB_HOURS)
def test_hub_hours_elapse_only_while_the_hub_is_open(calendar: Calendar, start: datetime, long: Length) -> None:
    assert open_time(calendar, start, calendar.add(start, long)) == timedelta(hours=long.amount)


@given(INSTANTS, ELAPSED)
def test_elapsed_hours_do_not_ask_whether_the_hub_is_open(start: datetime, long: Length) -> None:
    assert HUB.add(start, long) - start == timedelta(hours=long.amount)


@given(calendars(), INSTANTS, WORKING_DAYS)
def test_working_days_are_weekdays_and_end_when_the_hub_closes(calendar: Calendar, start: datetime, long: Length) -> None:
    due = calendar.add(start, long)
    first, last = start.astimezone(LONDON).date(), due.astimezone(LONDON).date()
    days = (first + timedelta(days=n) for n in range(1, (last - first).days + 1))
    assert sum(day.weekday() < 5 and day not in calendar.bank_holidays for day in days) == long.amount
    assert last.weekday() < 5 and last not in calendar.bank_holidays
    windows = calendar.open_on(last)
    assert due == (windows[-1][1] if windows else datetime.combine(last, time(17), LONDON))


def test_a_calendar_that_was_asked_for_a_day_forgets_that_in_a_copy_with_other_holidays() -> None:
    friday, a_day = at("2026-06-05T12:00"), length("1 working day")
    assert HUB.add(friday, a_day) == at("2026-06-08T17:00")
    closed = HUB.model_copy(update={"bank_holidays": (date(2026, 6, 8),)})
    assert closed.add(friday, a_day) == at("2026-06-09T17:00") and HUB.add(friday, a_day) == at("2026-06-08T17:00")


def test_weekend_cover_makes_no_working_days_of_saturdays() -> None:
    shop = Calendar(windows=dict.fromkeys(WEEKDAYS, (Window(opens=time(9), closes=time(13)),)))
    friday = datetime(2026, 6, 5, 10, tzinfo=LONDON)
    assert shop.add(friday, Length.model_validate("1 working day")) == datetime(2026, 6, 8, 13, tzinfo=LONDON)


@given(calendars(), INSTANTS, INSTANTS, HUB_HOURS | WORKING_DAYS)
def test_what_starts_later_is_never_due_earlier(calendar: Calendar, one: datetime, other: datetime, long: Length) -> None:
    assert calendar.add(min(one, other), long) <= calendar.add(max(one, other), long)


@given(ELAPSED | HUB_HOURS | WORKING_DAYS)
def test_a_length_is_read_back_as_it_is_written(long: Length) -> None:
    assert Length.model_validate(str(long)) == long


@pytest.mark.parametrize(
    ("start", "long", "due"),
    [
        ("2026-06-05 16:00", "1 working day", "2026-06-08 17:00"),  # Friday: the weekend does not count
        ("2026-06-06 11:00", "1 working day", "2026-06-08 17:00"),  # received on Saturday
        ("2026-06-03 23:30", "1 working day", "2026-06-04 17:00"),  # received at night
        ("2026-04-02 10:00", "1 working day", "2026-04-07 17:00"),  # Maundy Thursday: Easter does not count
        ("2026-12-24 10:00", "2 working days", "2026-12-30 17:00"),  # Christmas, a weekend and a substitute day
        ("2026-04-02 16:00", "2 hub hours", "2026-04-07 10:00"),  # an hour before Easter, an hour after
        ("2026-06-05 15:00", "8 hub hours", "2026-06-08 15:00"),
        ("2026-06-05 15:00", "2 hub hours", "2026-06-05 17:00"),  # at the close, not at the next opening
    ],
)
def test_weekends_and_bank_holidays_do_not_count(start: str, long: str, due: str) -> None:
    assert HUB.add(at(start), length(long)) == at(due)


@pytest.mark.parametrize(
    ("start", "long", "due"),
    [
        ("2026-03-28 23:00", "4 h", "2026-03-29 04:00"),  # spring: 01:00 becomes 02:00, the wall shows five hours
        ("2026-10-24 23:00", "4 h", "2026-10-25 02:00"),  # autumn: 02:00 becomes 01:00, the wall shows three
        ("2026-03-27 16:00", "2 hub hours", "2026-03-30 10:00"),  # opening hours keep to the wall
        ("2026-10-23 16:00", "2 hub hours", "2026-10-26 10:00"),
        ("2026-03-27 10:00", "1 working day", "2026-03-30 17:00"),
        ("2026-10-23 10:00", "1 working day", "2026-10-26 17:00"),
    ],
)
def test_when_the_clocks_change_hours_stay_real_hours(start: str, long: str, due: str) -> None:
    assert HUB.add(at(start), length(long)) == at(due)


def test_a_hub_open_through_the_night_of_the_change_counts_the_hours_there_were() -> None:
    night = Calendar(windows={"sun": (Window(opens=time(0), closes=time(6)),)})
    assert night.add(at("2026-03-29 00:00"), length("5 hub hours")) == at("2026-03-29 06:00")
    assert night.add(at("2026-10-25 00:00"), length("7 hub hours")) == at("2026-10-25 06:00")


@pytest.mark.parametrize("wrong", ["4", "4h", "0 h", "-1 h", "1.5 working days", "a day", "", "4 hours"])
def test_a_length_in_another_form_is_refused_with_the_forms_there_are(wrong: str) -> None:
    with pytest.raises(ValueError, match="expected a"):
        length(wrong)
