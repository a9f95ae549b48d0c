"""Facts that were put right: found, read and written to as they are now; what was stays sealed, and is in the answer to the
subject."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from acting import BASIS, DUTY, MANAGER, POLICE, SCHOOL
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mash.flows.store import outbox
from mash.flows.store.apply import act, receive
from mash.flows.store.deliveries import Sent, record
from mash.flows.store.erasure import erase
from mash.flows.store.log import read_log, verify
from mash.flows.store.mending import contradictions
from mash.flows.store.reads.case import read_case
from mash.flows.store.reads.corrections import read_corrections
from mash.flows.store.reads.items import read_items, referrer_address
from mash.flows.store.reads.look import look_at, read_story
from mash.flows.store.reads.search import find
from mash.flows.store.store import Store
from mash.flows.store.writes import Item
from mash.flows.telling.access_request import answer
from mash.flows.telling.story import event_in_words
from mash.notifications.notices import Tried
from mash.notifications.routing import Recipient
from mash.states.acts.closing import ErasePeople, ReopenReferral
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.corrections import AddSubject, CorrectDetails, CorrectReferrer, RemoveSubject
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.informing import owed
from mash.states.acts.rating import RateReferral
from mash.states.acts.upkeep import LinkReferral, RemoveLink
from mash.states.acts.withdrawing import WithdrawDecision
from mash.states.errors import Incomplete, Refusal
from mash.states.values import Actor, Subject

NHS = "943 476 5919"
GOVERNOR = Actor(id="cli:governor", role="administrator", agency="system", hub="merton")
ISLA, TOBIAS = {"given": "Isla", "family": "Quillfeather"}, {"given": "Tobias", "family": "Quillfeather"}


async def contact(store: Store, *, cohort: Any = "child", email: str = "office@school.example.org", **isla: str) -> str:
    """A case about two children, at a hub that asks agencies about them; of Isla, `isla` besides."""
    subjects = (Subject(id="S1", cohort=cohort), Subject(id="S2", cohort=cohort))
    command = ReceiveContact(
        contact="referral", source="2A", source_agency="education", subjects=subjects, referrer_reachable=bool(email)
    )
    items = [
        Item("concern", b"a concern"),
        Item("referrer", json.dumps({"name": "Agatha Nosworthy", "email": email}).encode()),
        Item("subject", json.dumps({"name": ISLA, "date_of_birth": "2015-12-20", "nhs_number": NHS, **isla}).encode(), "S1"),
        Item("subject", json.dumps({"name": TOBIAS}).encode(), "S2"),
        Item("household", json.dumps({"name": "Ruth Quillfeather", "relationship": "mother"}).encode()),
    ]
    async with store.transaction(SCHOOL) as connection:
        return (await receive(connection, store, command, items, SCHOOL)).reference


async def items(store: Store, reference: str, by: Actor = DUTY) -> list[dict[str, Any]]:
    return await read_items(store, await look_at(store, reference, by, "read_case"), by)


async def item_of(store: Store, reference: str, kind: str) -> str:
    return next(str(item["item"]) for item in await items(store, reference) if item["kind"] == kind)


async def found(store: Store, name: str, born: str = "") -> list[str]:
    return [each.reference for each in await find(store, name, born, DUTY)]


async def told(store: Store, reference: str, by: Actor) -> list[tuple[str, str, str]]:
    """What somebody reads of what was put right: field, before and after."""
    case = await look_at(store, reference, by, "read_story")
    read = await read_corrections(store, case, by, await read_story(store, case, by))
    return [(each.field, each.was, each.now) for fields in read.values() for each in fields]


async def proven(store: Store) -> None:
    """Every chain verifies, and what is stored beside the logs is what they say."""
    assert [wrong async for wrong in verify(store)] == []
    assert [wrong async for wrong in contradictions(store)] == []


async def test_a_corrected_child_is_found_under_the_new_name_and_birthday_and_not_under_the_old(store: Store) -> None:
    reference = await contact(store)
    right = {"name": {"given": "Eilidh", "family": "Drummond"}, "date_of_birth": "2014-03-01"}
    await act(store, reference, CorrectDetails(item="S1"), DUTY, details=right)
    assert await found(store, "Eilidh Drummond", "2014-03-01") == [reference]
    assert "Isla" not in {each.name.split()[0] for each in await find(store, "Isla Quillfeather", "2015-12-20", DUTY)}
    for name in ("Tobias Quillfeather", "Ruth Quillfeather"):
        assert (await find(store, name, "", DUTY))[0].name == name
    await proven(store)


async def test_whether_a_child_is_known_is_looked_for_anew_once_they_are_put_right(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    reference = await contact(store)
    owner_connection.execute("DELETE FROM to_look")
    await act(store, reference, CorrectDetails(item="S1"), DUTY, details={"upn": "A823432108017"})
    assert owner_connection.execute("SELECT reference FROM to_look").fetchall() == [(reference,)]


async def test_a_field_that_is_not_given_stays_and_one_without_anything_is_taken_out(store: Store) -> None:
    reference = await contact(store)
    await act(store, reference, CorrectDetails(item="S1"), DUTY, details={"nhs_number": None, "address": {"postcode": "SM4 5DX"}})
    fields = next(item["fields"] for item in await items(store, reference) if item["subject"] == "S1")
    assert fields == {"name": ISLA, "date_of_birth": "2015-12-20", "address": {"postcode": "SM4 5DX"}}


async def test_a_wrong_number_is_kept_and_flagged_and_no_longer_once_it_is_right(store: Store) -> None:
    reference = await contact(store)
    for number, flags in (("943 476 5918", ("S1_nhs_number_not_valid",)), ("943 476 5919", ())):
        applied = await act(store, reference, CorrectDetails(item="S1"), DUTY, details={"nhs_number": number})
        assert tuple(flag for flag in applied.referral.flags if flag.startswith("S1_")) == flags


UPN = "H801200001001"


async def test_a_upn_stands_beside_no_reason_why_there_is_none_and_takes_its_place_once_it_is_known(store: Store) -> None:
    reference = await contact(store)

    async def right(**details: Any) -> dict[str, Any]:
        await act(store, reference, CorrectDetails(item="S1"), DUTY, details=details)
        fields = next(item["fields"] for item in await items(store, reference) if item["subject"] == "S1")
        return {name: value for name, value in fields.items() if "upn" in name}

    with pytest.raises(Incomplete, match=r"take out one of the two \(upn_unknown\)"):
        await right(upn=UPN, upn_unknown="UN2")
    assert await right(upn_unknown="UN4") == {"upn_unknown": "UN4"}
    assert await right(upn=UPN, upn_unknown="UN4") == {"upn": UPN}, "a form sends what stands in it too"
    with pytest.raises(Incomplete, match="take out one of the two"):
        await right(upn_unknown="UN5")
    assert await right(upn=None, former_upn=UPN, upn_unknown="UN5") == {"upn_unknown": "UN5", "former_upn": UPN}
    with pytest.raises(Incomplete, match="take out one of the two"):
        await act(store, reference, AddSubject(cohort="child"), DUTY, details={"upn": UPN, "upn_unknown": "UN2"})
    await proven(store)


@pytest.mark.parametrize(
    ("details", "flags"),
    [
        ({"upn_unknown": "UN1"}, ("S1_upn_unknown_no_reason",)),
        ({"upn_unknown": "UN6"}, ()),
        ({"former_upn": "A1"}, ("S1_former_upn_not_valid",)),
        ({"died_on": "2020-02-29"}, ()),
    ],
)
async def test_what_the_census_asks_besides_is_kept_as_it_is_and_flagged_where_it_is_wrong(
    store: Store, details: dict[str, Any], flags: tuple[str, ...]
) -> None:
    reference = await contact(store)
    applied = await act(store, reference, CorrectDetails(item="S1"), DUTY, details=details)
    assert tuple(flag for flag in applied.referral.flags if flag.startswith("S1_")) == flags
    assert not any(str(value) in event.model_dump_json() for event in applied.events for value in details.values())


@pytest.mark.parametrize("died", ["2062-01-01", "2015-12-19", "last week"])
async def test_nobody_dies_in_the_future_or_before_they_are_born(store: Store, died: str) -> None:
    reference = await contact(store)
    for command in (CorrectDetails(item="S1"), AddSubject(cohort="child")):
        with pytest.raises(Incomplete, match=r"\(died_on\)"):
            await act(store, reference, command, DUTY, details={"died_on": died, "date_of_birth": "2015-12-20"})
    await act(store, reference, CorrectDetails(item="S1"), DUTY, details={"died_on": "2016-01-01"})
    with pytest.raises(Incomplete, match=r"\(died_on\)"):
        await act(store, reference, CorrectDetails(item="S1"), DUTY, details={"date_of_birth": "2017-01-01"})


async def test_what_a_referrer_contradicts_is_kept_and_anything_else_of_them_can_be_put_right(store: Store) -> None:
    reference = await contact(store, died_on="2062-01-01", upn=UPN, upn_unknown="UN2")
    applied = await act(store, reference, CorrectDetails(item="S1"), DUTY, details={"school": "Thornwick Vale"})
    assert {"S1_died_on_doubtful", "S1_upn_and_reason_without"} <= {*applied.referral.flags}


@pytest.mark.parametrize(("born", "age"), [("2015-12-20", "child"), ("1990-01-01", "adult"), ("2062-01-01", "doubtful")])
async def test_the_log_says_what_the_new_birthday_says_of_their_age_and_no_day(store: Store, born: str, age: str) -> None:
    reference = await contact(store)
    applied = await act(store, reference, CorrectDetails(item="S2"), DUTY, details={"date_of_birth": born})
    assert applied.events[0].model_dump()["age"] == age and born not in applied.events[0].model_dump_json()


async def test_somebody_of_the_household_is_put_right_by_their_item(store: Store) -> None:
    reference = await contact(store)
    item = await item_of(store, reference, "household")
    await act(store, reference, CorrectDetails(item=item), DUTY, details={"name": "Ruth Okonkwo", "nhs_number": "943 476 5919"})
    assert await found(store, "Ruth Okonkwo") == [reference]
    with pytest.raises(Incomplete, match="nobody of this case has that item now"):
        await act(store, reference, CorrectDetails(item=item), DUTY, details={"name": "Ruth Example"})
    await proven(store)


@pytest.mark.parametrize(
    ("command", "details", "why"),
    [
        (CorrectDetails(item="S1"), {"email": "a@example.org"}, "no details of a subject"),
        (CorrectDetails(item="S9"), {"upn": "A1"}, "nobody of this case"),
        (CorrectDetails(item="S1"), {"name": ISLA}, "nothing was corrected"),
        (CorrectDetails(item="S1"), None, "say what is right"),
        (RateReferral(rating="red"), {"upn": "A1"}, "with nothing else"),
    ],
)
async def test_what_puts_nothing_right_is_refused_and_stores_nothing(
    store: Store, owner_connection: psycopg.Connection, command: Any, details: dict[str, Any] | None, why: str
) -> None:
    reference = await contact(store)
    before = owner_connection.execute("SELECT count(*) FROM personal_item").fetchone()
    with pytest.raises(Incomplete, match=why):
        await act(store, reference, command, DUTY, details=details)
    assert owner_connection.execute("SELECT count(*) FROM personal_item").fetchone() == before


async def test_whoever_may_read_a_child_is_told_both_values_and_the_log_itself_holds_neither(store: Store) -> None:
    reference = await contact(store)
    await act(store, reference, BASIS, DUTY)
    await act(store, reference, RateReferral(rating="amber"), DUTY)
    await act(store, reference, CorrectDetails(item="S1"), DUTY, details={"name": {"given": "Eilidh", "family": "Drummond"}})
    await act(store, reference, CorrectReferrer(), DUTY, details={"name": "Agnes Nosworthy"})
    child = ("name", "Isla Quillfeather", "Eilidh Drummond")
    assert await told(store, reference, DUTY) == [child, ("name", "Agatha Nosworthy", "Agnes Nosworthy")]
    assert await told(store, reference, POLICE) == [child], "a partner does not read who referred"
    log = await read_log(store, reference)
    lines = [event_in_words(each, store.hubs["merton"]) for each in log]
    assert any(line.startswith("Details corrected: S1; name") for line in lines)
    assert not any(name in each.canonical() for each in log for name in ("Eilidh", "Isla", "Agatha"))


async def test_a_partner_reads_the_new_details_where_they_read_the_old_and_not_who_referred(store: Store) -> None:
    reference = await contact(store)
    await act(store, reference, BASIS, DUTY)
    await act(store, reference, RateReferral(rating="amber"), DUTY)
    await act(store, reference, CorrectDetails(item="S1"), DUTY, details={"name": "Eilidh Drummond"})
    await act(store, reference, CorrectReferrer(), DUTY, details={"name": "Agnes Nosworthy"})
    seen = await items(store, reference, POLICE)
    assert [item["fields"]["name"] for item in seen if item["subject"] == "S1"] == ["Eilidh Drummond"]
    assert [(item["view"], item["content"]) for item in seen if item["kind"] == "referrer"] == [("signpost", None)]


async def test_mail_goes_to_the_corrected_address_for_linked_referrals_too(store: Store) -> None:
    reference = await contact(store)
    await act(store, reference, RateReferral(rating="blue"), DUTY, words="low")
    outcomes: Any = {"S1": "section_17", "S2": "no_further_action"}
    await act(store, reference, RecordDecision(outcomes=outcomes, primary_need="N1"), MANAGER, words="as agreed")
    await act(store, reference, CorrectReferrer(), DUTY, details={"email": " <head@school.example.org> "})
    assert await referrer_address(store, reference) == "head@school.example.org"
    assert await referrer_address(store, f"{reference}-B") == "head@school.example.org"
    await proven(store)


async def test_a_message_that_waits_for_the_wrong_address_is_withdrawn_and_goes_to_the_right_one(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    reference = await contact(store)
    await act(store, reference, CorrectReferrer(), DUTY, details={"email": "head@school.example.org"})
    rows = owner_connection.execute("SELECT kind, status FROM notice WHERE role = 'referrer' ORDER BY id").fetchall()
    assert rows == [("acknowledgement", "withdrawn"), ("acknowledgement", "queued")]
    await act(store, reference, CorrectReferrer(), DUTY, details={"phone": "01632 960115"})
    assert len(owner_connection.execute("SELECT FROM notice WHERE role = 'referrer'").fetchall()) == 2


async def test_a_message_that_arrives_at_the_wrong_address_after_it_was_corrected_tells_nobody(
    store: Store,
) -> None:
    reference = await contact(store)

    async def route(entry: outbox.Entry) -> tuple[Recipient, ...]:
        return (Recipient(person=None, steps=()),) if entry.role == "referrer" else ()

    (on_its_way,) = [notice for notice in await outbox.claim(store, route) if notice.role == "referrer"]
    await act(store, reference, CorrectReferrer(), DUTY, details={"email": "head@school.example.org"})
    await record(store, Sent([on_its_way], [Tried(True, "taken")]))
    assert "acknowledgement" in owed((await read_case(store, reference)).referral)
    (again,) = [notice for notice in await outbox.claim(store, route) if notice.role == "referrer"]
    await record(store, Sent([again], [Tried(True, "taken")]))
    assert owed((await read_case(store, reference)).referral) == ()


async def test_an_outcome_that_waits_to_be_sent_does_not_go_once_the_decision_is_withdrawn(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    reference = await contact(store)
    await act(store, reference, RateReferral(rating="blue"), DUTY, words="low")
    outcomes: Any = {"S1": "section_47", "S2": "section_47"}
    await act(store, reference, RecordDecision(outcomes=outcomes, primary_need="N1"), MANAGER, words="as agreed")
    await act(store, reference, WithdrawDecision(), MANAGER, words="It was their cousin.")
    rows = dict(owner_connection.execute("SELECT kind, status FROM notice WHERE role = 'referrer'").fetchall())
    assert rows.get("outcome") in (None, "withdrawn") and "withdrawal" not in rows
    await proven(store)


async def test_an_outcome_that_waits_to_be_sent_does_not_go_once_the_case_is_open_again(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    reference = await contact(store)
    await act(store, reference, RateReferral(rating="blue"), DUTY, words="low")
    outcomes: Any = dict.fromkeys(("S1", "S2"), "no_further_action")
    await act(store, reference, RecordDecision(outcomes=outcomes, primary_need="N1"), MANAGER, words="as agreed")
    await act(store, reference, ReopenReferral(), MANAGER, words="It was their cousin.")
    rows = dict(owner_connection.execute("SELECT kind, status FROM notice WHERE role = 'referrer'").fetchall())
    assert rows == {"acknowledgement": "queued", "outcome": "withdrawn"}
    await proven(store)


async def test_a_sibling_who_was_added_is_found_and_one_who_was_removed_is_shown_to_nobody_but_as_removed(store: Store) -> None:
    reference = await contact(store)
    applied = await act(store, reference, AddSubject(cohort="child"), DUTY, details={"name": "Fenella Drummond"})
    assert "S3" in applied.referral.subjects and await found(store, "Fenella Drummond") == [reference]
    await act(store, reference, RemoveSubject(subject="S3"), DUTY, words="Another family's.")
    assert await found(store, "Fenella Drummond") == []
    assert "S3" not in {item["subject"] for item in await items(store, reference)}
    assert await told(store, reference, DUTY) == [("name", "", "Fenella Drummond"), ("name", "Fenella Drummond", "")]
    page = (await answer(store, reference, "S3", "cli:governor")).page
    assert "Fenella Drummond" in page and "entered in error and removed" in page
    assert "Fenella" not in (await answer(store, reference, "S1", "cli:governor")).page
    await proven(store)


async def test_somebody_of_whom_nothing_is_known_yet_is_added_and_named_later(store: Store) -> None:
    reference = await contact(store)
    await act(store, reference, AddSubject(cohort="unborn"), DUTY, details={})
    await act(
        store, reference, CorrectDetails(item="S3"), DUTY, details={"name": "Fenella Drummond", "expected_date": "2026-09-01"}
    )
    assert await found(store, "Fenella Drummond") == [reference]
    await proven(store)


async def test_the_subject_is_answered_with_both_values_and_that_it_was_corrected(store: Store) -> None:
    reference = await contact(store)
    await act(store, reference, CorrectDetails(item="S1"), DUTY, details={"name": {"given": "Eilidh", "family": "Drummond"}})
    await act(store, reference, CorrectReferrer(), DUTY, details={"email": "head@school.example.org"})
    page = (await answer(store, reference, "S1", "cli:governor")).page
    assert "Eilidh" in page and "Isla" in page and "as it was before it was corrected" in page
    assert "Details corrected: S1; name" in page
    assert "head@school" not in page and "office@school" not in page and "Tobias" not in page


async def test_what_was_corrected_goes_with_the_key_and_leaves_no_number(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    reference = await contact(store)
    await act(store, reference, CorrectDetails(item="S1"), DUTY, details={"name": "Eilidh Drummond"})
    await act(store, reference, RateReferral(rating="blue"), DUTY, words="low")
    outcomes: Any = {"S1": "no_further_action", "S2": "no_further_action"}
    await act(store, reference, RecordDecision(outcomes=outcomes), MANAGER, words="as agreed")
    await act(store, reference, CorrectReferrer(), DUTY, details={"email": None})
    await erase(store, reference, ErasePeople(why="right_to_erasure"), GOVERNOR)
    assert owner_connection.execute("SELECT count(*) FROM known_person").fetchone() == (0,)
    assert owner_connection.execute("SELECT count(*) FROM referral_key WHERE wrapped IS NOT NULL").fetchone() == (0,)
    assert await referrer_address(store, reference) is None
    await proven(store)


async def test_a_linked_referral_begins_with_what_was_put_right_and_its_subject_can_ask_for_what_was(store: Store) -> None:
    reference = await contact(store)
    await act(store, reference, CorrectDetails(item="S2"), DUTY, details={"name": "Fenella Drummond"})
    await act(store, reference, RateReferral(rating="blue"), DUTY, words="low")
    outcomes: Any = {"S1": "section_17", "S2": "no_further_action"}
    await act(store, reference, RecordDecision(outcomes=outcomes, primary_need="N1"), MANAGER, words="as agreed")
    linked = f"{reference}-B"
    assert {item["fields"]["name"] for item in await items(store, linked) if item["subject"] == "S2"} == {"Fenella Drummond"}
    page = (await answer(store, linked, "S2", "cli:governor")).page
    assert "Fenella Drummond" in page and "Tobias" in page and "as it was before it was corrected" in page
    await proven(store)


async def test_a_link_that_is_removed_is_gone_in_both_logs(store: Store) -> None:
    one, other = await contact(store), await contact(store)
    await act(store, one, LinkReferral(other=other, relation="sibling"), DUTY)
    await act(store, other, RemoveLink(other=one), DUTY, words="Another family.")
    for reference in (one, other):
        assert (await read_case(store, reference)).referral.links == {}
        assert [each.event.kind for each in await read_log(store, reference)][-1] == "link_removed"
    await proven(store)


async def test_nobody_puts_names_of_a_case_right_in_which_nobody_was(store: Store, owner_connection: psycopg.Connection) -> None:
    """Of what the application's role may call, nothing changes by what somebody is found."""
    roles = ("mash_app", "mash_system")
    for function in ("write_rows(text, text)", "rename_people(json)"):
        for role in roles:
            may = owner_connection.execute("SELECT has_function_privilege(%s, %s, 'EXECUTE')", (role, function)).fetchone()
            assert may == (False,), (role, function)


