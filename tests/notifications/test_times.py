"""Times as staff say them: read as they mean them, said back in full, or refused with what to say."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mash.notifications.times import NotATime, how_far, in_full, spoken_time
from mash.states.clocks import LONDON

FRIDAY = datetime(2026, 11, 27, 9, 30, tzinfo=LONDON).astimezone(UTC)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("friday 17:10", "Fri 27 Nov 2026 17:10"),
        ("friday 9:00", "Fri 4 Dec 2026 09:00"),
        ("this friday 17:10", "Fri 27 Nov 2026 17:10"),
        ("Weds 0900", "Wed 2 Dec 2026 09:00"),
        ("5pm on monday", "Mon 30 Nov 2026 17:00"),
        ("0900", "Sat 28 Nov 2026 09:00"),
        ("1710", "Fri 27 Nov 2026 17:10"),
        ("friday 2030", "Fri 27 Nov 2026 20:30"),
        ("17.00 hrs", "Fri 27 Nov 2026 17:00"),
        ("1700 hours", "Fri 27 Nov 2026 17:00"),
        ("9am", "Sat 28 Nov 2026 09:00"),
        ("5.30 p.m.", "Fri 27 Nov 2026 17:30"),
        ("12pm", "Fri 27 Nov 2026 12:00"),
        ("noon", "Fri 27 Nov 2026 12:00"),
        ("midnight", "Sat 28 Nov 2026 00:00"),
        ("friday 24:00", "Sat 28 Nov 2026 00:00"),
        ("tomorrow 0900", "Sat 28 Nov 2026 09:00"),
        ("today at 17:10", "Fri 27 Nov 2026 17:10"),
        ("yesterday 9:00", "Thu 26 Nov 2026 09:00"),
        ("27/11/26 17:10", "Fri 27 Nov 2026 17:10"),
        ("27/11/2026 1710", "Fri 27 Nov 2026 17:10"),
        ("27/11 0900", "Fri 27 Nov 2026 09:00"),
        ("1/2 9:00", "Mon 1 Feb 2027 09:00"),
        ("27.11.2026 17.10", "Fri 27 Nov 2026 17:10"),
        ("2026-12-01 9:00", "Tue 1 Dec 2026 09:00"),
        ("2026-12-01T09:00", "Tue 1 Dec 2026 09:00"),
        ("2026-12-01T09:00:00+00:00", "Tue 1 Dec 2026 09:00"),
        ("2027-07-01T09:00Z", "Thu 1 Jul 2027 10:00"),
        ("Friday, 4th of December at 5.10pm", "Fri 4 Dec 2026 17:10"),
        ("4 dec 1710", "Fri 4 Dec 2026 17:10"),
        ("december 4 2026 17:10", "Fri 4 Dec 2026 17:10"),
        ("31/10/2027 1:30 BST", "Sun 31 Oct 2027 01:30 BST"),
        ("31/10/2027 1:30 GMT", "Sun 31 Oct 2027 01:30 GMT"),
        ("now", "Fri 27 Nov 2026 09:30"),
    ],
)
def test_a_time_said_on_a_friday_morning_is_the_one_that_is_meant(words: str, meant: str) -> None:
    assert in_full(spoken_time(words, FRIDAY)) == meant


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("friday", "at what time"),
        ("27/11/26", "at what time"),
        ("4 dec 2030", "at what time"),
        ("friday 5", "say 'friday 17:10'"),
        ("5 o'clock", "say 'friday 17:10'"),
        ("whenever", "say 'friday 17:10'"),
        ("", "say 'friday 17:10'"),
        ("in 2 hours", "say 'friday 17:10'"),
        ("25:00", "say 'friday 17:10'"),
        ("24:30", "say 'friday 17:10'"),
        ("13pm", "say 'friday 17:10'"),
        ("friday 9:00 10:00", "say 'friday 17:10'"),
        ("2126-12-01 9:00", "say 'friday 17:10'"),
        ("next friday 9:00", "next week's to others"),
        ("friday midnight", "say 00:00 or 24:00"),
        ("thursday 4 dec 9:00", "4 December 2026 is a Friday"),
        ("friday 4/12/2027 9:00", "4 December 2027 is a Saturday"),
        ("31/11/2026 9:00", "in no calendar"),
        ("11/27/2026 9:00", "day/month/year"),
        ("29/2/2027 9:00", "in no calendar"),
        ("27/11/2062 9:00", "Mon 27 Nov 2062 09:00 is too far away"),
        ("2027-03-28 01:30", "01:30 on Sun 28 Mar 2027 never comes"),
        ("31/10/2027 1:30", "comes twice"),
        ("1 july 2027 9:00 gmt", "is in BST"),
        ("tomorrow 9:00 bst", "is in GMT"),
    ],
)
def test_a_time_that_can_be_read_in_two_ways_or_in_none_is_refused_and_says_what_to_say(words: str, says: str) -> None:
    with pytest.raises(NotATime, match=says):
        spoken_time(words, FRIDAY)


@pytest.mark.parametrize(
    ("begins", "ends", "meant"),
    [
        ("friday 11:00", "friday 13:00", "Fri 27 Nov 2026 13:00"),
        ("friday 9:00", "friday 13:00", "Fri 4 Dec 2026 13:00"),
        ("friday 9:00", "13:00", "Fri 4 Dec 2026 13:00"),
        ("friday 22:00", "0700", "Sat 28 Nov 2026 07:00"),
        ("friday 22:00", "midnight", "Sat 28 Nov 2026 00:00"),
        ("21 dec 9:00", "2 jan 9:00", "Sat 2 Jan 2027 09:00"),
        ("today 11:00", "tomorrow 9am", "Sat 28 Nov 2026 09:00"),
    ],
)
def test_an_end_is_the_next_one_after_the_beginning(begins: str, ends: str, meant: str) -> None:
    assert in_full(spoken_time(ends, FRIDAY, after=spoken_time(begins, FRIDAY))) == meant


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(days=7), "in 7 days"),
        (timedelta(hours=7), "today, in 7 h"),
        (timedelta(minutes=20), "today, in 20 min"),
        (timedelta(hours=20), "tomorrow"),
        (timedelta(hours=-12), "yesterday"),
        (timedelta(days=-3), "3 days ago"),
        (timedelta(hours=-2), "today, 2 h ago"),
        (timedelta(0), "now"),
    ],
)
def test_how_far_away_a_time_is_stands_beside_it(ahead: timedelta, words: str) -> None:
    assert how_far(FRIDAY + ahead, FRIDAY) == words


# --- properties ---------------------------------------------------------------------------------------------------------------

moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))
clocks = st.sampled_from(["%H:%M", "%H.%M", "%H%M", "%H%M hrs", "%I:%M%p", "%I.%M %p"])
dates = st.sampled_from(["%d/%m/%Y", "%d/%m/%y", "%Y-%m-%d", "%d %b %Y", "%A %d %B %Y", "%a, %d %b %Y", "%d.%m.%Y", "%B %d %Y"])


def both(day: str, clock: str, clock_first: bool) -> str:
    return f"{clock} {day}" if clock_first else f"{day} {clock}"


@given(moments, st.integers(0, 1000), st.times(), dates, clocks, st.booleans())
def test_a_date_and_a_time_are_read_however_they_are_said(
    now: datetime, days: int, clock: time, date_said: str, clock_said: str, clock_first: bool
) -> None:
    meant = datetime.combine(now.date() + timedelta(days=days), time(clock.hour, clock.minute))
    words = both(meant.strftime(date_said), meant.strftime(clock_said), clock_first)
    folds = {meant.replace(tzinfo=LONDON, fold=fold).utcoffset() for fold in (0, 1)}
    if len(folds) > 1:
        with pytest.raises(NotATime, match=r"never comes|comes twice"):
            spoken_time(words, now)
    else:
        assert spoken_time(words, now).astimezone(LONDON).replace(tzinfo=None) == meant


@given(moments, st.dates(date(2026, 1, 5), date(2026, 1, 11)), st.times(), st.sampled_from(["%A", "%a"]), clocks, st.booleans())
def test_a_weekday_is_the_next_one_within_a_week(
    now: datetime, day: date, clock: time, day_said: str, clock_said: str, clock_first: bool
) -> None:
    words = both(day.strftime(day_said), clock.strftime(clock_said), clock_first)
    try:
        at = spoken_time(words, now)
    except NotATime as wrong:
        assert "never comes" in str(wrong) or "comes twice" in str(wrong)  # noqa: PT017  so it is refused on two days of the year
        return
    wall = at.astimezone(LONDON)
    assert (wall.weekday(), wall.hour, wall.minute) == (day.weekday(), clock.hour, clock.minute)
    assert timedelta(0) < at - now <= timedelta(days=7, hours=1)


@given(st.text(max_size=30), moments)
def test_any_words_are_a_time_or_refused(words: str, now: datetime) -> None:
    try:
        assert spoken_time(words, now).tzinfo is UTC
    except NotATime as wrong:
        assert str(wrong)  # noqa: PT017  what is refused says why


PIECES = (
    "friday mon next this 9:00 0900 17.10 9am 5 noon midnight at on of 27/11 27/11/26 31/11 4 dec 4th december 2026 2030 24:00 "
    "gmt bst tomorrow today 2026-12-01 hrs pm"
)


@given(st.lists(st.sampled_from(PIECES.split()), max_size=5), moments)
def test_words_of_times_in_any_order_are_one_time_or_refused(words: list[str], now: datetime) -> None:
    try:
        at = spoken_time(" ".join(words), now)
    except NotATime as wrong:
        assert str(wrong)  # noqa: PT017  what is refused says why
        return
    assert at - now <= timedelta(days=3 * 366)
