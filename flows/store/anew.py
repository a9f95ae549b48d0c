"""Stored states made anew, while people work, where an earlier release folded them by other rules.

A row says by which edition of the rules its state was made. Whoever writes to a case folds its log first where that is an older
one; this does the same for the cases that nobody writes to. Once all are done that is written down, and a row of an older edition
is from then on what somebody else has put there. What people are found by is made anew in the same way, from their sealed items.
"""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from mash.flows.store.append import lock
from mash.flows.store.edition import EDITION, all_made_anew
from mash.flows.store.keys import KeyDestroyed, NoKeyHere
from mash.flows.store.log import events_of, fold
from mash.flows.store.names import people
from mash.flows.store.reads.known import named_items
from mash.flows.store.store import Store
from mash.flows.store.tables import MADE_ANEW, PEOPLE, REFERRALS
from mash.flows.store.writes import urgency

BATCH = 20
log = structlog.stdlib.get_logger("mash.anew")
_NEXT = text("""
    SELECT reference FROM referral WHERE made < :edition AND reference > :after ORDER BY reference LIMIT :batch""")
_OPEN = text("""
    INSERT INTO to_look SELECT reference, hub, now(), 0, now() FROM referral WHERE is_open ON CONFLICT DO NOTHING""")


_UNKEYED = text("""
    SELECT DISTINCT p.reference FROM known_person p
    WHERE p.keys = '{}' AND p.reference > :after ORDER BY p.reference LIMIT :batch""")


class Anew:
    """What one worker makes anew, a batch at a time. Where it had come to can be lost."""

    def __init__(self, store: Store) -> None:
        self.store, self.after_state, self.after_people, self.keyed = store, "", "", False

    async def batch(self) -> int:
        """Make some states anew, then what some people are found by; of how many cases. 0 once there are none left."""
        return await self._states() or await self._people()

    async def _states(self) -> int:
        values = {"edition": EDITION, "after": self.after_state, "batch": BATCH}
        async with self.store.single.connect() as connection:
            these = list(await connection.scalars(_NEXT, values))
        for reference in these:
            await _make_anew(self.store, reference)
        self.after_state = these[-1] if these else ""
        if not these:
            await _finish(self.store)
        return len(these)

    async def _people(self) -> int:
        async with self.store.single.connect() as connection:
            these = list(await connection.scalars(_UNKEYED, {"after": self.after_people, "batch": BATCH}))
            for reference in these:
                await _key_people(self.store, reference)
            if not these and self.keyed:
                await connection.execute(_OPEN)  # whoever was not to be found before is to be found now
        # Those whose key is not here are passed over until the next time.
        self.after_people, self.keyed = (these[-1] if these else ""), bool(these)
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


async def _make_anew(store: Store, reference: str) -> None:
    """Fold a case's log anew. One that cannot be read keeps its row: the derivation reports it, and the others go on."""
    try:
        async with store.engine.begin() as connection:
            (row,) = await lock(connection, [reference])
            if row.made < EDITION:
                referral = fold(await events_of(connection, reference))
                profile = await store.profile(connection, referral.profile)
                values = {
                    "state": referral.model_dump_json(),
                    "stage": referral.stage,
                    "rating": referral.rating,
                    "is_open": referral.open,
                    "finished": referral.finished,
                    "due_at": referral.due_at,
                    "next_at": referral.next_at,
                    "urgency": urgency(referral, profile),
                    "made": EDITION,
                }
                await connection.execute(update(REFERRALS).where(REFERRALS.c.reference == reference).values(**values))
    except Exception as error:
        log.warning("a state could not be made anew", reference=reference, error=type(error).__name__)


async def _finish(store: Store) -> None:
    async with store.engine.begin() as connection:
        if not await all_made_anew(connection):
            number = await connection.scalar(select(func.count()).select_from(REFERRALS))
            done = {"edition": EDITION, "at": datetime.now(UTC), "referrals": number}
            await connection.execute(insert(MADE_ANEW).values(**done).on_conflict_do_nothing())
