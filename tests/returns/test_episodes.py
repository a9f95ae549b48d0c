"""What the census' episodes are made of: days as they are in the hub, one episode a child at a time, mistaken closures."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hubs_at_work import (
    DUTY,
    MORNING,
    STATUTORY_PARTNERS,
    TEAM_MANAGER,
    Case,
    at_decision,
    london,
    outcome,
    person,
    received,
    seen,
)
from returning import cases_of

from mash.config.profile import load_profile
from mash.flows.returns.course import Assessment, Course, Ended, Enquiry
from mash.flows.returns.episodes import Episode, episodes, is_referral
from mash.flows.returns.reading import courses
from mash.flows.returns.year import Year, as_of, year_of
from mash.states.acts.assessment import CompleteAssessment
from mash.states.acts.closing import ReopenReferral
from mash.states.acts.contact import ConcludeConsultation
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.handing_over import AcceptHandOver
from mash.states.acts.protection import ConcludeEnquiries, RecordConference, RecordStrategyDiscussion

RULE = load_profile("sandwell").returns
THIS = Year(2026)
HELD = RecordStrategyDiscussion(attended=STATUTORY_PARTNERS, outcome="section_47")


def read(case: Case) -> list[Course]:
    """The courses of a case in memory and its linked ones."""
    return list(courses({each.reference: each for each in cases_of(case)}))


def one(case: Case) -> Course:
    (course,) = read(case)
    return course


def decided(to: str, at: datetime = MORNING, *cohorts: Any) -> Case:
    """A case that is decided."""
    case = at_decision("sandwell", *cohorts, now=at)
    case.give(outcome(case, to), TEAM_MANAGER)
    return case


def assessed(to: str, at: datetime = MORNING, held_on: date | None = None) -> Case:
    case = seen(decided("section_17", at))
    case.now += timedelta(days=20)
    case.give(CompleteAssessment(factors=("1A",), outcome=to, held_on=held_on), TEAM_MANAGER)
    return case


def the_episode(*courses_: Course) -> Episode:
    (episode,) = episodes(courses_, RULE)
    return episode


# --- days ------------------------------------------------------------------------------------------------------------------


def test_half_past_eleven_at_night_in_utc_on_31_march_is_1_april_in_london_and_so_of_the_next_year() -> None:
    at = datetime.fromisoformat("2026-03-31T23:30:00+00:00")
    course = one(received("sandwell", now=at))
    assert course.received == date(2026, 4, 1) and year_of(course.received) == Year(2027)
    course = replace(course, decided="section_17")
    assert as_of(the_episode(course), Year(2026))[0] is None and as_of(the_episode(course), Year(2027))[0] is not None


def test_what_is_entered_days_later_counts_from_the_day_on_which_it_was_held() -> None:
    case = decided("section_47", london("2026-03-23 10:00"))
    case.now += timedelta(days=5)
    case.give(HELD.model_copy(update={"held_on": date(2026, 3, 24)}), TEAM_MANAGER)
    (enquiry,) = one(case).enquiries
    assert enquiry.start == date(2026, 3, 24) and enquiry.open


def test_an_assessment_that_ends_a_case_ends_it_on_the_day_on_which_it_was_completed() -> None:
    course = one(assessed("no_further_action", held_on=date(2026, 6, 18)))
    assert (course.assessments[0].end, course.ended and course.ended.on) == (date(2026, 6, 18), date(2026, 6, 18))
    episode = the_episode(course)
    assert (episode.closed, episode.reason) == (date(2026, 6, 18), "RC8")


# --- which contacts are referrals ------------------------------------------------------------------------------------------


def test_a_contact_that_ends_at_its_triage_is_no_referral_and_one_that_was_checked_is_one_without_further_action() -> None:
    checked = one(decided("no_further_action"))
    assert is_referral(checked, RULE) and the_episode(checked).nfa
    assert not is_referral(replace(checked, checked=False), RULE)
    assert not is_referral(replace(checked, contact="information_request"), RULE)


def test_what_was_ended_in_advice_without_a_threshold_is_no_referral() -> None:
    case = received("cornwall")
    assert case.stage == "consultation"
    case.give(ConcludeConsultation(outcome="advice"), person(case.profile.raters[0]))
    assert not is_referral(one(case), RULE)


def test_what_nobody_has_decided_yet_is_in_no_year() -> None:
    assert not is_referral(one(received("sandwell")), RULE)


def test_a_hub_may_say_that_only_what_leads_to_something_is_a_referral() -> None:
    rule = RULE.model_copy(update={"after_triage": False})
    assert not is_referral(one(decided("early_help")), rule) and is_referral(one(decided("section_17")), rule)


# --- one child, one episode ------------------------------------------------------------------------------------------------


def course(day: str, decided: str = "section_17", **fields: Any) -> Course:
    began = date.fromisoformat(day)
    return Course(f"MASH-26-{day}", f"MASH-26-{day}", "S1", began, "referral", "2A", "N1", decided, checked=True, **fields)


def ended(day: str, outcome: str = "no_further_action", **more: bool) -> Any:
    return Ended(date.fromisoformat(day), outcome, **more)


@pytest.mark.parametrize("decision", ["section_17", "no_further_action"])
def test_a_contact_about_a_child_with_an_open_episode_is_attached_whatever_it_comes_to(decision: str) -> None:
    again = course("2025-06-10", decision, ended=ended("2025-06-12"))
    episode = the_episode(course("2025-06-01"), again)
    assert [each.received for each in episode.courses] == [date(2025, 6, 1), date(2025, 6, 10)] and episode.closed is None


def test_an_episode_to_which_a_longer_contact_was_attached_is_closed_with_that() -> None:
    first = course("2025-06-01", ended=ended("2025-07-01"))
    episode = the_episode(first, course("2025-06-10", ended=ended("2025-09-01")))
    assert episode.closed == date(2025, 9, 1)


def test_a_contact_on_the_day_of_the_closure_begins_anew_and_one_of_the_day_before_does_not() -> None:
    first = course("2025-06-01", ended=ended("2025-07-01"))
    assert len(episodes([first, course("2025-07-01")], RULE)) == 2
    assert len(episodes([first, course("2025-06-30")], RULE)) == 1


def test_two_referrals_of_one_day_are_one_episode() -> None:
    first = course("2025-06-01", ended=ended("2025-06-01"))
    assert len(episodes([first, course("2025-06-01", ended=ended("2025-08-01"))], RULE)) == 1


def test_a_referral_without_further_action_before_an_episode_stands_by_itself() -> None:
    first = course("2025-05-01", "no_further_action", ended=ended("2025-05-02"))
    nfa, going = episodes([course("2025-06-01"), first], RULE)
    assert nfa.nfa and not going.nfa


def test_a_child_under_a_plan_stays_open_whatever_the_front_door_has_concluded() -> None:
    case = decided("section_47", london("2026-01-06 10:00"))
    case.now += timedelta(days=1)
    case.give(HELD, TEAM_MANAGER)
    seen(case)
    case.give(ConcludeEnquiries(outcome="conference"), TEAM_MANAGER)
    case.now += timedelta(days=7)
    planned: dict[str, Any] = {"abuse_categories": {"s0": "NEG"}, "previous_plans": {"s0": 0}}
    case.give(RecordConference(held_on=date(2026, 1, 14), outcome="child_protection_plan", **planned), TEAM_MANAGER)
    course = one(case)
    assert not case.referral.open and course.ended
    episode = the_episode(course)
    assert episode.closed is None and [plan.start for plan in episode.plans] == [date(2026, 1, 14)]
    assert the_episode(course, replace(course, root="later", received=date(2026, 3, 1))).courses[1].received == date(2026, 3, 1)


def test_a_case_that_another_authority_takes_over_is_closed_and_its_enquiry_is_over_here() -> None:
    case = decided("transfer")
    case.now += timedelta(days=2)
    case.give(AcceptHandOver(hand_over=next(iter(case.referral.offered))), DUTY)
    episode = the_episode(one(case))
    assert (episode.closed, episode.reason) == (date(2026, 6, 4), "RC5")


def test_what_a_year_returns_of_two_enquiries_that_are_one_does_not_hang_on_a_conference_of_the_next() -> None:
    no_plan = Enquiry(date(2026, 3, 3), conference=date(2026, 3, 20))
    planned = Enquiry(date(2026, 3, 10), conference=date(2026, 4, 20), planned=True)
    both = [course("2026-03-02", enquiries=(no_plan,)), course("2026-03-09", enquiries=(planned,))]
    (episode,) = episodes(both, RULE, THIS.end)
    there, _ = as_of(episode, THIS)
    assert there and [each.conference for each in there.enquiries] == [date(2026, 3, 20)]
    (later,) = episodes(both, RULE, Year(2027).end)
    there, _ = as_of(later, Year(2027))
    assert there and [(each.conference, each.planned) for each in there.enquiries] == [(date(2026, 4, 20), True)]


def test_of_two_assessments_that_are_not_finished_by_the_years_end_the_first_is_in_its_return() -> None:
    first, second = Assessment(date(2026, 3, 3), date(2026, 4, 20)), Assessment(date(2026, 3, 10))
    both = [course("2026-03-02", assessments=(first,)), course("2026-03-09", assessments=(second,))]
    (episode,) = episodes(both, RULE, THIS.end)
    there, _ = as_of(episode, THIS)
    assert there and [(each.start, each.end) for each in there.assessments] == [(date(2026, 3, 3), None)]


def test_enquiries_that_ran_beside_one_another_are_one() -> None:
    first = course("2025-06-01", enquiries=(Enquiry(date(2025, 6, 2), conference=date(2025, 6, 20), planned=True),))
    again = course("2025-06-10", enquiries=(Enquiry(date(2025, 6, 11), end=date(2025, 6, 12)),))
    (enquiry,) = the_episode(first, again).enquiries
    assert (enquiry.start, enquiry.conference, enquiry.planned) == (date(2025, 6, 2), date(2025, 6, 20), True)


# --- what was mistaken -----------------------------------------------------------------------------------------------------


def test_a_closure_that_is_corrected_in_the_next_year_changes_the_return_of_the_last() -> None:
    case = assessed("no_further_action", london("2026-02-02 10:00"))
    closed = as_of(the_episode(one(case)), THIS)[0]
    assert closed and closed.closed == date(2026, 2, 22)
    case.now = london("2026-05-12 10:00")
    case.give(ReopenReferral(), TEAM_MANAGER)
    course = one(case)
    reopened = as_of(the_episode(course), THIS)[0]
    assert reopened and reopened.closed is None
    assert [(each.on, as_of(the_episode(each.course), THIS)[0] == closed) for each in course.before] == [
        (date(2026, 5, 12), True)
    ]


def test_what_happens_after_the_year_is_not_in_its_return() -> None:
    case = assessed("no_further_action", london("2026-03-20 10:00"))
    there = as_of(the_episode(one(case)), THIS)[0]
    assert there and there.closed is None and there.assessments[0].end is None and there.assessments[0].factors == ()


def test_an_assessment_of_an_earlier_year_is_left_out_and_said() -> None:
    case = decided("section_17", london("2025-03-03 10:00"))
    there, left = as_of(the_episode(one(case)), THIS)
    assert there and there.assessments == () and [each.rule for each in left] == ["8736"]


# --- who is split, unborn, added -------------------------------------------------------------------------------------------


def test_children_who_are_decided_apart_have_each_their_own_course() -> None:
    case = at_decision("sandwell", "child", "child")
    case.give(RecordDecision(outcomes={"s0": "section_17", "s1": "no_further_action"}, primary_need="N1"), TEAM_MANAGER)
    assert case.linked
    first, second = sorted(read(case), key=lambda each: each.subject)
    assert (first.reference, second.reference) == ("R", "R-B") and first.assessments and not second.active
    assert (first.decided, second.decided) == ("section_17", "no_further_action")
    assert second.received == first.received and second.checked


def test_an_adult_is_no_child_in_the_census() -> None:
    assert [each.subject for each in read(received("sandwell", "child", "adult"))] == ["s0"]
