"""Wiltshire and Swindon (practice, section 2): two authorities, Swindon's own triage, a joint decision into the MASH."""

from __future__ import annotations

import pytest
from hubs_at_work import (
    DUTY,
    NIGHT,
    SOCIAL_WORKER,
    STATUTORY_PARTNERS,
    holding,
    london,
    partner,
    person,
    rated,
    received,
    released,
    says_the_document,
    shared,
    signposted,
    takes,
)

from mash.config.profile import load_profile
from mash.states.acts.contact import AssignPlace
from mash.states.acts.protection import CallStrategyDiscussion, RecordStrategyDiscussion
from mash.states.acts.rating import RateReferral, RerateReferral
from mash.states.errors import Incomplete, NotInProfile, NotYours, QuorumNotMet

HUB = "wiltshire_swindon"
SWINDONS = person("partner_duty_manager", "swindon_social_care")
JOINT = RateReferral(rating="red", agreed=STATUTORY_PARTNERS)


# Two authorities; Swindon is a virtual partner with its own triage


def test_wiltshire_and_swindon_are_two_authorities_of_one_hub() -> None:
    places = load_profile(HUB).places
    assert {name: place.kind for name, place in places.items()} == {"wiltshire": "authority", "swindon": "authority"}
    assert says_the_document(HUB, "places.wiltshire.kind") and says_the_document(HUB, "places.swindon.kind")


def test_wiltshire_swindon_a_case_belongs_to_one_of_the_two_and_to_no_third() -> None:
    case = received(HUB)
    case.give(AssignPlace(place="swindon"))
    assert case.referral.place == "swindon"
    with pytest.raises(NotInProfile, match="wiltshire, swindon"):
        case.give(AssignPlace(place="bath"))


def test_swindon_is_a_virtual_partner_and_so_are_its_agencies() -> None:
    profile = load_profile(HUB)
    assert profile.places["swindon"].virtual and not profile.places["wiltshire"].virtual
    virtual = {name for name, agency in profile.agencies.items() if agency.presence == "virtual"}
    assert virtual == {"swindon_health", "swindon_social_care"}


def test_swindon_is_asked_to_triage_its_own_cases() -> None:
    assert received(HUB, place="swindon").recipients("contact_to_rate") == ["partner_duty_manager"]
    assert received(HUB, place="wiltshire").recipients("contact_to_rate") == ["duty_manager"]


def test_swindon_triages_its_own_cases_and_wiltshires_duty_manager_does_not() -> None:
    case = received(HUB, place="swindon")
    with pytest.raises(NotYours, match="partner_duty_manager"):
        case.give(JOINT, DUTY)
    case.give(JOINT, SWINDONS)
    assert case.referral.rating == "red"


def test_swindon_does_not_triage_wiltshires_cases() -> None:
    with pytest.raises(NotYours):
        received(HUB, place="wiltshire").give(JOINT, SWINDONS)


def test_swindon_is_asked_as_soon_as_a_case_turns_out_to_be_its_own() -> None:
    case = received(HUB)
    case.give(AssignPlace(place="swindon"))
    assert case.recipients("contact_to_rate") == ["duty_manager", "partner_duty_manager"]
    assert case.clock("triage").owner == "partner_duty_manager"


def test_swindon_is_stood_in_for_at_night_by_whoever_is_on_duty() -> None:
    case = received(HUB, place="swindon", now=NIGHT)
    assert case.recipients("contact_to_rate") == ["out_of_hours"]
    case.give(JOINT, person("out_of_hours"))
    assert case.referral.rating == "red"


# Triage shares low-level information only


def test_wiltshire_swindon_low_level_information_is_shared_at_triage() -> None:
    case = holding(shared(received(HUB)), "police", sensitive=False)
    case.give(released(case, "police"), partner("police"))
    assert case.referral.held[case.item("police")].released


def test_wiltshire_swindon_sensitive_information_is_not_shared_at_triage() -> None:
    case = holding(shared(received(HUB)), "police")
    with pytest.raises(Incomplete, match="low-level information only"):
        case.give(released(case, "police"), partner("police"))


def test_wiltshire_swindon_sensitive_information_is_shared_once_the_case_is_in_the_mash() -> None:
    case = holding(rated(HUB, "red"), "police")
    case.give(released(case, "police"), partner("police"))
    assert case.referral.held[case.item("police")].released


# A joint decision of police, social care and health moves a case into the MASH


@pytest.mark.parametrize("missing", STATUTORY_PARTNERS)
def test_wiltshire_swindon_a_case_goes_into_the_mash_only_by_joint_decision_of_police_social_care_and_health(
    missing: str,
) -> None:
    case = received(HUB)
    agreed = tuple(agency for agency in STATUTORY_PARTNERS if agency != missing)
    with pytest.raises(QuorumNotMet, match="joint decision"):
        case.give(RateReferral(rating="amber", agreed=agreed))
    assert case.stage == "triage"


def test_wiltshire_swindon_a_case_on_which_all_three_agree_is_in_the_mash() -> None:
    assert rated(HUB, "amber").stage == "agency_checks"


def test_wiltshire_swindon_a_case_of_swindon_goes_into_the_mash_by_the_same_joint_decision() -> None:
    with pytest.raises(QuorumNotMet):
        received(HUB, place="swindon").give(RateReferral(rating="red", agreed=("social_care", "health")), SWINDONS)


