"""The London and Devon model (practice, section 2): all notifications, eight agencies, the firewall, an information product."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hubs_at_work import Case, holding, partner, rated, received, released, says_the_document, shared, takes

from mash.config.profile import load_profile
from mash.states.errors import Incomplete, NotYours
from mash.states.firewall import product, view
from mash.states.profile import Category, Cohort, ContactKind, Source

HUB = "london_devon"
EIGHT = {
    "social_care",
    "police",
    "health",
    "mental_health",
    "education",
    "probation",
    "housing",
    "youth_justice",
}


# All notifications go through the hub


@pytest.mark.parametrize("kind", get_args(ContactKind))
def test_london_devon_every_kind_of_contact_goes_through_the_hub(kind: Any) -> None:
    assert takes(HUB, contact=kind)


@pytest.mark.parametrize("source", get_args(Source))
def test_london_devon_a_notification_of_any_source_goes_through_the_hub(source: Any) -> None:
    assert takes(HUB, source_agency=source)


@pytest.mark.parametrize("cohort", get_args(Cohort))
@pytest.mark.parametrize("category", get_args(Category))
def test_london_devon_a_notification_about_anybody_and_anything_goes_through_the_hub(cohort: Any, category: Any) -> None:
    assert takes(HUB, cohort, categories=(category,))


def test_london_devon_says_from_which_document_all_notifications_go_through_the_hub() -> None:
    assert says_the_document(HUB, "intake.all_notifications.title")


# Eight agencies


def test_london_devon_has_eight_agencies() -> None:
    assert set(load_profile(HUB).agencies) == EIGHT and says_the_document(HUB, "agencies.police.title")


@pytest.mark.parametrize("rating", ["red", "amber", "green"])
def test_london_devon_all_eight_agencies_are_asked(rating: str) -> None:
    assert set(rated(HUB, rating).referral.outstanding) == EIGHT


# Firewall


def held(agency: str = "police") -> Case:
    """A case about which an agency holds something."""
    return holding(shared(received(HUB)), agency)


@pytest.mark.parametrize("owner", sorted(EIGHT))
def test_london_devon_only_the_owning_agency_releases_what_it_holds(owner: str) -> None:
    case = held(owner)
    for other in sorted(EIGHT - {owner}):
        with pytest.raises(NotYours, match="only the agency that holds it"):
            case.give(released(case, owner), partner(other))
    case.give(released(case, owner), partner(owner))
    assert case.referral.held[case.item(owner)].released


def test_london_devon_what_is_not_released_is_a_signpost_that_information_exists() -> None:
    case = held()
    item = case.referral.held[case.item("police")]
    assert {view(item, other) for other in EIGHT - {"police"}} == {"signpost"}
    assert view(item, "police") == "whole"


def test_london_devon_the_signpost_says_whose_the_sensitive_information_is() -> None:
    case = held()
    assert [(line.agency, line.item) for line in product(case.referral)] == [("police", None)]
    assert case.referral.held[case.item("police")].sensitive


def test_london_devon_an_extract_or_a_gist_is_released_in_the_owners_own_words() -> None:
    case = held()
    with pytest.raises(Incomplete, match="redacted version"):
        case.give(released(case, "police", "gist"), partner("police"))
    case.give(released(case, "police", "gist"), partner("police"), redacted=True)
    assert view(case.referral.held[case.item("police")], "health") == "redacted"


def test_london_devon_states_its_firewall() -> None:
    assert "only the owning agency releases what it holds" in load_profile(HUB).remarks["firewall"].says
    assert says_the_document(HUB, "remarks.firewall.says")


# The output is an information product


def test_london_devon_the_information_product_holds_what_was_released_and_signposts_the_rest() -> None:
    case = holding(held(), "health", sensitive=False)
    case.give(released(case, "health"), partner("health"))
    assert [(line.agency, line.item) for line in product(case.referral)] == [("police", None), ("health", case.item("health"))]


def test_london_devon_states_that_its_output_is_an_information_product() -> None:
    assert "information product" in load_profile(HUB).remarks["product"].says
    assert says_the_document(HUB, "remarks.product.says")
