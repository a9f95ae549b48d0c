"""What managers' figures are reckoned from, as it is stored."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from acting import DUTY, MANAGER, SCHOOL, START, set_time, submit, turned_away
from hubs_at_work import rated
from pydantic import BaseModel, ValidationError
from sqlalchemy import text

from mash.flows.store.apply import act, fire_due, receive
from mash.flows.store.looking import look
from mash.flows.store.reads.added_up import added_up
from mash.flows.store.reads.case import read_case
from mash.flows.store.reads.figures import (
    Came,
    SecondLook,
    Seen,
    SeenClock,
    SeenMatch,
    SeenSubject,
    came_in,
    decided,
    seen,
)
from mash.flows.store.reads.sums import Sums, day_of, monday_of
from mash.flows.store.store import Store
from mash.flows.store.writes import Item
from mash.states.acts.alerts import AcknowledgeAlert
from mash.states.acts.closing import ReopenReferral
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.decisions import RecordDecision, SignOffDecision
from mash.states.acts.known import IdentifySubject
from mash.states.acts.protection import CallStrategyDiscussion, RecordStrategyDiscussion
from mash.states.acts.rating import RateReferral
from mash.states.acts.weighing import WeighContacts, WriteSecondView
from mash.states.referral import Clock, Referral, SubjectState
from mash.states.values import Actor, Match, Subject

ELSEWHERE = Actor(id="chief", role=MANAGER.role, agency=MANAGER.agency, hub="sandwell")
MINUTE, DAY, YEAR = timedelta(minutes=1), timedelta(days=1), timedelta(days=365)


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


async def decide(store: Store, reference: str, at: datetime, **outcomes: str) -> None:
    """A contact is rated and decided."""
    set_time(store, at)
    await act(store, reference, RateReferral(rating="blue"), DUTY, words="A request.")
    decision = RecordDecision.model_validate({"outcomes": outcomes, "primary_need": "N1"})
    await act(store, reference, decision, MANAGER, words="As said.")


async def tallied(store: Store, by: Actor = DUTY, since: datetime | None = None) -> Sums:
    """What somebody's cases add up to that came in since then."""
    sums, now = Sums(), store.time.now()
    async for some in added_up(store, by, since or START, since or START, now):
        for each in some:
            sums.merge(each, now)
    return sums


async def acknowledged_after(store: Store, by: Actor, since: datetime) -> list[timedelta]:
    """How long somebody was called until an alert was acknowledged, of those acknowledged in the weeks from then on."""
    called = (await tallied(store, by, since)).called
    return [
        timedelta(microseconds=took) for week, some in called.items() if week >= monday_of(day_of(since)) for took in some.values
    ]


async def second_looks(store: Store, by: Actor, since: datetime) -> list[SecondLook]:
    """What became of the decisions on contacts that add up."""
    looks = (await tallied(store, by, since)).looks.values()
    return [SecondLook(how, None if took is None else timedelta(microseconds=took)) for some in looks for how, took in some]


async def seen_by(store: Store, by: Actor, since: datetime) -> dict[date, int]:
    """How many contacts are read, by the day on which they came in."""
    return {date.fromordinal(day): of.contacts for day, of in (await tallied(store, by, since)).received.items()}


async def test_an_alert_waits_from_its_first_rung_until_somebody_has_it_and_again_when_it_is_renewed(store: Store) -> None:
    set_time(store, START)
    reference = await submit(store)
    first = await next_alert(store, reference)
    second_rung = await next_alert(store, reference)
    assert second_rung > first
    await acknowledge(store, reference, second_rung + 5 * MINUTE)
    renewed = await next_alert(store, reference)
    await acknowledge(store, reference, renewed + 2 * MINUTE)
    waited = [second_rung - first + 5 * MINUTE, 2 * MINUTE]
    assert sorted(await acknowledged_after(store, DUTY, START)) == sorted(waited)
    assert await acknowledged_after(store, DUTY, renewed + 7 * DAY) == []
    assert await acknowledged_after(store, ELSEWHERE, START) == []


async def test_an_alert_that_nobody_has_acknowledged_has_waited_for_no_time_yet(store: Store) -> None:
    set_time(store, START)
    reference = await submit(store)
    await next_alert(store, reference)
    await next_alert(store, reference)
    assert await acknowledged_after(store, DUTY, START) == []


async def test_what_still_waits_is_read_whenever_it_came_in_and_what_is_over_only_as_far_back_as_is_asked(store: Store) -> None:
    set_time(store, START)
    await submit(store)
    await turned_away(store)
    set_time(store, START + YEAR)
    await submit(store)
    first, new = START.date(), (START + YEAR).date()
    assert await seen_by(store, DUTY, START) == {first: 2, new: 1}
    assert await seen_by(store, DUTY, START + DAY) == {first: 1, new: 1}, "the one that waits, and the new one"
    assert await seen_by(store, ELSEWHERE, START) == {}


async def test_a_contact_is_decided_today_once_however_old_it_is_and_into_however_many_it_was_split(store: Store) -> None:
    set_time(store, START)
    old, yesterdays, corrected = await submit(store, "s1", "s2"), await submit(store), await submit(store)
    today = START + YEAR
    await decide(store, yesterdays, today - MINUTE, s1="no_further_action")
    await decide(store, old, today + MINUTE, s1="no_further_action", s2="advice")
    assert await decided(store, MANAGER, today) == 1
    await decide(store, corrected, today + MINUTE, s1="no_further_action")
    assert await decided(store, MANAGER, today) == 2
    await act(store, corrected, ReopenReferral(), MANAGER, words="A mistake.")
    assert await decided(store, MANAGER, today) == 1
    assert await decided(store, ELSEWHERE, today) == 0