def test_wiltshire_swindon_a_case_below_the_threshold_stays_out_of_the_mash_and_needs_no_joint_decision() -> None:
    least = min(load_profile(HUB).ratings.items(), key=lambda found: found[1].severity)[0]
    case = received(HUB)
    case.give(RateReferral(rating=least))
    assert case.stage == "decision" and not case.referral.checks


def test_wiltshire_swindon_a_case_that_is_rated_up_into_the_mash_needs_the_joint_decision_too() -> None:
    least = min(load_profile(HUB).ratings.items(), key=lambda found: found[1].severity)[0]
    case = received(HUB)
    case.give(RateReferral(rating=least))
    with pytest.raises(QuorumNotMet, match="joint decision"):
        case.give(RerateReferral(rating="amber"))
    case.give(RerateReferral(rating="amber", agreed=STATUTORY_PARTNERS))
    assert case.stage == "agency_checks"


# The MASH holds every strategy discussion


@pytest.mark.parametrize("place", ["wiltshire", "swindon"])
def test_wiltshire_swindon_the_strategy_discussions_of_both_authorities_are_held_in_the_mash(place: str) -> None:
    case = received(HUB, place=place)
    case.give(CallStrategyDiscussion(), SOCIAL_WORKER)
    held = RecordStrategyDiscussion(attended=STATUTORY_PARTNERS, outcome="section_47", enquiry="joint")
    case.give(held, SOCIAL_WORKER)
    assert case.stage == "enquiries"


def test_wiltshire_swindon_a_strategy_discussion_says_whether_the_enquiries_are_joint_or_one_agencys() -> None:
    case = received(HUB)
    case.give(CallStrategyDiscussion(), SOCIAL_WORKER)
    held = RecordStrategyDiscussion(attended=STATUTORY_PARTNERS, outcome="section_47")
    with pytest.raises(Incomplete, match="joint"):
        case.give(held, SOCIAL_WORKER)
    case.give(held.model_copy(update={"enquiry": "single_agency"}), SOCIAL_WORKER)
    assert case.referral.enquiry == "single_agency"
    assert says_the_document(HUB, "strategy_discussion.joint_or_single")


def test_wiltshire_swindon_no_strategy_discussion_is_held_without_police_social_care_and_health() -> None:
    case = received(HUB, place="swindon")
    case.give(CallStrategyDiscussion())
    with pytest.raises(QuorumNotMet):
        case.give(RecordStrategyDiscussion(attended=("social_care", "swindon_health"), outcome="section_47"))


def test_wiltshire_swindon_state_that_every_strategy_discussion_is_held_in_the_mash() -> None:
    assert "both authorities are held in the MASH" in load_profile(HUB).remarks["thresholds"].says
    assert says_the_document(HUB, "remarks.thresholds.says")


# The daily domestic abuse conference call, and the fast track


@pytest.mark.parametrize("cohorts", [("child",), ("adult",), ("adult", "child")])
def test_wiltshire_swindon_domestic_abuse_with_or_without_children_is_for_the_daily_conference_call(
    cohorts: tuple[str, ...],
) -> None:
    case = received(HUB, *cohorts, categories=("domestic_abuse",))
    call = case.profile.gatherings["domestic_abuse_call"]
    assert case.referral.open and call.discusses(case.referral.rating, frozenset(case.referral.categories))
    assert not call.discusses("red", frozenset())


def test_wiltshire_swindon_the_domestic_abuse_call_is_a_conference_call_on_every_working_day() -> None:
    profile = load_profile(HUB)
    call = profile.gatherings["domestic_abuse_call"]
    assert call.modes == ("telephone",)
    mornings = [london(f"2026-06-0{day} 08:00") for day in range(1, 6)]
    assert all(profile.calendar.next_time(call.at, call.days, morning).date() == morning.date() for morning in mornings)


def test_wiltshire_swindon_a_child_protection_case_is_fast_tracked_from_triage_without_a_joint_decision() -> None:
    case = received(HUB, "child", "adult", categories=("domestic_abuse",))
    case.give(CallStrategyDiscussion())
    assert (case.stage, case.referral.rating) == ("strategy_discussion", None)
    assert says_the_document(HUB, "remarks.fast_track.says")


# All missing-child and exploitation cases; children only, except domestic abuse


@pytest.mark.parametrize("category", ["missing", "exploitation"])
@pytest.mark.parametrize("kind", ["referral", "police_notification", "out_of_hours_report"])
def test_wiltshire_swindon_takes_all_missing_and_exploited_children(category: str, kind: str) -> None:
    assert takes(HUB, "child", contact=kind, categories=(category,))
    assert says_the_document(HUB, "remarks.missing.says")


def test_wiltshire_swindon_takes_children() -> None:
    assert takes(HUB, "child") and takes(HUB, "unborn")


@pytest.mark.parametrize("categories", [(), ("missing",), ("exploitation",), ("hate_crime",)])
def test_wiltshire_swindon_signposts_other_concerns_about_adults(categories: tuple[str, ...]) -> None:
    case = signposted(HUB, "adult", categories=categories)
    assert case.stage == "not_taken" and "adult social care" in case.words("outcome")


def test_wiltshire_swindon_takes_domestic_abuse_of_an_adult_without_children() -> None:
    assert takes(HUB, "adult", categories=("domestic_abuse",))


def test_wiltshire_states_that_an_enquiry_is_a_joint_one_or_a_single_agencys() -> None:
    assert "a joint one or a single agency's" in load_profile(HUB).remarks["joint_or_single"].says
    assert says_the_document(HUB, "remarks.joint_or_single.says")
