"""Who is on duty: weekly patterns and single turns, with absence, cover and swaps, resolved to people at an instant, and why.
Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from mash.states.clocks import LONDON, WEEKDAYS, Calendar, Frozen, Weekday, day_of, local

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
    not_on: tuple[date, ...] = Field(default=(), description="Days on which no shift begins although the pattern has one.")

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
            and day not in self.not_on
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
    swap). A `turn` is what a pattern gives, of a plan that no pattern can say: it gives way to absence and to cover."""

    role: Role
    person: PersonId
    instead_of: PersonId | None = None
    why: Literal["extra", "cover", "swap", "turn"] = "extra"


class Absence(Spell):
    """A person who is away, and holds no role by any pattern or turn meanwhile. A shift that was given to them by name stands."""

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
    written_out_until: AwareDatetime | None = Field(
        default=None, description="Until when turns are written out of a plan that goes on: then the plan is needed again."
    )

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

    def of(self, person: str) -> Rota:
        """What the rota has of one person."""
        mine = ("patterns", "shifts", "absences")
        own = {name: tuple(each for each in getattr(self, name) if each.person == person) for name in mine}
        return self.model_copy(update=own)

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
        shifts = [shift for shift in self.shifts if shift.role == role and shift.covers(at)]
        replaced = {shift.instead_of for shift in shifts}
        away = replaced | {absence.person for absence in self.absences if absence.covers(at)}
        found: dict[str, OnDuty] = {}
        for shift in sorted(shifts, key=lambda shift: shift.why == "turn"):
            if shift.person not in found and shift.person not in (away if shift.why == "turn" else replaced):
                found[shift.person] = OnDuty(person=shift.person, until=shift.ends, why=_why(shift))
        for pattern in self.patterns:
            if pattern.role != role or pattern.person in away or pattern.person in found:
                continue
            for begins, ends in _around(pattern, at, calendar):
                if begins <= at < ends:
                    why = f"weekly, {local(begins)} to {local(ends)}"
                    found[pattern.person] = OnDuty(person=pattern.person, until=ends, why=why)
        return tuple(found.values())

    def goes_on(self, role: str, now: datetime) -> bool:
        """Whether anybody holds a role at any time from now on, holidays and absence apart."""
        today = day_of(now)
        patterns = (p.until is None or p.until >= today - DAY for p in self.patterns if p.role == role)
        return any(patterns) or any(shift.ends > now for shift in self.shifts if shift.role == role)

    def turn(self, role: str, person: str, at: datetime, calendar: Calendar) -> Spell | None:
        """The whole turn that somebody has at an instant; None when they are not on duty then."""
        if person not in (duty.person for duty in self.on_duty(role, at, calendar)):
            return None
        spells = [(s.begins, s.ends) for s in self.shifts if s.role == role and s.person == person and s.covers(at)]
        for pattern in (pattern for pattern in self.patterns if (pattern.role, pattern.person) == (role, person)):
            spells += [(begins, ends) for begins, ends in _around(pattern, at, calendar) if begins <= at < ends]
        return Spell(begins=spells[0][0], ends=spells[0][1])

    def stretches(self, role: str, begins: datetime, ends: datetime, calendar: Calendar) -> dict[str, list[Spell]]:
        """When each person holds a role within a stretch of time, one after another."""
        found: dict[str, list[Spell]] = {}
        for start, stop in pairwise(sorted({begins, ends, *self._edges(role, begins, ends, calendar)})):
            for duty in self.on_duty(role, start, calendar):
                turns = found.setdefault(duty.person, [])
                begun = turns.pop().begins if turns and turns[-1].ends == start else start
                turns.append(Spell(begins=begun, ends=stop))
        return found

    def next_turn(self, after: datetime, until: datetime, calendar: Calendar) -> datetime | None:
        """When the next turn of anybody begins, in any role; None where none does before `until`."""
        turns = (self.stretches(role, after, until, calendar) for role in self.roles)
        begins = (spell.begins for people in turns for spells in people.values() for spell in spells)
        return min((at for at in begins if at > after), default=None)

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
        day, last = day_of(begins) - DAY, day_of(ends)
        while day <= last:
            edges += [edge for window in calendar.open_on(day) for edge in window]
            for pattern in self.patterns:
                if pattern.role == role and pattern.begins_on(day, calendar.bank_holidays):
                    edges += pattern.shift_on(day)
            day += DAY
        yield from (edge for edge in edges if begins < edge < ends)


def _around(pattern: Pattern, at: datetime, calendar: Calendar) -> Iterator[tuple[datetime, datetime]]:
    """The pattern's shifts that begin on the day of an instant, and on the day before: a night's."""
    today = day_of(at)
    for day in (today - DAY, today):
        if pattern.begins_on(day, calendar.bank_holidays):
            yield pattern.shift_on(day)


def _why(shift: Shift) -> str:
    until = f"until {local(shift.ends)}"
    return f"{shift.why} for {shift.instead_of}, {until}" if shift.instead_of else f"{shift.why}, {until}"


def _utc(day: date, at: time) -> datetime:
    return datetime.combine(day, at, LONDON).astimezone(UTC)
