"""The loops of a worker go on until the worker is stopped."""

from __future__ import annotations

import asyncio

import pytest

from mash.config.settings import Settings
from mash.flows.carrying.worker import Worker
from mash.flows.store.store import Store


async def test_a_loop_goes_on_when_what_it_waited_for_was_cancelled_and_ends_when_it_is_cancelled_itself(
    store: Store, settings: Settings
) -> None:
    goes_on, turns = asyncio.Event(), 0

    async def step() -> None:
        nonlocal turns
        turns += 1
        waited_for = asyncio.get_running_loop().create_future()
        if turns == 1:
            waited_for.cancel()
        else:
            goes_on.set()
        await waited_for

    loop = asyncio.create_task(Worker(settings, store)._forever(step))
    await asyncio.wait_for(goes_on.wait(), 10)
    loop.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loop
