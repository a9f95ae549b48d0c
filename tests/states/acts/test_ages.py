"""Age and cohort: what is refused only when both agree, who counts as a child until then, and what becomes of the unborn."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mash.notifications.notices import notices_for
from mash.states.acts.assessment import CompleteAssessment, StartAssessment
from mash.states.acts.birth import BirthRecorded, RecordBirth
from mash.states.acts.closing import ReopenReferral
from mash.states.acts.contact import CorrectCohort, ReceiveContact
from mash.states.acts.corrections import AddSubject, CorrectDetails, RemoveSubject
from mash.states.acts.not_ours import TakeContact
from mash.states.acts.of_age import ComingOfAgeSaid, HandOverToAdults, KeepPastEighteen, SayOfAge
from mash.states.acts.protection import CallStrategyDiscussion, ConcludeEnquiries, RecordStrategyDiscussion
from mash.states.acts.rating import RateReferral
from mash.states.acts.sharing import RecordAdultView
from mash.states.acts.step_down import AcceptStepDown, OfferStepDown
from mash.states.ages import Age, age_on, of_age_on, week_of
from mash.states.entitled import possible
from mash.states.errors import ImpossibleMove, Incomplete, NotInProfile, ReasonNeeded
from mash.states.profile import Agency, Cohort
from mash.states.values import Details, Subject, Words

from .worlds import (
    BASIS,
    DUTY,
    MANAGER,
    MORNING,
    QUORUM,
    SYSTEM,
    Case,
    accepted,
    arrived,
    decision,
    hub,
    london,
    of,
    seen,
    with_plans,
)

HELD = RecordStrategyDiscussion(attended=QUORUM, outcome="section_47")
BORN = Words(item="born", hmac="0" * 64)
EXPECTED = date(2026, 11, 12)  # a Thursday
PAIRS = [(cohort, age) for cohort in get_args(Cohort) for age in (*get_args(Age), None)]
FLAG = "s0_comes_of_age_without_hand_over"
NOT_SURELY_ADULT = [pair for pair in PAIRS if pair != ("adult", "adult")]


def about(*people: tuple[str, Any], expected: date | None = None, now: datetime = MORNING) -> Case:
    """A contact at a hub like Merton's about people taken for this, and known to be that; rated, so that it can be decided."""
    case = Case(hub("merton"), now)
    subjects = tuple(
        Subject.model_validate({"id": f"s{n}", "cohort": cohort, "age": age, "expected_week": expected and week_of(expected)})
        for n, (cohort, age) in enumerate(people)
    )
    contact = {"contact": "referral", "source": "2A", "source_agency": "education", "subjects": subjects}
    case.give(ReceiveContact.model_validate(contact), SYSTEM)
    if case.stage == "to_confirm_not_ours":
        case.give(TakeContact())
    case.give(RateReferral(rating="blue"))
    return case


def in_enquiries(*people: tuple[str, Any], expected: date | None = None, now: datetime = MORNING) -> Case:
    case = about(*people, expected=expected, now=now)
    case.give(decision(**{f"s{n}": "section_47" for n in range(len(people))}), MANAGER)
    case.give(HELD)
    return case


# --- who counts as a child --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["section_47", "section_17"])
def test_sections_47_and_17_are_refused_for_who_is_surely_an_adult_and_the_refusal_names_what_corrects_that(outcome: str) -> None:
    with pytest.raises(Incomplete, match=r"correct_cohort.*correct_details"):
        about(("adult", "adult")).give(decision(s0=outcome), MANAGER)


@pytest.mark.parametrize(("cohort", "age"), NOT_SURELY_ADULT)
@pytest.mark.parametrize("outcome", ["section_47", "section_17"])
def test_they_are_refused_for_nobody_else(cohort: str, age: Any, outcome: str) -> None:
    case = about((cohort, age))
    case.give(decision(s0=outcome), MANAGER)
    assert case.stage in ("strategy_discussion", "section_17_assessment")


@pytest.mark.parametrize(("cohort", "age"), PAIRS)
def test_section_42_is_refused_only_for_who_is_surely_a_child(cohort: str, age: Any) -> None:
    case = about((cohort, age))
    if cohort == "adult":
        case.give(RecordAdultView(subject="s0", capacity="has", agrees="yes"))
    if (cohort, age) in (("child", "child"), ("unborn", "unborn")):
        with pytest.raises(Incomplete, match="correct_cohort"):
            case.give(decision(s0="adult_section_42"), MANAGER)
        return
    case.give(decision(s0="adult_section_42"), MANAGER)
    assert case.stage == "adult_section_42"


