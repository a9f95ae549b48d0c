"""Decisions are audited by rule and seed, never one's own; what is found is kept, corrected beside the old, and erased with its
people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, time, timedelta
from typing import get_args

import psycopg
import pytest
from acting import BASIS, DUTY, MANAGER, POLICE, START, set_time, submit, turned_away
from auditing import AUDITOR, DECIDED, ELSEWHERE, GOVERNANCE, GOVERNOR, NOT_RIGHT, OTHER, OVERRIDES, RIGHT, WORKER
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mash.api.self_test.walls import be
from mash.config.permissions import read_permissions
from mash.flows.installation.postmaster import Cluster
from mash.flows.store.apply import act
from mash.flows.store.audits import Audit, record
from mash.flows.store.erasure import erase
from mash.flows.store.near_misses import record_near_miss, remove_near_miss
from mash.flows.store.reads.audits import Counts, Draw, Drawn, WhyClosed, counted, of_their_own, open_case, samples
from mash.flows.store.reads.case import read_case
from mash.flows.store.reads.look import look_at
from mash.flows.store.reads.near_misses import KINDS, near_misses, near_misses_counted
from mash.flows.store.rotas import store_rota
from mash.flows.store.samples import Wanted, close, draw, draw_again
from mash.flows.store.store import Store
from mash.notifications.rota import Pattern, Rota
from mash.states.acts.allocating import AllocateCase
from mash.states.acts.checks import AnswerCheck, ProceedWithoutReplies
from mash.states.acts.closing import ErasePeople
from mash.states.acts.countersigning import Countersign
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.rating import RateReferral, RerateReferral
from mash.states.acts.sharing import RecordSharingBasis
from mash.states.acts.withdrawing import WithdrawDecision
from mash.states.auditing import QUESTIONS, RULES, Answer, Grade, Rule, ShouldHave
from mash.states.errors import Incomplete, NotFound, NotYours, ReasonNeeded, VersionConflict
from mash.states.own_case import DECIDING
from mash.states.values import Actor


def of_june(rule: Rule = "any_decision", size: int = 10) -> Wanted:
    """A sample of Merton's June."""
    return Wanted(rule, date(2026, 6, 1), date(2026, 6, 30), size)


@pytest.fixture
async def decided(store: Store) -> list[str]:
    """Five decisions of June."""
    set_time(store, START)
    return [await turned_away(store) for _ in range(5)]


async def drawn(store: Store, wanted: Wanted | None = None, by: Actor = AUDITOR) -> Draw:
    return await draw(store, wanted or of_june(), by)


# --- drawing ------------------------------------------------------------------------------------------------------------------


async def test_the_seed_is_drawn_too_and_whoever_doubts_a_sample_draws_it_again(store: Store, decided: list[str]) -> None:
    first = await drawn(store, of_june(size=2))
    assert (first.population, len(first.drawn), first.drawn_by) == (5, 2, "q.auditor") and set(first.drawn) <= set(decided)
    again = await draw_again(store, first.id, OTHER)
    assert (again.today, again.population, again.kept) == (first.drawn, 5, first)
    assert len(await samples(store, AUDITOR)) == 1, "drawn again, nothing is kept"
    gone = first.drawn[0]
    await erase(store, gone, ErasePeople(why="right_to_erasure"), GOVERNOR)
    again = await draw_again(store, first.id, OTHER)
    assert gone not in again.today and (again.population, again.erased) == (4, 1) and again.kept.drawn == first.drawn
    with pytest.raises(NotFound):
        await draw_again(store, first.id, ELSEWHERE)
    seeds, others = set[int](), set[tuple[str, ...]]()
    await close(store, first.id, "drawn_by_mistake", OTHER)
    for _ in range(8):
        other = await drawn(store, of_june(size=2))
        seeds.add(other.seed)
        others.add(other.drawn)
        await close(store, other.id, "drawn_by_mistake", AUDITOR)
    assert len(seeds) > 6 and len(others) > 2, "nobody says which seed it is to be"


