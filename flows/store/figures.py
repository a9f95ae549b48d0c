"""What managers' figures are reckoned from: the referrals that came in within a time, and how soon alerts were acknowledged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

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


class Open(NamedTuple):
    """An open referral: when it came in, and until when something is to be done."""

    received_at: datetime
    due_at: datetime | None


async def open_referrals(store: Store, by: Actor) -> list[Open]:
    """Each open referral."""
    query = select(REFERRALS.c.received_at, REFERRALS.c.due_at).where(REFERRALS.c.hub == by.hub, REFERRALS.c.is_open)
    async with store.transaction(by) as connection:
        return [Open(*row) for row in (await connection.execute(query)).all()]


_CAME_IN = text("SELECT reference, received_at FROM referral WHERE hub = :hub AND reference = ANY(:references)")


async def came_in(store: Store, by: Actor, references: set[str]) -> dict[str, datetime]:
    """When each of these referrals came in, of those of somebody's own hub."""
    async with store.transaction(by) as connection:
        rows = await connection.execute(_CAME_IN, {"hub": by.hub, "references": list(references)})
        return {row.reference: row.received_at for row in rows}


_ALERTS = text("""
    SELECT e.reference, CAST(e.canonical AS jsonb) #>> '{event,id}' AS clock, e.kind, e.at
    FROM event e JOIN referral r USING (reference)
    WHERE e.kind IN ('clock_escalated', 'alert_acknowledged') AND r.hub = :hub AND r.received_at >= :since
    ORDER BY e.reference, e.sequence""")


async def acknowledged_after(store: Store, by: Actor, since: datetime) -> list[timedelta]:
    """How long somebody was called, rung after rung, until an alert was acknowledged: of what came in since then."""
    raised, took = dict[tuple[str, str], datetime](), list[timedelta]()
    async with store.transaction(by) as connection:
        for row in await connection.execute(_ALERTS, {"hub": by.hub, "since": since}):
            alert = row.reference, row.clock
            if row.kind == "clock_escalated":
                raised.setdefault(alert, row.at)
            elif alert in raised:
                took.append(row.at - raised.pop(alert))
    return took