def test_a_strategy_discussion_about_adults_alone_does_not_end_in_section_47_and_with_a_child_it_does() -> None:
    for people, stage in ((("adult", "adult"),), "triage"), ((("adult", "adult"), ("child", "child")), "enquiries"):
        case = arrived(hub("sandwell"), *(cohort for cohort, _ in people), immediate_danger=True)
        case.give(CallStrategyDiscussion())
        if stage == "enquiries":
            case.give(HELD)
        else:
            with pytest.raises(Incomplete, match="section 47 is for children"):
                case.give(HELD)
            case.give(HELD.model_copy(update={"outcome": "no_section_47"}))
        assert case.stage == stage


@pytest.mark.parametrize("age", ["child", "doubtful", None])
def test_a_hub_for_children_sees_a_contact_about_who_may_be_one(age: Any) -> None:
    subject = Subject.model_validate({"id": "s0", "cohort": "adult", "age": age})
    case = Case(hub("merton"))
    case.give(ReceiveContact(contact="referral", source="2A", source_agency="education", subjects=(subject,)), SYSTEM)
    assert case.stage == "triage"


def test_nobody_waits_for_the_wishes_of_who_may_be_a_child() -> None:
    case = about(("adult", "doubtful"))
    case.give(RecordAdultView(subject="s0", capacity="has", agrees="no"))
    case.give(BASIS)
    assert case.referral.sharing is True
    with pytest.raises(Incomplete, match="record_adult_view"):
        about(("adult", "adult")).give(BASIS)


def test_an_adult_is_offered_early_help_without_the_assessment_of_a_child() -> None:
    case = about(("adult", "adult"))
    case.profile = hub("merton", assess_first=("early_help",))
    case.give(decision(s0="early_help"), MANAGER)
    assert case.stage == "step_down_preparing"


CORRECTIONS = st.lists(
    st.one_of(
        st.builds(CorrectCohort, subject=st.just("s0"), cohort=st.sampled_from(get_args(Cohort))),
        st.builds(SayOfAge, subject=st.just("s0"), when=st.sampled_from(("soon", "today"))),
        st.just(RecordAdultView(subject="s0", capacity="has", agrees="no")),
        st.just(KeepPastEighteen(subject="s0")),
        st.just(HandOverToAdults(subject="s0", to="adult_social_care")),
        st.sampled_from((*get_args(Age), None)),
    ),
    max_size=6,
)


@given(st.sampled_from(NOT_SURELY_ADULT), CORRECTIONS)
def test_no_sequence_of_facts_that_contradict_has_an_act_refused_that_protects(first: tuple[str, Any], facts: list[Any]) -> None:
    case = about(first)
    for fact in facts:
        try:
            if fact is None or isinstance(fact, str):
                corrected(case, "s0", age=fact)
            else:
                case.give(fact, SYSTEM if isinstance(fact, SayOfAge) else DUTY)
        except (ImpossibleMove, Incomplete):
            continue  # such as the view of an adult of who is not taken for one
    if not case.referral.subjects["s0"].counts_as_child:
        return
    case.give(BASIS)
    case.give(decision(s0="section_47"), MANAGER)
    case.give(HELD)
    case.give(StartAssessment())
    assert case.stage == "enquiries" and case.referral.assessment_under_way


# --- what is flagged --------------------------------------------------------------------------------------------------


def test_the_flag_of_a_contradiction_is_made_anew_when_the_cohort_is_corrected() -> None:
    case = about(("child", "child"))
    case.give(CorrectCohort(subject="s0", cohort="adult"))
    assert case.referral.flags == ("s0_age_contradicts_cohort",)
    case.give(CorrectCohort(subject="s0", cohort="child"))
    assert case.referral.flags == ()


def test_an_adult_of_unknown_age_is_flagged_when_they_are_taken_for_one_and_no_more_when_they_are_not() -> None:
    case = about(("child", None))
    case.give(CorrectCohort(subject="s0", cohort="adult"))
    assert case.referral.flags == ("s0_age_not_known",)
    case.give(CorrectCohort(subject="s0", cohort="unknown"))
    assert case.referral.flags == ()


