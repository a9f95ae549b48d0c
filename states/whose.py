"""Whose an act is: the roles of the hub that it is for, and what an agency or a person does only about their own. What is refused
to others is not offered to them either."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mash.states.commands import Actor
from mash.states.profile import Profile
from mash.states.referral import Referral

Roles = tuple[str, ...]


def own_triage(referral: Referral, profile: Profile) -> str:
    """The role that triages for the case's place, when the place triages on its own; empty otherwise."""
    place = profile.places.get(referral.place or "")
    return place.triage_role or "" if place else ""


def raters(referral: Referral, profile: Profile) -> Roles:
    """Who rates a case: the hub's raters, or whoever triages for its place (and, at night, whoever is on duty)."""
    role = own_triage(referral, profile)
    return (role, profile.out_of_hours.role) if role else profile.raters


def _any_rater(referral: Referral, profile: Profile) -> Roles:
    return tuple(dict.fromkeys((*profile.raters, *raters(referral, profile))))


def _deciders(referral: Referral, profile: Profile) -> Roles:
    return profile.deciders


def raters_and_deciders(referral: Referral, profile: Profile) -> Roles:
    """Whoever rates a case or decides about it."""
    return tuple(dict.fromkeys((*_any_rater(referral, profile), *profile.deciders)))


def service(referral: Referral, profile: Profile) -> Roles:
    """The role of the service that a step-down is offered to."""
    offered = profile.services.get(referral.service or "")
    return (offered.role,) if offered else ()


def _answering_the_offer(referral: Referral, profile: Profile) -> Roles:
    return tuple(dict.fromkeys((*service(referral, profile), *profile.deciders)))


ROLES: Mapping[str, Callable[[Referral, Profile], Roles]] = {
    "rate_referral": raters,
    "rerate_referral": _any_rater,
    "record_threshold": lambda referral, profile: tuple(dict.fromkeys((*profile.raters, *profile.deciders))),
    "proceed_without_replies": _any_rater,
    "record_decision": _deciders,
    "sign_off_decision": lambda referral, profile: (referral.proposed.role,) if referral.proposed else (),
    "reopen_referral": _deciders,
    "conclude_enquiries": _deciders,
    "accept_step_down": _answering_the_offer,
    "return_step_down": _answering_the_offer,
}
"""Who gives a command on a case, where the hub's profile says so. Everything else is for whoever the table of permissions
lets do it."""


def _has_open_check(referral: Referral, profile: Profile, by: Actor) -> bool:
    check = referral.checks.get(by.agency)
    return check is not None and check.answered_at is None


def to_settle(referral: Referral, by: Actor) -> tuple[str, ...]:
    """The disagreements that it is somebody's turn to determine."""
    return tuple(did for did in referral.disputed if referral.disagreements[did].role == by.role)


def to_take_further(referral: Referral, by: Actor) -> tuple[str, ...]:
    """The disagreements that somebody raised, and that were determined, but not for good."""
    return tuple(
        did
        for did, found in referral.disagreements.items()
        if found.outcome is not None and not found.final and (found.agency, found.by_role) == (by.agency, by.role)
    )


OWN: Mapping[str, Callable[[Referral, Profile, Actor], bool]] = {
    "assign_place": lambda referral, profile, by: bool(profile.places),
    "answer_check": _has_open_check,
    "allocate_check": _has_open_check,
    "contribute_information": lambda referral, profile, by: by.agency in profile.agencies and referral.sharing is not False,
    "release_information": lambda referral, profile, by: any(
        held.agency == by.agency and not held.released for held in referral.held.values()
    ),
    "sign_off_decision": lambda referral, profile, by: referral.proposed is not None and referral.proposed.by != by.id,
    # Where the hub decides at the end of its own assessment, that is the decision.
    "complete_assessment": lambda referral, profile, by: not profile.assess_first or by.role in profile.deciders,
    "settle_disagreement": lambda referral, profile, by: bool(to_settle(referral, by)),
    "take_disagreement_further": lambda referral, profile, by: bool(to_take_further(referral, by)),
}
"""What hangs on who it is beyond the role, and on what the hub has."""


def open_to(referral: Referral, profile: Profile, by: Actor) -> tuple[str, ...]:
    """The commands that somebody who takes part in a case could give now; whether their role may give them at all, the table of
    permissions says."""
    return tuple(
        kind
        for kind in referral.possible()
        if (kind not in ROLES or by.role in ROLES[kind](referral, profile))
        and (kind not in OWN or OWN[kind](referral, profile, by))
    )
