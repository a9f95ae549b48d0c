"""The notices of a case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, select

from mash.config.permissions import may
from mash.flows.store.reads.case import Case
from mash.flows.store.store import Store
from mash.flows.store.tables import NOTICES
from mash.notifications.notices import OF_CHILD
from mash.states.values import Actor

_NOTICES = select(NOTICES).where(NOTICES.c.reference == bindparam("of")).order_by(NOTICES.c.id)
_OF_NO_CHILD = _NOTICES.where(NOTICES.c.kind.not_in(OF_CHILD))


async def read_notices(store: Store, case: Case, by: Actor) -> Sequence[Row[Any]]:
    """The notices of a case, oldest first, as far as they are for somebody to know of."""
    query = _NOTICES if may(by.role, "find_people") else _OF_NO_CHILD
    async with store.transaction(by) as connection:
        return (await connection.execute(query, {"of": case.reference})).all()


async def notices_of(store: Store, reference: str) -> list[Row[Any]]:
    """The notices of a referral, oldest first."""
    async with store.single.connect() as connection:
        return list((await connection.execute(_NOTICES, {"of": reference})).all())
