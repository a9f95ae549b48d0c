"""Eight lives of a case, to read first: what a hub does with a worry about somebody, from its arrival to its end.

Decided in memory by the rules that the product decides by, with the notices it would send: no database, no process.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hubs_at_work import (
    BASIS,
    DUTY,
    NIGHT,
    REFERRER,
    SOCIAL_WORKER,
    TEAM_MANAGER,
    Case,
    answered,
    at_decision,
    holding,
    outcome,
    partner,
    person,
    rated,
    received,
    released,
    seen,
)

from mash.states.acts.alerts import AcknowledgeAlert
from mash.states.acts.assessment import StartAssessment
from mash.states.acts.contact import ContactReceived
from mash.states.acts.disagreements import RaiseDisagreement, SettleDisagreement
from mash.states.acts.meetings import RecordMeeting
from mash.states.acts.not_ours import ConfirmNotOurs
from mash.states.acts.protection import ConcludeEnquiries, RecordStrategyDiscussion
from mash.states.acts.rating import RateReferral
from mash.states.acts.step_down import AcceptStepDown, OfferStepDown
from mash.states.errors import Incomplete, NotYours, QuorumNotMet

PRACTICE_MANAGER = person("practice_manager")


def called(case: Case) -> set[str]:
    """Who was told that something is late."""
    return {notice.role for notice in case.notices if notice.message.title.startswith("LATE")}


def test_a_child_at_risk_of_harm_goes_from_a_schools_call_to_a_section_47_enquiry() -> None:
    case = received("sandwell")
    assert case.stage == "triage" and case.recipients("contact_to_rate") == ["duty_manager"]
    # Rated red: all is to be done within four hours. Before there is a basis for sharing, no agency is asked.
    case.give(RateReferral(rating="red"))
    assert case.stage == "agency_checks" and not case.referral.checks
    assert case.clock("response").due_at - case.now == timedelta(hours=4)
    case.give(BASIS)
    assert len(case.referral.outstanding) == 12 and len(case.recipients("check_request")) == 12
    # They answer, and meet; the meeting gives the second rating.
    answered(case)
    assert case.stage == "mash_meeting"
    case.give(RecordMeeting(attended=("police", "health"), rating="red"))
    case.give(outcome(case, "section_47"))
    # Social care, the police and health discuss it together, or it is no strategy discussion.
    with pytest.raises(QuorumNotMet):
        case.give(RecordStrategyDiscussion(attended=("social_care", "police"), outcome="section_47"))
    case.give(RecordStrategyDiscussion(attended=("social_care", "police", "health"), outcome="section_47"))
    assert case.stage == "enquiries"
    # Nothing that is found about a child is final before somebody has seen the child, and asked.
    with pytest.raises(Incomplete, match="nobody has seen s0 yet"):
        case.give(ConcludeEnquiries(outcome="no_further_child_protection_action"))
    seen(case).give(ConcludeEnquiries(outcome="no_further_child_protection_action"))
    assert not any(clock.breached_at for clock in case.referral.clocks.values())


def test_a_worried_family_is_handed_to_early_help_and_the_case_is_open_until_the_service_takes_it() -> None:
    case = at_decision("sandwell", rating="green")
    case.give(outcome(case, "early_help"))
    assert case.stage == "step_down_preparing"
    case.give(OfferStepDown(service="early_help"))
    assert case.referral.open, "an offer is not yet help"
    case.give(AcceptStepDown(), person("early_help", "early_help"))
    assert not case.referral.open


def test_what_nobody_rates_is_told_to_one_after_another_until_somebody_takes_it() -> None:
    case = received("sandwell")
    due = case.clock("triage").due_at
    case.run_to(due + timedelta(minutes=1))
    assert called(case) == {"duty_manager"}
    case.run_to(due + timedelta(hours=8))
    assert called(case) > {"duty_manager"}, "it climbs"
    case.give(AcknowledgeAlert(clock="triage"))
    case.give(RateReferral(rating="green"))
    assert not case.clock("triage").running and case.clock("triage").breached_at, "late stays late"


def test_danger_in_the_night_reaches_whoever_is_on_duty_at_once() -> None:
    case = received("sandwell", now=NIGHT, immediate_danger=True)
    assert case.recipients("immediate_danger") == ["out_of_hours"]
    assert "IMMEDIATE DANGER" in case.words("immediate_danger")


def test_mertons_red_case_waits_for_no_check_and_goes_straight_to_child_protection() -> None:
    case = rated("merton", "red")
    assert case.stage == "strategy_discussion" and not case.referral.checks
    case.give(RecordStrategyDiscussion(attended=("social_care", "police", "health"), outcome="section_47"))
    case.give(StartAssessment(), SOCIAL_WORKER)
    assert case.stage == "enquiries"


def test_what_an_agency_holds_stays_its_own_until_it_releases_it_and_only_so_far_as_it_says() -> None:
    case = holding(rated("sandwell", "amber"), "police")
    item = case.item("police")
    with pytest.raises(NotYours):
        case.give(released(case, "police"), partner("health"), words=True)
    case.give(released(case, "police", "extract"), partner("police"), redacted=True)
    assert case.referral.held[item].redacted, "in the words that the police chose"


def test_a_contact_about_an_adult_is_signposted_by_a_hub_for_children_and_is_on_record() -> None:
    case = received("merton", "adult")
    assert case.referral.open, "its profile only proposes that; a person confirms it"
    case.give(ConfirmNotOurs(signposted_to="adults_social_care"))
    assert not case.referral.open and "adult social care" in case.profile.signpost
    assert isinstance(case.log[0][2], ContactReceived)


def test_a_referrer_who_disagrees_is_heard_by_somebody_who_did_not_decide() -> None:
    case = at_decision("sandwell")
    case.give(outcome(case, "no_further_action"), TEAM_MANAGER)
    case.give(RaiseDisagreement(about="decision"), REFERRER)
    with pytest.raises(NotYours):
        case.give(SettleDisagreement(disagreement="D1", outcome="stands"), DUTY)
    case.give(SettleDisagreement(disagreement="D1", outcome="changed"), PRACTICE_MANAGER)
    assert case.stage == "decision", "it is decided anew"
    assert case.recipients("disagreement_settled")
