"""How far the flow runs have come: which carries a referral, what it has dealt with, what it still has to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select, update

from mash.flows.store.reads.case import Case, case_of
from mash.flows.store.store import Store
from mash.flows.store.tables import EVENTS, REFERRALS


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


async def record_shown(store: Store, reference: str, version: int) -> None:
    """The run has dealt with so many of the referral's events."""
    async with store.single.connect() as connection:
        await connection.execute(
            update(REFERRALS).where(REFERRALS.c.reference == reference, REFERRALS.c.shown < version).values(shown=version)
        )


async def set_flow_run(store: Store, reference: str, run: UUID) -> None:
    """Remember which flow run carries a referral."""
    async with store.single.connect() as connection:
        await connection.execute(update(REFERRALS).where(REFERRALS.c.reference == reference).values(flow_run_id=run))


async def changed_since(store: Store, at: datetime) -> list[str]:
    """The referrals that wait for something and to which something happened since then."""
    query = (
        select(EVENTS.c.reference)
        .join(REFERRALS, REFERRALS.c.reference == EVENTS.c.reference)
        .where(EVENTS.c.hub.in_(list(store.hubs)), EVENTS.c.at >= at, ~REFERRALS.c.finished)
        .distinct()
    )
    async with store.single.connect() as connection:
        return list((await connection.scalars(query)).all())


async def unfinished(store: Store, after: str = "", limit: int | None = None) -> list[Case]:
    """Referrals that are open, or whose referrer is still to be told, by reference."""
    query = (
        select(REFERRALS).where(~REFERRALS.c.finished, REFERRALS.c.reference > after).order_by(REFERRALS.c.reference).limit(limit)
    )
    async with store.single.connect() as connection:
        return [case_of(row) for row in (await connection.execute(query)).all()]


async def cases_of(store: Store, runs: Iterable[UUID], names: Iterable[str]) -> list[Case]:
    """The referrals that are carried by one of these flow runs, or have one of these references."""
    query = select(REFERRALS).where(or_(REFERRALS.c.flow_run_id.in_(list(runs)), REFERRALS.c.reference.in_(list(names))))
    async with store.single.connect() as connection:
        return [case_of(row) for row in (await connection.execute(query)).all()]
