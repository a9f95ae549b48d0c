"""Who does what when: events in the order of their time, and people who take one piece of work after another, the most urgent
first. What is begun is finished, also past the end of a shift."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Literal

Do = Callable[[], None]
Urgency = tuple[float, ...]
"""What is smaller is done first."""


class Agenda:
    """What is going to happen, by when. Times are seconds since the simulation's start."""

    def __init__(self) -> None:
        self.now = 0.0
        self._coming: list[tuple[float, int, Do]] = []
        self._order = count()

    def at(self, when: float, do: Do) -> None:
        """Something happens then; what is past already, now. Of what happens at one time, what was said first comes first."""
        heappush(self._coming, (max(when, self.now), next(self._order), do))

    def run_to(self, end: float) -> None:
        """Let happen whatever happens until then."""
        while self._coming and self._coming[0][0] <= end:
            self.now, _, do = heappop(self._coming)
            do()
        self.now = end


@dataclass(frozen=True)
class Work:
    """A piece of work that waits for somebody: in which roles they may do it (whoever is named first is asked first), how urgent
    it is, how many seconds it takes, and what has happened when it is done."""

    roles: tuple[str, ...]
    urgency: Urgency
    takes: float
    done: Callable[[str], None]
    """Told the role of whoever did it."""


@dataclass(eq=False)
class Person:
    """Somebody: in which roles, until when they are there in each, and whether they are free, at a piece of work, or away."""

    until: dict[str, float] = field(default_factory=dict)
    doing: Literal["free", "work", "away"] = "away"
    worked: dict[str, float] = field(default_factory=dict)
    """By role: seconds at work, begun so far."""
    there: dict[str, float] = field(default_factory=dict)
    """By role: seconds of the shifts so far."""

    def roles(self, now: float) -> set[str]:
        """The roles that they are there in."""
        return {role for role, until in self.until.items() if until > now}


class Desk:
    """A hub's people and the work that waits for them."""

    def __init__(self, agenda: Agenda) -> None:
        self.agenda = agenda
        self.people: dict[str, Person] = {}
        """By name: who has two roles is still one, and does one thing at a time."""
        self._roles: set[str] = set()
        self._free: list[Person] = []
        self._waiting: dict[tuple[str, ...], list[tuple[Urgency, int, Work]]] = {}
        self._order = count()

    def shift(self, role: str, name: str, begins: float, ends: float) -> None:
        """Somebody is there in this role, from when until when; a person's shifts are said in their order."""
        person = self.people.setdefault(name, Person())
        self._roles.add(role)
        self.agenda.at(begins, lambda: self._comes(person, role, begins, ends))
        self.agenda.at(ends, lambda: self._goes(person))

    def staffed(self, roles: tuple[str, ...]) -> bool:
        """Whether anybody is ever there in one of these roles."""
        return not self._roles.isdisjoint(roles)

    def ask(self, work: Work) -> None:
        """A piece of work comes in: somebody who is free begins it, or it waits for its turn."""
        for role in work.roles:
            for person in self._free:
                if person.until.get(role, 0.0) > self.agenda.now:
                    self._free.remove(person)
                    self._begin(person, role, work)
                    return
        heappush(self._waiting.setdefault(work.roles, []), (work.urgency, next(self._order), work))

    def _comes(self, person: Person, role: str, begins: float, ends: float) -> None:
        before = person.until.get(role, 0.0)
        person.there[role] = person.there.get(role, 0.0) + max(0.0, ends - max(begins, before))
        person.until[role] = max(before, ends)
        if person.doing == "free":  # perhaps something waits for what they are there for now
            self._free.remove(person)
        if person.doing != "work":
            self._next(person)

    def _goes(self, person: Person) -> None:
        if person.doing == "free" and not person.roles(self.agenda.now):
            self._free.remove(person)
            person.doing = "away"

    def _next(self, person: Person) -> None:
        """Somebody takes the most urgent of what waits for a role of theirs; or is free, or goes."""
        there = person.roles(self.agenda.now)
        theirs = [waiting for roles, waiting in self._waiting.items() if waiting and not there.isdisjoint(roles)]
        if not there:
            person.doing = "away"
        elif theirs:
            _, _, work = heappop(min(theirs, key=lambda waiting: waiting[0][:2]))
            self._begin(person, next(role for role in work.roles if role in there), work)
        else:
            person.doing = "free"
            self._free.append(person)

    def _begin(self, person: Person, role: str, work: Work) -> None:
        person.doing = "work"
        person.worked[role] = person.worked.get(role, 0.0) + work.takes

        def finish() -> None:
            work.done(role)
            self._next(person)

        self.agenda.at(self.agenda.now + work.takes, finish)