async def test_one_sample_is_open_at_a_time(store: Store, decided: list[str]) -> None:
    first = await drawn(store)
    with pytest.raises(Incomplete, match=f"sample {first.id} is open"):
        await drawn(store)
    await close(store, first.id, "drawn_by_mistake", AUDITOR)
    assert (await drawn(store)).id > first.id
    with pytest.raises(NotFound):
        await close(store, first.id, "drawn_by_mistake", AUDITOR)


async def test_a_rule_that_means_no_decision_of_the_period_draws_nothing_and_keeps_nothing(
    store: Store, decided: list[str]
) -> None:
    with pytest.raises(Incomplete, match="means no decision"):
        await drawn(store, of_june("consent_overridden"))
    with pytest.raises(Incomplete, match="means no decision"):
        await drawn(store, Wanted("any_decision", date(2026, 5, 1), date(2026, 6, 1), 5))
    with pytest.raises(Incomplete, match="1 to 200"):
        await drawn(store, of_june(size=201))
    assert await samples(store, AUDITOR) == []


async def rated(store: Store, *ratings: str, basis: RecordSharingBasis = BASIS, people: tuple[str, ...] = ("s1",)) -> str:
    """A case that was rated so often."""
    reference = await submit(store, *people)
    reason = "They would come to harm." if basis is OVERRIDES else None
    await act(store, reference, basis, DUTY, words=reason)
    for seconding in (await read_case(store, reference)).referral.secondings:
        await act(store, reference, Countersign(seconding=seconding, agreed=True), MANAGER, words="I agree.")
    await act(store, reference, RateReferral(rating=ratings[0]), DUTY)
    for rating in ratings[1:]:
        await act(store, reference, RerateReferral(rating=rating), DUTY, words="More is known.")
    return reference


async def closed(store: Store, reference: str, *, with_replies: bool = False) -> str:
    """That case, closed by the team manager."""
    asked = (await read_case(store, reference)).referral.outstanding
    for agency in asked if with_replies else ():
        by = POLICE.model_copy(update={"id": f"a.{agency}", "agency": agency})
        await act(store, reference, AnswerCheck(agency=agency, known=False), by)
    if asked and not with_replies:
        await act(store, reference, ProceedWithoutReplies(), DUTY, words="They do not answer.")
    await act(store, reference, DECIDED, MANAGER, words="Nothing more is needed.")
    return reference


async def test_each_rule_draws_the_cases_that_it_means(store: Store) -> None:
    set_time(store, START)
    plain = await closed(store, await rated(store, "green"), with_replies=True)
    without = await closed(store, await rated(store, "green"))
    twice = await closed(store, await rated(store, "green", "amber", "green"), with_replies=True)
    override = await closed(store, await rated(store, "green", basis=OVERRIDES), with_replies=True)
    set_time(store, START + timedelta(hours=13))
    late = await closed(store, await rated(store, "green"), with_replies=True)
    meant: dict[Rule, set[str]] = {
        "any_decision": {plain, without, twice, override, late},
        "without_replies": {without},
        "rerated_twice": {twice},
        "consent_overridden": {override},
        "outside_hours": {late},
    }
    for rule, those in meant.items():
        found = await drawn(store, of_june(rule))
        assert set(found.drawn) == those, rule
        await close(store, found.id, "enough_was_learnt", AUDITOR)


async def parted(store: Store, *ratings: str, basis: RecordSharingBasis = BASIS) -> tuple[str, str]:
    """A contact about two children, rated so, decided without replies: one of them goes on in a linked referral. Both
    references."""
    reference = await rated(store, *ratings, basis=basis, people=("s1", "s2"))
    await act(store, reference, ProceedWithoutReplies(), DUTY, words="They do not answer.")
    both = RecordDecision(outcomes={"s1": "no_further_action", "s2": "early_help"}, primary_need="N1")
    await act(store, reference, both, MANAGER, words="The school acts.")
    return reference, f"{reference}-B"


@pytest.mark.parametrize("rule", ["any_decision", "rerated_twice", "consent_overridden", "without_replies"])
async def test_what_came_before_brothers_and_sisters_went_their_own_ways_counts_for_each_of_them(
    store: Store, rule: Rule
) -> None:
    set_time(store, START)
    both = await parted(store, "green", "amber", "green", basis=OVERRIDES)
    found = await drawn(store, of_june(rule))
    assert (set(found.drawn), found.population) == (set(both), 2)


