"""When the rounds that have to be made were last begun and ended, so that one which nobody starts is noticed; wall time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, case, func, not_, select, update
from sqlalchemy.dialects.postgresql import insert

from mash.flows.store.store import Store
from mash.flows.store.tables import ROUNDS


async def begin_counting(store: Store, what: str) -> bool:
    """From now on a round of this kind is waited for. Whether one has been made before."""
    first = insert(ROUNDS).values(what=what, begun_at=datetime.now(UTC)).on_conflict_do_nothing()
    async with store.single.connect() as connection:
        await connection.execute(first)
        return await connection.scalar(select(ROUNDS.c.ended_at).where(ROUNDS.c.what == what)) is not None


async def begin_round(store: Store, what: str) -> None:
    """A round begins."""
    async with store.single.connect() as connection:
        await connection.execute(update(ROUNDS).where(ROUNDS.c.what == what).values(begun_at=datetime.now(UTC)))


async def end_round(store: Store, what: str) -> None:
    """A round has come to its end."""
    now = datetime.now(UTC)
    # By a clock that was set back meanwhile it ended before it began, and would count as on its way.
    times = {"ended_at": now, "begun_at": case((ROUNDS.c.begun_at < now, ROUNDS.c.begun_at), else_=now)}
    async with store.single.connect() as connection:
        await connection.execute(update(ROUNDS).where(ROUNDS.c.what == what).values(times))


async def leave_round(store: Store, what: str) -> None:
    """A round that was begun came to no end, and nobody makes it any more: it is as if it had not begun."""
    before = func.coalesce(ROUNDS.c.ended_at, ROUNDS.c.begun_at)
    async with store.single.connect() as connection:
        await connection.execute(update(ROUNDS).where(ROUNDS.c.what == what).values(begun_at=before))


async def take_overdue(store: Store, what: str, after: timedelta, longest: timedelta) -> bool:
    """Begin a round if the last one ended longer than `after` ago, and none that may still be on its way (no round takes longer
    than `longest`) has begun. Of several workers that ask at once one gets True. A time that lies as far ahead was written while
    the clock was set wrong, and says nothing."""
    now = datetime.now(UTC)
    ended = func.coalesce(ROUNDS.c.ended_at, ROUNDS.c.begun_at)
    under_way = and_(ROUNDS.c.begun_at > ended, ROUNDS.c.begun_at.between(now - longest, now + longest))
    overdue = update(ROUNDS).where(ROUNDS.c.what == what, not_(ended.between(now - after, now + after)), not_(under_way))
    async with store.single.connect() as connection:
        return bool((await connection.execute(overdue.values(begun_at=now).returning(ROUNDS.c.what))).one_or_none())
