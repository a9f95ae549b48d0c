"""What is wrong with the system itself: what administrators are told, what was set right, and notices that nobody got."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import JSON, Row, Select, cast, func, insert, select, update

from mash.flows.store.store import Store
from mash.flows.store.system_notices import system_notice
from mash.flows.store.tables import NOTICES, REPAIRS
from mash.flows.store.turns import one_at_a_time
from mash.notifications.notices import ADMINISTRATOR

log = structlog.stdlib.get_logger("mash.store")
PLANTED_EVERY = timedelta(hours=1)
"""Administrators are told no more often of rows that somebody else has written; the log has each."""


def _notices_since(hub: str, role: str, what: str, since: datetime) -> Select[tuple[int]]:
    fact = cast(NOTICES.c.facts, JSON)["what"].as_string()
    ours = (NOTICES.c.reference.is_(None), NOTICES.c.kind == "system", NOTICES.c.hub == hub, NOTICES.c.role == role)
    return select(NOTICES.c.id).where(*ours, NOTICES.c.created_at > since, fact == what).limit(1)


async def dead_notices(store: Store) -> list[Row[Any]]:
    """The notices that nobody could be reached by, the latest first."""
    query = select(NOTICES).where(NOTICES.c.status == "dead").order_by(NOTICES.c.id.desc())
    async with store.single.connect() as connection:
        return list((await connection.execute(query)).all())


async def undelivered(store: Store, hub: str) -> Counter[str | None]:
    """How many notices of a hub nobody could be reached by, by referral; those about the system under None."""
    dead = (NOTICES.c.status == "dead", NOTICES.c.hub == hub)
    query = select(NOTICES.c.reference, func.count().label("n")).where(*dead).group_by(NOTICES.c.reference)
    async with store.single.connect() as connection:
        return Counter({row.reference: row.n for row in (await connection.execute(query)).all()})


async def revive(store: Store) -> int:
    """Have what could not be delivered tried once more from the beginning; returns how many notices that are."""
    again = update(NOTICES).where(NOTICES.c.status == "dead")
    async with store.single.connect() as connection:
        done = await connection.execute(again.values(status="queued", tries=0, step=0, next_try_at=datetime.now(UTC)))
        return done.rowcount


async def tell_administrators(
    store: Store, hub: str, what: str, detail: str, *, avoid: list[str] | None = None, at_most_every: timedelta | None = None
) -> None:
    """`tell_role`, to those who look after the installation."""
    await tell_role(store, hub, ADMINISTRATOR, what, detail, avoid=avoid, at_most_every=at_most_every)


async def tell_role(
    store: Store,
    hub: str,
    role: str,
    what: str,
    detail: str,
    *,
    avoid: list[str] | None = None,
    at_most_every: timedelta | None = None,
) -> None:
    """Queue a notice about the system itself; by other channels than those to `avoid`, if there are any, and not when the role
    was told the same less than `at_most_every` ago."""
    async with store.engine.begin() as connection:
        if at_most_every:
            await one_at_a_time(connection, f"told:{hub}:{role}:{what}")
        if at_most_every and await connection.scalar(_notices_since(hub, role, what, store.time.now() - at_most_every)):
            return
        await connection.execute(insert(NOTICES).values(system_notice(hub, role, what, detail, store.time.now(), avoid or ())))


async def report_planted(store: Store, kind: str, which: str, hub: str) -> None:
    """A row that lets somebody in, and that we did not write, was refused: say so where whoever owns the database cannot take it
    back, and tell the administrators."""
    log.error("a row that we did not write was refused", kind=kind, row=which, hub=hub)
    what = "somebody has written into the database"
    detail = f"Refused: a row of the kind {kind} ({which}), whose seal is not ours. See docs/run/security.md, Seals."
    at = hub if hub in store.hubs else next(iter(store.hubs))
    await tell_administrators(store, at, what, detail, at_most_every=PLANTED_EVERY)


async def record_repair(store: Store, reference: str | None, what: str) -> None:
    """Write down what was wrong and set right."""
    async with store.engine.begin() as connection:
        await connection.execute(insert(REPAIRS).values(reference=reference, what=what, at=store.time.now()))
