"""Partners: who is asked about a case, who answers on request only, how long each has, and going on without an answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mash.states.acts.by_telephone import RecordAnswerByTelephone
from mash.states.acts.checks import (
    AllocateCheck,
    AnswerCheck,
    AskAgencies,
    CheckAnswered,
    ChecksRequested,
    ProceededWithoutReplies,
    ProceedWithoutReplies,
)
from mash.states.acts.closing import ReopenReferral
from mash.states.acts.meetings import RecordMeeting
from mash.states.acts.rating import RateReferral, RerateReferral
from mash.states.acts.sharing import RecordAdultView
from mash.states.errors import ImpossibleMove, Incomplete, NotInProfile, NotYours, ReasonNeeded
from mash.states.profile import Agency, AgencyReply, Place, Profile

from .worlds import (
    BASIS,
    DUTY,
    MANAGER,
    MORNING,
    Case,
    answer_all,
    arrived,
    climbs,
    decision,
    hub,
    london,
    of,
    partner,
    person,
    rated,
)


def partners(**agencies: dict[str, Any]) -> dict[str, Agency]:
    return {
        name: Agency(title=name.title(), role=f"{name}_navigator", lead=f"{name}_lead", **fields)
        for name, fields in agencies.items()
    }


CHOOSY = partners(
    police={},
    midwifery={"cohorts": ("unborn",)},
    adults={"cohorts": ("adult",)},
    probation={"ratings": ("red",)},
    refuge={"categories": ("domestic_abuse",)},
    fire={"asked": "on_request"},
)
ASKS_SOME = hub(agencies=CHOOSY)
ON_REQUEST = hub(agencies=partners(police={"asked": "on_request"}, health={"asked": "on_request"}))


def reply_within(length: str, start: str) -> Profile:
    """A hub at which the ambulance service has its own time to reply."""
    reply = AgencyReply.model_validate({"length": length, "start": start, "source": "its own agreement"})
    return hub(agencies=partners(police={}, ambulance={"reply": reply}))


def asked(profile: Profile, rating: str = "red", *cohorts: str, **fields: Any) -> Case:
    """A rated case whose sharing basis is recorded: whoever is always asked has been."""
    case = rated(profile, rating, *cohorts, **fields)
    for sid in case.referral.adults_unheard:
        case.give(RecordAdultView(subject=sid, capacity="has", agrees="yes"))
    case.give(BASIS)
    return case


def answers(case: Case, agency: str, **fields: Any) -> list[Any]:
    return case.give(AnswerCheck(agency=agency, known=fields.pop("known", False), **fields), partner(agency), words=False)


# Who is asked


@pytest.mark.parametrize(
    ("cohorts", "rating", "categories", "expected"),
    [
        (("child",), "amber", (), {"police"}),
        (("child",), "red", (), {"police", "probation"}),
        (("child", "unborn"), "amber", (), {"police", "midwifery"}),
        (("adult",), "amber", ("domestic_abuse",), {"police", "adults", "refuge"}),
        (("child",), "amber", ("missing", "domestic_abuse"), {"police", "refuge"}),
        (("child",), "amber", ("missing",), {"police"}),
        (("unknown",), "amber", (), {"police", "midwifery", "adults"}),
    ],
    ids=["a child", "rated red", "with an unborn", "an adult", "by category", "another category", "of unknown age"],
)
def test_agencies_are_asked_about_the_people_ratings_and_categories_they_have_something_to_say_about(
    cohorts: tuple[str, ...], rating: str, categories: tuple[str, ...], expected: set[str]
) -> None:
    assert set(asked(ASKS_SOME, rating, *cohorts, categories=categories).referral.outstanding) == expected


def test_a_hub_for_the_whole_family_asks_whatever_the_cohort_but_still_minds_rating_and_category() -> None:
    case = asked(hub(agencies=CHOOSY, whole_family=True), "amber", "child")
    assert set(case.referral.outstanding) == {"police", "midwifery", "adults"}


def test_a_case_that_no_agency_has_anything_to_say_about_needs_no_checks_and_no_basis() -> None:
    case = rated(hub(agencies=partners(probation={"ratings": ("red",)})), "green")
    assert (case.stage, case.referral.sharing) == ("decision", None)


def test_rerating_up_asks_whom_the_new_rating_adds_and_nobody_twice() -> None:
    case = asked(ASKS_SOME, "amber")
    answers(case, "police")
    assert case.stage == "mash_meeting"
    again = of(ChecksRequested, case.give(RerateReferral(rating="red")))
    assert [event.agencies for event in again] == [("probation",)]
    assert (case.stage, case.referral.outstanding) == ("agency_checks", ("probation",))
    answers(case, "probation")
    assert case.stage == "mash_meeting"


def test_rerating_down_still_waits_for_those_who_were_asked() -> None:
    case = asked(ASKS_SOME, "red")
    case.give(RerateReferral(rating="green"))
    answers(case, "police")
    assert (case.stage, case.referral.outstanding) == ("agency_checks", ("probation",))


# On request


def test_an_agency_that_answers_on_request_is_asked_by_hand_and_then_waited_for() -> None:
    case = asked(ASKS_SOME, "amber")
    assert "fire" not in case.referral.checks
    case.give(AskAgencies(agencies=("fire",)))
    assert case.clock("check:fire").owner == "fire_navigator"
    answers(case, "police")
    assert case.stage == "agency_checks"
    answers(case, "fire")
    assert case.stage == "mash_meeting"


def test_where_all_agencies_answer_on_request_the_case_waits_until_somebody_asks() -> None:
    case = asked(ON_REQUEST, "green")
    assert (case.stage, case.referral.checks) == ("agency_checks", {})
    assert case.referral.next_at is not None
    case.give(AskAgencies(agencies=("health",)))
    assert case.referral.outstanding == ("health",)
    answers(case, "health")
    assert case.stage == "decision"


def test_where_all_agencies_answer_on_request_somebody_may_say_with_a_reason_that_nobody_needs_to_be_asked() -> None:
    case = asked(ON_REQUEST, "green")
    with pytest.raises(ReasonNeeded):
        case.give(ProceedWithoutReplies(), words=False)
    went = of(ProceededWithoutReplies, case.give(ProceedWithoutReplies()))
    assert went[0].agencies == () and went[0].words is not None
    assert (case.stage, case.referral.checks) == ("decision", {})
    case.give(RerateReferral(rating="amber"))
    assert case.stage == "mash_meeting", "what was said about asking nobody still holds"


def test_saying_that_nobody_needs_to_be_asked_does_not_excuse_those_whom_a_higher_rating_adds() -> None:
    agencies = partners(police={"asked": "on_request"}, probation={"ratings": ("red",)})
    case = asked(hub(agencies=agencies), "green")
    case.give(ProceedWithoutReplies())
    case.give(RerateReferral(rating="red"))
    assert (case.stage, case.referral.outstanding) == ("agency_checks", ("probation",))


def test_nobody_goes_on_without_replies_before_it_is_recorded_why_information_is_shared() -> None:
    case = rated(ON_REQUEST, "green")
    with pytest.raises(ImpossibleMove):
        case.give(ProceedWithoutReplies())


# Ad hoc, and again


def test_an_agency_that_is_not_usually_asked_about_such_a_case_is_asked_ad_hoc() -> None:
    case = asked(ASKS_SOME, "green")
    case.give(AskAgencies(agencies=("adults", "probation", "adults")))
    assert case.referral.outstanding == ("police", "adults", "probation")
    assert of(ChecksRequested, [event for _, _, event in case.log])[-1].agencies == ("adults", "probation")


def test_only_agencies_of_the_hub_are_asked_and_none_of_a_list_with_a_stranger() -> None:
    case = asked(ASKS_SOME, "amber")
    with pytest.raises(NotInProfile, match="1 of them"):
        case.give(AskAgencies(agencies=("fire", "coastguard")))
    assert "fire" not in case.referral.checks


def test_nobody_is_asked_again_while_the_answer_is_still_waited_for() -> None:
    case = asked(ASKS_SOME, "amber")
    with pytest.raises(Incomplete, match="not answered yet: police"):
        case.give(AskAgencies(agencies=("fire", "police")))
    assert "fire" not in case.referral.checks


def test_an_agency_that_has_answered_is_asked_again_with_its_whole_time_and_the_first_answer_stays_in_the_log() -> None:
    case = asked(ASKS_SOME, "red")
    answers(case, "police", known=True)
    case.wait(hours=3)
    case.give(AskAgencies(agencies=("police",)))
    assert "police" in case.referral.outstanding
    again = case.clock("check:police.2")
    assert (again.whose, again.started_at, again.due_at) == ("police", case.now, case.now + timedelta(hours=4))
    assert case.clock("check:police").met is True
    answers(case, "probation")
    assert case.stage == "agency_checks"
    answers(case, "police", known=False)
    assert case.stage == "mash_meeting" and case.clock("check:police.2").met is True
    answered = [event for event in of(CheckAnswered, [event for _, _, event in case.log]) if event.agency == "police"]
    assert [event.known for event in answered] == [True, False] and case.referral.checks["police"].known is False


def test_an_agency_that_the_hub_went_on_without_is_asked_again() -> None:
    case = asked(ASKS_SOME, "green")
    case.give(ProceedWithoutReplies())
    assert case.stage == "decision" and case.referral.outstanding == ()
    case.give(AskAgencies(agencies=("police",)))
    assert (case.stage, case.referral.outstanding) == ("decision", ("police",))
    assert [clock.id for clock in case.running("check")] == ["check:police.2"]


def test_asking_at_the_decision_holds_nobody_up_who_wants_to_decide() -> None:
    case = answer_all(asked(ASKS_SOME, "green"))
    case.give(AskAgencies(agencies=("fire",)))
    case.give(decision(s0="section_17"), MANAGER)
    assert case.stage == "section_17_assessment"
    assert case.running("check") == [] and case.clock("check:fire").met is False


def test_an_agency_that_is_asked_at_the_meeting_is_waited_for_before_the_decision() -> None:
    case = answer_all(asked(ASKS_SOME, "amber"))
    assert case.stage == "mash_meeting"
    case.give(AskAgencies(agencies=("fire",)))
    case.give(RecordMeeting(attended=("police",), rating="amber"))
    assert case.stage == "agency_checks"
    answers(case, "fire")
    assert case.stage == "decision"


def test_an_agency_that_is_first_asked_after_the_time_for_replies_is_not_late_before_it_is_asked() -> None:
    case = answer_all(asked(ASKS_SOME, "red"))
    case.wait(hours=5)
    case.give(AskAgencies(agencies=("fire",)))
    assert case.clock("check:fire").due_at > case.now


# How long they have


def test_an_agency_with_its_own_time_to_reply_has_that_and_the_others_the_ratings() -> None:
    case = rated(reply_within("2 working days", "stage"), "red")
    case.wait(hours=1)
    case.give(BASIS)
    assert case.clock("check:police").due_at == MORNING + timedelta(hours=4)
    assert case.clock("check:ambulance").due_at == london("2026-06-04 17:00")
    assert case.clock("check:ambulance").source == "its own agreement"


@pytest.mark.parametrize(("start", "hours"), [("stage", 4), ("receipt", 3)])
def test_an_agencys_own_time_counts_from_when_it_is_asked_or_from_receipt(start: str, hours: int) -> None:
    case = rated(reply_within("3 h", start), "green")
    case.wait(hours=1)
    case.give(BASIS)
    assert case.clock("check:ambulance").due_at == MORNING + timedelta(hours=hours)


@pytest.mark.parametrize(("first", "then"), [("green", "red"), ("red", "green")], ids=["up", "down"])
def test_rerating_moves_the_other_replies_and_leaves_an_agencys_own_time_alone(first: str, then: str) -> None:
    case = asked(reply_within("6 h", "stage"), first)
    police, own = case.clock("check:police").due_at, case.clock("check:ambulance")
    case.give(RerateReferral(rating=then))
    assert case.clock("check:police").due_at != police
    assert case.clock("check:ambulance") == own


def test_an_agency_is_late_by_its_own_time_and_its_lead_is_told_then() -> None:
    case = asked(reply_within("30 min", "stage"), "green")
    due = MORNING + timedelta(minutes=30)
    assert climbs(case.run_to(due), "check:ambulance") == [("ambulance_lead", due)]
    (late,) = of(CheckAnswered, answers(case, "ambulance"))
    case.wait(minutes=1)
    (in_time,) = of(CheckAnswered, answers(case, "police"))
    assert (late.late, in_time.late) == (False, False), "answered at the very moment is answered in time"
    assert case.clock("check:ambulance").met is False, "but its lead had been told"


# Answering, and going on without


def test_an_agency_answers_for_itself_once_and_only_what_it_was_asked() -> None:
    case = asked(ASKS_SOME, "amber")
    with pytest.raises(Incomplete, match="waited for: police"):
        answers(case, "fire")
    with pytest.raises(NotYours, match="not health for it"):
        case.give(AnswerCheck(agency="police", known=True), partner("health"))
    case.give(AskAgencies(agencies=("fire",)))
    answers(case, "police")
    with pytest.raises(Incomplete, match="waited for: fire"):
        answers(case, "police")


@pytest.mark.parametrize(("hours", "late"), [(4, False), (4.01, True)], ids=["at the last moment", "a moment later"])
def test_an_answer_is_late_when_its_time_is_over_also_where_nothing_ran_that_would_have_recorded_it(
    hours: float, late: bool
) -> None:
    case = asked(ASKS_SOME, "red")
    case.wait(hours=hours)
    (answer,) = of(CheckAnswered, answers(case, "police"))
    clock = case.clock("check:police")
    assert answer.late is late and clock.met is not late and clock.breached_at is None
    assert clock.verdict == ("missed" if late else "kept")


def test_a_clock_runs_until_it_is_kept_missed_or_not_needed_any_more() -> None:
    case = asked(ASKS_SOME, "red")
    assert case.clock("check:police").verdict == "running"
    case.give(ProceedWithoutReplies())
    assert case.clock("check:police").verdict == "not_needed"
    late = asked(ASKS_SOME, "red")
    late.run_to(MORNING + timedelta(hours=4))
    assert late.clock("check:police").running and late.clock("check:police").verdict == "missed"
    late.give(ProceedWithoutReplies())
    assert late.clock("check:police").verdict == "missed"


def test_an_answer_to_a_check_that_the_hub_went_on_without_leaves_its_clock_as_it_ended() -> None:
    case = asked(ASKS_SOME, "amber")
    case.give(ProceedWithoutReplies())
    ended = case.clock("check:police")
    case.wait(hours=1)
    (answer,) = of(CheckAnswered, answers(case, "police"))
    assert answer.late is False and case.clock("check:police") == ended


def test_an_answer_suggests_only_a_rating_that_the_hub_has() -> None:
    case = asked(ASKS_SOME, "amber")
    with pytest.raises(NotInProfile, match="red, amber, green"):
        answers(case, "police", suggested_rating="blue")
    answers(case, "police", suggested_rating="red", recommendation="section_47")
    assert case.referral.checks["police"].suggested_rating == "red" and case.referral.rating == "amber"


def test_going_on_names_whom_it_goes_on_without_and_is_for_those_who_rate() -> None:
    case = asked(ASKS_SOME, "red")
    answers(case, "police")
    for by in (partner("police"), person("team_manager")):
        with pytest.raises(NotYours):
            case.give(ProceedWithoutReplies(), by)
    (went,) = of(ProceededWithoutReplies, case.give(ProceedWithoutReplies(), DUTY))
    assert went.agencies == ("probation",) and case.stage == "mash_meeting"
    assert not case.referral.checks["police"].closed_without_reply
    answers(case, "probation", known=True)
    assert case.referral.checks["probation"].known is True and case.stage == "mash_meeting"


def test_both_the_hub_and_whoever_triages_for_a_place_of_its_own_may_go_on_without_replies_there() -> None:
    profile = hub(agencies=CHOOSY, places={"north": Place(title="North", kind="authority", triage_role="partner_duty_manager")})
    rater = person("partner_duty_manager")
    for by in (rater, DUTY):
        case = arrived(profile, place="north")
        case.give(RateReferral(rating="amber"), rater)
        case.give(BASIS, rater)
        case.give(ProceedWithoutReplies(), by)
        assert case.stage == "mash_meeting"
    elsewhere = asked(profile, "amber", place=None)
    with pytest.raises(NotYours):
        elsewhere.give(ProceedWithoutReplies(), rater)


def test_an_agency_hands_its_check_to_a_colleague_and_no_other_agencys() -> None:
    case = asked(ASKS_SOME, "amber")
    case.give(AllocateCheck(agency="police", to="a.police"), partner("police"))
    assert case.referral.checks["police"].allocated_to == "a.police" and "police" in case.referral.outstanding
    with pytest.raises(NotYours, match="not health for it"):
        case.give(AllocateCheck(agency="police", to="a.health"), partner("health"))
    for somebody in ("pc.nobody", "a.health"):
        with pytest.raises(Incomplete, match="expected"):
            case.give(AllocateCheck(agency="police", to=somebody), partner("police"))
    answers(case, "police")
    with pytest.raises(ImpossibleMove):
        case.give(AllocateCheck(agency="police", to="a.police"), partner("police"))


TOLD = RecordAnswerByTelephone(answering="police", read_back=True, known=False)


def test_an_agency_that_is_asked_again_is_not_to_confirm_what_it_told_before() -> None:
    case = rated(hub(), "red")
    case.give(BASIS)
    case.give(TOLD)
    assert case.referral.to_answer["police"].kind == "confirmation"
    case.give(AskAgencies(agencies=("police",)))
    assert [clock.kind for clock in case.referral.running if clock.whose == "police"] == ["check"]


def test_nobody_owes_a_confirmation_of_a_case_that_has_ended_until_it_is_reopened() -> None:
    case = rated(hub(), "green")
    case.give(BASIS)
    case.give(ProceedWithoutReplies())
    case.give(decision(s0="no_further_action"), MANAGER)
    case.give(TOLD)
    assert not case.referral.open and case.referral.to_answer == {}
    case.give(ReopenReferral(), MANAGER)
    assert case.referral.to_answer["police"].kind == "confirmation"
