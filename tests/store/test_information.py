"""What agencies hold beside a case: in the database, readable by its owner, and by others in the version it was released in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from acting import BASIS, DUTY, MANAGER, POLICE, START, set_time, submit

from mash.flows.store.apply import act
from mash.flows.store.log import verify
from mash.flows.store.mending import contradictions
from mash.flows.store.reads.agenda import agenda
from mash.flows.store.reads.case import read_case
from mash.flows.store.reads.disagreements import disagreements
from mash.flows.store.reads.items import information_product, read_items
from mash.flows.store.store import Store
from mash.states.acts.assessment import CompleteAssessment
from mash.states.acts.checks import AnswerCheck, ProceedWithoutReplies
from mash.states.acts.child_voice import RecordChildVoice
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.disagreements import RaiseDisagreement
from mash.states.acts.information import ContributeInformation, ReleaseInformation
from mash.states.acts.rating import RateReferral
from mash.states.acts.upkeep import LinkReferral
from mash.states.errors import NotFound, Refusal
from mash.states.profile import Gathering
from mash.states.values import Actor

HEALTH = Actor(id="h.navigator", role="agency", agency="health", hub="merton")
SECRET, RELEASED = "Known to officers under another name.", "Known to police; no details needed."


@pytest.fixture
async def reference(store: Store) -> str:
    """A referral at its agency checks, whose police have answered in words."""
    set_time(store, START)
    reference = await submit(store, "s1", "s2")
    await act(store, reference, BASIS, DUTY)
    await act(store, reference, RateReferral(rating="amber"), DUTY)
    await act(store, reference, AnswerCheck(agency="police", known=True), POLICE, words=SECRET)
    return reference


async def answer(store: Store, reference: str, by: Actor) -> dict[str, Any]:
    """The police's answer as somebody may read it."""
    items = await read_items(store, await read_case(store, reference), by)
    return next(item for item in items if item["agency"] == "police" and item["kind"] in ("answer_check", "held_by_agency"))


async def test_others_see_a_signpost_until_the_agency_releases_a_redacted_version(store: Store, reference: str) -> None:
    assert (await answer(store, reference, POLICE))["content"] == SECRET
    for other in (DUTY, HEALTH):
        seen = await answer(store, reference, other)
        assert (seen["view"], seen["content"]) == ("signpost", None)
    release = ReleaseInformation(
        item=(await answer(store, reference, POLICE))["item"], necessity="to_protect_a_child", proportionality="gist"
    )
    with pytest.raises(Refusal):
        await act(store, reference, release, HEALTH, words="Why.", redacted=RELEASED)
    await act(store, reference, release, POLICE, words="The meeting must know that there is a history.", redacted=RELEASED)
    assert (await answer(store, reference, POLICE))["content"] == SECRET
    for other in (DUTY, HEALTH):
        seen = await answer(store, reference, other)
        assert (seen["view"], seen["content"]) == ("redacted", RELEASED)
    assert SECRET not in str(await read_items(store, await read_case(store, reference), DUTY))
    assert [sentence async for sentence in verify(store)] == []


async def test_the_information_product_holds_what_was_released_and_signposts(store: Store, reference: str) -> None:
    await act(store, reference, ContributeInformation(sensitive=False), HEALTH, words="Missed two appointments.")
    item = (await answer(store, reference, POLICE))["item"]
    release = ReleaseInformation(item=item, necessity="to_protect_a_child", proportionality="gist")
    await act(store, reference, release, POLICE, words="Needed.", redacted=RELEASED)
    lines = await information_product(store, await read_case(store, reference), DUTY)
    assert [(line["agency"], line["content"]) for line in lines] == [("police", RELEASED), ("health", None)]
    assert "ask the agency" in lines[1]["signpost"]


async def test_a_redacted_version_that_was_removed_is_found(
    store: Store, reference: str, owner_connection: psycopg.Connection
) -> None:
    item = (await answer(store, reference, POLICE))["item"]
    release = ReleaseInformation(item=item, necessity="to_protect_a_child", proportionality="gist")
    await act(store, reference, release, POLICE, words="Needed.", redacted=RELEASED)
    owner_connection.execute("DELETE FROM personal_item WHERE kind = 'redacted'")
    wrong = [sentence async for sentence in verify(store)]
    assert [sentence.startswith(f"{reference}: the words of event") for sentence in wrong] == [True]


async def test_an_agencys_information_stays_its_own_in_a_referral_that_was_split_off(store: Store, reference: str) -> None:
    case = await read_case(store, reference)
    for agency in case.referral.outstanding:
        by = Actor(id=agency, role="agency", agency=agency, hub="merton")
        await act(store, reference, AnswerCheck(agency=agency, known=False), by)
    outcomes: Any = {"s1": "section_17", "s2": "early_help"}
    await act(store, reference, RecordDecision(outcomes=outcomes, primary_need="N1"), MANAGER, words="Different needs.")
    linked = f"{reference}-B"
    assert (await answer(store, linked, POLICE))["content"] == SECRET
    seen = await answer(store, linked, DUTY)
    assert (seen["view"], seen["content"]) == ("signpost", None)
    assert [line["content"] for line in await information_product(store, await read_case(store, linked), DUTY)] == [None]