PRACTICE = Actor(id="p.manager", role="practice_manager", agency="social_care", hub="merton")
NOTHING_MORE = RecordDecision(outcomes={"s1": "no_further_action"})


async def third(store: Store, at: datetime) -> str:
    """The third contact about one child, which somebody wants to close: a second person is to look at it."""
    set_time(store, at)
    *before, reference = [await submit(store, words=f"a concern {at}") for _ in range(3)]
    for other in before:
        await act(store, reference, IdentifySubject(subject="s1", other=other, other_subject="s1"), DUTY)
    await look(store, "merton", reference)
    await act(store, reference, RateReferral(rating="blue"), DUTY, words="A request.")
    await propose(store, reference)
    return reference


async def propose(store: Store, reference: str) -> None:
    await act(store, reference, WeighContacts(), DUTY, words="Three times within a year.")
    await act(store, reference, NOTHING_MORE, MANAGER, words="As said.")


async def sign_off(store: Store, reference: str, at: datetime, *, agreed: bool) -> None:
    set_time(store, at)
    await act(store, reference, WriteSecondView(), PRACTICE, words="My own view.")
    await act(store, reference, SignOffDecision(agreed=agreed), PRACTICE, words="I have looked.")


async def test_what_became_of_second_looks_and_after_how_long_is_read_from_the_log(store: Store) -> None:
    agreed, sent_back, protected, waits = [await third(store, START + n * MINUTE) for n in range(4)]
    noon = START + timedelta(hours=3)
    await sign_off(store, agreed, noon, agreed=True)
    await sign_off(store, sent_back, noon + MINUTE, agreed=False)
    await propose(store, sent_back)
    set_time(store, noon + 2 * MINUTE)
    await act(store, protected, CallStrategyDiscussion(), DUTY, words="He is not safe.")
    discussion = RecordStrategyDiscussion(attended=("social_care", "police", "health"), outcome="section_47")
    await act(store, protected, discussion, DUTY, words="Enquiries begin.")
    after = noon - START
    found = [SecondLook("as_proposed", after), *[SecondLook("otherwise", after)] * 2, *[SecondLook(None, None)] * 2]
    assert sorted(await second_looks(store, DUTY, START), key=str) == sorted(found, key=str)
    assert await second_looks(store, ELSEWHERE, START) == []
    assert (await read_case(store, waits)).referral.stage == "sign_off"


async def test_a_decision_that_is_signed_off_for_another_reason_is_no_second_look(store: Store) -> None:
    set_time(store, START)
    reference = await submit(store)
    await decide(store, reference, START + MINUTE, s1="no_further_action")
    assert await second_looks(store, DUTY, START) == []


@pytest.mark.parametrize(
    ("index", "query"),
    [
        ("referral_owed", "SELECT FROM referral WHERE hub = 'merton' AND NOT is_open AND NOT finished"),
        ("event_proposed", "SELECT FROM event WHERE reference IN ('a', 'b') AND kind = 'decision_proposed'"),
        ("event_called", "SELECT FROM event WHERE reference IN ('a', 'b') AND kind IN ('clock_escalated', 'alert_acknowledged')"),
        ("referral_erased", "SELECT FROM referral WHERE hub = 'merton' AND received_at >= now() AND counted_as = 'nobody'"),
    ],
)
async def test_what_the_board_and_the_figures_ask_for_is_found_by_an_index(store: Store, index: str, query: str) -> None:
    async with store.transaction(DUTY) as connection:
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = (await connection.execute(text(f"EXPLAIN {query}"))).scalars().all()
    assert index in "\n".join(plan)


async def test_managers_reckon_with_their_own_hubs_contacts_and_it_is_said_which_are_referrals(store: Store) -> None:
    set_time(store, START)
    reference = await submit(store)
    asks = ReceiveContact(contact="advice", source="2A", source_agency="school", subjects=(Subject(id="s1", cohort="child"),))
    async with store.transaction(SCHOOL) as connection:
        advice = (await receive(connection, store, asks, [Item("concern", b"a question")], SCHOOL)).reference
    of = {reference: Came(START, True), advice: Came(START, False)}
    assert await came_in(store, DUTY, {reference, advice, "MASH-20-000001"}) == of
    assert await came_in(store, ELSEWHERE, {reference}) == {}


@pytest.mark.parametrize(
    ("part", "whole"), [(Seen, Referral), (SeenClock, Clock), (SeenSubject, SubjectState), (SeenMatch, Match)]
)
def test_what_is_seen_of_a_referral_has_the_names_that_it_has_there(part: Any, whole: type[BaseModel]) -> None:
    assert part.__required_keys__ <= set(whole.model_fields)


def test_a_state_that_was_stored_before_there_was_some_field_is_seen_as_the_referral_that_it_is() -> None:
    now = json.loads(rated("sandwell", "red").referral.model_dump_json())
    before = json.loads(json.dumps(now))
    for where, name in ((before, "links"), (before, "reopened"), (before["clocks"]["check:police"], "acknowledged_by")):
        del where[name]
    assert seen(json.dumps(before)) == seen(json.dumps(now))
    assert seen(json.dumps(now))["clocks"]["check:police"]["due_at"] == now["clocks"]["check:police"]["due_at"]


def test_a_state_without_what_every_referral_has_is_not_taken_for_one_that_has_nothing() -> None:
    state = json.loads(rated("sandwell", "red").referral.model_dump_json())
    del state["contact"]
    with pytest.raises(ValidationError):
        seen(json.dumps(state))