async def test_of_who_went_their_own_way_an_auditor_is_told_how_the_contact_was_rated_at_first_and_who_decided(
    store: Store,
) -> None:
    set_time(store, START)
    kept, parting = await parted(store, "blue", "green")
    sample = await drawn(store)
    for reference in (kept, parting):
        opened = await open_case(store, sample.id, reference, AUDITOR)
        assert (opened.first_rating, opened.decided_by) == ("blue", "team_manager")
    await act(store, kept, WithdrawDecision(), MANAGER, words="It was not theirs.")
    opened = await open_case(store, sample.id, parting, AUDITOR)
    assert opened.decided_by is None, "who decided is not guessed from what was decided since"


async def test_a_sample_is_no_mistake_once_something_was_found_in_it(store: Store, decided: list[str]) -> None:
    sample = await drawn(store)
    await record(store, Audit(sample.id, sample.drawn[0], 0, NOT_RIGHT, "Not asked."), AUDITOR)
    with pytest.raises(Incomplete, match="it counts"):
        await close(store, sample.id, "drawn_by_mistake", AUDITOR)
    await close(store, sample.id, "enough_was_learnt", AUDITOR)
    mistaken = await drawn(store)
    await close(store, mistaken.id, "drawn_by_mistake", AUDITOR)
    assert [(each.drawn, each.not_audited) for each in (await counted(store, MANAGER)).drawn] == [(5, 4)]


async def test_a_sample_whose_last_cases_are_erased_is_closed_and_does_not_stand_in_the_way(
    store: Store, decided: list[str]
) -> None:
    sample = await drawn(store, of_june(size=2))
    await record(store, Audit(sample.id, sample.drawn[0], 0, RIGHT), AUDITOR)
    await erase(store, sample.drawn[1], ErasePeople(why="right_to_erasure"), GOVERNOR)
    (listed,) = await samples(store, AUDITOR)
    assert listed.erased == {sample.drawn[1]}, "it is said of the case"
    assert (await drawn(store, of_june(size=2))).id > sample.id
    assert [each.draw.closed_why for each in await samples(store, AUDITOR)] == [None, "all_audited"]