STEPS: dict[str, tuple[Any, Actor, dict[str, Any] | None]] = {
    "correct S1": (CorrectDetails(item="S1"), DUTY, {"name": "Eilidh Drummond"}),
    "correct S1 again": (CorrectDetails(item="S1"), DUTY, {"name": "Eilidh Dunmore", "date_of_birth": "2014-03-01"}),
    "correct S2": (CorrectDetails(item="S2"), DUTY, {"nhs_number": "1"}),
    "correct S3": (CorrectDetails(item="S3"), DUTY, {"address": "2 Ash Lane"}),
    "correct the referrer": (CorrectReferrer(), DUTY, {"email": "head@school.example.org"}),
    "no address": (CorrectReferrer(), DUTY, {"email": None, "phone": "01632 960115"}),
    "add": (AddSubject(cohort="child"), DUTY, {"name": "Fenella Drummond"}),
    "remove S2": (RemoveSubject(subject="S2"), DUTY, None),
    "remove S3": (RemoveSubject(subject="S3"), DUTY, None),
    "section 47": ("section_47", MANAGER, None),
    "split": ("split", MANAGER, None),
    "withdraw": (WithdrawDecision(), MANAGER, None),
    "reopen": (ReopenReferral(), MANAGER, None),
}


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.sampled_from(sorted(STEPS)), min_size=3, max_size=9))
async def test_any_order_of_corrections_keeps_every_chain_verifying_and_the_derivation_quiet(
    store: Store, steps: list[str]
) -> None:
    reference = await contact(store)
    await act(store, reference, RateReferral(rating="blue"), DUTY, words="low")
    for step in steps:
        command, by, details = STEPS[step]
        if isinstance(command, str):
            subjects = sorted((await read_case(store, reference)).referral.subjects)
            outcomes: Any = dict.fromkeys(subjects, "section_47")
            if command == "split":
                outcomes[subjects[-1]] = "no_further_action"
            command = RecordDecision(outcomes=outcomes, primary_need="N1")
        try:
            await act(store, reference, command, by, words="as it is", details=details)
        except Refusal:
            continue
    await proven(store)
    people = [item for item in await items(store, reference) if item["kind"] == "subject"]
    referral = (await read_case(store, reference)).referral
    named = {*referral.subjects, *referral.left}
    assert {item["subject"] for item in people} == named and len(people) == len(named)
