"""What is asked for while the same was being done is done together; everybody has their own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from mash.flows.carrying.together import Together


class Counting:
    """Doubles numbers, a batch at a time, each when it is let; remembers what was asked for together."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun, self.let = asyncio.Event(), asyncio.Event()

    async def __call__(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(numbers))
        self.begun.set()
        await self.let.wait()
        if 13 in numbers:
            raise ConnectionError("thirteen")
        return [ValueError(str(number)) if number < 0 else 2 * number for number in numbers]


async def test_the_first_goes_at_once_and_those_who_ask_meanwhile_go_together() -> None:
    counting = Counting()
    together = Together[int, int](counting, 3)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(together.ask(1))
        await counting.begun.wait()
        rest = [group.create_task(together.ask(number)) for number in (2, 3, 4, 5)]
        await asyncio.sleep(0)
        counting.let.set()
    assert [first.result(), *(each.result() for each in rest)] == [2, 4, 6, 8, 10]
    assert counting.batches == [[1], [2, 3, 4], [5]]


async def test_what_is_wrong_with_one_is_said_to_that_one() -> None:
    counting = Counting()
    counting.let.set()
    together = Together[int, int](counting, 10)
    said = await asyncio.gather(*(together.ask(number) for number in (1, 2, -3, 4)), return_exceptions=True)
    assert [said[0], said[1], said[3]] == [2, 4, 8]
    assert isinstance(said[2], ValueError)


async def test_what_fails_altogether_is_done_again_without_whoever_was_told() -> None:
    counting = Counting()
    together = Together[int, int](counting, 10)
    first = asyncio.create_task(together.ask(1))
    await counting.begun.wait()
    rest = [asyncio.create_task(together.ask(number)) for number in (13, 2, 3)]
    await asyncio.sleep(0)
    counting.let.set()
    assert await first == 2
    with pytest.raises(ConnectionError):
        await rest[0]
    assert [await each for each in rest[1:]] == [4, 6]
    assert counting.batches == [[1], [13, 2, 3], [2, 3]]


async def test_whoever_goes_away_while_it_is_done_leaves_the_others_theirs() -> None:
    counting = Counting()
    together = Together[int, int](counting, 10)
    first = asyncio.create_task(together.ask(1))
    await counting.begun.wait()
    second = asyncio.create_task(together.ask(2))
    await asyncio.sleep(0)
    first.cancel()
    counting.let.set()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await second == 4
    assert counting.batches == [[1], [2]]