async def test_earlier_samples_and_near_misses_can_be_read_on(
    store: Store, decided: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mash.flows.store.reads.audits.MOST_DRAWS", 1)
    monkeypatch.setattr("mash.flows.store.reads.near_misses.MOST", 1)
    first = await drawn(store)
    await close(store, first.id, "drawn_by_mistake", AUDITOR)
    second = await drawn(store)
    assert [each.draw.id for each in await samples(store, AUDITOR)] == [second.id, first.id], "one more, where there are more"
    assert [each.draw.id for each in await samples(store, AUDITOR, second.id)] == [first.id]
    for once in ("a", "b"):
        await record_near_miss(store, "nearly_closed", "Seen by luck.", once, WORKER)
    later, earlier = await near_misses(store, MANAGER)
    assert [each.id for each in await near_misses(store, MANAGER, later.id)] == [earlier.id]


# --- auditing -----------------------------------------------------------------------------------------------------------------


async def test_what_was_found_is_kept_and_a_correction_stands_beside_it(store: Store, decided: list[str]) -> None:
    sample = await drawn(store)
    reference = sample.drawn[0]
    assert await record(store, Audit(sample.id, reference, 0, RIGHT, "Well reasoned."), AUDITOR) == 1
    assert await record(store, Audit(sample.id, reference, 1, NOT_RIGHT, "Nobody asked her."), OTHER) == 2
    with pytest.raises(VersionConflict):
        await record(store, Audit(sample.id, reference, 1, RIGHT), AUDITOR)
    opened = await open_case(store, sample.id, reference, AUDITOR)
    assert opened.case.reference == reference
    assert [(each.version, each.grade, each.person, each.words) for each in opened.before] == [
        (2, "not_right", "o.auditor", "Nobody asked her."),
        (1, "right", "q.auditor", "Well reasoned."),
    ]
    (kept,) = await samples(store, AUDITOR)
    assert kept.found[reference].version == 2 and kept.draw.closed_at is None


async def test_what_is_not_right_is_said_in_words_and_only_what_was_drawn_is_audited(store: Store, decided: list[str]) -> None:
    sample = await drawn(store, of_june(size=1))
    with pytest.raises(ReasonNeeded):
        await record(store, Audit(sample.id, sample.drawn[0], 0, NOT_RIGHT), AUDITOR)
    other = next(each for each in decided if each not in sample.drawn)
    with pytest.raises(NotFound, match="not drawn"):
        await record(store, Audit(sample.id, other, 0, RIGHT), AUDITOR)
    with pytest.raises(NotFound):
        await open_case(store, sample.id + 1, sample.drawn[0], AUDITOR)


async def test_the_last_case_that_is_audited_closes_the_sample(store: Store, decided: list[str]) -> None:
    sample = await drawn(store, of_june(size=2))
    for reference in sample.drawn:
        await record(store, Audit(sample.id, reference, 0, RIGHT), AUDITOR)
    (kept,) = await samples(store, AUDITOR)
    assert (kept.draw.closed_by, kept.draw.closed_why) == ("q.auditor", "all_audited")
    assert await record(store, Audit(sample.id, sample.drawn[0], 1, NOT_RIGHT, "Seen again."), OTHER) == 2


async def test_nobody_audits_their_own_case(store: Store) -> None:
    set_time(store, START)
    reference = await closed(store, await rated(store, "green"), with_replies=True)
    sample = await drawn(store)
    for own in (DUTY, MANAGER):
        by = own.model_copy(update={"role": "practice_manager"})
        with pytest.raises(NotYours, match="somebody else audits it"):
            await open_case(store, sample.id, reference, by)
        with pytest.raises(NotYours, match="somebody else audits it"):
            await record(store, Audit(sample.id, reference, 0, RIGHT), by)
    assert await record(store, Audit(sample.id, reference, 0, RIGHT), AUDITOR) == 1


async def test_opening_a_case_to_audit_it_is_a_look_and_so_is_drawing_it(store: Store, decided: list[str]) -> None:
    sample = await drawn(store, of_june(size=1))
    await open_case(store, sample.id, sample.drawn[0], AUDITOR)
    looked = text("SELECT action, person, reference, shown FROM access WHERE action LIKE '%audit%' ORDER BY id")
    async with store.engine.connect() as connection:
        rows = (await connection.execute(looked)).all()
    assert [tuple(row) for row in rows] == [
        ("draw_audit_sample", "q.auditor", None, list(sample.drawn)),
        ("audit_case", "q.auditor", sample.drawn[0], None),
    ]


async def test_the_words_of_an_audit_are_erased_with_the_people_of_its_case(store: Store, decided: list[str]) -> None:
    sample = await drawn(store)
    gone, left = sample.drawn[:2]
    await record(store, Audit(sample.id, gone, 0, NOT_RIGHT, "Orla was not asked."), AUDITOR)
    await record_near_miss(store, "nearly_closed", "Orla was nearly forgotten.", "1", WORKER, gone)
    await erase(store, gone, ErasePeople(why="right_to_erasure"), GOVERNOR)
    found = (await open_case(store, sample.id, gone, AUDITOR)).before
    assert [(each.grade, each.words) for each in found] == [("not_right", None)], "that it was found stays"
    assert [each.words for each in await near_misses(store, MANAGER)] == [None]
    with pytest.raises(Incomplete, match="erased"):
        await record(store, Audit(sample.id, gone, 1, RIGHT), AUDITOR)
    await erase(store, left, ErasePeople(why="right_to_erasure"), GOVERNOR)
    for reference in sample.drawn[2:]:
        await record(store, Audit(sample.id, reference, 0, RIGHT), AUDITOR)
    (kept,) = await samples(store, AUDITOR)
    assert kept.draw.closed_why == "all_audited", "what cannot be audited any more is not waited for"
    later = await drawn(store, of_june(size=10))
    assert (later.population, later.erased) == (3, 2) and not {gone, left} & set(later.drawn)


async def test_no_word_of_an_audit_or_a_near_miss_is_stored_in_plain(store: Store, decided: list[str]) -> None:
    sample = await drawn(store)
    await record(store, Audit(sample.id, sample.drawn[0], 0, RIGHT, "Zephyrine was heard."), AUDITOR)
    for reference in (None, sample.drawn[0]):
        await record_near_miss(store, "wrong_person", "Zephyrine again.", f"n{reference}", WORKER, reference)
    async with store.engine.connect() as connection:
        for name in ("audit_draw", "audit_result", "near_miss", "access"):
            rows = "\n".join((await connection.scalars(text(f"SELECT CAST({name} AS text) FROM {name}"))).all())
            assert "Zephyrine" not in rows and "5a6570687972696e65" not in rows


async def test_what_was_learnt_is_counted_by_rule_and_quarter_by_the_last_version(store: Store, decided: list[str]) -> None:
    sample = await drawn(store)
    await record(store, Audit(sample.id, sample.drawn[0], 0, NOT_RIGHT, "Not asked."), AUDITOR)
    await record(store, Audit(sample.id, sample.drawn[0], 1, RIGHT), AUDITOR)
    await record(store, Audit(sample.id, sample.drawn[1], 0, NOT_RIGHT, "Not asked."), AUDITOR)
    grades = {
        (each.rule, each.quarter, each.answer): each.many
        for each in (await counted(store, MANAGER)).answers
        if each.question == "grade"
    }
    spring = date(2026, 4, 1)
    assert grades == {("any_decision", spring, "right"): 1, ("any_decision", spring, "not_right"): 1}
    assert (await counted(store, MANAGER)).drawn == [Drawn("any_decision", spring, 5, 3)]
    assert await counted(store, POLICE) == Counts([], []) == await counted(store, ELSEWHERE)


# --- near misses --------------------------------------------------------------------------------------------------------------


async def test_a_near_miss_is_recorded_by_any_of_the_staff_without_their_name_and_read_by_managers(
    store: Store, decided: list[str]
) -> None:
    await record_near_miss(store, "warning_not_seen", "The marker stood below the fold.", "a", WORKER)
    await record_near_miss(store, "warning_not_seen", "The marker stood below the fold.", "a", WORKER)
    await record_near_miss(store, "nearly_closed", "Seen by luck.", "b", WORKER, decided[0])
    found = await near_misses(store, MANAGER)
    assert [(each.kind, each.reference, each.day, each.words) for each in found] == [
        ("nearly_closed", decided[0], START.date(), "Seen by luck."),
        ("warning_not_seen", None, START.date(), "The marker stood below the fold."),
    ]
    async with store.engine.connect() as connection:
        rows = (await connection.scalars(text("SELECT CAST(near_miss AS text) FROM near_miss"))).all()
        looked = (await connection.scalars(text("SELECT shown FROM access WHERE action = 'read_near_misses'"))).all()
    assert not any("worker" in row or f"{START:%H:%M}" in row for row in rows), "nor in which role, nor when within the day"
    assert looked == [[decided[0]], None], "those that name no case are a look too"
    assert await near_misses_counted(store, MANAGER) == {("2026 Q2", "warning_not_seen"): 1, ("2026 Q2", "nearly_closed"): 1}
    with pytest.raises(ReasonNeeded):
        await record_near_miss(store, "nearly_closed", "", "c", WORKER)
    with pytest.raises(NotFound):
        await record_near_miss(
            store, "nearly_closed", "Elsewhere.", "d", WORKER.model_copy(update={"hub": "sandwell"}), decided[0]
        )


# --- walls --------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def application(cluster: Cluster) -> Iterator[psycopg.Connection]:
    """The application's own connection, at which somebody types what they like."""
    with psycopg.connect(host=str(cluster.socket), user="mash_app", dbname="mash") as connection:
        yield connection


async def test_the_database_shows_audits_to_auditors_of_the_hub_and_near_misses_to_managers(
    store: Store, decided: list[str], application: psycopg.Connection
) -> None:
    sample = await drawn(store)
    await record(store, Audit(sample.id, sample.drawn[0], 0, RIGHT, "Words."), AUDITOR)
    await record_near_miss(store, "nearly_closed", "Seen by luck.", "b", WORKER, decided[0])
    table = read_permissions()
    for role in sorted(table.reach["hub"] | table.reach["involved"] | table.reach["own"]):
        be(application, AUDITOR.model_copy(update={"role": role}), START, store.caller_key)
        shown = [
            application.execute(f"SELECT count(*) FROM {name}".encode()).fetchone()
            for name in ("audit_draw", "audit_result", "near_miss")
        ]
        audits, misses = role in table.actions["audit_decisions"], role in table.actions["read_near_misses"]
        assert shown == [(int(audits),), (int(audits),), (int(misses),)], role
        application.rollback()
    be(application, ELSEWHERE, START, store.caller_key)
    for name in ("audit_draw", "audit_result", "near_miss"):
        assert application.execute(f"SELECT count(*) FROM {name}".encode()).fetchone() == (0,)


ROW = (
    "(hub, draw, reference, version, at, person, role, rating_right, decision_right, decision_timely, child_heard, basis_right,"
    " should_have, grade)"
)
SAID = "now(), '{person}', 'practice_manager', 'yes', 'yes', 'yes', 'yes', 'yes', '{{as_was_done}}', 'right'"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_result SET grade = 'right'",
        "DELETE FROM audit_result",
        "DELETE FROM audit_draw",
        "UPDATE audit_draw SET drawn = '{}'",
        "UPDATE audit_draw SET seed = 1",
        "UPDATE audit_draw SET closed_at = now(), closed_by = 'somebody.else', closed_why = 'enough_was_learnt'",
        "UPDATE near_miss SET kind = 'something_else'",
        "DELETE FROM near_miss",
        f"INSERT INTO audit_result {ROW} SELECT hub, id, drawn[1], 7, {SAID.format(person='somebody.else')} FROM audit_draw",
        f"INSERT INTO audit_result {ROW} SELECT 'sandwell', id, drawn[1], 7, {SAID.format(person='q.auditor')} FROM audit_draw",
        f"INSERT INTO audit_result {ROW} SELECT d.hub, d.id, r.reference, 7, {SAID.format(person='q.auditor')}"
        " FROM audit_draw d, referral r WHERE r.reference <> ALL (d.drawn)",
        "INSERT INTO near_miss (hub, day, kind, sealed, once, wrapped) VALUES ('sandwell', now(), 'wrong_person', '', 'z', '')",
        "UPDATE near_miss SET wrapped = NULL, removed_at = now()",
        "SELECT remove_near_miss(1, now())",
    ],
)
async def test_the_applications_role_changes_nothing_that_was_found_and_signs_for_nobody_else(
    store: Store, decided: list[str], application: psycopg.Connection, statement: str
) -> None:
    sample = await drawn(store, of_june(size=1))
    await record_near_miss(store, "nearly_closed", "Seen by luck.", "b", WORKER)
    be(application, AUDITOR, START, store.caller_key)
    assert sample.closed_at is None
    with pytest.raises(InsufficientPrivilege):
        application.execute(statement.encode())


