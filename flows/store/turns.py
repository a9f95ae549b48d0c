"""Turns: of several who do what is counted, each waits for the one before, or all of them would count the same."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended(:of, 0))")


async def one_at_a_time(connection: AsyncConnection, of: str) -> None:
    """Wait until nobody else is at this; it is ours until the transaction ends. Who needs several, takes them in order."""
    await connection.execute(_TURN, {"of": of})
