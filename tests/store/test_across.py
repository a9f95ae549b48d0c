"""Whether another hub of the installation may know somebody: what crosses is a hub's name, and both sides write it down."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from acting import BASIS, DUTY, POLICE, SCHOOL, START, set_time
from psycopg.errors import InsufficientPrivilege
from sqlalchemy.dialects.postgresql import insert

from mash.api.self_test.walls import be
from mash.flows.installation.postmaster import Cluster
from mash.flows.store.apply import Applied, act, receive
from mash.flows.store.log import events_of
from mash.flows.store.reads.accesses import ACROSS, accesses_across, accesses_of, accesses_to
from mash.flows.store.reads.items import read_items
from mash.flows.store.reads.look import look_at, possible, read_story
from mash.flows.store.store import Store, system_actor
from mash.flows.store.tables import PROFILES
from mash.flows.store.writes import Item
from mash.flows.telling.access_request import answer as answer_to_subject
from mash.flows.telling.for_administrators import timeline
from mash.flows.telling.story import event_in_words
from mash.states.acts.across import AskedAcrossHubs, AskOtherHubs
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.rating import RateReferral
from mash.states.errors import Incomplete, NotYours
from mash.states.values import Actor, Subject

HOME = {"line1": "9 Elm Road", "postcode": "B70 1AA"}
ISLA = {"name": {"given": "Isla", "family": "Example"}, "date_of_birth": "2015-12-20", "address": HOME}
TWIN = {**ISLA, "name": {"given": "Rowan", "family": "Example"}}
THERE = SCHOOL.model_copy(update={"hub": "sandwell"})
OTHER_DUTY = DUTY.model_copy(update={"id": "e.manager"})
GOVERNOR = Actor(id="i.governor", role="information_governance", agency="social_care", hub="merton")
GOVERNOR_THERE = GOVERNOR.model_copy(update={"hub": "sandwell"})
ASK = AskOtherHubs(subject="S1")
OTHERS = "Tobias Underhill, Zofia Nowak, Amir Hussain, Grace Okafor, Leo Smith, Ava Jones"
"""People whom the contacts of a hub are about, so that a name is not rare because it is the only one."""


async def contact(store: Store, *subjects: dict[str, Any], by: Actor = SCHOOL) -> str:
    """A contact about these people; its reference."""
    ids = [f"S{n + 1}" for n in range(len(subjects))]
    about = tuple(Subject(id=each, cohort="child") for each in ids)
    command = ReceiveContact(contact="referral", source="2A", source_agency="school", subjects=about)
    items = [Item("concern", b"a concern")]
    items += [Item("subject", json.dumps(each).encode(), its) for its, each in zip(ids, subjects, strict=True)]
    async with store.transaction(by) as connection:
        return (await receive(connection, store, command, items, by)).reference


async def case(store: Store, *subjects: dict[str, Any]) -> str:
    """A case of Merton's about these people, with the reason for sharing on record."""
    set_time(store, START)
    reference = await contact(store, *(subjects or (ISLA,)))
    await act(store, reference, BASIS, DUTY)
    return reference


async def known_there(store: Store, *subjects: dict[str, Any]) -> str:
    """A contact of Sandwell's about these people, beside others; its reference."""
    set_time(store, START - timedelta(days=3))
    for n, name in enumerate(OTHERS.split(", ")):
        given, family = name.split()
        born = f"201{n}-0{n + 1}-1{n}"
        await contact(store, {"name": {"given": given, "family": family}, "date_of_birth": born}, by=THERE)
    return await contact(store, *(subjects or (ISLA,)), by=THERE)


def answer(applied: Applied) -> tuple[str, ...]:
    """Which hubs may know whom it was asked about."""
    (event,) = applied.events
    assert isinstance(event, AskedAcrossHubs)
    return event.may_know