async def test_the_database_itself_takes_no_audit_of_whoever_decided(store: Store, application: psycopg.Connection) -> None:
    set_time(store, START)
    await closed(store, await rated(store, "green"), with_replies=True)
    await drawn(store)
    own = f"INSERT INTO audit_result {ROW} SELECT hub, id, drawn[1], 1, {SAID} FROM audit_draw"
    be(application, AUDITOR.model_copy(update={"id": MANAGER.id}), START, store.caller_key)
    with pytest.raises(InsufficientPrivilege):
        application.execute(own.format(person=MANAGER.id).encode())
    application.rollback()
    be(application, AUDITOR, START, store.caller_key)
    application.execute(own.format(person=AUDITOR.id).encode())


async def test_the_database_itself_knows_of_each_part_that_the_program_knows_in_whichever_letters(
    store: Store, application: psycopg.Connection
) -> None:
    """Who rated and recorded the basis, who gave a case to whom, who was the second person, who decided."""
    set_time(store, START)
    reference = await rated(store, "green", basis=OVERRIDES)
    days = ("mon", "tue", "wed", "thu", "fri")
    on_duty = Pattern(role="social_worker", person="s.worker", days=days, since=date(2026, 6, 1), starts=time(9), ends=time(17))
    await store_rota(store, "merton", Rota(patterns=(on_duty,)), "administrator")
    await act(store, reference, AllocateCase(worker="s.worker"), DUTY)
    async with store.engine.connect() as connection:
        own = await of_their_own(connection, reference)
    assert own == {"d.manager", "m.manager", "s.worker"}
    for login in [*own, *(each.title() for each in own), "q.auditor"]:
        be(application, AUDITOR.model_copy(update={"id": login}), START, store.caller_key)
        assert application.execute("SELECT may_audit(%s)", (reference,)).fetchone() == (login == "q.auditor",), login
        application.rollback()


