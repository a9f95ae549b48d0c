"""What is to be held in a case, the meeting or the strategy discussion: who is to come, and what is known of each beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mash.api.pages.words import NUMBERS, counted, when
from mash.config.words import agency_title, sentence, worded
from mash.states.acts.scheduling import Planned
from mash.states.clocks import day_of
from mash.states.invited import by_telephone, roles_of, to_discuss, to_meet
from mash.states.profile import Profile
from mash.states.referral import Check, Referral
from mash.states.stages import STAGE_TITLES

HERE: dict[str, str] = {"face_to_face": "Here", "telephone": "Telephone", "virtual": "Video"}
NOT_HERE: dict[str, str] = {"apologies": "Apologies", "absent": "Absent"}
INVITING = ("meeting_convened", "strategy_discussion_scheduled", "strategy_discussion")
"""The notices by which somebody is invited."""
ARRIVED = {"queued": "Being sent", "delivered": "Sent", "dead": "Not delivered"}


@dataclass(frozen=True)
class Sitting:
    """A meeting or a strategy discussion that is still to be recorded."""

    what: Planned
    kind: str
    """The command that records it."""
    title: str
    quorum: tuple[str, ...]
    modes: tuple[str, ...]
    at: datetime | None
    mode: str
    expected: tuple[str, ...]
    """Who is to come: those that must take part first."""

    @property
    def ways(self) -> dict[str, str]:
        """What may be said of each: that they are here, in the ways that the hub takes; that they sent apologies; or neither."""
        own = tuple(dict.fromkeys((*self.modes, self.mode)))
        here = {mode: HERE[mode] for mode in own} if len(own) > 1 else {own[0]: "Here"}
        return {**here, **NOT_HERE}


def at_time(at: datetime, now: datetime) -> str:
    """A time as it stands on a meeting's page: 'Today 13:30', 'Fri 09:30'."""
    return f"{'Today ' if day_of(at) == day_of(now) else ''}{when(at, now)}"


@dataclass(frozen=True)
class Seat:
    """Somebody who is to come: what they are called, whether they must take part, who was invited by name, and how that went."""

    name: str
    title: str
    must: bool
    who: str
    invitation: str
    came: str
    """Which of the ways is chosen; empty where nobody has said."""


def sitting_of(referral: Referral, profile: Profile) -> Sitting | None:
    """What a case waits for of the two; None where it waits for neither."""
    if referral.stage == "strategy_discussion":
        return sitting_as("strategy_discussion", referral, profile)
    if referral.meeting_held or (referral.stage != "mash_meeting" and referral.meeting_at is None):
        return None
    return sitting_as("meeting", referral, profile)


def sitting_as(what: Planned, referral: Referral, profile: Profile) -> Sitting:
    """One of the two, whether the case waits for it now or not."""
    if what == "strategy_discussion":
        hub = profile.strategy_discussion
        expected = _first_those(hub.quorum, to_discuss(referral, profile))
        mode = referral.discussion_mode or hub.modes[0]
        kind, title = "record_strategy_discussion", "Strategy discussion"
        return Sitting("strategy_discussion", kind, title, hub.quorum, hub.modes, referral.discussion_at, mode, expected)
    meeting = profile.meeting
    how = referral.meeting_mode if referral.meeting_at else meeting.modes[0]
    expected = _first_those(meeting.quorum, to_meet(referral, profile))
    return Sitting("meeting", "record_meeting", "Meeting", meeting.quorum, meeting.modes, referral.meeting_at, how, expected)


def _first_those(must: Iterable[str], expected: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*must, *expected)))


def seats(
    sitting: Sitting,
    referral: Referral,
    profile: Profile,
    notices: Sequence[Any],
    said: Mapping[str, str],
    more: Iterable[str] = (),
) -> list[Seat]:
    """Who is to come, and who came besides (`more`); with what was `said` of each. Whom no invitation reached is taken to be
    absent until somebody says otherwise; that one was sent does not say that anybody came."""
    told = {notice.role: notice for notice in notices if notice.kind in INVITING}
    to_ring = by_telephone(sitting.expected, profile)
    found = []
    for name in dict.fromkeys((*sitting.expected, *more)):
        notice = next((told[role] for role in roles_of((name,), profile) if role in told), None)
        check = referral.checks.get(name)
        who = (check.allocated_to if check else None) or (notice.person if notice else None) or ""
        arrived = ARRIVED.get(notice.status, "") if notice and name in sitting.expected else ""
        invitation = arrived or ("By telephone" if name in to_ring else "Not invited")
        reached = arrived in (ARRIVED["queued"], ARRIVED["delivered"])
        supposed = "absent" if sitting.at and name in sitting.expected and not reached else ""
        chosen = said.get(name) or (sitting.mode if name in more else supposed)
        came = chosen if chosen in sitting.ways else ""
        found.append(Seat(name, sentence(agency_title(profile, name)), name in sitting.quorum, who, invitation, came))
    return found


def unsaid(some: Iterable[Seat]) -> list[Seat]:
    """Those of them of whom nobody has said whether they are here."""
    return [seat for seat in some if not seat.came]


def here(some: Iterable[Seat]) -> list[Seat]:
    """Those of them who take part, in whatever way."""
    return [seat for seat in some if seat.came in HERE]


def in_short(some: Sequence[Seat]) -> tuple[str, str]:
    """How many are here, and whether those are who must take part: '8 here, 3 apologies, 1 absent.', 'The 3 that must take part
    (bold) are here.'"""
    there, sorry = here(some), [seat for seat in some if seat.came == "apologies"]
    absent = [seat for seat in some if seat.came == "absent"]
    open_ones = len(unsaid(some))
    counts = f"{len(there)} here, {counted(sorry, 'apology', 'apologies')}, {len(absent)} absent"
    counts += f", {open_ones} not said." if open_ones else "."
    must = [seat for seat in some if seat.must]
    missing = [seat.title for seat in must if seat not in there]
    if not must:
        return counts, ""
    if missing:
        return counts, f"Must take part and not here: {', '.join(missing)}."
    if len(must) == 1:
        return counts, f"{must[0].title} must take part (bold), and is here."
    return counts, f"The {NUMBERS.get(len(must), len(must))} that must take part (bold) are here."


def answered(check: Check | None, now: datetime, profile: Profile) -> str:
    """What an agency answered to its check, in a line."""
    if check is None:
        return "Not asked."
    if check.answered_at is None:
        return (
            "Closed without an answer."
            if check.closed_without_reply
            else f"Asked at {when(check.requested_at, now)}, no answer yet."
        )
    found = check.told if check.told and check.confirmed_at is None else check
    known = {True: "known", False: "not known", None: ""}[found.known]
    relevant = {True: "relevant", False: "nothing relevant", None: ""}[found.relevant]
    rating = f"suggests {worded(found.suggested_rating, profile)}" if found.suggested_rating else ""
    advice = f"recommends {worded(found.recommendation, profile)}" if found.recommendation else ""
    facts = ", ".join(filter(None, (known, relevant, advice, rating)))
    how = "Told by telephone" if found is check.told else "Answered"
    return f"{how} at {when(check.answered_at, now)}{f': {facts}' if facts else ''}."


def in_the_way(referral: Referral, profile: Profile) -> str:
    """Why it cannot be recorded yet."""
    if referral.outstanding:
        waits = ", ".join(sentence(agency_title(profile, name)) for name in referral.outstanding)
        return f"Not answered yet: {waits}. It can be recorded once they have, or the hub goes on without them."
    stage = STAGE_TITLES.get(referral.stage, worded(referral.stage))
    return f"The case is at “{stage}”. It can be recorded once the meeting is due."
