"""Lengths, calendars, and when a clock is due and why. Times are UTC; reckoning is in Europe/London."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, ClassVar, Generic, Literal, NamedTuple, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_serializer, model_validator

T = TypeVar("T")
LONDON = ZoneInfo("Europe/London")
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOSES = time(17)
"""When a working day ends on which the hub does not open."""
LAST_WORD = timedelta(minutes=30)
"""So long before the hub closes somebody is reminded of what would fall into its night: they can still act on it."""


class Reckoned(Generic[T]):
    """What is reckoned of one field of a value: once, and again only in a copy in which that field is another."""

    # Not a cached_property: what is taken out of a copied dictionary leaves a hole in it, and copying it on takes twice as long.

    def __init__(self, of: str, reckon: Callable[[Any], T]) -> None:
        self.of, self._reckon, self._kept = of, reckon, f"_{reckon.__name__}"
        self.__doc__ = reckon.__doc__

    def __get__(self, value: Any, owner: type) -> T:
        held = value.__dict__
        if (kept := held.get(self._kept)) is None:
            kept = held[self._kept] = self._reckon(value)
        found: T = kept
        return found

    def forget(self, held: dict[str, Any]) -> None:
        """In what a copy holds, it is not reckoned yet."""
        if self._kept in held:
            held[self._kept] = None


def reckoned_of(field: str) -> Callable[[Callable[[Any], T]], Reckoned[T]]:
    """A property that hangs on nothing but this field."""
    return lambda reckon: Reckoned(field, reckon)


class Frozen(BaseModel):
    """An immutable value that refuses unknown fields and never prints what it was given."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, ignored_types=(Reckoned,))
    _reckoned: ClassVar[tuple[Reckoned[Any], ...]] = ()
    _cached: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        members = {name: member for each in reversed(cls.__mro__) for name, member in vars(each).items()}
        cls._reckoned = tuple(member for member in members.values() if isinstance(member, Reckoned))
        cls._cached = tuple(name for name, member in members.items() if isinstance(member, cached_property))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As Pydantic's, in less time: of a fold or a decision, copies were most of it."""
        if deep:
            return super().model_copy(update=update, deep=True)
        copied, changed = object.__new__(type(self)), update or {}
        held = {**self.__dict__, **changed}
        if changed:
            for name in self._cached:  # what was reckoned of the other one
                held.pop(name, None)
        for each in self._reckoned:
            if each.of in changed:
                each.forget(held)
        object.__setattr__(copied, "__dict__", held)
        known = self.__pydantic_fields_set__  # shared where it stays the same: nobody changes it, nor the model
        object.__setattr__(copied, "__pydantic_fields_set__", known if known >= changed.keys() else {*known, *changed})
        object.__setattr__(copied, "__pydantic_extra__", None)
        object.__setattr__(copied, "__pydantic_private__", None)
        return copied


class Unit(StrEnum):
    """How a length is counted: by the wall, by the hub's opening hours, in the hub's working days, or in weeks."""

    ELAPSED_HOURS = "h"
    HUB_HOURS = "hub hours"
    WORKING_DAYS = "working days"
    WEEKS = "weeks"


_LENGTH = re.compile(r"^(\d+(?:\.\d+)?) (h|min|hub hours?|working days?|weeks?)$")


class Length(Frozen):
    """A length of time with its unit, written '4 h', '30 min', '8 hub hours' or '1 working day'."""

    amount: float = Field(gt=0)
    unit: Unit

    @model_validator(mode="before")
    @classmethod
    def read(cls, value: Any) -> Any:
        """Accept the written form; refuse what is not one, saying the forms there are."""
        if not isinstance(value, str):
            return value
        match = _LENGTH.match(value)
        if not match or float(match[1]) <= 0:
            raise ValueError("expected a length such as '4 h', '30 min', '8 hub hours' or '1 working day'")
        amount, unit = float(match[1]), match[2]
        if unit == "min":
            return {"amount": amount / 60, "unit": Unit.ELAPSED_HOURS}
        if unit.startswith("week"):
            return {"amount": amount, "unit": Unit.WEEKS}
        if unit == "h":
            return {"amount": amount, "unit": Unit.ELAPSED_HOURS}
        if unit.startswith("working") and amount != int(amount):
            raise ValueError("expected a whole number of working days")
        return {"amount": amount, "unit": Unit.HUB_HOURS if unit.startswith("hub") else Unit.WORKING_DAYS}

    @model_serializer
    def write(self) -> str:
        """The written form, which `read` takes back."""
        return str(self)

    def __str__(self) -> str:
        if self.unit is Unit.ELAPSED_HOURS and self.amount < 1:
            return f"{self.amount * 60:g} min"
        if self.unit is Unit.ELAPSED_HOURS:
            return f"{self.amount:g} h"
        return f"{self.amount:g} {self.unit.value[:-1] if self.amount == 1 else self.unit.value}"


