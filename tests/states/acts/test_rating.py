"""One place changes a rating: by whatever act, it is for raters, with a reason, and with the agencies' agreement."""

from __future__ import annotations

from typing import Any

import pytest

from mash.states.acts.meetings import RecordMeeting
from mash.states.acts.seconding import AgreeAsSecond
from mash.states.acts.upkeep import AdoptProfile
from mash.states.errors import Incomplete, NotYours, QuorumNotMet, ReasonNeeded

from .worlds import BASIS, DUTY, MANAGER, QUORUM, Case, answer_all, hub, person, rated

ADMINISTRATOR = person("administrator", "system")


def adopted(case: Case, rating: str | None = None) -> AdoptProfile:
    return AdoptProfile(digest=case.profile.digest, rating=rating)


def other_words(case: Case) -> None:
    """The hub's rules have another name for the rating that the case has."""
    old = case.profile.ratings
    ratings = {f"former_{name}" if name == case.referral.rating else name: rating for name, rating in old.items()}
    case.profile = case.profile.model_copy(update={"ratings": ratings})


def at_meeting(**changes: Any) -> Case:
    """A red case of a hub like Sandwell whose agencies have answered, before its meeting."""
    case = rated(hub("sandwell", **changes), "red")
    case.give(BASIS)
    answer_all(case)
    assert case.stage == "mash_meeting"
    return case


def meeting(rating: str) -> RecordMeeting:
    return RecordMeeting(attended=QUORUM, rating=rating)


@pytest.mark.parametrize("by", [ADMINISTRATOR, MANAGER, person("service_manager")], ids=lambda by: by.role)
def test_adopting_the_hubs_rules_is_no_way_to_change_a_rating_for_those_who_do_not_rate(by: Any) -> None:
    case = rated(hub("sandwell"), "red")
    other_words(case)
    with pytest.raises(NotYours, match="re-rating a referral is for duty_manager"):
        case.give(adopted(case, "green"), by)
    assert case.referral.rating == "red"


def test_an_administrator_adopts_the_hubs_rules_where_no_rating_changes() -> None:
    case = rated(hub("sandwell"), "red")
    case.give(adopted(case), ADMINISTRATOR)
    case.give(adopted(case, "red"), ADMINISTRATOR)
    assert case.referral.rating == "red"


def test_a_rater_who_adopts_rules_with_another_rating_says_why() -> None:
    case = rated(hub("sandwell"), "red")
    other_words(case)
    with pytest.raises(ReasonNeeded):
        case.give(adopted(case, "amber"), DUTY, words=False)
    case.give(adopted(case, "amber"), DUTY)
    assert case.referral.rating == "amber"


def test_adopting_rules_that_have_the_cases_rating_changes_it_to_no_other() -> None:
    case = rated(hub("sandwell"), "red", immediate_danger=True)
    with pytest.raises(Incomplete, match=r"re-rate \(rerate_referral\)"):
        case.give(adopted(case, "green"), DUTY)
    assert case.referral.rating == "red"


def test_adopting_rules_without_the_rating_one_person_alone_does_not_rate_an_immediate_danger_down() -> None:
    case = rated(hub("sandwell"), "red", immediate_danger=True)
    other_words(case)
    with pytest.raises(Incomplete, match=r"needs a second person .* \(agree_as_second\)$"):
        case.give(adopted(case, "green"), DUTY)
    case.give(AgreeAsSecond(about="rating_down"), person("practice_manager"))
    case.give(adopted(case, "green"), DUTY)
    assert case.referral.rating == "green"


def test_where_agencies_decide_jointly_adopting_rules_does_not_take_a_case_into_the_mash() -> None:
    profile = hub("wiltshire_swindon")
    outside = next(name for name, rating in profile.ratings.items() if rating.route[0] == "decision")
    inside = next(name for name, rating in profile.ratings.items() if rating.route[0] != "decision")
    case = rated(profile, outside)
    other_words(case)
    with pytest.raises(QuorumNotMet, match="the joint decision that a case goes into the MASH"):
        case.give(adopted(case, inside), person(profile.raters[0]))
    assert case.referral.rating == outside


def test_whoever_records_a_meeting_gives_another_rating_only_if_they_rate_or_chair_it() -> None:
    case = at_meeting()
    with pytest.raises(NotYours, match="re-rating a referral is for"):
        case.give(meeting("amber"), person("social_care_representative"))
    case.give(meeting("amber"), person(case.profile.meeting.chair))
    assert case.referral.rating == "amber"


def test_a_meeting_that_keeps_the_rating_is_recorded_by_anybody_of_the_hub() -> None:
    case = at_meeting()
    case.give(meeting("red"), person("social_care_representative"), words=False)
    assert case.referral.rating == "red" and case.referral.meeting_held


def test_a_second_rating_that_differs_is_explained() -> None:
    case = at_meeting()
    with pytest.raises(ReasonNeeded, match="re-rating needs a reason in words"):
        case.give(meeting("amber"), DUTY, words=False)
    assert case.stage == "mash_meeting" and not case.referral.meeting_held
