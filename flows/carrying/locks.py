"""The locks by which no two workers carry the same referral's run at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from mash.flows.store.store import Store


class Locks:
    """Advisory locks of the database, on a connection of their own: they fall with the process."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.connection: asyncpg.Connection | None = None
        self.asking = asyncio.Lock()
        self.held_here: set[str] = set()

    @asynccontextmanager
    async def held(self, reference: str) -> AsyncIterator[bool]:
        """Hold the lock of a referral's attempt meanwhile; False when another worker has it, or somebody else in this one."""
        if reference in self.held_here:  # the database would give a lock to its own session again
            yield False
            return
        self.held_here.add(reference)
        held = True
        try:
            # Whoever is cancelled while asking does not hear the answer, and may have the lock.
            held = await self._ask("pg_try_advisory_lock", reference)
            yield held
        finally:
            self.held_here.discard(reference)
            if held:
                await self._give_back(reference)

    async def _give_back(self, reference: str) -> None:
        """Whoever is cancelled meanwhile gives it back all the same: nobody else could have it as long as this worker lives."""
        giving = asyncio.create_task(self._ask("pg_advisory_unlock", reference))
        await asyncio.wait([giving])
        giving.result()

    async def _ask(self, function: str, reference: str) -> bool:
        async with self.asking:
            if self.connection is None or self.connection.is_closed():
                self.connection = await asyncpg.connect(self.store.listen_url)
            return bool(await self.connection.fetchval(f"SELECT {function}(hashtextextended($1, 26))", reference))