class Window(Frozen):
    """One stretch of opening hours within a day, local time."""

    opens: time
    closes: time

    @model_validator(mode="after")
    def closes_later(self) -> Window:
        """Refuse a window that closes before it opens: a night is written as two windows."""
        if self.closes <= self.opens:
            raise ValueError("a window must close after it opens; write a night as two windows")
        return self


class Change(Frozen):
    """Other opening hours for some weekdays, from a date on (weekend cover that begins in September)."""

    since: date
    windows: dict[Weekday, tuple[Window, ...]]


class Calendar(Frozen):
    """When a hub is open: windows by weekday, changed from dates on, less the bank holidays."""

    windows: dict[Weekday, tuple[Window, ...]]
    changes: tuple[Change, ...] = ()
    bank_holidays: tuple[date, ...] = Field(default=(), description="England's, and in a hub's own file those beside them.")
    open_bank_holidays: tuple[date, ...] = Field(
        default=(),
        exclude_if=lambda days: not days,
        description="Bank holidays on which the hub opens all the same. They are no working days for that.",
    )

    @model_validator(mode="after")
    def opens_sometime(self) -> Calendar:
        """Refuse overlapping windows, changes out of order, and a hub that never opens."""
        weeks = [self.windows, *(change.windows for change in self.changes)]
        if not any(self.windows.values()) or not any(self._week(len(self.changes)).values()):
            raise ValueError("a hub must be open at some time in the week")
        for windows in (day for week in weeks for day in week.values()):
            if any(a.closes > b.opens for a, b in pairwise(windows)):
                raise ValueError("windows of a day must be in order and must not overlap")
        if any(a.since >= b.since for a, b in pairwise(self.changes)):
            raise ValueError("changes must be in order of their dates")
        if others := set(self.open_bank_holidays) - set(self.bank_holidays):
            raise ValueError(f"open_bank_holidays: no bank holiday: {', '.join(map(str, sorted(others)))}")
        return self

    def _week(self, changes: int) -> dict[Weekday, tuple[Window, ...]]:
        """The week's windows after so many of the changes."""
        week = dict(self.windows)
        for change in self.changes[:changes]:
            week |= change.windows
        return week

    def open_on(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """The day's windows as UTC instants; empty when the hub is closed all day."""
        if day not in self._opened:
            self._opened[day] = self._opens_on(day)
        return self._opened[day]

    @cached_property
    def _opened(self) -> dict[date, tuple[tuple[datetime, datetime], ...]]:
        """The days that were asked for."""
        return {}

    def _opens_on(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        if self._shut(day):
            return ()
        windows = self._week(sum(change.since <= day for change in self.changes)).get(WEEKDAYS[day.weekday()], ())
        return tuple(
            (datetime.combine(day, w.opens, LONDON).astimezone(UTC), datetime.combine(day, w.closes, LONDON).astimezone(UTC))
            for w in windows
        )

    # Of six years there are some fifty, and each day of each clock is looked up in them.
    @cached_property
    def _holidays(self) -> frozenset[date]:
        return frozenset(self.bank_holidays)

    def _shut(self, day: date) -> bool:
        return day in self._holidays and day not in self.open_bank_holidays

    def is_open(self, at: datetime) -> bool:
        """Whether the hub is open at this instant."""
        return any(opens <= at < closes for opens, closes in self.open_on(day_of(at)))

    def next_open(self, at: datetime) -> datetime:
        """This instant while the hub is open; else when it opens next."""
        if self.is_open(at):
            return at
        day = day_of(at)
        while True:
            for opens, _ in self.open_on(day):
                if opens >= at:
                    return opens
            day += timedelta(days=1)

    def next_change(self, at: datetime) -> datetime | None:
        """When the hub opens or closes next, within a week; None where it does neither."""
        first, now_open = day_of(at), self.is_open(at)
        days = (first + timedelta(days=ahead) for ahead in range(8))
        edges = (edge for day in days for window in self.open_on(day) for edge in window)
        return next((edge for edge in edges if edge > at and self.is_open(edge) != now_open), None)

    def last_word(self, at: datetime, since: datetime) -> datetime | None:
        """This instant while the hub is open; else LAST_WORD before it closed last, or None where that is before `since`."""
        if self.is_open(at):
            return at
        day = day_of(at)
        while day >= day_of(since):
            for opens, closes in reversed(self.open_on(day)):
                if closes <= at:
                    moment = max(opens, closes - LAST_WORD)
                    return moment if moment > since else None
            day -= timedelta(days=1)
        return None

    def next_time(self, at: time, days: tuple[Weekday, ...], after: datetime) -> datetime:
        """The first instant after `after` at this local time, on one of these weekdays on which no bank holiday shuts the hub."""
        return next(instant for instant in self._times(at, days, after, timedelta(days=1)) if instant > after)

    def last_time(self, at: time, days: tuple[Weekday, ...], before: datetime) -> datetime:
        """The last such instant before `before`."""
        return next(instant for instant in self._times(at, days, before, timedelta(days=-1)) if instant < before)

    def _times(self, at: time, days: tuple[Weekday, ...], start: datetime, step: timedelta) -> Iterator[datetime]:
        day = day_of(start)
        while True:
            if WEEKDAYS[day.weekday()] in days and not self._shut(day):
                yield datetime.combine(day, at, LONDON).astimezone(UTC)
            day += step

    def add(self, start: datetime, length: Length) -> datetime:
        """The instant `length` after `start`. Working days are Monday to Friday without bank holidays; they end when the hub
        closes on the last of them (at five when it does not open that day)."""
        if length.unit is Unit.ELAPSED_HOURS:
            return start + timedelta(hours=length.amount)
        if length.unit is Unit.WEEKS:
            return start + timedelta(weeks=length.amount)
        if length.unit is Unit.HUB_HOURS:
            return self.add_open(start, timedelta(hours=length.amount))
        return self._after_working_days(day_of(start), int(length.amount))

    def add_open(self, start: datetime, left: timedelta) -> datetime:
        """The instant at which the hub has been open so long since `start`."""
        day = day_of(start)
        while True:
            for opens, closes in self.open_on(day):
                begin = max(opens, start)
                if begin + left <= closes:
                    return begin + left
                left -= max(timedelta(0), closes - begin)
            day += timedelta(days=1)

    def _after_working_days(self, day: date, days: int) -> datetime:
        if (day, days) not in self._closes:
            self._closes[day, days] = self._closes_after(day, days)
        return self._closes[day, days]

    @cached_property
    def _closes(self) -> dict[tuple[date, int], datetime]:
        """When the hub closes so many working days after a day, of those that were asked for."""
        return {}

    def _closes_after(self, day: date, days: int) -> datetime:
        # Guidance counts Monday to Friday without bank holidays, whether or not a hub has weekend cover.
        while days:
            day += timedelta(days=1)
            days -= day.weekday() < 5 and day not in self._holidays
        windows = self.open_on(day)
        return windows[-1][1] if windows else datetime.combine(day, CLOSES, LONDON).astimezone(UTC)


class Due(NamedTuple):
    """When something is due, and the sentence that explains it."""

    at: datetime
    why: str


@lru_cache(maxsize=1024)  # twelve agencies are asked at one instant
def local(at: datetime) -> str:
    """An instant as people in the hub write it, where it is of these days: on an alert, a board, a rota."""
    return at.astimezone(LONDON).strftime("%a %d %b %H:%M")


def dated(at: datetime) -> str:
    """An instant with its year, for what is read long afterwards too."""
    return at.astimezone(LONDON).strftime("%a %d %b %Y, %H:%M")


@lru_cache(maxsize=1024)
def day_of(at: datetime) -> date:
    """The day that it is in the hub at this instant."""
    return at.astimezone(LONDON).date()


_COUNTED = {
    Unit.ELAPSED_HOURS: "elapsed",
    Unit.WEEKS: "elapsed",
    Unit.HUB_HOURS: "the hub's opening hours",
    Unit.WORKING_DAYS: "to the hub's close that day",
}


def due(length: Length, start: datetime, from_what: str, what: str, calendar: Calendar) -> Due:
    """When `what` is due, counted from `start`, with its reason ('red: 4 h from receipt, elapsed')."""
    return Due(at=calendar.add(start, length), why=f"{what}: {length} from {from_what} ({local(start)}), {_COUNTED[length.unit]}")
