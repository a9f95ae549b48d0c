"""What is on record of a hub for a simulation to learn from: cases, some of their events, and how long acts took. Codes and times
only; nobody's words, and of who looked only how long before an act that was."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import NamedTuple

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
# From when somebody first opened the case in the sitting in which they acted on it: no half hour without a look, two hours at
# most, and nothing done elsewhere since. Giving an act looks at the case too, a moment before: that look alone says nothing. Nor
# do looks before what was only typed in later.
_TOOK = text("""
    WITH act AS (
        SELECT e.reference, e.kind, e.at, told.it #>> '{by,id}' AS person, told.it #>> '{event,proposed_by}' IS NOT NULL AS signs
        FROM event e CROSS JOIN LATERAL (SELECT CAST(e.canonical AS json) AS it) told
        WHERE e.hub = :hub AND e.at >= :since AND e.at < :until AND e.kind = ANY(:kinds)
            AND told.it ->> 'happened_at' IS NULL),
    acted AS (SELECT act.*, lag(at) OVER (PARTITION BY person ORDER BY at) AS before FROM act)
    SELECT acted.kind, acted.signs, acted.at, extract(epoch FROM acted.at - opened.at) / 60 AS minutes
    FROM acted CROSS JOIN LATERAL (
        SELECT max(look.at) FILTER (WHERE look.begins) AS at, max(look.at) AS last FROM (
            SELECT a.at, coalesce(a.at - lag(a.at) OVER (ORDER BY a.at) > interval '30 min', true) AS begins
            FROM access a WHERE a.reference = acted.reference AND a.person = acted.person AND a.at < acted.at
                AND a.at > greatest(acted.at - interval '2 h', acted.before)) look) opened
    WHERE acted.at - opened.last <= interval '30 min'
    ORDER BY acted.at""").bindparams(bindparam("kinds"))


class Took(NamedTuple):
    """How long somebody was at a case before an act: of which kind (a decision of another's that they `signs` off), when."""

    kind: str
    signs: bool
    at: datetime
    minutes: float


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


async def minutes_on_record(store: Store, by: Actor, since: datetime, until: datetime, kinds: Sequence[str]) -> list[Took]:
    """How many minutes before an act of these kinds whoever gave it had opened the case."""
    asked = {"hub": by.hub, "since": since, "until": until, "kinds": [*kinds]}
    async with store.transaction(by, of_system=True) as connection:
        rows = (await connection.execute(_TOOK, asked)).all()
    return [Took(row.kind, row.signs, row.at, float(row.minutes)) for row in rows]
