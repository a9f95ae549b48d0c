"""Days and times as staff write them: spoken ('friday 17:10', 'tomorrow 0900'), and in sheets ('02/11/2026', '9:00'). Local time;
what can be read in two ways is refused. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from mash.states.clocks import LONDON, WEEKDAYS, day_of

EXAMPLES = "'friday 17:10', 'tomorrow 0900', '9am', '4 dec 17:10', '27/11/2026 17:10' or '2026-11-27 17:10'"
FARTHEST = timedelta(days=3 * 366)
"""How far ahead a spoken time may lie: beyond that a year was mistyped."""
YEARS = range(2000, 2100)
"""The years of a rota: other numbers of four digits are hours, or mistyped."""
WHOLE_DAY = 24 * 60
"""Minutes; '24:00' is the end of a day."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_YEAR = r"(?P<year>\d{4}|\d{2})"
_NTH = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_HOURS = r"(?: ?(?:h|hrs?|hours?))?"


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


_DATES = (
    _form(r"(?P<year>\d{4})([-/])(?P<month>\d{1,2})\2(?P<day>\d{1,2})"),
    _form(rf"(?P<day>\d{{1,2}})([-/.])(?P<month>\d{{1,2}})\2{_YEAR}"),
    _form(r"(?P<day>\d{1,2})/(?P<month>\d{1,2})(?: (?P<year>\d{4}))?"),
    _form(rf"{_NTH}[ -]?{_MONTH}(?:[ -]{_YEAR})?"),
    _form(rf"{_MONTH} {_NTH}(?: (?P<year>\d{{4}}))?"),
)
_WEEKDAY = _form(r"mon(?:day)?|tue(?:s(?:day)?)?|wed(?:s|nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?")
_TO = _form(r" ?[-\u2010-\u2015] ?| (?:through|thru|until|till) ")
_APART = _form(r"[,;/+&]|\band\b")
_TOGETHER = {
    **dict.fromkeys(("weekday", "weekdays"), range(5)),
    **dict.fromkeys(("weekend", "weekends"), range(5, 7)),
    "daily": range(7),
}
_DAYS_EXPECTED = f"expected days such as {' '.join(WEEKDAYS)}, mon-fri, or weekdays"
_CLOCKS = (
    _form(rf"(?P<hour>\d\d)(?P<minute>\d\d){_HOURS}"),
    _form(rf"(?P<hour>\d{{1,2}})[:.](?P<minute>\d\d)(?::00)?{_HOURS}"),
    _form(r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d)(?::00)?)? ?(?P<half>am|pm)"),
)
_EXACT = _form(r"\d{4}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d)?(?:z|[+-]\d\d:\d\d)")
_RELATIVE = {"today": 0, "tomorrow": 1, "yesterday": -1}
_FILLING = frozenset(("at", "on", "the", "of"))
_ZONES = {"gmt": timedelta(0), "bst": timedelta(hours=1)}


class NotATime(ValueError):
    """A day or a time that is not understood, or can be read in two ways; says what is expected."""


@dataclass(frozen=True)
class _Day:
    """Which day is meant: a date; or the next of a weekday, of a day of the year, or of all days."""

    day: date | None = None
    of_year: tuple[int, int] | None = None
    weekday: int | None = None

    def next_ones(self, base: date) -> Iterator[date]:
        """The days that may be meant, from `base` on."""
        if self.day:
            yield self.day
        elif self.of_year:
            days = (_date(year, *self.of_year) for year in range(base.year, base.year + 5))
            yield from (day for day in days if day and day >= base)
        else:
            first, step = (0, 1) if self.weekday is None else ((self.weekday - base.weekday()) % 7, 7)
            yield from (base + timedelta(days=first + step * n) for n in range(3))


# --- spoken -------------------------------------------------------------------------------------------------------------------


def spoken_time(text: str, now: datetime, after: datetime | None = None) -> datetime:
    """A time as staff say it: the next one that is meant, from now on, or `after` the time at which something begins. Raises
    NotATime."""
    words = _tidy(text)
    if words == "now":
        return now
    if _EXACT.fullmatch(words):
        return _near(_exact(words), now)
    day, minutes, zone = _parts(words, day_of(now))
    earliest = after or now
    for each in day.next_ones(day_of(earliest)):
        at = _instant(each, minutes, zone)
        # A date is taken as it is: '27/11 0900', said at ten o'clock on that day, is not next year's.
        if at > earliest or day.day or day.of_year:
            _of_weekday(each, day.weekday)
            return _near(at, now)
    raise _unclear(words)


def _tidy(text: str) -> str:
    words = re.sub(r"\b([ap])\.m\.?", r"\1m", text.strip().lower().replace(",", " "))
    if not _EXACT.fullmatch(words):
        words = re.sub(r"^(\d{4}-\d\d?-\d\d?)t(?=\d)", r"\1 ", words)
    return " ".join(word for word in words.split() if word not in _FILLING)


