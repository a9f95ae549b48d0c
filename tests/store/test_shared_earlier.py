"""An earlier contact, shared with the partners on a case by a line; and whom a second copy brings to the open case."""

from __future__ import annotations

import json
from typing import Any

import pytest
from acting import BASIS, DUTY, MANAGER, POLICE, SCHOOL

from mash.flows.store.apply import act, receive
from mash.flows.store.log import read_log, verify
from mash.flows.store.looking import look_next
from mash.flows.store.mending import Mender
from mash.flows.store.reads.case import read_case
from mash.flows.store.reads.earlier import side_by_side
from mash.flows.store.reads.items import information_product, read_items
from mash.flows.store.reads.look import look_at, read_story
from mash.flows.store.reads.search import find
from mash.flows.store.store import Store
from mash.flows.store.writes import Item
from mash.flows.telling.access_request import answer
from mash.flows.telling.for_administrators import timeline
from mash.states.acts.checks import AskAgencies
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.episodes import CloseDuplicate
from mash.states.acts.information import BreakGlass
from mash.states.acts.known import IdentifySubject, RejectMatch, WithdrawIdentity
from mash.states.acts.rating import RateReferral
from mash.states.acts.shared import ShareEarlierContact
from mash.states.errors import Incomplete, NotFound, ReasonNeeded
from mash.states.values import Actor, Subject

PROBATION = POLICE.model_copy(update={"id": "p.officer", "agency": "probation"})
THEO = {"name": {"given": "Theodore", "family": "Quillfeather"}, "date_of_birth": "2017-03-04"}
STRANGER = {"name": {"given": "Marguerite", "family": "Oyelaran"}, "date_of_birth": "2015-11-30"}
UNCLE = {"name": "Bartholomew Ashgrove", "relationship": "uncle"}
MOTHER = {"name": "Orla Quince", "relationship": "mother"}
WHY = "He has come hungry before; please say what you know."


async def contact(
    store: Store,
    *people: dict[str, Any],
    household: tuple[dict[str, Any], ...] = (),
    agency: Any = "education",
    source: str = "2A",
) -> str:
    """A contact about these children; its reference."""
    subjects = tuple(Subject(id=f"S{n}", cohort="child", age="child") for n, _ in enumerate(people, 1))
    command = ReceiveContact(contact="referral", source=source, source_agency=agency, subjects=subjects)
    items = [Item("concern", json.dumps({"summary": "He comes without lunch."}).encode())]
    items += [Item("subject", json.dumps(person).encode(), f"S{n}") for n, person in enumerate(people, 1)]
    items += [Item("household", json.dumps(person).encode()) for person in household]
    async with store.transaction(SCHOOL) as connection:
        return (await receive(connection, store, command, items, SCHOOL)).reference


async def looked(store: Store) -> None:
    while await look_next(store):
        pass


async def sound(store: Store) -> None:
    """Every chain holds, and nothing is stored beside the logs that they do not say."""
    assert [wrong async for wrong in verify(store)] == []
    assert await Mender(store).look_at_all() == []


async def found(store: Store, name: str) -> list[str]:
    return sorted({each.reference for each in await find(store, name, "", DUTY)})


async def case_of(store: Store, **earlier: Any) -> tuple[str, str]:
    """An earlier contact about a boy, and a case that the police are asked about, of which he is confirmed to be the subject."""
    first, case = await contact(store, THEO, **earlier), await contact(store, THEO)
    await looked(store)
    await act(store, case, IdentifySubject(subject="S1", other=first, other_subject="S1"), DUTY)
    await looked(store)
    await act(store, case, BASIS, DUTY, words="The child is at risk.")
    await act(store, case, RateReferral(rating=next(iter(store.hub("merton").ratings))), DUTY, words="He is hungry.")
    if "police" not in (await read_case(store, case)).referral.checks:
        await act(store, case, AskAgencies(agencies=("police",)), DUTY)
    return first, case


