"""What an act demands before it is carried out: a role, words, or a name that the hub's profile has."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from mash.states.clocks import dated
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotInProfile, NotYours, QuorumNotMet, ReasonNeeded, Refusal
from mash.states.profile import MIDWIFE, Mode, Profile
from mash.states.referral import Referral, SubjectState
from mash.states.values import Colleague, Words

BEFORE_RECEIPT, AHEAD = timedelta(days=30), timedelta(days=2 * 365)
"""How far a time that somebody gives may lie before the contact was received, and ahead. A product default, ours."""


def words(written: Words | None, what: str) -> Words:
    """The words that the act needs. Raises ReasonNeeded without them."""
    if written is None:
        raise ReasonNeeded(what)
    return written


def of_these_days(d: Deciding, at: datetime, field: str) -> None:
    """Refuse a time that nobody means: long before the contact was received, or years ahead."""
    first, last = d.referral.received_at - BEFORE_RECEIPT, d.now + AHEAD
    if not first <= at <= last:
        raise Incomplete(f"check the time ({field}): expected one between {dated(first)} and {dated(last)}", needs=[field])


def colleagues(d: Deciding, login: str) -> list[Colleague]:
    """The positions of somebody who works here. Raises Incomplete for a login that nobody has: nothing is
    handed to, agreed with or done by somebody who does not exist."""
    found = [each for each in d.colleagues if each.login == login]
    if not found:
        raise Incomplete(
            "nobody who works here has that login: expected somebody who is in the rota, or has signed in within a month"
        )
    return found


def login(d: Deciding, named: str) -> str:
    """A login as it is known here, of whoever acts or of somebody else who works here. Raises Incomplete for one that nobody has:
    whatever was typed would stay in the log for good."""
    known = named.lower()
    if known != d.by.id.lower():
        colleagues(d, known)
    return known


def one_of(d: Deciding, roles: Iterable[str], what: str) -> None:
    """Refuse an act of another role."""
    if d.by.role not in roles:
        raise not_for(d.by.role, roles, what)


def not_for(role: str, roles: Iterable[str], what: str) -> NotYours:
    """The refusal of an act of another role."""
    return NotYours(f"{what} is for {' or '.join(roles)}, not for {role}")


def not_a_subject(referral: Referral, subject: str) -> Refusal | None:
    """The refusal of an act about somebody whom the referral is not about; None for a subject of it."""
    if subject in referral.subjects:
        return None
    return Incomplete(f"that is not a subject of this referral: expected one of {', '.join(referral.subjects)}")


def rating(d: Deciding, name: str) -> None:
    """Refuse a rating that the hub does not have."""
    if name not in d.profile.ratings:
        raise NotInProfile(f"that is not a rating of {d.profile.title}: expected one of {', '.join(d.profile.ratings)}")


def subject(d: Deciding, sid: str) -> SubjectState:
    """The subject of this number. Raises Incomplete for one that the referral does not have."""
    if refusal := not_a_subject(d.referral, sid):
        raise refusal
    return d.referral.subjects[sid]


def otherwise(people: Iterable[str], what: str) -> str:
    """What to do about people for whom an act is not, being surely something else, where that is not so."""
    return (
        f"{', '.join(people)} is {what} by cohort and by birthday. Choose another outcome; where that is wrong, correct the"
        " cohort (correct_cohort) or the birthday (correct_details), and nothing is refused while they contradict"
    )


def agencies(d: Deciding, named: Iterable[str]) -> None:
    """Agencies are named as in the profile: a name typed here would stay in the log for good."""
    if set(named) - named_agencies(d.profile):
        raise NotInProfile(f"agencies are named as in the profile: expected some of {', '.join(d.profile.agencies)}")


def named_agencies(profile: Profile) -> set[str]:
    """Every agency that the profile names, and the midwife, who is health's wherever the profile names none."""
    must = (*profile.strategy_discussion.quorum, *profile.meeting.quorum, *profile.triage.joint)
    return {MIDWIFE, *profile.agencies, *profile.invited, *must}


def quorum(needed: tuple[str, ...], there: Iterable[str], what: str) -> None:
    """Refuse a meeting without those it needs."""
    if missing := [agency for agency in needed if agency not in set(there)]:
        raise QuorumNotMet(f"{what} needs {', '.join(needed)}; missing: {', '.join(missing)}", missing=missing)


def mode(allowed: tuple[Mode, ...], chosen: Mode | None, what: str) -> Mode:
    """How it was held: as chosen, or the hub's first way. Raises NotInProfile for a way in which the hub does not hold it."""
    if chosen is not None and chosen not in allowed:
        ways = ", ".join(way.replace("_", " ") for way in allowed)
        raise NotInProfile(f"{what} is held {ways} at this hub")
    return chosen or allowed[0]
