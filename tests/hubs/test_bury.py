"""Bury (practice, section 2): red, amber and green without hours, a daily meeting, consent at contact, an early help panel."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hubs_at_work import (
    BASIS,
    MORNING,
    STATUTORY_PARTNERS,
    TEAM_MANAGER,
    answered,
    at_meeting,
    london,
    person,
    rated,
    received,
    says_the_document,
    stepped_down,
)

from mash.config.profile import load_profile, stated
from mash.states.acts.countersigning import Countersign
from mash.states.acts.protection import CallStrategyDiscussion, RecordStrategyDiscussion
from mash.states.acts.step_down import AcceptStepDown, OfferStepDown, ReturnStepDown
from mash.states.errors import Incomplete, NotInProfile
from mash.states.values import ReportedConsent

PANEL = person("early_help", "early_help")


# Red = high, amber = medium or complex, green = low to vulnerable; no hours given


@pytest.mark.parametrize(("rating", "says"), [("red", "high"), ("amber", "medium or complex"), ("green", "low to vulnerable")])
def test_bury_red_is_high_amber_medium_or_complex_and_green_low_to_vulnerable(rating: str, says: str) -> None:
    assert load_profile("bury").ratings[rating].title == f"{rating.capitalize()}: {says}"
    assert says_the_document("bury", f"ratings.{rating}.title")


def test_bury_red_is_more_urgent_than_amber_and_amber_than_green() -> None:
    ratings = load_profile("bury").ratings
    assert sorted(ratings, key=lambda name: -ratings[name].severity) == ["red", "amber", "green"]


@pytest.mark.parametrize("rating", ["red", "amber", "green"])
def test_bury_gives_no_hours_so_a_rating_starts_no_response_clock_and_the_limits_are_the_products(rating: str) -> None:
    case = rated("bury", rating)
    assert not case.running("response")
    assert {clock.source.split(":")[0] for clock in case.running("check")} == {"product default"}
    assert not [name for name in stated("bury") if name.startswith(f"ratings.{rating}.re")]


# A daily meeting reviews every high and medium referral received that day


@pytest.mark.parametrize("rating", ["red", "amber"])
def test_bury_every_high_and_medium_referral_is_reviewed_at_the_next_daily_meeting(rating: str) -> None:
    case = at_meeting("bury", rating, now=london("2026-06-02 08:00"))
    assert case.referral.meeting_at == london("2026-06-02 16:00")
    assert case.profile.gatherings["daily"].discusses(rating, frozenset())


def test_bury_a_low_referral_is_not_for_the_daily_meeting() -> None:
    case = answered(rated("bury", "green"))
    assert case.stage == "decision" and case.referral.meeting_at is None
    assert not case.profile.gatherings["daily"].discusses("green", frozenset())


def test_bury_the_meeting_is_daily_on_working_days() -> None:
    friday, profile = london("2026-06-05 17:00"), load_profile("bury")
    daily = profile.gatherings["daily"]
    assert profile.calendar.next_time(daily.at, daily.days, MORNING) == london("2026-06-02 16:00")
    assert profile.calendar.next_time(daily.at, daily.days, friday) == london("2026-06-08 16:00")


def test_bury_a_high_referral_of_the_late_morning_is_reviewed_at_a_meeting_of_the_same_day() -> None:
    case = at_meeting("bury", "red", now=london("2026-06-02 11:00"))
    assert case.referral.meeting_at is not None
    assert case.referral.meeting_at.date() == case.referral.received_at.date()


# Initial strategy meetings mostly within 24 h of referral


def test_bury_an_initial_strategy_meeting_is_due_within_twenty_four_hours_of_the_referral() -> None:
    case = received("bury")
    case.run_to(MORNING + timedelta(hours=5))
    case.give(CallStrategyDiscussion())
    clock = case.clock("strategy_discussion")
    assert clock.due_at == MORNING + timedelta(hours=24) and clock.source.startswith("Home Office 2014: '")
    assert "in all cases" in clock.source and "by product default" in clock.source


def test_bury_a_strategy_meeting_that_is_called_after_a_day_is_not_late_before_it_was_called() -> None:
    case = received("bury")
    called = MORNING + timedelta(hours=30)
    case.run_to(called)
    case.give(CallStrategyDiscussion())
    assert case.clock("strategy_discussion").due_at == called + timedelta(hours=24)


def test_bury_a_strategy_meeting_after_twenty_four_hours_is_late_and_still_held() -> None:
    case = received("bury")
    case.give(CallStrategyDiscussion())
    case.run_to(MORNING + timedelta(hours=30))
    assert case.clock("strategy_discussion").breached_at == MORNING + timedelta(hours=24)
    case.give(RecordStrategyDiscussion(attended=STATUTORY_PARTNERS, outcome="section_47"))
    assert case.stage == "enquiries"


# Parental consent at contact unless child protection


def test_bury_what_the_referrer_says_of_parental_consent_is_kept_from_the_contact_on() -> None:
    case = received("bury", consent=ReportedConsent(asked=True, given=True))
    assert case.referral.consent.given


def test_bury_consent_that_was_not_sought_is_refused_as_a_basis() -> None:
    with pytest.raises(Incomplete, match="always seeks consent, unless the purpose is child protection"):
        received("bury").give(BASIS.model_copy(update={"consent": "not_sought"}))


@pytest.mark.parametrize("consent", ["given", "overridden", "no_answer"])
def test_bury_consent_that_was_sought_is_recorded_whatever_the_answer(consent: str) -> None:
    case = received("bury")
    case.give(BASIS.model_copy(update={"consent": consent}))
    for waits in case.referral.uncountersigned:  # an override, which a second person agrees to
        case.give(Countersign(seconding=waits, agreed=True), TEAM_MANAGER)
    assert case.referral.sharing


def test_bury_consent_need_not_be_sought_for_child_protection() -> None:
    case = received("bury")
    case.give(BASIS.model_copy(update={"consent": "not_sought", "purpose": "child_protection"}))
    assert case.referral.sharing


# Exit also to an early help panel


def test_bury_a_case_can_be_stepped_down_to_the_early_help_panel() -> None:
    case = stepped_down("bury")
    case.give(OfferStepDown(service="early_help_panel"))
    assert "Early Help Panel" in case.words("step_down_offered")
    case.give(AcceptStepDown(), PANEL)
    assert case.stage == "step_down_accepted" and not case.referral.open
    assert case.profile.services["early_help_panel"].kind == "panel"


def test_bury_the_panel_is_not_the_only_exit_to_early_help() -> None:
    case = stepped_down("bury")
    case.give(OfferStepDown(service="early_help_team"))
    assert case.stage == "step_down_offered"


def test_bury_a_service_that_the_hub_does_not_name_is_no_exit() -> None:
    with pytest.raises(NotInProfile, match="early_help_panel, early_help_team"):
        stepped_down("bury").give(OfferStepDown(service="vulnerable_adolescents_panel"))


def test_bury_the_panel_may_give_a_case_back_to_be_decided_anew() -> None:
    case = stepped_down("bury")
    case.give(OfferStepDown(service="early_help_panel"))
    case.give(ReturnStepDown(), PANEL)
    assert case.stage == "decision" and case.referral.open