async def share(store: Store, case: str, other: str, words: str | None = WHY, by: Actor = DUTY) -> Any:
    return await act(store, case, ShareEarlierContact(other=other, necessity="to_protect_a_child"), by, words=words)


async def read_by(store: Store, case: str, by: Actor) -> str:
    """All that somebody reads of a case: its words, its log, and the product."""
    looked_at = await look_at(store, case, by, "read_case")
    items = await read_items(store, looked_at, by)
    story = [each.model_dump_json() for each in await read_story(store, looked_at, by)]
    product = await information_product(store, looked_at, by)
    return json.dumps([items, story, product], default=str)


async def test_a_partner_reads_the_line_only_once_it_was_shared_and_never_of_which_contact_it_is(store: Store) -> None:
    first, case = await case_of(store)
    before = await read_by(store, case, POLICE)
    assert "same child" not in before and "earlier_contact" not in before and first not in before
    done = await share(store, case, first)
    assert [event.kind for event in done.events] == ["earlier_contact_shared", "information_released"]
    after = await read_by(store, case, POLICE)
    assert "Another contact about the same child" in after and "from education" in after and WHY in after
    assert first not in after
    await sound(store)


async def test_of_brother_and_sister_it_says_of_each_what_came_of_it(store: Store) -> None:
    first, case = await contact(store, THEO, STRANGER), await contact(store, STRANGER, THEO)
    await looked(store)
    await act(store, case, IdentifySubject(subject="S1", other=first, other_subject="S2"), DUTY)
    await act(store, case, IdentifySubject(subject="S2", other=first, other_subject="S1"), DUTY)
    await looked(store)
    least = next(name for name, rating in store.hub("merton").ratings.items() if rating.route[0] == "decision")
    await act(store, first, RateReferral(rating=least), DUTY, words="not urgent")
    await act(
        store, first, RecordDecision(outcomes={"S1": "advice", "S2": "advice"}, primary_need="N1"), MANAGER, words="Advice."
    )
    await share(store, case, first)
    text = await read_by(store, case, DUTY)
    assert "(S1, S2 here)" in text and "for S1: advice" in text and "for S2: advice" in text


async def test_of_a_child_who_went_another_way_there_it_says_nothing_that_is_not_so(store: Store) -> None:
    first, case = await contact(store, THEO, STRANGER), await contact(store, STRANGER)
    await looked(store)
    await act(store, case, IdentifySubject(subject="S1", other=first, other_subject="S2"), DUTY)
    await looked(store)
    least = next(name for name, rating in store.hub("merton").ratings.items() if rating.route[0] == "decision")
    await act(store, first, RateReferral(rating=least), DUTY, words="not urgent")
    apart = RecordDecision(outcomes={"S1": "advice", "S2": "no_further_action"}, primary_need="N1")
    await act(store, first, apart, MANAGER, words="They differ.")
    await share(store, case, first)
    text = await read_by(store, case, DUTY)
    assert "What came of it" not in text and "received on" in text


async def test_its_run_does_not_name_it_and_its_subject_is_answered_with_the_line(store: Store) -> None:
    first, case = await case_of(store)
    before = (await answer(store, case, "S1", "governor")).page
    await share(store, case, first)
    shown = timeline(await read_log(store, case), (), store.hub("merton"))
    assert "arlier contact" not in shown and "Information contributed" in shown
    after = (await answer(store, case, "S1", "governor")).page
    assert "Another contact about the same child" not in before and "Another contact about the same child" in after
    assert first not in after


async def test_the_product_has_the_line(store: Store) -> None:
    first, case = await case_of(store)
    await share(store, case, first)
    lines = await information_product(store, await look_at(store, case, MANAGER, "read_case"), MANAGER)
    (line,) = [each for each in lines if each["agency"] == "social_care"]
    assert line["signpost"] is None and "What came of it for S1: nothing decided yet" in line["content"]


