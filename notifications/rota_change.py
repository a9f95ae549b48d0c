"""What a new rota comes to, in sentences, before it is in force: who is added, who goes, in which hours; what has no effect; and
what nobody can have meant. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from difflib import get_close_matches

from mash.notifications.rota import Absence, Rota, Shift, Spell
from mash.notifications.rota_entries import RotaFile, places
from mash.notifications.times import in_full
from mash.states.clocks import LONDON, Calendar

AHEAD = timedelta(weeks=12)
"""So far ahead two rotas are compared."""
SHOWN = 3
"""As many stretches of each person are shown one by one."""


# --- the difference -----------------------------------------------------------------------------------------------------------


def difference(before: Rota, after: Rota, now: datetime, calendar: Calendar) -> list[str]:
    """Who holds which role when, and did not; and the other way round; in the next weeks, a sentence each."""
    if before == after:
        return ["nothing changes"]
    lines = [
        line for role in dict.fromkeys((*before.roles, *after.roles)) for line in _of_role(role, before, after, now, calendar)
    ]
    return lines or [f"nobody's hours change in the next {AHEAD.days // 7} weeks: what changes is past, or later"]


def _of_role(role: str, before: Rota, after: Rota, now: datetime, calendar: Calendar) -> Iterator[str]:
    if role not in before.roles:
        yield f"{role}: is kept by rota from now on"
    if role not in after.roles:
        yield f"{role}: is not kept by rota any more: whoever reads the role's own channels is told"
    had, has = (rota.stretches(role, now, now + AHEAD, calendar) for rota in (before, after))
    for person in sorted({*had, *has}):
        old, new = had.get(person, []), has.get(person, [])
        added = "" if old else ", who is added"
        gone = "" if new else ", who goes"
        for sign, spells, note in (("+", _less(new, old), added), ("-", _less(old, new), gone)):
            if spells:
                yield f"{role}: {sign} {person}{note}: {_spells(spells)}"


def _less(spells: list[Spell], others: list[Spell]) -> list[Spell]:
    """The spells without what the others have of them."""
    for other in others:
        spells = [piece for spell in spells for piece in _pieces(spell, other)]
    return spells


def _pieces(spell: Spell, other: Spell) -> list[Spell]:
    if other.ends <= spell.begins or spell.ends <= other.begins:
        return [spell]
    ends = ((spell.begins, other.begins), (other.ends, spell.ends))
    return [Spell(begins=begins, ends=ends) for begins, ends in ends if begins < ends]


def _spells(spells: list[Spell]) -> str:
    hours = sum((spell.ends - spell.begins for spell in spells), timedelta(0)) / timedelta(hours=1)
    more = f"; and {len(spells) - SHOWN} times more" if len(spells) > SHOWN else ""
    return f"{'; '.join(in_words(spell) for spell in spells[:SHOWN])}{more} ({hours:g} h)"


def in_words(spell: Spell) -> str:
    """A spell with weekday, date and year: 'Fri 4 Dec 2026 09:00 to 17:00'."""
    begins, ends = (at.astimezone(LONDON) for at in (spell.begins, spell.ends))
    end = f"{ends:%H:%M}" if begins.date() == ends.date() and begins.utcoffset() == ends.utcoffset() else in_full(ends)
    return f"{in_full(begins)} to {end}"


# --- what nobody can have meant -----------------------------------------------------------------------------------------------


def unknown(name: str, names: Iterable[str], where: str) -> str:
    """What to say of a name that is none of these: and which of them is like it."""
    near = get_close_matches(name, sorted(names), n=1)
    return f"'{name}' is not known {where}" + (f": is {near[0]} meant?" if near else "")


def mistakes(file: RotaFile, roles: Collection[str]) -> list[str]:
    """What of a rota file would be in force without effect: roles that the hub has not, and people who hold none of them."""
    rota = file.rota
    found: dict[str, list[str]] = {}
    for what, name, where in file.named():
        if what == "role" and name not in roles:
            found.setdefault(unknown(name, roles, "as a role of the hub"), []).append(where)
    for entry in file.entries:
        item = entry.item
        if isinstance(item, Absence) and item.person not in (people := everybody(rota)):
            sentence = f"the absence takes nobody off: {unknown(item.person, people, 'among those who hold a role')}"
            found.setdefault(sentence, []).append(entry.where)
        if isinstance(item, Shift) and item.instead_of and item.instead_of not in (people := [*rota.people(item.role)]):
            sentence = f"it is in nobody's place: {unknown(item.instead_of, people, f'among those who hold {item.role}')}"
            found.setdefault(sentence, []).append(entry.where)
    return [f"{places(where)}: {sentence}" for sentence, where in found.items()]


def emptied(before: Rota, after: Rota, now: datetime) -> list[str]:
    """The roles that would be nobody's from now on, and were somebody's."""
    return [role for role in before.roles if before.goes_on(role, now) and not after.goes_on(role, now)]


def everybody(rota: Rota) -> list[str]:
    """Everybody who ever holds a role."""
    return list(dict.fromkeys(person for role in rota.roles for person in rota.people(role)))


# --- what is worth a look -----------------------------------------------------------------------------------------------------


def newcomers(file: RotaFile, known: Collection[str]) -> list[str]:
    """The people of a file whom nothing in the installation knows, each with the places."""
    found: dict[str, list[str]] = {}
    for what, name, where in file.named():
        if what == "person" and name not in known:
            found.setdefault(name, []).append(where)
    return [f"{name} ({places(where)})" for name, where in found.items()]


def without_effect(before: Rota, after: Rota, now: datetime, calendar: Calendar) -> list[str]:
    """What is new in a rota and takes nobody off: an absence or a cover of somebody who is not on duty then anyway, or who stays
    by name."""
    lines = []
    for shift in after.shifts:
        if shift.instead_of and shift.ends > now and shift not in before.shifts:
            others = after.model_copy(update={"absences": (), "shifts": tuple(s for s in after.shifts if s is not shift)})
            if shift.instead_of not in others.stretches(shift.role, shift.begins, shift.ends, calendar):
                lines.append(f"{shift.instead_of} does not hold {shift.role} {in_words(shift)}: {shift.person} replaces nobody")
    for absence in after.absences:
        if absence.ends > now and absence not in before.absences:
            lines += _of_absence(absence, after, calendar)
    return lines


def _of_absence(absence: Absence, rota: Rota, calendar: Calendar) -> list[str]:
    present = rota.model_copy(update={"absences": tuple(a for a in rota.absences if a.person != absence.person)})
    roles = [role for role in rota.roles if absence.person in rota.people(role)]

    def turns(of: Rota) -> list[str]:
        held = ((role, of.stretches(role, absence.begins, absence.ends, calendar).get(absence.person, [])) for role in roles)
        return [f"{role} {_spells(spells)}" for role, spells in held if spells]

    if not turns(present):
        return [f"{absence.person} is on duty at no time {in_words(absence)}: nobody is taken off"]
    return [
        f"{absence.person} stays on duty by name: {turn}; `mash rota cover --instead-of {absence.person}` takes them off"
        for turn in turns(rota)
    ]
