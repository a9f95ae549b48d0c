"""Who is there: by the hub's rota, for weeks that were and for weeks to come; people by number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple, TypeVar

from mash.flows.foresight.arrivals import WEEK, monday_of, on_the_wall
from mash.flows.foresight.inputs import Learnt, Turn
from mash.notifications.rota import Rota, Spell
from mash.states.clocks import LONDON, Calendar

S = TypeVar("S", bound=Spell)
REPEATED = 13
"""So many weeks of turns that are written out are repeated, at most, where the plan they come from ends."""


class People(NamedTuple):
    """Who is there within some weeks, and of which roles the rota has no turns for some of them: others of its weeks stand in."""

    turns: tuple[Turn, ...]
    stood_in: tuple[str, ...] = ()


def people_then(rota: Rota, calendar: Calendar, begins: datetime, ends: datetime) -> People:
    """Who was there. Where a role came into the rota later than these weeks begin, its weeks stand in for those before."""
    found, stood_in = list[Turn](), list[str]()
    for role, turns in _by_role(rota, calendar, begins, ends).items():
        weeks = _weeks(begins, ends)
        before = [monday for monday in weeks if monday < monday_of(turns[0].begins)]
        if before:
            stood_in.append(role)
        found += [*turns, *_moved_to(before, turns, backwards=True)]
    return _people(found, stood_in, begins, ends)


def people_ahead(rota: Rota, calendar: Calendar, begins: datetime, ends: datetime) -> People:
    """Who will be there, as the rota stands. Patterns go on; turns that are written out one by one are repeated after that."""
    found, stood_in = list[Turn](), list[str]()
    for role, turns in _by_role(rota, calendar, begins - REPEATED * WEEK, ends).items():
        written = _written_out(rota, role, turns)
        after = [monday for monday in _weeks(begins, ends) if written and monday > monday_of(written[-1].begins)]
        if after:
            stood_in.append(role)
        found += [*turns, *_moved_to(after, written, backwards=False)]
    return _people(found, stood_in, begins, ends)


def learnt_of(quarter: People, ahead: People) -> Learnt:
    """What is known of people, and what stands in for what is not."""
    roles = sorted({turn.role for turn in quarter.turns})
    if not roles:
        says = "nobody is in the rota: acts take as long as they took, and more people change nothing"
        return Learnt(what="people", basis="missing", counted=0, says=says)
    parts = [f"the quarter by its own rota, the months to come by the rota as it goes on: {_named(roles)}"]
    if quarter.stood_in:
        parts.append(f"there were no turns yet when these weeks began: later weeks stand in for {_named(quarter.stood_in)}")
    if ahead.stood_in:
        parts.append(f"written out no further: the last weeks are repeated for {_named(ahead.stood_in)}")
    counted = len({turn.person for turn in quarter.turns})
    return Learnt(what="people", basis="learnt", counted=counted, says="; ".join(parts))


def _named(roles: Sequence[str]) -> str:
    return ", ".join(roles).replace("_", " ")


def _by_role(rota: Rota, calendar: Calendar, begins: datetime, ends: datetime) -> dict[str, list[Turn]]:
    """The turns of each role that has any, in their order. Week by week, with what is written out of that week alone."""
    numbers = {person: str(number) for number, person in enumerate(sorted({p for r in rota.roles for p in rota.people(r)}), 1)}
    found = defaultdict[str, list[Turn]](list)
    start = begins
    while start < ends:
        stop = min(start + WEEK, ends)
        week = rota.model_copy(
            update={"shifts": _within(rota.shifts, start, stop), "absences": _within(rota.absences, start, stop)}
        )
        for role in week.roles:
            for person, spells in week.stretches(role, start, stop, calendar).items():
                found[role] += [Turn(role=role, person=numbers[person], begins=s.begins, ends=s.ends) for s in spells]
        start = stop
    return {role: sorted(turns, key=lambda turn: turn.begins) for role, turns in found.items()}


def _within(spells: Sequence[S], begins: datetime, ends: datetime) -> tuple[S, ...]:
    return tuple(spell for spell in spells if spell.begins < ends and spell.ends > begins)


def _weeks(begins: datetime, ends: datetime) -> list[date]:
    first, last = monday_of(begins), monday_of(ends)
    return [first + timedelta(weeks=place) for place in range((last - first).days // 7 + 1)]


def _written_out(rota: Rota, role: str, turns: Sequence[Turn]) -> list[Turn]:
    """The turns of the last weeks of a role that no pattern gives."""
    if any(pattern.role == role for pattern in rota.patterns):
        return []
    last = sorted({monday_of(turn.begins) for turn in turns})[-REPEATED:]
    return [turn for turn in turns if monday_of(turn.begins) in last]


def _moved_to(mondays: Sequence[date], turns: Sequence[Turn], *, backwards: bool) -> list[Turn]:
    """The weeks that have turns, again and again in their order, in these weeks: after them, or (`backwards`) before them."""
    by_week = defaultdict[date, list[Turn]](list)
    for turn in turns:
        by_week[monday_of(turn.begins)].append(turn)
    weeks, found = sorted(by_week), list[Turn]()
    for place, monday in enumerate(mondays):
        week = weeks[(place - len(mondays) if backwards else place) % len(weeks)]
        found += [_moved(turn, week, monday) for turn in by_week[week]]
    return found


def _moved(turn: Turn, week: date, monday: date) -> Turn:
    """The same turn in another week, by the clock on the wall."""
    since = on_the_wall(week, 0).astimezone(LONDON).replace(tzinfo=None)
    walls = {name: getattr(turn, name).astimezone(LONDON).replace(tzinfo=None) - since for name in ("begins", "ends")}
    return turn.model_copy(update={name: on_the_wall(monday, wall.total_seconds()) for name, wall in walls.items()})


def _people(turns: Sequence[Turn], stood_in: Sequence[str], begins: datetime, ends: datetime) -> People:
    there = (turn for turn in turns if turn.ends > begins and turn.begins < ends)
    return People(tuple(sorted(there, key=lambda turn: turn.begins)), tuple(stood_in))