async def limited(store: Store, **limits: int) -> None:
    """Have fewer questions be asked at Merton."""
    merton = store.hubs["merton"]
    other = merton.model_copy(update={"firewall": merton.firewall.model_copy(update=limits)})
    stored = {"digest": other.digest, "hub": other.name, "document": other.canonical, "stored_at": START}
    async with store.engine.begin() as connection:
        await connection.execute(insert(PROFILES).values(stored).on_conflict_do_nothing())
    store.hubs["merton"] = other


# --- the answer -------------------------------------------------------------------------------------------------------------


async def test_a_hub_that_likely_knows_a_child_is_named_and_nothing_of_what_it_knows_is_told(store: Store) -> None:
    theirs = await known_there(store)
    reference = await case(store)
    applied = await act(store, reference, ASK, DUTY)
    assert answer(applied) == ("sandwell",)
    assert applied.events == [AskedAcrossHubs(subject="S1", asked=("sandwell",), may_know=("sandwell",), words=None)]
    assert theirs not in applied.referral.model_dump_json()
    assert applied.referral.across["S1"].at == START
    found = await look_at(store, reference, DUTY, "read_case")
    lines = [event_in_words(each, store.hub("merton")) for each in await read_story(store, found, DUTY)]
    assert "Asked across hubs: S1; Sandwell may know this person: ring its duty manager" in lines


async def test_of_a_child_whom_nobody_knows_the_answer_is_that_there_is_no_other_hub(store: Store) -> None:
    await known_there(store, TWIN)
    reference = await case(store)
    assert answer(await act(store, reference, ASK, DUTY)) == ()
    found = await look_at(store, reference, DUTY, "read_case")
    lines = [event_in_words(each, store.hub("merton")) for each in await read_story(store, found, DUTY)]
    assert "Asked across hubs: S1; no other hub" in lines


async def test_whom_a_hub_only_possibly_knows_is_not_told(store: Store) -> None:
    number = {"nhs_number": "9434765919"}
    await known_there(store, {**ISLA, **number})
    other = {"name": {"given": "Tomasz", "family": "Wieczorek"}, "date_of_birth": "2009-05-06", **number}
    assert answer(await act(store, await case(store, other), ASK, DUTY)) == ()


async def test_only_whom_is_asked_about_counts_and_not_the_rest_of_the_family(store: Store) -> None:
    await known_there(store, TWIN)
    reference = await case(store, ISLA, TWIN)
    assert answer(await act(store, reference, ASK, DUTY)) == ()
    assert answer(await act(store, reference, AskOtherHubs(subject="S2"), DUTY)) == ("sandwell",)


async def test_of_a_family_larger_than_is_looked_for_whom_is_asked_about_is(store: Store) -> None:
    await known_there(store)
    children = [{"name": {"given": f"Child{n}", "family": "Tarn"}} for n in range(12)]
    reference = await case(store, *children, ISLA)
    assert answer(await act(store, reference, AskOtherHubs(subject="S13"), DUTY)) == ("sandwell",)


async def test_the_own_hub_is_not_asked(store: Store) -> None:
    set_time(store, START - timedelta(days=3))
    await contact(store, ISLA)
    assert answer(await act(store, await case(store), ASK, DUTY)) == ()


# --- who may ask, and how often ---------------------------------------------------------------------------------------------


async def test_nobody_is_asked_before_the_reason_for_sharing_is_on_record(store: Store) -> None:
    set_time(store, START)
    reference = await contact(store, ISLA)
    with pytest.raises(Incomplete, match="record_sharing_basis"):
        await act(store, reference, ASK, DUTY)
    found = await look_at(store, reference, DUTY, "read_case")
    assert "ask_other_hubs" not in await possible(store, found, DUTY)
    assert await accesses_across(store, GOVERNOR_THERE) == []


async def test_about_somebody_without_a_name_nobody_is_asked(store: Store) -> None:
    reference = await case(store, {"date_of_birth": "2015-12-20"})
    with pytest.raises(Incomplete, match="expected a name"):
        await act(store, reference, ASK, DUTY)


