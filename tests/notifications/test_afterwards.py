"""Who hears what follows a meeting: whoever is invited, moved and called off; who was missing; who is to do something."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hubs_at_work import DUTY, Case, partner, received

from mash.states.acts.actions import CompleteAction, RecordAction
from mash.states.acts.contact import CorrectCohort
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.meetings import ConveneMeeting
from mash.states.acts.orders import EndProtectionOrder, RecordProtectionOrder
from mash.states.acts.protection import CallStrategyDiscussion, RecordStrategyDiscussion
from mash.states.acts.rating import RateReferral
from mash.states.acts.scheduling import CancelMeeting, ScheduleStrategyDiscussion
from mash.states.acts.withdrawing import SignOffWithdrawal, WithdrawDecision
from mash.states.values import Actor

QUORUM = ("social_care", "police", "health")
MANAGER = Actor(id="manager", role="team_manager", agency="social_care", hub="merton")
SERVICE_MANAGER = Actor(id="service", role="service_manager", agency="social_care", hub="merton")
NIGHT_TEAM = Actor(id="edt", role="out_of_hours", agency="social_care", hub="sandwell")


def called(*cohorts: str) -> Case:
    """A case at Sandwell whose strategy discussion was called."""
    case = received("sandwell", *cohorts)
    case.give(CallStrategyDiscussion())
    return case


def scheduled(*invited: str) -> Case:
    case = called()
    case.give(ScheduleStrategyDiscussion(at=case.now + timedelta(hours=2), invited=invited))
    case.notices.clear()
    return case


def test_whoever_is_invited_no_more_when_it_is_moved_hears_that_it_does_not_take_place_for_them() -> None:
    case = scheduled("housing")
    case.give(ScheduleStrategyDiscussion(at=case.now + timedelta(hours=3), invited=("school",)))
    housing = case.profile.agencies["housing"].role
    assert case.recipients("strategy_discussion_called_off") == [housing]
    assert housing not in case.recipients("strategy_discussion_scheduled")
    assert case.profile.agencies["police"].role in case.recipients("strategy_discussion_scheduled")


def test_whoever_was_invited_hears_once_that_it_is_called_off_and_nothing_else() -> None:
    case = scheduled("housing")
    case.give(CancelMeeting(what="strategy_discussion"))
    roles = [case.profile.agencies[name].role for name in (*QUORUM, "housing")]
    assert sorted(case.recipients("strategy_discussion_called_off")) == sorted(roles)
    assert [notice.draft.kind for notice in case.notices if notice.draft.kind == "case_changed"] == []


def test_whoever_becomes_concerned_after_it_was_scheduled_is_invited_to_it_with_its_time() -> None:
    case = scheduled()
    case.give(CorrectCohort(subject="s0", cohort="unborn"))
    assert case.recipients("strategy_discussion_scheduled") == ["midwife"]


def test_whoever_is_not_concerned_any_more_is_told_that_it_is_held_without_them_and_not_that_it_is_off() -> None:
    case = called("unborn")
    case.give(CorrectCohort(subject="s0", cohort="child"))
    assert "which takes place without you" in case.words("case_changed")
    case = called("unborn")
    case.give(ScheduleStrategyDiscussion(at=case.now + timedelta(hours=2)))
    case.give(CorrectCohort(subject="s0", cohort="child"))
    assert case.recipients("strategy_discussion_called_off") == ["midwife"]
    told = case.words("strategy_discussion_called_off")
    assert "you are not needed at the strategy discussion" in told and "does not take place" not in told
    case.give(CancelMeeting(what="strategy_discussion"))
    assert "midwife" not in case.recipients("strategy_discussion_called_off")[1:]
    assert "does not take place" in case.words("strategy_discussion_called_off")


def test_whoever_is_not_concerned_any_more_is_told_the_same_of_a_meeting() -> None:
    case = received("sandwell", "unborn")
    case.give(RateReferral(rating="amber"))
    case.give(ConveneMeeting(at=case.now + timedelta(hours=20)))
    case.give(CorrectCohort(subject="s0", cohort="child"))
    assert case.recipients("meeting_called_off") == ["midwife"]
    told = case.words("meeting_called_off")
    assert "you are not needed at the MASH meeting" in told and "does not take place" not in told


def test_a_decision_that_is_withdrawn_takes_its_strategy_discussion_out_of_the_calendars_too() -> None:
    case = received("merton")
    case.give(RateReferral(rating="blue"))
    case.give(RecordDecision(outcomes={"s0": "section_47"}, primary_need="N1"), MANAGER)
    case.give(ScheduleStrategyDiscussion(at=case.now + timedelta(hours=2)))
    case.give(WithdrawDecision(), MANAGER)
    if case.referral.withdrawing:
        case.give(SignOffWithdrawal(agreed=True), SERVICE_MANAGER)
    roles = [case.profile.agencies[name].role for name in QUORUM if name in case.profile.agencies]
    assert set(roles) <= set(case.recipients("strategy_discussion_called_off"))


@pytest.mark.parametrize("outcome", ["section_47", "no_section_47"])
def test_whoever_was_missing_hears_that_it_was_held_without_them_and_when_it_is_put_right(outcome: str) -> None:
    case = called()
    case.notices.clear()
    held = {"attended": ("social_care", "police"), "without_quorum": "not_reached", "outcome": outcome}
    case.give(RecordStrategyDiscussion(**held), NIGHT_TEAM)
    assert case.recipients("quorum_missing") == [case.profile.agencies["health"].role]
    assert "was held without you" in case.words("quorum_missing") and "put right by Wed 03 Jun" in case.words("quorum_missing")


def test_whoever_is_to_do_something_hears_when_it_is_not_waited_for_any_more_and_not_when_it_is_done() -> None:
    case = received("sandwell")
    case.give(RateReferral(rating="green"))
    police = case.profile.agencies["police"].role
    for _ in range(2):
        case.give(RecordAction(owner="police", due=case.now + timedelta(hours=5)))
    assert case.recipients("action_agreed") == [police, police]
    case.give(CompleteAction(action="A1"), partner("police"))
    assert police not in case.recipients("case_changed")
    case.give(CompleteAction(action="A2", outcome="no_longer_needed"), DUTY)
    assert police in case.recipients("case_changed") and "A2" in case.words("case_changed")


def test_that_a_child_is_protected_at_once_is_told_to_the_manager_and_that_it_ended_too() -> None:
    case = called()
    case.give(RecordProtectionOrder(order="police_protection", since=case.now), NIGHT_TEAM)
    assert "duty_manager" in case.recipients("protection_order")
    case.notices.clear()
    case.give(EndProtectionOrder(order="police_protection", how="released"), NIGHT_TEAM)
    assert case.recipients("case_changed") == ["duty_manager"]
    assert "police protection has ended" in case.words("case_changed")