def test_who_is_of_age_on_29_february_and_who_was_born_or_is_expected_on_no_day_that_can_be() -> None:
    assert of_age_on(date(2008, 2, 29)) == date(2026, 3, 1)
    today = date(2026, 6, 2)
    assert [age_on(today, date(*born)) for born in ((2008, 6, 2), (2008, 6, 3), (2062, 1, 1), (1900, 1, 1))] == [
        "adult", "child", "doubtful", "doubtful",
    ]  # fmt: skip
    assert [age_on(today, None, date(*day)) for day in ((2026, 9, 1), (2026, 5, 20), (2025, 9, 1), (2028, 1, 1))] == [
        "unborn", "unborn", "doubtful", "doubtful",
    ]  # fmt: skip


def corrected(case: Case, sid: str, *fields: str, **known: Any) -> list[Any]:
    """Details are put right; without fields, the day from which an age is reckoned."""
    came = {"stored": BORN, "kind": "subject", "subject": sid, "changed": fields or ("date_of_birth", "expected_date")}
    return case.give(CorrectDetails(item=sid), details=Details.model_validate({**came, **known}))


def test_a_birthday_that_is_put_right_ends_the_contradiction_and_what_is_refused_then_is_refused_for_good_reason() -> None:
    case = about(("adult", "child"))
    assert case.referral.subjects["s0"].counts_as_child
    corrected(case, "s0", age="adult")
    assert case.referral.flags == () and case.referral.only_adults
    with pytest.raises(Incomplete, match="Children Act"):
        case.give(decision(s0="section_47"), MANAGER)
    corrected(case, "s0", age=None)
    assert case.referral.flags == ("s0_age_not_known",) and case.referral.subjects["s0"].counts_as_child
    corrected(case, "s0", age="doubtful")
    assert case.referral.flags == ("s0_date_of_birth_doubtful",)


def test_by_another_name_nobody_is_of_another_age_and_that_they_come_of_age_stays_said() -> None:
    case = about(("child", "child"))
    case.give(SayOfAge(subject="s0", when="soon"), SYSTEM)
    corrected(case, "s0", "name", age="adult")  # whose birthday it is today: that is said by itself
    kept = case.referral.subjects["s0"]
    assert (kept.age, kept.coming_of_age) == ("child", "soon")
    corrected(case, "s0", "date_of_birth", age="child")
    assert case.referral.subjects["s0"].coming_of_age is None, "on another day, of which nothing was said"


def test_of_whom_nothing_was_known_the_age_is_known_once_anything_is_put_right() -> None:
    case = about(("child", None))
    corrected(case, "s0", "name", age="child")
    assert case.referral.subjects["s0"].surely == "child"


def test_somebody_who_is_added_has_an_age_and_a_week_too() -> None:
    case = about(("child", "child"))
    right = {
        "stored": BORN,
        "kind": "subject",
        "changed": ("expected_date",),
        "age": "unborn",
        "expected_week": week_of(EXPECTED),
    }
    case.give(AddSubject(cohort="adult"), details=Details.model_validate(right))
    (added,) = set(case.referral.subjects) - {"s0"}
    known = case.referral.subjects[added]
    assert (known.age, known.expected_week) == ("unborn", week_of(EXPECTED))
    assert f"{added}_age_contradicts_cohort" in case.referral.flags


# --- an unborn child --------------------------------------------------------------------------------------------------


def test_the_conference_about_an_unborn_child_is_due_twelve_weeks_before_the_week_of_the_birth_once_there_are_enquiries() -> None:
    case = in_enquiries(("unborn", "unborn"), expected=EXPECTED)
    # 17 August 2026 is twelve weeks before Monday 9 November; the Thursday cannot be told from it.
    assert case.clock("pre_birth_conference").due_at == london("2026-08-17 12:00")
    assert case.running("initial_conference")


def test_where_it_is_too_late_for_that_it_is_due_before_the_week_of_the_birth_and_in_that_week_no_more() -> None:
    case = in_enquiries(("unborn", "unborn"), expected=date(2026, 6, 25))
    assert case.clock("pre_birth_conference").due_at == london("2026-06-22 12:00")
    assert not in_enquiries(("unborn", "unborn"), expected=date(2026, 6, 4)).running("pre_birth_conference")
    assert not in_enquiries(("child", "child")).running("pre_birth_conference")


