"""What a delivery service says later of a message that it took: that it arrived, or why not. The ledger has it as a row of its
own; a referrer is told once it arrived, and what did not arrive is tried again, goes by the next channel, or is given up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, extract, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.apply import apply
from mash.flows.store.deliveries import LAST_ROUND, TELLING, have_them_told
from mash.flows.store.store import Store, system_actor
from mash.flows.store.tables import DELIVERIES, NOTICES, REFERRALS
from mash.flows.store.trouble import tell_administrators
from mash.notifications.confirmed import ARRIVED, FOR_GOOD, PASSES
from mash.notifications.notices import REFERRER

SERVICE = "GOV.UK Notify"
ASK_AFTER = timedelta(minutes=5)
"""A message of which nothing was heard for so long is asked about (wall time): where receipts are set up they come at once."""
KEPT = timedelta(days=7)
"""For so long Notify keeps what became of a message."""
AGAIN = timedelta(minutes=1)
"""Waited for each round that was made, before a message that did not arrive is sent again; ten minutes at most."""
MOST_ASKED = 50


async def confirm(store: Store, sent_as: str, status: str) -> bool:
    """Write down what became of a message, and do what follows; once, however often it is said. Whether that was news."""
    if status not in (*ARRIVED, *PASSES, *FOR_GOOD):
        return False  # it is still on its way
    given_up: list[Row[Any]] = []
    hub = await _hub_of(store, sent_as)
    if hub is None:
        return False
    async with store.transaction(system_actor(hub)) as connection:
        rows = await _taken(connection, sent_as)
        if not rows:
            return False
        await _write_down(connection, rows, status)
        for row in rows:
            if status in ARRIVED:
                await _tell(connection, store, row)
            elif not await _gone_on(connection, store, row, status):
                given_up.append(row)
    for row in given_up:
        if row.role == REFERRER and row.reference:
            await have_them_told(store, row.reference, row.hub, row.kind)
        detail = f"Notice {row.id} ({row.kind}) to {row.person or row.role} did not arrive; {SERVICE}: {status}."
        await tell_administrators(store, row.hub, "a notice could not be delivered", detail)
    return True


async def unheard_of(store: Store) -> list[str]:
    """What the service calls the messages of which it has said nothing, those longest not asked about first; they count as asked
    about now. The older one is, the more rarely it is asked about."""
    wall = datetime.now(UTC)
    since = func.coalesce(DELIVERIES.c.asked_at, DELIVERIES.c.started_at)
    query = (
        select(DELIVERIES.c.sent_as, func.min(since))
        .where(
            DELIVERIES.c.sent_as.is_not(None),
            DELIVERIES.c.confirmed.is_(None),
            DELIVERIES.c.started_at > wall - KEPT,
            since < wall - ASK_AFTER,
            extract("epoch", wall - since) * 4 > extract("epoch", wall - DELIVERIES.c.started_at),
        )
        .group_by(DELIVERIES.c.sent_as)
        .order_by(func.min(since))
        .limit(MOST_ASKED)
    )
    async with store.single.connect() as connection:
        names = [str(row.sent_as) for row in (await connection.execute(query)).all()]
        if names:
            await connection.execute(update(DELIVERIES).where(DELIVERIES.c.sent_as.in_(names)).values(asked_at=wall))
    return names


async def _hub_of(store: Store, sent_as: str) -> str | None:
    query = select(NOTICES.c.hub).join(DELIVERIES, DELIVERIES.c.notice == NOTICES.c.id).where(DELIVERIES.c.sent_as == sent_as)
    async with store.single.connect() as connection:
        hub: str | None = await connection.scalar(query.limit(1))
        return hub


async def _taken(connection: AsyncConnection, sent_as: str) -> Sequence[Row[Any]]:
    """The notices that the message brought, each with its try; their referrals first, as everybody locks them."""
    of_it = (
        select(DELIVERIES.c.id.label("delivery"), DELIVERIES.c.channels, NOTICES)
        .join(NOTICES, NOTICES.c.id == DELIVERIES.c.notice)
        .where(DELIVERIES.c.sent_as == sent_as, DELIVERIES.c.confirmed.is_(None))
        .order_by(NOTICES.c.id)
    )
    found = (await connection.execute(of_it)).all()
    for reference in sorted({row.reference for row in found if row.reference and row.role == REFERRER}):
        lock = select(REFERRALS.c.reference).where(REFERRALS.c.reference == reference).with_for_update()
        await connection.execute(lock)
    return (await connection.execute(of_it.with_for_update())).all()


async def _write_down(connection: AsyncConnection, rows: Sequence[Row[Any]], status: str) -> None:
    wall = datetime.now(UTC)
    said = {"started_at": wall, "finished_at": wall, "result": f"{SERVICE}: {status}", "sent_as": None}
    lines = [{"notice": row.id, "channels": row.channels, **said} for row in rows]
    await connection.execute(insert(DELIVERIES), lines)
    which = DELIVERIES.c.id.in_([row.delivery for row in rows])
    await connection.execute(update(DELIVERIES).where(which).values(confirmed=status))


async def _tell(connection: AsyncConnection, store: Store, row: Row[Any]) -> None:
    """A referrer has it: the log of their referral says so, unless it was withdrawn while it was on its way."""
    if row.role == REFERRER and row.reference and row.kind in TELLING and row.status != "withdrawn":
        await apply(connection, store, row.reference, TELLING[row.kind], system_actor(row.hub))


async def _gone_on(connection: AsyncConnection, store: Store, row: Row[Any], status: str) -> bool:
    """A notice did not arrive by this channel: whether something else is done about it than to give it up."""
    if row.status != "delivered" or row.over or await connection.scalar(_OTHERWISE, {"notice": row.id, "but": row.delivery}):
        return True
    of_it = update(NOTICES).where(NOTICES.c.id == row.id)
    if row.step_at is not None:  # nobody waits any longer for an acknowledgement of what did not arrive
        await connection.execute(of_it.values(step_at=store.time.now()))
        return True
    again = status in PASSES and row.tries < LAST_ROUND
    wait = min(AGAIN * row.tries, AGAIN * 10)
    at = datetime.now(UTC) + wait if again else None
    anew = {"status": "queued" if again else "dead", "next_try_at": at, "step": 0, "delivered_at": None}
    await connection.execute(of_it.values(**anew))
    return again


_OTHERWISE = text("""
    SELECT EXISTS (SELECT FROM delivery WHERE notice = :notice AND id <> :but AND result LIKE 'ok%' AND sent_as IS NULL)""")
