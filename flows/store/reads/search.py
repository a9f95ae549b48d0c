"""Finding people by name among the cases that somebody reaches."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.keys import KeyDestroyed, unseal
from mash.flows.store.names import NAMED, birthdays, name_of, sounds, tokens
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.items import read_items
from mash.flows.store.reads.look import note_access, note_accesses
from mash.flows.store.sounds import LONGEST_NAME, comparable
from mash.flows.store.store import Store
from mash.flows.store.tables import ITEMS, KEYS, REFERRALS
from mash.states.referral import Referral
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


Born = Literal["the same", "day and month exchanged", "another"]


@dataclass(frozen=True)
class Found:
    """Somebody whose name is like the one that was asked for."""

    reference: str
    subject: str | None
    name: str
    alike: float
    """From 0 to 1."""
    received_at: datetime
    stage: str
    born: Born | None
    """How their date of birth compares with the one that was asked for; None where it is not known of both."""
    warnings: tuple[str, ...]
    """Of their case."""


# The rows are read under the policies: the function says which, and no more.
_ALIKE = text("""
    SELECT a.place, k.reference, k.subject, a.alike, a.born_alike, a.likely, k.born, r.received_at, r.stage
    FROM people_alike(:hub, :apart_from, CAST(:asked AS json), :least, :of_that_day, :most) a
        JOIN known_person k ON k.id = a.person JOIN referral r ON r.reference = k.reference
    WHERE k.hub = :hub AND r.hub = :hub ORDER BY a.place, a.likely DESC, a.born_alike DESC, a.alike DESC, k.reference DESC""")
_KEYS = select(KEYS.c.reference, KEYS.c.wrapped).where(KEYS.c.reference.in_(bindparam("these", expanding=True)))
_STATES = select(REFERRALS.c.reference, REFERRALS.c.state).where(REFERRALS.c.reference.in_(bindparam("these", expanding=True)))
_PEOPLE = select(ITEMS.c.id, ITEMS.c.reference, ITEMS.c.subject, ITEMS.c.sealed).where(
    ITEMS.c.reference.in_(bindparam("these", expanding=True)), ITEMS.c.kind.in_(NAMED)
)
Names = dict[str, frozenset[str]]
"""Names with their words as they are compared."""
BORN: dict[int, Born] = {2: "the same", 1: "day and month exchanged", 0: "another"}


@dataclass(frozen=True)
class Wanted:
    """Whom somebody looks for."""

    name: str
    born: str = ""


async def find(store: Store, name: str, born: str, by: Actor) -> list[Found]:
    """The people of somebody's hub who are likely meant by this name, the likest first, MOST at most: those born on that day, or
    on one with day and month exchanged, before the others. Where nobody is, those whose names are least unlike, MOST_IF_NOBODY at
    most. Each that is shown is an access to their case; a search that finds nobody
    is written down too."""
    return (await _find(store, [Wanted(name, born)], by))[0]


async def cases_of_child(store: Store, name: str, born: str, by: Actor) -> list[str]:
    """The contacts of somebody's hub that name a person who is called like this: where the birthday is known, born that day (or
    with day and month exchanged) or on none that is known. For whoever answers for the case, and does not read it: no name is
    shown, and no look at the case is written down."""
    async with store.transaction(by) as connection:
        asked = _asked(store, by.hub, [Wanted(name, born)])
        values = {"hub": by.hub, "apart_from": "", "asked": json.dumps(asked), "most": MOST_CASES}
        rows = (await connection.execute(_ALIKE, {**values, "least": SAME, "of_that_day": ALIKE})).all()
    dated = asked[0]["born"] is not None
    return sorted({row.reference for row in rows if row.born_alike or row.born is None or not dated})


async def known_elsewhere(store: Store, case: Case, by: Actor) -> tuple[dict[str, list[Found]], list[Wanted]]:
    """By the name of each person in a case, the subjects first: who is called like them in the hub's other contacts. Whether it
    is the same person is for people to say. Beyond AT_ONCE of them: those who were not looked for."""
    people = await people_of(store, case, by)
    now, later = people[:AT_ONCE], people[AT_ONCE:]
    found = await _find(store, now, by, apart_from=case.root)
    return {each.name: some for each, some in zip(now, found, strict=True)}, later


async def people_of(store: Store, case: Case, by: Actor) -> list[Wanted]:
    """The people in a case by their names, the subjects first, as far as somebody reads who they are."""
    items = [item for item in await read_items(store, case, by) if item["kind"] in NAMED and item["view"] == "whole"]
    people: dict[str, Wanted] = {}
    for item in sorted(items, key=lambda item: NAMED.index(item["kind"])):
        if name := name_of(item["content"].encode()).strip()[:LONGEST_NAME]:
            people.setdefault(name, Wanted(name, str(json.loads(item["content"]).get("date_of_birth") or "")))
    return list(people.values())


async def _find(store: Store, wanted: list[Wanted], by: Actor, *, apart_from: str = "") -> list[list[Found]]:
    """Who is called like each of these, in one statement; and what is shown of them, in two."""
    found: list[list[Found]] = [[] for _ in wanted]
    asked = _asked(store, by.hub, wanted)
    values = {"hub": by.hub, "apart_from": apart_from, "asked": json.dumps(asked), "most": MOST}
    values |= {"least": ALIKE, "of_that_day": ALIKE_OF_THAT_DAY}
    async with store.transaction(by) as connection:
        rows = _shown((await connection.execute(_ALIKE, values)).all())
        names, warnings = await _names(connection, store, sorted({row.reference for row in rows}))
        for row in rows:
            if (known := names.get(row.reference)) is None:
                continue
            born = BORN[row.born_alike] if row.born is not None and asked[row.place]["born"] is not None else None
            name = _likest(known.get(row.subject, {}), wanted[row.place].name)
            person = row.reference, row.subject, name, row.alike, row.received_at, row.stage, born
            found[row.place].append(Found(*person, warnings[row.reference]))
        shown = sorted({each.reference for some in found for each in some})
        await note_accesses(connection, store, shown, by, "find_people", "looked for a name")
        if not all(found):
            await note_access(connection, store, None, by, "find_people", "looked for a name, and found nobody")
    return found


def _shown(rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Of each who is looked for: those likely to be meant, or else the first few of those who may be."""
    shown: dict[int, list[Row[Any]]] = {}
    for row in rows:
        some = shown.setdefault(row.place, [])
        if row.likely or (len(some) < MOST_IF_NOBODY and not any(each.likely for each in some)):
            some.append(row)
    return [row for some in shown.values() for row in some]


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


