"""The MASH meeting: convened, held, dissented from."""

from __future__ import annotations

from mash.states import commands as c
from mash.states import events as e
from mash.states.acts import demands
from mash.states.commands import Said
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete


def convene(d: Deciding, cmd: c.ConveneMeeting, said: Said | None) -> None:
    """Call the meeting for a time to come; the partners are invited."""
    if cmd.at.tzinfo is None or cmd.at < d.now:
        raise Incomplete("a meeting is convened for a time to come, given with its offset from UTC")
    meeting = d.profile.meeting
    mode = demands.mode(meeting.modes, cmd.mode, "the MASH meeting")
    d.record(e.MeetingConvened(at=cmd.at, chair=meeting.chair, mode=mode, said=said))


def record(d: Deciding, cmd: c.RecordMeeting, said: Said | None) -> None:
    """The meeting was held: who came, and the second rating where the hub gives one; it decides the route from here."""
    meeting = d.profile.meeting
    if cmd.rating:
        demands.rating(d, cmd.rating)
    elif meeting.second_rating:
        raise Incomplete(f"{d.profile.title} gives a second rating after the meeting: say which")
    demands.agencies(d, (*cmd.attended, *cmd.apologies))
    demands.quorum(meeting.quorum, cmd.attended, "the MASH meeting")
    convened = d.referral.meeting_mode if d.referral.meeting_at and not cmd.mode else None
    mode = convened or demands.mode(meeting.modes, cmd.mode, "the MASH meeting")
    d.record(e.MeetingHeld(attended=cmd.attended, apologies=cmd.apologies, mode=mode, rating=cmd.rating, said=said))
    if cmd.rating and cmd.rating != d.referral.rating:
        d.rerate(cmd.rating, said)
    d.take_route()


def dissent(d: Deciding, cmd: c.RecordDissent, said: Said | None) -> None:
    """Partners advise and may dissent: each agency's dissent stands by itself, with its reason."""
    demands.agencies(d, (d.by.agency,))
    d.record(e.DissentRecorded(agency=d.by.agency, about=cmd.about, said=demands.words(said, "a dissent")))
