"""Sandwell (practice, section 2): hours from receipt, a meeting for red and amber, twelve agencies on an equal footing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hubs_at_work import (
    BASIS,
    DUTY,
    MORNING,
    STATUTORY_PARTNERS,
    answered,
    at_decision,
    at_meeting,
    of,
    outcome,
    partner,
    person,
    rated,
    received,
    says_the_document,
    signposted,
    takes,
    takes_as,
)

from mash.config.permissions import may
from mash.config.profile import load_profile, stated
from mash.states.acts.disagreements import RaiseDisagreement
from mash.states.acts.meetings import ConveneMeeting, MeetingConvened, RecordDissent, RecordMeeting
from mash.states.acts.protection import CallStrategyDiscussion, RecordStrategyDiscussion
from mash.states.acts.rating import RateReferral
from mash.states.errors import Incomplete, QuorumNotMet, ReasonNeeded

TWELVE = {
    "police",
    "social_care",
    "housing",
    "probation",
    "health",
    "mental_health",
    "targeted_youth_support",
    "education",
    "domestic_violence_nurse",
    "adults",
    "caf_coordinator",
    "womens_aid",
}
CHAIR = person("responsible_social_worker")


# Red 4 h, amber 24 h, green 72 h


def test_sandwell_red_is_due_four_hours_after_receipt() -> None:
    case = received("sandwell")
    case.now += timedelta(minutes=50)
    case.give(RateReferral(rating="red"))
    assert case.clock("response").due_at == MORNING + timedelta(hours=4)


def test_sandwell_amber_is_due_twenty_four_hours_after_receipt() -> None:
    assert rated("sandwell", "amber").clock("response").due_at == MORNING + timedelta(hours=24)


def test_sandwell_green_is_due_seventy_two_hours_after_receipt() -> None:
    assert rated("sandwell", "green").clock("response").due_at == MORNING + timedelta(hours=72)


@pytest.mark.parametrize("rating", ["red", "amber", "green"])
def test_sandwell_says_from_which_document_its_hours_are(rating: str) -> None:
    assert rated("sandwell", rating).clock("response").source.startswith("Home Office 2014: '")


@pytest.mark.parametrize(("rating", "hours"), [("red", 4), ("amber", 24), ("green", 72)])
def test_sandwell_every_agency_replies_within_the_same_hours_from_receipt(rating: str, hours: int) -> None:
    case = received("sandwell")
    case.give(BASIS)
    case.now += timedelta(minutes=50)
    case.give(RateReferral(rating=rating))
    assert {clock.due_at for clock in case.running("check")} == {MORNING + timedelta(hours=hours)}


# A MASH meeting for red and amber, red within 4 h


@pytest.mark.parametrize("rating", ["red", "amber"])
def test_sandwell_a_mash_meeting_follows_the_checks_of_red_and_amber(rating: str) -> None:
    assert answered(rated("sandwell", rating)).stage == "mash_meeting"


def test_sandwell_green_goes_from_the_checks_to_the_decision_without_a_meeting() -> None:
    assert answered(rated("sandwell", "green")).stage == "decision"


def test_sandwell_the_four_hours_of_red_run_on_until_the_meeting_is_held() -> None:
    case = at_meeting("sandwell", "red")
    assert [clock.due_at for clock in case.running("response")] == [MORNING + timedelta(hours=4)]
    case.give(RecordMeeting(attended=("police", "health"), rating="red"), CHAIR)
    assert case.clock("response").met


def test_sandwell_a_late_agency_does_not_move_the_four_hours_of_red() -> None:
    case = rated("sandwell", "red")
    case.run_to(MORNING + timedelta(hours=4, minutes=1))
    assert "police" in case.referral.outstanding
    assert case.clock("response").breached_at == MORNING + timedelta(hours=4)


def test_sandwell_a_meeting_of_red_held_after_four_hours_is_late() -> None:
    case = at_meeting("sandwell", "red")
    case.run_to(MORNING + timedelta(hours=5))
    case.give(RecordMeeting(attended=("police", "health"), rating="red"), CHAIR)
    assert case.clock("response").met is False


# The meeting: chaired by the responsible social worker, input of every agency, a second rating


def test_sandwell_the_responsible_social_worker_chairs_the_meeting() -> None:
    case = at_meeting("sandwell", "red")
    (convened,) = of(MeetingConvened, case.give(ConveneMeeting(at=case.now + timedelta(hours=1)), CHAIR))
    assert convened.chair == "responsible_social_worker"
    assert may("responsible_social_worker", "convene_meeting") and may("responsible_social_worker", "record_meeting")


def test_sandwell_every_agency_has_input_into_a_red_case() -> None:
    assert set(rated("sandwell", "red").referral.checks) == TWELVE


def test_sandwell_every_agency_is_invited_to_the_meeting() -> None:
    case = at_meeting("sandwell", "amber")
    case.give(ConveneMeeting(at=case.now + timedelta(hours=1)), CHAIR)
    partners = {agency.role for agency in case.profile.agencies.values()}
    assert set(case.recipients("meeting_convened")) == {*partners, CHAIR.role}


def test_sandwell_a_meeting_is_not_recorded_without_a_second_rating() -> None:
    case = at_meeting("sandwell", "red")
    with pytest.raises(Incomplete, match="second rating"):
        case.give(RecordMeeting(attended=("police", "health")), CHAIR)


def test_sandwell_the_second_rating_stands_beside_the_first_when_it_is_decided_where_needs_are_best_met() -> None:
    case = at_meeting("sandwell", "red")
    case.give(RecordMeeting(attended=("police", "health"), rating="green"), CHAIR)
    assert (case.stage, case.referral.first_rating, case.referral.rating) == ("decision", "red", "green")


# More green to early help is planned; whom a green case is checked with is not stated


def test_sandwell_states_that_more_green_cases_going_to_early_help_is_a_plan() -> None:
    assert load_profile("sandwell").remarks["early_help"].says.startswith("It is planned")
    assert says_the_document("sandwell", "remarks.early_help.says")


def test_sandwell_a_green_case_may_go_to_early_help() -> None:
    case = at_decision("sandwell")
    case.give(outcome(case, "early_help"))
    assert case.stage == "step_down_preparing"


def test_sandwell_says_that_asking_every_agency_about_a_green_case_is_ours() -> None:
    assert len(rated("sandwell", "green").referral.outstanding) == 12
    assert stated("sandwell")["ratings.green.route"].startswith("product default")


# Strategy discussions


@pytest.mark.parametrize("missing", STATUTORY_PARTNERS)
def test_sandwell_every_strategy_discussion_is_multi_agency(missing: str) -> None:
    case = received("sandwell")
    case.give(CallStrategyDiscussion())
    there = tuple(agency for agency in STATUTORY_PARTNERS if agency != missing)
    with pytest.raises(QuorumNotMet):
        case.give(RecordStrategyDiscussion(attended=there, outcome="section_47"))


@pytest.mark.parametrize("mode", ["telephone", "virtual"])
def test_sandwell_a_strategy_discussion_held_otherwise_than_face_to_face_needs_a_reason(mode: Any) -> None:
    case = received("sandwell")
    case.give(CallStrategyDiscussion())
    with pytest.raises(ReasonNeeded, match="face to face"):
        case.give(RecordStrategyDiscussion(attended=STATUTORY_PARTNERS, mode=mode, outcome="section_47"), words=False)


# Twelve agencies on an equal footing


def test_sandwell_has_the_twelve_agencies_of_its_case_study() -> None:
    assert set(load_profile("sandwell").agencies) == TWELVE


def test_sandwell_every_one_of_the_twelve_is_asked_at_once_whatever_the_rating_and_whoever_the_case_is_about() -> None:
    for rating in ("red", "amber", "green"):
        assert set(rated("sandwell", rating).referral.outstanding) == TWELVE
    assert set(rated("sandwell", "red", "adult", categories=("domestic_abuse",)).referral.outstanding) == TWELVE


@pytest.mark.parametrize("agency", sorted(TWELVE))
def test_sandwell_every_one_of_the_twelve_may_dissent_from_a_decision_and_have_it_looked_at_again(agency: str) -> None:
    case = at_decision("sandwell")
    case.give(outcome(case, "no_further_action"), DUTY)
    case.give(RecordDissent(about="decision"), partner(agency))
    case.give(RaiseDisagreement(about="decision"), partner(agency))
    assert case.referral.dissents == (f"{agency}:decision",) and case.referral.disputed == ("D1",)


def test_sandwell_states_that_its_agencies_are_on_an_equal_footing() -> None:
    assert "equal footing" in load_profile("sandwell").remarks["equal_footing"].says
    assert says_the_document("sandwell", "remarks.equal_footing.says")


# Children, and adults in domestic violence


@pytest.mark.parametrize("cohort", ["child", "unborn"])
def test_sandwell_takes_children(cohort: str) -> None:
    assert takes("sandwell", cohort)


def test_sandwell_takes_adults_in_domestic_violence() -> None:
    assert takes_as("sandwell", "adults_in_domestic_violence", "adult", categories=("domestic_abuse",))
    assert not takes_as("sandwell", "adults_in_domestic_violence", "child", categories=("domestic_abuse",))


def test_sandwell_signposts_other_concerns_about_adults() -> None:
    case = signposted("sandwell", "adult")
    assert case.stage == "not_taken"
    assert "adult social care" in case.words("outcome")
