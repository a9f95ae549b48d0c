"""The database holds no more connections of ours than were needed at once."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from mash.flows.store.spare import Spare
from mash.flows.store.store import Store

OURS = text("SELECT count(*) FROM pg_stat_activity WHERE usename = 'mash_system' AND pid <> pg_backend_pid()")


async def _at_once(store: Store, number: int) -> None:
    """Need so many connections at the same moment."""
    all_there = asyncio.Barrier(number)

    async def one() -> None:
        async with store.single.connect() as connection:
            await connection.execute(text("SELECT 1"))
            await all_there.wait()

    await asyncio.gather(*(one() for _ in range(number)))


async def _others(store: Store) -> int:
    async with store.single.connect() as connection:
        return int(await connection.scalar(OURS) or 0)


async def test_what_a_burst_left_open_is_closed_once_fewer_are_needed_and_opened_again_for_the_next(store: Store) -> None:
    spare, before = Spare(store), await _others(store)
    await _at_once(store, 6)
    await spare.close()
    assert await _others(store) == before + 5  # they were needed a moment ago
    await _at_once(store, 2)
    await spare.close()
    async with asyncio.timeout(10):
        while await _others(store) > before:  # noqa: ASYNC110  a process of the database ends a moment later
            await asyncio.sleep(0.01)
    await _at_once(store, 6)


async def test_while_a_connection_is_in_use_none_is_closed_and_what_is_in_use_goes_on(store: Store) -> None:
    spare, before = Spare(store), await _others(store)
    await _at_once(store, 4)
    async with store.single.connect() as held:
        await spare.close()
        await spare.close()
        assert await held.scalar(OURS) == before + 3
    await spare.close()
    assert await _others(store) <= before + 3
