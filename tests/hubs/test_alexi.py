"""The Alexi hub-and-spoke service (practice, section 2): a voluntary-sector worker advises, challenges, and nobody withdraws."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hubs_at_work import DUTY, Case, at_decision, outcome, partner, rated, received, says_the_document, takes

from mash.config.permissions import may
from mash.config.profile import load_profile
from mash.states.acts.checks import AnswerCheck, ProceedWithoutReplies
from mash.states.acts.contact import ConcludeConsultation
from mash.states.acts.disagreements import RaiseDisagreement
from mash.states.acts.meetings import RecordDissent
from mash.states.errors import ReasonNeeded

EXPLOITED = {"categories": ("exploitation",)}
WORKER = partner("voluntary_sector")


# A voluntary-sector worker advises


def test_alexi_a_voluntary_sector_worker_is_a_partner_and_is_asked_like_the_statutory_agencies() -> None:
    case = rated("alexi", "amber", **EXPLOITED)
    assert "voluntary_sector" in case.referral.outstanding
    assert case.recipients("check_request").count("voluntary_sector_navigator") == 1


def test_alexi_the_worker_advises_what_should_be_done_and_how_it_should_be_rated() -> None:
    case = rated("alexi", "amber", **EXPLOITED)
    advice = AnswerCheck(agency="voluntary_sector", known=True, recommendation="section_47", suggested_rating="red")
    case.give(advice, WORKER)
    check = case.referral.checks["voluntary_sector"]
    assert (check.recommendation, check.suggested_rating) == ("section_47", "red")
    assert case.referral.rating == "amber", "advice is not a rating"


def test_alexi_a_professional_may_ask_for_advice_about_the_exploitation_of_a_child() -> None:
    case = received("alexi", contact="advice", source_agency="education", **EXPLOITED)
    assert case.stage == "consultation"
    case.give(ConcludeConsultation(outcome="advice"))
    assert case.stage == "advice_given"


def test_alexi_the_worker_is_told_when_somebody_asks_for_advice() -> None:
    case = received("alexi", contact="advice", source_agency="education", **EXPLOITED)
    assert "voluntary_sector_navigator" in case.recipients("consultation")


def test_alexi_says_from_which_document_the_worker_advises() -> None:
    assert says_the_document("alexi", "agencies.voluntary_sector.title") and says_the_document("alexi", "consultation.kinds")


# The worker may challenge


def test_alexi_the_worker_may_challenge_a_rating() -> None:
    case = rated("alexi", "amber", **EXPLOITED)
    case.give(RaiseDisagreement(about="rating", rating="red"), WORKER)
    assert case.referral.disputed == ("D1",) and may("agency", "raise_disagreement")


def test_alexi_the_worker_may_challenge_a_decision_and_take_it_further() -> None:
    case = at_decision("alexi", **EXPLOITED)
    case.give(outcome(case, "no_further_action"), DUTY)
    case.give(RaiseDisagreement(about="decision"), WORKER)
    assert case.referral.disputed == ("D1",) and may("agency", "take_disagreement_further")
    assert {clock.kind for clock in case.referral.running} >= {"disagreement"}


def test_alexi_the_workers_dissent_stands_in_the_record() -> None:
    case = at_decision("alexi", **EXPLOITED)
    case.give(RecordDissent(about="rating"), WORKER)
    assert case.referral.dissents == ("voluntary_sector:rating",)


def test_alexi_states_that_the_worker_challenges() -> None:
    assert "challenge" in load_profile("alexi").remarks["challenge"].says
    assert says_the_document("alexi", "remarks.challenge.says")


# The worker's casework is no reason for other agencies to withdraw


def worked_with() -> Case:
    """A case that the voluntary-sector worker has taken up, and on which the others have not answered."""
    case = rated("alexi", "amber", **EXPLOITED)
    case.give(AnswerCheck(agency="voluntary_sector", known=True, relevant=True, recommendation="early_help"), WORKER)
    return case


def test_alexi_every_other_agency_is_still_waited_for_when_the_worker_has_taken_a_case_up() -> None:
    case = worked_with()
    assert case.stage == "agency_checks"
    assert set(case.referral.outstanding) == set(case.profile.agencies) - {"voluntary_sector"}


def test_alexi_an_agency_that_stays_away_because_of_the_worker_is_chased_and_then_late() -> None:
    case = worked_with()
    case.run_to(case.clock("check:social_care").due_at + timedelta(hours=2))
    assert case.recipients("chase").count("social_care_navigator") == 2
    assert case.clock("check:social_care").breached_at and "social_care_lead" in case.recipients("escalation")


def test_alexi_the_hub_does_not_go_on_without_the_others_unless_it_says_why() -> None:
    case = worked_with()
    with pytest.raises(ReasonNeeded):
        case.give(ProceedWithoutReplies(), DUTY, words=False)
    assert set(case.referral.outstanding) == set(case.profile.agencies) - {"voluntary_sector"}


def test_alexi_states_that_the_workers_casework_is_no_reason_to_withdraw() -> None:
    assert "no reason for other agencies to withdraw" in load_profile("alexi").remarks["no_withdrawal"].says
    assert says_the_document("alexi", "remarks.no_withdrawal.says")


# What the service is for


def test_alexi_takes_concerns_about_the_exploitation_of_children() -> None:
    assert takes("alexi", "child", **EXPLOITED)
    assert not takes("alexi", "adult", **EXPLOITED) and not takes("alexi", "child")
