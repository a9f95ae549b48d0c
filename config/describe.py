"""Profiles shown to people: every setting with its source, the differences between two hubs, and what a rating leads to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from mash.config.profile import IDENTITY, load_profile, sources
from mash.config.toml_lines import Key, dotted
from mash.states.acts.handing_over import writing_down
from mash.states.clocks import Change, Length, Window
from mash.states.profile import AgencyReply, ClockRule, Profile, Referee, Rung

LEAVES = (ClockRule, AgencyReply, Length, Referee, Rung, Change, Window)
"""What is shown as one value, not setting by setting."""
ENGLANDS = "product default: the bank holidays of England"
"""Where a hub's bank holidays are from, those apart that its own file adds."""


@dataclass(frozen=True)
class Setting:
    """One setting of a profile: where it stands, what it says, and who says so."""

    name: str
    value: str
    source: str


def describe(name: str, directory: Path | None = None, edition: str = "") -> list[Setting]:
    """All settings, each with its source. What the hub does not state says 'product default' or 'statutory'."""
    profile = load_profile(name, directory, edition)
    origins = {"calendar.bank_holidays": "product default: the bank holidays of England", **sources(name, directory, edition)}
    return [Setting(dotted(key), _written(value), _source(origins, key, value)) for key, value in _settings(profile)]


def differences(one: str, other: str, directory: Path | None = None) -> list[tuple[str, Setting | None, Setting | None]]:
    """The settings in which two hubs differ: (setting, as the one has it, as the other has it); None where it has none. A hub by
    another edition of the guidance than it has chosen is named with that: 'merton@2026'."""
    a, b = (
        {s.name: s for s in describe(hub, directory, edition)} for hub, _, edition in (n.partition("@") for n in (one, other))
    )
    return [
        (key, a.get(key), b.get(key))
        for key in dict.fromkeys((*a, *b))
        if key not in IDENTITY and (key not in a or key not in b or a[key].value != b[key].value)
    ]


def explain(name: str, rating: str, directory: Path | None = None) -> list[Setting]:
    """What a rating of this hub leads to, in the order in which it happens: who rates, route, clocks, agencies, exits. A hub by
    another edition of the guidance than it has chosen is named with that: 'merton@2026'.

    Raises LookupError for a rating that the hub does not have.
    """
    name, _, edition = name.partition("@")
    profile = load_profile(name, directory, edition)
    if rating not in profile.ratings:
        raise LookupError(f"{profile.title} has no rating '{rating}': expected one of {', '.join(profile.ratings)}")
    settings = {setting.name: setting for setting in describe(name, directory, edition)}
    rules = profile.ratings[rating]
    rows: list[Setting] = []

    def add(*names: str) -> None:
        rows.extend(settings[name] for name in names if name in settings)

    def table(*prefixes: str) -> None:
        rows.extend(setting for key, setting in settings.items() if key.startswith(tuple(f"{prefix}." for prefix in prefixes)))

    add("edition.title", "raters", "triage.stage", "triage.joint")
    if profile.consultation.kinds:
        add("consultation.kinds", "stages.consultation")
    add("stages.triage")
    at = f"ratings.{rating}"
    add(f"{at}.title", f"{at}.severity", f"{at}.route", f"{at}.response", f"{at}.covers", f"{at}.reply", f"{at}.allocation")
    if "agency_checks" in rules.route:
        add("edition.disclosure")
        table("sharing", "firewall")
        asked = [a for a, agency in profile.agencies.items() if not agency.ratings or rating in agency.ratings]
        table(*(f"agencies.{agency}" for agency in asked))
    if "mash_meeting" in rules.route:
        table("meeting")
        table(*(f"gatherings.{g}" for g, meets in profile.gatherings.items() if not meets.ratings or rating in meets.ratings))
    if "strategy_discussion" in rules.route:
        table("strategy_discussion")
    add(*(f"stages.{stage}" for stage in rules.route))
    add("statutory.decision", "statutory.acknowledgement", "deciders", "assess_first")
    table(*(f"sign_off.{rule}" for rule, needs in profile.sign_off.items() if rating in needs.ratings))
    table("services")
    rows.extend(_exits(profile))
    add("stages.step_down_offered", "statutory.outcome_told", "statutory.assessment", "statutory.conference")
    table("disagreements")
    add("ladder", "warn_at", "chase_at")
    return rows


def _exits(profile: Profile) -> Iterable[Setting]:
    """For each way on, who accepts there and who may not, how, and within which time: until then it is the hub's."""
    offered = profile.stages["step_down_offered"]
    for service in profile.services.values():
        hub = ", ".join(profile.deciders)
        value = (
            f"{service.title}: a login of {service.role}, or a decider of the hub ({hub}) writes down what they said; not whoever"
            f" offered it; {offered.length}"
        )
        yield Setting("accepted: early_help", value, offered.source)
    rung = f"by telephone: who, when, as one of {', '.join(writing_down(profile))} writes down"
    for destination in profile.destinations.values():
        ways = {"login": f"a login of {destination.role}", "telephone": rung}
        how = " or ".join(ways[way] for way in destination.accepted_by)
        outcomes = ", ".join(destination.outcomes) or f"beside the case ({destination.kind})"
        value = (
            f"{destination.title}: {how}; not whoever offered it or decided to; {destination.within}, seen to by"
            f" {destination.owner}"
        )
        yield Setting(f"accepted: {outcomes}", value, destination.source)


def _settings(profile: Profile) -> Iterable[tuple[Key, Any]]:
    for field in Profile.model_fields:
        if field != "name":
            yield from _flat((field,), getattr(profile, field))


def _flat(key: Key, value: Any) -> Iterable[tuple[Key, Any]]:
    """The value setting by setting. What is empty below the top is not stated and not shown."""
    if isinstance(value, BaseModel) and not isinstance(value, LEAVES):
        value = {name: getattr(value, name) for name in type(value).model_fields if name != "source"}
    if isinstance(value, dict) and value:
        for name, below in value.items():
            if below not in (None, ()):
                yield from _flat((*key, name), below)
    elif value is not None:
        yield key, value


def _written(value: Any) -> str:
    match value:
        case ClockRule():
            read = "; read ".join(filter(None, (value.edition, value.read)))
            edition = f" ({read})" if read else ""
            return f"{value.length} from {value.start.replace('_', ' ')}; {value.owner}{edition}"
        case AgencyReply():
            return f"{value.length} from {value.start.replace('_', ' ')}"
        case Rung():
            return f"{value.role}, waits {value.wait}"
        case Referee():
            return f"{value.role}, within {value.within}" if value.within else value.role
        case Window():
            return f"{value.opens:%H:%M}-{value.closes:%H:%M}"
        case Change():
            week = "; ".join(f"{day} {_written(windows)}" for day, windows in value.windows.items())
            return f"from {value.since}: {week}"
        case bool():
            return "yes" if value else "no"
        case () | {}:
            return "none"
        case tuple() if hasattr(value[0], "isoformat"):
            return f"{len(value)} days, {min(value):%Y}-{max(value):%Y}"
        case tuple():
            return ("; then " if isinstance(value[0], Rung | Referee) else ", ").join(map(_written, value))
    return str(value)


def _source(origins: dict[str, str], key: Key, value: Any) -> str:
    if isinstance(value, ClockRule | AgencyReply):
        return value.source
    if key == ("calendar", "bank_holidays") and (own := origins[dotted(key)]) != ENGLANDS:
        return f"{ENGLANDS}; beside them those of the hub: {own}"
    return origins.get(dotted(key)) or ("the hub's name" if key[0] in IDENTITY else "product default")
