"""A second copy of what an open case is about: the people whom only the copy names go to that case."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.append import append, lock, standing
from mash.flows.store.corrections import Given
from mash.flows.store.details import FIELDS, NOTHING, in_one_piece
from mash.flows.store.keys import unseal
from mash.flows.store.names import NAMED
from mash.flows.store.sounds import comparable
from mash.flows.store.store import Store, data_key
from mash.flows.store.tables import ITEMS
from mash.states.accumulation import contact_of
from mash.states.acts.corrections import AddSubject, RecordHousehold
from mash.states.errors import Incomplete
from mash.states.referral import Referral
from mash.states.values import Actor, Likeness


@dataclass(frozen=True)
class _Newcomer:
    """Somebody whom only the copy names: how they are recorded in the open case, and their details."""

    command: AddSubject | RecordHousehold
    details: Given


async def add_newcomers(connection: AsyncConnection, store: Store, copy: tuple[str, Referral], other: str, by: Actor) -> None:
    """Record in an open case whom only this second copy names, sealed by the case's key. They are owned by whoever closes the
    copy: nobody writes as somebody else, and it is they who bring them there; who gave them first stands in the copy."""
    (row,) = await lock(connection, [other])
    there = (await standing(connection, row)).referral
    for each in await _newcomers(connection, store, copy, (other, there)) if there else []:
        (row,) = await lock(connection, [other])
        await append(connection, store, row, each.command, by, details=each.details)


async def _newcomers(
    connection: AsyncConnection, store: Store, copy: tuple[str, Referral], case: tuple[str, Referral]
) -> list[_Newcomer]:
    """The subjects of a second copy whom nobody has confirmed to be a subject of the open case, and those of its household who
    are not named there. Raises Incomplete where one is only likely to be a subject of it, and where that case is decided, and
    nobody can become one."""
    (reference, closing), (other, there) = copy, case
    confirmed = _alike(closing, other, "confirmed")
    # Whoever is left out because they are probably there is in no open case if they are not; a person can tell.
    if unsettled := [sid for sid in closing.subjects if sid in _alike(closing, other, "likely") - confirmed]:
        raise Incomplete(f"confirm or reject first (identify_subject, reject_match): {', '.join(unsettled)}")
    theirs, known = await _people(connection, store, reference, closing), await _people(connection, store, other, there)
    details: dict[str, Given] = {row.subject: given for row, given in theirs if row.kind == "subject" and row.subject}
    subjects = [
        _Newcomer(AddSubject(cohort=subject.cohort), details.get(sid, {}))
        for sid, subject in closing.subjects.items()
        if sid not in confirmed
    ]
    if subjects and (there.decided or there.proposed is not None):
        raise Incomplete(
            f"{other} is decided, or about to be, and this contact names {len(subjects)} who would have to be added to it:"
            " link the two instead (link_referral), and decide about this contact by itself"
        )
    named = {_named(given) for _, given in known} - {""}
    household = [given for row, given in theirs if row.kind == "household" and given and _named(given) not in named]
    return [*subjects, *(_Newcomer(RecordHousehold(), given) for given in household)]


def _alike(closing: Referral, other: str, likeness: Likeness) -> set[str]:
    """The subjects of the copy who are, or are likely to be, a subject of the open case. Whoever may be of its household only is
    no subject there."""
    return {
        match.subject
        for match in closing.matches
        if contact_of(match.reference) == contact_of(other) and match.other and match.likeness == likeness
    }


async def _people(
    connection: AsyncConnection, store: Store, reference: str, referral: Referral
) -> list[tuple[Row[Any], dict[str, Any]]]:
    """The people of a case as they are known now, each with what their kind has of details."""
    if referral.erased:
        return []
    key = AESGCM(await data_key(connection, store, reference))
    query = select(ITEMS).where(ITEMS.c.reference == reference, ITEMS.c.kind.in_(NAMED))
    rows = (await connection.execute(query.order_by(ITEMS.c.created_at, ITEMS.c.id))).all()
    standing = [row for row in rows if referral.stands(str(row.id), row.subject)]
    return [(row, _details(row, unseal(key, row.sealed, reference))) for row in standing]


def _details(row: Row[Any], content: bytes) -> dict[str, Any]:
    fields = json.loads(content)
    names = FIELDS["subject" if row.kind == "subject" else "household"]
    return {name: fields[name] for name in names if fields.get(name) not in NOTHING}


def _named(given: Mapping[str, Any]) -> str:
    """The name of somebody as it is compared; none of whoever is not named: they may be anybody."""
    return " ".join(comparable(in_one_piece(given.get("name"))))
