"""Recording a near miss: what nearly went wrong, as anybody of the hub's staff saw it. No blame: who recorded it is not kept."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.keys import KeyDestroyed, seal
from mash.flows.store.reads.near_misses import Kind, bound_to, key_of
from mash.flows.store.store import Store
from mash.flows.store.tables import NEAR_MISSES, REFERRALS
from mash.states.errors import Incomplete, NotFound, ReasonNeeded
from mash.states.values import Actor


async def record_near_miss(store: Store, kind: Kind, words: str, once: str, by: Actor, reference: str | None = None) -> None:
    """Keep a near miss, about a case or none. `once` is a random number of the form: the same one sent again is one. Raises
    ReasonNeeded without words, NotFound for a case that whoever records it does not reach, Incomplete for one whose people are
    erased."""
    if not words:
        raise ReasonNeeded("a near miss")
    async with store.transaction(by) as connection:
        values = {
            "hub": by.hub,
            "at": store.time.now(),
            "role": by.role,
            "kind": kind,
            "reference": reference,
            "once": once,
            "sealed": await _sealed(connection, store, reference, words, once),
        }
        # Inline: asked for the number of its row, the database would refuse it to those who may not read rows.
        await connection.execute(insert(NEAR_MISSES).inline().values(**values).on_conflict_do_nothing())


async def _sealed(connection: AsyncConnection, store: Store, reference: str | None, words: str, once: str) -> bytes:
    if reference is not None and not await connection.scalar(
        select(REFERRALS.c.reference).where(REFERRALS.c.reference == reference)
    ):
        raise NotFound("there is no such referral at this hub: leave the case out, or check its reference")
    try:
        return seal(await key_of(connection, store, reference), words.encode(), bound_to(reference, once))
    except KeyDestroyed:
        raise Incomplete("the people of this case are erased: record it without the case, and name nobody") from None
