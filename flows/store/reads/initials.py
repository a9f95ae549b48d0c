"""Who the cases of a list are about, for whoever reads their people anyway: initials and a birthday, opened under each case's own
key. Nothing of it is kept: what is erased with the key is not here either."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, bindparam, select

from mash.config.permissions import may_read_words, reach
from mash.flows.store.details import day
from mash.flows.store.keys import KeyDestroyed, NoKeyHere, unseal
from mash.flows.store.names import initials_of
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.participants import reached
from mash.flows.store.store import Store
from mash.flows.store.tables import ITEMS, KEYS
from mash.states.values import Actor

SUBJECT = "subject"
Sealed = Row[Any, Any, Any, Any, Any]
_SEALED = (
    select(ITEMS.c.reference, ITEMS.c.id, ITEMS.c.subject, ITEMS.c.sealed, KEYS.c.wrapped)
    .join(KEYS, KEYS.c.reference == ITEMS.c.reference)
    .where(ITEMS.c.reference.in_(bindparam("these", expanding=True)), ITEMS.c.kind == SUBJECT)
    .order_by(ITEMS.c.reference, ITEMS.c.created_at, ITEMS.c.id)
)


@dataclass(frozen=True)
class Initialled:
    """A subject by their initials (none where no name is known), and the day on which they were born."""

    initials: str
    born: date | None
    unborn: bool = False


async def who_is_in(store: Store, by: Actor, cases: Sequence[Case]) -> dict[str, list[Initialled]]:
    """By reference: the subjects of these cases, of those that somebody works at or takes part in; not of one that they only read
    for a time, nor of one whose people are erased."""
    if not may_read_words(by.role, SUBJECT):
        return {}
    async with store.transaction(by) as connection:
        parts = await reached(connection, store, [case.reference for case in cases], by)
        theirs = {case.reference: case for case in cases if parts.get(case.reference) or reach(by.role) == "hub"}
        rows = (await connection.execute(_SEALED, {"these": sorted(theirs)})).all() if theirs else []
    found: dict[str, list[Initialled]] = {}
    for reference, some in _by_case(rows).items():
        people = _people(store, theirs[reference], some)
        if people:
            found[reference] = [people[subject] for subject in theirs[reference].referral.subjects if subject in people]
    return found


def _by_case(rows: Iterable[Sealed]) -> dict[str, list[Sealed]]:
    found: dict[str, list[Sealed]] = {}
    for row in rows:
        found.setdefault(row.reference, []).append(row)
    return found


def _people(store: Store, case: Case, rows: Sequence[Sealed]) -> dict[str, Initialled]:
    """The subjects of a case as they are known now; nobody where its key is not there."""
    try:
        key = AESGCM(store.keyring.unwrap(rows[0].wrapped, case.reference))
        standing = [row for row in rows if case.referral.stands(str(row.id), row.subject)]
        return {
            row.subject: _initialled(
                json.loads(unseal(key, row.sealed, case.reference)), case.referral.subjects[row.subject].cohort
            )
            for row in standing
            if row.subject in case.referral.subjects
        }
    except (KeyDestroyed, NoKeyHere):
        return {}


def _initialled(fields: Mapping[str, Any], cohort: str) -> Initialled:
    born = day(str(fields.get("date_of_birth") or ""))
    return Initialled(initials_of(fields.get("name")), born, cohort == "unborn" and born is None)
