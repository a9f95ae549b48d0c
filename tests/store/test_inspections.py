"""What inspectors ask is one question each: who looked at this child, all contacts about this child, every override."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from acting import BASIS, DUTY, MANAGER, POLICE, START, set_time, turned_away
from auditing import AUDITOR, GOVERNANCE, GOVERNOR, ISLA, NOT_RIGHT, OVERRIDES, STRANGER, THEO, WORKER, contact, looked, same
from sqlalchemy import text

from mash.flows.store.apply import act, apply
from mash.flows.store.audits import Audit, record
from mash.flows.store.near_misses import record_near_miss
from mash.flows.store.reads.accesses import Span, accesses_to
from mash.flows.store.reads.case import read_case
from mash.flows.store.reads.earlier import earlier
from mash.flows.store.reads.inspections import Child, contacts_of_child, looks_at_child, overridden
from mash.flows.store.reads.look import look_at, note_list
from mash.flows.store.samples import Wanted, close, draw
from mash.flows.store.store import Store
from mash.flows.telling.access_request import answer
from mash.states.acts.checks import AnswerCheck, ProceedWithoutReplies
from mash.states.acts.corrections import RemoveSubject
from mash.states.acts.countersigning import Countersign
from mash.states.acts.decisions import RecordDecision, SignOffDecision
from mash.states.acts.known import WithdrawIdentity
from mash.states.acts.rating import RateReferral, RerateReferral
from mash.states.acts.weighing import WeighContacts, WriteSecondView
from mash.states.errors import Incomplete, NotFound
from mash.states.values import Actor

READER = Actor(id="r.reader", role="duty_manager", agency="social_care", hub="merton")
EVER = Span()


async def looks(store: Store, child: Child, by: Actor = GOVERNANCE, span: Span = EVER) -> set[tuple[str, str]]:
    """Who looked, and how."""
    _, rows = await looks_at_child(store, child, "inspection", by, span, of_system=by is GOVERNOR)
    return {(row.person, row.action) for row in rows}


async def beside(store: Store, reference: str, by: Actor) -> None:
    """Somebody looks at a case, and at what stands beside it."""
    assert await earlier(store, await look_at(store, reference, by, "read_case"), by)


async def test_who_looked_at_a_child_is_all_looks_at_all_contacts_about_the_same_confirmed_child(store: Store) -> None:
    set_time(store, START)
    first, second, stranger = await contact(store, THEO), await contact(store, THEO), await contact(store, STRANGER)
    await looked(store)
    await look_at(store, first, READER, "read_case")
    child = Child(second, "S1")
    assert await looks(store, child) == set(), "likely is not confirmed"
    await same(store, second, first)
    await note_list(store, [stranger, first], READER.model_copy(update={"id": "b.board"}), "read_board")
    strip = READER.model_copy(update={"id": "t.strip"})
    await look_at(store, stranger, READER.model_copy(update={"id": "n.nobody"}), "read_case")
    await beside(store, second, strip)
    found = await looks(store, child)
    assert {("r.reader", "read_case"), ("b.board", "read_board"), ("t.strip", "read_earlier_contacts")} <= found
    assert not any(person == "n.nobody" for person, _ in found)
    assert ("i.governor", "inspect_looks") in found, "whoever asked before is among them"
    assert await looks(store, Child(first)) >= found, "from whichever contact it is asked"
    assert await looks(store, Child(second, "1"), GOVERNOR) >= found


async def test_a_look_at_the_strip_of_another_case_is_a_look_at_whom_it_showed(store: Store) -> None:
    set_time(store, START)
    first, second = await contact(store, THEO), await contact(store, THEO)
    await looked(store)
    await beside(store, second, READER)
    assert ("r.reader", "read_earlier_contacts") in await looks(store, Child(first))
    assert await accesses_to(store, [first], GOVERNANCE) != [], "and whoever asks of the case alone sees who asked"
    assert "read_earlier_contacts" not in {row.action for row in await accesses_to(store, [first], GOVERNANCE)}


async def test_looks_are_asked_from_a_day_to_a_day_and_each_question_says_for_whom(store: Store) -> None:
    set_time(store, START)
    reference = await contact(store, THEO)
    await look_at(store, reference, READER, "read_case")
    later = START + timedelta(days=40)
    set_time(store, later)
    assert await looks(store, Child(reference), span=Span(START + timedelta(days=1), later)) == set()
    assert ("r.reader", "read_case") in await looks(store, Child(reference), span=Span(START, START + timedelta(days=1)))
    async with store.engine.connect() as connection:
        why = (await connection.scalars(text("SELECT DISTINCT why FROM access WHERE action = 'inspect_looks'"))).all()
    assert why == ["asked for inspection: who looked at this child"]


async def test_all_contacts_about_a_child_are_those_that_somebody_has_confirmed(store: Store) -> None:
    set_time(store, START)
    first = await contact(store, THEO)
    set_time(store, START + timedelta(days=3))
    second, likely = await contact(store, ISLA, THEO), await contact(store, THEO)
    await looked(store)
    await same(store, second, first, subject="S2")
    found = await contacts_of_child(store, Child(second, "S2"), "complaint", GOVERNANCE)
    assert [(each.reference, each.subject, each.outcome) for each in found] == [(first, "S1", None), (second, "S2", None)]
    assert likely not in {each.reference for each in found}
    assert [each.reference for each in await contacts_of_child(store, Child(second, "1"), "complaint", GOVERNANCE)] == [second]
    with pytest.raises(Incomplete, match="is about S1, S2"):
        await contacts_of_child(store, Child(second), "complaint", GOVERNANCE)
    with pytest.raises(Incomplete):
        await contacts_of_child(store, Child(second, "S9"), "complaint", GOVERNANCE)
    with pytest.raises(NotFound):
        await contacts_of_child(store, Child(first), "complaint", GOVERNANCE.model_copy(update={"hub": "sandwell"}))
    await act(store, second, WithdrawIdentity(subject="S2"), DUTY, words="They are two boys.")
    assert [each.reference for each in await contacts_of_child(store, Child(second, "S2"), "complaint", GOVERNANCE)] == [second]


async def test_every_override_of_consent_is_listed_with_who_and_why_also_of_whom_was_erased(store: Store) -> None:
    set_time(store, START)
    plain, reference = await contact(store, STRANGER), await contact(store, THEO)
    await act(store, plain, BASIS, DUTY)
    assert await overridden(store, "own_review", GOVERNANCE, EVER) == []
    await act(store, reference, OVERRIDES, DUTY, words="They would hide him.")
    assert await overridden(store, "own_review", GOVERNANCE, EVER) == [], "a second person has not agreed"
    await act(store, reference, Countersign(seconding="A1", agreed=True), MANAGER, words="I agree.")
    (found,) = await overridden(store, "own_review", GOVERNANCE, EVER)
    assert (found.reference, found.purpose, found.family_informed) == (reference, "child_protection", False)
    assert (found.person, found.others, found.not_informed) == ("m.manager", ("d.manager",), "puts_somebody_at_risk")
    assert await overridden(store, "own_review", GOVERNANCE, Span(START + timedelta(days=1), None)) == []
    async with store.engine.connect() as connection:
        rows = (
            await connection.execute(text("SELECT shown, why FROM access WHERE action = 'inspect_overridden' ORDER BY id"))
        ).all()
    assert [row.shown for row in rows] == [None, None, [reference], None] and "none" in rows[0].why


async def test_a_child_who_went_on_in_a_linked_case_is_found_there_and_nobody_else_is_taken_for_them(store: Store) -> None:
    set_time(store, START)
    reference = await contact(store, THEO, ISLA)
    await act(store, reference, BASIS, DUTY)
    await act(store, reference, RateReferral(rating="blue"), DUTY)
    await act(store, reference, RerateReferral(rating="green"), DUTY, words="More is known.")
    both = RecordDecision(outcomes={"S1": "no_further_action", "S2": "early_help"}, primary_need="N1")
    await act(store, reference, ProceedWithoutReplies(), DUTY, words="They do not answer.")
    await act(store, reference, both, MANAGER, words="One of them only.")
    parting = f"{reference}-B"
    await look_at(store, parting, READER, "read_case")
    for number in ("1", "S1", "s1"):
        (found,) = await contacts_of_child(store, Child(reference, number), "complaint", GOVERNANCE)
        assert (found.reference, found.subject, found.outcome) == (parting, "S1", "no_further_action"), number
        assert (found.first_rating, found.decided_by, found.parent) == ("blue", "team_manager", reference)
    (stays,) = await contacts_of_child(store, Child(reference, "2"), "complaint", GOVERNANCE)
    assert (stays.reference, stays.subject) == (reference, "S2")
    of_whom, _ = await looks_at_child(store, Child(reference, "1"), "complaint", GOVERNANCE, EVER)
    assert of_whom == [Child(parting, "S1")]
    assert ("r.reader", "read_case") in await looks(store, Child(reference, "1"))
    with pytest.raises(Incomplete, match=f"is about S2, S1 .now in {parting}."):
        await contacts_of_child(store, Child(reference), "complaint", GOVERNANCE)
    with pytest.raises(Incomplete, match="is about S1"):
        await contacts_of_child(store, Child(parting, "2"), "complaint", GOVERNANCE)


async def test_of_a_child_who_was_removed_nobody_else_is_told_instead(store: Store) -> None:
    set_time(store, START)
    reference = await contact(store, STRANGER, THEO, ISLA)
    await act(store, reference, RemoveSubject(subject="S1"), DUTY, words="Of another family.")
    (found,) = await contacts_of_child(store, Child(reference, "2"), "complaint", GOVERNANCE)
    assert found.subject == "S2"
    with pytest.raises(Incomplete, match="is about S2, S3"):
        await contacts_of_child(store, Child(reference, "1"), "complaint", GOVERNANCE)


async def test_whoever_asks_about_a_child_and_finds_nobody_has_asked_all_the_same(store: Store) -> None:
    set_time(store, START)
    reference = await contact(store, THEO, ISLA)
    with pytest.raises(NotFound):
        await contacts_of_child(store, Child("MASH-26-999999"), "complaint", GOVERNANCE)
    with pytest.raises(Incomplete):
        await looks_at_child(store, Child(reference, "9"), "inspection", GOVERNANCE, EVER)
    async with store.engine.connect() as connection:
        asked = text("SELECT action, reference, why FROM access WHERE action LIKE 'inspect%' ORDER BY id")
        rows = [tuple(row) for row in (await connection.execute(asked)).all()]
    assert rows == [
        ("inspect_contacts", None, "asked for complaint: all contacts about this child: nobody was found"),
        ("inspect_looks", None, "asked for inspection: who looked at this child: nobody was found"),
    ]


async def test_each_override_names_its_own_second_person_and_one_that_waits_names_nobody(store: Store) -> None:
    set_time(store, START)
    reference = await contact(store, THEO)
    await act(store, reference, OVERRIDES, DUTY, words="They would hide him.")
    await act(store, reference, Countersign(seconding="A1", agreed=True), MANAGER, words="I agree.")
    set_time(store, START + timedelta(hours=1))
    other, last = (each.model_copy(update={"id": f"other.{each.role}"}) for each in (DUTY, MANAGER))
    await act(store, reference, OVERRIDES, other, words="Again.")
    first, *_ = await overridden(store, "own_review", GOVERNANCE, EVER)
    assert (first.person, first.others, first.waits) == ("m.manager", ("d.manager",), False), "what is proposed since is no part"
    await act(store, reference, Countersign(seconding="A2", agreed=True), last, words="I agree.")
    found = await overridden(store, "own_review", GOVERNANCE, EVER)
    assert [(each.person, each.others) for each in found] == [
        ("m.manager", ("d.manager",)),
        ("other.team_manager", ("other.duty_manager",)),
    ]


async def test_an_override_that_could_not_wait_says_whether_a_second_person_let_it_stand(store: Store) -> None:
    set_time(store, START)
    stands, falls, waits = [await contact(store, child) for child in (THEO, ISLA, STRANGER)]
    for reference in (stands, falls, waits):
        await act(store, reference, RateReferral(rating="red"), DUTY)
        await act(store, reference, OVERRIDES, DUTY, words="It cannot wait.")
    await act(store, stands, Countersign(seconding="A1", agreed=True), MANAGER, words="I agree.")
    await act(store, falls, Countersign(seconding="A1", agreed=False), MANAGER, words="They could have been asked.")
    found = await overridden(store, "own_review", GOVERNANCE, EVER)
    assert {each.reference: (each.person, each.others, each.waits, each.stands) for each in found} == {
        stands: ("d.manager", ("m.manager",), False, True),
        falls: ("d.manager", (), False, False),
        waits: ("d.manager", (), True, True),
    }


async def test_an_override_stands_on_the_day_on_which_it_was_recorded_and_cannot_be_said_to_be_of_another(store: Store) -> None:
    set_time(store, START)
    reference = await contact(store, THEO)
    await act(store, reference, RateReferral(rating="red"), DUTY)
    set_time(store, START + timedelta(days=2))
    async with store.transaction(DUTY) as connection:
        with pytest.raises(Incomplete, match="happens as it is entered"):
            await apply(connection, store, reference, OVERRIDES, DUTY, words="By paper.", happened_at=START)
    await act(store, reference, OVERRIDES, DUTY, words="It cannot wait.")
    assert await overridden(store, "own_review", GOVERNANCE, Span(START, START + timedelta(days=1))) == []
    (found,) = await overridden(store, "own_review", GOVERNANCE, Span(START + timedelta(days=1), None))
    assert found.at == START + timedelta(days=2)


async def test_a_case_closed_although_contacts_about_its_child_add_up_is_drawn_for_that(store: Store) -> None:
    contacts = list[str]()
    for days in (0, 20, 40):
        set_time(store, START + timedelta(days=days))
        contacts.append(await contact(store, THEO))
        await looked(store)
        if days:
            await same(store, contacts[-1], contacts[0])
    first, second, last = contacts
    await nothing_more(store, last)
    later = await contact(store, THEO)
    await looked(store)
    await same(store, later, first)
    drawn = await draw(store, Wanted("closed_after_contacts", date(2026, 6, 1), date(2026, 7, 31), 5), AUDITOR)
    assert (drawn.drawn, drawn.population) == ((last,), 1), f"{first}, {second} and {later} are open"
    await close(store, drawn.id, "enough_was_learnt", AUDITOR)
    await act(store, last, WithdrawIdentity(subject="S1"), DUTY, words="They are two boys.")
    with pytest.raises(Incomplete, match="no decision"):
        await draw(store, Wanted("closed_after_contacts", date(2026, 6, 1), date(2026, 7, 31), 5), AUDITOR)


async def nothing_more(store: Store, reference: str) -> None:
    """A case whose contacts add up is closed: weighed, rated, answered, decided, and signed off by a second person."""
    await act(store, reference, BASIS, DUTY)
    await act(store, reference, WeighContacts(), DUTY, words="Each was small.")
    await act(store, reference, RateReferral(rating="green"), DUTY)
    for agency in (await read_case(store, reference)).referral.outstanding:
        by = POLICE.model_copy(update={"id": f"a.{agency}", "agency": agency})
        await act(store, reference, AnswerCheck(agency=agency, known=False), by)
    light = RecordDecision(outcomes={"S1": "no_further_action"}, primary_need="N1")
    await act(store, reference, light, MANAGER, words="Nothing more is needed.")
    second = MANAGER.model_copy(update={"id": "p.manager", "role": "practice_manager"})
    await act(store, reference, WriteSecondView(), second, words="My own view.")
    await act(store, reference, SignOffDecision(agreed=True), second, words="I have looked.")


async def test_what_auditors_wrote_of_a_case_is_in_the_answer_to_whom_it_is_about(store: Store) -> None:
    set_time(store, START)
    reference = await turned_away(store)
    sample = await draw(store, Wanted("any_decision", date(2026, 6, 1), date(2026, 6, 30), 5), AUDITOR)
    await record(store, Audit(sample.id, reference, 0, NOT_RIGHT, "She was never rung back."), AUDITOR)
    await record_near_miss(store, "nearly_closed", "Found at the handover by luck.", "x", WORKER, reference)
    page = (await answer(store, reference, "s1", "cli:governor")).page
    assert "She was never rung back." in page and "Found at the handover by luck." in page
