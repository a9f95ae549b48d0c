"""A case: a referral as it is stored, with who submitted it and which flow run carries it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.config.permissions import may, may_read_words, reach
from mash.flows.store.reads.participants import reached
from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS
from mash.states.errors import NotFound
from mash.states.reading import REFERRER, Reader, as_read
from mash.states.referral import Referral
from mash.states.values import Actor

FINDINGS = "findings"
"""What agencies answered about a case, apart from their words: a row of the table of permissions."""


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


async def rightly_shown(connection: AsyncConnection, store: Store, cases: list[Case], by: Actor) -> list[Case]:
    """Of the cases that the database shows somebody, those that they reach by what we wrote down."""
    theirs = await reached(connection, store, [case.reference for case in cases], by)
    return [case for case in cases if case.reference in theirs]


def reader_of(store: Store, referral: Referral, by: Actor) -> Reader:
    """As whom somebody reads a case. Where a hub says that nothing enters the shared record below the threshold of significant
    harm, not even the hub reads what was found until that is met."""
    profile = store.hubs.get(by.hub)
    withheld = bool(profile and profile.firewall.threshold == "significant_harm" and not referral.significant_harm)
    inside = may_read_words(by.role, REFERRER) or reach(by.role) == "own"
    return Reader(by.agency, may_read_words(by.role, FINDINGS) and not withheld, inside, may(by.role, "find_people"))


def case_read_by(store: Store, row: Row[Any], by: Actor) -> Case:
    """The case that a row of `referral` is, as far as it is for somebody to read."""
    case = case_of(row)
    return replace(case, referral=as_read(case.referral, reader_of(store, case.referral, by)))


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


async def split_from(connection: AsyncConnection, cases: Mapping[str, Referral]) -> dict[str, list[Referral]]:
    """Of each of these that is a linked referral: those that it was split from as they are now, the nearest first."""
    linked = {name: case.parent for name, case in cases.items() if case.parent}
    if not linked:
        return {}
    roots = select(REFERRALS.c.root).where(REFERRALS.c.reference.in_(linked))
    query = select(REFERRALS.c.reference, REFERRALS.c.state).where(REFERRALS.c.root.in_(roots))
    rows = (await connection.execute(query)).all()
    families = await asyncio.to_thread(lambda: {row.reference: Referral.model_validate_json(row.state) for row in rows})
    found: dict[str, list[Referral]] = {}
    for name, parent in linked.items():
        found[name] = [families[parent]]
        while above := found[name][-1].parent:
            found[name].append(families[above])
    return found
