"""What is most urgent is carried first."""

from __future__ import annotations

import asyncio
import itertools

from mash.api.schemas import Submission, contact_of
from mash.config.settings import Settings
from mash.flows.carrying.carrier import Carrier
from mash.flows.store.apply import act, receive
from mash.flows.store.store import Store
from mash.states.acts.rating import RateReferral
from mash.states.values import Actor

SCHOOL = Actor(id="school", role="referrer", agency="education", hub="sandwell")
MANAGER = Actor(id="dm", role="duty_manager", agency="social_care", hub="sandwell")


async def rated(store: Store, rating: str | None, **concern: object) -> str:
    """A referral with a rating, or none yet."""
    command, items = contact_of(Submission.model_validate({"concern": {"summary": "Worried.", **concern}}))
    async with store.transaction(SCHOOL) as connection:
        reference = (await receive(connection, store, command, items, SCHOOL)).reference
    if rating:
        await act(store, reference, RateReferral(rating=rating), MANAGER)
    return reference


async def test_red_is_carried_before_amber_and_green_whatever_came_first(store: Store) -> None:
    green, amber, red = [await rated(store, rating) for rating in ("green", "amber", "red")]
    carrier = Carrier(store, Settings(settle_seconds=0))
    await carrier.enqueue_all([green, amber, red, green])
    assert [carrier.queue.get_nowait()[-1] for _ in range(3)] == [red, amber, green]
    assert carrier.queue.empty(), "what waits already is not queued twice"


async def test_what_nobody_has_rated_is_not_carried_after_green(store: Store) -> None:
    green, unrated = await rated(store, "green"), await rated(store, None)
    carrier = Carrier(store, Settings(settle_seconds=0))
    await carrier.enqueue_all([green, unrated])
    assert carrier.queue.get_nowait()[-1] == unrated


async def test_of_equals_the_first_to_come_is_carried_first(store: Store) -> None:
    first, second = await rated(store, "red"), await rated(store, "red")
    carrier = Carrier(store, Settings(settle_seconds=0))
    await carrier.enqueue_all(["MASH-26-999999", first, second])
    assert [carrier.queue.get_nowait()[-1] for _ in range(carrier.queue.qsize())] == [first, second]


async def test_a_burst_of_events_is_one_attempt_made_when_it_is_over(store: Store) -> None:
    carrier = Carrier(store, Settings(settle_seconds=0.05))
    for version in range(1, 6):
        carrier.stir("MASH-26-000001", 0, version)
        assert carrier.queue.empty()
    assert (await asyncio.wait_for(carrier.queue.get(), 5))[-1] == "MASH-26-000001"
    assert carrier.queue.empty() and not carrier.stirred


async def test_a_referral_to_which_something_happens_all_the_time_is_carried_all_the_same(store: Store) -> None:
    carrier, versions = Carrier(store, Settings(settle_seconds=0.05)), itertools.count()

    async def never_settles() -> None:
        while True:
            carrier.stir("MASH-26-000001", 0, next(versions))
            await asyncio.sleep(0.01)

    unrest = asyncio.create_task(never_settles())
    assert (await asyncio.wait_for(carrier.queue.get(), 5))[-1] == "MASH-26-000001"
    unrest.cancel()
