"""Westminster (practice, section 2): the gangs unit inside the hub, and a daily briefing that allocates the work."""

from __future__ import annotations

from typing import Any

import pytest
from hubs_at_work import london, rated, says_the_document, takes, titles

from mash.config.profile import load_profile

UNIT = {"St Giles Trust", "Girls and Gangs (independent sexual violence advisor)"}


def test_westminster_the_gangs_unit_is_inside_the_hub() -> None:
    assert "part of the hub" in load_profile("westminster").remarks["inside"].says
    assert says_the_document("westminster", "remarks.inside.says")


def test_westminster_the_people_of_the_gangs_unit_are_agencies_of_the_hub_in_the_same_place() -> None:
    agencies = load_profile("westminster").agencies.values()
    assert titles("westminster") >= UNIT and {agency.presence for agency in agencies} == {"co_located"}


def test_westminster_the_people_of_the_gangs_unit_are_asked_like_everybody() -> None:
    case = rated("westminster", "amber", categories=("gangs",))
    assert set(case.referral.outstanding) == set(case.profile.agencies) >= {"st_giles_trust", "girls_and_gangs"}


@pytest.mark.parametrize("cohort", ["child", "adult"])
def test_westminster_takes_cases_about_gangs(cohort: str) -> None:
    assert takes("westminster", cohort, categories=("gangs",))


def test_westminster_the_briefing_is_daily() -> None:
    profile = load_profile("westminster")
    briefing = profile.gatherings["briefing"]
    mornings = [london(f"2026-06-0{day} 00:00") for day in range(1, 6)]
    briefings = [profile.calendar.next_time(briefing.at, briefing.days, morning) for morning in mornings]
    assert len({at.date() for at in briefings}) == 5 and says_the_document("westminster", "gatherings.briefing.title")


@pytest.mark.parametrize("rating", [None, "red", "amber", "green"])
def test_westminster_every_case_about_gangs_is_on_the_agenda_of_the_daily_briefing(rating: Any) -> None:
    briefing = load_profile("westminster").gatherings["briefing"]
    assert briefing.discusses(rating, frozenset({"gangs"})) and not briefing.discusses(rating, frozenset({"hate_crime"}))


def test_westminster_the_daily_briefing_allocates_the_work() -> None:
    assert "allocates the work" in load_profile("westminster").remarks["allocation"].says
    assert says_the_document("westminster", "remarks.allocation.says")