async def test_where_one_hub_is_served_the_question_is_not_offered(store: Store) -> None:
    reference = await case(store)
    assert "ask_other_hubs" in await possible(store, await look_at(store, reference, DUTY, "read_case"), DUTY)
    del store.hubs["sandwell"]
    assert "ask_other_hubs" not in await possible(store, await look_at(store, reference, DUTY, "read_case"), DUTY)
    with pytest.raises(Incomplete, match="serves no other hub"):
        await act(store, reference, ASK, DUTY)


async def test_one_person_asks_so_often_an_hour_and_is_told_when_again(store: Store) -> None:
    await limited(store, questions_an_hour=2)
    reference = await case(store)
    for minute in (0, 20):
        set_time(store, START + timedelta(minutes=minute))
        await act(store, reference, ASK, DUTY)
    set_time(store, START + timedelta(minutes=59))
    with pytest.raises(NotYours, match="ask again from Tue 02 Jun 2026, 11:00") as refused:
        await act(store, reference, ASK, DUTY)
    assert refused.value.facts == {"again_at": (START + timedelta(hours=1)).isoformat()}
    await act(store, reference, ASK, OTHER_DUTY)
    set_time(store, START + timedelta(minutes=61))
    await act(store, reference, ASK, DUTY)


async def test_a_hub_asks_so_often_a_day_and_by_nobody_again_until_then(store: Store) -> None:
    await limited(store, questions_a_day=2)
    reference = await case(store)
    await act(store, reference, ASK, DUTY)
    set_time(store, START + timedelta(hours=2))
    await act(store, reference, ASK, OTHER_DUTY)
    with pytest.raises(NotYours, match="Wed 03 Jun 2026, 10:00"):
        await act(store, reference, ASK, OTHER_DUTY)
    set_time(store, START + timedelta(days=1, minutes=1))
    await act(store, reference, ASK, DUTY)