@pytest.mark.parametrize(("agency", "source"), [("individual", "1B"), ("education", "1A"), ("voluntary", "2A")])
async def test_a_neighbour_who_made_it_is_told_apart_from_nobody(store: Store, agency: str, source: str) -> None:
    first, case = await case_of(store, agency=agency, source=source)
    await share(store, case, first)
    text = await read_by(store, case, POLICE)
    assert "from somebody who was worried" in text


async def test_whoever_only_looks_in_by_breaking_the_glass_does_not_hear_of_it(store: Store) -> None:
    first, case = await case_of(store)
    await share(store, case, first)
    await act(store, case, BreakGlass(), PROBATION, words="I am with the child now.", of_system=True)
    text = await read_by(store, case, PROBATION)
    assert "social_care" in text and "same child" not in text and "earlier" not in text and WHY not in text


async def test_nothing_is_shared_without_saying_why(store: Store) -> None:
    first, case = await case_of(store)
    with pytest.raises(ReasonNeeded):
        await share(store, case, first, words=None)
    with pytest.raises(ReasonNeeded):
        await share(store, case, first, words="")
    assert (await read_case(store, case)).referral.held == {}
    await sound(store)


async def test_a_contact_that_there_is_not_is_not_shared(store: Store) -> None:
    _, case = await case_of(store)
    with pytest.raises(NotFound):
        await share(store, case, "MASH-26-999999")
    unrelated = await contact(store, STRANGER)
    with pytest.raises(Incomplete, match="no such contact is confirmed"):
        await share(store, case, unrelated)


async def copies(store: Store, *new: dict[str, Any], household: tuple[dict[str, Any], ...] = ()) -> tuple[str, str]:
    """An open case, and a second copy that names more people; the boy is confirmed to be the same."""
    first = await contact(store, THEO, household=(MOTHER,))
    second = await contact(store, THEO, *new, household=household)
    await looked(store)
    await act(store, second, IdentifySubject(subject="S1", other=first, other_subject="S1"), DUTY)
    await looked(store)
    return first, second


async def closed(store: Store, second: str, first: str) -> None:
    pair = await side_by_side(store, await read_case(store, second), "S1", first, "S1", DUTY)
    await act(store, second, CloseDuplicate(other=first, compared=pair.compared), DUTY, words="The same morning.")


async def test_whom_only_the_copy_names_is_a_subject_of_the_open_case_and_is_found_there(store: Store) -> None:
    first, second = await copies(store, STRANGER, household=(MOTHER, UNCLE))
    assert await found(store, "Marguerite Oyelaran") == [second]
    await closed(store, second, first)
    case = await read_case(store, first)
    assert [*case.referral.subjects] == ["S1", "S2"] and case.referral.added == (second,)
    assert await found(store, "Marguerite Oyelaran") == [first, second] == await found(store, "Bartholomew Ashgrove")
    items = await read_items(store, await look_at(store, first, DUTY, "read_case"), DUTY)
    names = [item["fields"]["name"] for item in items if item["kind"] == "household"]
    assert sorted(names) == ["Bartholomew Ashgrove", "Orla Quince"], "who was named there already is not named twice"
    (new,) = [item for item in items if item["subject"] == "S2"]
    assert new["fields"]["date_of_birth"] == "2015-11-30" and new["agency"] == DUTY.agency
    await sound(store)


async def test_a_copy_that_names_nobody_else_adds_nobody(store: Store) -> None:
    first, second = await copies(store, household=(MOTHER,))
    await closed(store, second, first)
    case = await read_case(store, first)
    assert [*case.referral.subjects] == ["S1"] and case.referral.added == (second,)
    await sound(store)


async def test_a_copy_is_not_closed_while_one_of_its_people_is_only_likely_to_be_in_the_case(store: Store) -> None:
    first = await contact(store, THEO, STRANGER)
    second = await contact(store, THEO, STRANGER)
    await looked(store)
    await act(store, second, IdentifySubject(subject="S1", other=first, other_subject="S1"), DUTY)
    await looked(store)
    with pytest.raises(Incomplete, match=r"confirm or reject first \(identify_subject, reject_match\): S2$"):
        await closed(store, second, first)
    assert (await read_case(store, second)).referral.open
    reject = RejectMatch(subject="S2", other=first, other_subject="S2")
    await act(store, second, reject, DUTY, words="A cousin of the same name.")
    await looked(store)
    await closed(store, second, first)
    case = await read_case(store, first)
    assert [*case.referral.subjects] == ["S1", "S2", "S3"] and case.referral.added == (second,)
    await sound(store)


