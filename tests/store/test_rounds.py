"""Rounds that have to be made: one that nobody starts is noticed, by one worker."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import text

from mash.flows.store.rounds import begin_counting, begin_round, end_round, take_overdue
from mash.flows.store.store import Store

AFTER, LONGEST = timedelta(days=1), timedelta(hours=6)


async def move(store: Store, **ago: str) -> None:
    """Have the times of the round lie so long ago."""
    async with store.single.connect() as connection:
        for column, span in ago.items():
            await connection.execute(text(f"UPDATE round SET {column}_at = now() - interval '{span}'"))


async def overdue(store: Store) -> bool:
    return await take_overdue(store, "night", AFTER, LONGEST)


async def test_a_new_installation_waits_for_its_first_round_as_long_as_for_any_other(store: Store) -> None:
    assert not await begin_counting(store, "night"), "none has been made before"
    assert not await overdue(store)
    await move(store, begun="25 hours")
    assert not await begin_counting(store, "night"), "a worker that starts again waits no longer"
    assert await overdue(store)


async def test_a_round_that_nobody_started_is_begun_by_one_of_several_workers(store: Store) -> None:
    await begin_counting(store, "night")
    await end_round(store, "night")
    assert await begin_counting(store, "night"), "one has been made before"
    assert not await overdue(store)
    await move(store, begun="26 hours", ended="25 hours")
    assert sorted(await asyncio.gather(*(overdue(store) for _ in range(5)))) == [False] * 4 + [True]


async def test_one_that_is_on_its_way_is_waited_for_and_one_whose_worker_died_is_not(store: Store) -> None:
    await begin_counting(store, "night")
    await end_round(store, "night")
    await move(store, begun="26 hours", ended="25 hours")
    await begin_round(store, "night")
    assert not await overdue(store)
    await move(store, begun="7 hours")
    assert await overdue(store)
    await end_round(store, "night")
    assert not await overdue(store)


async def test_times_of_a_clock_that_was_set_wrong_hold_no_round_up(store: Store) -> None:
    await begin_counting(store, "night")
    await end_round(store, "night")
    await move(store, begun="-1 year", ended="-1 year")
    assert await overdue(store)


async def test_a_clock_that_is_set_an_hour_wrong_does_not_make_it_night(store: Store) -> None:
    await begin_counting(store, "night")
    await end_round(store, "night")
    await move(store, begun="-1 hour", ended="-1 hour")
    assert not await overdue(store)
