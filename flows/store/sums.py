"""Adds up the cases of a day that are finished, and keeps that: to whoever asks for figures, a year is some hundred sums.

What is to be added up the database writes down itself, in the transaction that writes a case (`figure_owed`).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import structlog
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.away import DATABASE_AWAY
from mash.flows.store.number_arrays import Numbers
from mash.flows.store.reads.added_up import AT_A_TIME, BUCKET, ROWS
from mash.flows.store.reads.figures import Came, called, came_in
from mash.flows.store.reads.sums import EDITION, Sums
from mash.flows.store.store import Store, system_actor

Turn = Callable[[], Awaitable[object]]
"""Waits until what is more urgent is done."""
FEW = 50
"""So many cases of a day that were finished since are read one by one by whoever asks: to add them up takes a write."""
MOST_DAYS = 7
"""So many days are added up by whoever asks; more, as after an upgrade, by the worker, and read case by case until then."""
log = structlog.stdlib.get_logger("mash.sums")


async def _at_once() -> None:
    """Nothing is waited for."""


_OWED = text("""
    SELECT day FROM (
        SELECT day, count(*) AS number, bool_or(anew) AS anew FROM figure_owed WHERE hub = :hub GROUP BY day
        UNION ALL SELECT day, 0, true FROM figure_sum WHERE hub = :hub AND edition <> :edition) owed
    WHERE (anew OR number > :few OR day < :since
        OR NOT EXISTS (SELECT FROM figure_sum s WHERE s.hub = :hub AND s.day = owed.day))
    GROUP BY day ORDER BY day DESC""")
_OF_DAY = text("""
    SELECT CAST(array_agg(id ORDER BY id) AS text[]) AS ids, array_agg(DISTINCT reference) AS references,
        coalesce(bool_or(anew), false) AS anew,
        (SELECT sums FROM figure_sum WHERE hub = :hub AND day = :day AND edition = :edition AND made_at <= :now) AS kept
    FROM figure_owed WHERE hub = :hub AND day = :day""").columns(ids=Numbers())
_CASES = text("""
    SELECT root, reference, state FROM referral WHERE hub = :hub AND finished
        AND received_at >= CAST(CAST(:day AS date) AS timestamp) AT TIME ZONE 'Europe/London'
        AND received_at < CAST(CAST(:day AS date) + 1 AS timestamp) AT TIME ZONE 'Europe/London'""")
_NEW_CASES = text("SELECT root, reference, state FROM referral WHERE hub = :hub AND finished AND reference = ANY(:references)")
_ALONE = text(
    "SELECT pg_try_advisory_xact_lock(hashtextextended('figures ' || :hub || ' ' || (CAST(:day AS date) - DATE '2000-01-01'), 0))"
)
_IDS = text("SELECT id FROM figure_owed WHERE hub = :hub AND day = :day ORDER BY id")
_KEEP = text("""
    INSERT INTO figure_sum (hub, day, edition, made_at, called_until, sums)
    VALUES (:hub, :day, :edition, :now, :called_until, :sums)
    ON CONFLICT (hub, day) DO UPDATE SET edition = excluded.edition, made_at = excluded.made_at,
        called_until = excluded.called_until, sums = excluded.sums, stamp = gen_random_uuid()""")
_GONE = text("""
    INSERT INTO figure_owed (hub, day, reference, anew)
    SELECT hub, day, reference, true FROM (
        SELECT hub, CAST(received_at AT TIME ZONE 'Europe/London' AS date) AS day, min(reference) AS reference
        FROM referral WHERE finished GROUP BY 1, 2) finished
    WHERE NOT EXISTS (SELECT FROM figure_sum s WHERE (s.hub, s.day) = (finished.hub, finished.day))
        AND NOT EXISTS (SELECT FROM figure_owed o WHERE (o.hub, o.day) = (finished.hub, finished.day))""")
_PAID = text("DELETE FROM figure_owed WHERE hub = :hub AND day = :day")
_WAITING = text(f"""
    WITH waiting AS (SELECT {BUCKET} AS bucket, {ROWS} AS of FROM referral WHERE hub = :hub AND NOT finished GROUP BY 1)
    SELECT bucket FROM waiting w WHERE NOT EXISTS (SELECT FROM figure_open f
        WHERE f.hub = :hub AND f.bucket = w.bucket AND f.of = w.of AND f.edition = :edition AND f.made_at <= :now)""")  # noqa: S608  constants of ours
_OF_BUCKET = text(f"""
    SELECT root, reference, state, CAST(xmin AS text) AS stands FROM referral
    WHERE hub = :hub AND NOT finished AND {BUCKET} = :bucket ORDER BY reference""")  # noqa: S608  constants of ours
_KEEP_OPEN = text("""
    INSERT INTO figure_open (hub, bucket, of, edition, made_at, sums) VALUES (:hub, :bucket, :of, :edition, :now, :sums)
    ON CONFLICT (hub, bucket) DO UPDATE SET of = excluded.of, edition = excluded.edition, made_at = excluded.made_at,
        sums = excluded.sums""")
_EMPTY = text(f"""
    DELETE FROM figure_open WHERE hub = :hub
        AND bucket NOT IN (SELECT {BUCKET} FROM referral WHERE hub = :hub AND NOT finished)""")  # noqa: S608  constants of ours
_MONTHS = text("""
    SELECT month FROM (
        SELECT CAST(date_trunc('month', day) AS date) AS month, md5(string_agg(CAST(stamp AS text), ' ' ORDER BY day)) AS of
        FROM figure_sum WHERE hub = :hub AND edition = :edition GROUP BY 1) s
    WHERE NOT EXISTS (SELECT FROM figure_month m WHERE m.hub = :hub AND m.month = s.month AND m.of = s.of)""")
_DAYS = text("""
    SELECT sums, md5(string_agg(CAST(stamp AS text), ' ') OVER (
        ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)) AS of
    FROM figure_sum WHERE hub = :hub AND edition = :edition AND CAST(date_trunc('month', day) AS date) = :month""")
_KEEP_MONTH = text("""
    INSERT INTO figure_month (hub, month, of, earliest, sums) VALUES (:hub, :month, :of, :earliest, :sums)
    ON CONFLICT (hub, month) DO UPDATE SET of = excluded.of, earliest = excluded.earliest, sums = excluded.sums""")


class _Day(NamedTuple):
    """What was added up of a day, and which rows said that it is owed."""

    ids: Sequence[int]
    sums: Sums


async def add_up(store: Store, hub: str, turn: Turn = _at_once) -> None:
    """Add up all that is owed of a hub, the latest day first, each when its `turn` has come. A day that cannot be added up holds
    up no other: it is read case by case, as before."""
    for day in await _owed(store, hub, date.max, 0):
        await turn()
        try:
            await _add_up_day(store, hub, day)
        except (*DATABASE_AWAY, OSError):
            raise
        except Exception as error:
            log.error("a day of managers' figures could not be added up", hub=hub, day=str(day), error=type(error).__name__)


async def add_up_some(store: Store, hub: str, since: date) -> None:
    """The same for whoever asks, where it is some days alone; of a day from that one on, only where something of before has
    changed, nothing was added up yet, or more than a few cases were finished since: a few are read one by one."""
    days = await _owed(store, hub, since, FEW)
    for day in days if len(days) <= MOST_DAYS else ():
        await _add_up_day(store, hub, day)


async def owe_what_is_gone(store: Store) -> None:
    """Have the days added up again that have finished cases, and of which no sum is kept: somebody has deleted it."""
    async with store.single.connect() as connection:
        await connection.execute(_GONE)


async def _owed(store: Store, hub: str, since: date, few: int) -> Sequence[date]:
    async with store.engine.connect() as connection:
        asked = {"hub": hub, "edition": EDITION, "since": since, "few": few}
        return (await connection.scalars(_OWED, asked)).all()


async def add_months(store: Store, hub: str, turn: Turn = _at_once) -> None:
    """Add up the days of each month of which one was added up since. What is kept says of which days it is: while one of them is
    added up anew, or written, it does not hold."""
    asked = {"hub": hub, "edition": EDITION}
    async with store.engine.connect() as connection:
        months = (await connection.scalars(_MONTHS, asked)).all()
    for month in months:
        await turn()
        async with store.engine.connect() as connection:
            days = (await connection.execute(_DAYS, {**asked, "month": month})).all()
        if days:
            earliest, sums = await asyncio.to_thread(_month, [day.sums for day in days], month, store.time.now())
            async with store.engine.begin() as connection:
                kept = {"hub": hub, "month": month, "of": days[0].of, "earliest": earliest, "sums": sums}
                await connection.execute(_KEEP_MONTH, kept)


async def add_waiting(store: Store, hub: str, turn: Turn = _at_once) -> None:
    """Add up what still waits for something, some cases at a time. What is kept says of which rows it is, as they stood: once one
    of them stands otherwise, it does not hold."""
    now = store.time.now()
    asked = {"hub": hub, "edition": EDITION, "now": now}
    async with store.engine.begin() as connection:
        await connection.execute(_EMPTY, asked)
        buckets = (await connection.scalars(_WAITING, asked)).all()
    for bucket in buckets:
        await turn()
        sums, stands_of = Sums(), list[str]()
        async with store.transaction(system_actor(hub)) as connection:
            await _add(connection, sums, _OF_BUCKET, {**asked, "bucket": bucket}, now, stands_of)
        kept = await asyncio.to_thread(_placed, sums, await came_in(store, system_actor(hub), sums.unseen))
        of = hashlib.md5(",".join(stands_of).encode(), usedforsecurity=False).hexdigest()
        async with store.engine.begin() as connection:
            await connection.execute(_KEEP_OPEN, {**asked, "bucket": bucket, "of": of, "sums": kept})


def _month(days: Sequence[str], month: date, now: datetime) -> tuple[date, str]:
    sums = Sums()
    for day in days:
        sums.merge(Sums.load(day), now)
    sums.together()
    earliest = min((week for weeks in sums.due.values() for week in weeks), default=month.toordinal())
    return date.fromordinal(earliest), sums.dump()


async def _add_up_day(store: Store, hub: str, day: date) -> None:
    """Add up a day, unless something of it is written meanwhile: then it stays owed."""
    now = store.time.now()
    asked = {"hub": hub, "day": day, "edition": EDITION, "now": now}
    async with store.transaction(system_actor(hub)) as connection:
        found = await _read(connection, asked, now)
    came = await came_in(store, system_actor(hub), found.sums.unseen)
    kept = await asyncio.to_thread(_placed, found.sums, came)
    async with store.transaction(system_actor(hub)) as connection:
        if await connection.scalar(_ALONE, asked) and list(await connection.scalars(_IDS, asked)) == list(found.ids):
            until = found.sums.called_until
            await connection.execute(_KEEP, {**asked, "called_until": until and date.fromordinal(until), "sums": kept})
            await connection.execute(_PAID, asked)


async def _read(connection: AsyncConnection, asked: dict[str, Any], now: datetime) -> _Day:
    # What is owed first: what is written after this is seen by the rows that are new when it is kept.
    row = (await connection.execute(_OF_DAY, asked)).one()
    sums, holds = Sums(), row.kept is not None and not row.anew
    if holds:
        sums.merge(await asyncio.to_thread(Sums.load, row.kept), now)
    await _add(connection, sums, _NEW_CASES if holds else _CASES, {**asked, "references": row.references or []}, now)
    return _Day(row.ids or [], sums)


async def _add(
    connection: AsyncConnection,
    sums: Sums,
    query: TextClause,
    asked: dict[str, Any],
    now: datetime,
    stands: list[str] | None = None,
) -> None:
    """Add the cases that a query finds, with what their logs say, some hundreds at a time; and to `stands`, how each stands."""
    references = list[str]()
    async for rows in (await connection.stream(query, asked)).partitions(AT_A_TIME):
        await asyncio.to_thread(sums.add_all, [(row.root, row.state) for row in rows], now)
        references += [row.reference for row in rows]
        if stands is not None:
            stands += [f"{row.reference} {row.stands}" for row in rows]
    for at in range(0, len(references), AT_A_TIME):
        sums.add_called(await called(connection, asked["hub"], references[at : at + AT_A_TIME]))


def _placed(sums: Sums, came: dict[str, Came]) -> str:
    sums.place(came)
    return sums.dump()
