"""The child across contacts: found by itself, confirmed, taken back, erased; and who may know."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from acting import BASIS, DUTY, MANAGER, POLICE, SCHOOL, confirmed, set_time
from sqlalchemy import select

from mash.config.permissions import may
from mash.flows.store.apply import act, receive
from mash.flows.store.erasure import erase
from mash.flows.store.identities import child_of
from mash.flows.store.log import verify
from mash.flows.store.looking import look_next
from mash.flows.store.mending import Mender
from mash.flows.store.reads.accesses import accesses_to
from mash.flows.store.reads.case import read_case
from mash.flows.store.reads.earlier import Earlier, earlier, of_adult, siblings, side_by_side
from mash.flows.store.reads.look import look_at, read_story
from mash.flows.store.reads.possible import named_in, possible
from mash.flows.store.retention import erase_listed, list_due
from mash.flows.store.store import Store
from mash.flows.store.tables import NOTICES
from mash.flows.store.trouble import dead_notices
from mash.flows.store.writes import Item
from mash.notifications.wording import became
from mash.states.acts.closing import ErasePeople, ReopenReferral
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.episodes import AttachContact, CloseDuplicate
from mash.states.acts.known import IdentifySubject, OpenAdult, RejectMatch, WithdrawIdentity
from mash.states.acts.protection import RecordStrategyDiscussion
from mash.states.acts.rating import RateReferral
from mash.states.acts.withdrawing import WithdrawDecision
from mash.states.errors import Incomplete, NotYours
from mash.states.values import Actor, Subject

ADMINISTRATOR = Actor(id="cli:governor", role="administrator", agency="system", hub="merton")
GOVERNANCE = Actor(id="i.governor", role="information_governance", agency="social_care", hub="merton")
THEO = {"name": {"given": "Theodore", "family": "Quillfeather"}, "date_of_birth": "2017-03-04"}
ISLA = {"name": {"given": "Isla", "family": "Quillfeather"}, "date_of_birth": "2019-08-21"}
ORLA = {"name": {"given": "Orla", "family": "Quince"}, "date_of_birth": "1988-05-09"}
STRANGER = {"name": {"given": "Marguerite", "family": "Oyelaran"}, "date_of_birth": "2015-11-30"}
YEAR = timedelta(days=365)


async def contact(store: Store, *people: dict[str, Any], words: str = "He comes without lunch.", **fields: Any) -> str:
    """A contact about these children; its reference."""
    of_age = fields.pop("of_age", False)
    kind: dict[str, Any] = {"cohort": "adult", "age": "adult"} if of_age else {"cohort": "child"}
    subjects = tuple(Subject(id=f"S{n}", **kind) for n, _ in enumerate(people, 1))
    command = ReceiveContact(contact="referral", source="2A", source_agency="education", subjects=subjects, **fields)
    items = [Item("concern", json.dumps({"summary": words}).encode())]
    items += [Item("subject", json.dumps(person).encode(), f"S{n}") for n, person in enumerate(people, 1)]
    async with store.transaction(SCHOOL) as connection:
        return (await receive(connection, store, command, items, SCHOOL)).reference


async def looked(store: Store) -> None:
    """Everything that waits is looked at."""
    while await look_next(store):
        pass


async def seen(store: Store, reference: str, by: Actor = DUTY) -> Earlier:
    found = await earlier(store, await look_at(store, reference, by, "read_case"), by)
    assert found is not None
    return found


async def same(store: Store, one: str, other: str, subject: str = "S1", other_subject: str = "S1") -> None:
    await act(store, one, IdentifySubject(subject=subject, other=other, other_subject=other_subject), DUTY)
    await looked(store)


async def of(store: Store, reference: str, subject: str = "S1") -> str | None:
    async with store.engine.connect() as connection:
        return await child_of(connection, store, reference, subject)


async def sound(store: Store) -> None:
    """Every chain holds, and nothing is stored beside the logs that they do not say."""
    assert [wrong async for wrong in verify(store)] == []
    assert await Mender(store).look_at_all() == []


async def test_a_child_who_was_told_of_before_is_found_by_itself_once_the_contact_is_in(store: Store) -> None:
    first = await contact(store, THEO)
    await looked(store)
    second = await contact(store, {**THEO, "name": "Theo Quilfeather"})
    assert not (await seen(store, second)).looked
    await looked(store)
    found = await seen(store, second)
    assert found.looked and [(each.reference, each.likeness) for each in found.contacts] == [(first, "likely")]
    assert found.contacts[0].source_agency == "education" and found.contacts[0].open


async def test_whoever_is_not_known_has_been_looked_for_too(store: Store) -> None:
    await contact(store, THEO)
    stranger = await contact(store, STRANGER)
    await looked(store)
    assert await seen(store, stranger) == Earlier(True, (), {}, {}, 0, {})


async def test_an_open_case_hears_of_a_contact_about_its_child_and_its_owner_is_told_to_look(store: Store) -> None:
    first = await contact(store, THEO)
    await looked(store)
    second = await contact(store, THEO)
    await looked(store)
    assert [each.reference for each in (await seen(store, first)).contacts] == [second]
    async with store.engine.connect() as connection:
        sent = (await connection.execute(select(NOTICES.c.kind, NOTICES.c.role).where(NOTICES.c.reference == first))).all()
    assert ("look_at_case", "duty_manager") in [tuple(row) for row in sent]


async def test_a_look_that_fails_is_tried_again_and_the_administrators_hear(store: Store, owner_connection: Any) -> None:
    reference = await contact(store, THEO)
    owner_connection.execute("ALTER TABLE known_key RENAME TO known_key_gone")
    try:
        assert await look_next(store)
        owner_connection.execute("UPDATE to_look SET next_try_at = now()")
        assert await look_next(store)
    finally:
        owner_connection.execute("ALTER TABLE known_key_gone RENAME TO known_key")
    assert not (await seen(store, reference)).looked
    async with store.engine.connect() as connection:
        (told,) = (await connection.scalars(select(NOTICES.c.facts).where(NOTICES.c.role == "administrator"))).all()
    assert reference in told and "Quillfeather" not in told
    owner_connection.execute("UPDATE to_look SET next_try_at = now()")
    await looked(store)
    assert (await seen(store, reference)).looked and await dead_notices(store) == []


async def test_a_confirmed_child_has_an_id_of_the_census_that_says_nothing_and_stands_nowhere(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    first, second = await contact(store, THEO), await contact(store, THEO)
    await looked(store)
    await same(store, second, first)
    child = await of(store, first)
    assert child is not None and child == await of(store, second)
    assert len(child) <= 20 and child.isalnum() and child.isascii()
    for (table,) in owner_connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
        rows = owner_connection.execute(f'SELECT * FROM "{table}"').fetchall()  # type: ignore[arg-type]
        assert child not in str(rows) and child.encode() not in str(rows).encode(), table
    await sound(store)


async def test_three_contacts_of_one_child_are_joined_by_two_confirmations(store: Store) -> None:
    references = [await contact(store, THEO) for _ in range(3)]
    await looked(store)
    await same(store, references[1], references[0])
    await same(store, references[2], references[1])
    assert len({await of(store, reference) for reference in references}) == 1
    assert [(each.reference, each.likeness) for each in (await seen(store, references[2])).contacts] == [
        (references[1], "confirmed"),
        (references[0], "confirmed"),
    ]


async def test_two_confirmed_children_are_never_merged(store: Store) -> None:
    references = [await contact(store, THEO) for _ in range(4)]
    await looked(store)
    await same(store, references[1], references[0])
    await same(store, references[3], references[2])
    with pytest.raises(Incomplete, match="another child"):
        await same(store, references[2], references[1])
    found = {each.reference: each for each in (await seen(store, references[3])).contacts}
    assert found[references[2]].likeness == "confirmed"
    apart = found[references[0]]
    assert apart.likeness == "likely" and "confirmed_as_another" in apart.why, "not shown, a known child would be hidden"


async def test_what_is_taken_back_is_everywhere_as_if_it_had_not_been_and_only_the_logs_tell(store: Store) -> None:
    first, second, third = [await contact(store, THEO) for _ in range(3)]
    await looked(store)
    before = {reference: await seen(store, reference) for reference in (first, second, third)}
    await same(store, second, first)
    await act(store, second, WithdrawIdentity(subject="S1"), DUTY, words="It was his cousin.")
    await looked(store)
    assert {reference: await seen(store, reference) for reference in (first, second, third)} == before
    assert (await of(store, first), await of(store, second)) == (None, None)
    for reference in (first, second):
        kinds = [each.event.kind for each in await read_story(store, await look_at(store, reference, DUTY, "read_story"), DUTY)]
        assert {"subject_identified", "identity_withdrawn"} <= set(kinds)
    await sound(store)


async def test_whoever_is_rejected_is_not_shown_again_on_either_side(store: Store) -> None:
    first, second = await contact(store, THEO), await contact(store, THEO)
    await looked(store)
    await act(store, second, RejectMatch(subject="S1", other=first, other_subject="S1"), DUTY, words="Two cousins.")
    await looked(store)
    assert ((await seen(store, first)).contacts, (await seen(store, second)).contacts) == ((), ())


async def test_an_erased_contact_points_to_nobody_and_the_others_go_on_without_it(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    first = await confirmed(store, await contact(store, ORLA, of_age=True))  # Merton takes no adults
    second = await contact(store, ORLA, of_age=True, immediate_danger=True)
    await looked(store)
    await same(store, second, first)
    await erase(store, first, ErasePeople(why="right_to_erasure"), ADMINISTRATOR)
    await looked(store)
    assert owner_connection.execute("SELECT reference FROM identity").fetchall() == [(second,)]
    assert (await seen(store, second)).contacts == ()
    log = " ".join(row[0] for row in owner_connection.execute("SELECT canonical FROM event WHERE kind = 'subject_identified'"))
    assert first not in log.replace(f'"reference":"{first}"', "")
    await sound(store)


async def test_a_contact_is_kept_while_the_same_child_has_an_open_case(store: Store) -> None:
    set_time(store, datetime(2026, 6, 2, 9, tzinfo=UTC))
    first = await confirmed(store, await contact(store, ORLA, of_age=True))
    set_time(store, datetime(2028, 12, 1, 9, tzinfo=UTC))
    second = await contact(store, ORLA, of_age=True, immediate_danger=True)
    await looked(store)
    await same(store, second, first)
    profile = store.hub("merton")
    await list_due(store, profile)
    set_time(store, datetime(2029, 3, 1, 9, tzinfo=UTC))
    assert await erase_listed(store, profile) == []
    await act(store, second, WithdrawIdentity(subject="S1"), DUTY, words="It was his cousin.")
    assert await erase_listed(store, profile) == [first]


async def test_what_is_possible_is_a_number_until_it_is_opened_and_each_that_is_opened_is_a_look(store: Store) -> None:
    theirs = "943 476 5919"
    first = await contact(store, {**THEO, "nhs_number": theirs})
    second = await contact(store, {**STRANGER, "nhs_number": theirs})
    await looked(store)
    found = await seen(store, second)
    assert (found.contacts, found.possible) == ((), {"S1": 1})
    (opened,) = await possible(store, await read_case(store, second), DUTY)
    assert (opened.reference, opened.name) == (first, "Theodore Quillfeather")
    assert "nhs_number" in opened.why and "other_name" in opened.why and "other_birthday" in opened.why
    assert [(row.action, row.person) for row in await accesses_to(store, [first], GOVERNANCE)] == [("find_people", DUTY.id)]


async def test_a_strip_is_one_look_at_the_case_it_stands_beside_and_names_the_others(store: Store) -> None:
    first, second = await contact(store, THEO), await contact(store, THEO)
    await looked(store)
    await seen(store, second)
    looks = [(row.action, row.why) for row in await accesses_to(store, [second], GOVERNANCE)]
    assert ("read_earlier_contacts", f"shown beside it: {first}") in looks
    assert await accesses_to(store, [first], GOVERNANCE) == []


async def test_contacts_before_the_last_twelve_months_are_a_number(store: Store) -> None:
    set_time(store, datetime(2025, 1, 6, 9, tzinfo=UTC))
    await contact(store, THEO)
    set_time(store, datetime(2026, 6, 2, 9, tzinfo=UTC))
    second = await contact(store, THEO)
    await looked(store)
    found = await seen(store, second)
    assert (found.contacts, found.before) == ((), {"S1": 1})


async def test_brothers_and_sisters_are_not_taken_for_one_another(store: Store) -> None:
    both = await contact(store, THEO, ISLA)
    again = await contact(store, ISLA)
    await looked(store)
    assert [(each.reference, each.other) for each in (await seen(store, again)).contacts] == [(both, "S2")]


async def test_a_child_who_goes_another_way_than_their_sister_is_still_the_child_that_was_confirmed(store: Store) -> None:
    first = await contact(store, THEO)
    both = await contact(store, THEO, ISLA)
    await looked(store)
    await same(store, both, first)
    rules = store.hub("merton").ratings
    least = next(name for name, rating in rules.items() if rating.route[0] == "decision")
    await act(store, both, RateReferral(rating=least), DUTY, words="not urgent")
    decision = RecordDecision(outcomes={"S1": "no_further_action", "S2": "section_17"}, primary_need="N1")
    await act(store, both, decision, MANAGER, words="They differ.")
    await looked(store)
    assert (await of(store, f"{both}-B"), await of(store, both)) == (await of(store, first), None)
    await sound(store)


async def test_a_child_who_goes_another_way_there_is_followed_by_the_cases_that_know_of_them(store: Store) -> None:
    both = await contact(store, THEO, ISLA)
    case = await contact(store, ISLA)
    await looked(store)
    await same(store, case, both, other_subject="S2")
    rules = store.hub("merton").ratings
    least = next(name for name, rating in rules.items() if rating.route[0] == "decision")
    await act(store, both, RateReferral(rating=least), DUTY, words="not urgent")
    decision = RecordDecision(outcomes={"S1": "advice", "S2": "no_further_action"}, primary_need="N1")
    await act(store, both, decision, MANAGER, words="They differ.")
    await looked(store)
    (line,) = (await seen(store, case)).confirmed
    assert (line.reference, line.other, line.outcome) == (f"{both}-B", "S2", "no_further_action")


async def test_a_contact_is_added_to_the_open_case_of_its_child_and_its_referrer_hears_no_more_than_that_it_was_considered(
    store: Store,
) -> None:
    first = await contact(store, THEO)
    second = await contact(store, THEO, referrer_reachable=True, immediate_danger=True)
    await looked(store)
    await same(store, second, first)
    await act(store, second, AttachContact(other=first), DUTY, words="The school saw it too.")
    closed, case = await read_case(store, second), await read_case(store, first)
    assert closed.referral.stage == "considered" and case.referral.added == (second,)
    assert case.referral.in_danger, "a danger goes with it"
    assert became(closed.referral, None).outcome == ("what you told us was received and considered",)
    told = await read_story(store, await look_at(store, second, POLICE, "read_story", holds="test"), POLICE)
    assert first not in "".join(each.model_dump_json() for each in told)
    await sound(store)


@pytest.mark.parametrize("undo", [WithdrawDecision(), ReopenReferral()])
async def test_a_contact_that_is_taken_back_is_no_part_of_the_case_any_more_and_whoever_has_that_is_told_to_look(
    store: Store, undo: WithdrawDecision | ReopenReferral
) -> None:
    first, second = await contact(store, THEO), await contact(store, THEO)
    await looked(store)
    await same(store, second, first)
    await act(store, second, AttachContact(other=first), DUTY, words="The school saw it too.")
    sent = select(NOTICES.c.id).where(NOTICES.c.reference == first, NOTICES.c.kind == "look_at_case")
    async with store.engine.connect() as connection:
        before = len((await connection.execute(sent)).all())
    await act(store, second, undo, MANAGER, words="That was another boy.")
    assert (await read_case(store, first)).referral.added == () and (await read_case(store, second)).referral.open
    async with store.engine.connect() as connection:
        assert len((await connection.execute(sent)).all()) == before + 1
    await sound(store)


async def test_a_second_copy_is_closed_only_by_whoever_was_shown_what_differs(store: Store) -> None:
    first = await contact(store, THEO, words="He comes without lunch. He is cold.")
    second = await contact(store, THEO, words="He comes without lunch. His coat is gone.")
    await looked(store)
    with pytest.raises(Incomplete, match="beside each other"):
        await act(store, second, CloseDuplicate(other=first, compared="no"), DUTY, words="The same.")
    pair = await side_by_side(store, await read_case(store, second), "S1", first, "S1", DUTY)
    assert set(pair.differs) == {("here", "His coat is gone."), ("there", "He is cold.")}
    await same(store, second, first)
    await act(store, second, CloseDuplicate(other=first, compared=pair.compared), DUTY, words="The same morning.")
    assert (await read_case(store, second)).referral.part_of == first


HELD = RecordStrategyDiscussion(attended=("social_care", "police", "health"), outcome="section_47")


async def at_strategy_discussion(store: Store) -> str:
    """A contact about Theo whose rating leads straight to a strategy discussion."""
    most = max(store.hub("merton").ratings, key=lambda name: store.hub("merton").ratings[name].severity)
    reference = await contact(store, THEO)
    await act(store, reference, RateReferral(rating=most), DUTY, words="He is not safe at home.")
    assert (await read_case(store, reference)).referral.stage == "strategy_discussion"
    return reference


async def test_a_second_section_47_of_a_confirmed_child_is_refused_and_says_where_the_first_is(store: Store) -> None:
    first, second = await at_strategy_discussion(store), await at_strategy_discussion(store)
    await looked(store)
    await same(store, second, first)
    await act(store, first, HELD, DUTY, words="Enquiries begin.")
    with pytest.raises(Incomplete, match=rf"{first}.*attach_contact"):
        await act(store, second, HELD, DUTY, words="Enquiries begin.")


async def test_of_a_likely_child_it_is_asked_and_what_cannot_be_told_yet_goes_through_flagged(store: Store) -> None:
    first, second = await at_strategy_discussion(store), await at_strategy_discussion(store)
    await looked(store)
    await act(store, first, HELD, DUTY, words="Enquiries begin.")
    with pytest.raises(Incomplete, match=rf"{first}.*same_child"):
        await act(store, second, HELD, DUTY, words="Enquiries begin.")
    await act(store, second, HELD.model_copy(update={"same_child": "cannot_tell"}), DUTY, words="Enquiries begin.")
    found = (await read_case(store, second)).referral
    assert found.stage == "enquiries" and "may_be_second_section_47" in found.flags


async def test_a_hub_and_partners_know_nothing_of_another_hubs_children(store: Store) -> None:
    first, second = await contact(store, THEO), await contact(store, THEO)
    await looked(store)
    await same(store, second, first)
    async with store.transaction(POLICE) as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM identity")).scalar() == 0
    other_hub = DUTY.model_copy(update={"hub": "sandwell"})
    async with store.transaction(other_hub) as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM identity")).scalar() == 0
    async with store.transaction(DUTY) as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM identity")).scalar() == 2
    partner = await look_at(store, second, POLICE, "read_case", holds="test")
    assert await earlier(store, partner, POLICE) is None


async def test_brothers_and_sisters_are_told_of_on_request_and_each_contact_is_a_look(store: Store) -> None:
    both = await contact(store, THEO, ISLA)
    hers = await contact(store, ISLA)
    his = await contact(store, THEO)
    await looked(store)
    await same(store, his, both)
    assert [each.reference for each in (await seen(store, his)).contacts] == [both]
    found = await siblings(store, await read_case(store, his), DUTY)
    assert {each.reference for each in found} == {both, hers}
    assert "find_people" in [row.action for row in await accesses_to(store, [hers], GOVERNANCE)]


async def test_once_one_of_a_family_is_confirmed_the_others_of_that_contact_are_suggested(store: Store) -> None:
    baby = {"name": {"given": "Wren", "family": "Quillfeather"}}
    both = await contact(store, THEO, baby)
    again = await contact(store, THEO, {"name": {"given": "Birdie", "family": "Oyelaran"}, "date_of_birth": "2024-02-11"})
    await looked(store)
    await same(store, again, both)
    found = await seen(store, again)
    assert {each.subject for each in found.contacts} == {"S1"}, "another name and no birthday: not one of the family"


async def test_an_adult_in_several_families_is_a_number_and_opened_with_a_reason(store: Store) -> None:
    family = [await with_adult(store, child) for child in (THEO, STRANGER, ISLA)]
    await looked(store)
    await same(store, family[1], family[0], "S2", "S2")
    await same(store, family[2], family[0], "S2", "S2")
    found = await seen(store, family[2])
    assert found.of_adults == {"S2": 2} and all(each.subject != "S2" for each in found.contacts)
    with pytest.raises(NotYours, match="open_adult"):
        await of_adult(store, await read_case(store, family[2]), "S2", DUTY)
    await act(store, family[2], OpenAdult(subject="S2"), DUTY, words="He moved in last week.")
    opened = await of_adult(store, await read_case(store, family[2]), "S2", DUTY)
    assert {each.reference for each in opened} == set(family[:2])
    named = await named_in(store, await read_case(store, family[2]), opened, DUTY, the_same=True)
    assert len(named) == 2 and named[0].child == named[1].child is not None, "one person, whom two contacts name"


async def with_adult(store: Store, child: dict[str, Any]) -> str:
    """A contact about a child and an adult of theirs."""
    subjects = (Subject(id="S1", cohort="child", age="child"), Subject(id="S2", cohort="adult", age="adult"))
    command = ReceiveContact(contact="referral", source="2A", source_agency="education", subjects=subjects)
    items = [Item("concern", b"{}"), *(Item("subject", json.dumps(p).encode(), f"S{n}") for n, p in enumerate((child, ORLA), 1))]
    async with store.transaction(SCHOOL) as connection:
        return (await receive(connection, store, command, items, SCHOOL)).reference


async def test_whoever_has_a_number_and_no_name_is_found_by_it(store: Store) -> None:
    first = await contact(store, {**THEO, "nhs_number": "943 476 5919"})
    second = await contact(store, {"nhs_number": "9434765919"})
    await looked(store)
    assert [each.reference for each in (await seen(store, second)).contacts] == [first]
    await sound(store)


async def test_whoever_closes_a_contact_that_nobody_has_looked_at_has_it_looked_at_first(store: Store) -> None:
    for _ in range(2):
        await contact(store, THEO)
    await looked(store)
    third = await contact(store, THEO)
    blue = next(name for name, rating in store.hub("merton").ratings.items() if rating.route[0] == "decision")
    await act(store, third, RateReferral(rating=blue), DUTY, words="not urgent")
    with pytest.raises(Incomplete, match="contact number 3"):
        await act(store, third, RecordDecision(outcomes={"S1": "no_further_action"}), MANAGER, words="Nothing new.")


async def test_no_partner_is_sent_to_look_whoever_the_case_waits_for(store: Store) -> None:
    first = await contact(store, THEO)
    await act(store, first, BASIS, DUTY, words="He is not safe.")
    amber = next(name for name, rating in store.hub("merton").ratings.items() if rating.route[0] == "agency_checks")
    await act(store, first, RateReferral(rating=amber), DUTY, words="soon")
    await looked(store)
    await contact(store, THEO)
    await looked(store)
    async with store.engine.connect() as connection:
        sent = await connection.scalars(select(NOTICES.c.role).where(NOTICES.c.kind == "look_at_case"))
        roles = set(sent.all())
    assert roles and all(may(role, "find_people") for role in roles)


async def test_one_contact_does_not_name_a_child_twice(store: Store) -> None:
    first, twins = await contact(store, THEO), await contact(store, THEO, {**THEO, "name": "Theo Quillfeather"})
    await looked(store)
    await same(store, twins, first)
    with pytest.raises(Incomplete, match="would be one child"):
        await same(store, twins, first, "S2", "S1")


async def test_a_case_that_is_reopened_is_looked_at_anew(store: Store, owner_connection: Any) -> None:
    adult = await confirmed(store, await contact(store, ORLA, of_age=True))
    await looked(store)
    again = await contact(store, ORLA, of_age=True, immediate_danger=True)
    await looked(store)
    assert (await seen(store, adult)).contacts == (), "a closed case is not looked at again"
    await act(store, adult, ReopenReferral(), MANAGER, words="It was ours.")
    await looked(store)
    assert [each.reference for each in (await seen(store, adult)).contacts] == [again]
