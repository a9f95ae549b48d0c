"""The disagreements of a hub."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from mash.flows.store.reads.case import case_of
from mash.flows.store.store import Store
from mash.flows.store.tables import EVENTS, REFERRALS
from mash.states.values import Actor


async def disagreements(store: Store, by: Actor) -> list[dict[str, Any]]:
    """Every disagreement of somebody's hub: about what, from whom, where it stands and how it was determined."""
    async with store.transaction(by) as connection:
        disputed = select(EVENTS.c.reference).where(EVENTS.c.kind == "disagreement_raised")
        query = select(REFERRALS).where(REFERRALS.c.hub == by.hub, REFERRALS.c.reference.in_(disputed))
        cases = [case_of(row) for row in (await connection.execute(query)).all()]
    return [
        {"reference": case.reference, "disagreement": did, **found.model_dump()}
        for case in cases
        for did, found in case.referral.disagreements.items()
    ]