def test_the_conference_meets_it() -> None:
    case = in_enquiries(("unborn", "unborn"), expected=EXPECTED)
    case.give(ConcludeEnquiries(outcome="conference"), MANAGER)
    case.give(with_plans(case.now.date(), s0="child_protection_plan"), MANAGER)
    assert case.clock("pre_birth_conference").met is True


def test_the_birth_ends_it_and_the_case_goes_on_about_the_same_child() -> None:
    case = in_enquiries(("unborn", "unborn"), ("child", "child"), expected=EXPECTED)
    others = {clock.id for clock in case.referral.running} - {"pre_birth_conference"}
    (recorded,) = of(BirthRecorded, birth(case, "s0", age="child"))
    assert recorded.details == BORN and recorded.instead_of == "before"
    assert case.clock("pre_birth_conference").met is False
    assert {clock.id for clock in case.referral.running} == others
    born = case.referral.subjects["s0"]
    assert (born.cohort, born.age, born.expected_week, born.surely) == ("child", "child", None, "child")
    assert case.referral.superseded == {"before": "born"} and case.stage == "enquiries"


def test_of_twins_the_clock_waits_for_the_second() -> None:
    case = in_enquiries(("unborn", "unborn"), ("unborn", "unborn"), expected=EXPECTED)
    birth(case, "s0", age="child")
    assert [clock.id for clock in case.running("pre_birth_conference")] == ["pre_birth_conference.2"]


def test_a_week_that_is_put_right_moves_what_is_due_by_it() -> None:
    case = in_enquiries(("unborn", "unborn"), ("child", "child"), expected=EXPECTED)
    corrected(case, "s0", "expected_date", age="unborn", expected_week=date(2026, 10, 12))
    (clock,) = case.running("pre_birth_conference")
    assert clock.due_at == london("2026-07-20 12:00")
    corrected(case, "s0", "name", age="unborn", expected_week=date(2026, 10, 12))
    assert [each.id for each in case.running("pre_birth_conference")] == [clock.id], "a name moves no clock"
    case.give(RemoveSubject(subject="s0"))
    assert not case.running("pre_birth_conference")


def test_one_whose_day_was_missing_is_expected_from_when_it_is_known() -> None:
    case = in_enquiries(("unborn", None))
    assert not case.running("pre_birth_conference")
    corrected(case, "s0", "expected_date", age="unborn", expected_week=week_of(EXPECTED))
    assert case.clock("pre_birth_conference").due_at == london("2026-08-17 12:00")


def test_who_turns_out_to_be_unborn_is_waited_for_and_who_turns_out_not_to_be_is_not() -> None:
    case = in_enquiries(("child", "unborn"), expected=EXPECTED)
    assert not case.running("pre_birth_conference")
    case.give(CorrectCohort(subject="s0", cohort="unborn"))
    assert case.clock("pre_birth_conference").due_at == london("2026-08-17 12:00")
    case.give(CorrectCohort(subject="s0", cohort="child"))
    assert not case.running("pre_birth_conference")


def test_a_birth_needs_its_day_and_a_day_that_cannot_be_is_flagged() -> None:
    case = about(("unborn", "unborn"))
    for missing in (None, "unborn"):
        with pytest.raises(Incomplete, match="date_of_birth"):
            birth(case, "s0", age=missing)
    birth(case, "s0", age="doubtful")
    assert case.referral.flags == ("s0_date_of_birth_doubtful",) and case.referral.subjects["s0"].counts_as_child
    with pytest.raises(ImpossibleMove):
        birth(case, "s0", age="child")


def birth(case: Case, sid: str, age: Any) -> list[Any]:
    details = Details(stored=BORN, kind="subject", subject=sid, before="before", age=age)
    return super(Case, case).give(RecordBirth(subject=sid), DUTY, details=details)


def test_a_split_takes_the_age_and_the_week_along() -> None:
    case = about(("unborn", "unborn"), ("child", "child"), expected=EXPECTED)
    case.give(decision(s0="section_17", s1="section_47"), MANAGER)
    (linked,) = case.linked.values()
    assert linked.referral.subjects["s0"].expected_week == date(2026, 11, 9)
    assert linked.referral.subjects["s0"].surely == "unborn"


