"""Connections to the database that nobody needs any more are closed: each is a process of PostgreSQL's, and 3 MB."""

from __future__ import annotations

import asyncio

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool
from sqlalchemy.util.concurrency import greenlet_spawn

from mash.flows.store.store import Store

LOOKED_AT = 10.0
"""Seconds between two looks. To connect again takes 5 ms."""


class Spare:
    """What a store holds open beyond what it was seen to need at once. A burst leaves as many connections as it took."""

    def __init__(self, store: Store) -> None:
        self._pools = [_Pool(store.engine), _Pool(store.people)]

    async def close(self) -> None:
        """Close what was not needed since the last time."""
        for pool in self._pools:
            await pool.close_spare()

    async def keep_few(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOKED_AT)
            await self.close()


class _Pool:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._needed = 0
        event.listen(engine.sync_engine, "checkout", self._taken)

    @property
    def _pool(self) -> QueuePool:
        """The engine's pool as it is now."""
        assert isinstance(self._engine.pool, QueuePool)
        return self._engine.pool

    def _taken(self, *_: object) -> None:
        self._needed = max(self._needed, self._pool.checkedout())

    async def close_spare(self) -> None:
        """Have another pool take the place of one that is too large. While a connection is in use that is left for later: it is
        given back to the pool that it was taken from."""
        pool, needed, self._needed = self._pool, self._needed, 0
        if pool.checkedout() or pool.checkedin() <= max(needed, 1):
            return
        await self._engine.dispose(close=False)
        await greenlet_spawn(pool.dispose)
