"""A named worker: only somebody who exists has a case, they are told, and their absence is said once to the manager on duty."""

from __future__ import annotations

import json
from datetime import date, time, timedelta

import pytest
from acting import DUTY, START, set_time, submit
from sqlalchemy import select

from mash.flows.carrying.presence import say_who_is_away
from mash.flows.store.apply import act
from mash.flows.store.reads.board import open_cases
from mash.flows.store.reads.case import read_case
from mash.flows.store.rotas import store_rota
from mash.flows.store.sessions import begin_session
from mash.flows.store.store import Store
from mash.flows.store.tables import NOTICES
from mash.notifications.rota import Absence, Pattern, Rota
from mash.states.acts.allocating import AllocateCase, GiveCaseBack
from mash.states.acts.rating import RateReferral, RerateReferral
from mash.states.errors import Incomplete, NotYours
from mash.states.values import Actor

ONE, OTHER = (Actor(id=login, role="social_worker", agency="social_care", hub="merton") for login in ("sw.one", "sw.other"))
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
TURN = Pattern(role="social_worker", person="sw.rota", days=WORKDAYS, starts=time(9), ends=time(17), since=date(2026, 1, 5))


async def rated(store: Store) -> str:
    """A contact that was rated amber."""
    reference = await submit(store)
    await act(store, reference, RateReferral(rating="amber"), DUTY)
    return reference


async def worker(store: Store, reference: str) -> tuple[str, str] | None:
    found = (await read_case(store, reference)).referral.worker
    return (found.login, found.presence) if found else None


async def told(store: Store, *kinds: str) -> list[tuple[str, str, str | None]]:
    """Notices of these kinds: to which role, and which person of it."""
    query = select(NOTICES).where(NOTICES.c.kind.in_(kinds)).order_by(NOTICES.c.id)
    async with store.single.connect() as connection:
        rows = (await connection.execute(query)).all()
    return [(row.kind, row.role, json.loads(row.facts).get("whom")) for row in rows]


@pytest.fixture(autouse=True)
def tuesday_morning(store: Store) -> None:
    """The hub is open."""
    set_time(store, START)


async def test_a_case_goes_to_somebody_who_has_signed_in_or_is_in_the_rota_and_to_nobody_else(store: Store) -> None:
    reference = await rated(store)
    with pytest.raises(Incomplete, match="nobody who works here has that login"):
        await act(store, reference, AllocateCase(worker="sw.one"), DUTY)
    await begin_session(store, [ONE], "local")
    await act(store, reference, AllocateCase(worker="SW.One"), DUTY)
    assert await worker(store, reference) == ("sw.one", "there")
    await store_rota(store, "merton", Rota(patterns=(TURN,)), "test")
    await act(store, reference, AllocateCase(worker="sw.rota"), DUTY)
    assert await worker(store, reference) == ("sw.rota", "there")
    assert await told(store, "case_allocated", "case_taken_over") == [
        ("case_allocated", "social_worker", "sw.one"),
        ("case_allocated", "social_worker", "sw.rota"),
        ("case_taken_over", "social_worker", "sw.one"),
    ]


async def test_a_partner_and_somebody_of_another_hub_have_no_case(store: Store) -> None:
    reference = await rated(store)
    await begin_session(store, [Actor(id="pc.one", role="agency", agency="police", hub="merton")], "local")
    await begin_session(store, [Actor(id="sw.far", role="social_worker", agency="social_care", hub="sandwell")], "local")
    with pytest.raises(Incomplete, match="no social worker or manager of this hub"):
        await act(store, reference, AllocateCase(worker="pc.one"), DUTY)
    with pytest.raises(Incomplete, match="nobody who works here"):
        await act(store, reference, AllocateCase(worker="sw.far"), DUTY)


async def test_whoever_has_it_gives_it_back_with_a_reason_and_the_manager_hears(store: Store) -> None:
    reference = await rated(store)
    await begin_session(store, [ONE], "local")
    await act(store, reference, AllocateCase(worker="sw.one"), DUTY)
    with pytest.raises(NotYours):
        await act(store, reference, GiveCaseBack(), OTHER, words="Not mine.")
    await act(store, reference, GiveCaseBack(), ONE, words="I know the family.")
    assert await worker(store, reference) is None
    assert await told(store, "case_given_back") == [("case_given_back", "duty_manager", None)]


async def test_mine_is_what_is_allocated_to_me(store: Store) -> None:
    mine, others = await rated(store), await rated(store)
    await begin_session(store, [ONE], "local")
    await begin_session(store, [OTHER], "local")
    await act(store, mine, AllocateCase(worker="sw.one"), DUTY)
    await act(store, others, AllocateCase(worker="sw.other"), DUTY)
    assert [case.reference for case in await open_cases(store, ONE, worker="sw.one")] == [mine]


async def test_whoever_has_a_case_hears_that_a_colleague_re_rates_it(store: Store) -> None:
    reference = await rated(store)
    await begin_session(store, [ONE], "local")
    await act(store, reference, AllocateCase(worker="sw.one"), DUTY)
    await act(store, reference, RerateReferral(rating="red"), DUTY, words="Worse.")
    assert ("case_changed", "social_worker", "sw.one") in await told(store, "case_changed")


async def test_absence_is_said_once_while_the_hub_is_open_and_again_when_they_have_left(store: Store) -> None:
    reference = await rated(store)
    absence = Absence(person="sw.rota", begins=START + timedelta(days=1), ends=START + timedelta(days=5))
    await store_rota(store, "merton", Rota(patterns=(TURN,), absences=(absence,)), "test")
    await act(store, reference, AllocateCase(worker="sw.rota"), DUTY)
    await say_who_is_away(store)
    assert await worker(store, reference) == ("sw.rota", "there")
    for at in (START + timedelta(days=1, hours=13), START + timedelta(days=2, hours=1), START + timedelta(days=2, hours=2)):
        set_time(store, at)
        await say_who_is_away(store)
    assert await worker(store, reference) == ("sw.rota", "absent")
    assert await told(store, "worker_away") == [("worker_away", "duty_manager", None)]
    with pytest.raises(Incomplete, match="absent now"):
        await act(store, await rated(store), AllocateCase(worker="sw.rota"), DUTY)
    await store_rota(store, "merton", Rota(), "test")
    await say_who_is_away(store)
    assert await worker(store, reference) == ("sw.rota", "left")
    assert len(await told(store, "worker_away")) == 2