async def test_the_codes_and_roles_that_the_database_knows_are_those_of_the_program(store: Store) -> None:
    async with store.engine.connect() as connection:
        rules = text(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = CAST(:of AS regclass) AND contype = 'c'"
        )
        checks = {
            name: (await connection.scalars(rules, {"of": name})).all() for name in ("audit_draw", "audit_result", "near_miss")
        }
        policies = text("SELECT with_check FROM pg_policies WHERE tablename = 'near_miss' AND policyname = 'seen_by_staff'")
        recorders = (await connection.scalars(policies)).one()
        own = (await connection.scalars(text("SELECT prosrc FROM pg_proc WHERE proname = 'may_audit'"))).one()

    def codes(of: str, column: str) -> set[str]:
        (rule,) = [each for each in checks[of] if re.search(rf"\b{column}\b", each) and "'" in each]
        return set(re.findall(r"'([a-z0-9_]+)'", rule))

    assert codes("audit_draw", "rule") == set(RULES)
    assert codes("audit_draw", "closed_why") == set(get_args(WhyClosed))
    assert all(codes("audit_result", question) == set(get_args(Answer)) for question in QUESTIONS)
    assert codes("audit_result", "should_have") == set(get_args(ShouldHave))
    assert codes("audit_result", "grade") == set(get_args(Grade))
    assert codes("near_miss", "kind") == set(KINDS)
    assert set(re.findall(r"'([a-z0-9_]+)'::text", recorders)) - {"hub", "role"} == set(
        read_permissions().actions["record_near_miss"]
    )
    assert set(re.findall(r"'([a-z_]+)'", own.split("AND lower")[0])) - {"actor"} == DECIDING


