"""Cambridgeshire (practice, section 2): any source, managers decide, advice about thresholds, a satellite hub."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hubs_at_work import (
    SOCIAL_WORKER,
    at_decision,
    outcome,
    person,
    received,
    says_the_document,
    takes,
)

from mash.config.profile import load_profile
from mash.states.acts.contact import AssignPlace, ConcludeConsultation
from mash.states.acts.sharing import RecordThreshold
from mash.states.errors import NotInProfile, NotYours
from mash.states.profile import Source

HUB = "cambridgeshire"


# Any source, the public included


@pytest.mark.parametrize("source", get_args(Source))
def test_cambridgeshire_takes_contacts_of_any_source(source: Any) -> None:
    assert takes(HUB, source_agency=source)
    assert says_the_document(HUB, "intake.any_source.title")


def test_cambridgeshire_a_member_of_the_public_is_listened_to_like_an_agency() -> None:
    case = received(HUB, source_agency="individual")
    assert case.stage == "triage" and case.recipients("contact_to_rate") == received(HUB).recipients("contact_to_rate")


def test_cambridgeshire_a_member_of_the_public_who_asks_for_advice_is_listened_to_without_a_consultation() -> None:
    assert received(HUB, contact="advice", source_agency="individual").stage == "triage"


# Threshold decision at managerial level


@pytest.mark.parametrize("role", ["team_manager", "practice_manager", "service_manager"])
def test_cambridgeshire_a_manager_decides(role: str) -> None:
    case = at_decision(HUB)
    case.give(outcome(case, "no_further_action"), person(role))
    assert case.stage == "no_further_action"


def test_cambridgeshire_a_manager_finds_the_threshold_met() -> None:
    case = received(HUB)
    case.give(RecordThreshold(significant_harm=True), person("team_manager"))
    assert case.referral.significant_harm


@pytest.mark.parametrize("role", ["social_worker", "responsible_social_worker"])
def test_cambridgeshire_a_social_worker_does_not_decide(role: str) -> None:
    case = at_decision(HUB)
    with pytest.raises(NotYours, match="manager"):
        case.give(outcome(case, "no_further_action"), person(role))


def test_cambridgeshire_a_social_worker_does_not_find_the_threshold_met() -> None:
    with pytest.raises(NotYours):
        received(HUB).give(RecordThreshold(significant_harm=True), SOCIAL_WORKER)


def test_cambridgeshire_says_from_which_document_its_managers_decide() -> None:
    assert says_the_document(HUB, "deciders")


# Advice to referrers about thresholds


def test_cambridgeshire_a_professional_who_asks_for_advice_is_consulted_with() -> None:
    case = received(HUB, contact="advice", source_agency="health")
    assert case.stage == "consultation"
    case.give(ConcludeConsultation(outcome="advice"))
    assert case.stage == "advice_given" and "advice was given" in case.words("outcome")


def test_cambridgeshire_a_referral_needs_no_advice_first() -> None:
    assert received(HUB, source_agency="health").stage == "triage"


def test_cambridgeshire_states_that_referrers_are_advised_about_thresholds() -> None:
    assert "advised about thresholds" in load_profile(HUB).remarks["advice"].says
    assert says_the_document(HUB, "remarks.advice.says") and says_the_document(HUB, "consultation.kinds")


# A satellite hub


def test_cambridgeshire_has_a_satellite_hub_in_peterborough() -> None:
    assert load_profile(HUB).places["peterborough"].kind == "satellite"
    assert says_the_document(HUB, "places.peterborough.kind")


def test_cambridgeshire_a_case_belongs_to_the_hub_or_to_its_satellite() -> None:
    case = received(HUB, place="cambridgeshire")
    case.give(AssignPlace(place="peterborough"))
    assert case.referral.place == "peterborough"
    with pytest.raises(NotInProfile, match="cambridgeshire, peterborough"):
        case.give(AssignPlace(place="norwich"))


# Children and adults


@pytest.mark.parametrize("cohort", ["child", "unborn", "adult", "unknown"])
def test_cambridgeshire_takes_children_and_adults(cohort: str) -> None:
    assert takes(HUB, cohort)
