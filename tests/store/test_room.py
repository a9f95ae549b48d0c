"""Runs are carried as many at once as Prefect answers promptly."""

from __future__ import annotations

import asyncio

import pytest

from mash.flows.carrying import room
from mash.flows.carrying.room import FIRST, Room


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is prompt and what is slow, a hundred times quicker."""
    monkeypatch.setattr(room, "PROMPT", 0.02)
    monkeypatch.setattr(room, "SLOW", 0.1)


async def carried(of: Room, number: int, seconds: float) -> int:
    """Make so many attempts that take so long; how many were made at once, at most."""
    at_once = [0, 0]

    async def attempt() -> None:
        async with of.place() as begins:
            begins()
            at_once[0] += 1
            at_once[1] = max(at_once)
            await asyncio.sleep(seconds)
            at_once[0] -= 1

    await asyncio.gather(*(attempt() for _ in range(number)))
    return at_once[1]


async def test_as_long_as_prefect_is_prompt_more_and_more_are_carried_at_once_up_to_the_limit() -> None:
    of = Room(12)
    assert await carried(of, FIRST, 0) == FIRST
    await carried(of, 200, 0)
    assert await carried(of, 50, 0.001) == 12


async def test_when_prefect_is_slow_fewer_are_until_it_is_one() -> None:
    of = Room(24)
    for left in (2, 1, 1):
        await carried(of, 1, 0.15)
        assert int(of.places) == left
    assert await carried(of, 3, 0.001) >= 1


async def test_those_that_were_slow_together_halve_it_once() -> None:
    of = Room(24)
    await carried(of, FIRST, 0.15)
    assert int(of.places) == FIRST // 2


async def test_waiting_for_something_to_do_is_not_slow() -> None:
    of = Room(24)
    async with of.place():
        await asyncio.sleep(0.15)
    assert int(of.places) == FIRST
