"""What is added up as cases end: managers' figures are those of the states of all cases, and show at once what is changed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from acting import DUTY, MANAGER, SCHOOL, START, set_time, submit, turned_away
from emptying import emptying
from figuring import figures, figures_of_states, hold
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from mash.flows.store.anew import Anew
from mash.flows.store.apply import act, fire_due, receive
from mash.flows.store.erasure import erase
from mash.flows.store.keys import KeyDestroyed
from mash.flows.store.looking import look_next
from mash.flows.store.mending import Mender
from mash.flows.store.reads.case import read_case
from mash.flows.store.reads.sums import Sums
from mash.flows.store.store import Store
from mash.flows.store.sums import add_months, add_up, add_waiting, owe_what_is_gone
from mash.flows.store.writes import Item
from mash.states.acts.alerts import AcknowledgeAlert
from mash.states.acts.closing import ErasePeople, ReopenReferral
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.informing import RecordTold
from mash.states.acts.known import IdentifySubject, WithdrawIdentity
from mash.states.acts.rating import RateReferral
from mash.states.acts.upkeep import LinkReferral
from mash.states.errors import Refusal
from mash.states.values import Actor, Subject

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GOVERNOR = Actor(id="cli:governor", role="administrator", agency="system", hub="merton")
SOFTWARE = Actor(id="system", role="system", agency="system", hub="merton")
CHILD = {"name": {"given": "Isla", "family": "Quillfeather"}, "date_of_birth": "2015-12-20"}


async def contact(store: Store, kind: Any = "referral") -> str:
    """A contact about a child of whom there are others; nobody can be written to."""
    subjects = (Subject(id="s1", cohort="child"),)
    command = ReceiveContact(contact=kind, source="2A", source_agency="school", subjects=subjects)
    items = [Item("concern", b"a worry"), Item("subject", json.dumps(CHILD).encode(), "s1")]
    async with store.transaction(SCHOOL) as connection:
        return (await receive(connection, store, command, items, SCHOOL)).reference


async def decide(store: Store, reference: str, **outcomes: str) -> None:
    await act(store, reference, RateReferral(rating="blue"), DUTY, words="A request.")
    decision = RecordDecision.model_validate({"outcomes": outcomes or {"s1": "no_further_action"}, "primary_need": "N1"})
    await act(store, reference, decision, MANAGER, words="As said.")


async def look(store: Store) -> None:
    """Whatever waits is looked at."""
    while await look_next(store):
        pass


# --- any history ----------------------------------------------------------------------------------------------------------


async def _come(store: Store, _: list[str], number: int) -> None:
    await contact(store, ("referral", "advice", "police_notification")[number % 3])


async def _come_as_two(store: Store, _: list[str], number: int) -> None:
    await submit(store, "s1", "s2", words=f"two {number}")


async def _turn_away(store: Store, _: list[str], __: int) -> None:
    await turned_away(store)


async def _decide(store: Store, cases: list[str], number: int) -> None:
    reference = cases[number % len(cases)]
    subjects = (await read_case(store, reference)).referral.subjects
    await decide(store, reference, **{sid: ("advice", "no_further_action")[(number + n) % 2] for n, sid in enumerate(subjects)})


async def _tell(store: Store, cases: list[str], number: int) -> None:
    await act(store, cases[number % len(cases)], RecordTold(what="outcome"), SOFTWARE)


async def _reopen(store: Store, cases: list[str], number: int) -> None:
    await act(store, cases[number % len(cases)], ReopenReferral(), MANAGER, words="A mistake.")


async def _confirm(store: Store, cases: list[str], number: int) -> None:
    other = cases[(number // 3) % len(cases)]
    await act(store, cases[number % len(cases)], IdentifySubject(subject="s1", other=other, other_subject="s1"), DUTY)


async def _take_back(store: Store, cases: list[str], number: int) -> None:
    await act(store, cases[number % len(cases)], WithdrawIdentity(subject="s1"), DUTY, words="It is another.")


async def _link(store: Store, cases: list[str], number: int) -> None:
    relation = ("same_child", "sibling")[number % 2]
    command = LinkReferral.model_validate({"other": cases[(number // 3) % len(cases)], "relation": relation})
    await act(store, cases[number % len(cases)], command, DUTY, words="It is he.")


async def _erase(store: Store, cases: list[str], number: int) -> None:
    await erase(store, cases[number % len(cases)], ErasePeople(why="right_to_erasure"), GOVERNOR)


async def _acknowledge(store: Store, cases: list[str], number: int) -> None:
    reference = cases[number % len(cases)]
    for clock in (await read_case(store, reference)).referral.alerts[:1]:
        await act(store, reference, AcknowledgeAlert(clock=clock), DUTY)


async def _let_time_run(store: Store, _: list[str], number: int) -> None:
    set_time(store, store.time.now() + (HOUR, 7 * HOUR, 2 * DAY, 9 * DAY)[number % 4])
    await fire_due(store)


async def _add_up(store: Store, _: list[str], __: int) -> None:
    await look(store)
    await add_up(store, "merton")
    await add_months(store, "merton")
    await add_waiting(store, "merton")


STEPS: dict[str, Callable[[Store, list[str], int], Awaitable[None]]] = {
    step.__name__.strip("_"): step
    for step in (
        _come, _come_as_two, _turn_away, _decide, _tell, _reopen, _confirm, _take_back, _link, _erase, _acknowledge,
        _let_time_run, _add_up,
    )
}  # fmt: skip
HISTORIES = st.lists(
    st.tuples(st.sampled_from([*STEPS, "decide", "let_time_run", "add_up"]), st.integers(0, 60)), min_size=15, max_size=40
)
NOTHING = emptying("""
    relname LIKE 'figure\\_%' OR relname IN (SELECT table_name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name IN ('reference', 'root'))""")


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=HISTORIES)
async def test_after_any_history_what_was_added_up_is_what_the_states_of_all_cases_add_up_to(
    store: Store, owner_connection: psycopg.Connection, steps: list[tuple[str, int]]
) -> None:
    owner_connection.execute(NOTHING)
    set_time(store, START)
    await _come(store, [], 0)
    for step, number in steps:
        async with store.engine.connect() as connection:
            cases = list((await connection.scalars(text("SELECT reference FROM referral ORDER BY reference"))).all())
        try:
            await STEPS[step](store, cases, number)
        except (Refusal, KeyDestroyed, ValueError):
            continue
    await hold(store)


# --- each way of changing a case that is over -----------------------------------------------------------------------------


async def over(store: Store) -> str:
    """A contact that was decided in May, and is finished and added up, as the one before it about the same child is."""
    set_time(store, START - 9 * DAY)
    earlier = await contact(store)
    await decide(store, earlier)
    set_time(store, START - 2 * DAY)
    reference = await contact(store)
    await look(store)
    await decide(store, reference)
    set_time(store, START)
    await add_up(store, "merton")
    await add_months(store, "merton")
    await add_waiting(store, "merton")
    return reference


def changed(owner: psycopg.Connection, reference: str, what: str) -> None:
    owner.execute(f"UPDATE referral SET {what} WHERE reference = %s".encode(), (reference,))


async def _is_reopened(store: Store, _: psycopg.Connection, reference: str) -> None:
    await act(store, reference, ReopenReferral(), MANAGER, words="A mistake.")


async def _is_erased(store: Store, _: psycopg.Connection, reference: str) -> None:
    await erase(store, reference, ErasePeople(why="right_to_erasure"), GOVERNOR)


async def _is_confirmed(store: Store, _: psycopg.Connection, reference: str) -> None:
    third = await contact(store)
    await look(store)
    await act(store, third, IdentifySubject(subject="s1", other=reference, other_subject="s1"), DUTY)


async def _is_linked(store: Store, _: psycopg.Connection, reference: str) -> None:
    other = await submit(store)
    await act(store, other, LinkReferral(other=reference, relation="same_child"), DUTY, words="It is he.")


async def _is_written_by_hand(_: Store, owner: psycopg.Connection, reference: str) -> None:
    changed(owner, reference, 'state = replace(state, \'"source":"2A"\', \'"source":"6"\')')


async def _is_gone(_: Store, owner: psycopg.Connection, reference: str) -> None:
    owner.execute("DELETE FROM referral WHERE reference = %s", (reference,))


async def _is_of_another_year(_: Store, owner: psycopg.Connection, reference: str) -> None:
    changed(owner, reference, "received_at = received_at - interval '3 years'")


WAYS = {
    way.__name__.strip("_"): way
    for way in (_is_reopened, _is_erased, _is_confirmed, _is_linked, _is_written_by_hand, _is_gone, _is_of_another_year)
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_whatever_is_done_to_a_case_that_was_added_up_shows_at_once(
    store: Store, owner_connection: psycopg.Connection, way: Callable[[Store, psycopg.Connection, str], Awaitable[None]]
) -> None:
    reference = await over(store)
    before = await figures(store)
    await way(store, owner_connection, reference)
    after = await figures(store)
    assert after != before and after == await figures_of_states(store)


async def test_what_is_put_back_or_made_anew_counts_as_before(store: Store, owner_connection: psycopg.Connection) -> None:
    reference = await over(store)
    before = await figures(store)
    mender = Mender(store)
    for what in ('state = replace(state, \'"source":"2A"\', \'"source":"6"\')', "received_at = received_at - interval '9 days'"):
        changed(owner_connection, reference, what)
        assert await figures(store) != before
        await mender.look_at_all()
        assert await figures(store) == before
    await _is_gone(store, owner_connection, reference)
    assert await figures(store) != before
    await mender.look_at_all()
    assert await figures(store) == before
    changed(owner_connection, reference, 'state = replace(state, \'"source":"2A"\', \'"source":"6"\'), made = 0')
    assert await figures(store) != before
    await Anew(store).batch()
    assert await figures(store) == before


async def test_an_earlier_contact_that_is_erased_is_none_of_one_that_was_added_up_with_it(store: Store) -> None:
    reference = await over(store)
    [earlier] = {match.reference for match in (await read_case(store, reference)).referral.matches}
    before = (await figures(store))["same-child"]
    await erase(store, earlier, ErasePeople(why="right_to_erasure"), GOVERNOR)
    assert (await figures(store))["same-child"] != before
    assert await figures(store) == await figures_of_states(store)


# --- keeping it -----------------------------------------------------------------------------------------------------------


async def kept(store: Store) -> int:
    """How many contacts are in what was added up."""
    async with store.engine.connect() as connection:
        some = (await connection.scalars(text("SELECT sums FROM figure_sum"))).all()
    return sum(received.contacts for each in some for received in Sums.load(each).received.values())


async def test_a_sum_is_not_kept_where_a_case_of_its_day_is_written_meanwhile(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    set_time(store, START)
    reference = await turned_away(store)
    with owner_connection.transaction():
        changed(owner_connection, reference, "state = state")
        await add_up(store, "merton")
        assert await kept(store) == 0
    await add_up(store, "merton")
    assert await kept(store) == 1


async def test_two_who_add_up_at_once_keep_each_day_once(store: Store) -> None:
    for day in range(4):
        set_time(store, START + day * DAY)
        await turned_away(store)
    await asyncio.gather(*(add_up(store, "merton") for _ in range(3)), figures(store))
    assert await kept(store) == 4
    await hold(store)


async def test_what_ends_later_is_added_to_what_its_day_came_to(store: Store) -> None:
    set_time(store, START)
    await turned_away(store)
    late = await contact(store)
    await add_up(store, "merton")
    set_time(store, START + 3 * DAY)
    await decide(store, late)
    assert await kept(store) == 1
    await add_up(store, "merton")
    assert await kept(store) == 2
    await hold(store)


async def owed(store: Store) -> list[Any]:
    """The days of which something is to be added up."""
    async with store.engine.connect() as connection:
        return list((await connection.scalars(text("SELECT DISTINCT day FROM figure_owed ORDER BY day"))).all())


async def test_children_who_go_different_ways_have_their_own_day_added_up_and_no_other(store: Store) -> None:
    await over(store)
    two = (Subject(id="s1", cohort="child"), Subject(id="s2", cohort="child"))
    command = ReceiveContact(contact="referral", source="2A", source_agency="school", subjects=two)
    async with store.transaction(SCHOOL) as connection:
        reference = (await receive(connection, store, command, [Item("concern", b"a worry")], SCHOOL)).reference
    assert await owed(store) == []
    await decide(store, reference, s1="section_47", s2="no_further_action")
    assert await owed(store) == [START.date()], "the child of whom nothing more is done is over at once"
    await hold(store)


async def test_an_alert_of_a_case_that_came_in_long_ago_counts_when_it_was_acknowledged_also_once_the_case_is_over(
    store: Store,
) -> None:
    set_time(store, START - 200 * DAY)
    reference = await contact(store)
    set_time(store, START - 9 * DAY)
    await fire_due(store)
    [clock, *_] = (await read_case(store, reference)).referral.alerts
    await act(store, reference, AcknowledgeAlert(clock=clock), DUTY)
    acknowledged = "One alert was acknowledged"
    assert (await figures(store))["alerts"][0].startswith(acknowledged)
    await decide(store, reference)
    set_time(store, START)
    await fire_due(store)
    assert (await read_case(store, reference)).referral.finished
    await add_up(store, "merton")
    for weeks in (13, 52):
        assert (await figures(store, weeks))["alerts"][0].startswith(acknowledged)


async def test_sums_that_somebody_has_deleted_are_made_again_the_night_after(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    await over(store)
    before = await figures(store)
    for table in ("figure_sum", "figure_month", "figure_open"):
        owner_connection.execute(f"DELETE FROM {table}".encode())
    await owe_what_is_gone(store)
    assert await figures(store) == before
    await add_up(store, "merton")
    assert await kept(store) == 2 and await figures(store) == before


async def test_a_day_that_cannot_be_added_up_holds_up_no_other(store: Store, owner_connection: psycopg.Connection) -> None:
    for day in range(3):
        set_time(store, START + day * DAY)
        reference = await turned_away(store)
    changed(owner_connection, reference, "state = '{}'")
    await add_up(store, "merton")
    assert await kept(store) == 2


async def test_a_hub_is_shown_its_own_sums_alone_and_whoever_reaches_less_of_it_none(store: Store) -> None:
    set_time(store, START)
    await turned_away(store)
    await add_up(store, "merton")
    elsewhere = MANAGER.model_copy(update={"hub": "sandwell"})
    for by, number in ((MANAGER, 1), (elsewhere, 0), (SCHOOL, 0)):
        async with store.transaction(by) as connection:
            assert await connection.scalar(text("SELECT count(*) FROM figure_sum")) == number
