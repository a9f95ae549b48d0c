"""Whose an act is: the roles of the hub that it is for, by its profile and by where the case belongs."""

from __future__ import annotations

from collections.abc import Callable

from mash.states.clocks import Length
from mash.states.profile import Profile
from mash.states.referral import Clock, Referral

REFERRER = "referrer"
"""The role that stands for whoever made the referral: reached in writing by the address they gave, where that is safe."""
Roles = tuple[str, ...]
RolesOf = Callable[[Referral, Profile], Roles]


def own_triage(referral: Referral, profile: Profile) -> str:
    """The role that triages for the case's place, when the place triages on its own; empty otherwise."""
    place = profile.places.get(referral.place or "")
    return place.triage_role or "" if place else ""


def ladder_of(clock: Clock, profile: Profile) -> list[tuple[str, Length]]:
    """The roles that are alerted to a clock one after another, and how long each has: the hub's ladder, below it whoever waits
    for it."""
    ladder = [(rung.role, rung.wait) for rung in profile.ladder]
    if clock.kind == "check":
        agency = profile.agencies.get(clock.whose)
        if agency:  # an adopted profile may no longer have it
            ladder.insert(0, (agency.lead, profile.agency_wait))
    elif clock.owner not in (role for role, _ in ladder):
        ladder.insert(0, (clock.owner, profile.ladder[0].wait))
    return ladder


def next_rung(clock: Clock, profile: Profile) -> str | None:
    """The role that is alerted next to a clock; None once whoever stands highest has been."""
    above = ladder_of(clock, profile)[clock.rung + 1 :]
    return above[0][0] if above else None


def raters(referral: Referral, profile: Profile) -> Roles:
    """Who rates a case: the hub's raters, or whoever triages for its place (and, at night, whoever is on duty)."""
    role = own_triage(referral, profile)
    return (role, profile.out_of_hours.role) if role else profile.raters


def any_rater(referral: Referral, profile: Profile) -> Roles:
    """Who changes a rating: the hub's raters, and whoever triages for the case's place."""
    return tuple(dict.fromkeys((*profile.raters, *raters(referral, profile))))


def deciders(referral: Referral, profile: Profile) -> Roles:
    """Who decides for the local authority."""
    return profile.deciders


def hub_raters_and_deciders(referral: Referral, profile: Profile) -> Roles:
    """The hub's own raters, and its deciders."""
    return tuple(dict.fromkeys((*profile.raters, *profile.deciders)))


def raters_and_deciders(referral: Referral, profile: Profile) -> Roles:
    """Whoever rates a case or decides about it."""
    return tuple(dict.fromkeys((*any_rater(referral, profile), *profile.deciders)))


def raters_and_duty(referral: Referral, profile: Profile) -> Roles:
    """Whoever rates a case or decides about it, and whoever is alerted first, by day or by night."""
    duty = (profile.ladder[0].role, profile.out_of_hours.role)
    return tuple(dict.fromkeys((*raters_and_deciders(referral, profile), *duty)))


def service(referral: Referral, profile: Profile) -> Roles:
    """The role of the service that a step-down is offered to."""
    offered = profile.services.get(referral.service or "")
    return (offered.role,) if offered else ()


def service_or_deciders(referral: Referral, profile: Profile) -> Roles:
    """Who answers the offer of a step-down."""
    return tuple(dict.fromkeys((*service(referral, profile), *profile.deciders)))


def signing_off(referral: Referral, profile: Profile) -> Roles:
    """The role that signs the proposed decision off."""
    return (referral.proposed.role,) if referral.proposed else ()