async def test_a_child_of_the_copy_who_is_only_of_the_household_there_becomes_a_subject_of_the_case(store: Store) -> None:
    first = await contact(store, THEO, household=({**STRANGER, "relationship": "sister"},))
    second = await contact(store, THEO, STRANGER)
    await looked(store)
    await act(store, second, IdentifySubject(subject="S1", other=first, other_subject="S1"), DUTY)
    await looked(store)
    alike = [each for each in (await read_case(store, second)).referral.matches if each.subject == "S2"]
    assert [(each.other, each.likeness) for each in alike] == [(None, "likely")]
    await closed(store, second, first)
    assert [*(await read_case(store, first)).referral.subjects] == ["S1", "S2"]
    await sound(store)


async def test_of_the_household_only_who_is_there_by_name_is_left_out(store: Store) -> None:
    nobody = {"relationship": "mother's partner"}
    namesake = {"name": UNCLE["name"], "relationship": "grandfather"}
    first = await contact(store, THEO, household=(MOTHER, nobody))
    second = await contact(store, THEO, household=(MOTHER, nobody, UNCLE, namesake))
    await looked(store)
    await act(store, second, IdentifySubject(subject="S1", other=first, other_subject="S1"), DUTY)
    await looked(store)
    await closed(store, second, first)
    items = await read_items(store, await look_at(store, first, DUTY, "read_case"), DUTY)
    there = [item["fields"]["relationship"] for item in items if item["kind"] == "household"]
    assert sorted(there) == ["grandfather", "mother", "mother's partner", "mother's partner", "uncle"]
    await sound(store)


async def test_a_copy_with_somebody_new_is_not_closed_beside_a_case_that_is_decided_without_them(store: Store) -> None:
    first, second = await copies(store, STRANGER)
    rules = store.hub("merton").ratings
    least = next(name for name, rating in rules.items() if rating.route[0] == "decision")
    await act(store, first, RateReferral(rating=least), DUTY, words="not urgent")
    await act(store, first, RecordDecision(outcomes={"S1": "section_17"}, primary_need="N1"), MANAGER, words="He needs help.")
    before = await read_case(store, first)
    with pytest.raises(Incomplete, match=r"link the two instead \(link_referral\)"):
        await closed(store, second, first)
    assert (await read_case(store, first)).referral == before.referral
    assert (await read_case(store, second)).referral.open


async def test_a_closed_case_shares_by_whom_people_have_confirmed_by_now(store: Store) -> None:
    first, case = await contact(store, THEO), await contact(store, THEO)
    await looked(store)
    await act(store, case, IdentifySubject(subject="S1", other=first, other_subject="S1"), DUTY)
    await looked(store)
    await act(store, case, BASIS, DUTY, words="The child is at risk.")
    least = next(name for name, rating in store.hub("merton").ratings.items() if rating.route[0] == "decision")
    await act(store, case, RateReferral(rating=least), DUTY, words="not urgent")
    await act(store, case, RecordDecision(outcomes={"S1": "advice"}, primary_need="N1"), MANAGER, words="Advice.")
    later = await contact(store, THEO)
    await looked(store)
    await act(store, later, IdentifySubject(subject="S1", other=first, other_subject="S1"), DUTY)
    await act(store, first, WithdrawIdentity(subject="S1"), DUTY, words="His cousin.")
    await looked(store)
    with pytest.raises(Incomplete, match="confirm first who it is"):
        await share(store, case, first)
    done = await share(store, case, later)
    assert [event.kind for event in done.events] == ["earlier_contact_shared", "information_released"]
    await sound(store)
