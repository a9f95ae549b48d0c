"""What managers' figures are reckoned from: the referrals that came in within a time, and how soon alerts were acknowledged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import from_json
from sqlalchemy import select, text

from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS
from mash.states.commands import Actor

AT_A_TIME = 500
"""States in memory at once, of a few kilobytes each."""


async def states(store: Store, by: Actor, since: datetime) -> AsyncIterator[list[dict[str, Any]]]:
    """The states of the referrals that came in since then, as plain data, some hundreds at a time; somebody sees their own hub's.

    As the folded model they would take ten times as long."""
    query = select(REFERRALS.c.reference, REFERRALS.c.state).where(REFERRALS.c.hub == by.hub, REFERRALS.c.received_at >= since)
    async with store.transaction(by) as connection:
        result = await connection.stream(query.order_by(REFERRALS.c.received_at))
        async for rows in result.partitions(AT_A_TIME):
            yield [{**from_json(row.state), "reference": row.reference} for row in rows]


async def open_since(store: Store, by: Actor) -> list[datetime]:
    """When each open referral came in."""
    query = select(REFERRALS.c.received_at).where(REFERRALS.c.hub == by.hub, REFERRALS.c.is_open)
    async with store.transaction(by) as connection:
        return list((await connection.scalars(query)).all())


_ACKNOWLEDGED = text("""
    SELECT e.at - told.at AS took
    FROM event e JOIN referral r USING (reference),
    LATERAL (
        SELECT max(n.created_at) AS at FROM notice n
        WHERE n.reference = e.reference AND n.clock = CAST(e.canonical AS jsonb) #>> '{event,id}' AND n.created_at <= e.at
    ) told
    WHERE e.kind = 'alert_acknowledged' AND e.hub = :hub AND r.received_at >= :since AND told.at IS NOT NULL""")


async def acknowledged_after(store: Store, by: Actor, since: datetime) -> list[timedelta]:
    """How long after its latest alert each clock was acknowledged, of what came in since then."""
    async with store.transaction(by) as connection:
        return list((await connection.scalars(_ACKNOWLEDGED, {"hub": by.hub, "since": since})).all())
