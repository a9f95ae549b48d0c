"""Rounds that have to be made: one that nobody starts is noticed, by one worker."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import text

from mash.flows.carrying.rounds import WATCH, Kind, Rounds
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


async def test_a_clock_that_is_set_back_while_one_is_made_does_not_leave_it_on_its_way(store: Store) -> None:
    await begin_counting(store, WATCH.name)
    await begin_round(store, WATCH.name)
    await move(store, begun="-5 minutes")
    await end_round(store, WATCH.name)
    async with store.single.connect() as connection:
        later = "begun_at = begun_at - interval '3 minutes', ended_at = ended_at - interval '3 minutes'"
        await connection.execute(text(f"UPDATE round SET {later}"))
    assert await take_overdue(store, WATCH.name, WATCH.after, WATCH.longest)


# --- one that came to no end --------------------------------------------------------------------------------------------------

AT_ONCE = Kind("watchdog", WATCH.after, WATCH.longest, rest=timedelta(0))


async def fails() -> None:
    raise ConnectionError("Prefect answered half")


class Hanging:
    """Work that comes to no end."""

    def __init__(self) -> None:
        self.began = asyncio.Event()

    async def work(self) -> None:
        self.began.set()
        await asyncio.Event().wait()


async def waited_for(store: Store) -> Rounds:
    """A worker's rounds, of which the last good one is three minutes ago."""
    rounds = Rounds(store)
    await rounds.begin_counting()
    await end_round(store, WATCH.name)
    await move(store, begun="4 minutes", ended="3 minutes")
    return rounds


async def come_to_no_end(rounds: Rounds, kind: Kind) -> None:
    rounds.begin(kind, fails())
    await asyncio.wait([rounds.under_way[kind]])


async def test_a_look_that_failed_is_made_again_soon_although_prefect_starts_none(store: Store) -> None:
    rounds = await waited_for(store)
    await come_to_no_end(rounds, AT_ONCE)
    assert await rounds.overdue(AT_ONCE)
    assert not await rounds.overdue(AT_ONCE), "it is on its way"


async def test_what_failed_rests_for_a_while_the_night_until_the_morning(store: Store) -> None:
    rounds = await waited_for(store)
    await come_to_no_end(rounds, WATCH)
    assert not await rounds.overdue(WATCH)
    assert not await Rounds(store).overdue(WATCH), "nor is it made by another worker"


async def test_a_look_that_is_given_up_is_over_and_is_made_again_soon_by_another_worker(store: Store) -> None:
    rounds, hanging = await waited_for(store), Hanging()
    rounds.begin(WATCH, hanging.work())
    await hanging.began.wait()
    assert not await Rounds(store).overdue(WATCH), "it is on its way"
    await rounds.give_up(WATCH)
    assert not rounds.on_its_way(WATCH)
    assert await Rounds(store).overdue(WATCH)


async def test_after_one_that_is_given_up_the_next_is_not_left_out(store: Store) -> None:
    rounds, began, made = await waited_for(store), asyncio.Event(), asyncio.Event()

    async def tells_that_it_was_cancelled() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            await rounds.begin_counting()  # as Prefect's engine, which says so to its server

    async def look() -> None:
        made.set()

    rounds.begin(WATCH, tells_that_it_was_cancelled())
    await began.wait()
    await rounds.give_up(WATCH)
    rounds.begin(WATCH, look())
    await asyncio.wait_for(made.wait(), 10)


async def test_a_look_that_prefect_never_answers_is_cut_short(store: Store) -> None:
    rounds = await waited_for(store)
    short = Kind("watchdog", WATCH.after, longest=timedelta(seconds=0.1), rest=timedelta(0))
    rounds.begin(short, Hanging().work())
    done, _ = await asyncio.wait([rounds.under_way[short]], timeout=10)
    assert done and await rounds.overdue(short)
