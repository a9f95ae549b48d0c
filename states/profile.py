"""A hub's profile as the core sees it: ratings, routes, clocks, agencies, roles. The values live in config/."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import Literal

from pydantic import Field, model_validator

from mash.states.clocks import Calendar, Frozen, Length

RouteStage = Literal["agency_checks", "mash_meeting", "decision", "strategy_discussion"]
Outcome = Literal[
    "section_47",
    "section_17",
    "early_help",
    "no_further_action",
    "advice",
    "information_provided",
    "adult_section_42",
    "transfer",
]
Cohort = Literal["child", "unborn", "adult", "unknown"]
ContactKind = Literal["referral", "police_notification", "information_request", "advice"]


class ClockRule(Frozen):
    """One limit: how long, counted from where, whose it is, and where the rule comes from."""

    length: Length
    start: Literal["receipt", "stage", "decision", "strategy_discussion"] = "stage"
    owner: str = "duty_manager"
    source: str


class Rating(Frozen):
    """A rating of the hub: its place in the order of urgency, its route, and its clocks."""

    title: str
    severity: int = Field(ge=0, description="Higher is more urgent; decides what counts as re-rated up.")
    route: tuple[RouteStage, ...] = Field(min_length=1)
    response: ClockRule | None = None
    covers: tuple[RouteStage, ...] = ()
    reply: ClockRule
    source: str

    @model_validator(mode="after")
    def route_ends(self) -> Rating:
        """A route ends where somebody decides, and a response clock covers stages of it."""
        if self.route[-1] not in ("decision", "strategy_discussion"):
            raise ValueError("a route must end in 'decision' or 'strategy_discussion'")
        if self.response and not self.covers:
            raise ValueError("a response clock must say which stages of the route it covers")
        if missing := set(self.covers) - set(self.route):
            raise ValueError(f"covers stages that are not on the route: {', '.join(sorted(missing))}")
        return self


class Agency(Frozen):
    """A partner of the hub, and the roles its checks and its escalations go to."""

    title: str
    role: str
    lead: str
    cohorts: tuple[Cohort, ...] = ("child", "unborn", "adult", "unknown")


class Rung(Frozen):
    """A step of the ladder: a role, and how long it has to acknowledge before the next one is told."""

    role: str
    wait: Length


class Meeting(Frozen):
    """How the hub's MASH meeting works."""

    chair: str
    second_rating: bool
    source: str


class Profile(Frozen):
    """Everything that differs between hubs. Two profiles with the same content have the same digest."""

    name: str
    title: str
    area: str
    ratings: dict[str, Rating]
    unrated_counts_as: str
    agencies: dict[str, Agency]
    kinds: tuple[ContactKind, ...]
    cohorts: tuple[Cohort, ...]
    signpost: str = Field(description="What a referrer is told about a contact that this hub does not take.")
    meeting: Meeting
    deciders: tuple[str, ...]
    raters: tuple[str, ...]
    quorum: tuple[str, ...]
    out_of_hours_role: str
    calendar: Calendar
    stages: dict[str, ClockRule]
    statutory: dict[str, ClockRule]
    warn_at: tuple[float, ...]
    ladder: tuple[Rung, ...] = Field(min_length=1)
    agency_wait: Length
    renew: Length

    @model_validator(mode="after")
    def agrees_with_itself(self) -> Profile:
        """Refuse names that point nowhere, and warnings outside a clock's life."""
        if self.unrated_counts_as not in self.ratings:
            raise ValueError(f"unrated_counts_as: expected one of {', '.join(self.ratings)}")
        if any(not 0 < part < 1 for part in self.warn_at) or list(self.warn_at) != sorted(self.warn_at):
            raise ValueError("warn_at: expected rising parts of a clock's life, such as [0.5, 0.8]")
        if unknown := set(self.quorum) - set(self.agencies) - {"social_care"}:
            raise ValueError(f"quorum names agencies the hub does not have: {', '.join(sorted(unknown))}")
        return self

    @cached_property
    def digest(self) -> str:
        """The profile's version: a hash of its content."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    @cached_property
    def canonical(self) -> str:
        """The profile as it is stored: JSON with sorted keys."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)

    def on_duty(self, role: str, open_now: bool) -> str:
        """Who stands in for a hub role now: the out-of-hours role while the hub is closed."""
        return role if open_now else self.out_of_hours_role

    def checks_for(self, cohorts: frozenset[str]) -> tuple[str, ...]:
        """The agencies asked about subjects of these cohorts."""
        return tuple(name for name, agency in self.agencies.items() if cohorts & set(agency.cohorts))
