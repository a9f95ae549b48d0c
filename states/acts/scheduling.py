"""When a strategy discussion is to be held and who is invited; and that it, or the meeting, is called off."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from mash.states.acts import attendance, demands
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, Refusal
from mash.states.fold import Changes, folds
from mash.states.invited import to_discuss, to_meet
from mash.states.profile import Mode, Profile
from mash.states.rebuild import Caused, as_given, rebuilds, says_all
from mash.states.referral import Referral
from mash.states.register import act
from mash.states.stages import SEEN
from mash.states.values import Actor, Code, CommandBase, EventBase, Words

Planned = Literal["meeting", "strategy_discussion"]
NOT_SCHEDULED: Changes = {"discussion_at": None, "discussion_mode": None, "discussion_invited": ()}
"""What is so once a discussion was held or called off."""


class ScheduleStrategyDiscussion(CommandBase):
    """Say when the strategy discussion is held, and invite whoever is to come; given again, it is moved, with those who
    were invited unless others are named."""

    kind: Literal["schedule_strategy_discussion"] = "schedule_strategy_discussion"
    at: AwareDatetime
    mode: Mode | None = Field(default=None, description="The hub's first way of holding it, unless given.")
    invited: tuple[Code, ...] = Field(
        default=(), description="Who is to come besides those that must: agencies, or others whom the hub's profile names."
    )


class CancelMeeting(CommandBase):
    """The meeting, or the strategy discussion, is not held at its time: whoever was invited is told, and rung."""

    kind: Literal["cancel_meeting"] = "cancel_meeting"
    what: Planned = "meeting"


class StrategyDiscussionScheduled(EventBase):
    kind: Literal["strategy_discussion_scheduled"] = "strategy_discussion_scheduled"
    at: datetime
    mode: str
    invited: tuple[str, ...]
    words: Words | None = Field(alias="said")


class MeetingCancelled(EventBase):
    """What was to be held at its time is not; `invited` are all who were to come."""

    kind: Literal["meeting_cancelled"] = "meeting_cancelled"
    what: str
    at: datetime
    invited: tuple[str, ...]
    words: Words | None = Field(alias="said")


@act(ScheduleStrategyDiscussion, stages=("strategy_discussion",))
def schedule(d: Deciding, cmd: ScheduleStrategyDiscussion, words: Words | None) -> None:
    """For a time to come. It may be planned otherwise than the hub usually holds it, with a reason."""
    demands.of_these_days(d, cmd.at, "at")
    if cmd.at < d.now:
        raise Incomplete("a strategy discussion is scheduled for a time to come; one that was held is recorded")
    demands.agencies(d, cmd.invited)
    invited = tuple(dict.fromkeys(cmd.invited)) or d.referral.discussion_invited
    mode = attendance.way(d.profile.strategy_discussion.modes, cmd.mode, words, "a strategy discussion")
    d.record(StrategyDiscussionScheduled(at=cmd.at, mode=mode, invited=invited, words=words))


@rebuilds(ScheduleStrategyDiscussion, StrategyDiscussionScheduled)
def _schedule_strategy_discussion_again(caused: Caused, event: StrategyDiscussionScheduled) -> ScheduleStrategyDiscussion:
    invited = () if event.invited == caused.referral.discussion_invited else event.invited
    return as_given(ScheduleStrategyDiscussion, at=event.at, mode=event.mode, invited=invited)


def _planned(referral: Referral) -> dict[str, datetime]:
    """What is to be held, and when."""
    meeting = None if referral.meeting_held else referral.meeting_at
    times = {"meeting": meeting, "strategy_discussion": referral.discussion_at}
    return {what: at for what, at in times.items() if at is not None}


def _not_planned(referral: Referral, profile: Profile, by: Actor, cmd: CancelMeeting | None) -> Refusal | None:
    planned = _planned(referral)
    if cmd is None or cmd.what in planned:
        return None
    return Incomplete(f"nothing of that kind is to be held: expected {' or '.join(planned)}")


@act(CancelMeeting, stages=SEEN, when=lambda referral: bool(_planned(referral)), hindrance=_not_planned)
def cancel(d: Deciding, cmd: CancelMeeting, words: Words | None) -> None:
    """Called off with a reason; the clock of the stage runs on, so that it is held at another time."""
    written = demands.words(words, "calling it off")
    invited = (to_meet if cmd.what == "meeting" else to_discuss)(d.referral, d.profile)
    d.record(MeetingCancelled(what=cmd.what, at=_planned(d.referral)[cmd.what], invited=invited, words=written))


says_all(MeetingCancelled, CancelMeeting)


@folds(StrategyDiscussionScheduled)
def _scheduled(referral: Referral, event: StrategyDiscussionScheduled, at: datetime, by: Actor) -> Changes:
    return {"discussion_at": event.at, "discussion_mode": event.mode, "discussion_invited": event.invited}


@folds(MeetingCancelled)
def _cancelled(referral: Referral, event: MeetingCancelled, at: datetime, by: Actor) -> Changes:
    return {"meeting_at": None, "meeting_invited": ()} if event.what == "meeting" else NOT_SCHEDULED
