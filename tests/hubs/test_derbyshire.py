"""Derbyshire (practice, section 2): agencies receive first, urgent or not, office hours and later weekends, missing episodes."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from hubs_at_work import STATUTORY_PARTNERS, london, of, rated, received, says_the_document, signposted, takes

from mash.config.profile import load_profile
from mash.states.acts.protection import CallStrategyDiscussion, RecordStrategyDiscussion, StrategyDiscussionHeld
from mash.states.acts.rating import RateReferral
from mash.states.errors import NotInProfile, ReasonNeeded

HUB = "derbyshire"
AGENCIES = [
    "police",
    "education",
    "health",
    "housing",
    "local_authority",
    "adult_social_care",
    "early_help",
    "court",
    "probation",
    "voluntary",
]


# Not a gateway: agencies receive first and then refer in


@pytest.mark.parametrize("source", AGENCIES)
def test_derbyshire_takes_what_an_agency_has_received_and_refers_in(source: str) -> None:
    assert takes(HUB, source_agency=source)


@pytest.mark.parametrize("source", ["individual", "unknown"])
def test_derbyshire_is_not_a_gateway_and_signposts_the_public_to_an_agency(source: str) -> None:
    case = signposted(HUB, source_agency=source)
    assert case.stage == "not_taken"
    assert "agencies receive them first and refer in" in case.words("outcome")


def test_derbyshire_immediate_danger_is_seen_by_a_person_whoever_reports_it() -> None:
    case = received(HUB, source_agency="individual", immediate_danger=True)
    assert case.referral.open and case.recipients("immediate_danger")


def test_derbyshire_says_from_which_document_agencies_receive_first() -> None:
    assert says_the_document(HUB, "intake.from_agencies.sources")


# Screening: urgent or not


def test_derbyshire_screens_whether_a_referral_is_urgent_or_not_and_knows_no_other_rating() -> None:
    assert set(load_profile(HUB).ratings) == {"urgent", "not_urgent"}
    assert rated(HUB, "urgent").referral.rating == "urgent" and rated(HUB, "not_urgent").referral.rating == "not_urgent"
    with pytest.raises(NotInProfile, match="expected one of urgent, not_urgent"):
        received(HUB).give(RateReferral(rating="amber"))


def test_derbyshire_what_is_not_screened_yet_counts_as_urgent() -> None:
    assert load_profile(HUB).unrated == "urgent"
    assert "counts as urgent until it is rated" in received(HUB).words("contact_to_rate")


def test_derbyshire_says_from_which_document_its_police_officers_screen() -> None:
    assert "screening_officer" in load_profile(HUB).raters and says_the_document(HUB, "raters")


def test_derbyshire_says_from_which_document_its_screening_is() -> None:
    assert says_the_document(HUB, "ratings.urgent.title") and says_the_document(HUB, "ratings.not_urgent.title")


# 9 to 5, Monday to Friday, weekends from September 2013


@pytest.mark.parametrize("day", ["2013-08-19", "2013-08-20", "2013-08-21", "2013-08-22", "2013-08-23", "2026-06-02"])
def test_derbyshire_is_open_from_nine_to_five_on_monday_to_friday(day: str) -> None:
    calendar = load_profile(HUB).calendar
    moments = ("08:59", "09:00", "16:59", "17:00")
    assert [calendar.is_open(london(f"{day} {at}")) for at in moments] == [False, True, True, False]


@pytest.mark.parametrize("day", ["2013-08-24", "2013-08-25", "2013-08-31"])
def test_derbyshire_is_closed_at_weekends_before_september_2013(day: str) -> None:
    calendar = load_profile(HUB).calendar
    assert not any(calendar.is_open(london(f"{day} {hour:02}:30")) for hour in range(24))


@pytest.mark.parametrize("day", ["2013-09-01", "2013-09-07", "2013-09-08", "2026-06-06", "2026-06-07"])
def test_derbyshire_is_open_at_weekends_from_september_2013(day: str) -> None:
    assert load_profile(HUB).calendar.is_open(london(f"{day} 11:00"))


def test_derbyshire_a_contact_of_a_saturday_goes_to_the_emergency_team_before_september_2013_and_to_the_unit_after() -> None:
    assert received(HUB, now=london("2013-08-31 11:00")).recipients("contact_to_rate") == ["out_of_hours"]
    assert received(HUB, now=london("2013-09-07 11:00")).recipients("contact_to_rate") == ["duty_manager"]


def test_derbyshire_says_from_which_document_its_hours_are() -> None:
    assert says_the_document(HUB, "calendar.changes")
    monday = load_profile(HUB).calendar.windows["mon"]
    assert [(window.opens, window.closes) for window in monday] == [(time(9), time(17))]


# Strategy discussions by phone


def test_derbyshire_strategy_discussions_are_held_by_phone() -> None:
    case = received(HUB)
    case.give(CallStrategyDiscussion())
    (held,) = of(StrategyDiscussionHeld, case.give(RecordStrategyDiscussion(attended=STATUTORY_PARTNERS, outcome="section_47")))
    assert (case.stage, held.mode) == ("enquiries", "telephone")
    assert says_the_document(HUB, "strategy_discussion.modes")


@pytest.mark.parametrize("mode", ["face_to_face", "virtual"])
def test_derbyshire_a_strategy_discussion_held_otherwise_than_by_phone_needs_a_reason(mode: Any) -> None:
    case = received(HUB)
    case.give(CallStrategyDiscussion())
    with pytest.raises(ReasonNeeded, match="telephone"):
        case.give(RecordStrategyDiscussion(attended=STATUTORY_PARTNERS, mode=mode, outcome="section_47"), words=False)


# Reviews every missing episode


@pytest.mark.parametrize("rating", [None, "urgent", "not_urgent"])
def test_derbyshire_every_missing_episode_is_reviewed_whatever_its_rating(rating: Any) -> None:
    review = load_profile(HUB).gatherings["missing_episodes"]
    assert review.discusses(rating, frozenset({"missing"})) and review.discusses(rating, frozenset({"missing", "gangs"}))


def test_derbyshire_the_review_is_of_missing_episodes_and_of_nothing_else() -> None:
    review = load_profile(HUB).gatherings["missing_episodes"]
    assert not review.discusses("urgent", frozenset({"exploitation"})) and not review.discusses("urgent", frozenset())
    assert says_the_document(HUB, "gatherings.missing_episodes.categories")


@pytest.mark.parametrize("cohort", ["child", "adult", "unknown"])
def test_derbyshire_takes_missing_episodes_that_the_police_refer_in(cohort: str) -> None:
    assert takes(HUB, cohort, contact="police_notification", source_agency="police", categories=("missing",))
