"""The MASH meeting: convened, held, dissented from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, Field

from mash.states.acts import attendance, demands, rating
from mash.states.acts.actions import AllAgreed, agree, agreed_again
from mash.states.acts.attendance import Absent, Attendance, HeldOn
from mash.states.acts.seconding import demand_agreed
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete
from mash.states.fold import Changes, folds
from mash.states.invited import to_meet
from mash.states.profile import Mode
from mash.states.rebuild import Caused, Rebuilt, as_given, rebuilds, says_all, working
from mash.states.referral import Referral
from mash.states.register import act
from mash.states.route import LEGS, Leg, take_route
from mash.states.stages import ALL
from mash.states.usual import Give, Step, Until, Wait, usually
from mash.states.values import Actor, Code, CommandBase, EventBase, Words

if TYPE_CHECKING:
    from mash.states.world import World


class ConveneMeeting(CommandBase):
    """Call the MASH meeting for a time; given again, it is moved, with those who were invited unless others are named."""

    kind: Literal["convene_meeting"] = "convene_meeting"
    at: AwareDatetime
    mode: Mode | None = Field(default=None, description="The hub's first way of meeting, unless given.")
    invited: tuple[Code, ...] = Field(
        default=(),
        description="Who is to come besides those that were asked: agencies, or others whom the hub's profile names.",
        exclude_if=lambda invited: not invited,
    )


class RecordMeeting(CommandBase):
    """The meeting was held: who came, and the second rating where the hub gives one."""

    kind: Literal["record_meeting"] = "record_meeting"
    attended: tuple[Code, ...] = ()
    apologies: tuple[Code, ...] = ()
    attendance: Attendance = {}
    mode: Mode | None = None
    held_on: HeldOn = None
    rating: Code | None = None
    dissents: tuple[Code, ...] = Field(
        default=(),
        description="Which agencies did not agree at it; their views stand in the words.",
        exclude_if=lambda dissents: not dissents,
    )
    actions: AllAgreed = ()


class RecordDissent(CommandBase):
    """An agency does not agree, and its dissent stands in the record."""

    kind: Literal["record_dissent"] = "record_dissent"
    about: Literal["rating", "meeting", "decision"]


class MeetingConvened(EventBase):
    kind: Literal["meeting_convened"] = "meeting_convened"
    at: datetime
    chair: str
    mode: str = "face_to_face"
    invited: tuple[str, ...] = Field(default=(), exclude_if=lambda invited: not invited)
    words: Words | None = Field(alias="said")


class MeetingHeld(EventBase):
    kind: Literal["meeting_held"] = "meeting_held"
    attended: tuple[str, ...]
    apologies: tuple[str, ...] = ()
    absent: Absent = ()
    mode: str = "face_to_face"
    held_on: HeldOn = None
    rating: str | None
    words: Words | None = Field(alias="said")


class DissentRecorded(EventBase):
    kind: Literal["dissent_recorded"] = "dissent_recorded"
    agency: str
    about: str
    words: Words = Field(alias="said")


def _open_meeting(d: Deciding) -> None:
    """Where cases are discussed at a regular gathering, this one is convened at its next time."""
    d.go("open_meeting")
    meeting = d.profile.meeting
    if meeting.gathering is None:
        return
    gathering = d.profile.gatherings[meeting.gathering]
    at = d.profile.calendar.next_time(gathering.at, gathering.days, d.now)
    d.record(
        MeetingConvened(at=at, chair=meeting.chair, mode=gathering.modes[0], invited=_invited_before(d.referral), words=None)
    )


LEGS["mash_meeting"] = Leg(done=lambda d: d.referral.meeting_held, enter=_open_meeting)


@act(ConveneMeeting, stages=("agency_checks", "mash_meeting"))
def convene(d: Deciding, cmd: ConveneMeeting, words: Words | None) -> None:
    """Call the meeting for a time to come; the partners are invited."""
    demands.of_these_days(d, cmd.at, "at")
    if cmd.at < d.now:
        raise Incomplete("a meeting is convened for a time to come")
    meeting = d.profile.meeting
    mode = demands.mode(meeting.modes, cmd.mode, "the MASH meeting")
    demands.agencies(d, cmd.invited)
    invited = cmd.invited or _invited_before(d.referral)
    d.record(MeetingConvened(at=cmd.at, chair=meeting.chair, mode=mode, invited=invited, words=words))


@rebuilds(ConveneMeeting, MeetingConvened)
def _convene_meeting_again(caused: Caused, event: MeetingConvened) -> ConveneMeeting:
    invited = () if event.invited == _invited_before(caused.referral) else event.invited
    return as_given(ConveneMeeting, at=event.at, mode=event.mode, invited=invited)


def _invited_before(referral: Referral) -> tuple[str, ...]:
    """Whoever was invited to the meeting that is moved now; nobody where none is to be held."""
    return referral.meeting_invited if referral.meeting_at and not referral.meeting_held else ()


@act(RecordMeeting, stages=("mash_meeting",))
def record(d: Deciding, cmd: RecordMeeting, words: Words | None) -> None:
    """The meeting was held: who came, and the second rating where the hub gives one; it decides the route from here."""
    meeting = d.profile.meeting
    if cmd.rating:
        demands.rating(d, cmd.rating)
    elif meeting.second_rating:
        raise Incomplete(f"{d.profile.title} gives a second rating after the meeting: say which")
    attendance.not_to_come(d, d.referral.meeting_at, cmd.held_on, "the MASH meeting")
    attendance.judged_by(d, cmd.held_on, "the MASH meeting")
    expected = to_meet(d.referral, d.profile) if d.referral.meeting_at else ()
    came = attendance.there(d, cmd.attendance, cmd.attended, cmd.apologies, expected)
    demands.quorum(meeting.quorum, came.attended, "the MASH meeting")
    convened = d.referral.meeting_mode if d.referral.meeting_at and not cmd.mode else None
    mode = convened or attendance.way(meeting.modes, cmd.mode, words, "the MASH meeting")
    d.record(MeetingHeld(**came._asdict(), mode=mode, held_on=cmd.held_on, rating=cmd.rating, words=words))
    others = d.referral.meeting_at is not None and len({*came.attended}) > 1  # called before, so that they could come
    if cmd.rating and rating.rates_danger_down(d, cmd.rating) and not others:
        demand_agreed(d, "rating_down")
    _disagree(d, cmd.dissents, words)
    agree(d, cmd.actions, words)
    if cmd.rating and cmd.rating != d.referral.rating:
        rating.change(d, cmd.rating, words, also=(meeting.chair,) if meeting.second_rating else ())
    take_route(d)


@rebuilds(RecordMeeting, MeetingHeld)
def _record_meeting_again(caused: Caused, event: MeetingHeld) -> Rebuilt:
    before = caused.referral
    convened = before.meeting_mode if before.meeting_at else None
    met = as_given(
        RecordMeeting,
        attendance=attendance.table(event.attended, event.apologies, event.absent, caused.profile),
        mode=None if event.mode == convened else event.mode,
        held_on=event.held_on,
        rating=event.rating,
        dissents=tuple(each.agency for each in caused.every(DissentRecorded)),
        actions=agreed_again(caused),
    )
    return Rebuilt(met, colleagues=working(*(each.login for each in met.actions)))


def _disagree(d: Deciding, agencies: Iterable[str], words: Words | None) -> None:
    """Each agency that did not agree at the meeting has its dissent, whoever writes it down. Raises ReasonNeeded."""
    for agency in dict.fromkeys(agencies):
        demands.agencies(d, (agency,))
        d.record(DissentRecorded(agency=agency, about="meeting", words=demands.words(words, "a dissent")))


@act(
    RecordDissent,
    stages=ALL,
    when=lambda referral: referral.rating is not None or referral.decided,
    stands_alone=True,
)
def dissent(d: Deciding, cmd: RecordDissent, words: Words | None) -> None:
    """Partners advise and may dissent: each agency's dissent stands by itself, with its reason."""
    demands.agencies(d, (d.by.agency,))
    d.record(DissentRecorded(agency=d.by.agency, about=cmd.about, words=demands.words(words, "a dissent")))


says_all(DissentRecorded, RecordDissent)


@folds(MeetingConvened)
def _meeting_convened(referral: Referral, event: MeetingConvened, at: datetime, by: Actor) -> Changes:
    return {"meeting_at": event.at, "meeting_mode": event.mode, "meeting_invited": event.invited}


@folds(MeetingHeld)
def _meeting_held(referral: Referral, event: MeetingHeld, at: datetime, by: Actor) -> Changes:
    return {"meeting_held": True}


@folds(DissentRecorded)
def _dissent_recorded(referral: Referral, event: DissentRecorded, at: datetime, by: Actor) -> Changes:
    return {"dissents": (*referral.dissents, f"{event.agency}:{event.about}")}


@usually("mash_meeting")
def _mash_meeting(world: World, rating: str) -> Iterator[Step]:
    meeting = world.profile.meeting
    yield Until(world.referral.meeting_at) if world.referral.meeting_at else Wait(("mash_meeting", "response"))
    second = rating if meeting.second_rating else None
    meet = RecordMeeting(attended=meeting.quorum or tuple(world.profile.agencies)[:3], rating=second)
    yield Give(meet, meeting.chair, f"MASH meeting held{f', second rating {second}' if second else ''}")
