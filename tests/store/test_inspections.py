"""What inspectors ask is one question each: who looked at this child, all contacts about this child, every override."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from acting import BASIS, DUTY, MANAGER, POLICE, START, set_time, turned_away
from auditing import AUDITOR, GOVERNANCE, GOVERNOR, ISLA, NOT_RIGHT, OVERRIDES, STRANGER, THEO, WORKER, contact, looked, same
from sqlalchemy import text

from mash.flows.store.apply import act
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
from mash.states.acts.checks import AnswerCheck
from mash.states.acts.countersigning import Countersign
from mash.states.acts.decisions import RecordDecision, SignOffDecision
from mash.states.acts.known import WithdrawIdentity
from mash.states.acts.rating import RateReferral
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
