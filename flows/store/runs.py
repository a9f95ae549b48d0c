"""How far the flow runs have come: which carries a referral, what it has dealt with, what it still has to."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import or_, select, update

from mash.flows.store.reads.case import Case, case_of
from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS


class Carried(NamedTuple):
    """A referral, the flow run that carries it, and whether it waits for nothing any more."""

    reference: str
    run: UUID | None
    finished: bool


async def behind(store: Store, limit: int) -> list[tuple[str, int, int]]:
    """Referrals whose run has not dealt with all that happened, the most urgent first: how urgent they are, and their version."""
    query = (
        select(REFERRALS.c.reference, REFERRALS.c.urgency, REFERRALS.c.version)
        .where(REFERRALS.c.shown < REFERRALS.c.version)
        .order_by(REFERRALS.c.urgency.desc(), REFERRALS.c.reference)
        .limit(limit)
    )
    async with store.single.connect() as connection:
        return [(row.reference, row.urgency, row.version) for row in (await connection.execute(query)).all()]


async def urgencies(store: Store, references: list[str]) -> list[tuple[str, int]]:
    """How urgent these referrals are, in the order given, for those that there are."""
    query = select(REFERRALS.c.reference, REFERRALS.c.urgency).where(REFERRALS.c.reference.in_(references))
    async with store.single.connect() as connection:
        found = {row.reference: row.urgency for row in (await connection.execute(query)).all()} if references else {}
    return [(name, found[name]) for name in references if name in found]


async def record_shown(store: Store, reference: str, version: int, *, told: bool) -> None:
    """The run has dealt with so many of the referral's events; and whether its story tells them."""
    behind = update(REFERRALS).where(REFERRALS.c.reference == reference, REFERRALS.c.shown < version).values(shown=version)
    async with store.single.connect() as connection:
        await connection.execute(behind.values(told=version) if told else behind)


async def record_told(store: Store, reference: str, version: int) -> None:
    """The story tells so many of the referral's events."""
    async with store.single.connect() as connection:
        await connection.execute(
            update(REFERRALS).where(REFERRALS.c.reference == reference, REFERRALS.c.told < version).values(told=version)
        )


async def untold(store: Store, after: str, limit: int) -> list[str]:
    """The next referrals, by reference, that wait for something and whose story tells less than their run shows."""
    query = (
        select(REFERRALS.c.reference)
        .where(REFERRALS.c.told < REFERRALS.c.shown, ~REFERRALS.c.finished, REFERRALS.c.reference > after)
        .order_by(REFERRALS.c.reference)
        .limit(limit)
    )
    async with store.single.connect() as connection:
        return list((await connection.scalars(query)).all())


async def set_flow_run(store: Store, reference: str, run: UUID) -> None:
    """Remember which flow run carries a referral."""
    async with store.single.connect() as connection:
        await connection.execute(update(REFERRALS).where(REFERRALS.c.reference == reference).values(flow_run_id=run))


async def unfinished(store: Store, after: str = "", limit: int | None = None) -> list[Case]:
    """Referrals that are open, or whose referrer is still to be told, by reference."""
    query = (
        select(REFERRALS).where(~REFERRALS.c.finished, REFERRALS.c.reference > after).order_by(REFERRALS.c.reference).limit(limit)
    )
    async with store.single.connect() as connection:
        return [case_of(row) for row in (await connection.execute(query)).all()]


async def carried_by(store: Store, runs: Collection[UUID], names: Collection[str]) -> list[Carried]:
    """The referrals that are carried by one of these flow runs, or have one of these references."""
    if not (runs or names):
        return []
    query = select(REFERRALS.c.reference, REFERRALS.c.flow_run_id, REFERRALS.c.finished).where(
        or_(REFERRALS.c.flow_run_id.in_(runs), REFERRALS.c.reference.in_(names))
    )
    async with store.single.connect() as connection:
        return [Carried(*row) for row in (await connection.execute(query)).all()]


async def cases_of(store: Store, references: Collection[str]) -> list[Case]:
    """The cases of these references."""
    if not references:
        return []
    async with store.single.connect() as connection:
        rows = await connection.execute(select(REFERRALS).where(REFERRALS.c.reference.in_(references)))
        return [case_of(row) for row in rows.all()]