async def test_what_a_near_miss_says_is_removed_by_whoever_governs_information_and_by_nobody_else(
    store: Store, decided: list[str], owner_connection: psycopg.Connection
) -> None:
    await record_near_miss(store, "nearly_closed", "Orla was nearly forgotten.", "a", WORKER)
    await record_near_miss(store, "nearly_closed", "Her sister Nia too.", "b", WORKER, decided[0])
    of_case, of_none = await near_misses(store, MANAGER)
    for each in (of_none, of_case):
        with pytest.raises(DBAPIError):
            await remove_near_miss(store, each.id, "names_somebody", MANAGER)
        await remove_near_miss(store, each.id, "names_somebody", GOVERNANCE)
    assert [(each.kind, each.words, each.removed) for each in await near_misses(store, MANAGER)] == [
        ("nearly_closed", None, True)
    ] * 2
    with pytest.raises(NotFound):
        await remove_near_miss(store, of_none.id, "court_order", GOVERNANCE)
    with pytest.raises(NotFound):
        await remove_near_miss(store, 999, "court_order", GOVERNANCE)
    with owner_connection.cursor() as cursor:
        looked = cursor.execute("SELECT person, why FROM access WHERE action = 'remove_near_miss' ORDER BY id").fetchall()
    assert looked == [("i.governor", f"removed what near miss {each.id} says: names_somebody") for each in (of_none, of_case)]


async def test_whoever_may_not_look_is_shown_no_near_miss_of_a_case_that_they_recorded(store: Store, decided: list[str]) -> None:
    await record_near_miss(store, "nearly_closed", "Seen by luck.", "b", WORKER, decided[0])
    assert await near_misses(store, WORKER) == []
    with pytest.raises(NotFound):
        await look_at(store, decided[0], POLICE, "read_case")
