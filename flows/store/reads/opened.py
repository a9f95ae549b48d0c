"""What was said of many cases, opened at once: for lists that name people, on a page or on paper."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.keys import KeyDestroyed, NoKeyHere, unseal
from mash.flows.store.reads.case import Case
from mash.flows.store.store import Store
from mash.flows.store.tables import ITEMS, KEYS
from mash.states.referral import Referral

log = structlog.stdlib.get_logger("mash.store")
_KEYS = select(KEYS.c.reference, KEYS.c.wrapped).where(KEYS.c.reference.in_(bindparam("these", expanding=True)))
_ITEMS = (
    select(ITEMS.c.id, ITEMS.c.reference, ITEMS.c.kind, ITEMS.c.subject, ITEMS.c.sealed, ITEMS.c.created_by)
    .where(
        ITEMS.c.reference.in_(bindparam("these", expanding=True)),
        ITEMS.c.kind.in_(bindparam("kinds", expanding=True)),
    )
    .order_by(ITEMS.c.reference, ITEMS.c.created_at, ITEMS.c.id)
)
_WORDS = select(ITEMS.c.id, ITEMS.c.reference, ITEMS.c.sealed).where(
    ITEMS.c.id.in_(bindparam("these", expanding=True)), ITEMS.c.kind == bindparam("kind")
)


@dataclass(frozen=True)
class Said:
    """What came with a referral as fields: of which kind, and about which subject."""

    kind: str
    subject: str | None
    fields: dict[str, Any]


async def said_of(
    connection: AsyncConnection,
    store: Store,
    cases: Sequence[Case],
    kinds: Iterable[str],
    reads: Callable[[Referral, Any], bool] = lambda referral, row: True,
) -> dict[str, list[Said]]:
    """By reference: what stands now of these kinds of items, all of which are fields, as far as whoever looks `reads` it;
    subjects in their order. A case is left out whose people were erased, whose key no master key opens that is here, or of which
    an item cannot be read: a part of it would be taken for all."""
    if not cases:
        return {}
    these = [case.reference for case in cases]
    keys = await keys_here(connection, store, these)
    states = {case.reference: case.referral for case in cases}
    found: dict[str, list[Said]] = {reference: [] for reference in keys}
    for row in (await connection.execute(_ITEMS, {"these": these, "kinds": [*kinds]})).all():
        if row.reference not in found or not states[row.reference].stands(str(row.id), row.subject):
            continue
        if not reads(states[row.reference], row):
            continue
        try:
            content = json.loads(unseal(keys[row.reference], row.sealed, row.reference))
        except (KeyDestroyed, ValueError) as error:
            log.error("what was said of a case cannot be read", reference=row.reference, error=type(error).__name__)
            del found[row.reference]
            continue
        found[row.reference].append(Said(row.kind, row.subject, content))
    return {reference: sorted(said, key=_place) for reference, said in found.items()}


def _place(said: Said) -> int:
    return int((said.subject or "S0").removeprefix("S"))


async def words_of(connection: AsyncConnection, store: Store, items: Sequence[str], kind: str) -> dict[str, str]:
    """By item: the words of those of these that are of this kind, and can be opened here."""
    rows = (await connection.execute(_WORDS, {"these": [*items], "kind": kind})).all() if items else []
    keys = await keys_here(connection, store, sorted({row.reference for row in rows}))
    return {str(row.id): unseal(keys[row.reference], row.sealed, row.reference).decode() for row in rows if row.reference in keys}


async def keys_here(connection: AsyncConnection, store: Store, references: Sequence[str]) -> dict[str, AESGCM]:
    """The keys of these cases, without those that were destroyed or cannot be had here."""
    keys = dict[str, AESGCM]()
    for row in (await connection.execute(_KEYS, {"these": [*references]})).all() if references else []:
        with suppress(KeyDestroyed, NoKeyHere):
            keys[row.reference] = AESGCM(store.keyring.unwrap(row.wrapped, row.reference))
    return keys
