"""Ealing (practice, section 2): a daily meeting of all partners, three exits, no hierarchy between services."""

from __future__ import annotations

import pytest
from hubs_at_work import (
    at_decision,
    at_meeting,
    london,
    outcome,
    partner,
    person,
    rated,
    says_the_document,
    stepped_down,
    titles,
)

from mash.config.profile import load_profile
from mash.states.acts.disagreements import RaiseDisagreement
from mash.states.acts.meetings import RecordMeeting
from mash.states.acts.step_down import AcceptStepDown, OfferStepDown
from mash.states.clocks import day_of
from mash.states.errors import NotInProfile

PARTNERS = sorted(load_profile("ealing").agencies)
EARLY_HELP = person("early_help", "early_help")


# A daily meeting of all partners


@pytest.mark.parametrize("rating", ["red", "amber"])
def test_ealing_a_case_is_convened_at_the_next_daily_meeting(rating: str) -> None:
    assert at_meeting("ealing", rating, now=london("2026-06-02 09:00")).referral.meeting_at == london("2026-06-02 10:00")
    assert at_meeting("ealing", rating, now=london("2026-06-02 11:00")).referral.meeting_at == london("2026-06-03 10:00")


def test_ealing_the_meeting_is_on_every_working_day() -> None:
    profile = load_profile("ealing")
    daily = profile.gatherings["daily"]
    mornings = [london(f"2026-06-0{day} 08:00") for day in range(1, 6)]
    assert all(profile.calendar.next_time(daily.at, daily.days, morning).date() == morning.date() for morning in mornings)
    assert says_the_document("ealing", "gatherings.daily.title")


@pytest.mark.parametrize("rating", ["red", "amber", "green"])
def test_ealing_every_case_is_for_the_daily_meeting_whatever_its_rating(rating: str) -> None:
    assert load_profile("ealing").gatherings["daily"].discusses(rating, frozenset())


def test_ealing_all_partners_are_invited_to_the_daily_meeting() -> None:
    case = at_meeting("ealing", "red")
    partners = {agency.role for agency in case.profile.agencies.values()}
    assert set(case.recipients("meeting_convened")) == {*partners, case.profile.meeting.chair}


def test_ealing_its_partners_are_those_of_its_case_study() -> None:
    assert titles("ealing") == {
        "Social care (safeguarding)",
        "Early intervention (SAFE service)",
        "Health visitors",
        "Youth justice",
        "Education welfare",
        "Schools",
        "Probation",
        "Police",
        "Community safety",
    }


# Exits: locality team, SAFE early intervention, or a panel for complex adolescents


@pytest.mark.parametrize(("service", "kind"), [("safe", "early_help"), ("vulnerable_adolescents_panel", "panel")])
def test_ealing_a_case_may_go_to_safe_or_to_the_adolescents_panel(service: str, kind: str) -> None:
    case = stepped_down("ealing")
    case.give(OfferStepDown(service=service))
    assert case.profile.services[service].kind == kind
    assert case.profile.services[service].title in case.words("step_down_offered")
    case.give(AcceptStepDown(), EARLY_HELP)
    assert case.stage == "step_down_accepted"
    assert says_the_document("ealing", f"services.{service}.title")


def test_ealing_has_no_other_exit_to_a_service() -> None:
    with pytest.raises(NotInProfile, match="one of safe, vulnerable_adolescents_panel"):
        stepped_down("ealing").give(OfferStepDown(service="early_help_panel"))


def test_ealing_the_locality_team_is_childrens_social_care_and_no_step_down() -> None:
    assert says_the_document("ealing", "remarks.locality_teams.says")
    with pytest.raises(NotInProfile, match="one of safe, vulnerable_adolescents_panel"):
        stepped_down("ealing").give(OfferStepDown(service="locality_team"))


@pytest.mark.parametrize("cohort", ["unborn", "adult"])
def test_ealing_the_adolescents_panel_is_not_offered_anybody_but_a_child(cohort: str) -> None:
    case = at_decision("ealing", cohort)
    case.give(outcome(case, "early_help"))
    with pytest.raises(NotInProfile):
        case.give(OfferStepDown(service="vulnerable_adolescents_panel"))


# No hierarchy between services


def test_ealing_every_service_is_asked_at_once_whatever_the_rating() -> None:
    for rating in ("red", "amber", "green"):
        assert sorted(rated("ealing", rating).referral.outstanding) == PARTNERS


@pytest.mark.parametrize("agency", PARTNERS)
def test_ealing_no_service_stands_above_another_each_may_dispute_a_rating_and_a_decision(agency: str) -> None:
    case = at_decision("ealing")
    case.give(RaiseDisagreement(about="rating", rating="red"), partner(agency))
    case.give(outcome(case, "section_17"))
    case.give(RaiseDisagreement(about="decision"), partner(agency))
    assert [found.agency for found in case.referral.disagreements.values()] == [agency, agency]


def test_ealing_no_meeting_waits_for_one_service_more_than_for_another() -> None:
    case = at_meeting("ealing", "red")
    case.give(RecordMeeting(attended=("schools",), held_on=day_of(case.now)))
    assert case.stage == "decision"


def test_ealing_states_that_there_is_no_hierarchy_between_services() -> None:
    assert "no hierarchy" in load_profile("ealing").remarks["no_hierarchy"].says
    assert says_the_document("ealing", "remarks.no_hierarchy.says")
