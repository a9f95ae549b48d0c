"""What the cases of a hub add up to: what was added up as they ended, and the others as they stand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from mash.flows.store.reads.figures import called, came_in
from mash.flows.store.reads.sums import EDITION, Sums
from mash.flows.store.store import Store
from mash.states.clocks import LONDON
from mash.states.values import Actor

AT_A_TIME = 500
"""States in memory at once, of some kilobytes each."""

BUCKET = "CAST(received_at AT TIME ZONE 'Europe/London' AS date) || ' ' || (hashtext(reference) & 3)"
"""Cases that wait for something are added up some at a time: by the day on which they came in, as older ones change less."""
ROWS = "md5(string_agg(reference || ' ' || CAST(xmin AS text), ',' ORDER BY reference))"
"""A digest of rows as they stand: whoever writes one, by whatever way, makes it another."""

# One statement, so that a case is in what was added up or read by itself, and never both. A day that has something of before is
# read case by case, as are all days of which nothing was added up; of any other, those that were finished since. Of days before,
# alerts and second looks alone count, by when they were.
_FOUND = text(f"""
    WITH owed AS MATERIALIZED (
        SELECT day, reference, anew FROM figure_owed WHERE hub = :hub AND day >= :day
    ), kept AS MATERIALIZED (
        SELECT day, stamp, edition = :edition AND made_at <= :now AND NOT EXISTS (
            SELECT FROM owed WHERE owed.day = s.day AND owed.anew) AS holds
        FROM figure_sum s WHERE hub = :hub AND day >= :day
    ), by_case AS MATERIALIZED (
        SELECT day FROM (SELECT day FROM owed UNION SELECT day FROM kept) d
        WHERE NOT EXISTS (SELECT FROM kept WHERE kept.day = d.day AND kept.holds)
    ), months AS MATERIALIZED (
        SELECT month FROM figure_month m WHERE hub = :hub AND month >= :day AND earliest >= :first AND of = (
            SELECT md5(string_agg(CAST(stamp AS text), ' ' ORDER BY day)) FROM kept
            WHERE holds AND CAST(date_trunc('month', day) AS date) = m.month)
    ), waiting AS MATERIALIZED (
        SELECT f.bucket FROM (
            SELECT {BUCKET} AS bucket, {ROWS} AS of FROM referral WHERE hub = :hub AND NOT finished GROUP BY 1) w
        JOIN figure_open f ON f.hub = :hub AND f.bucket = w.bucket AND f.of = w.of AND f.edition = :edition AND f.made_at <= :now
    )
    SELECT NULL AS root, NULL AS reference, m.sums AS content FROM months JOIN figure_month m ON m.hub = :hub
        AND m.month = months.month
    UNION ALL
    SELECT NULL, NULL, s.sums FROM kept JOIN figure_sum s ON s.hub = :hub AND s.day = kept.day
    WHERE kept.holds AND CAST(date_trunc('month', kept.day) AS date) NOT IN (SELECT month FROM months)
    UNION ALL
    SELECT 'called', NULL, s.sums FROM figure_sum s WHERE hub = :hub AND day < :day AND called_until >= :first
        AND edition = :edition AND made_at <= :now
    UNION ALL
    SELECT NULL, NULL, f.sums FROM waiting JOIN figure_open f ON f.hub = :hub AND f.bucket = waiting.bucket
    UNION ALL
    SELECT root, reference, state FROM referral WHERE hub = :hub AND NOT finished AND {BUCKET} NOT IN (SELECT bucket FROM waiting)
    UNION ALL
    SELECT r.root, r.reference, r.state FROM (
        SELECT DISTINCT reference FROM owed WHERE day NOT IN (SELECT day FROM by_case)) new
    JOIN referral r ON r.reference = new.reference WHERE r.hub = :hub AND r.finished
    UNION ALL
    SELECT r.root, r.reference, r.state FROM by_case d CROSS JOIN LATERAL (
        SELECT root, reference, state FROM referral WHERE hub = :hub AND finished
            AND received_at >= CAST(d.day AS timestamp) AT TIME ZONE 'Europe/London'
            AND received_at < CAST(d.day + 1 AS timestamp) AT TIME ZONE 'Europe/London') r""")  # noqa: S608  constants of ours


async def added_up(store: Store, by: Actor, since: datetime, first: datetime, now: datetime) -> AsyncIterator[list[Sums]]:
    """What the cases of somebody's own hub add up to that came in on that day in London, or since, or still wait for something,
    some at a time. Where the weeks begin that are looked at, is `first`: of clocks that were due before, nobody asks how long
    each took.

    To add up takes a while, which is spent elsewhere than on the event loop."""
    asked = {
        "hub": by.hub,
        "day": since.astimezone(LONDON).date(),
        "first": first.astimezone(LONDON).date(),
        "edition": EDITION,
        "now": now,
    }
    cases, references = Sums(), list[str]()
    async with store.transaction(by) as connection:
        async for rows in (await connection.stream(_FOUND, asked)).partitions(AT_A_TIME):
            references += [row.reference for row in rows if row.reference]
            yield await asyncio.to_thread(_kept, rows, cases, now)
        for at in range(0, len(references), AT_A_TIME):
            cases.add_called(await called(connection, by.hub, references[at : at + AT_A_TIME]))
    came = await came_in(store, by, cases.unseen)
    await asyncio.to_thread(cases.place, came)
    yield [cases]


def _kept(rows: Sequence[Row[Any]], cases: Sums, now: datetime) -> list[Sums]:
    """What was added up; the others are added."""
    cases.add_all(((row.root, row.content) for row in rows if row.reference), now)
    kept = [(row.root, Sums.load(row.content)) for row in rows if not row.reference]
    return [sums.of_calls if only else sums for only, sums in kept]
