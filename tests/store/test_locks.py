"""The locks by which nobody carries a referral's run beside somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from mash.flows.carrying.locks import Locks
from mash.flows.store.store import Store

REFERENCE = "MASH-26-000001"


Pair = tuple[Locks, Locks]


@pytest.fixture
async def pair(store: Store) -> AsyncIterator[Pair]:
    """The locks of two workers."""
    here, there = Locks(store), Locks(store)
    yield here, there
    for locks in (here, there):
        if locks.connection:
            await locks.connection.close()


async def free(locks: Locks) -> bool:
    """Whether nobody has the referral's lock."""
    async with locks.held(REFERENCE) as held:
        return held


async def test_a_lock_is_held_by_one_whether_the_other_is_in_another_worker_or_in_the_same(pair: Pair) -> None:
    here, there = pair
    async with here.held(REFERENCE) as held:
        assert held
        assert not await free(there)
        assert not await free(here), "the watchdog takes no run for a stray that the carrier is only just making"
        assert not await free(there), "who did not get it gives nothing back"
    assert await free(here) and await free(there)


async def test_whoever_is_cancelled_at_whatever_moment_leaves_no_lock_behind(pair: Pair) -> None:
    here, there = pair
    assert await free(here) and await free(there)
    for moment in range(60):
        task = asyncio.create_task(free(here))
        for _ in range(moment):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        async with asyncio.timeout(10):  # it is given back in the background
            while not await free(there):
                pass
