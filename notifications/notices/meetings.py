"""A meeting is convened, or a strategy discussion is called: whoever takes part is invited."""

from __future__ import annotations

from collections.abc import Iterator

from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.occasion import Occasion, on, on_entering
from mash.states.acts.meetings import MeetingConvened
from mash.states.course import StageEntered
from mash.states.profile import MIDWIFE, Profile
from mash.states.referral import Referral


def to_meeting(referral: Referral, profile: Profile) -> tuple[str, ...]:
    """The roles that a meeting is told to: the agencies that were asked, those that must be there, and the chair."""
    there = {*referral.checks, *profile.meeting.quorum, *_midwife(referral)}
    invited = (agency.role for name, agency in profile.agencies.items() if name in there)
    return tuple(dict.fromkeys((*invited, profile.meeting.chair)))


def to_discussion(referral: Referral, profile: Profile) -> tuple[str, ...]:
    """The roles of the agencies that are called to a strategy discussion: those that must be there."""
    quorum = {*profile.strategy_discussion.quorum, *_midwife(referral)}
    return tuple(dict.fromkeys(agency.role for name, agency in profile.agencies.items() if name in quorum))


def invitation(occasion: Occasion, role: str) -> NoticeDraft:
    """To the meeting that is to be held: when, how, and who chairs it."""
    after = occasion.after
    if after.meeting_at is None:
        raise ValueError("nobody is invited to a meeting that has no time")
    mode, chair = after.meeting_mode.replace("_", " "), occasion.profile.meeting.chair
    when = {"at": after.meeting_at.isoformat(), "mode": mode, "chair": chair, "version": after.version}
    return occasion.notice("meeting_convened", role, None, **when)


@on(MeetingConvened)
def convened(event: MeetingConvened, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Whoever is to come."""
    yield from (invitation(occasion, role) for role in to_meeting(occasion.after, occasion.profile))


@on_entering("strategy_discussion")
def called(event: StageEntered, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Whoever must be there, and the manager on duty."""
    for role in dict.fromkeys((*to_discussion(occasion.after, occasion.profile), occasion.duty)):
        yield occasion.notice("strategy_discussion", role)


def _midwife(referral: Referral) -> tuple[str, ...]:
    """Is invited where it is about an unborn child: midwifery is to be part of planning before a birth (as Sussex and Knowsley
    publish it of their conferences)."""
    return (MIDWIFE,) if "unborn" in referral.cohorts else ()
