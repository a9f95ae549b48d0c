"""Northamptonshire (practice, section 2): nothing in the shared system below significant harm; contact points; feedback."""

from __future__ import annotations

import pytest
from hubs_at_work import (
    SOCIAL_WORKER,
    Case,
    at_decision,
    holding,
    outcome,
    partner,
    rated,
    received,
    released,
    says_the_document,
    shared,
)

from mash.config.profile import load_profile
from mash.states.acts.checks import AnswerCheck
from mash.states.acts.informing import RecordTold
from mash.states.acts.sharing import RecordThreshold
from mash.states.errors import Incomplete
from mash.states.firewall import product

POLICE = partner("police")


def held_by_police() -> Case:
    """A case about which the police hold something."""
    return holding(shared(received("northamptonshire")), "police")


# Agency data enters the shared system only when the significant-harm threshold is met


def test_northamptonshire_agency_data_does_not_enter_the_shared_system_before_a_threshold_is_found() -> None:
    case = held_by_police()
    with pytest.raises(Incomplete, match="only when the significant-harm threshold is met"):
        case.give(released(case, "police"), POLICE)
    assert [line.item for line in product(case.referral)] == [None]


def test_northamptonshire_agency_data_does_not_enter_the_shared_system_when_the_threshold_is_not_met() -> None:
    case = held_by_police()
    case.give(RecordThreshold(significant_harm=False), SOCIAL_WORKER)
    with pytest.raises(Incomplete):
        case.give(released(case, "police"), POLICE)


def test_northamptonshire_agency_data_enters_the_shared_system_once_the_threshold_is_met() -> None:
    case = held_by_police()
    case.give(RecordThreshold(significant_harm=True), SOCIAL_WORKER)
    case.give(released(case, "police"), POLICE)
    assert [line.item for line in product(case.referral)] == [case.item("police")]


def test_northamptonshire_what_an_agency_said_in_its_answer_is_held_back_by_the_same_threshold() -> None:
    case = rated("northamptonshire", "amber")
    case.give(AnswerCheck(agency="police", known=True), POLICE)
    with pytest.raises(Incomplete):
        case.give(released(case, "police"), POLICE)


def test_northamptonshire_says_from_which_document_the_threshold_is() -> None:
    assert says_the_document("northamptonshire", "firewall.threshold")


# Single points of contact for YOS, ambulance, probation, drugs


@pytest.mark.parametrize("agency", ["youth_justice", "ambulance", "probation", "substance_misuse"])
def test_northamptonshire_has_a_single_point_of_contact_for_yos_ambulance_probation_and_drugs(agency: str) -> None:
    assert load_profile("northamptonshire").agencies[agency].presence == "single_point_of_contact"
    assert says_the_document("northamptonshire", f"agencies.{agency}.presence")
    case = rated("northamptonshire", "amber")
    assert case.recipients("check_request").count(case.profile.agencies[agency].role) == 1


# Feedback to referrers


def test_northamptonshire_the_referrer_is_told_what_became_of_the_referral() -> None:
    case = at_decision("northamptonshire")
    case.give(outcome(case, "section_17"))
    assert case.recipients("outcome") == ["referrer"] and "will assess what help" in case.words("outcome")


def test_northamptonshire_a_case_is_not_finished_before_the_referrer_has_had_feedback() -> None:
    case = at_decision("northamptonshire")
    case.give(outcome(case, "no_further_action"))
    assert case.running("outcome_told") and not case.referral.finished
    case.give(RecordTold(what="outcome"), words=False)
    assert not case.running("outcome_told")


def test_northamptonshire_states_that_referrers_get_feedback() -> None:
    assert says_the_document("northamptonshire", "remarks.feedback.says")


# About 1200 referrals a month


def test_northamptonshire_receives_about_1200_referrals_a_month() -> None:
    volume = load_profile("northamptonshire").volume
    assert volume and (volume.contacts, volume.per) == (1200, "month")
    assert says_the_document("northamptonshire", "volume.contacts")
