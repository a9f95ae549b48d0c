"""Finding people by name among the cases that somebody reaches."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.marks import number, single
from mash.flows.store.names import birthdays, sounds, tokens
from mash.flows.store.number_arrays import Numbers
from mash.flows.store.particulars import Particulars, particulars
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.known import people_sharing
from mash.flows.store.reads.look import note_access, note_accesses
from mash.flows.store.reads.people import Named, Naming, beside, by_numbers, people_named
from mash.flows.store.sounds import comparable, spellings
from mash.flows.store.store import Store
from mash.states.values import Actor

MOST = 20
MOST_IF_NOBODY = 5
"""Of those who may be meant, where nobody is likely to be: who is shown is looked at, and many who are wrong hide who looked."""
AT_ONCE = 12
"""People of a case who are looked for at once: hardly a family has more, and a list without end would keep others waiting."""
ALIKE, ALIKE_OF_THAT_DAY = 0.25, 0.1
"""What share of the numbers of two names must be the same for one to be offered for the other; less where birthdays are alike."""
SAME = 0.5
"""The same for one to be taken for the other, where nobody looks at them."""
MOST_CASES = 200
NOBODY = ""
"""In place of a reference: that a search found nobody, which is written down too."""


Born = Literal["the same", "day and month exchanged", "another"]


@dataclass(frozen=True)
class Found(Named):
    """Somebody whose name is like the one that was asked for, as one contact names them."""

    alike: float
    """From 0 to 1."""
    likely: bool
    """Whether they are likely meant; where nobody is, some are shown who may be."""
    born: Born | None
    """How their date of birth compares with the one that was asked for; None where no day is known of both."""


# The rows are read under the policies: the function says which, and no more.
_ALIKE = text("""
    SELECT a.place, k.reference, k.subject, a.alike, a.born_alike, a.likely, k.born, CAST(k.tokens AS text[]) AS tokens
    FROM people_alike(:hub, :apart_from, CAST(:asked AS json), :least, :of_that_day, :most) a
        JOIN known_person k ON k.id = a.person JOIN referral r ON r.reference = k.reference
    WHERE k.hub = :hub AND r.hub = :hub
    ORDER BY a.place, a.likely DESC, a.born_alike DESC, a.alike DESC, k.reference DESC""").columns(tokens=Numbers())
BORN: dict[int, Born] = {2: "the same", 1: "day and month exchanged", 0: "another"}


class Alike(NamedTuple):
    """Somebody who may be meant, as they stand in the table: by keyed numbers."""

    row: Row[Any]
    alike: float
    likely: bool
    born: Born | None


@dataclass(frozen=True)
class Wanted:
    """Whom somebody looks for, by all that they know of them."""

    who: Particulars
    subject: str | None = None
    """Which subject they are of the case that is looked from."""

    @property
    def name(self) -> str:
        """What they are called."""
        return self.who.name

    @property
    def born(self) -> str:
        """When they were born, as it was written."""
        return self.who.born


def named(name: str, born: str = "") -> Wanted:
    """Somebody of whom no more is known than what they are called and when they were born."""
    return Wanted(particulars(json.dumps({"name": name, "date_of_birth": born}).encode()))


async def find(store: Store, name: str, born: str, by: Actor, noted: Collection[str] = ()) -> list[Found]:
    """The people of somebody's hub who are likely meant by this name, the likest first, MOST at most: those born on that day, or
    on one with day and month exchanged, before the others. Where nobody is, those whose names are least unlike, MOST_IF_NOBODY at
    most. Who asks for a part of a name has all in view who bear it. Each that is shown is an access to their case; a search that
    finds nobody is written down too. `noted`: of which looks of this search that is done already, where it is shown once more."""
    return (await _find(store, [named(name, born)], by, in_part=True, noted=noted))[0]


def looks_at(found: Sequence[Found]) -> set[str]:
    """What is written down of a search that found these."""
    return {each.reference for each in found} or {NOBODY}


async def find_by_number(store: Store, wanted: Wanted, by: Actor, noted: Collection[str] = ()) -> list[Found]:
    """The people of somebody's hub who have the NHS number or the UPN of this one, the latest contact first; written down as
    `find` does."""
    key, numbers = store.keyring.search, single(wanted.who.facts)
    theirs = {name: number(key, numbers[name]) for name in ("nhs_number", "upn") if numbers[name]}
    sought = [number(key, f"{by.hub}:{numbers[name]}") for name in theirs]
    async with store.transaction(by, of_system=True) as connection:
        every = await people_sharing(connection, by.hub, sought, MOST) if sought else ()
    rows = [row for row in every if any(getattr(row, name) == value for name, value in theirs.items())]
    async with store.transaction(by) as connection:
        contacts = await people_named(connection, store, {row.reference for row in rows}, by)
        found = [*_found(key, wanted, [Alike(row, 1.0, True, None) for row in rows], contacts)]
        await _note(connection, store, [found], by, noted)
    return sorted(found, key=lambda each: each.received_at, reverse=True)


async def cases_of_child(store: Store, name: str, born: str, by: Actor) -> list[str]:
    """The contacts of somebody's hub that name a person who is called like this: where the birthday is known, born that day (or
    with day and month exchanged) or on none that is known. For whoever answers for the case, and does not read it: no name is
    shown, and no look at the case is written down."""
    async with store.transaction(by) as connection:
        asked = _asked(store, by.hub, [named(name, born)])
        values = {"hub": by.hub, "apart_from": "", "asked": json.dumps(asked), "most": MOST_CASES}
        rows = (await connection.execute(_ALIKE, {**values, "least": SAME, "of_that_day": ALIKE})).all()
    dated = asked[0]["born"] is not None
    return sorted({row.reference for row in rows if row.born_alike or row.born is None or not dated})


async def known_elsewhere(store: Store, case: Case, by: Actor) -> tuple[dict[Wanted, list[Found]], list[Wanted]]:
    """By each person of a case who has a name, the subjects first: who is called like them in the hub's other contacts. Whether
    it is the same person is for people to say. Beyond AT_ONCE of them: those who were not looked for."""
    people = await people_of(store, case, by)
    now, later = people[:AT_ONCE], people[AT_ONCE:]
    found = await _find(store, now, by, apart_from=case.root)
    return dict(zip(now, found, strict=True)), later


async def people_of(store: Store, case: Case, by: Actor) -> list[Wanted]:
    """The people in a case who have a name, the subjects first, as far as somebody reads who they are."""
    async with store.transaction(by) as connection:
        contacts = await people_named(connection, store, [case.reference], by)
    people = contacts[case.reference].people if case.reference in contacts else ()
    wanted = [Wanted(each.who, each.subject) for each in people if each.readable and each.who.name]
    # Whoever is named among the subjects and in the household too is looked for once.
    once: dict[tuple[str, str], Wanted] = {}
    for each in sorted(wanted, key=lambda each: each.subject is None):
        once.setdefault((each.name, each.born), each)
    return list(once.values())


async def _find(
    store: Store,
    wanted: list[Wanted],
    by: Actor,
    *,
    apart_from: str = "",
    in_part: bool = False,
    noted: Collection[str] = (),
) -> list[list[Found]]:
    """Who is called like each of these, in one statement; and what is shown of them, in three. `in_part`: whoever bears all the
    words of a name that is looked for is likely meant, unless they were born on another day."""
    key, asked = store.keyring.search, _asked(store, by.hub, wanted)
    values = {"hub": by.hub, "apart_from": apart_from, "asked": json.dumps(asked), "most": MOST}
    values |= {"least": ALIKE, "of_that_day": ALIKE_OF_THAT_DAY}
    words = [_words(key, each.name) if in_part else [] for each in wanted]
    dated = [each["born"] is not None for each in asked]
    async with store.transaction(by) as connection:
        rows: list[list[Alike]] = [[] for _ in wanted]
        for row in (await connection.execute(_ALIKE, values)).all():
            born = BORN[row.born_alike] if row.born is not None and dated[row.place] else None
            borne = bool(words[row.place]) and all(word & {*row.tokens} for word in words[row.place])
            rows[row.place].append(Alike(row, row.alike, row.likely or (borne and born != "another"), born))
        shown = [_shown(some) for some in rows]
        contacts = await people_named(connection, store, {each.row.reference for some in shown for each in some}, by)
        found = [[*_found(key, whom, some, contacts)] for whom, some in zip(wanted, shown, strict=True)]
        await _note(connection, store, found, by, noted)
    return found


async def _note(
    connection: AsyncConnection, store: Store, found: Sequence[Sequence[Found]], by: Actor, noted: Collection[str]
) -> None:
    shown = sorted({each.reference for some in found for each in some} - {*noted})
    await note_accesses(connection, store, shown, by, "find_people", "looked for a name")
    if not all(found) and NOBODY not in noted:
        await note_access(connection, store, None, by, "find_people", "looked for a name, and found nobody")


def _found(key: bytes, wanted: Wanted, rows: Sequence[Alike], contacts: dict[str, Naming]) -> Iterator[Found]:
    """Who the rows are, each of them another person: those of one household are told apart by their names."""
    others = {reference: list(contact.people) for reference, contact in contacts.items()}
    for row, alike, likely, born in rows:
        somebody = by_numbers(key, frozenset(row.tokens), row.born, row.subject, others.get(row.reference, ()))
        if somebody is not None:
            others[row.reference].remove(somebody)
            who, parts = beside(somebody, wanted.who)
            referral, child = contacts[row.reference].referral, somebody.child
            yield Found(row.reference, row.subject, who, parts, referral, alike, likely, born, child=child)


def _shown(rows: Sequence[Alike]) -> list[Alike]:
    """Those likely to be meant, or else the first few of those who may be."""
    return [each for each in rows if each.likely] or [*rows[:MOST_IF_NOBODY]]


def _words(key: bytes, name: str) -> list[set[int]]:
    """The numbers of each word of a name, in any of its spellings."""
    return [{number(key, f"word:{spelling}") for spelling in spellings(word)} for word in comparable(name)]


def _asked(store: Store, hub: str, wanted: list[Wanted]) -> list[dict[str, Any]]:
    key = store.keyring.search
    asked = []
    for place, each in enumerate(wanted):
        born, exchanged = birthdays(key, each.born)
        asked.append(
            {
                "place": place,
                "tokens": tokens(key, each.name),
                "sounds": sounds(key, hub, each.name),
                "born": born,
                "exchanged": exchanged,
            }
        )
    return asked
