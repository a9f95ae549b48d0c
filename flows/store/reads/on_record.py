"""What is on record of a hub for a simulation to learn from: cases, some of their events, and how long acts took. Codes and times
only; nobody's words, and of who looked only how long before an act that was."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from sqlalchemy import bindparam, text

from mash.flows.store.store import Store
from mash.states.values import Actor

AT_A_TIME = 200
"""Cases in memory at once."""
# One that was split is one: what goes on in a linked referral begins at the decision.
_CASES = text("""
    SELECT r.state, (
        SELECT coalesce(json_agg(json_build_array(e.at, CAST(e.canonical AS json) -> 'event') ORDER BY e.sequence), '[]')
        FROM event e WHERE e.reference = r.reference AND e.kind = ANY(:kinds)) AS events
    FROM referral r WHERE r.hub = :hub AND r.reference = r.root AND r.received_at >= :since AND r.received_at < :until
    ORDER BY r.received_at""").bindparams(bindparam("kinds"))
# From when somebody last opened the case before they acted on it, two hours back at most.
_MINUTES = text("""
    SELECT e.kind, extract(epoch FROM e.at - opened.at) / 60 AS minutes FROM event e CROSS JOIN LATERAL (
        SELECT max(a.at) AS at FROM access a WHERE a.reference = e.reference AND a.at < e.at AND a.at > e.at - interval '2 h'
            AND a.person = CAST(e.canonical AS json) #>> '{by,id}') opened
    WHERE e.hub = :hub AND e.at >= :since AND e.at < :until AND e.kind = ANY(:kinds) AND opened.at IS NOT NULL""")


async def cases_on_record(
    store: Store, by: Actor, since: datetime, until: datetime, kinds: Sequence[str]
) -> AsyncIterator[tuple[str, str]]:
    """The contacts of somebody's hub that came in within that time: each as it is stored, and its events of these kinds as JSON
    (a list of time and event), one at a time."""
    asked = {"hub": by.hub, "since": since, "until": until, "kinds": [*kinds]}
    async with store.transaction(by, of_system=True) as connection:
        async for rows in (await connection.stream(_CASES, asked)).partitions(AT_A_TIME):
            for row in rows:
                yield row.state, json.dumps(row.events)


async def minutes_on_record(
    store: Store, by: Actor, since: datetime, until: datetime, kinds: Sequence[str]
) -> list[tuple[str, float]]:
    """How many minutes before an act of these kinds whoever gave it had opened the case: kind of event, minutes."""
    asked = {"hub": by.hub, "since": since, "until": until, "kinds": [*kinds]}
    async with store.transaction(by, of_system=True) as connection:
        return [(row.kind, float(row.minutes)) for row in (await connection.execute(_MINUTES, asked)).all()]
