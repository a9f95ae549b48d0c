"""Who of a contact is probably known already from the hub's other contacts. It is shown to people, and merges nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row as SqlRow
from sqlalchemy import bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.keys import unseal
from mash.flows.store.likeness import Grade, Hub, Likeness, Person, Row, compared, wanted
from mash.flows.store.marks import columns, facts
from mash.flows.store.names import NAMED, is_somebody, shared_address
from mash.flows.store.number_arrays import Numbers
from mash.flows.store.store import Store
from mash.flows.store.tables import ITEMS, PEOPLE
from mash.flows.store.writes import Item
from mash.states.referral import Referral

TOO_MANY = 150
"""People who share something are not told apart by it: so many are as none."""
MOST_CONTACTS = 60
"""That are compared with one, those that have most in common with it."""
MOST_PEOPLE = 12
"""Of a contact who are looked for, the subjects first: hardly a family has more."""
MOST_COUNTED = 8_000
"""Bearers of a name who are counted: beyond, it is common."""

_SOUGHT = bindparam("sought", type_=Numbers())
_CONTACTS = text("SELECT * FROM contacts_alike(:hub, :apart_from, :sought, :too_many, :most)").bindparams(_SOUGHT)
_SHARED = text("""
    SELECT (SELECT people_of_hub(:hub)) AS people, s.key, s.many
    FROM (SELECT) once LEFT JOIN how_many_share(:sought, :most) s ON true""").bindparams(_SOUGHT)
_CASE = text("""
    SELECT r.hub, r.root, r.state, k.wrapped FROM referral r LEFT JOIN referral_key k USING (reference)
    WHERE r.reference = :of""")
_ITEMS = (
    select(ITEMS.c.id, ITEMS.c.kind, ITEMS.c.sealed, ITEMS.c.subject)
    .where(ITEMS.c.reference == bindparam("of"), ITEMS.c.kind.in_(NAMED))
    .order_by(ITEMS.c.subject, ITEMS.c.created_at, ITEMS.c.id)
)
_ROWS = select(PEOPLE).where(PEOPLE.c.hub == bindparam("hub"), PEOPLE.c.reference.in_(bindparam("these", expanding=True)))


@dataclass(frozen=True)
class Match:
    """A person of a contact, and who in another contact of the hub is probably the same."""

    subject: str | None
    """Which subject; None for somebody of the household."""
    reference: str
    other: str | None
    grade: Grade
    why: tuple[str, ...]
    """Codes for and against, such as `born_same` and `other_name`."""
    score: float
    """The logarithm of the odds that it is the same person, to base two, as far as the weights are right."""
    row: Row
    """Who it is there: of a household, `other` does not say."""


async def likely_known(connection: AsyncConnection, store: Store, reference: str) -> list[Match]:
    """Who of this contact is probably known already, the likest first; within a transaction of the hub's system actor. Raises
    KeyDestroyed where its people are erased."""
    row, case, named = await _named(connection, store, reference)
    people = sought(store.keyring.search, row.hub, named)
    found = await look_for(connection, row.hub, row.root, people)
    return [
        Match(people[each.place].subject, each.row.reference, each.row.subject, each.grade, each.why, each.score, each.row)
        for each in found
        if people[each.place].subject not in case.left  # they are looked for where they stand
    ]


def sought(key: bytes, hub: str, named: Sequence[Item]) -> list[Person]:
    """The people in these items as they are looked for, the subjects first, MOST_PEOPLE at most."""
    address, people = shared_address(named), list[Person]()
    for item in sorted(named, key=lambda item: NAMED.index(item.kind)):
        known = facts(item.content, address)
        if is_somebody(item.content, known):
            people.append(wanted(key, hub, item.subject, known, columns(key, hub, known)["keys"]))
    return people[:MOST_PEOPLE]


async def people_sharing(
    connection: AsyncConnection, hub: str, keys: Sequence[int], most: int, *, apart_from: str = ""
) -> Sequence[SqlRow[Any]]:
    """All people of the contacts of a hub that have most in common with these keys, `most` contacts of them; within a transaction
    of the software's own role."""
    sought = {"sought": list(keys), "too_many": TOO_MANY, "most": most}
    references = list(await connection.scalars(_CONTACTS, {"hub": hub, "apart_from": apart_from, **sought}))
    return (await connection.execute(_ROWS, {"hub": hub, "these": references})).all() if references else ()


async def look_for(connection: AsyncConnection, hub: str, root: str, people: Sequence[Person]) -> list[Likeness]:
    """Who in the hub's other contacts is like these people."""
    keys = sorted({key for person in people for key in person.keys})
    found = await people_sharing(connection, hub, keys, MOST_CONTACTS, apart_from=root)
    if not found:
        return []
    rows = [
        Row(
            row.id, row.reference, row.subject, frozenset(row.tokens), row.born, tuple(row.parts or ()), frozenset(row.near),
            row.nhs_number, row.upn, row.postcode, row.address,
        )
        for row in found
    ]  # fmt: skip
    words = {each for person in people for word in (*person.given, *person.family) for each in (word.count, word.sounding)}
    shares = (await connection.execute(_SHARED, {"hub": hub, "sought": sorted(words), "most": MOST_COUNTED})).all()
    return compared(people, rows, Hub(shares[0].people, {row.key: row.many for row in shares if row.key is not None}))


async def named_items(connection: AsyncConnection, store: Store, reference: str) -> list[Item]:
    """The items in which a contact names people, as they stand now. Raises KeyDestroyed where they are erased, and NoKeyHere
    where their key is another master key's."""
    _, _, named = await _named(connection, store, reference)
    return named


async def _named(connection: AsyncConnection, store: Store, reference: str) -> tuple[SqlRow[Any], Referral, list[Item]]:
    row = (await connection.execute(_CASE, {"of": reference})).one()
    cipher, case = AESGCM(store.keyring.unwrap(row.wrapped, reference)), Referral.model_validate_json(row.state)
    items = (await connection.execute(_ITEMS, {"of": reference})).all()
    there = [each for each in items if case.stands(str(each.id), each.subject)]
    return row, case, [Item(each.kind, unseal(cipher, each.sealed, reference), each.subject) for each in there]
