"""A case: a referral as it is stored, with who submitted it and which flow run carries it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS
from mash.states.errors import NotFound
from mash.states.referral import Referral


@dataclass(frozen=True)
class Case:
    """A referral as it is now, with who submitted it and which flow run carries it."""

    reference: str
    root: str
    caller: str
    hub: str
    referral: Referral
    flow_run_id: UUID | None
    shown: int


def case_of(row: Row[Any]) -> Case:
    """The case that a row of `referral` is."""
    return Case(row.reference, row.root, row.caller, row.hub, Referral.model_validate_json(row.state), row.flow_run_id, row.shown)


_CASE = select(REFERRALS).where(REFERRALS.c.reference == bindparam("of"))


async def read_case(store: Store, reference: str) -> Case:
    """One referral, as the software itself reads it; people look at one by `look.look_at`. Raises NotFound."""
    async with store.single.connect() as connection:
        row = (await connection.execute(_CASE, {"of": reference})).one_or_none()
    if row is None:
        raise NotFound("there is no such referral")
    return case_of(row)


async def read_family(connection: AsyncConnection, root: str) -> list[Case]:
    """A contact's referral and the linked ones it was split into, as the software itself reads them."""
    query = select(REFERRALS).where(REFERRALS.c.root == root).order_by(REFERRALS.c.reference)
    return [case_of(row) for row in (await connection.execute(query)).all()]
