"""Who is to come to a meeting or a strategy discussion: asked by whoever invites, lets in, and notes who was absent."""

from __future__ import annotations

from mash.states.profile import BY_TELEPHONE, MIDWIFE, Profile
from mash.states.referral import Referral


def to_meet(referral: Referral, profile: Profile) -> tuple[str, ...]:
    """Who is to come to the MASH meeting: the agencies that were asked, those that must be there, and who is invited besides."""
    meeting = profile.meeting
    return _each(*referral.checks, *meeting.quorum, *meeting.invites, *referral.meeting_invited, *_midwife(referral))


def to_discuss(referral: Referral, profile: Profile) -> tuple[str, ...]:
    """Who is to come to the strategy discussion: those that must take part, and who is invited besides."""
    hub = profile.strategy_discussion
    return _each(*hub.quorum, *hub.invites, *referral.discussion_invited, *_midwife(referral))


def roles_of(names: tuple[str, ...], profile: Profile) -> tuple[str, ...]:
    """The roles that their invitations go to: the agency's, or that of somebody whom the hub does not check with."""
    return _each(*(role for name in names if (role := _role(name, profile))))


def by_telephone(names: tuple[str, ...], profile: Profile) -> tuple[str, ...]:
    """Whom nobody can write to: somebody of the hub rings them."""
    return tuple(name for name in names if not _role(name, profile))


def _role(name: str, profile: Profile) -> str:
    if agency := profile.agencies.get(name):
        return agency.role
    guest = profile.invited.get(name)
    return guest.role if guest and guest.role != BY_TELEPHONE else ""


def _midwife(referral: Referral) -> tuple[str, ...]:
    """Is invited where it is about an unborn child: midwifery is to be part of planning before a birth (as Sussex and Knowsley
    publish it of their conferences)."""
    return (MIDWIFE,) if "unborn" in referral.cohorts else ()


def _each(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
