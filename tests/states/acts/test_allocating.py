"""A named worker, rule by rule: who may have a case, by when somebody has, and what becomes of it on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mash.config.profile import load_profile
from mash.notifications.notices import notices_for
from mash.states.acts.allocating import AllocateCase, CaseAllocated, GiveCaseBack, PresenceSaid, SayPresence
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.rating import RerateReferral
from mash.states.entitled import open_to
from mash.states.errors import Incomplete, NotYours, ReasonNeeded

from .worlds import DUTY, MANAGER, SYSTEM, Case, arrived, hub, london, of, person, rated

ONE = person("social_worker", name="a.worker")
MERTON = load_profile("merton")


def allocated(rating: str = "amber") -> Case:
    case = rated(MERTON, rating)
    case.give(AllocateCase(worker="a.worker"))
    return case


def test_a_case_is_allocated_from_its_first_stage_on_to_somebody_who_exists() -> None:
    case = arrived(MERTON)
    (event,) = of(CaseAllocated, case.give(AllocateCase(worker="A.Worker")))
    assert (event.worker, event.role) == ("a.worker", "social_worker")
    worker = case.referral.worker
    assert worker and (worker.login, worker.presence, worker.since) == ("a.worker", "there", case.now)
    with pytest.raises(Incomplete, match="have this case already"):
        case.give(AllocateCase(worker="a.worker"))
    with pytest.raises(Incomplete, match="nobody who works here"):
        case.give(AllocateCase(worker="somebody"))
    with pytest.raises(Incomplete, match="no social worker or manager"):
        case.give(AllocateCase(worker="a.police"))


def test_only_whoever_has_it_gives_it_back_and_with_a_reason() -> None:
    case = allocated()
    assert "give_case_back" in open_to(case.referral, MERTON, ONE)
    assert "give_case_back" not in open_to(case.referral, MERTON, DUTY)
    with pytest.raises(NotYours):
        case.give(GiveCaseBack(), DUTY)
    with pytest.raises(ReasonNeeded):
        case.give(GiveCaseBack(), ONE, words=False)
    case.give(GiveCaseBack(), ONE)
    assert case.referral.worker is None and "give_case_back" not in open_to(case.referral, MERTON, ONE)


def test_red_at_merton_proceeds_directly_to_allocation() -> None:
    case = rated(MERTON, "red")
    (clock,) = case.running("allocation")
    assert clock.due_at - case.now == timedelta(hours=1) and "proceed directly to allocation" in clock.source
    case.give(AllocateCase(worker="a.worker"))
    assert not case.running("allocation") and case.clock(clock.id).verdict == "kept"
    case.give(GiveCaseBack(), ONE)
    assert len(case.running("allocation")) == 1, "nobody has it, and somebody is to"


def test_the_clock_for_allocation_comes_and_goes_with_the_rating() -> None:
    case = rated(MERTON, "green")
    assert not case.running("allocation")
    case.give(RerateReferral(rating="red"))
    assert case.running("allocation")
    case.give(RerateReferral(rating="amber"))
    assert not case.running("allocation")


def test_a_case_that_is_over_waits_for_nobody_to_have_it() -> None:
    case = rated(hub("merton", ratings={**MERTON.ratings, "blue": MERTON.ratings["blue"].model_copy(update=ALLOCATION)}), "blue")
    assert case.running("allocation")
    case.give(RecordDecision(outcomes={"s0": "information_provided"}, primary_need="N1"), MANAGER)
    assert case.stage == "information_provided" and not case.running("allocation")


ALLOCATION = {"allocation": MERTON.ratings["red"].allocation}


def test_absence_is_said_once_and_of_whoever_has_the_case_now() -> None:
    case = allocated()
    assert len(of(PresenceSaid, case.give(SayPresence(worker="a.worker", presence="absent"), SYSTEM))) == 1
    for presence, worker in (("absent", "a.worker"), ("left", "another.worker")):
        assert case.give(SayPresence(worker=worker, presence=presence), SYSTEM) == []
    case.give(AllocateCase(worker="another.worker"))
    worker = case.referral.worker
    assert worker and (worker.login, worker.presence) == ("another.worker", "there")


def test_the_children_of_a_split_keep_their_worker() -> None:
    case = rated(MERTON, "blue", "child", "child")
    case.give(AllocateCase(worker="a.worker"))
    decision = RecordDecision(outcomes={"s0": "section_17", "s1": "no_further_action"}, primary_need="N1")
    case.give(decision, MANAGER)
    assert {linked.referral.worker.login for linked in case.linked.values() if linked.referral.worker} == {"a.worker"}


def test_whoever_has_a_case_is_told_by_name_of_what_changes_and_their_colleagues_are_not() -> None:
    case = allocated()
    before = case.referral
    events = case.give(RerateReferral(rating="red"))
    drafts = notices_for("R", before, case.referral, events, MERTON, DUTY, london("2026-06-02 10:00"))
    (told,) = (draft for draft in drafts if draft.role == "social_worker")
    assert (told.kind, told.facts["whom"], told.facts["urgent"]) == ("case_changed", "a.worker", True)
