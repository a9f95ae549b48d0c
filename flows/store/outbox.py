"""The notices that wait to be sent: claimed, tried, recorded. Every try is in the ledger before the message goes."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import case, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.apply import apply, data_key
from mash.flows.store.keys import KeyDestroyed, unseal
from mash.flows.store.store import Store, as_json, system_actor
from mash.flows.store.tables import DELIVERIES, ITEMS, NOTICES
from mash.notifications.digest import ALONE, foldable
from mash.notifications.wording import REFERRER
from mash.states.commands import RecordTold

LEASE = timedelta(seconds=60)
"""A try that has not been recorded by then was cut off, and is made again (wall time)."""
MOST_FOLDED = 500
LONGEST_WAIT = timedelta(minutes=12)
"""A notice that would wait longer was put off by a clock that was wrong then, and its turn is now."""
LAST_TRY = 9
"""With the back-off below, the last try is about forty minutes after the first."""
URGENT = ("immediate_danger", "escalation")
TELLING = {"acknowledgement": RecordTold(what="acknowledgement"), "outcome": RecordTold(what="outcome")}
"""What it means for a referral that its referrer got a notice of these kinds."""


@dataclass(frozen=True)
class Claimed:
    """A notice that is this worker's to send now."""

    id: int
    delivery: int
    reference: str | None
    hub: str
    kind: str
    role: str
    clock: str | None
    facts: dict[str, Any]
    tries: int


async def claim(store: Store, limit: int = 20) -> list[Claimed]:
    """Take notices whose turn it is, urgent ones first, with all that can be folded with them; write the try into the ledger."""
    wall = datetime.now(UTC)
    queued = (
        select(NOTICES)
        .where(NOTICES.c.status == "queued", ~NOTICES.c.next_try_at.between(wall, wall + LONGEST_WAIT))
        .order_by(case((NOTICES.c.kind.in_(URGENT), 0), else_=1), NOTICES.c.id)
        .with_for_update(skip_locked=True)
    )
    async with store.engine.begin() as connection:
        rows = list((await connection.execute(queued.limit(limit))).all())
        if not rows:
            return []
        if recipients := {(row.hub, row.role) for row in rows if foldable(row)}:
            for_them = queued.where(
                tuple_(NOTICES.c.hub, NOTICES.c.role).in_(recipients),
                NOTICES.c.kind.not_in(ALONE),
                NOTICES.c.id.not_in([row.id for row in rows]),
            )
            rows += (await connection.execute(for_them.limit(MOST_FOLDED))).all()
        await connection.execute(
            update(NOTICES)
            .where(NOTICES.c.id.in_([row.id for row in rows]))
            .values(tries=NOTICES.c.tries + 1, next_try_at=wall + LEASE)
        )
        tries = (
            (
                await connection.execute(
                    insert(DELIVERIES).returning(DELIVERIES.c.id, sort_by_parameter_order=True),
                    [{"notice": row.id, "started_at": wall, "channels": row.role, "result": None} for row in rows],
                )
            )
            .scalars()
            .all()
        )
    return [
        Claimed(row.id, delivery, row.reference, row.hub, row.kind, row.role, row.clock, json.loads(row.facts), row.tries + 1)
        for row, delivery in zip(rows, tries, strict=True)
    ]


async def take_over(store: Store) -> None:
    """What a worker that is dead was sending is sent now: its tries have no result."""
    wall = datetime.now(UTC)
    cut_off = select(DELIVERIES.c.id).where(
        DELIVERIES.c.notice == NOTICES.c.id, DELIVERIES.c.finished_at.is_(None), DELIVERIES.c.started_at > wall - LEASE
    )
    async with store.single.connect() as connection:
        await connection.execute(
            update(NOTICES)
            .where(NOTICES.c.status == "queued", NOTICES.c.next_try_at > wall, cut_off.exists())
            .values(next_try_at=wall)
        )


async def referrer_address(store: Store, reference: str) -> str | None:
    """The e-mail address the referrer gave; None when there is none, or when the people have been erased."""
    async with store.single.connect() as connection:
        sealed = await connection.scalar(select(ITEMS.c.sealed).where(ITEMS.c.reference == reference, ITEMS.c.kind == "referrer"))
        if sealed is None:
            return None
        try:
            key = await data_key(connection, store, reference)
        except KeyDestroyed:
            return None
    email = json.loads(unseal(AESGCM(key), sealed, reference)).get("email")
    return str(email) if email else None


async def record_delivered(store: Store, notices: list[Claimed], result: str) -> None:
    """The message went. Where it told a referrer, the referral's log says so with it, and its clock stops: a worker that dies
    between the two would leave a referrer to be told who has been."""
    notice, by = notices[0], system_actor(notices[0].hub)
    async with store.transaction(by) as connection:
        if notice.role == REFERRER and notice.reference and notice.kind in TELLING:
            await apply(connection, store, notice.reference, TELLING[notice.kind], by)
        await _record(connection, notices, result, {"status": "delivered", "delivered_at": store.time.now(), "next_try_at": None})


async def record_failed(store: Store, notice: Claimed, result: str) -> None:
    """No channel took it: try again later, or give up and tell the administrators."""
    last = notice.tries >= LAST_TRY
    wait = timedelta(seconds=min(600, 5 * 2 ** (notice.tries - 1)) * (0.8 + secrets.randbelow(400) / 1000))
    values = {"status": "dead", "next_try_at": None} if last else {"next_try_at": datetime.now(UTC) + wait}
    async with store.single.connect() as connection:
        await _record(connection, [notice], result, values)
    if last and notice.kind != "system":
        await tell_administrators(
            store,
            notice.hub,
            "a notice could not be delivered",
            f"Notice {notice.id} ({notice.kind}) to {notice.role} failed {notice.tries} times: {result}",
        )


async def _record(connection: AsyncConnection, notices: list[Claimed], result: str, values: dict[str, Any]) -> None:
    tries, ids = [notice.delivery for notice in notices], [notice.id for notice in notices]
    tried = update(DELIVERIES).where(DELIVERIES.c.id.in_(tries)).values(finished_at=datetime.now(UTC), result=result)
    become = update(NOTICES).where(NOTICES.c.id.in_(ids)).values(**values)
    await connection.execute(become.add_cte(tried.cte("tried")))


async def tell_administrators(store: Store, hub: str, what: str, detail: str) -> None:
    """Queue a notice about the system itself."""
    async with store.engine.begin() as connection:
        await connection.execute(
            insert(NOTICES).values(
                reference=None,
                hub=hub,
                kind="system",
                role="administrator",
                clock=None,
                facts=as_json({"what": what, "detail": detail}),
                created_at=store.time.now(),
                status="queued",
                tries=0,
                next_try_at=datetime.now(UTC),
            )
        )
