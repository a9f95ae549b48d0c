"""A meeting is convened, or a strategy discussion is called: whoever takes part is invited."""

from __future__ import annotations

from collections.abc import Iterator

from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.occasion import Occasion, on, on_entering
from mash.states.acts.meetings import MeetingConvened
from mash.states.course import StageEntered
from mash.states.profile import MIDWIFE


@on(MeetingConvened)
def convened(event: MeetingConvened, occasion: Occasion) -> Iterator[NoticeDraft]:
    """The agencies that were asked, those that must be there, and the chair."""
    profile, after = occasion.profile, occasion.after
    when = {"at": event.at.isoformat(), "mode": event.mode.replace("_", " "), "chair": event.chair, "version": after.version}
    there = {*after.checks, *profile.meeting.quorum, *_midwife(occasion)}
    invited = [agency for agency in profile.agencies if agency in there]
    for role in dict.fromkeys((*(profile.agencies[agency].role for agency in invited), event.chair)):
        yield occasion.notice("meeting_convened", role, None, **when)


@on_entering("strategy_discussion")
def called(event: StageEntered, occasion: Occasion) -> Iterator[NoticeDraft]:
    """The agencies that must be there, and the manager on duty."""
    profile = occasion.profile
    quorum = {*profile.strategy_discussion.quorum, *_midwife(occasion)}
    invited = [agency.role for name, agency in profile.agencies.items() if name in quorum]
    for role in dict.fromkeys((*invited, occasion.duty)):
        yield occasion.notice("strategy_discussion", role)


def _midwife(occasion: Occasion) -> tuple[str, ...]:
    """Is invited where it is about an unborn child: midwifery is to be part of planning before a birth (as Sussex and Knowsley
    publish it of their conferences)."""
    return (MIDWIFE,) if "unborn" in occasion.after.cohorts else ()
