"""What is counted of all hubs: contacts in, outcomes and open cases, and what became of clocks and notices."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.store import Store
from mash.flows.store.tables import NOTICES, RECEIPTS, REFERRALS
from mash.states.referral import Referral


async def conservation(store: Store) -> dict[str, int]:
    """The counts of this moment."""
    async with store.single.connect() as connection:
        return await counts(connection)


async def counts(connection: AsyncConnection) -> dict[str, int]:
    """Contacts in, counted from the receipts; outcomes and open, counted from the referrals; they must agree."""
    contacts = select(func.count()).where(RECEIPTS.c.purpose == "submission", RECEIPTS.c.status < 300)
    # A contact is one, whatever number of linked referrals it was split into.
    referrals = select(func.count()).where(REFERRALS.c.reference == REFERRALS.c.root)
    still_open = select(func.count(func.distinct(REFERRALS.c.root))).where(REFERRALS.c.is_open)
    # In one statement: what comes in between two would look like a loss.
    at_once = select(
        contacts.scalar_subquery().label("contacts"),
        referrals.scalar_subquery().label("referrals"),
        still_open.scalar_subquery().label("open"),
    )
    row = (await connection.execute(at_once)).one()
    return {"contacts": row.contacts, "outcomes": row.referrals - row.open, "open": row.open}


async def open_by_stage(store: Store) -> list[tuple[str, str, str, int]]:
    """How many referrals are open: hub, stage, rating, number."""
    by = (REFERRALS.c.hub, REFERRALS.c.stage, func.coalesce(REFERRALS.c.rating, "unrated").label("rated"))
    query = select(*by, func.count().label("n")).where(REFERRALS.c.is_open).group_by(*by)
    async with store.single.connect() as connection:
        return [(row.hub, row.stage, row.rated, row.n) for row in (await connection.execute(query)).all()]


async def tally(store: Store, since: datetime) -> dict[str, Any]:
    """What became of the clocks, the notices by role, and the outcomes of what came in since: what the demonstration reports."""
    async with store.single.connect() as connection:
        states = (
            await connection.execute(select(REFERRALS.c.state, REFERRALS.c.hub).where(REFERRALS.c.received_at >= since))
        ).all()
        notices = (
            await connection.execute(
                select(NOTICES.c.status, NOTICES.c.kind, NOTICES.c.role, func.count().label("n")).group_by(
                    NOTICES.c.status, NOTICES.c.kind, NOTICES.c.role
                )
            )
        ).all()
    clocks: Counter[tuple[str, str, str]] = Counter()
    outcomes: Counter[tuple[str, str]] = Counter()
    for row in states:
        referral = Referral.model_validate_json(row.state)
        rating = referral.first_rating or "unrated"
        for clock in referral.clocks.values():
            clocks[row.hub, rating, clock.verdict] += 1
        for subject in referral.subjects.values():
            outcomes[row.hub, subject.outcome or "open"] += 1
    return {"clocks": clocks, "outcomes": outcomes, "notices": notices}
