"""Whose an act is: the roles of the hub that it is for, by its profile and by where the case belongs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from mash.states.clocks import Length
from mash.states.profile import Profile
from mash.states.referral import Clock, Referral
from mash.states.values import Actor

REFERRER = "referrer"
"""The role that stands for whoever made the referral: reached in writing by the address they gave, where that is safe."""
PARTNERS = ("agency", "early_help", "adult_social_worker")
"""Roles of those who work for a partner, and for none of the hub's own teams."""
OF_AN_AGENCY = ("check", "confirmation", "disclosure")
"""Kinds of clocks that wait for one agency: whoever works there is told first."""
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


def hub_roles(referral: Referral, profile: Profile) -> Roles:
    """The roles that the out-of-hours role stands in for: whoever is alerted first, whoever triages, whoever advises."""
    return profile.ladder[0].role, own_triage(referral, profile), profile.advises


def on_duty(role: str, referral: Referral, profile: Profile, at: datetime) -> str:
    """Who is alerted in this role at an instant: while the hub is closed, the out-of-hours role stands in for some."""
    return profile.on_duty(role, at) if role in hub_roles(referral, profile) else role


def may_pass_on(referral: Referral, clock: Clock, profile: Profile, by: Actor, since: int = 0) -> bool:
    """Whether an alert came to somebody, from this rung of its ladder on, or they have it: a partner, only one of their own
    agency's."""
    if clock.kind in OF_AN_AGENCY and clock.whose == by.agency and since == 0:
        return True
    told = [role for role, _ in ladder_of(clock, profile)[since : clock.rung + 1]]
    if profile.out_of_hours.service == "takes_over" and {*told} & {*hub_roles(referral, profile)}:
        told.append(profile.out_of_hours.role)
    return by.role in told or (clock.acknowledged_by == by.id and by.role not in PARTNERS)


def passed_to(referral: Referral, clock: Clock, profile: Profile, by: Actor, at: datetime) -> int | None:
    """The rung that an alert goes to when somebody passes it on: the first above whose role on duty was not told of it yet, and
    is not their own; None where nobody else stands above."""
    ladder, stood_in = [role for role, _ in ladder_of(clock, profile)], profile.out_of_hours.role
    told = {stood_in if rung in clock.stood_in else role for rung, role in enumerate(ladder[: clock.rung + 1])}
    above = range(clock.rung + 1, len(ladder))
    return next((n for n in above if on_duty(ladder[n], referral, profile, at) not in {*told, by.role}), None)


def to_pass_on(referral: Referral, profile: Profile, by: Actor, at: datetime) -> list[Clock]:
    """The clocks whose alerts somebody can pass on now."""
    return [
        clock
        for clock in referral.running
        if clock.rung >= 0
        and clock.acknowledged_by in (None, by.id)
        and may_pass_on(referral, clock, profile, by)
        and passed_to(referral, clock, profile, by, at) is not None
    ]


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
