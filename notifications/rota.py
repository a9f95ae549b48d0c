"""Who is on duty: weekly patterns, with absence, cover and swaps, resolved to people at an instant, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from mash.states.clocks import LONDON, WEEKDAYS, Calendar, Frozen, Weekday, local

PersonId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$", description="A member of staff by login, never by name.")]
Role = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
DAY = timedelta(days=1)


class Pattern(Frozen):
    """A person who holds a role every week, or every so many weeks: on these days, from a time until a time. A night ends on the
    next day; equal times are a whole day and night."""

    role: Role
    person: PersonId
    days: tuple[Weekday, ...] = Field(min_length=1)
    starts: time
    ends: time
    since: date
    until: date | None = Field(default=None, description="The last day on which a shift begins.")
    every: int = Field(default=1, ge=1, le=52, description="Weeks; counted from the week of `since`.")
    bank_holidays: bool = Field(default=True, description="Whether shifts begin on bank holidays too.")

    @model_validator(mode="after")
    def in_order(self) -> Pattern:
        """Refuse a pattern that is over before it begins, and a day named twice."""
        if self.until and self.until < self.since:
            raise ValueError("a pattern must not end before it begins")
        if len(set(self.days)) < len(self.days):
            raise ValueError("a day is named twice")
        return self

    def begins_on(self, day: date, holidays: tuple[date, ...]) -> bool:
        """Whether a shift begins on this day."""
        monday = self.since - timedelta(days=self.since.weekday())
        return (
            self.since <= day
            and (self.until is None or day <= self.until)
            and WEEKDAYS[day.weekday()] in self.days
            and (day - monday).days // 7 % self.every == 0
            and (self.bank_holidays or day not in holidays)
        )

    def shift_on(self, day: date) -> tuple[datetime, datetime]:
        """The shift that begins on this day, as UTC instants."""
        last = day + DAY if self.ends <= self.starts else day
        return _utc(day, self.starts), _utc(last, self.ends)


class Spell(Frozen):
    """A stretch of time, once."""

    begins: AwareDatetime
    ends: AwareDatetime

    @model_validator(mode="after")
    def lasts(self) -> Spell:
        """Refuse one that ends before it begins."""
        if self.ends <= self.begins:
            raise ValueError("it must end after it begins")
        return self

    def covers(self, at: datetime) -> bool:
        """Whether an instant is within it."""
        return self.begins <= at < self.ends


class Shift(Spell):
    """A person who holds a role once: beside whoever does by the pattern, or in the place of one of them (cover, or half a
    swap)."""

    role: Role
    person: PersonId
    instead_of: PersonId | None = None
    why: Literal["extra", "cover", "swap"] = "extra"


class Absence(Spell):
    """A person who is away, and holds no role by any pattern meanwhile. A shift that was given to them by name stands."""

    person: PersonId


class OnDuty(Frozen):
    """A person who holds a role at an instant, until when, and why."""

    person: str
    until: datetime
    why: str


class Gap(Frozen):
    """A stretch in which nobody holds a role that somebody must hold."""

    role: str
    begins: datetime
    ends: datetime


class Rota(Frozen):
    """A hub's rota. A role that is not in it is not kept by rota: its channels are the role's own."""

    patterns: tuple[Pattern, ...] = ()
    shifts: tuple[Shift, ...] = ()
    absences: tuple[Absence, ...] = ()

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that are kept by rota, in the order in which they are named."""
        return tuple(dict.fromkeys(entry.role for entry in self._entries))

    @property
    def _entries(self) -> list[Pattern | Shift]:
        return [*self.patterns, *self.shifts]

    def people(self, role: str) -> tuple[str, ...]:
        """Everybody who ever holds a role."""
        return tuple(dict.fromkeys(entry.person for entry in self._entries if entry.role == role))

    def swapped(self, role: str, one: str, other: str, first: Spell, second: Spell) -> Rota:
        """The rota after two people have swapped: `other` does `one`'s turn in the first spell, `one` does `other`'s in the
        second."""
        halves = ((other, one, first), (one, other, second))
        new = tuple(
            Shift(role=role, person=person, instead_of=instead, why="swap", begins=spell.begins, ends=spell.ends)
            for person, instead, spell in halves
        )
        return self.model_copy(update={"shifts": (*self.shifts, *new)})

    def on_duty(self, role: str, at: datetime, calendar: Calendar) -> tuple[OnDuty, ...]:
        """Who holds a role at an instant; nobody, where the rota has a gap. Whoever is named in a shift comes first."""
        named = [shift for shift in self.shifts if shift.role == role and shift.covers(at)]
        replaced = {shift.instead_of for shift in named}
        found = {
            shift.person: OnDuty(person=shift.person, until=shift.ends, why=_why(shift))
            for shift in named
            if shift.person not in replaced
        }
        for pattern in (pattern for pattern in self.patterns if pattern.role == role):
            away = pattern.person in replaced or any(a.person == pattern.person and a.covers(at) for a in self.absences)
            for begins, ends in () if away else _around(pattern, at, calendar):
                if begins <= at < ends and pattern.person not in found:
                    found[pattern.person] = OnDuty(
                        person=pattern.person, until=ends, why=f"weekly, {local(begins)} to {local(ends)}"
                    )
        return tuple(found.values())

    def turn(self, role: str, person: str, at: datetime, calendar: Calendar) -> Spell | None:
        """The whole turn that somebody has at an instant; None when they are not on duty then."""
        if person not in (duty.person for duty in self.on_duty(role, at, calendar)):
            return None
        spells = [(s.begins, s.ends) for s in self.shifts if s.role == role and s.person == person and s.covers(at)]
        for pattern in (pattern for pattern in self.patterns if (pattern.role, pattern.person) == (role, person)):
            spells += [(begins, ends) for begins, ends in _around(pattern, at, calendar) if begins <= at < ends]
        return Spell(begins=spells[0][0], ends=spells[0][1])

    def gaps(
        self, role: str, begins: datetime, ends: datetime, calendar: Calendar, needed: Literal["open", "closed", "always"]
    ) -> list[Gap]:
        """When nobody holds a role although somebody must: while the hub is open, while it is closed, or always."""
        gaps: list[Gap] = []
        for start, stop in pairwise(sorted({begins, ends, *self._edges(role, begins, ends, calendar)})):
            wanted = needed == "always" or calendar.is_open(start) == (needed == "open")
            if not wanted or self.on_duty(role, start, calendar):
                continue
            if gaps and gaps[-1].ends == start:
                start = gaps.pop().begins
            gaps.append(Gap(role=role, begins=start, ends=stop))
        return gaps

    def _edges(self, role: str, begins: datetime, ends: datetime, calendar: Calendar) -> Iterator[datetime]:
        """The instants within a stretch at which it may change who holds a role, or whether anybody must."""
        spells: list[Spell] = [*(shift for shift in self.shifts if shift.role == role), *self.absences]
        edges = [edge for spell in spells for edge in (spell.begins, spell.ends)]
        day, last = begins.astimezone(LONDON).date() - DAY, ends.astimezone(LONDON).date()
        while day <= last:
            edges += [edge for window in calendar.open_on(day) for edge in window]
            for pattern in self.patterns:
                if pattern.role == role and pattern.begins_on(day, calendar.bank_holidays):
                    edges += pattern.shift_on(day)
            day += DAY
        yield from (edge for edge in edges if begins < edge < ends)


def _around(pattern: Pattern, at: datetime, calendar: Calendar) -> Iterator[tuple[datetime, datetime]]:
    """The pattern's shifts that begin on the day of an instant, and on the day before: a night's."""
    today = at.astimezone(LONDON).date()
    for day in (today - DAY, today):
        if pattern.begins_on(day, calendar.bank_holidays):
            yield pattern.shift_on(day)


def _why(shift: Shift) -> str:
    until = f"until {local(shift.ends)}"
    return f"{shift.why} for {shift.instead_of}, {until}" if shift.instead_of else f"{shift.why}, {until}"


def _utc(day: date, at: time) -> datetime:
    return datetime.combine(day, at, LONDON).astimezone(UTC)
