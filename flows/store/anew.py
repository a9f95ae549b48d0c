"""Stored states made anew, while people work, where an earlier release folded them by other rules.

A row says by which edition of the rules its state was made. Whoever writes to a case folds its log first where that is an older
one; this does the same for the cases that nobody writes to. Once all are done that is written down, and a row of an older edition
is from then on what somebody else has put there. What people are found by is made anew in the same way, from their sealed items.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.append import lock
from mash.flows.store.edition import EDITION, all_made_anew
from mash.flows.store.keys import KeyDestroyed, NoKeyHere
from mash.flows.store.log import events_of, fold
from mash.flows.store.names import people
from mash.flows.store.reads.known import named_items
from mash.flows.store.store import Store
from mash.flows.store.tables import MADE_ANEW, PEOPLE, REFERRALS

BATCH = 20
_NEXT = text("""
    SELECT reference FROM referral WHERE made < :edition ORDER BY reference LIMIT :batch FOR UPDATE SKIP LOCKED""")


_UNKEYED = text("""
    SELECT DISTINCT p.reference FROM known_person p
    WHERE p.keys = '{}' AND p.reference > :after ORDER BY p.reference LIMIT :batch""")


class Anew:
    """What one worker makes anew, a batch at a time. Where it had come to can be lost."""

    def __init__(self, store: Store) -> None:
        self.store, self.after = store, ""

    async def batch(self) -> int:
        """Make some states anew, then what some people are found by; returns of how many cases. 0 once there are none left."""
        if number := await make_anew(self.store):
            return number
        async with self.store.single.connect() as connection:
            these = list(await connection.scalars(_UNKEYED, {"after": self.after, "batch": BATCH}))
        for reference in these:
            await _key_people(self.store, reference)
        # Those whose key is not here are passed over until the next time.
        self.after = these[-1] if these else ""
        return len(these)


async def _key_people(store: Store, reference: str) -> None:
    """Write anew by what the people of a case are found, and have it looked at whether they are known."""
    async with store.engine.begin() as connection:
        row = next(iter(await lock(connection, [reference])), None)
        if row is None:
            return
        try:
            named = await named_items(connection, store, reference)
        except (KeyDestroyed, NoKeyHere):
            return
        await connection.execute(delete(PEOPLE).where(PEOPLE.c.reference == reference))
        if rows := people(store.keyring.search, reference, row.hub, named):
            await connection.execute(insert(PEOPLE), rows)


async def make_anew(store: Store) -> int:
    """Make the states of some cases anew; returns how many they were. 0 once there are none left, which is written down."""
    async with store.engine.begin() as connection:
        references = list((await connection.scalars(_NEXT, {"edition": EDITION, "batch": BATCH})).all())
        for reference in references:
            await _make_anew(connection, reference)
    if not references:
        await _finish(store)
    return len(references)


async def _make_anew(connection: AsyncConnection, reference: str) -> None:
    referral = fold(await events_of(connection, reference))
    values = {
        "state": referral.model_dump_json(),
        "stage": referral.stage,
        "rating": referral.rating,
        "is_open": referral.open,
        "finished": referral.finished,
        "due_at": referral.due_at,
        "next_at": referral.next_at,
        "made": EDITION,
    }
    await connection.execute(update(REFERRALS).where(REFERRALS.c.reference == reference).values(**values))


async def _finish(store: Store) -> None:
    left = select(func.count()).select_from(REFERRALS).where(REFERRALS.c.made < EDITION)
    async with store.engine.begin() as connection:
        if not await all_made_anew(connection) and await connection.scalar(left) == 0:
            number = await connection.scalar(select(func.count()).select_from(REFERRALS))
            done = {"edition": EDITION, "at": datetime.now(UTC), "referrals": number}
            await connection.execute(insert(MADE_ANEW).values(**done).on_conflict_do_nothing())