def _parts(words: str, today: date) -> tuple[_Day, int, timedelta | None]:
    """The day, the minute of it, and the zone where one is named."""
    if "next" in words.split():
        raise NotATime("'next friday' is this week's to some and next week's to others: say 'this friday', or the date")
    if "midnight" in words.split():
        if words == "midnight":
            return _Day(), 0, None
        raise NotATime("at midnight a day begins to some, and ends to others: say 00:00 or 24:00")
    before, _, last = words.rpartition(" ")
    zone = _ZONES.get(last)
    without_zone = words if zone is None else before
    if without_zone and _day(without_zone, today):
        raise NotATime(f"at what time? '{words} 00:00' is when the day begins, '{words} 24:00' when it ends")
    readings = _readings(without_zone, today)
    if len(readings) != 1:
        raise _unclear(words)
    return *readings.pop(), zone


def _readings(words: str, today: date | None) -> set[tuple[_Day, int]]:
    """Every day and minute that the words may mean, whichever of both comes first."""
    pieces = words.split()
    halves = [(" ".join(pieces[:place]), " ".join(pieces[place:])) for place in range(len(pieces) + 1)]
    return {
        (which, minutes)
        for day, clock in (*halves, *(half[::-1] for half in halves))
        if (minutes := _minutes(clock)) is not None and (which := _day(day, today) if day else _Day())
    }


def _unclear(words: str) -> NotATime:
    return NotATime(f"'{words}' is no time, or more than one: say {EXAMPLES}")


def _near(at: datetime, now: datetime) -> datetime:
    if at - now > FARTHEST or at.year not in YEARS:
        raise NotATime(f"{in_full(at)} is too far away: is the year right?")
    return at


# --- in sheets ----------------------------------------------------------------------------------------------------------------


def sheet_date(text: str) -> date:
    """A date with its year, as a spreadsheet writes it. Raises NotATime."""
    words = _tidy(text).removesuffix(" 00:00:00").removesuffix(" 00:00")
    found = _day(words, None)
    if found is None or found.day is None:
        raise NotATime("expected a date such as 2026-11-27 or 27/11/2026")
    _of_weekday(found.day, found.weekday)
    return found.day


