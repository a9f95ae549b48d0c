"""Which alerts somebody has taken on, who and when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import text

from mash.flows.store.store import Store

WITHIN = timedelta(days=8)
"""An alert that was taken on longer ago has been raised again by then, over any holidays."""


class TakenOn(NamedTuple):
    """An alert that somebody has."""

    reference: str
    clock: str
    person: str
    at: datetime


# The events say who may have one, by an index; the state, whether they still do.
_TAKEN_ON = text("""
    SELECT taken.* FROM (
        SELECT DISTINCT ON (reference, clock) reference, clock, person, at FROM (
            SELECT reference, sequence, at, CAST(canonical AS json) #>> '{event,id}' AS clock,
                CAST(canonical AS json) #>> '{by,id}' AS person
            FROM event WHERE hub = :hub AND at >= :since AND kind = 'alert_acknowledged') said
        ORDER BY reference, clock, sequence DESC) taken
    JOIN referral r ON r.reference = taken.reference AND r.next_at IS NOT NULL
    WHERE CAST(r.state AS json) #>> ARRAY['clocks', clock, 'acknowledged_by'] = person
        AND CAST(r.state AS json) #>> ARRAY['clocks', clock, 'ended_at'] IS NULL""")


async def taken_on(store: Store, hub: str) -> list[TakenOn]:
    """The alerts of a hub that somebody has."""
    async with store.single.connect() as connection:
        rows = await connection.execute(_TAKEN_ON, {"hub": hub, "since": store.time.now() - WITHIN})
        return [TakenOn(row.reference, row.clock, row.person, row.at) for row in rows]
