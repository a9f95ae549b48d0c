"""What managers' figures are reckoned from, as it is stored."""

from __future__ import annotations

from datetime import datetime, timedelta

from acting import DUTY, MANAGER, START, set_time, submit

from mash.flows.store.apply import act, fire_due
from mash.flows.store.figures import acknowledged_after, came_in, open_referrals
from mash.flows.store.queries import read_case
from mash.flows.store.store import Store
from mash.states.commands import AcknowledgeAlert, Actor


async def next_alert(store: Store, reference: str) -> datetime:
    """When the referral has next called somebody."""
    alerts = 0
    while not alerts:
        at = (await read_case(store, reference)).referral.next_at
        assert at
        set_time(store, at)
        await fire_due(store)
        alerts = len((await read_case(store, reference)).referral.alerts)
    return at


async def acknowledge(store: Store, reference: str, at: datetime) -> None:
    set_time(store, at)
    alert = (await read_case(store, reference)).referral.alerts[0]
    await act(store, reference, AcknowledgeAlert(clock=alert), DUTY)


async def test_an_alert_waits_from_its_first_rung_until_somebody_has_it_and_again_when_it_is_renewed(store: Store) -> None:
    set_time(store, START)
    reference = await submit(store)
    minute = timedelta(minutes=1)
    first = await next_alert(store, reference)
    second_rung = await next_alert(store, reference)
    assert second_rung > first
    await acknowledge(store, reference, second_rung + 5 * minute)
    renewed = await next_alert(store, reference)
    await acknowledge(store, reference, renewed + 2 * minute)
    assert await acknowledged_after(store, DUTY, START) == [second_rung - first + 5 * minute, 2 * minute]
    assert await acknowledged_after(store, DUTY, START + minute) == []


async def test_managers_reckon_with_their_own_hubs_referrals(store: Store) -> None:
    set_time(store, START)
    reference = await submit(store)
    elsewhere = Actor(id="chief", role=MANAGER.role, agency=MANAGER.agency, hub="sandwell")
    assert [each.received_at for each in await open_referrals(store, DUTY)] == [START]
    assert await came_in(store, DUTY, {reference, "MASH-20-000001"}) == {reference: START}
    assert await open_referrals(store, elsewhere) == [] and await came_in(store, elsewhere, {reference}) == {}