def test_a_midwife_is_invited_where_the_hub_names_one_and_can_have_attended_anywhere() -> None:
    case = about(("unborn", "unborn"))
    case.give(decision(s0="section_47"), MANAGER)
    case.give(HELD.model_copy(update={"attended": (*QUORUM, "midwife")}))
    assert case.stage == "enquiries"
    midwife = Agency(title="Midwifery", role="midwife", lead="midwifery_lead", cohorts=("unborn",), asked="on_request")
    for cohort, invited in (("unborn", True), ("child", False)):
        case = about((cohort, cohort))
        case.profile = hub("merton", agencies={**case.profile.agencies, "midwife": midwife})
        before, events = case.referral, case.give(decision(s0="section_47"), MANAGER)
        notices = notices_for("R", before, case.referral, events, case.profile, SYSTEM, case.now)
        assert ("midwife" in {notice.role for notice in notices if notice.kind == "strategy_discussion"}) is invited


# --- coming of age ----------------------------------------------------------------------------------------------------


def test_coming_of_age_is_said_once_each_and_the_cohort_stays_what_it_is() -> None:
    case = about(("child", "child"))
    for when, times in (("soon", 1), ("soon", 0), ("today", 1), ("today", 0), ("soon", 0)):
        assert len(of(ComingOfAgeSaid, case.give(SayOfAge(subject="s0", when=when), SYSTEM))) == times
    subject = case.referral.subjects["s0"]
    assert (subject.cohort, subject.age, subject.coming_of_age) == ("child", "adult", "today")
    assert case.referral.flags == ("s0_age_contradicts_cohort",)


@pytest.mark.parametrize("first", ["hand over", "birthday"])
def test_whoever_is_handed_over_is_an_adult_from_the_birthday(first: str) -> None:
    case = about(("child", "child"))
    case.give(SayOfAge(subject="s0", when="soon"), SYSTEM)
    case.give(HandOverToAdults(subject="s0", to="adult_social_care"))
    steps = [lambda: accepted(case), lambda: birthday(case)]
    for step in steps if first == "hand over" else reversed(steps):
        assert case.referral.subjects["s0"].counts_as_child
        step()
    assert case.referral.subjects["s0"].surely == "adult" and case.referral.flags == ()


def birthday(case: Case) -> list[Any]:
    return case.give(SayOfAge(subject="s0", when="today"), SYSTEM)


@pytest.mark.parametrize("outcome", ["no_further_action", "advice", "information_provided"])
def test_a_case_does_not_end_over_who_came_of_age_until_they_are_handed_over_or_kept_with_a_reason(outcome: str) -> None:
    case = about(("child", "child"))
    birthday(case)
    with pytest.raises(Incomplete, match=r"hand_over_to_adults.*keep_past_eighteen"):
        case.give(decision(s0=outcome), MANAGER)
    with pytest.raises(ReasonNeeded):
        case.give(KeepPastEighteen(subject="s0"), words=False)
    case.give(KeepPastEighteen(subject="s0"))
    case.give(decision(s0=outcome), MANAGER)
    assert not case.referral.open


def test_nor_does_one_that_parts_into_two_that_leave_everybody_with_nothing() -> None:
    case = about(("child", "child"), ("child", "child"))
    birthday(case)
    with pytest.raises(Incomplete, match="s0 came of age"):
        case.give(decision(s0="no_further_action", s1="advice"), MANAGER)


@pytest.mark.parametrize("protects", ["section_47", "section_17", "early_help", "transfer"])
def test_what_protects_a_sibling_waits_for_no_hand_over_and_whoever_came_of_age_is_flagged_where_their_case_ended(
    protects: str,
) -> None:
    case = about(("child", "child"), ("child", "child"))
    birthday(case)
    case.give(decision(s0="no_further_action", s1=protects), MANAGER)
    assert "s1" in case.referral.subjects and "s0" not in case.referral.subjects
    (linked,) = case.linked.values()
    assert not linked.referral.open and FLAG in linked.referral.flags
    assert FLAG not in case.referral.flags, "it stands where somebody can still do it"