async def test_of_many_questions_at_once_no_more_are_answered_than_may_be(store: Store) -> None:
    await limited(store, questions_an_hour=2)
    references = [await case(store) for _ in range(6)]
    done = await asyncio.gather(*(act(store, each, ASK, DUTY) for each in references), return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Applied"] * 2 + ["NotYours"] * 4


async def test_what_other_hubs_ask_counts_for_them_alone(store: Store) -> None:
    await limited(store, questions_a_day=1)
    theirs = await known_there(store)
    there = DUTY.model_copy(update={"hub": "sandwell"})
    set_time(store, START)
    await act(store, theirs, BASIS, there)
    await act(store, theirs, ASK, there)
    await act(store, await case(store), ASK, DUTY)


# --- what is written down ---------------------------------------------------------------------------------------------------


async def test_both_hubs_have_it_written_down_and_the_one_that_was_asked_reads_of_no_case(store: Store) -> None:
    await known_there(store)
    reference = await case(store)
    await act(store, reference, ASK, DUTY)
    (mine,) = [each for each in await accesses_to(store, [reference], GOVERNOR) if each.action == "ask_other_hubs"]
    assert (mine.person, mine.role, mine.reference, mine.why) == (DUTY.id, DUTY.role, reference, "works at the hub")
    assert ACROSS not in {each.action for each in await accesses_of(store, DUTY.id, GOVERNOR)}
    (theirs,) = await accesses_across(store, GOVERNOR_THERE)
    assert (theirs.person, theirs.role, theirs.reference, theirs.about) == (DUTY.id, DUTY.role, None, None)
    assert theirs.why == "merton asked, and was told to ring your duty manager" and theirs.at == START
    assert await accesses_across(store, GOVERNOR) == []


async def test_a_hub_that_was_asked_in_vain_reads_that_it_was_asked(store: Store) -> None:
    await act(store, await case(store), ASK, DUTY)
    (theirs,) = await accesses_across(store, GOVERNOR_THERE)
    assert theirs.why == "merton asked, and was told nothing"


async def test_a_question_that_is_refused_leaves_nothing(store: Store) -> None:
    reference = await case(store)
    with pytest.raises(Incomplete):
        await act(store, reference, AskOtherHubs(subject="S9"), DUTY)
    assert await accesses_across(store, GOVERNOR_THERE) == []


async def test_nothing_is_written_at_the_case_that_is_known(store: Store) -> None:
    theirs = await known_there(store)
    async with store.transaction(system_actor("sandwell")) as connection:
        before = len(await events_of(connection, theirs))
    await act(store, await case(store), ASK, DUTY)
    async with store.transaction(system_actor("sandwell")) as connection:
        assert len(await events_of(connection, theirs)) == before


async def test_a_partner_of_the_case_hears_nothing_of_it_nor_does_prefect(store: Store) -> None:
    await known_there(store)
    reference = await case(store)
    await act(store, reference, RateReferral(rating="amber"), DUTY)
    before = await look_at(store, reference, POLICE, "read_case")
    story, items = await read_story(store, before, POLICE), await read_items(store, before, POLICE)
    await act(store, reference, ASK, DUTY, words="They came from there, the grandmother says.")
    after = await look_at(store, reference, POLICE, "read_case")
    assert await read_items(store, after, POLICE) == items, "not even that words were said with it"
    assert "grandmother" in str(await read_items(store, await look_at(store, reference, DUTY, "read_case"), DUTY))
    assert after.referral == before.referral and after.referral.across == {}
    assert [each.event for each in await read_story(store, after, POLICE)] == [each.event for each in story]
    async with store.transaction(system_actor("merton")) as connection:
        log = await events_of(connection, reference)
    shown = timeline(log, (), store.hub("merton"))
    assert any(isinstance(each.event, AskedAcrossHubs) for each in log)
    assert "cross" not in shown and "andwell" not in shown


async def test_what_is_answered_to_the_subject_withholds_the_question_and_the_words_that_came_with_it(store: Store) -> None:
    await known_there(store)
    lines = list[list[str]]()
    for asks in (False, True):
        reference = await case(store)
        if asks:
            await act(store, reference, ASK, DUTY, words="They came from there, the grandmother says.")
        page = (await answer_to_subject(store, reference, "S1", "r.officer")).page
        lines.append(sorted(page.replace(reference, "REFERENCE").splitlines()))
    assert lines[0] == lines[1] and "grandmother" not in str(lines)


# --- the application's own connection ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        """SELECT may_ask_again('{"an_hour": 1000, "a_day": 1000}', 'unsigned')""",
        "SELECT contacts_alike('sandwell', '', ARRAY[1], 10, 10)",
        "SELECT * FROM known_key",
        "SELECT look_across()",
        "INSERT INTO access (at, person, role, agency, hub, action, why)"
        " VALUES (now(), 'd.manager', 'duty_manager', 'social_care', 'sandwell', 'asked_by_another_hub', 'x')",
    ],
)
async def test_the_applications_connection_asks_and_looks_for_itself_at_no_hub(
    store: Store, cluster: Cluster, statement: str
) -> None:
    with psycopg.connect(host=str(cluster.socket), user="mash_app", dbname="mash") as connection:
        be(connection, DUTY, START, store.caller_key)
        with pytest.raises(InsufficientPrivilege):
            connection.execute(statement.encode())


async def test_what_is_signed_for_another_purpose_is_no_question(store: Store, cluster: Cluster) -> None:
    document = '{"an_hour": 10, "a_day": 10}'
    with psycopg.connect(host=str(cluster.socket), user="mash_app", dbname="mash") as connection:
        signer = be(connection, DUTY, START, store.caller_key)
        asked = "SELECT may_ask_again(%s, %s)"
        assert connection.execute(asked, (document, signer.sign("ask", document))).fetchone() == (None,)
        for purpose, text in (("write", document), ("ask", document.replace("10", "99"))):
            with pytest.raises(InsufficientPrivilege), connection.transaction():
                connection.execute(asked, (document, signer.sign(purpose, text)))