async def _names(
    connection: AsyncConnection, store: Store, references: list[str]
) -> tuple[dict[str, dict[str | None, Names]], dict[str, tuple[str, ...]]]:
    """The names in these cases, by subject, without those whose people are erased; and what these cases warn of."""
    if not references:
        return {}, {}
    keys: dict[str, AESGCM] = {}
    for row in (await connection.execute(_KEYS, {"these": references})).all():
        with suppress(KeyDestroyed):
            keys[row.reference] = AESGCM(store.keyring.unwrap(row.wrapped, row.reference))
    names: dict[str, dict[str | None, Names]] = {reference: {} for reference in keys}
    states = (await connection.execute(_STATES, {"these": references})).all()
    cases = {row.reference: Referral.model_validate_json(row.state) for row in states}
    for item in (await connection.execute(_PEOPLE, {"these": references})).all():
        if item.reference in keys and cases[item.reference].stands(str(item.id), item.subject):
            content = unseal(keys[item.reference], item.sealed, item.reference)
            name = name_of(content)[:LONGEST_NAME]
            names[item.reference].setdefault(item.subject, {})[name] = frozenset(comparable(name))
    return names, {reference: case.warnings for reference, case in cases.items()}


def _likest(names: Names, name: str) -> str:
    asked = set(comparable(name))
    return max(names, key=lambda each: len(asked & names[each]), default="")
