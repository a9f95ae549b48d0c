"""Staffordshire and Stoke (practice, section 2): two councils, whole family, named cohorts, justified release."""

from __future__ import annotations

import pytest
from hubs_at_work import Case, changed, holding, partner, rated, received, released, says_the_document, shared, takes_as
from pydantic import ValidationError

from mash.config.profile import load_profile
from mash.states.acts.contact import AssignPlace
from mash.states.acts.information import ReleaseInformation
from mash.states.acts.upkeep import LinkReferral
from mash.states.errors import NotInProfile, ReasonNeeded

HUB = "staffordshire_stoke"
POLICE = partner("police")


# Two councils, whole family


def test_staffordshire_and_stoke_are_two_councils_of_one_hub() -> None:
    assert {name: place.kind for name, place in load_profile(HUB).places.items()} == {
        "staffordshire": "authority",
        "stoke": "authority",
    }
    assert says_the_document(HUB, "places.staffordshire.title") and says_the_document(HUB, "places.stoke.title")


@pytest.mark.parametrize("place", ["staffordshire", "stoke"])
def test_staffordshire_stoke_a_case_belongs_to_one_of_the_two_councils(place: str) -> None:
    case = received(HUB)
    case.give(AssignPlace(place=place))
    assert case.referral.place == place
    with pytest.raises(NotInProfile, match="staffordshire, stoke"):
        case.give(AssignPlace(place="cheshire"))


def test_staffordshire_stoke_the_services_of_both_councils_are_asked() -> None:
    assert {"social_care", "stoke_social_care"} <= set(rated(HUB, "amber").referral.outstanding)


@pytest.mark.parametrize("cohorts", [("child",), ("adult",), ("child", "adult")])
def test_staffordshire_stoke_every_agency_is_asked_about_the_whole_family(cohorts: tuple[str, ...]) -> None:
    case = rated(HUB, "amber", *cohorts)
    assert set(case.referral.outstanding) == set(case.profile.agencies)


def test_staffordshire_stoke_an_agency_for_adults_alone_would_be_asked_about_a_child_as_well() -> None:
    agencies = load_profile(HUB).agencies
    adults_only = {**agencies, "police": agencies["police"].model_copy(update={"cohorts": ("adult",)})}
    whole, partial = changed(HUB, agencies=adults_only), changed(HUB, agencies=adults_only, whole_family=False)
    assert "police" in rated(whole, "amber", "child").referral.outstanding
    assert "police" not in rated(partial, "amber", "child").referral.outstanding


def test_staffordshire_stoke_says_from_which_document_it_has_its_whole_family_approach() -> None:
    assert load_profile(HUB).whole_family and says_the_document(HUB, "whole_family")


# Cohorts


def test_staffordshire_stoke_takes_high_risk_children() -> None:
    assert takes_as(HUB, "children", "child") and takes_as(HUB, "children", "unborn") and not takes_as(HUB, "children", "adult")
    assert load_profile(HUB).intake["children"].title == "High-risk children"
    assert says_the_document(HUB, "intake.children.title")


def test_staffordshire_stoke_takes_vulnerable_adults() -> None:
    assert takes_as(HUB, "adults", "adult") and not takes_as(HUB, "adults", "child")


@pytest.mark.parametrize("cohort", ["child", "adult"])
def test_staffordshire_stoke_takes_domestic_abuse_of_victims_perpetrators_and_repeats(cohort: str) -> None:
    assert takes_as(HUB, "domestic_abuse", cohort, categories=("domestic_abuse",))
    assert not takes_as(HUB, "domestic_abuse", cohort)
    assert "victims, perpetrators and repeats" in load_profile(HUB).intake["domestic_abuse"].title
    assert says_the_document(HUB, "intake.domestic_abuse.title")


def test_staffordshire_stoke_a_repeat_of_domestic_abuse_is_linked_with_the_incident_before() -> None:
    case = received(HUB, "adult", categories=("domestic_abuse",))
    case.give(LinkReferral(other="MASH-26-000001", relation="same_incident"))
    assert case.referral.links == {"MASH-26-000001": "same_incident"}


@pytest.mark.parametrize("cohort", ["child", "adult"])
def test_staffordshire_stoke_takes_missing_persons(cohort: str) -> None:
    assert takes_as(HUB, "missing", cohort, categories=("missing",))
    assert not takes_as(HUB, "missing", cohort)


def test_staffordshire_stoke_takes_exploitation() -> None:
    assert takes_as(HUB, "exploitation", "child", categories=("exploitation",))
    assert not takes_as(HUB, "exploitation", "child")


@pytest.mark.parametrize("cohort", ["child", "adult"])
def test_staffordshire_stoke_takes_hate_crime(cohort: str) -> None:
    assert takes_as(HUB, "hate_crime", cohort, categories=("hate_crime",))
    assert not takes_as(HUB, "hate_crime", cohort)


def test_staffordshire_stoke_takes_a_professional_concern_of_which_the_cohort_is_not_clear() -> None:
    assert takes_as(HUB, "professional_concern", "unknown", categories=("professional_concern",))
    assert not takes_as(HUB, "professional_concern", "unknown")


# Release needs proportionality, necessity and justification


def held() -> Case:
    """A case about which the police hold something."""
    return holding(shared(received(HUB)), "police")


@pytest.mark.parametrize("left_out", ["proportionality", "necessity"])
def test_staffordshire_stoke_nothing_is_released_without_saying_proportionality_and_necessity(left_out: str) -> None:
    values = {"item": held().item("police"), "necessity": "to_protect_a_child", "proportionality": "whole"}
    with pytest.raises(ValidationError, match=left_out):
        ReleaseInformation.model_validate({name: value for name, value in values.items() if name != left_out})


def test_staffordshire_stoke_nothing_is_released_without_a_justification_in_words() -> None:
    case = held()
    with pytest.raises(ReasonNeeded, match="why it is necessary"):
        case.give(released(case, "police"), POLICE, words=False)


def test_staffordshire_stoke_what_is_proportionate_necessary_and_justified_is_released() -> None:
    case = held()
    case.give(released(case, "police"), POLICE)
    assert case.referral.held[case.item("police")].released


def test_staffordshire_stoke_states_on_what_conditions_information_is_released() -> None:
    assert "proportionality, necessity and justification" in load_profile(HUB).remarks["release"].says
    assert says_the_document(HUB, "remarks.release.says")
