"""Children confirmed, taken back, put right, added, split and erased in any order: nobody is without a case, no contact is lost,
what is known of them is what people said, and what was added up of them is what there is."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import figuring
import psycopg
import pytest
from acting import DUTY, MANAGER, SCHOOL, START, set_time
from emptying import emptying
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from mash.flows.store.apply import act, receive
from mash.flows.store.erasure import erase
from mash.flows.store.identities import child_of
from mash.flows.store.keys import KeyDestroyed
from mash.flows.store.log import verify
from mash.flows.store.looking import look_next
from mash.flows.store.mending import Mender
from mash.flows.store.reads.earlier import earlier, side_by_side
from mash.flows.store.reads.look import look_at
from mash.flows.store.replay import replay
from mash.flows.store.store import Store
from mash.flows.store.sums import add_up
from mash.flows.store.tables import IDENTITIES, REFERRALS
from mash.flows.store.writes import Item
from mash.states.accumulation import contact_of
from mash.states.acts.closing import ErasePeople, ReopenReferral
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.corrections import AddSubject, CorrectDetails, RemoveSubject
from mash.states.acts.decisions import RecordDecision, SignOffDecision
from mash.states.acts.episodes import AttachContact, CloseDuplicate
from mash.states.acts.known import IdentifySubject, RejectMatch, WithdrawIdentity
from mash.states.acts.rating import RateReferral
from mash.states.acts.weighing import WeighContacts, WriteSecondView
from mash.states.acts.withdrawing import WithdrawDecision
from mash.states.errors import NotFound, Refusal
from mash.states.messages import StaffCommand
from mash.states.referral import Referral
from mash.states.stages import CONCLUDED
from mash.states.values import Actor, Match, Subject

ADMINISTRATOR = Actor(id="cli:governor", role="administrator", agency="system", hub="merton")
CHILDREN: tuple[dict[str, Any], ...] = (
    {"name": {"given": "Theodore", "family": "Quillfeather"}, "date_of_birth": "2017-03-04"},
    {"name": {"given": "Isla", "family": "Quillfeather"}, "date_of_birth": "2019-08-21"},
    {"name": {"given": "Marguerite", "family": "Oyelaran"}, "date_of_birth": "2015-11-30"},
)
ABOUT = ((0,), (0, 1), (1,), (0, 2))
"""Whom of CHILDREN contacts are about."""
OUTCOMES: tuple[Any, ...] = ("no_further_action", "section_17", "early_help")
Person = tuple[str, str]
"""A contact and the number of a subject in it, which no split changes."""


@dataclass
class Said:
    """What people have said so far: whom contacts are about, who was entered in error, and who is whose child."""

    people: set[Person] = field(default_factory=set)
    removed: set[Person] = field(default_factory=set)
    children: list[set[Person]] = field(default_factory=list)
    """Who was confirmed to be one child, by child."""
    apart: list[set[Person]] = field(default_factory=list)
    """Two of whom somebody has said that they are two."""

    def child(self, person: Person) -> set[Person]:
        """Everybody who is the same child as somebody; they alone, where nobody has said so."""
        return next((child for child in self.children if person in child), {person})

    def confirm(self, one: Person, other: Person) -> None:
        """Two are one child."""
        both = self.child(one) | self.child(other)
        self.children = [child for child in self.children if not child & both] + [both]

    def withdraw(self, person: Person) -> None:
        """They are not that child; whoever is left alone was confirmed to be nobody else."""
        left = self.child(person) - {person}
        self.children = [child for child in self.children if person not in child] + ([left] if len(left) > 1 else [])

    def erase(self, contact: str) -> None:
        """Nobody of a contact is known any more; the others stay who they are."""
        left = ({each for each in child if each[0] != contact} for child in self.children)
        self.children = [child for child in left if child]


@dataclass(frozen=True)
class Turn:
    """What a step is about: one case with one of its subjects, another one, and a number for whatever else is to be chosen."""

    here: str
    case: Referral
    mine: str
    there: str
    theirs: str
    number: int


class Hub:
    """A hub whose people do what they are told to, as far as it is not refused."""

    def __init__(self, store: Store) -> None:
        self.store, self.said = store, Said()

    async def cases(self) -> dict[str, Referral]:
        """All referrals as they are stored."""
        async with self.store.engine.connect() as connection:
            rows = (await connection.execute(select(REFERRALS.c.reference, REFERRALS.c.state))).all()
        return {row.reference: Referral.model_validate_json(row.state) for row in sorted(rows)}

    async def look(self) -> None:
        """Everything that waits is looked at."""
        while await look_next(self.store):
            pass

    async def give(self, reference: str, command: StaffCommand, by: Actor = DUTY, **more: Any) -> bool:
        """Whether it was done, and not refused."""
        try:
            await act(self.store, reference, command, by, words="As it is seen now.", **more)
        except (Refusal, KeyDestroyed):
            return False
        return True

    async def turn(self, one: int, other: int, number: int) -> Turn:
        """The same numbers choose the same cases and people."""
        cases = await self.cases()
        here, there = chosen(list(cases), one), chosen(list(cases), other)
        mine, theirs = chosen(list(cases[here].subjects), number), chosen(list(cases[there].subjects), number + one)
        return Turn(here, cases[here], mine, there, theirs, number)

    async def receive(self, about: int) -> None:
        """Another contact. Nobody can be written to, so that it is over once it is decided."""
        children = {f"S{place}": CHILDREN[child] for place, child in enumerate(chosen(ABOUT, about), 1)}
        subjects = tuple(Subject(id=sid, cohort="child") for sid in children)
        command = ReceiveContact(contact="referral", source="2A", source_agency="education", subjects=subjects)
        items = [Item("concern", b'{"summary": "They come without lunch."}')]
        items += [Item("subject", json.dumps(child).encode(), sid) for sid, child in children.items()]
        async with self.store.transaction(SCHOOL) as connection:
            reference = (await receive(connection, self.store, command, items, SCHOOL)).reference
        self.said.people |= {(reference, sid) for sid in children}

    async def come(self, t: Turn) -> None:
        await self.receive(t.number)

    async def confirm(self, t: Turn) -> None:
        """Anybody to be anybody, by mistake too."""
        if await self.give(t.here, IdentifySubject(subject=t.mine, other=t.there, other_subject=t.theirs)):
            self.said.confirm((contact_of(t.here), t.mine), (contact_of(t.there), t.theirs))

    async def confirm_match(self, t: Turn) -> None:
        if (match := chosen_match(t.case.unsettled, t)) and match.other:
            await self.confirm(Turn(t.here, t.case, match.subject, match.reference, match.other, t.number))

    async def withdraw(self, t: Turn) -> None:
        if await self.give(t.here, WithdrawIdentity(subject=t.mine)):
            self.said.withdraw((contact_of(t.here), t.mine))

    async def reject(self, t: Turn) -> None:
        if (match := chosen_match(t.case.unsettled, t)) and match.other:
            rejection = RejectMatch(subject=match.subject, other=match.reference, other_subject=match.other)
            if await self.give(t.here, rejection):
                self.said.apart.append({(contact_of(t.here), match.subject), (contact_of(match.reference), match.other)})

    async def correct(self, t: Turn) -> None:
        await self.give(t.here, CorrectDetails(item=t.mine), details=chosen(CHILDREN, t.number))

    async def add(self, t: Turn) -> None:
        if await self.give(t.here, AddSubject(cohort="child"), details=chosen(CHILDREN, t.number)):
            added = (await self.cases())[t.here].subjects.keys() - t.case.subjects.keys()
            self.said.people |= {(contact_of(t.here), sid) for sid in added}

    async def remove(self, t: Turn) -> None:
        if await self.give(t.here, RemoveSubject(subject=t.mine)):
            self.said.removed.add((contact_of(t.here), t.mine))

    async def attach(self, t: Turn) -> None:
        """To the case of whoever it is likely about; it is confirmed first that they are."""
        if into := chosen_match(t.case.matches, t):
            await self.rate(t)
            for match in t.case.unsettled:
                if match.reference == into.reference and match.other:
                    await self.confirm(Turn(t.here, t.case, match.subject, match.reference, match.other, t.number))
            await self.look()
            await self.give(t.here, AttachContact(other=into.reference))

    async def close_duplicate(self, t: Turn) -> None:
        if match := chosen_match(t.case.matches, t):
            await self.rate(t)
            case = await look_at(self.store, t.here, DUTY, "read_case")
            try:
                pair = await side_by_side(self.store, case, match.subject, match.reference, match.other, DUTY)
            except (NotFound, KeyDestroyed):
                return  # they go on elsewhere, or are erased, and nobody has looked since
            before = (await self.cases())[match.reference].subjects.keys()
            if await self.give(t.here, CloseDuplicate(other=match.reference, compared=pair.compared)):
                # Whom the open case did not have goes there with it.
                added = (await self.cases())[match.reference].subjects.keys() - before
                self.said.people |= {(contact_of(match.reference), sid) for sid in added}

    async def rate(self, t: Turn) -> None:
        if t.case.rating is None:
            await self.give(t.here, RateReferral(rating="blue"))

    async def decide(self, t: Turn) -> None:
        """Subjects get different outcomes, so that a case about two is split."""
        await self.decided(t, {sid: chosen(OUTCOMES, t.number + place) for place, sid in enumerate(t.case.subjects)})

    async def end(self, t: Turn) -> None:
        await self.decided(t, dict.fromkeys(t.case.subjects, OUTCOMES[0]))

    async def decided(self, t: Turn, outcomes: dict[str, Any]) -> None:
        """With a second person where one is wanted."""
        await self.rate(t)
        decision = RecordDecision(outcomes=outcomes, primary_need="N1")
        if not await self.give(t.here, decision, MANAGER) and await self.give(t.here, WeighContacts()):
            await self.give(t.here, decision, MANAGER)
        for reference, case in (await self.cases()).items():
            if case.proposed:
                second = MANAGER.model_copy(update={"id": "s.second", "role": case.proposed.role})
                await self.give(reference, WriteSecondView(), second)
                await self.give(reference, SignOffDecision(agreed=True), second)

    async def reopen(self, t: Turn) -> None:
        await self.give(t.here, ReopenReferral(), MANAGER)

    async def withdraw_decision(self, t: Turn) -> None:
        await self.give(t.here, WithdrawDecision(), MANAGER)

    async def erase(self, t: Turn) -> None:
        try:
            await erase(self.store, t.here, ErasePeople(why="right_to_erasure"), ADMINISTRATOR)
        except Refusal:
            return
        self.said.erase(contact_of(t.here))


STEPS = {
    step.__name__: step
    for step in (
        Hub.confirm_match, Hub.confirm, Hub.withdraw, Hub.reject, Hub.correct, Hub.attach, Hub.close_duplicate, Hub.decide,
        Hub.end, Hub.reopen, Hub.withdraw_decision, Hub.erase, Hub.come, Hub.add, Hub.remove,
    )
}  # fmt: skip


def chosen(some: Any, number: int) -> Any:
    """One of them, by a number that may be any."""
    return some[number % len(some)]


def chosen_match(matches: tuple[Match, ...], t: Turn) -> Match | None:
    return chosen(matches, t.number) if matches else None


async def nobody_is_lost(hub: Hub) -> None:
    """Everybody stands in exactly one referral of their contact, and each referral is worked on, or is over."""
    cases = await hub.cases()
    stands = [(contact_of(reference), sid) for reference, case in cases.items() for sid in case.subjects]
    assert sorted(stands) == sorted(hub.said.people - hub.said.removed)
    for reference, case in cases.items():
        assert case.subjects, reference
        assert case.open == (case.stage not in CONCLUDED), reference
        assert not case.open or case.running, f"{reference} is open, and nobody's turn"


async def what_was_added_stands_where_it_went_to(hub: Hub) -> None:
    cases = await hub.cases()
    went = sorted((case.part_of, reference) for reference, case in cases.items() if case.part_of)
    assert sorted((into, reference) for into, case in cases.items() for reference in case.added) == went


async def children_are_who_was_confirmed(hub: Hub) -> None:
    """What joins subjects to children is what people have said, and what their logs link."""
    cases, children = await hub.cases(), defaultdict[str | None, set[Person]](set)
    async with hub.store.engine.connect() as connection:
        rows = (await connection.execute(select(IDENTITIES.c.reference, IDENTITIES.c.subject, IDENTITIES.c.link))).all()
        for row in rows:
            child = await child_of(connection, hub.store, row.reference, row.subject)
            children[child].add((contact_of(row.reference), row.subject))
    links = [(reference, sid, link) for reference, case in cases.items() for sid, link in case.identities.items()]
    assert sorted(map(tuple, rows)) == sorted(links)
    assert sorted(map(sorted, children.values())) == sorted(map(sorted, hub.said.children))


async def open_cases_show_who_is_who(hub: Hub) -> None:
    """Those who were confirmed, and nobody who was rejected, was erased, or stands elsewhere by now."""
    cases = await hub.cases()
    where = {(contact_of(reference), sid): reference for reference, case in cases.items() for sid in case.subjects}
    for reference, case in cases.items():
        if case.erased:
            assert not (case.matches or case.rejected or case.possible_matches or case.identities), reference
        elif case.open:
            people = {sid: hub.said.child((contact_of(reference), sid)) for sid in case.subjects}
            confirmed = {(sid, where[each], each[1]) for sid, same in people.items() for each in same if where[each] != reference}
            shown = await earlier(hub.store, await look_at(hub.store, reference, DUTY, "read_case"), DUTY)
            assert shown is not None and {(c.subject, c.reference, c.other) for c in shown.confirmed} == confirmed, reference
            for each in shown.likely:
                there = (contact_of(each.reference), each.other or "")
                assert where.get(there) == each.reference and not cases[each.reference].erased, (reference, each.reference)
                assert {(contact_of(reference), each.subject), there} not in hub.said.apart, (reference, each.reference)


async def sound(hub: Hub) -> None:
    """All that has to hold, whatever was done."""
    await hub.look()
    await nobody_is_lost(hub)
    await what_was_added_stands_where_it_went_to(hub)
    await children_are_who_was_confirmed(hub)
    await open_cases_show_who_is_who(hub)
    assert [wrong async for wrong in verify(hub.store)] == []
    assert (await replay(hub.store)).different == []
    assert await Mender(hub.store).look_at_all() == []
    assert await figuring.figures(hub.store) == await figuring.figures_of_states(hub.store)


OF_CASES = emptying("""
    relname LIKE 'figure\\_%' OR relname IN (SELECT table_name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name IN ('reference', 'root'))""")
"""Each order begins with no case."""


async def begun(store: Store, owner: psycopg.Connection) -> Hub:
    """A hub with a contact about a boy, one about him and his sister, and one about her."""
    owner.execute(OF_CASES)
    set_time(store, START)
    hub = Hub(store)
    for about in range(3):
        await hub.receive(about)
    await hub.look()
    return hub


Step = tuple[str, int, int, int, bool]
"""What is done, three numbers that choose to whom, and whether everything is looked at before the next one."""


async def any_order(store: Store, owner: psycopg.Connection, steps: list[Step]) -> None:
    """These steps, after which all has to hold."""
    hub = await begun(store, owner)
    for kind, one, other, number, looks in steps:
        await STEPS[kind](hub, await hub.turn(one, other, number))
        if looks:
            await hub.look()
            await add_up(store, "merton")
    await sound(hub)


FOUND: dict[str, list[Step]] = {
    "what is said with a confirmation is kept": [("confirm_match", 1, 4, 2, True)],
    "who was rejected is confirmed after all": [("reject", 0, 0, 0, True), ("confirm", 0, 1, 0, True)],
    "two subjects of one contact are not one child": [("confirm", 0, 1, 0, True), ("confirm", 0, 1, 1, True)],
    "one of three is taken back": [("confirm", 5, 4, 3, True), ("confirm_match", 0, 1, 0, True), ("withdraw", 1, 1, 0, False)],
    "somebody is taken out": [("remove", 1, 0, 1, False)],
    "who goes on alone is looked for there": [("come", 3, 3, 5, False), ("decide", 3, 3, 0, False)],
    "a rejection goes with whoever goes on": [("reject", 1, 0, 1, True), ("decide", 1, 0, 1, True), ("correct", 2, 0, 1, True)],
    "what was rejected of a part is of the whole": [
        ("confirm_match", 1, 4, 2, True), ("decide", 4, 5, 5, True), ("reject", 2, 2, 2, True), ("withdraw", 4, 2, 4, True),
    ],
    "a contact is erased that a later one knows": [("end", 0, 0, 0, True), ("come", 0, 0, 0, True), ("erase", 0, 0, 0, False)],
    "who is erased is rejected": [("end", 1, 5, 5, False), ("erase", 1, 0, 5, False), ("reject", 2, 0, 1, False)],
    "who has gone on to a part since is rejected": [
        ("confirm_match", 0, 0, 0, False), ("confirm_match", 0, 0, 0, False), ("confirm_match", 0, 0, 0, False),
        ("confirm_match", 0, 0, 0, False), ("decide", 1, 0, 1, False), ("reject", 3, 0, 0, False),
    ],
    "what was added is taken back": [
        ("attach", 5, 5, 4, True), ("correct", 5, 0, 3, True), ("attach", 2, 2, 4, False), ("withdraw_decision", 2, 0, 1, False),
    ],
}  # fmt: skip
"""Orders that once left something wrong."""


@pytest.mark.parametrize("steps", FOUND.values(), ids=FOUND)
async def test_an_order_that_once_left_something_wrong_leaves_nothing_wrong(
    store: Store, owner_connection: psycopg.Connection, steps: list[Step]
) -> None:
    await any_order(store, owner_connection, steps)


ANY = st.integers(0, 5)
ORDERS = st.lists(st.tuples(st.sampled_from(list(STEPS)), ANY, ANY, ANY, st.booleans()), min_size=6, max_size=16)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=ORDERS)
async def test_in_any_order_nobody_is_without_a_case_no_contact_is_lost_and_the_logs_say_what_is_known(
    store: Store, owner_connection: psycopg.Connection, steps: list[Step]
) -> None:
    await any_order(store, owner_connection, steps)


@pytest.mark.nightly
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=ORDERS)
async def test_the_same_over_many_more_orders(store: Store, owner_connection: psycopg.Connection, steps: list[Step]) -> None:
    await any_order(store, owner_connection, steps)
