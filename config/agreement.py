"""What a complete profile must fulfil beyond its form, so that no referral can stall or go without a clock under it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mash.config.permissions import may, roles
from mash.config.toml_lines import Key
from mash.states.machine import OPEN
from mash.states.profile import ClockRule, Profile

CLOCKED = tuple(stage for stage in OPEN if stage not in ("contact", "section_17_assessment"))
"""Stages that need a clock of their own: a contact passes at once, an assessment has the statutory one."""
STATUTORY = ("decision", "acknowledgement", "assessment", "conference", "outcome_told")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def disagreements(profile: Profile) -> Iterator[tuple[Key, str]]:
    """Each place where the profile does not fit the product, and what is expected there."""
    yield from _clocks_for_all(profile)
    yield from _names(profile)
    yield from _routes(profile)
    yield from _people(profile)


def _clocks_for_all(profile: Profile) -> Iterator[tuple[Key, str]]:
    tables: tuple[tuple[str, dict[str, ClockRule], tuple[str, ...]], ...] = (
        ("stages", profile.stages, CLOCKED),
        ("statutory", profile.statutory, STATUTORY),
    )
    for table, rules, expected in tables:
        for name in set(rules) ^ set(expected):
            yield (table, name), f"expected a clock for each of {', '.join(expected)}, and for nothing else"


def _names(profile: Profile) -> Iterator[tuple[Key, str]]:
    # Clocks are named after agencies ('check:police#2'), pages and addresses after ratings.
    for table, names in (("ratings", list(profile.ratings)), ("agencies", list(profile.agencies))):
        yield from (
            ((table, name), "expected a name of lower-case letters, digits and '_'")
            for name in names
            if not _NAME.fullmatch(name)
        )
    for name in ("kinds", "cohorts", "deciders", "raters", "quorum"):
        if not getattr(profile, name):
            yield (name,), "expected at least one"


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
    for key, role in _roles_named(profile):
        if role not in roles():
            yield key, f"unknown role '{role}': expected one of {', '.join(roles())} (permissions.toml)"
    for setting, command in (("raters", "rate_referral"), ("deciders", "record_decision")):
        for role in getattr(profile, setting):
            if role in roles() and not may(role, command):
                yield (setting,), f"permissions.toml does not let {role} {command.replace('_', ' ')}"


def _roles_named(profile: Profile) -> Iterator[tuple[Key, str]]:
    """Every role the hub's own people have in the profile. An agency's roles are its own: they are told, they do not act."""
    yield from ((("deciders",), role) for role in profile.deciders)
    yield from ((("raters",), role) for role in profile.raters)
    yield from ((("ladder", n, "role"), rung.role) for n, rung in enumerate(profile.ladder))
    yield ("out_of_hours_role",), profile.out_of_hours_role
    yield ("meeting", "chair"), profile.meeting.chair
    for table, rules in (("stages", profile.stages), ("statutory", profile.statutory)):
        yield from (((table, name, "owner"), rule.owner) for name, rule in rules.items())
    for name, rating in profile.ratings.items():
        yield ("ratings", name, "reply", "owner"), rating.reply.owner
        if rating.response:
            yield ("ratings", name, "response", "owner"), rating.response.owner
