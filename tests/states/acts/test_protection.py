"""Section 47 and assessments, child by child: what a conference gave each, who has seen them, and what they say."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from mash.states.acts.assessment import AssessmentCompleted, CompleteAssessment, StartAssessment
from mash.states.acts.child_voice import ChildVoiceRecorded, RecordChildVoice
from mash.states.acts.closing import ReopenReferral, SubjectsConcluded
from mash.states.acts.contact import CorrectCohort
from mash.states.acts.disagreements import RaiseDisagreement, SettleDisagreement
from mash.states.acts.information import ReleaseInformation
from mash.states.acts.parting import ReferralSplit
from mash.states.acts.protection import (
    CallStrategyDiscussion,
    ConcludeEnquiries,
    ConferenceHeld,
    EnquiriesConcluded,
    RecordConference,
    RecordStrategyDiscussion,
)
from mash.states.acts.step_down import AcceptStepDown, OfferStepDown, ReturnStepDown
from mash.states.errors import Incomplete, NotInProfile, NotYours, ReasonNeeded
from mash.states.fold import evolve
from mash.states.referral import Referral
from mash.states.retention import keep_until
from mash.states.world import World

from .worlds import (
    BASIS,
    DUTY,
    MANAGER,
    MORNING,
    NOT_SHARED,
    QUORUM,
    Case,
    at_decision,
    decision,
    hub,
    of,
    partner,
    person,
    rated,
    seen,
    with_plans,
)

SECTION_47 = RecordStrategyDiscussion(attended=QUORUM, outcome="section_47")
TO_CONFERENCE = ConcludeEnquiries(outcome="conference")
NO_FURTHER = ConcludeEnquiries(outcome="no_further_child_protection_action")
HOME = person("early_help", "early_help")
TODAY = date(2026, 6, 2)


def enquiries(*cohorts: Any) -> Case:
    """Children for whom section 47 enquiries have begun."""
    case = at_decision(None, *cohorts, immediate_danger=True)
    case.give(CallStrategyDiscussion())
    case.give(SECTION_47)
    return case


def planned(*cohorts: Any, beside: bool = True) -> Case:
    """A conference gave a child protection plan; perhaps while an assessment ran beside the enquiries."""
    case = seen(enquiries(*cohorts))
    if beside:
        case.give(StartAssessment())
    case.give(TO_CONFERENCE, MANAGER)
    case.give(with_plans(TODAY, **dict.fromkeys(case.referral.subjects, "child_protection_plan")))
    return case


def assessed(outcome: Any = "", **outcomes: Any) -> CompleteAssessment:
    """An assessment that found so of all, or of each."""
    return CompleteAssessment(factors=("1A",), outcome=outcome or None, outcomes=outcomes, transfer_to="E06000999")


def outcomes(case: Case) -> dict[str, str | None]:
    """The outcome of each subject of the contact, wherever it goes on."""
    everywhere = (case.referral, *(each.referral for each in case.linked.values()))
    return {sid: subject.outcome for referral in everywhere for sid, subject in referral.subjects.items()}


def folded(case: World) -> Referral:
    """The state that the log folds to anew."""
    state: Referral | None = None
    for entry in case.log:
        state = evolve(state, entry.event, entry.at, entry.by)
    assert state is not None
    return state


# What a conference gave a child


def test_an_assessment_that_ends_after_the_conference_does_not_take_the_plan_away() -> None:
    case = planned()
    assert case.stage == "section_17_assessment"
    case.give(assessed("no_further_action"))
    assert case.stage == "assessment_concluded" and outcomes(case) == {"s0": "child_protection_plan"}
    assert of(SubjectsConcluded, (entry.event for entry in case.log))[-1].outcome == "child_protection_plan"
    assert folded(case) == case.referral


def test_a_log_of_an_earlier_version_that_lost_the_plan_folds_to_it() -> None:
    """The history that showed the fault, with the last event as version 0.1 wrote it."""
    case = planned()
    case.give(assessed("no_further_action"))
    for number, entry in enumerate(case.log):
        if isinstance(entry.event, SubjectsConcluded):
            case.log[number] = entry._replace(event=entry.event.model_copy(update={"outcome": "no_further_action"}))
    assert folded(case).subjects["s0"].outcome == "child_protection_plan"


def test_people_are_kept_as_long_as_the_plan_asks() -> None:
    years = {"child_protection_plan": 75, "section_47": 30, "section_17": 10, "no_further_action": 6, "no_plan": 1}
    profile = hub("merton")
    profile = profile.model_copy(update={"retention": profile.retention.model_copy(update={"years": years})})
    case = planned()
    case.give(assessed("no_further_action"))
    for clock in case.referral.running:
        case.run_to(clock.due_at)
    done = case.referral.model_copy(update={"clocks": {}})
    kept = keep_until([done], profile)
    assert kept is not None and kept.year == case.referral.stage_since.year + 75


def test_a_child_on_a_plan_is_not_stepped_down_nor_transferred_by_an_assessment() -> None:
    case = planned()
    with pytest.raises(Incomplete, match="receiving authority's conference takes it over: s0"):
        case.give(assessed("transfer"))
    case.give(assessed("early_help"))
    assert (case.stage, outcomes(case)) == ("assessment_concluded", {"s0": "child_protection_plan"})


def test_a_reopened_case_of_a_child_on_a_plan_is_decided_as_child_protection_until_a_conference_ends_the_plan() -> None:
    case = planned(beside=False)
    case.give(ReopenReferral(), MANAGER)
    for outcome in ("no_further_action", "early_help", "transfer"):
        with pytest.raises(Incomplete, match="a child protection plan stands until a conference ends it"):
            case.give(decision(s0=outcome), MANAGER)
    case.give(decision(s0="section_47"), MANAGER)
    case.give(SECTION_47)
    case.give(TO_CONFERENCE, MANAGER)
    case.give(RecordConference(held_on=TODAY, outcome="no_plan"))
    assert outcomes(case) == {"s0": "no_plan"}


# A second assessment


def test_a_second_assessment_begins_without_what_the_first_one_found_and_can_be_completed() -> None:
    case = seen(at_decision())
    case.give(decision(s0="section_17"), MANAGER)
    case.give(assessed("early_help"))
    case.give(OfferStepDown(service="early_help"))
    case.give(ReturnStepDown(), HOME)
    case.give(CallStrategyDiscussion())
    case.give(SECTION_47)
    case.give(StartAssessment())
    assert case.referral.subjects["s0"].assessment is None
    case.give(NO_FURTHER, MANAGER)
    assert case.stage == "section_17_assessment"
    case.give(assessed("child_in_need_plan"))
    assert outcomes(case) == {"s0": "child_in_need_plan"} and folded(case) == case.referral


# Siblings


def test_of_two_siblings_one_has_a_plan_and_the_other_none() -> None:
    case = seen(enquiries("child", "child"))
    case.give(TO_CONFERENCE, MANAGER)
    case.give(with_plans(TODAY, s0="child_protection_plan", s1="no_plan"))
    assert outcomes(case) == {"s0": "child_protection_plan", "s1": "no_plan"}
    concluded = of(SubjectsConcluded, (entry.event for entry in case.log))
    assert [(each.subjects, each.outcome) for each in concluded] == [(("s0",), "child_protection_plan"), (("s1",), "no_plan")]
    assert not case.linked, "where both end, nobody goes on"


def test_what_was_decided_of_one_child_is_not_said_of_the_other_once_the_assessment_ends() -> None:
    case = seen(enquiries("child", "child"))
    case.give(StartAssessment())
    case.give(TO_CONFERENCE, MANAGER)
    case.give(with_plans(TODAY, s0="child_protection_plan", s1="no_plan"))
    case.give(assessed("no_further_action"))
    assert outcomes(case) == {"s0": "child_protection_plan", "s1": "no_further_action"}


def test_who_needs_early_help_goes_on_as_a_linked_referral_and_who_has_a_plan_does_not() -> None:
    case = seen(enquiries("child", "child"))
    case.give(StartAssessment())
    case.give(TO_CONFERENCE, MANAGER)
    case.give(with_plans(TODAY, s0="child_protection_plan", s1="no_plan"))
    events = case.give(assessed(s0="child_in_need_plan", s1="early_help"))
    (split,) = of(ReferralSplit, events)
    assert (split.subjects, split.outcome) == (("s1",), "early_help")
    assert (case.stage, case.referral.subjects["s0"].outcome) == ("assessment_concluded", "child_protection_plan")
    other = case.linked["R-B"]
    assert other.stage == "step_down_preparing" and list(other.referral.subjects) == ["s1"]
    # What was found of the child goes with the child; the referrer is not told a second time.
    known = other.referral.subjects["s1"]
    assert (known.conference, known.assessment, known.factors, known.seen_on) == ("no_plan", "early_help", ("1A",), TODAY)
    assert other.referral.decided_at == case.referral.decided_at
    assert not [clock for clock in other.referral.running if clock.kind == "outcome_told"]
    other.give(OfferStepDown(service="early_help"), DUTY)
    other.give(AcceptStepDown(), HOME, words=other.fresh_words())
    assert outcomes(case) == {"s0": "child_protection_plan", "s1": "early_help"} and folded(other) == other.referral


def test_three_siblings_three_ways_after_one_assessment() -> None:
    case = seen(at_decision(None, "child", "child", "child"))
    case.give(decision(s0="section_17", s1="section_17", s2="section_17"), MANAGER)
    case.give(assessed(s0="transfer", s1="early_help", s2="child_in_need_plan"))
    stages = {sid: each.stage for each in (case, *case.linked.values()) for sid in each.referral.subjects}
    assert stages == {"s0": "transfer_offered", "s1": "step_down_preparing", "s2": "assessment_concluded"}


def test_where_all_go_on_the_gravest_way_stays_and_only_the_others_begin_anew() -> None:
    case = seen(at_decision(None, "child", "child"))
    case.give(decision(s0="section_17", s1="section_17"), MANAGER)
    case.give(assessed(s0="transfer", s1="early_help"))
    assert (case.stage, list(case.referral.subjects)) == ("step_down_preparing", ["s1"])
    assert case.linked["R-B"].stage == "transfer_offered"
    assert [each.authority for each in case.linked["R-B"].referral.offered.values()] == ["E06000999"]


def test_help_that_an_assessment_beside_the_enquiries_found_for_one_of_two_is_offered_to_that_one() -> None:
    case = seen(enquiries("child", "child"))
    case.give(StartAssessment())
    case.give(assessed(s0="early_help", s1="no_further_action"))
    case.give(NO_FURTHER, MANAGER)
    assert outcomes(case) == {"s0": None, "s1": "no_further_child_protection_action"}
    assert case.linked["R-B"].stage == "step_down_preparing" and list(case.linked["R-B"].referral.subjects) == ["s0"]


def test_each_childs_factors_are_their_own() -> None:
    case = seen(at_decision(None, "child", "child"))
    case.give(decision(s0="section_17", s1="section_17"), MANAGER)
    found = CompleteAssessment(factors_of={"s0": ("1A", "4B"), "s1": ("21",)}, outcome="child_in_need_plan")
    (event,) = of(AssessmentCompleted, case.give(found))
    assert event.factors_of == {"s0": ("1A", "4B"), "s1": ("21",)} and event.factors == ()
    assert {sid: s.factors for sid, s in case.referral.subjects.items()} == {"s0": ("1A", "4B"), "s1": ("21",)}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"factors": ("1A",)}, "outcome"),
        ({"factors": ("1A",), "outcome": "early_help", "outcomes": {"s0": "early_help", "s1": "early_help"}}, "outcome"),
        ({"factors": ("1A",), "outcomes": {"s0": "early_help"}}, "outcomes names each subject: s0, s1"),
        ({"outcome": "early_help"}, "factors"),
        ({"factors_of": {"s0": ("1A",)}, "outcome": "early_help"}, "factors_of names each subject: s0, s1"),
        ({"factors_of": {"s0": ("21", "1A"), "s1": ("1A",)}, "outcome": "early_help"}, "8869"),
    ],
)
def test_what_an_assessment_found_is_said_of_all_or_of_each_and_of_everybody(fields: dict[str, Any], expected: str) -> None:
    case = seen(at_decision(None, "child", "child"))
    case.give(decision(s0="section_17", s1="section_17"), MANAGER)
    with pytest.raises(Incomplete, match=expected):
        case.give(CompleteAssessment(**fields))


def test_a_conference_gives_a_result_to_each_child() -> None:
    case = seen(enquiries("child", "child"))
    case.give(TO_CONFERENCE, MANAGER)
    of_a_stranger = with_plans(TODAY, s0="no_plan", s1="no_plan", s9="no_plan")
    for wrong in (with_plans(TODAY, s0="no_plan"), RecordConference(held_on=TODAY), of_a_stranger):
        with pytest.raises(Incomplete):
            case.give(wrong)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, r"the category of abuse of each child who gets a plan: s0 \(abuse_categories\)"),
        ({"abuse_categories": {"s0": "NEG"}}, r"before of each child who gets a plan: s0 \(previous_plans\)"),
        ({"previous_plans": {"s0": 1}}, r"\(abuse_categories\)"),
        (
            {"abuse_categories": {"s0": "NEG", "s1": "PHY"}, "previous_plans": {"s0": 0}},
            r"get no plan: leave them out, and say it of s0 \(abuse_categories\)",
        ),
        (
            {"abuse_categories": {"s0": "NEG"}, "previous_plans": {"s0": 0, "s9": 2}},
            r"get no plan: leave them out, and say it of s0 \(previous_plans\)",
        ),
    ],
)
def test_of_each_child_who_gets_a_plan_and_of_nobody_else_it_is_said_why_and_how_many_there_were_before(
    fields: dict[str, Any], expected: str
) -> None:
    case = seen(enquiries("child", "child"))
    case.give(TO_CONFERENCE, MANAGER)
    results: Any = {"s0": "child_protection_plan", "s1": "no_plan"}
    with pytest.raises(Incomplete, match=expected):
        case.give(RecordConference(held_on=TODAY, outcomes=results, **fields))
    said: Any = {"abuse_categories": {"s0": "MUL"}, "previous_plans": {"s0": 2}}
    (held,) = of(ConferenceHeld, case.give(RecordConference(held_on=TODAY, outcomes=results, **said)))
    assert (held.abuse_categories, held.previous_plans) == ({"s0": "MUL"}, {"s0": 2})


def test_without_a_plan_nothing_is_said_of_one_and_a_log_from_before_it_was_asked_folds_as_it_did() -> None:
    case = seen(enquiries())
    case.give(TO_CONFERENCE, MANAGER)
    why: Any = {"abuse_categories": {"s0": "NEG"}, "previous_plans": {"s0": 0}}
    with pytest.raises(Incomplete, match="say it of nobody"):
        case.give(RecordConference(held_on=TODAY, outcome="no_plan", **why))
    case.give(RecordConference(held_on=TODAY, outcome="child_protection_plan", **why))
    place = next(n for n, entry in enumerate(case.log) if isinstance(entry.event, ConferenceHeld))
    before = case.log[place].event.model_dump_json(by_alias=True, exclude={"abuse_categories", "previous_plans"})
    case.log[place] = case.log[place]._replace(event=ConferenceHeld.model_validate_json(before))
    assert "abuse" not in before and folded(case) == case.referral


# A rating that is settled as it is


def test_a_dispute_that_is_settled_to_the_rating_already_held_says_that_rating() -> None:
    case = rated(hub("sandwell"), "amber")
    case.give(RaiseDisagreement(about="rating", rating="red"), partner("police"))
    referee = person(case.referral.disagreements["D1"].role)
    case.give(SettleDisagreement(disagreement="D1", outcome="changed", rating="amber"), referee)
    (settled,) = [entry.event for entry in case.log if entry.event.kind == "disagreement_settled"]
    assert settled.rating == "amber" == case.referral.rating


# Seen, and heard


def test_nothing_about_a_child_is_final_before_somebody_has_seen_the_child() -> None:
    case = enquiries()
    assert case.referral.unseen == ("s0",)
    for outcome in (TO_CONFERENCE, NO_FURTHER):
        with pytest.raises(Incomplete, match=r"nobody has seen s0 yet.*record_child_voice"):
            case.give(outcome, MANAGER)
    case.give(StartAssessment())
    with pytest.raises(Incomplete, match="nobody has seen s0 yet"):
        case.give(assessed("child_in_need_plan"))
    case.give(RecordChildVoice(subject="s0", seen_on=TODAY, alone=True), person("social_worker"))
    assert case.referral.unseen == () and case.referral.subjects["s0"].heard
    case.give(NO_FURTHER, MANAGER)


def test_or_it_is_said_of_each_unseen_child_why_not_in_words_too() -> None:
    case = enquiries("child", "child")
    case.give(RecordChildVoice(subject="s1", seen_on=TODAY, alone=False))
    missing = NO_FURTHER.model_copy(update={"not_seen_because": {"s0": "child_missing"}})
    with pytest.raises(ReasonNeeded):
        case.give(missing, MANAGER, words=False)
    with pytest.raises(Incomplete, match="no children whom nobody has seen"):
        case.give(NO_FURTHER.model_copy(update={"not_seen_because": {"s0": "child_missing", "s1": "family_left"}}), MANAGER)
    (event,) = of(EnquiriesConcluded, case.give(missing, MANAGER))
    assert event.not_seen_because == {"s0": "child_missing"}


def test_an_unborn_child_and_an_adult_need_not_be_seen() -> None:
    case = enquiries("unborn", "adult")
    assert case.referral.unseen == ()
    case.give(NO_FURTHER, MANAGER)
    assert case.stage == "section_47_concluded"


def test_whoever_may_be_a_child_is_seen_as_one() -> None:
    case = enquiries("unknown")
    assert case.referral.unseen == ("s0",)
    case.give(CorrectCohort(subject="s0", cohort="adult"))
    assert case.referral.unseen == ("s0",)  # of unknown age: a child who is taken for an adult is not overlooked


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"seen_on": TODAY + timedelta(days=1), "alone": True}, "not in the future"),
        ({"seen_on": TODAY - timedelta(days=1), "alone": True}, "since the concern was reported"),
        ({"seen_on": TODAY}, "alone"),
        ({"alone": True}, "on which day"),
        ({"seen_on": TODAY, "alone": True, "subject": "s9"}, "not a subject"),
        ({"seen_on": TODAY, "alone": True, "subject": "s1"}, "record_adult_view"),
        ({"seen_on": TODAY, "alone": True, "subject": "s2"}, "record_birth"),
    ],
)
def test_a_day_on_which_a_child_cannot_have_been_seen_is_refused(fields: dict[str, Any], expected: str) -> None:
    case = enquiries("child", "adult", "unborn")
    with pytest.raises(Incomplete, match=expected):
        case.give(RecordChildVoice(**{"subject": "s0", **fields}))


def test_a_child_not_yet_seen_may_have_said_something_and_stays_not_yet_seen() -> None:
    case = enquiries()
    with pytest.raises(ReasonNeeded):
        case.give(RecordChildVoice(subject="s0"), words=False)
    case.give(RecordChildVoice(subject="s0", asked_by="education"), partner("education"))
    assert case.referral.subjects["s0"].heard and case.referral.unseen == ("s0",)


def test_the_last_day_on_which_the_child_was_seen_counts_and_what_is_said_later_does_not_undo_it() -> None:
    case = enquiries()
    case.wait(days=2)
    for day in (TODAY + timedelta(days=2), TODAY, None):
        case.give(RecordChildVoice(subject="s0", seen_on=day, alone=None if day is None else True))
    assert case.referral.subjects["s0"].seen_on == TODAY + timedelta(days=2)


def test_what_the_child_says_is_the_agencys_until_the_agency_releases_it() -> None:
    case = rated(hub("merton"), "amber")
    case.give(BASIS)
    (event,) = of(ChildVoiceRecorded, case.give(RecordChildVoice(subject="s0", seen_on=TODAY, alone=True), partner("police")))
    assert (event.agency, event.asked_by, event.sensitive) == ("police", "police", True)
    held = case.referral.held[case.item("police")]
    assert (held.subject, held.sensitive, held.released) == ("s0", True, False)
    release = ReleaseInformation(item=held.item, necessity="to_protect_a_child", proportionality="whole")
    with pytest.raises(NotYours):
        case.give(release, partner("health"))
    case.give(release, partner("police"))
    assert case.referral.held[held.item].released


def test_that_a_child_was_seen_is_recorded_also_where_nothing_is_to_be_shared() -> None:
    case = rated(hub("merton"), "amber")
    case.give(NOT_SHARED)
    case.give(RecordChildVoice(subject="s0", seen_on=TODAY, alone=True), partner("police"))
    assert case.referral.unseen == ()
    release = ReleaseInformation(item=case.item("police"), necessity="to_protect_a_child", proportionality="whole")
    with pytest.raises(Incomplete):
        case.give(release, partner("police"))


def test_an_agency_that_the_hub_does_not_have_records_no_childs_words_and_nobody_is_named_as_one() -> None:
    case = enquiries()
    with pytest.raises(NotInProfile):
        case.give(RecordChildVoice(subject="s0", seen_on=TODAY, alone=True), partner("fire_service"))
    with pytest.raises(NotInProfile):
        case.give(RecordChildVoice(subject="s0", seen_on=TODAY, alone=True, asked_by="Mrs Patel"))


def test_a_childs_own_words_go_where_the_child_goes_and_a_siblings_stay_behind() -> None:
    case = at_decision(None, "child", "child")
    for child in ("s0", "s1"):
        case.give(RecordChildVoice(subject=child, seen_on=TODAY, alone=True), partner("police"))
    case.give(decision(s0="section_17", s1="early_help"), MANAGER)
    other = case.linked["R-B"]
    assert [held.subject for held in other.referral.held.values()] == ["s1"]
    assert other.referral.subjects["s1"].seen_on == TODAY and other.referral.subjects["s1"].heard
    assert MORNING.date() == TODAY
