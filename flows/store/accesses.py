"""Who looked at which case: the reports for information governance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from mash.flows.store.reading import note_access
from mash.flows.store.store import Store
from mash.flows.store.tables import ACCESSES, REFERRALS
from mash.states.commands import Actor

MOST = 1000


async def accesses_to(store: Store, reference: str, by: Actor, since: datetime | None) -> Sequence[Row[Any]]:
    """Who looked at a contact, its linked referrals included; the latest first, at most MOST. That this was asked is written
    down too."""
    root = select(REFERRALS.c.root).where(REFERRALS.c.reference == reference).scalar_subquery()
    family = select(REFERRALS.c.reference).where(REFERRALS.c.root == root)
    query = select(ACCESSES).where(ACCESSES.c.reference.in_(family)).order_by(ACCESSES.c.id.desc()).limit(MOST)
    async with store.transaction(by) as connection:
        rows = (await connection.execute(query.where(ACCESSES.c.at >= since) if since else query)).all()
        await note_access(connection, store, reference, by, "read_accesses", "examines accesses")
        return rows


async def accesses_of(store: Store, person: str, by: Actor, since: datetime | None) -> Sequence[Row[Any]]:
    """What a person looked at, by login; the latest first, at most MOST."""
    query = select(ACCESSES).where(ACCESSES.c.person == person).order_by(ACCESSES.c.id.desc()).limit(MOST)
    async with store.transaction(by) as connection:
        return (await connection.execute(query.where(ACCESSES.c.at >= since) if since else query)).all()
