"""Runs are carried as many at once as Prefect answers promptly."""

from __future__ import annotations

import asyncio

import pytest

from mash.flows.carrying.room import FIRST, PROMPT, SLOW, Room

LONG = SLOW * 1.5


class Watch:
    """Seconds that pass when an attempt says so: a machine that is busy makes none of them slow."""

    seconds = 1.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    """The time by which it is judged."""
    return Watch()


async def carried(of: Room, watch: Watch, number: int, seconds: float) -> int:
    """Make so many attempts, at the end of each of which so many seconds have passed; how many were made at once, at most."""
    at_once = [0, 0]

    async def attempt() -> None:
        async with of.place() as begins:
            watch.seconds += 0.001
            begins()
            at_once[0] += 1
            at_once[1] = max(at_once)
            await asyncio.sleep(0)
            at_once[0] -= 1
            watch.seconds += seconds

    await asyncio.gather(*(attempt() for _ in range(number)))
    return at_once[1]


async def test_as_long_as_prefect_is_prompt_more_and_more_are_carried_at_once_up_to_the_limit(watch: Watch) -> None:
    of = Room(12, watch)
    assert await carried(of, watch, FIRST, 0) == FIRST
    await carried(of, watch, 200, 0)
    assert await carried(of, watch, 50, PROMPT / 100) == 12


async def test_what_is_neither_prompt_nor_slow_changes_nothing(watch: Watch) -> None:
    of = Room(12, watch)
    await carried(of, watch, 1, PROMPT * 2)
    assert of.places == FIRST


async def test_when_prefect_is_slow_fewer_are_until_it_is_one(watch: Watch) -> None:
    of = Room(24, watch)
    for left in (2, 1, 1):
        await carried(of, watch, 1, LONG)
        assert int(of.places) == left
    assert await carried(of, watch, 3, 0) >= 1


async def test_those_that_were_slow_together_halve_it_once(watch: Watch) -> None:
    of = Room(24, watch)
    await carried(of, watch, FIRST, LONG)
    assert int(of.places) == FIRST // 2


async def test_waiting_for_something_to_do_is_not_slow(watch: Watch) -> None:
    of = Room(24, watch)
    async with of.place():
        watch.seconds += LONG
    assert int(of.places) == FIRST