async def test_what_a_child_says_is_the_agencys_and_goes_where_that_child_goes(store: Store, reference: str) -> None:
    today = store.time.now().date()
    for child, says in (("s1", "I am scared on Fridays."), ("s2", "I like school.")):
        await act(store, reference, RecordChildVoice(subject=child, seen_on=today, alone=True), HEALTH, words=says)
    said = [item for item in await read_items(store, await read_case(store, reference), HEALTH) if item["agency"] == "health"]
    assert {item["subject"]: item["content"] for item in said} == {"s1": "I am scared on Fridays.", "s2": "I like school."}
    assert {item["kind"] for item in said} == {"record_child_voice"}
    others = [item for item in await read_items(store, await read_case(store, reference), DUTY) if item["agency"] == "health"]
    assert {item["view"] for item in others} == {"signpost"}
    scared = next(item["item"] for item in said if item["subject"] == "s1")
    release = ReleaseInformation(item=scared, necessity="to_protect_a_child", proportionality="gist")
    await act(store, reference, release, HEALTH, words="Needed.", redacted="Is scared.")
    await act(store, reference, ProceedWithoutReplies(), DUTY, words="It cannot wait.")
    outcomes: Any = {"s1": "section_17", "s2": "section_17"}
    await act(store, reference, RecordDecision(outcomes=outcomes, primary_need="N1"), MANAGER, words="Both are assessed.")
    each: Any = {"s1": "child_in_need_plan", "s2": "early_help"}
    assessed = CompleteAssessment(factors=("1A",), outcomes=each)
    await act(store, reference, assessed, MANAGER, words="They need different help.")
    linked = await read_case(store, f"{reference}-B")
    assert list(linked.referral.subjects) == ["s2"] and linked.referral.subjects["s2"].assessment == "early_help"
    words = str(await read_items(store, linked, HEALTH))
    assert "I like school." in words and "scared" not in words, "a sibling's words stay behind"
    assert [sentence async for sentence in verify(store)] == []
    assert [sentence async for sentence in contradictions(store)] == []


async def test_the_database_says_what_is_sensitive_and_what_is_released(
    store: Store, reference: str, owner_connection: psycopg.Connection
) -> None:
    await act(store, reference, ContributeInformation(sensitive=False), HEALTH, words="Missed two appointments.")
    held = list((await read_case(store, reference)).referral.held.values())
    release = ReleaseInformation(item=held[1].item, necessity="to_protect_a_child", proportionality="whole")
    await act(store, reference, release, HEALTH, words="Needed.")
    rows = owner_connection.execute(
        "SELECT owner_agency, sensitivity, release_state FROM personal_item"
        " WHERE kind IN ('answer_check', 'contribute_information') ORDER BY created_at, owner_agency DESC"
    ).fetchall()
    assert rows == [("police", "sensitive", "held"), ("health", "not_sensitive", "released")]


async def test_a_link_is_said_by_both_referrals_and_only_within_the_hub(store: Store, reference: str) -> None:
    other = await submit(store)
    await act(store, reference, LinkReferral(other=other, relation="sibling"), DUTY)
    assert (await read_case(store, reference)).referral.links == {other: "sibling"}
    assert (await read_case(store, other)).referral.links == {reference: "sibling"}
    with pytest.raises(NotFound):
        await act(store, reference, LinkReferral(other="MASH-26-999999", relation="sibling"), DUTY)


async def test_an_agenda_is_what_came_in_since_the_last_gathering_most_urgent_first(store: Store, reference: str) -> None:
    profile = store.hub("merton")
    daily = Gathering(title="Daily meeting", ratings=("red", "amber"))
    set_time(store, datetime(2026, 6, 2, 9, 30, tzinfo=UTC))
    second = await submit(store)
    await act(store, second, RateReferral(rating="red"), DUTY)
    third = await submit(store)
    await act(store, third, RateReferral(rating="blue"), DUTY)
    at = profile.calendar.next_time(daily.at, daily.days, START)
    assert at == datetime(2026, 6, 3, 9, 0, tzinfo=UTC), "ten in the morning, in June"
    assert [case.reference for case in await agenda(store, DUTY, profile, daily, at)] == [second]
    earlier = profile.calendar.last_time(daily.at, daily.days, at)
    assert [case.reference for case in await agenda(store, DUTY, profile, daily, earlier)] == [reference]


async def test_disagreements_are_counted_by_what_they_are_about(store: Store, reference: str) -> None:
    assert await disagreements(store, DUTY) == []
    await act(store, reference, RaiseDisagreement(about="rating", rating="red"), HEALTH, words="This is red.")
    found = await disagreements(store, DUTY)
    assert [(one["reference"], one["about"], one["agency"], one["outcome"]) for one in found] == [
        (reference, "rating", "health", None)
    ]
    assert await disagreements(store, DUTY.model_copy(update={"hub": "sandwell"})) == []
