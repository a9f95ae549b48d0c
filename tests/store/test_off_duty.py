"""Whoever has taken on an alert has it as long as they are there: it goes to whoever comes after them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from acting import DUTY as ANY_DUTY
from acting import START, submit
from posting import Gateway, at, gateway, postman, send_all, ways, weekly

from mash.config.settings import Settings
from mash.flows.carrying.off_duty import raise_what_was_left
from mash.flows.store import outbox
from mash.flows.store.apply import act, fire_due
from mash.flows.store.reads.case import read_case
from mash.flows.store.rotas import store_rota
from mash.flows.store.store import Store
from mash.notifications.rota import Absence, Rota
from mash.states.acts.alerts import AcknowledgeAlert
from mash.states.acts.rating import RateReferral

DUTY = ANY_DUTY.model_copy(update={"id": "dm1"})
HOUR = timedelta(hours=1, minutes=1)
FIVE = START.replace(hour=16)
"""In London's summer."""
SHIFTS = (
    weekly(DUTY.id, starts="09:00", ends="17:00"),
    weekly("second", starts="09:00", ends="17:00"),
    weekly("edt", "out_of_hours", "17:00", "09:00"),
)


@pytest.fixture
def phones() -> Iterator[Gateway]:
    """What everybody gets."""
    with gateway() as running:
        yield running


async def taken_on(store: Store) -> str:
    """A referral that nobody rated in time, at ten minutes past four, and that the duty manager has taken on."""
    at(store, FIVE - 2 * HOUR)
    reference = await submit(store)
    at(store, FIVE - HOUR + timedelta(minutes=10))
    await fire_due(store)
    await act(store, reference, AcknowledgeAlert(clock="triage"), DUTY)
    return reference


async def held_by(store: Store, reference: str) -> str | None:
    return (await read_case(store, reference)).referral.clocks["triage"].acknowledged_by


async def test_at_the_end_of_a_shift_what_somebody_had_taken_on_is_told_to_whoever_comes(
    store: Store, settings: Settings, phones: Gateway
) -> None:
    await store_rota(store, "merton", Rota(patterns=SHIFTS), "test")
    post = postman(store, settings, ways(phones, edt=["edt"]))
    reference = await taken_on(store)
    at(store, FIVE - timedelta(minutes=1))
    assert await raise_what_was_left(store) == 0 and await held_by(store, reference) == DUTY.id
    at(store, FIVE + timedelta(minutes=1))
    assert await raise_what_was_left(store) == 1 and await held_by(store, reference) is None
    assert await raise_what_was_left(store) == 0, "once"
    await send_all(post)
    assert [title for title in phones.titles("edt") if "LATE" in title] == [f"LATE: {reference}, triage"]


async def test_whoever_goes_home_sick_has_nothing_any_more_and_their_colleague_is_told(
    store: Store, settings: Settings, phones: Gateway
) -> None:
    await store_rota(store, "merton", Rota(patterns=SHIFTS), "test")
    post = postman(store, settings, ways(phones, second=["second"], dm1=["sick"]))
    reference = await taken_on(store)
    await send_all(post)
    before = phones.titles("sick")
    absence = Absence(person=DUTY.id, begins=START - HOUR, ends=FIVE + HOUR)
    await store_rota(store, "merton", Rota(patterns=SHIFTS, absences=(absence,)), "test")
    assert await raise_what_was_left(store) == 1
    await send_all(post)
    assert phones.titles("second")[-1] == f"LATE: {reference}, triage"
    assert phones.titles("sick") == before


async def test_whoever_took_it_on_outside_their_shifts_keeps_it(store: Store) -> None:
    nights = Rota(patterns=(weekly(DUTY.id, "out_of_hours", "20:00", "08:00"), weekly("second")))
    await store_rota(store, "merton", nights, "test")
    reference = await taken_on(store)
    assert await raise_what_was_left(store) == 0
    assert await held_by(store, reference) == DUTY.id


async def test_what_is_done_is_told_to_nobody(store: Store) -> None:
    await store_rota(store, "merton", Rota(patterns=SHIFTS), "test")
    reference = await taken_on(store)
    await act(store, reference, RateReferral(rating="blue"), DUTY, words="A request.")
    at(store, FIVE + timedelta(minutes=1))
    assert await raise_what_was_left(store) == 0


async def test_what_is_the_day_teams_is_not_handed_over_to_the_night(store: Store, settings: Settings, phones: Gateway) -> None:
    await store_rota(store, "merton", Rota(patterns=SHIFTS), "test")
    post = postman(store, settings, ways(phones, dm1=["day"], edt=["edt"], second=["second"]))
    at(store, START)
    reference = await submit(store)
    await act(store, reference, RateReferral(rating="blue"), DUTY, words="A request.")
    thursday = START + timedelta(days=2)  # the decision on the response was due on Wednesday
    at(store, thursday)
    await fire_due(store)
    await send_all(post)
    late = f"LATE: {reference}, decision on response"
    assert any(late in body for body in (*phones.titles("day"), *phones.bodies("day")))
    at(store, thursday.replace(hour=17))
    assert await outbox.hand_over(store, lambda hub, role, by_day: () if by_day else ((role, "edt"),)) == 0
    await post.hand_over()
    await send_all(post)
    assert not [title for title in phones.titles("edt") if "decision" in title]
