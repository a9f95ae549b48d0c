"""What a course is read as out of a case's log: whose it is, since when, and what was taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from hubs_at_work import (
    DUTY,
    STATUTORY_PARTNERS,
    TEAM_MANAGER,
    Case,
    at_decision,
    changed,
    london,
    outcome,
    received,
    seen,
)
from returning import cases_of, histories

from mash.config.profile import load_profile
from mash.flows.returns.children import known
from mash.flows.returns.course import Course
from mash.flows.returns.episodes import Episode, episodes
from mash.flows.returns.reading import KINDS, courses
from mash.flows.returns.year import Year
from mash.states.acts.assessment import StartAssessment
from mash.states.acts.closing import ReopenReferral
from mash.states.acts.corrections import AddSubject
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.handing_over import AcceptHandOver, OfferHandOver
from mash.states.acts.protection import CallStrategyDiscussion, ConcludeEnquiries, RecordConference, RecordStrategyDiscussion
from mash.states.acts.withdrawing import SignOffWithdrawal, WithdrawDecision
from mash.states.profile import SignOff
from mash.states.values import Details

PROFILE = load_profile("sandwell")
RULE = PROFILE.returns
HELD = RecordStrategyDiscussion(attended=STATUTORY_PARTNERS, outcome="section_47")
SIGNED = {"all": SignOff(ratings=("green",), outcomes=("section_47", "section_17"), role="team_manager")}
MORNING = london("2026-02-02 10:00")
NOW = Year(2026)


def read(case: Case) -> list[Course]:
    """The courses of a case in memory and its linked ones."""
    return sorted(courses({each.reference: each for each in cases_of(case)}), key=lambda each: each.subject)


def one(case: Case) -> Course:
    (course,) = read(case)
    return course


def the_episode(course: Course) -> Episode:
    (episode,) = episodes([course], RULE)
    return episode


def enquired(at: datetime = MORNING, *cohorts: Any) -> Case:
    """A case under section 47, its strategy discussion held."""
    case = at_decision("sandwell", *cohorts, now=at)
    case.give(outcome(case, "section_47"), TEAM_MANAGER)
    case.give(HELD, TEAM_MANAGER)
    return case


def conferred(case: Case, result: str = "child_protection_plan") -> None:
    seen(case)
    case.give(ConcludeEnquiries(outcome="conference"), TEAM_MANAGER)
    of = case.referral.subjects if result == "child_protection_plan" else ()
    why: dict[str, Any] = {"abuse_categories": dict.fromkeys(of, "NEG"), "previous_plans": dict.fromkeys(of, 0)}
    case.give(RecordConference(held_on=case.now.date(), outcome=result, **why), TEAM_MANAGER)


def taken_over(case: Case, accepted_at: datetime | None = None) -> None:
    case.give(OfferHandOver(destination="another_authority", authority="E08000025"), DUTY)
    if accepted_at:
        case.now += timedelta(days=6)
    case.give(AcceptHandOver(hand_over=next(iter(case.referral.offered)), accepted_at=accepted_at), TEAM_MANAGER)


# --- what was taken back ---------------------------------------------------------------------------------------------------


def test_what_was_begun_on_a_decision_that_was_withdrawn_never_was() -> None:
    case = at_decision("sandwell", now=MORNING)
    case.give(outcome(case, "section_17"), TEAM_MANAGER)
    case.give(WithdrawDecision(), TEAM_MANAGER)
    assert not one(case).assessments
    case.give(outcome(case, "no_further_action"), TEAM_MANAGER)
    assert the_episode(one(case)).nfa


def test_an_enquiry_about_the_wrong_child_is_in_no_file_and_is_said() -> None:
    case = enquired()
    case.give(WithdrawDecision(), TEAM_MANAGER)
    case.give(outcome(case, "no_further_action"), TEAM_MANAGER)
    course = one(case)
    assert the_episode(course).nfa and not course.enquiries
    assert [each.start for each in course.withdrawn] == [date(2026, 2, 2)]


def test_what_was_finished_before_its_decision_was_withdrawn_was_done_all_the_same() -> None:
    case = enquired()
    case.give(StartAssessment(), TEAM_MANAGER)
    conferred(case)
    case.give(WithdrawDecision(), TEAM_MANAGER)
    course = one(case)
    assert not course.assessments and course.plans and [each.planned for each in course.enquiries] == [True]


def test_a_section_47_that_came_of_a_discussion_while_a_decision_waited_is_withdrawn_as_any_other() -> None:
    case = at_decision(changed("sandwell", sign_off=SIGNED), now=MORNING)
    case.give(outcome(case, "section_17"), DUTY)
    assert case.stage == "sign_off"
    case.give(CallStrategyDiscussion(), DUTY)
    case.give(HELD, DUTY)
    assert one(case).enquiries
    case.give(WithdrawDecision(), DUTY)
    if case.referral.withdrawing:
        case.give(SignOffWithdrawal(agreed=True), TEAM_MANAGER)
    course = one(case)
    assert (case.stage, course.decided, course.enquiries) == ("decision", None, ())


def test_a_proposal_that_is_withdrawn_has_begun_nothing_and_ended_nothing() -> None:
    case = at_decision(changed("sandwell", sign_off=SIGNED), now=MORNING)
    case.give(outcome(case, "section_17"), DUTY)
    case.give(WithdrawDecision(), DUTY)
    assert (one(case).before, one(case).withdrawn) == ((), ())


# --- days ------------------------------------------------------------------------------------------------------------------


def test_a_transfer_that_is_written_down_late_ends_case_and_enquiry_on_the_day_on_which_it_was_accepted() -> None:
    case = enquired(london("2026-03-27 09:00"))
    taken_over(case, accepted_at=london("2026-03-27 15:00"))
    course = one(case)
    assert course.ended and course.ended.on == date(2026, 3, 27)
    assert [each.end for each in course.enquiries] == [date(2026, 3, 27)]
    assert the_episode(course).closed == date(2026, 3, 27)


def test_children_of_one_contact_on_paper_are_referred_on_one_day_wherever_they_go_on() -> None:
    """Reported on Monday and worked on from then, typed on Wednesday."""
    case = at_decision("sandwell", "child", "child", now=london("2026-02-04 10:00"), reported_at=london("2026-02-02 10:00"))
    asked = len(case.log)
    case.give(RecordDecision(outcomes={"s0": "section_17", "s1": "section_47"}, primary_need="N1"), TEAM_MANAGER)
    stored = {each.reference: each for each in cases_of(case)}
    on_paper = [each.model_copy(update={"happened_at": london("2026-02-03 10:00")}) for each in stored["R"].log[asked:]]
    stored["R"] = replace(stored["R"], log=[*stored["R"].log[:asked], *on_paper])
    found = {each.reference: each.received for each in courses(stored)}
    assert found == {"R": date(2026, 2, 3), "R-B": date(2026, 2, 3)}


def test_whoever_is_added_to_a_reopened_contact_is_referred_on_the_day_on_which_they_were() -> None:
    case = at_decision("sandwell", now=london("2026-01-12 10:00"))
    case.give(outcome(case, "no_further_action"), TEAM_MANAGER)
    case.now = london("2026-12-01 10:00")
    case.give(ReopenReferral(), TEAM_MANAGER)
    added = Details(stored=case.fresh_words(), kind="subject", changed=("name",), age="child")
    case.give(AddSubject(cohort="child"), DUTY, details=added)
    case.give(outcome(case, "section_17"), TEAM_MANAGER)
    courses_ = {each.subject: each for each in read(case)}
    (new,) = (each for name, each in courses_.items() if name != "s0")
    assert new.received == date(2026, 12, 1) and not new.before
    assert courses_["s0"].received == date(2026, 1, 12) and courses_["s0"].before


# --- whose -----------------------------------------------------------------------------------------------------------------


def test_a_child_under_a_plan_whom_another_authority_takes_over_is_closed_here() -> None:
    case = enquired()
    case.give(StartAssessment(), TEAM_MANAGER)
    conferred(case)
    assert case.stage == "section_17_assessment" and the_episode(one(case)).closed is None
    case.now += timedelta(days=3)
    taken_over(case)
    episode = the_episode(one(case))
    assert (episode.closed, episode.reason, episode.plans[0].end) == (date(2026, 2, 5), "RC5", date(2026, 2, 5))


def test_who_is_taken_for_an_adult_and_whose_age_nobody_knows_is_returned_as_nobodys_child() -> None:
    case = received("sandwell", "child", "child", now=MORNING)
    subjects = {**case.referral.subjects}
    subjects["s1"] = subjects["s1"].model_copy(update={"cohort": "adult", "age": None})
    (stored,) = cases_of(case)
    stored = replace(stored, state=stored.state.model_copy(update={"subjects": subjects}))
    people = {one.id: one for one in known({"R": stored}, {("R", "s0"): "CHILD", ("R", "s1"): "ADULT"}, {}, b"key")}
    assert [each.subject for each in people["CHILD"].courses] == ["s0"]
    assert people["ADULT"].courses == () and [each.subject for each in people["ADULT"].adult] == ["s1"]


def test_what_the_database_is_asked_for_of_a_log_says_the_same_as_the_whole_log() -> None:
    whole = histories(PROFILE, 12, 7, NOW.number).cases
    asked = {name: replace(case, log=[each for each in case.log if each.event.kind in KINDS]) for name, case in whole.items()}
    assert list(courses(asked)) == list(courses(whole))
    assert sum(len(case.log) for case in asked.values()) < sum(len(case.log) for case in whole.values()) / 2
