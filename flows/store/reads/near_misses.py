"""Near misses as managers read them: each with its words, and how many of each kind."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.keys import KeyDestroyed, unseal
from mash.flows.store.reads.look import note_shown
from mash.flows.store.store import Store, data_key
from mash.flows.store.tables import NEAR_MISSES
from mash.states.values import Actor

Kind = Literal[
    "nearly_closed",
    "nearly_too_late",
    "rated_too_low_and_caught",
    "wrong_person",
    "told_the_wrong_person",
    "warning_not_seen",
    "not_handed_over",
    "agency_not_asked",
    "software_misled",
    "something_else",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
MOST = 200
"""That are listed at once."""


@dataclass(frozen=True)
class NearMiss:
    """Something that nearly went wrong. `words` are None once the people of the case that it names are erased."""

    id: int
    at: datetime
    role: str
    kind: str
    reference: str | None
    words: str | None


async def key_of(connection: AsyncConnection, store: Store, reference: str | None) -> AESGCM:
    """What seals the words of a near miss: the key of the case that it names, or else the installation's."""
    return AESGCM(await data_key(connection, store, reference) if reference else store.keyring.near_misses)


def bound_to(reference: str | None, once: str) -> str:
    """What its words are bound to: a row that is copied to another case, or another near miss, does not open."""
    return f"{reference or 'no case'} near miss {once}"


async def near_misses(store: Store, by: Actor) -> list[NearMiss]:
    """The near misses of somebody's hub, the latest first, MOST at most; it is a look at the cases that they name."""
    query = select(NEAR_MISSES).where(NEAR_MISSES.c.hub == by.hub).order_by(NEAR_MISSES.c.id.desc()).limit(MOST)
    async with store.transaction(by) as connection:
        rows = (await connection.execute(query)).all()
        found = [
            NearMiss(row.id, row.at, row.role, row.kind, row.reference, await _words(connection, store, row)) for row in rows
        ]
        if named := sorted({each.reference for each in found if each.reference}):
            await note_shown(connection, store, named, by, "read_near_misses", "works at the hub")
    return found


async def near_miss_words(connection: AsyncConnection, store: Store, reference: str) -> list[tuple[str, datetime, str]]:
    """What was written of near misses that name a case: an id, when, and the words; for whoever may read all of a case."""
    rows = (
        await connection.execute(select(NEAR_MISSES).where(NEAR_MISSES.c.reference == reference).order_by(NEAR_MISSES.c.id))
    ).all()
    found = [(f"near miss {row.id}", row.at, await _words(connection, store, row)) for row in rows]
    return [(name, at, words) for name, at, words in found if words is not None]


async def _words(connection: AsyncConnection, store: Store, row: Row[Any]) -> str | None:
    try:
        return unseal(await key_of(connection, store, row.reference), row.sealed, bound_to(row.reference, row.once)).decode()
    except KeyDestroyed:
        return None


async def near_misses_counted(store: Store, by: Actor) -> Counter[tuple[str, str]]:
    """How many near misses of each kind were recorded at somebody's hub, by quarter such as '2026 Q4'."""
    quarter = func.to_char(func.timezone("Europe/London", NEAR_MISSES.c.at), text("'YYYY \"Q\"Q'"))
    query = (
        select(quarter, NEAR_MISSES.c.kind, func.count()).where(NEAR_MISSES.c.hub == by.hub).group_by(quarter, NEAR_MISSES.c.kind)
    )
    async with store.transaction(by) as connection:
        return Counter({(when, kind): many for when, kind, many in (await connection.execute(query)).all()})
