"""Bradford (practice, section 2): pre-birth to 18, its own assessment before anything else, a manager for every decision."""

from __future__ import annotations

from typing import Any

import pytest
from hubs_at_work import (
    DUTY,
    SOCIAL_WORKER,
    TEAM_MANAGER,
    Case,
    at_decision,
    outcome,
    person,
    says_the_document,
    seen,
    signposted,
    takes,
)

from mash.config.profile import load_profile
from mash.states.acts.assessment import CompleteAssessment
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.handing_over import AcceptHandOver
from mash.states.acts.protection import CallStrategyDiscussion, ConcludeEnquiries, RecordStrategyDiscussion
from mash.states.acts.step_down import AcceptStepDown, OfferStepDown, ReturnStepDown
from mash.states.errors import Incomplete, NotInProfile, NotYours

EARLY_HELP = person("early_help", "early_help")


def assessing() -> Case:
    """A child's case that the team assesses."""
    case = at_decision("bradford")
    case.give(outcome(case, "section_17"), TEAM_MANAGER)
    assert case.stage == "section_17_assessment"
    return case


def assessed(result: Any) -> CompleteAssessment:
    """The end of the assessment, with this outcome."""
    return CompleteAssessment(factors=("1A",), outcome=result, transfer_to="E06000999")


# Pre-birth to 18


@pytest.mark.parametrize("cohort", ["unborn", "child"])
def test_bradford_takes_children_from_before_birth_to_18(cohort: str) -> None:
    assert takes("bradford", cohort)
    assert says_the_document("bradford", "intake.pre_birth_to_18.cohorts")


def test_bradford_signposts_concerns_about_adults() -> None:
    case = signposted("bradford", "adult")
    assert case.stage == "not_taken" and "adult social care" in case.words("outcome")


# The team completes every assessment itself; step-down only after the assessment


def test_bradford_steps_down_only_after_its_own_assessment() -> None:
    case = at_decision("bradford")
    with pytest.raises(Incomplete, match="completes the assessment itself before early help"):
        case.give(outcome(case, "early_help"), TEAM_MANAGER)


def test_bradford_a_child_who_lives_elsewhere_is_transferred_without_waiting_for_an_assessment() -> None:
    case = at_decision("bradford")
    case.give(outcome(case, "transfer"), TEAM_MANAGER)
    assert case.stage != "decision" and case.referral.outcomes == {"s0": "transfer"}


def test_bradford_hands_over_to_its_own_family_teams_which_is_no_step_down() -> None:
    case = assessing()
    seen(case).give(assessed("early_help"), TEAM_MANAGER)
    with pytest.raises(NotInProfile, match="one of early_help, universal"):
        case.give(OfferStepDown(service="family_social_work_teams"))
    assert says_the_document("bradford", "remarks.family_teams.says")


def test_bradford_one_child_of_several_is_not_stepped_down_before_the_assessment_either() -> None:
    case = at_decision("bradford", "child", "child")
    with pytest.raises(Incomplete, match="decide section_17 first"):
        case.give(RecordDecision(outcomes={"s0": "section_17", "s1": "early_help"}), TEAM_MANAGER)


def test_bradford_steps_down_to_early_help_at_the_end_of_the_assessment() -> None:
    case = assessing()
    seen(case).give(assessed("early_help"), TEAM_MANAGER)
    case.give(OfferStepDown(service="early_help"))
    case.give(AcceptStepDown(), EARLY_HELP)
    assert case.stage == "step_down_accepted"


def test_bradford_steps_down_to_universal_services_at_the_end_of_the_assessment() -> None:
    case = assessing()
    seen(case).give(assessed("early_help"), TEAM_MANAGER)
    case.give(OfferStepDown(service="universal"))
    assert case.stage == "step_down_offered" and case.profile.services["universal"].kind == "universal"


def test_bradford_transfers_at_the_end_of_the_assessment() -> None:
    case = assessing()
    seen(case).give(assessed("transfer"), TEAM_MANAGER)
    assert case.stage == "transfer_offered" and case.referral.open
    (offered,) = case.referral.offered
    case.give(AcceptHandOver(hand_over=offered), SOCIAL_WORKER)
    assert case.stage == "transferred" and not case.referral.open


def test_bradford_a_case_that_was_assessed_and_came_back_is_stepped_down_without_a_second_assessment() -> None:
    case = assessing()
    seen(case).give(assessed("early_help"), TEAM_MANAGER)
    case.give(OfferStepDown(service="early_help"))
    case.give(ReturnStepDown(), EARLY_HELP)
    case.give(outcome(case, "early_help"), TEAM_MANAGER)
    assert case.stage == "step_down_preparing"


def test_bradford_may_close_a_case_that_needs_no_step_down_without_an_assessment() -> None:
    case = at_decision("bradford")
    case.give(outcome(case, "no_further_action"), TEAM_MANAGER)
    assert case.stage == "no_further_action"


def test_bradford_says_from_which_document_it_assesses_first() -> None:
    assert says_the_document("bradford", "assess_first")


# A qualified social work manager makes every decision


@pytest.mark.parametrize("role", ["team_manager", "practice_manager"])
def test_bradford_a_social_work_manager_decides(role: str) -> None:
    case = at_decision("bradford")
    case.give(outcome(case, "section_17"), person(role))
    assert case.stage == "section_17_assessment"


@pytest.mark.parametrize("role", ["duty_manager", "social_worker", "responsible_social_worker", "service_manager"])
def test_bradford_nobody_else_decides(role: str) -> None:
    case = at_decision("bradford")
    with pytest.raises(NotYours, match="team_manager or practice_manager"):
        case.give(outcome(case, "section_17"), person(role))


def test_bradford_a_social_work_manager_concludes_enquiries() -> None:
    case = at_decision("bradford")
    case.give(CallStrategyDiscussion())
    case.give(RecordStrategyDiscussion(attended=("social_care", "police", "health"), outcome="section_47"))
    with pytest.raises(NotYours):
        case.give(ConcludeEnquiries(outcome="conference"), DUTY)
    seen(case).give(ConcludeEnquiries(outcome="conference"), TEAM_MANAGER)
    assert case.stage == "conference"


@pytest.mark.parametrize("result", ["no_further_action", "early_help", "transfer", "child_in_need_plan"])
def test_bradford_a_social_worker_does_not_decide_what_becomes_of_a_child_at_the_end_of_an_assessment(result: str) -> None:
    with pytest.raises(NotYours):
        assessing().give(assessed(result), SOCIAL_WORKER)


def test_bradford_says_from_which_document_its_managers_decide() -> None:
    assert says_the_document("bradford", "deciders") and load_profile("bradford").deciders == ("team_manager", "practice_manager")
