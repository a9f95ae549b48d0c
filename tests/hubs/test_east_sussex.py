"""East Sussex (practice, section 2): a virtual team, at the same time every weekday, police by phone."""

from __future__ import annotations

from typing import Any

import pytest
from hubs_at_work import at_meeting, london, rated, says_the_document, signposted, takes

from mash.config.profile import load_profile
from mash.states.acts.meetings import RecordMeeting
from mash.states.clocks import LONDON, day_of
from mash.states.errors import ReasonNeeded

HUB = "east_sussex"


# Virtual team


def test_east_sussex_every_member_of_the_team_is_a_virtual_one() -> None:
    assert {agency.presence for agency in load_profile(HUB).agencies.values()} == {"virtual"}
    assert says_the_document(HUB, "agencies.social_care.presence")


def test_east_sussex_the_team_meets_virtually() -> None:
    case = at_meeting(HUB, "red")
    assert case.referral.meeting_mode == "virtual" and "virtual" in case.words("meeting_convened")


def test_east_sussex_a_meeting_face_to_face_needs_a_reason() -> None:
    case = at_meeting(HUB, "red")
    face_to_face = RecordMeeting(attended=("health",), mode="face_to_face", held_on=day_of(case.now))
    with pytest.raises(ReasonNeeded, match="virtual or telephone"):
        case.give(face_to_face, words=False)


# Meets every weekday at the same time


def test_east_sussex_the_team_meets_every_weekday_and_never_at_a_weekend() -> None:
    screening = load_profile(HUB).gatherings["screening"]
    assert screening.days == ("mon", "tue", "wed", "thu", "fri") and says_the_document(HUB, "gatherings.screening.days")


def test_east_sussex_the_team_meets_at_the_same_time_of_day_in_winter_and_in_summer() -> None:
    profile = load_profile(HUB)
    screening = profile.gatherings["screening"]
    days = [london(f"2026-{day} 00:00") for day in ("03-23", "03-25", "03-27", "03-30", "04-01", "10-23", "10-26")]
    meetings = [profile.calendar.next_time(screening.at, screening.days, day).astimezone(LONDON) for day in days]
    assert {meeting.time() for meeting in meetings} == {screening.at}
    assert [meeting.date() for meeting in meetings] == [day.astimezone(LONDON).date() for day in days]


def test_east_sussex_a_case_of_friday_evening_is_convened_for_monday() -> None:
    case = at_meeting(HUB, "amber", now=london("2026-06-05 18:00"))
    assert case.referral.meeting_at is not None
    assert case.referral.meeting_at.astimezone(LONDON).strftime("%a %d %b") == "Mon 08 Jun"


# Police by phone


def test_east_sussex_the_police_are_reached_by_phone() -> None:
    agencies = load_profile(HUB).agencies
    assert [name for name, agency in agencies.items() if agency.reached_by == "telephone"] == ["police"]
    assert says_the_document(HUB, "agencies.police.reached_by")


def test_east_sussex_the_police_are_asked_like_everybody_and_the_meeting_may_be_held_by_phone() -> None:
    case = rated(HUB, "red")
    assert "police" in case.referral.outstanding
    held = at_meeting(HUB, "red")
    held.give(RecordMeeting(attended=("police",), mode="telephone", held_on=day_of(held.now)))
    assert held.stage == "decision"


# Requests for intervention


@pytest.mark.parametrize("cohort", ["child", "unborn"])
def test_east_sussex_takes_requests_for_intervention(cohort: str) -> None:
    assert takes(HUB, cohort, contact="intervention_request")


@pytest.mark.parametrize("rating", ["red", "amber", "green"])
def test_east_sussex_a_new_request_of_any_rating_goes_to_the_screening(rating: str) -> None:
    assert at_meeting(HUB, rating, contact="intervention_request").referral.meeting_at
    assert says_the_document(HUB, f"ratings.{rating}.route")


@pytest.mark.parametrize("rating", [None, "red", "amber", "green"])
def test_east_sussex_every_new_request_is_looked_at_whether_rated_or_not(rating: Any) -> None:
    assert load_profile(HUB).gatherings["screening"].discusses(rating, frozenset())


def test_east_sussex_signposts_concerns_about_adults() -> None:
    case = signposted(HUB, "adult", contact="intervention_request")
    assert case.stage == "not_taken" and "adult social care" in case.words("outcome")


def test_east_sussex_says_from_which_document_it_looks_at_requests_for_intervention() -> None:
    assert load_profile(HUB).intake["requests_for_intervention"].title == "Requests for intervention"
    assert says_the_document(HUB, "intake.requests_for_intervention.title")