def sheet_clock(text: str, *, ends: bool) -> time:
    """A time of day, as a spreadsheet writes it; a shift may end at 24:00. Raises NotATime."""
    minutes = _minutes(_tidy(text))
    if minutes is None or (minutes == WHOLE_DAY and not ends):
        raise NotATime("expected a time such as 09:00")
    return time(minutes // 60 % 24, minutes % 60)


def sheet_moment(text: str) -> datetime:
    """A date and a time, as a spreadsheet or we ourselves write it. Raises NotATime."""
    words = _tidy(text)
    if _EXACT.fullmatch(words):
        return _exact(words)
    before, _, last = words.rpartition(" ")
    zone = _ZONES.get(last)
    readings = [(day, minutes) for day, minutes in _readings(words if zone is None else before, None) if day.day]
    if len(readings) != 1 or (day := readings[0][0].day) is None:
        raise NotATime("expected a date and a time such as 2026-11-27 17:00 or 27/11/2026 17:00")
    _of_weekday(day, readings[0][0].weekday)
    return _instant(day, readings[0][1], zone)


def sheet_days(text: str) -> tuple[str, ...]:
    """Days of the week, as people list them: one by one, from one to another (a week's end may lie between), or
    by what they are together (`weekdays`). Raises NotATime for whatever is none of that: a day that is not read is a day on which
    nobody comes."""
    words = _TO.sub(" to ", " ".join(text.lower().replace("every day", "daily").split()))
    places = [place for part in _APART.split(words) for place in _days_of(part.split())]
    if not places:
        raise NotATime(_DAYS_EXPECTED)
    return tuple(WEEKDAYS[place] for place in places)


def _days_of(words: list[str]) -> Iterator[int]:
    """Where in the week the days are that stand beside each other: one by one, or from one to another."""
    while words:
        if (together := _TOGETHER.get(words[0])) is not None:
            yield from together
            words = words[1:]
        elif words[1:2] == ["to"]:
            first, last = _weekday(words[0]), _weekday(words[2] if len(words) > 2 else "")
            yield from ((first + n) % 7 for n in range((last - first) % 7 + 1))
            words = words[3:]
        else:
            yield _weekday(words[0])
            words = words[1:]


def _weekday(word: str) -> int:
    plain = word.removesuffix(".")
    if not _WEEKDAY.fullmatch(plain) and not _WEEKDAY.fullmatch(plain.removesuffix("s")):
        raise NotATime(_DAYS_EXPECTED)
    return next(place for place, day in enumerate(WEEKDAYS) if word.startswith(day))


# --- days ---------------------------------------------------------------------------------------------------------------------


def _day(words: str, today: date | None) -> _Day | None:
    if today and words in _RELATIVE:
        return _Day(day=today + timedelta(days=_RELATIVE[words]))
    first, _, rest = words.removeprefix("this ").partition(" ")
    if not _WEEKDAY.fullmatch(first):
        return _dated(words)
    weekday = next(place for place, day in enumerate(WEEKDAYS) if first.startswith(day))
    if not rest:
        return _Day(weekday=weekday)
    found = _dated(rest)
    return found and _Day(found.day, found.of_year, weekday)


def _dated(words: str) -> _Day | None:
    """A date, with its year or without. Raises NotATime for one that no calendar has."""
    match = next((match for form in _DATES if (match := form.fullmatch(words))), None)
    if match is None:
        return None
    parts = match.groupdict()
    day, month = int(parts["day"]), int(parts.get("month") or _MONTHS.index(parts["name"][:3]) + 1)
    year = int(parts["year"]) + (2000 if len(parts["year"]) == 2 else 0) if parts["year"] else None
    if year and year not in YEARS:
        return None
    found = _date(year or 2024, month, day)  # 2024 has every day that a year can have
    if found is None:
        raise NotATime(f"'{words}' is in no calendar: a date is day/month/year, or year-month-day")
    return _Day(day=found) if year else _Day(of_year=(month, day))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _of_weekday(day: date, weekday: int | None) -> None:
    if weekday is not None and day.weekday() != weekday:
        raise NotATime(f"{day.day} {day:%B %Y} is a {day:%A}")


# --- times --------------------------------------------------------------------------------------------------------------------


def _minutes(words: str) -> int | None:
    """The minute of the day, from 0 to 1440; None for what is no time of day, or is two of them: 'five o'clock'."""
    if words in ("noon", "midday", "12 noon"):
        return WHOLE_DAY // 2
    match = next((match for form in _CLOCKS if (match := form.fullmatch(words))), None)
    if match is None:
        return None
    hour, minute, half = int(match["hour"]), int(match["minute"] or 0), match.groupdict().get("half")
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return hour * 60 + minute if minute < 60 and hour * 60 + minute <= WHOLE_DAY else None


def _instant(day: date, minutes: int, zone: timedelta | None) -> datetime:
    """A local time as an instant. Raises NotATime in the hour that never comes, and in the one that comes twice unless its zone
    is named."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    instants = {at for fold in (0, 1) if _wall(at := wall.replace(tzinfo=LONDON, fold=fold).astimezone(UTC)) == wall}
    written = f"{wall:%H:%M} on {_written(day)}"
    if not instants:
        raise NotATime(f"{written} never comes: the clocks go forward from 01:00 to 02:00")
    if zone is not None:
        instants &= {(wall - zone).replace(tzinfo=UTC)}
    if not instants:
        raise NotATime(f"{written} is in {'GMT' if zone else 'BST'}: leave the zone out")
    if len(instants) > 1:
        raise NotATime(f"{written} comes twice, as the clocks go back: write BST behind it for the first, GMT for the second")
    return instants.pop()


def _exact(words: str) -> datetime:
    try:
        return datetime.fromisoformat(words.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotATime("expected a date and a time such as 2026-11-27 17:00") from None


def _wall(at: datetime) -> datetime:
    return at.astimezone(LONDON).replace(tzinfo=None)


# --- in words -----------------------------------------------------------------------------------------------------------------


def in_full(at: datetime) -> str:
    """An instant with weekday, date and year, as it is said back before it is in force: 'Fri 4 Dec 2026 17:10'. In the hour that
    comes twice with its zone."""
    wall = at.astimezone(LONDON)
    twice = wall.utcoffset() != wall.replace(fold=1 - wall.fold).utcoffset()
    return f"{_written(wall.date())} {wall:%H:%M}" + (f" {wall:%Z}" if twice else "")


def how_far(at: datetime, now: datetime) -> str:
    """How far an instant is from now: 'in 7 days', 'today, in 2 h', 'yesterday'."""
    days = (day_of(at) - day_of(now)).days
    if days:
        near = {1: "tomorrow", -1: "yesterday"}
        return near.get(days) or (f"in {days} days" if days > 0 else f"{-days} days ago")
    minutes = round((at - now).total_seconds() / 60)
    if not minutes:
        return "now"
    length = f"{abs(minutes)} min" if abs(minutes) < 60 else f"{abs(minutes) // 60} h"
    return f"today, in {length}" if minutes > 0 else f"today, {length} ago"


def _written(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"
