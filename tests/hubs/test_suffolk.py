"""Suffolk (practice, section 2): planned, with police and social care as its core."""

from __future__ import annotations

from datetime import date

import pytest
from hubs_at_work import at_decision, london, rated, says_the_document, signposted, takes

from mash.config.profile import load_profile
from mash.states.acts.checks import AskAgencies

CORE = {"police", "social_care"}


# Planned


def test_suffolk_is_planned_to_go_live_in_january_2014() -> None:
    assert load_profile("suffolk").intake["children_and_adults"].live_from == date(2014, 1, 1)
    assert says_the_document("suffolk", "intake.children_and_adults.live_from")


@pytest.mark.parametrize("cohort", ["child", "unborn", "adult"])
def test_suffolk_takes_nobody_before_it_goes_live_and_everybody_after(cohort: str) -> None:
    assert not takes("suffolk", cohort, now=london("2013-12-31 23:59"))
    assert takes("suffolk", cohort, now=london("2014-01-01 00:00"))


def test_suffolk_a_contact_before_it_goes_live_is_recorded_and_signposted() -> None:
    case = signposted("suffolk", now=london("2013-11-05 10:00"))
    assert case.stage == "not_taken" and "has been recorded but is not being acted on here" in case.words("outcome")


def test_suffolk_states_that_it_is_planned() -> None:
    assert "planned" in load_profile("suffolk").remarks["planned"].says
    assert says_the_document("suffolk", "remarks.planned.says")


# Police and social care core


@pytest.mark.parametrize("rating", ["red", "amber", "green"])
def test_suffolk_police_and_social_care_are_asked_about_every_case_and_the_others_on_request(rating: str) -> None:
    case = rated("suffolk", rating)
    assert set(case.referral.outstanding) == CORE
    case.give(AskAgencies(agencies=("health", "housing")))
    assert set(case.referral.outstanding) == CORE | {"health", "housing"}


def test_suffolk_goes_on_when_police_and_social_care_have_answered() -> None:
    assert set(at_decision("suffolk").referral.checks) == CORE


def test_suffolk_police_and_social_care_are_already_co_located_and_nobody_else_is() -> None:
    agencies = load_profile("suffolk").agencies
    assert {name for name, agency in agencies.items() if agency.presence == "co_located"} == CORE
    assert says_the_document("suffolk", "agencies.police.presence")


def test_suffolk_states_that_police_and_social_care_are_its_core() -> None:
    assert "the core" in load_profile("suffolk").remarks["core"].says
    assert says_the_document("suffolk", "remarks.core.says")
