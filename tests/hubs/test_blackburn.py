"""Blackburn (practice, section 2): children, domestic abuse, vulnerable adults; planned timescales; redaction as necessary."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hubs_at_work import (
    MORNING,
    SOCIAL_WORKER,
    holding,
    partner,
    rated,
    received,
    released,
    says_the_document,
    shared,
    takes_as,
)

from mash.config.profile import load_profile
from mash.states.acts.sharing import RecordThreshold
from mash.states.errors import ReasonNeeded
from mash.states.firewall import product, view

POLICE = partner("police")


# Children, domestic abuse, vulnerable adults


@pytest.mark.parametrize("cohort", ["child", "unborn"])
def test_blackburn_takes_children(cohort: str) -> None:
    assert takes_as("blackburn", "children", cohort)
    assert not takes_as("blackburn", "children", "adult")


@pytest.mark.parametrize("cohort", ["child", "adult"])
def test_blackburn_takes_domestic_abuse(cohort: str) -> None:
    assert takes_as("blackburn", "domestic_abuse", cohort, categories=("domestic_abuse",))
    assert not takes_as("blackburn", "domestic_abuse", cohort)


def test_blackburn_takes_vulnerable_adults() -> None:
    assert takes_as("blackburn", "adults", "adult")
    assert not takes_as("blackburn", "adults", "child")


# Actual or likely harm


def test_blackburn_tests_each_case_for_actual_or_likely_harm() -> None:
    assert "actual or likely harm" in load_profile("blackburn").remarks["harm"].says
    assert says_the_document("blackburn", "remarks.harm.says")


@pytest.mark.parametrize("harm", [True, False])
def test_blackburn_what_the_test_for_harm_found_is_recorded_with_its_reason(harm: bool) -> None:
    case = received("blackburn")
    with pytest.raises(ReasonNeeded):
        case.give(RecordThreshold(significant_harm=harm), SOCIAL_WORKER, words=False)
    case.give(RecordThreshold(significant_harm=harm), SOCIAL_WORKER)
    assert case.referral.significant_harm is harm


# Planned timescales 4 h, 1 day, 3 days


@pytest.mark.parametrize(("rating", "hours"), [("red", 4), ("amber", 24), ("green", 72)])
def test_blackburn_its_ratings_are_due_in_four_hours_one_day_and_three_days(rating: str, hours: int) -> None:
    assert rated("blackburn", rating).clock("response").due_at == MORNING + timedelta(hours=hours)


@pytest.mark.parametrize("rating", ["red", "amber", "green"])
def test_blackburn_its_timescales_are_shown_as_planned(rating: str) -> None:
    source = rated("blackburn", rating).clock("response").source
    assert source.startswith("Home Office 2014: 'We intend to move to a RAG model") and "planned" in source


# Redaction as necessary


def test_blackburn_a_whole_item_is_released_where_it_is_necessary_and_proportionate() -> None:
    case = holding(shared(received("blackburn")), "police")
    case.give(released(case, "police"), POLICE)
    assert view(case.referral.held[case.item("police")], "health") == "whole"


def test_blackburn_others_read_the_redacted_version_and_the_owner_the_whole() -> None:
    case = holding(shared(received("blackburn")), "police")
    item = case.item("police")
    case.give(released(case, "police"), POLICE, redacted=True)
    assert view(case.referral.held[item], "health") == "redacted"
    assert view(case.referral.held[item], "police") == "whole"
    assert [line.item for line in product(case.referral)] == [case.referral.held[item].redacted]


# Near-miss scrutiny, and the adult social worker


def test_blackburn_scrutinises_near_misses() -> None:
    assert "Near misses" in load_profile("blackburn").remarks["near_miss"].says
    assert says_the_document("blackburn", "remarks.near_miss.says")


def test_blackburn_an_adult_social_worker_visits_daily() -> None:
    profile = load_profile("blackburn")
    assert profile.agencies["adults"].presence == "visiting" and "visits daily" in profile.remarks["adults_visit"].says
    assert says_the_document("blackburn", "agencies.adults.presence")


def test_blackburn_adult_social_care_is_asked_about_adults() -> None:
    assert "adults" in rated("blackburn", "amber", "adult").referral.outstanding
    assert "adults" not in rated("blackburn", "amber", "child").referral.outstanding
