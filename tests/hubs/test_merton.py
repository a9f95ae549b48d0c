"""Merton (practice, section 2): BRAG by the duty manager, red past the checks, blue for information, one who decides."""

from __future__ import annotations

import pytest
from hubs_at_work import (
    DUTY,
    SOCIAL_WORKER,
    STATUTORY_PARTNERS,
    TEAM_MANAGER,
    at_decision,
    outcome,
    person,
    rated,
    received,
    says_the_document,
    shared,
    signposted,
    takes,
)

from mash.config.profile import load_profile
from mash.states.acts.closing import ReopenReferral
from mash.states.acts.protection import RecordStrategyDiscussion
from mash.states.acts.rating import RateReferral
from mash.states.acts.sharing import RecordMarker
from mash.states.errors import ImpossibleMove, NotYours

NAVIGATORS = {
    "police",
    "health",
    "education",
    "youth_justice",
    "probation",
    "substance_misuse",
    "early_years",
    "voluntary_sector",
}


# BRAG, set by the duty manager before the referral stage


def test_merton_rates_blue_red_amber_and_green_with_red_the_most_urgent_and_blue_the_least() -> None:
    ratings = load_profile("merton").ratings
    assert sorted(ratings, key=lambda name: -ratings[name].severity) == ["red", "amber", "green", "blue"]


def test_merton_the_duty_manager_is_asked_for_the_rating_and_gives_it() -> None:
    case = received("merton")
    assert case.recipients("contact_to_rate") == ["duty_manager"]
    case.give(RateReferral(rating="green"), DUTY)
    assert case.referral.rating == "green"


@pytest.mark.parametrize("role", ["social_worker", "team_manager", "practice_manager", "responsible_social_worker"])
def test_merton_nobody_else_of_the_hub_sets_the_rating(role: str) -> None:
    case = received("merton")
    with pytest.raises(NotYours, match="duty_manager"):
        case.give(RateReferral(rating="green"), person(role))


def test_merton_the_rating_is_set_before_the_referral_goes_on_to_any_other_stage() -> None:
    case = shared(received("merton"))
    assert case.stage == "triage" and not case.referral.checks
    with pytest.raises(ImpossibleMove):
        case.give(outcome(case, "section_17"), TEAM_MANAGER)


# Red


def test_merton_red_goes_straight_to_child_protection() -> None:
    assert rated("merton", "red").stage == "strategy_discussion"


def test_merton_red_bypasses_the_checks_though_sharing_would_be_lawful() -> None:
    case = rated("merton", "red")
    assert case.referral.sharing and not case.referral.checks and not case.recipients("check_request")


def test_merton_a_social_worker_takes_a_red_case_into_child_protection_enquiries() -> None:
    case = rated("merton", "red")
    case.give(RecordStrategyDiscussion(attended=STATUTORY_PARTNERS, outcome="section_47"), SOCIAL_WORKER)
    assert case.stage == "enquiries"


# Amber and green


@pytest.mark.parametrize("rating", ["amber", "green"])
def test_merton_amber_and_green_get_checks(rating: str) -> None:
    case = rated("merton", rating)
    assert case.stage == "agency_checks" and set(case.referral.outstanding) == NAVIGATORS


def test_merton_the_checks_are_made_by_the_eight_navigators() -> None:
    case = rated("merton", "amber")
    assert set(case.recipients("check_request")) == {f"{agency}_navigator" for agency in NAVIGATORS}


# Blue


def test_merton_blue_is_an_information_request_for_which_nobody_is_asked() -> None:
    case = rated("merton", "blue", contact="information_request")
    assert case.stage == "decision" and not case.referral.checks
    assert "information request" in case.profile.ratings["blue"].title


def test_merton_a_blue_case_ends_with_the_information_provided() -> None:
    case = rated("merton", "blue", contact="information_request")
    case.give(outcome(case, "information_provided"), TEAM_MANAGER)
    assert case.stage == "information_provided" and not case.referral.open
    assert "the information asked for was provided" in case.words("outcome")


# Final responsibility


def test_merton_the_manager_of_the_mash_and_first_response_team_decides() -> None:
    case = at_decision("merton")
    case.give(outcome(case, "no_further_action"), TEAM_MANAGER)
    assert case.stage == "no_further_action"


@pytest.mark.parametrize("role", ["duty_manager", "practice_manager", "service_manager", "social_worker"])
def test_merton_nobody_else_decides(role: str) -> None:
    case = at_decision("merton")
    with pytest.raises(NotYours, match="team_manager"):
        case.give(outcome(case, "no_further_action"), person(role))


def test_merton_nobody_but_the_team_manager_reopens_what_was_decided() -> None:
    case = at_decision("merton")
    case.give(outcome(case, "no_further_action"), TEAM_MANAGER)
    with pytest.raises(NotYours):
        case.give(ReopenReferral(), DUTY)
    case.give(ReopenReferral(), TEAM_MANAGER)
    assert case.stage == "decision"


# MARAC


def test_merton_has_a_representative_at_the_marac() -> None:
    assert "MARAC" in load_profile("merton").remarks["marac"].says
    assert says_the_document("merton", "remarks.marac.says")


def test_merton_a_case_shows_that_the_marac_knows_the_family() -> None:
    case = received("merton")
    case.give(RecordMarker(marker="marac"), SOCIAL_WORKER)
    assert case.referral.markers == ("marac",)


# Section 3: a contact the hub does not take


def test_merton_takes_children() -> None:
    assert takes("merton", "child") and takes("merton", "unborn")


def test_merton_a_contact_about_an_adult_is_recorded_signposted_and_concluded() -> None:
    case = signposted("merton", "adult")
    assert (case.stage, case.referral.open) == ("not_taken", False)
    assert "adult social care" in case.words("outcome")
