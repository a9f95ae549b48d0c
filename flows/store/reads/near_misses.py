"""Near misses as managers read them: each with its words, and how many of each kind."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Literal, get_args

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.keys import KeyDestroyed, unseal
from mash.flows.store.reads.look import note_access, note_shown
from mash.flows.store.store import Store, data_key
from mash.flows.store.tables import NEAR_MISSES
from mash.states.clocks import LONDON
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
WHY = "works at the hub"


@dataclass(frozen=True)
class NearMiss:
    """Something that nearly went wrong. `words` are None once they were removed, or the people of the case that it names are
    erased."""

    id: int
    day: date
    kind: str
    reference: str | None
    words: str | None
    removed: bool


async def key_of(connection: AsyncConnection, store: Store, reference: str | None) -> AESGCM:
    """What wraps the key of a near miss's words: the key of the case that it names, or else the installation's."""
    return AESGCM(await data_key(connection, store, reference) if reference else store.keyring.near_misses)


def bound_to(reference: str | None, once: str) -> str:
    """What its words and their key are bound to: a row that is copied to another case, or another near miss, does not open."""
    return f"{reference or 'no case'} near miss {once}"


async def near_misses(store: Store, by: Actor, before: int | None = None) -> list[NearMiss]:
    """The near misses of somebody's hub, the latest first; MOST, and one more where there are more. `before`: only those before
    the one of this number. It is a look at the cases that they name, and one where they name none."""
    query = select(NEAR_MISSES).where(NEAR_MISSES.c.hub == by.hub).order_by(NEAR_MISSES.c.id.desc()).limit(MOST + 1)
    if before is not None:
        query = query.where(NEAR_MISSES.c.id < before)
    async with store.transaction(by) as connection:
        rows = (await connection.execute(query)).all()
        found = [
            NearMiss(row.id, row.day, row.kind, row.reference, await _words(connection, store, row), row.removed_at is not None)
            for row in rows
        ]
        if named := sorted({each.reference for each in found[:MOST] if each.reference}):
            await note_shown(connection, store, named, by, "read_near_misses", WHY)
        if any(each.reference is None for each in found[:MOST]):
            await note_access(connection, store, None, by, "read_near_misses", f"{WHY}: those that name no case")
    return found


async def near_miss_words(connection: AsyncConnection, store: Store, reference: str) -> list[tuple[str, datetime, str]]:
    """What was written of near misses that name a case: an id, its day (the beginning of it), and the words; for whoever may read
    all of a case."""
    rows = (
        await connection.execute(select(NEAR_MISSES).where(NEAR_MISSES.c.reference == reference).order_by(NEAR_MISSES.c.id))
    ).all()
    found = [(f"near miss {row.id}", row.day, await _words(connection, store, row)) for row in rows]
    return [(name, datetime.combine(day, time(0), LONDON), words) for name, day, words in found if words is not None]


async def _words(connection: AsyncConnection, store: Store, row: Row[Any]) -> str | None:
    if row.wrapped is None:
        return None
    bound = bound_to(row.reference, row.once)
    try:
        key = AESGCM(unseal(await key_of(connection, store, row.reference), row.wrapped, bound))
        return unseal(key, row.sealed, bound).decode()
    except KeyDestroyed:
        return None


async def near_misses_counted(store: Store, by: Actor) -> Counter[tuple[str, str]]:
    """How many near misses of each kind were recorded at somebody's hub, by quarter such as '2026 Q4'."""
    quarter = func.to_char(NEAR_MISSES.c.day, text("'YYYY \"Q\"Q'"))
    query = (
        select(quarter, NEAR_MISSES.c.kind, func.count()).where(NEAR_MISSES.c.hub == by.hub).group_by(quarter, NEAR_MISSES.c.kind)
    )
    async with store.transaction(by) as connection:
        return Counter({(when, kind): many for when, kind, many in (await connection.execute(query)).all()})