def test_a_case_that_ended_without_a_hand_over_offers_it_until_it_is_done_or_the_case_is_opened_again() -> None:
    case = about(("child", "child"))
    birthday(case)
    case.give(decision(s0="transfer"), MANAGER)
    accepted(case)
    assert not case.referral.open and FLAG in case.referral.flags
    assert {"hand_over_to_adults", "keep_past_eighteen"} <= {*possible(case.referral)}
    case.give(ReopenReferral(), MANAGER)
    assert FLAG not in case.referral.flags
    with pytest.raises(Incomplete, match="hand_over_to_adults"):
        case.give(decision(s0="no_further_action"), MANAGER)
    case.give(decision(s0="transfer"), MANAGER)
    accepted(case)
    case.give(HandOverToAdults(subject="s0", to="adult_social_care"))
    assert FLAG in case.referral.flags, "nobody has accepted them yet"
    accepted(case)
    assert FLAG not in case.referral.flags and not {"hand_over_to_adults"} & {*possible(case.referral)}


def test_the_reason_for_keeping_them_ends_the_flag_too_and_so_does_another_birthday() -> None:
    def kept(case: Case) -> None:
        case.give(KeepPastEighteen(subject="s0"))

    def a_child(case: Case) -> None:
        corrected(case, "s0", age="child")

    for settles in (kept, a_child):
        case = about(("child", "child"))
        birthday(case)
        case.give(decision(s0="transfer"), MANAGER)
        accepted(case)
        settles(case)
        assert FLAG not in case.referral.flags


@pytest.mark.parametrize(
    "results", [("child_protection_plan", "no_plan"), ("no_plan", "no_plan"), ("no_plan", "child_protection_plan")]
)
def test_a_conference_that_was_held_is_recorded_though_somebody_came_of_age(results: Any) -> None:
    case = in_enquiries(("child", "child"), ("child", "child"))
    birthday(case)
    seen(case)
    case.give(ConcludeEnquiries(outcome="conference"), MANAGER)
    case.give(with_plans(case.now.date(), **dict(zip(("s0", "s1"), results, strict=True))), MANAGER)
    assert not case.referral.open and FLAG in case.referral.flags


def test_enquiries_conclude_and_a_service_accepts_though_somebody_came_of_age() -> None:
    case = in_enquiries(("child", "child"), ("child", "child"))
    birthday(case)
    seen(case)
    case.give(ConcludeEnquiries(outcome="no_further_child_protection_action"), MANAGER)
    assert not case.referral.open and FLAG in case.referral.flags
    case = about(("child", "child"))
    case.give(decision(s0="early_help"), MANAGER)
    birthday(case)
    case.give(OfferStepDown(service=next(iter(case.profile.services))))
    case.give(AcceptStepDown(), MANAGER)
    assert not case.referral.open and FLAG in case.referral.flags


@pytest.mark.parametrize("sibling", ["child_in_need_plan", "early_help", "no_further_action"])
def test_an_assessment_that_finds_help_for_a_sibling_is_complete_and_one_that_finds_none_for_anybody_waits(sibling: Any) -> None:
    case = about(("child", "child"), ("child", "child"))
    case.give(decision(s0="section_17", s1="section_17"), MANAGER)
    birthday(case)
    seen(case)
    complete = CompleteAssessment(outcomes={"s0": "no_further_action", "s1": sibling}, factors=("21",))
    if sibling == "no_further_action":
        with pytest.raises(Incomplete, match="s0 came of age"):
            case.give(complete, MANAGER)
        return
    case.give(complete, MANAGER)
    assert not case.referral.open and FLAG in case.referral.flags


def test_nobody_is_handed_over_who_does_not_come_of_age() -> None:
    case = about(("child", "child"), ("child", "child"))
    with pytest.raises(ImpossibleMove):
        case.give(HandOverToAdults(subject="s0", to="adult_social_care"))
    birthday(case)
    with pytest.raises(Incomplete, match="s1 does not come of age"):
        case.give(HandOverToAdults(subject="s1", to="adult_social_care"))
    with pytest.raises(NotInProfile, match="adult_social_care"):
        case.give(HandOverToAdults(subject="s0", to="nowhere"))


def test_the_manager_on_duty_is_told_without_saying_whom() -> None:
    case = about(("child", "child"))
    before, events = case.referral, birthday(case)
    (notice,) = notices_for("R", before, case.referral, events, case.profile, SYSTEM, case.now)
    assert (notice.kind, notice.role, notice.facts["of_age"]) == ("coming_of_age", "duty_manager", True)
    assert "s0" not in str(notice.facts.values())
