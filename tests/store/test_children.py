"""Children in are children with an outcome and open ones; each open one is somebody's turn, and a person has ended the others."""

from __future__ import annotations

from datetime import date, time

from acting import DUTY, MANAGER, START, set_time, submit, turned_away

from mash.flows.carrying.night import check_conservation
from mash.flows.store.apply import act
from mash.flows.store.reads.children import children
from mash.flows.store.rotas import store_rota
from mash.flows.store.store import Store
from mash.notifications.rota import Pattern, Rota
from mash.states.acts.allocating import AllocateCase
from mash.states.acts.corrections import RemoveSubject
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.rating import RateReferral


async def test_every_child_of_every_contact_is_counted_wherever_their_paths_lead(store: Store) -> None:
    set_time(store, START)
    first, second = await submit(store, "s1", "s2"), await submit(store, "s1", "s2", "s3")
    await turned_away(store)
    await act(store, first, RateReferral(rating="blue"), DUTY)
    both = {"s1": "no_further_action", "s2": "early_help"}
    await act(store, first, RecordDecision(outcomes=both, primary_need="N4"), MANAGER, words="one of them only")
    await act(store, second, RemoveSubject(subject="s3"), DUTY, words="Of another family.")
    found = await children(store)
    assert (found.came, found.ended, found.open, found.wrong) == (5, 2, 3, "")
    assert found.owned == {("merton", "duty_manager", ""): 3}


async def test_whose_turn_it_is_is_said_by_role_and_by_name(store: Store) -> None:
    set_time(store, START)
    reference = await submit(store, "s1", "s2")
    assert list((await children(store)).owners()) == ["merton: 2 with the duty manager (nobody on duty now)"]
    days = ("mon", "tue", "wed", "thu", "fri")
    since, nine, five = date(2026, 6, 1), time(9), time(17)
    weekly = Pattern(role="duty_manager", person="d.manager", days=days, since=since, starts=nine, ends=five)
    worker = weekly.model_copy(update={"role": "social_worker", "person": "s.worker"})
    await store_rota(store, "merton", Rota(patterns=(weekly, worker)), "administrator")
    assert list((await children(store)).owners()) == ["merton: 2 with the duty manager (d.manager)"]
    await act(store, reference, AllocateCase(worker="s.worker"), DUTY)
    assert list((await children(store)).owners()) == ["merton: 2 with the duty manager (allocated to s.worker)"]


async def spoilt(store: Store, change: str) -> str:
    """What is wrong once somebody has changed the stored states behind the product's back."""
    async with store.engine.begin() as connection:
        await connection.exec_driver_sql(f"UPDATE referral SET state = {change}")
    return (await children(store)).wrong


async def test_a_child_who_is_lost_is_found_out(store: Store) -> None:
    await submit(store, "s1", "s2")
    lost = "(state::jsonb #- '{subjects,s2}')::text"
    assert "contacts were about 2 people, 0 have an end and 1 are open" in await spoilt(store, lost)


async def test_a_child_of_whom_it_is_nobodys_turn_is_found_out(store: Store) -> None:
    reference = await submit(store, "s1")
    assert f"nobody's turn, or without a date: {reference} s1" in await spoilt(
        store, "jsonb_set(state::jsonb, '{clocks}', '{}')::text"
    )


async def test_a_child_whose_case_no_person_ended_is_found_out_and_alarmed(store: Store) -> None:
    reference = await submit(store, "s1")
    await act(store, reference, RateReferral(rating="blue"), DUTY)
    await act(store, reference, RecordDecision(outcomes={"s1": "no_further_action"}), MANAGER, words="No concern.")
    unseen = "jsonb_set(state::jsonb, '{subjects,s1,ended_by}', '\"system\"')::text"
    assert f"ended by no person: {reference} s1" in await spoilt(store, unseen)
    await check_conservation(store)
    async with store.single.connect() as connection:
        facts = (await connection.exec_driver_sql("SELECT facts FROM notice WHERE kind = 'system'")).scalars().all()
    assert any("ended by no person" in each for each in facts)
