"""What a complete profile must fulfil beyond its form, so that no referral can stall or go without a clock under it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mash.config.permissions import may, roles
from mash.config.toml_lines import Key
from mash.states.clocks import Unit
from mash.states.profile import ClockRule, Profile
from mash.states.stages import CLOCKED

STATUTORY = (
    "decision",
    "acknowledgement",
    "assessment",
    "conference",
    "police_protection",
    "emergency_protection_order",
    "outcome_told",
    "pre_birth_conference",
)
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def disagreements(profile: Profile) -> Iterator[tuple[Key, str]]:
    """Each place where the profile does not fit the product, and what is expected there."""
    yield from _clocks_for_all(profile)
    yield from _names(profile)
    yield from _routes(profile)
    yield from _people(profile)
    yield from _consulted(profile)


def _clocks_for_all(profile: Profile) -> Iterator[tuple[Key, str]]:
    tables: tuple[tuple[str, dict[str, ClockRule], tuple[str, ...]], ...] = (
        ("stages", profile.stages, CLOCKED),
        ("statutory", profile.statutory, STATUTORY),
    )
    for table, rules, expected in tables:
        for name in set(rules) ^ set(expected):
            yield (table, name), f"expected a clock for each of {', '.join(expected)}, and for nothing else"
    if (rule := profile.statutory.get("pre_birth_conference")) and rule.length.unit is not Unit.WEEKS:
        yield ("statutory", "pre_birth_conference", "length"), "expected weeks: it is counted back from the week of the birth"


def _names(profile: Profile) -> Iterator[tuple[Key, str]]:
    # Clocks are named after agencies ('check:police.2'), pages and addresses after ratings.
    for table in ("ratings", "agencies", "invited", "places", "gatherings", "services", "destinations"):
        yield from (
            ((table, name), "expected a name of lower-case letters, digits and '_'")
            for name in getattr(profile, table)
            if not _NAME.fullmatch(name)
        )
    for setting in ("intake", "deciders", "raters", "services"):
        if not getattr(profile, setting):
            yield (setting,), "expected at least one"
    if not profile.strategy_discussion.quorum:
        yield ("strategy_discussion", "quorum"), "expected at least one"
    for key, modes in _modes(profile):
        if not modes:
            yield key, "expected at least one"
    if all(service.cohorts for service in profile.services.values()):
        yield ("services",), "expected one service without cohorts: a step-down of anybody must have somewhere to go"
    yield from _destinations(profile)
    yield from _references(profile)


def _destinations(profile: Profile) -> Iterator[tuple[Key, str]]:
    """Nothing may be offered to whom nobody can accept it for."""
    for name, destination in profile.destinations.items():
        if "login" in destination.accepted_by and not destination.role:
            yield ("destinations", name, "role"), "expected the role whose login accepts"
        if destination.takes_over and destination.kind not in ("authority", "own_team"):
            yield ("destinations", name, "outcomes"), "a case is transferred to an authority, or to a team of the hub's own"
    if not any(profile.destinations[name].kind == "authority" for name in profile.serving("transfer")):
        yield ("destinations",), "expected an authority with the outcome 'transfer': a child who moves must have somewhere to go"
    for kind in ("lado", "adults"):
        if not any(destination.kind == kind for destination in profile.destinations.values()):
            yield ("destinations",), f"expected one of kind '{kind}'"


def _modes(profile: Profile) -> Iterator[tuple[Key, tuple[str, ...]]]:
    yield ("meeting", "modes"), profile.meeting.modes
    yield ("strategy_discussion", "modes"), profile.strategy_discussion.modes
    for name, gathering in profile.gatherings.items():
        yield ("gatherings", name, "modes"), gathering.modes
        yield ("gatherings", name, "days"), gathering.days


def _references(profile: Profile) -> Iterator[tuple[Key, str]]:
    """Names that point to something else in the profile."""
    for key, ratings in _ratings_named(profile):
        if unknown := set(ratings) - set(profile.ratings):
            yield key, f"no such rating: {', '.join(sorted(unknown))}; expected some of {', '.join(profile.ratings)}"
    if profile.meeting.gathering is not None and profile.meeting.gathering not in profile.gatherings:
        yield ("meeting", "gathering"), f"expected one of {', '.join(profile.gatherings) or 'the gatherings, and there is none'}"
    there = {*profile.agencies, *profile.invited}
    for key, named in (
        (("triage", "joint"), profile.triage.joint),
        (("meeting", "invites"), profile.meeting.invites),
        (("strategy_discussion", "invites"), profile.strategy_discussion.invites),
        (("meeting", "quorum"), profile.meeting.quorum),
        (("strategy_discussion", "quorum"), profile.strategy_discussion.quorum),
    ):
        if unknown := set(named) - there:
            yield key, f"names neither agencies of the hub nor others who are invited: {', '.join(sorted(unknown))}"


def _consulted(profile: Profile) -> Iterator[tuple[Key, str]]:
    known = {*roles(), *(agency.role for agency in profile.agencies.values())}
    if profile.consultation.role not in known:
        yield ("consultation", "role"), "expected a role of permissions.toml, or an agency's"


def _ratings_named(profile: Profile) -> Iterator[tuple[Key, tuple[str, ...]]]:
    yield from ((("agencies", name, "ratings"), agency.ratings) for name, agency in profile.agencies.items())
    yield from ((("gatherings", name, "ratings"), gathering.ratings) for name, gathering in profile.gatherings.items())
    yield from ((("sign_off", name, "ratings"), rule.ratings) for name, rule in profile.sign_off.items())


def _routes(profile: Profile) -> Iterator[tuple[Key, str]]:
    order = ("agency_checks", "mash_meeting", "strategy_discussion", "decision")
    severities = [rating.severity for rating in profile.ratings.values()]
    for name, rating in profile.ratings.items():
        at: Key = ("ratings", name)
        if list(rating.route) != sorted(set(rating.route), key=order.index):
            yield (*at, "route"), f"expected each stage at most once, in this order: {', '.join(order)}"
        # Entering a stage that is not covered ends the response clock: a gap would count it as met.
        elif set(rating.covers) != set(rating.route[: len(rating.covers)]):
            yield (*at, "covers"), f"expected the first stages of the route ({', '.join(rating.route)})"
        if severities.count(rating.severity) > 1:
            yield (*at, "severity"), "expected a severity of its own: it decides what counts as re-rated up"


def _people(profile: Profile) -> Iterator[tuple[Key, str]]:
    for key, role, _ in _roles_named(profile):
        if role not in roles():
            yield key, f"unknown role '{role}': expected one of {', '.join(roles())} (permissions.toml)"
    for key, role, command in _roles_named(profile):
        if command and role in roles() and not may(role, command):
            yield key, f"permissions.toml does not let {role} {command.replace('_', ' ')}"


def _roles_named(profile: Profile) -> Iterator[tuple[Key, str, str]]:
    """Every role of the hub's own people, and the command it must be able to give. An agency's roles are only told."""
    yield from ((("deciders",), role, "record_decision") for role in profile.deciders)
    yield from ((("raters",), role, "rate_referral") for role in profile.raters)
    yield from ((("ladder", n, "role"), rung.role, "acknowledge_alert") for n, rung in enumerate(profile.ladder))
    yield ("out_of_hours", "role"), profile.out_of_hours.role, "rate_referral"
    yield ("meeting", "chair"), profile.meeting.chair, "record_meeting"
    for name, place in profile.places.items():
        if place.triage_role:
            yield ("places", name, "triage_role"), place.triage_role, "rate_referral"
    yield from ((("sign_off", name, "role"), rule.role, "sign_off_decision") for name, rule in profile.sign_off.items())
    yield ("accumulation", "role"), profile.accumulation.role, "write_second_view"
    yield ("seconding", "role"), profile.seconding.role, "countersign"
    yield from ((("services", name, "role"), service.role, "accept_step_down") for name, service in profile.services.items())
    for name, destination in profile.destinations.items():
        yield ("destinations", name, "owner"), destination.owner, ""
        if destination.role:
            yield ("destinations", name, "role"), destination.role, "accept_hand_over"
    for about in ("rating", "decision"):
        for referee in getattr(profile.disagreements, about):
            yield ("disagreements", about), referee.role, "settle_disagreement"
    for table, rules in (("stages", profile.stages), ("statutory", profile.statutory)):
        yield from (((table, name, "owner"), rule.owner, "") for name, rule in rules.items())
    for name, rating in profile.ratings.items():
        yield ("ratings", name, "reply", "owner"), rating.reply.owner, ""
        if rating.response:
            yield ("ratings", name, "response", "owner"), rating.response.owner, ""
        if rating.allocation:
            yield ("ratings", name, "allocation", "owner"), rating.allocation.owner, "allocate_case"
