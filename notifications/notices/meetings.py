"""A meeting is convened, or a strategy discussion is called: whoever takes part is invited."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from mash.config.words import agency_title
from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.occasion import Occasion, on, on_entering
from mash.states.acts.meetings import MeetingConvened, MeetingHeld
from mash.states.acts.scheduling import MeetingCancelled, StrategyDiscussionScheduled
from mash.states.course import StageEntered
from mash.states.invited import by_telephone, roles_of, to_discuss, to_meet
from mash.states.profile import Profile
from mash.states.referral import Referral

Invited = Callable[[Referral, Profile], tuple[str, ...]]
"""Says who is to come."""
CALLS = "duty_manager"
"""Whose a strategy discussion is: the hub's manager's."""


def to_meeting(referral: Referral, profile: Profile) -> tuple[str, ...]:
    """The roles that a meeting is told to: of all who are to come, and the chair."""
    return tuple(dict.fromkeys((*roles_of(to_meet(referral, profile), profile), profile.meeting.chair)))


def to_discussion(referral: Referral, profile: Profile) -> tuple[str, ...]:
    """The roles of all who are to come to a strategy discussion."""
    return roles_of(to_discuss(referral, profile), profile)


def invitation(occasion: Occasion, role: str) -> NoticeDraft:
    """To the meeting that is to be held: when, how, and who chairs it."""
    after = occasion.after
    if after.meeting_at is None:
        raise ValueError("nobody is invited to a meeting that has no time")
    mode, chair = after.meeting_mode.replace("_", " "), occasion.profile.meeting.chair
    when = {"at": after.meeting_at.isoformat(), "mode": mode, "chair": chair, "version": after.version}
    return occasion.notice("meeting_convened", role, None, **when)


def discussion(occasion: Occasion, role: str) -> NoticeDraft:
    """To the strategy discussion that is to be held: when, and how."""
    after = occasion.after
    if after.discussion_at is None or after.discussion_mode is None:
        raise ValueError("nobody is invited to a strategy discussion that has no time")
    mode = after.discussion_mode.replace("_", " ")
    when = {"at": after.discussion_at.isoformat(), "mode": mode, "chair": CALLS, "version": after.version}
    return occasion.notice("strategy_discussion_scheduled", role, None, **when)


@on(MeetingConvened)
def convened(event: MeetingConvened, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Whoever is to come; and whoever is to ring those whom nobody can write to."""
    yield from (invitation(occasion, role) for role in to_meeting(occasion.after, occasion.profile))
    if (before := occasion.before) and before.meeting_at and not before.meeting_held:
        yield from to_ring(occasion, "meeting", left_out(to_meet, occasion), before.meeting_at, off=True, without_them=True)
    yield from to_ring(occasion, "meeting", to_meet(occasion.after, occasion.profile), event.at, off=False)


@on(StrategyDiscussionScheduled)
def scheduled(event: StrategyDiscussionScheduled, occasion: Occasion) -> Iterator[NoticeDraft]:
    """The same of a strategy discussion."""
    yield from (discussion(occasion, role) for role in to_discussion(occasion.after, occasion.profile))
    if (before := occasion.before) and before.discussion_at:
        gone = left_out(to_discuss, occasion)
        yield from to_ring(occasion, "strategy_discussion", gone, before.discussion_at, off=True, without_them=True)
    yield from to_ring(occasion, "strategy_discussion", to_discuss(occasion.after, occasion.profile), event.at, off=False)


def left_out(invited: Invited, occasion: Occasion) -> tuple[str, ...]:
    """Who was to come, and is not any more."""
    return _beside(invited, occasion.before, occasion.after, occasion.profile)


def besides(invited: Invited, occasion: Occasion) -> tuple[str, ...]:
    """Who is to come, and was not before."""
    return _beside(invited, occasion.after, occasion.before, occasion.profile)


def _beside(invited: Invited, of: Referral | None, other: Referral | None, profile: Profile) -> tuple[str, ...]:
    there = invited(other, profile) if other else ()
    return tuple(name for name in invited(of, profile) if name not in there) if of else ()


@on(MeetingCancelled)
def called_off(event: MeetingCancelled, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Whoever was invited, also of the role of whoever calls it off: it is in their calendars too."""
    if (before := occasion.before) is None:
        return
    profile = occasion.profile
    roles = (to_meeting if event.what == "meeting" else to_discussion)(before, profile)
    yield from _not_then(occasion, event.what, roles, event.at, held=False)
    yield from to_ring(occasion, event.what, event.invited, event.at, off=True)


@on(MeetingHeld)
def met(event: MeetingHeld, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Where it was held before its time: whoever was not there would still come."""
    if (before := occasion.before) and before.meeting_at:
        invited = to_meet(before, occasion.profile)
        yield from held_before(occasion, "meeting", invited, event.attended, before.meeting_at)


def held_before(
    occasion: Occasion, what: str, invited: tuple[str, ...], attended: tuple[str, ...], at: datetime
) -> Iterator[NoticeDraft]:
    """Whoever was invited for a time to come and was not there hears that it has been held; whom nobody can write to is rung."""
    if at <= occasion.now:
        return
    missed = tuple(name for name in invited if name not in attended)
    were_there = roles_of(attended, occasion.profile)
    roles = tuple(role for role in roles_of(missed, occasion.profile) if role not in were_there)
    yield from _not_then(occasion, what, roles, at, held=True)
    yield from to_ring(occasion, what, missed, at, off=True, held=True)


def _not_then(occasion: Occasion, what: str, roles: tuple[str, ...], at: datetime, *, held: bool) -> Iterator[NoticeDraft]:
    """What stands in calendars does not take place at its time: called off, or `held` before."""
    before, profile = occasion.before, occasion.profile
    if before is None:
        return
    meeting = what == "meeting"
    kind, chair = ("meeting_called_off", profile.meeting.chair) if meeting else ("strategy_discussion_called_off", CALLS)
    mode = before.meeting_mode if meeting else before.discussion_mode or ""
    was = {"at": at.isoformat(), "mode": mode.replace("_", " "), "chair": chair, "version": occasion.after.version}
    for role in roles:
        yield occasion.notice(kind, role, None, held=held, **was)


def to_ring(
    occasion: Occasion, what: str, invited: tuple[str, ...], at: datetime, *, off: bool, **why: bool
) -> Iterator[NoticeDraft]:
    """The manager on duty has those rung whom nobody can write to: they are invited; or it does not take place (`off`), as it has
    been `held` already, or not for them (`without_them`)."""
    if names := by_telephone(invited, occasion.profile):
        titles = [agency_title(occasion.profile, name) for name in names]
        said = {"what": what, "to_ring": titles, "at": at.isoformat(), "off": off, **why}
        yield occasion.notice("ring_invited", occasion.duty, None, **said)


@on_entering("strategy_discussion")
def called(event: StageEntered, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Whoever must be there, and the manager on duty."""
    for role in dict.fromkeys((*to_discussion(occasion.after, occasion.profile), occasion.duty)):
        yield occasion.notice("strategy_discussion", role)
