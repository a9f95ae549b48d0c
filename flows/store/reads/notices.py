"""The notices of a case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from mash.config.permissions import may
from mash.flows.store.reads.case import Case
from mash.flows.store.store import Store
from mash.flows.store.tables import NOTICES
from mash.notifications.notices import OF_CHILD
from mash.states.values import Actor


async def read_notices(store: Store, case: Case, by: Actor) -> Sequence[Row[Any]]:
    """The notices of a case, oldest first, as far as they are for somebody to know of."""
    query = select(NOTICES).where(NOTICES.c.reference == case.reference).order_by(NOTICES.c.id)
    if not may(by.role, "find_people"):
        query = query.where(NOTICES.c.kind.not_in(OF_CHILD))
    async with store.transaction(by) as connection:
        return (await connection.execute(query)).all()


async def notices_of(store: Store, reference: str) -> list[Row[Any]]:
    """The notices of a referral, oldest first."""
    async with store.single.connect() as connection:
        return list(
            (await connection.execute(select(NOTICES).where(NOTICES.c.reference == reference).order_by(NOTICES.c.id))).all()
        )
