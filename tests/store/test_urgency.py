"""What is most urgent is carried first."""

from __future__ import annotations

import asyncio
import itertools
from datetime import date

from mash.api.schemas.contact import Submission
from mash.api.schemas.intake import contact_of
from mash.flows.carrying.queue import Queue
from mash.flows.store.apply import act, receive
from mash.flows.store.store import Store
from mash.states.acts.rating import RateReferral
from mash.states.values import Actor

SCHOOL = Actor(id="school", role="referrer", agency="education", hub="sandwell")
MANAGER = Actor(id="dm", role="duty_manager", agency="social_care", hub="sandwell")


async def rated(store: Store, rating: str | None, **concern: object) -> str:
    """A referral with a rating, or none yet."""
    command, items = contact_of(Submission.model_validate({"concern": {"summary": "Worried.", **concern}}), date(2026, 6, 1))
    async with store.transaction(SCHOOL) as connection:
        reference = (await receive(connection, store, command, items, SCHOOL)).reference
    if rating:
        await act(store, reference, RateReferral(rating=rating), MANAGER)
    return reference


async def test_red_is_carried_before_amber_and_green_whatever_came_first(store: Store) -> None:
    green, amber, red = [await rated(store, rating) for rating in ("green", "amber", "red")]
    queue = Queue(store, settle=0)
    await queue.add_all([green, amber, red, green])
    assert [await queue.next() for _ in range(3)] == [red, amber, green]
    assert not len(queue), "what waits already is not queued twice"


async def test_what_nobody_has_rated_is_not_carried_after_green(store: Store) -> None:
    green, unrated = await rated(store, "green"), await rated(store, None)
    queue = Queue(store, settle=0)
    await queue.add_all([green, unrated])
    assert await queue.next() == unrated


async def test_of_equals_the_first_to_come_is_carried_first(store: Store) -> None:
    first, second = await rated(store, "red"), await rated(store, "red")
    queue = Queue(store, settle=0)
    await queue.add_all(["MASH-26-999999", first, second])
    assert [await queue.next() for _ in range(len(queue))] == [first, second]


async def test_a_burst_of_events_is_one_attempt_made_when_it_is_over(store: Store) -> None:
    queue = Queue(store, settle=0.05)
    for version in range(1, 6):
        queue.stir("MASH-26-000001", 0, version)
        assert not len(queue)
    assert await asyncio.wait_for(queue.next(), 5) == "MASH-26-000001"
    assert not len(queue) and not queue.stirred


async def test_a_referral_to_which_something_happens_all_the_time_is_carried_all_the_same(store: Store) -> None:
    queue, versions = Queue(store, settle=0.05), itertools.count()

    async def never_settles() -> None:
        while True:
            queue.stir("MASH-26-000001", 0, next(versions))
            await asyncio.sleep(0.01)

    unrest = asyncio.create_task(never_settles())
    assert await asyncio.wait_for(queue.next(), 5) == "MASH-26-000001"
    unrest.cancel()
