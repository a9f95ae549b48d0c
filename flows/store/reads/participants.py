"""Who takes part in a case, and who reads cases for a time by breaking the glass."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.tables import PARTICIPANTS
from mash.states.values import Actor


async def takes_part(connection: AsyncConnection, reference: str, by: Actor) -> bool:
    """Whether a partner's agency or service has a part in a case: not whoever only reads it, by breaking the glass."""
    parts = select(PARTICIPANTS.c.id).where(
        PARTICIPANTS.c.reference == reference, PARTICIPANTS.c.party.in_((by.agency, by.role)), PARTICIPANTS.c.person == ""
    )
    return (await connection.execute(parts.limit(1))).first() is not None


async def glass_broken(connection: AsyncConnection, by: Actor, now: datetime) -> int:
    """How many cases somebody reads now because they broke the glass."""
    broken = select(func.count(func.distinct(PARTICIPANTS.c.reference))).where(
        PARTICIPANTS.c.hub == by.hub, PARTICIPANTS.c.person == by.id, PARTICIPANTS.c.until > now
    )
    return int(await connection.scalar(broken) or 0)
