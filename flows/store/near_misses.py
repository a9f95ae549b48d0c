"""Recording a near miss: what nearly went wrong, as anybody of the hub's staff saw it. No blame: who recorded it is not kept. And
removing what was written of one, where somebody is named in it who should not be."""

from __future__ import annotations

from typing import Literal

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.erasure import Horizon, rewrite_keys
from mash.flows.store.keys import KeyDestroyed, seal
from mash.flows.store.reads.look import note_access
from mash.flows.store.reads.near_misses import Kind, bound_to, key_of
from mash.flows.store.store import Store
from mash.flows.store.tables import NEAR_MISSES, REFERRALS
from mash.states.clocks import LONDON
from mash.states.errors import Incomplete, NotFound, ReasonNeeded
from mash.states.values import Actor

WhyRemoved = Literal["names_somebody", "right_to_erasure", "court_order", "recorded_by_mistake"]
"""Why what was written of a near miss is removed."""
_REMOVE = text("SELECT remove_near_miss(:number, :at)")


async def record_near_miss(store: Store, kind: Kind, words: str, once: str, by: Actor, reference: str | None = None) -> None:
    """Keep a near miss, about a case or none. `once` is a random number of the form: the same one sent again is one. Raises
    ReasonNeeded without words, NotFound for a case that whoever records it does not reach, Incomplete for one whose people are
    erased."""
    if not words:
        raise ReasonNeeded("a near miss")
    async with store.transaction(by) as connection:
        key = AESGCM.generate_key(256)
        values = {
            "hub": by.hub,
            "day": store.time.now().astimezone(LONDON).date(),
            "kind": kind,
            "reference": reference,
            "once": once,
            "sealed": seal(AESGCM(key), words.encode(), bound_to(reference, once)),
            "wrapped": await _wrapped(connection, store, key, reference, once),
        }
        # Inline: asked for the number of its row, the database would refuse it to those who may not read rows.
        await connection.execute(insert(NEAR_MISSES).inline().values(**values).on_conflict_do_nothing())


async def _wrapped(connection: AsyncConnection, store: Store, key: bytes, reference: str | None, once: str) -> bytes:
    """The key of its words, wrapped by that of the case that it names: gone with its people."""
    if reference is not None and not await connection.scalar(
        select(REFERRALS.c.reference).where(REFERRALS.c.reference == reference)
    ):
        raise NotFound("there is no such referral at this hub: leave the case out, or check its reference")
    try:
        return seal(await key_of(connection, store, reference), key, bound_to(reference, once))
    except KeyDestroyed:
        raise Incomplete("the people of this case are erased: record it without the case, and name nobody") from None


async def remove_near_miss(store: Store, number: int, why: WhyRemoved, by: Actor) -> Horizon:
    """Destroy the key of what was written of a near miss: nobody reads it any more, and that there was one of its kind stays. It
    is a look. Returns where the key can still be. Raises NotFound where somebody's hub has none of this number whose words are
    there."""
    async with store.transaction(by) as connection:
        if not await connection.scalar(_REMOVE, {"number": number, "at": store.time.now()}):
            raise NotFound("there is no near miss of this number at this hub, or its words were removed before")
        await note_access(connection, store, None, by, "remove_near_miss", f"removed what near miss {number} says: {why}")
    return await rewrite_keys(store)
