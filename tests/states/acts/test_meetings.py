"""Meetings: convened by hand or at a regular gathering, held with whoever must be there, and dissented from."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from mash.states.acts.meetings import ConveneMeeting, DissentRecorded, MeetingConvened, MeetingHeld, RecordDissent, RecordMeeting
from mash.states.acts.protection import CallStrategyDiscussion, RecordStrategyDiscussion, StrategyDiscussionHeld
from mash.states.acts.rating import ReferralRerated
from mash.states.errors import ImpossibleMove, Incomplete, NotInProfile, QuorumNotMet, ReasonNeeded
from mash.states.profile import Gathering, Profile

from .worlds import (
    MANAGER,
    MORNING,
    NOT_SHARED,
    QUORUM,
    Case,
    arrived,
    at_decision,
    decision,
    hub,
    london,
    of,
    partner,
    person,
    rated,
)

SANDWELL = hub()


def meeting_hub(gathering: dict[str, Any] | None = None, **meeting: Any) -> Profile:
    """A hub like Sandwell with another sort of meeting, perhaps at a daily gathering."""
    if gathering is None:
        return hub(meeting=SANDWELL.meeting.model_copy(update=meeting))
    daily = Gathering(title="Daily meeting", **gathering)
    return hub(gatherings={"daily": daily}, meeting=SANDWELL.meeting.model_copy(update={"gathering": "daily", **meeting}))


DAILY = meeting_hub({"at": time(9, 30), "modes": ("virtual", "telephone")})


def at_meeting(profile: Profile = SANDWELL, rating: str = "amber", now: datetime = MORNING, **fields: Any) -> Case:
    """A case that stands at the meeting, with nobody asked before it."""
    case = rated(profile, rating, now=now, **fields)
    case.give(NOT_SHARED)
    assert case.stage == "mash_meeting"
    return case


def held(**fields: Any) -> RecordMeeting:
    return RecordMeeting(**{"attended": QUORUM, "rating": "amber", **fields})


# Gatherings


@pytest.mark.parametrize(
    ("now", "at"),
    [
        ("2026-06-02 09:00", "2026-06-02 09:30"),
        ("2026-06-02 09:30", "2026-06-03 09:30"),
        ("2026-06-05 16:00", "2026-06-08 09:30"),
        ("2026-05-22 16:00", "2026-05-26 09:30"),
        ("2026-10-23 16:00", "2026-10-26 09:30"),
    ],
    ids=["the same morning", "just too late", "over the weekend", "over a bank holiday", "over the end of summer time"],
)
def test_a_case_that_reaches_the_meeting_is_convened_at_the_next_gathering_by_itself(now: str, at: str) -> None:
    case = at_meeting(DAILY, now=london(now))
    (convened,) = of(MeetingConvened, [event for _, _, event in case.log])
    assert (convened.at, convened.chair, convened.mode) == (london(at), "responsible_social_worker", "virtual")
    assert (case.referral.meeting_at, case.referral.meeting_mode) == (london(at), "virtual")


def test_a_gathering_on_some_days_only_is_waited_for() -> None:
    case = at_meeting(meeting_hub({"days": ("mon", "thu"), "at": time(9, 0)}))
    assert case.referral.meeting_at == london("2026-06-04 09:00")


def test_without_a_gathering_somebody_convenes_and_until_then_a_clock_runs() -> None:
    case = at_meeting()
    assert case.referral.meeting_at is None and of(MeetingConvened, [event for _, _, event in case.log]) == []
    assert case.referral.next_at is not None


def test_a_strategy_discussion_in_between_does_not_convene_the_case_a_second_time() -> None:
    case = at_meeting(DAILY)
    case.give(CallStrategyDiscussion())
    case.give(RecordStrategyDiscussion(attended=QUORUM, outcome="no_section_47"))
    assert case.stage == "mash_meeting"
    assert len(of(MeetingConvened, [event for _, _, event in case.log])) == 1


def test_a_case_that_cannot_wait_for_the_gathering_is_convened_by_hand() -> None:
    case = at_meeting(DAILY)
    case.give(ConveneMeeting(at=case.now + timedelta(hours=1), mode="telephone"))
    assert (case.referral.meeting_at, case.referral.meeting_mode) == (case.now + timedelta(hours=1), "telephone")


def test_a_case_is_convened_at_a_gathering_that_discusses_its_rating_or_category() -> None:
    only = {"ratings": ("red",), "categories": ("domestic_abuse",)}
    assert at_meeting(meeting_hub(only), "red", categories=("domestic_abuse",)).referral.meeting_at is not None


# Convening by hand


def test_a_meeting_is_convened_for_a_time_to_come_that_says_where_on_earth_it_is() -> None:
    case = at_meeting()
    with pytest.raises(Incomplete, match="time to come"):
        case.give(ConveneMeeting(at=case.now - timedelta(minutes=1)))
    with pytest.raises(ValidationError, match="timezone"):
        ConveneMeeting(at=datetime(2026, 6, 3, 10, 0))
    case.give(ConveneMeeting(at=london("2026-06-03 10:00")))
    assert case.referral.meeting_at == london("2026-06-03 10:00")


def test_a_meeting_is_held_in_the_ways_of_the_hub_and_in_the_first_of_them_unless_said() -> None:
    case = at_meeting(meeting_hub(modes=("telephone", "virtual")))
    at = case.now + timedelta(hours=1)
    with pytest.raises(NotInProfile, match="telephone, virtual"):
        case.give(ConveneMeeting(at=at, mode="face_to_face"))
    case.give(ConveneMeeting(at=at))
    assert case.referral.meeting_mode == "telephone"
    case.wait(hours=1)
    with pytest.raises(ReasonNeeded, match="where this hub holds it telephone or virtual"):
        case.give(held(mode="face_to_face"), words=False)
    (event,) = of(MeetingHeld, case.give(held(mode="face_to_face")))
    assert event.mode == "face_to_face"


def test_a_meeting_convened_by_telephone_is_recorded_as_held_by_telephone_unless_somebody_says_otherwise() -> None:
    case = at_meeting()
    case.give(ConveneMeeting(at=case.now + timedelta(hours=1), mode="telephone"))
    case.wait(hours=1)
    (event,) = of(MeetingHeld, case.give(held()))
    assert event.mode == "telephone"


# Holding it


def test_who_came_and_who_sent_apologies_are_agencies_of_the_hub_and_are_recorded() -> None:
    case = at_meeting()
    for broken in (held(attended=("police", "Sergeant Smith")), held(apologies=("Mrs Miller",))):
        with pytest.raises(NotInProfile):
            case.give(broken)
    (event,) = of(MeetingHeld, case.give(held(attended=("police", "health"), apologies=("housing",))))
    assert (event.attended, event.apologies) == (("police", "health"), ("housing",))
    assert case.referral.meeting_held and case.stage == "decision"


@pytest.mark.parametrize("missing", ["police", "education"])
def test_without_those_whom_the_hub_wants_there_the_meeting_has_no_quorum_and_apologies_do_not_count(missing: str) -> None:
    case = at_meeting(meeting_hub(quorum=("police", "education")))
    there = tuple(agency for agency in ("police", "education", "health") if agency != missing)
    with pytest.raises(QuorumNotMet, match=f"missing: {missing}"):
        case.give(held(attended=there, apologies=(missing,)))
    assert case.stage == "mash_meeting"
    case.give(held(attended=(*there, missing)))
    assert case.stage == "decision"


def test_a_hub_without_a_quorum_meets_with_whoever_comes() -> None:
    case = at_meeting()
    case.give(held(attended=()))
    assert case.stage == "decision"


def test_where_the_first_rating_stands_the_meeting_gives_another_only_if_it_wants_to() -> None:
    profile = meeting_hub(second_rating=False)
    same, other = at_meeting(profile), at_meeting(profile)
    assert of(ReferralRerated, same.give(held(rating=None))) == []
    other.give(held(rating="green"))
    assert [case.referral.rating for case in (same, other)] == ["amber", "green"]
    assert [case.stage for case in (same, other)] == ["decision", "decision"]


def test_a_second_rating_is_given_where_the_hub_wants_one_and_is_one_of_its_own() -> None:
    case = at_meeting()
    with pytest.raises(Incomplete, match="second rating"):
        case.give(held(rating=None))
    with pytest.raises(NotInProfile, match="red, amber, green"):
        case.give(held(rating="blue"))
    assert not case.referral.meeting_held
    assert of(ReferralRerated, case.give(held(rating="amber"))) == [], "the same rating again changes nothing"


# Strategy discussions


def discussing(**like: Any) -> Case:
    """A case at its strategy discussion, at a hub that holds them so."""
    case = arrived(hub(strategy_discussion=SANDWELL.strategy_discussion.model_copy(update=like)))
    case.give(CallStrategyDiscussion())
    return case


def test_a_strategy_discussion_is_recorded_in_the_way_it_was_held_in_with_a_reason_where_the_hub_has_another() -> None:
    case = discussing(modes=("face_to_face",))
    discussed = RecordStrategyDiscussion(attended=QUORUM, outcome="section_47", mode="telephone")
    with pytest.raises(ReasonNeeded, match="face to face"):
        case.give(discussed, words=False)
    (event,) = of(StrategyDiscussionHeld, case.give(discussed))
    assert event.mode == "telephone" and case.stage == "enquiries"


def test_a_hub_may_want_more_at_its_strategy_discussions_than_the_guidance_and_apologies_do_not_count() -> None:
    case = discussing(quorum=(*QUORUM, "education"))
    discussed = RecordStrategyDiscussion(attended=QUORUM, apologies=("education",), outcome="section_47")
    with pytest.raises(QuorumNotMet, match="missing: education"):
        case.give(discussed)
    (event,) = of(
        StrategyDiscussionHeld,
        case.give(discussed.model_copy(update={"attended": (*QUORUM, "education"), "apologies": ("housing",)})),
    )
    assert event.apologies == ("housing",)


# Dissent


def test_each_agencys_dissent_stands_by_itself_with_its_reason_and_moves_nothing() -> None:
    case = at_meeting()
    with pytest.raises(ReasonNeeded):
        case.give(RecordDissent(about="rating"), partner("police"), words=False)
    case.give(RecordDissent(about="rating"), partner("police"))
    case.give(RecordDissent(about="meeting"), partner("health"))
    assert case.referral.dissents == ("police:rating", "health:meeting")
    assert (case.stage, case.referral.rating) == ("mash_meeting", "amber")


def test_who_did_not_agree_at_a_meeting_is_recorded_with_it_and_says_why() -> None:
    case = at_meeting()
    with pytest.raises(ReasonNeeded):
        case.give(held(dissents=("police",)), words=False)
    with pytest.raises(NotInProfile):
        case.give(held(dissents=("coastguard",)))
    recorded = of(DissentRecorded, case.give(held(dissents=("police", "health", "police"))))
    assert [(each.agency, each.about) for each in recorded] == [("police", "meeting"), ("health", "meeting")]
    assert case.referral.dissents == ("police:meeting", "health:meeting")


def test_a_meeting_at_which_all_agreed_is_written_as_it_was_before_anybody_could_disagree() -> None:
    assert "dissents" not in held().model_dump() and "dissents" in held(dissents=("police",)).model_dump()


def test_a_dissent_is_an_agencys_of_the_hub() -> None:
    with pytest.raises(NotInProfile):
        at_meeting().give(RecordDissent(about="rating"), person("agency", "coastguard"))


def test_before_anything_is_rated_or_decided_there_is_nothing_to_dissent_from() -> None:
    with pytest.raises(ImpossibleMove):
        arrived(SANDWELL).give(RecordDissent(about="rating"), partner("police"))


def test_an_agency_dissents_from_a_decision_that_has_concluded_the_case() -> None:
    case = at_decision()
    case.give(decision(s0="no_further_action"), MANAGER)
    case.give(RecordDissent(about="decision"), partner("police"))
    assert case.referral.dissents == ("police:decision",) and not case.referral.open
