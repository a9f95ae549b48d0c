"""Which edition of the folding rules stored states are made by, and whether all of them are."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.tables import MADE_ANEW

EDITION = 2
"""Raised, with a migration that says so of new rows, when an event of before folds to another state."""
FOLDED = ("state", "stage", "rating", "is_open", "finished", "due_at", "next_at", "urgency")
"""The columns of `referral` that are made by folding its log."""


async def all_made_anew(connection: AsyncConnection) -> bool:
    """Whether all states are of this edition: then none of an older one is to be expected any more."""
    return await connection.scalar(select(MADE_ANEW.c.edition).where(MADE_ANEW.c.edition == EDITION)) is not None
