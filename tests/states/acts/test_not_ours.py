"""A contact that the profile does not take: who reads it by when, what a person may say of it, and what follows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mash.states.acts.contact import ConcludeConsultation, CorrectCohort
from mash.states.acts.episodes import RecordAdded
from mash.states.acts.not_ours import ConfirmNotOurs, TakeContact
from mash.states.acts.protection import CallStrategyDiscussion
from mash.states.acts.seconding import AgreeAsSecond
from mash.states.errors import Incomplete, NotYours, ReasonNeeded
from mash.states.profile import Consultation, Intake

from .worlds import MORNING, NIGHT, NIGHT_DUTY, SYSTEM, Case, arrived, climbs, hub, london, partner, person

POLICE_ONLY = hub("merton", intake={"police": Intake(title="Police", sources=("police",))})
CONFIRM = ConfirmNotOurs(signposted_to="adults_social_care")
DANGER = RecordAdded(other="MASH-26-000002", why="added", immediate_danger=True, markers=())


def waits(*cohorts: Any, now: Any = MORNING) -> Case:
    case = arrived(POLICE_ONLY, *cohorts, now=now, referrer_reachable=True)
    assert case.stage == "to_confirm_not_ours"
    return case


@pytest.mark.parametrize("cohort", ["child", "unborn", "unknown"])
def test_what_may_be_about_a_child_is_read_within_the_hour_day_or_night(cohort: str) -> None:
    for now in (MORNING, NIGHT):
        assert waits(cohort, now=now).clock("to_confirm_not_ours").due_at == now + timedelta(hours=1)


def test_of_adults_alone_it_is_read_within_a_working_day_and_a_statutory_decision_waits_for_nothing() -> None:
    case = waits("adult")
    assert case.clock("to_confirm_not_ours").due_at == london("2026-06-03 17:00")
    assert case.running("decision_on_response") == []
    assert waits("child").running("decision_on_response") != []


def test_an_adult_who_turns_out_to_be_a_child_has_a_childs_time_from_receipt() -> None:
    case = waits("adult")
    case.wait(minutes=20)
    case.give(CorrectCohort(subject="s0", cohort="child"))
    assert case.clock("to_confirm_not_ours").due_at == MORNING + timedelta(hours=1)


def test_what_nobody_reads_climbs_the_ladder() -> None:
    case = waits("child", now=NIGHT)
    case.run_to(NIGHT + timedelta(hours=3))
    told = [role for role, _ in climbs(case.log, "to_confirm_not_ours")]
    assert told[:2] == ["out_of_hours", "practice_manager"] and case.referral.open


def test_only_who_rates_decides_or_is_on_duty_confirms_it_and_in_words() -> None:
    case = waits("child")
    with pytest.raises(NotYours):
        case.give(CONFIRM, partner("police"))
    with pytest.raises(ReasonNeeded):
        case.give(CONFIRM, words=False)
    case.give(CONFIRM, NIGHT_DUTY)
    assert (case.stage, case.referral.subjects["s0"].ended_by) == ("not_taken", NIGHT_DUTY.id)


def test_what_is_taken_goes_where_the_hubs_other_contacts_go_with_its_times_from_receipt() -> None:
    case = waits("child")
    case.wait(minutes=30)
    case.give(TakeContact())
    assert case.stage == "triage" and case.clock("triage").due_at == MORNING + timedelta(hours=1)
    assert [clock.id for clock in case.running("decision_on_response")] == ["decision_on_response"]
    asks = POLICE_ONLY.model_copy(update={"consultation": Consultation(kinds=("referral",))})
    consulted = arrived(asks, "child")
    consulted.give(TakeContact())
    assert consulted.stage == "consultation"


def test_a_strategy_discussion_waits_for_nobody() -> None:
    case = waits("child")
    case.give(CallStrategyDiscussion())
    assert case.stage == "strategy_discussion"


def test_nothing_in_immediate_danger_is_not_the_hubs() -> None:
    case = waits("child")
    case.give(DANGER, SYSTEM, words=False)
    with pytest.raises(Incomplete, match="take_contact"):
        case.give(CONFIRM)
    case.give(TakeContact())
    assert case.stage == "triage"


def test_a_consultation_about_an_immediate_danger_does_not_end_in_advice_by_one_person() -> None:
    case = arrived(hub("merton", consultation=Consultation(kinds=("referral",))))
    case.give(DANGER, SYSTEM, words=False)
    with pytest.raises(Incomplete, match="needs a second person"):
        case.give(ConcludeConsultation(outcome="advice"))
    case.give(AgreeAsSecond(about="closing"), person("practice_manager"))
    case.give(ConcludeConsultation(outcome="advice"))
    assert case.stage == "advice_given"
