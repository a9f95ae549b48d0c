"""A case in memory, and the linked ones that it splits into: people act, time passes, and nothing is stored or sent."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from datetime import datetime
from typing import Any, NamedTuple

from mash.states.acts.alerts import FireClocks
from mash.states.acts.parting import ReferralSplit
from mash.states.acts.upkeep import AdoptProfile
from mash.states.decide import Decision, continue_split, decide
from mash.states.messages import Command, Event
from mash.states.profile import Profile
from mash.states.referral import Referral
from mash.states.usual import WORKERS
from mash.states.values import SYSTEM, Actor, Colleague, Details, Enquiry, Heard, Words

Witness = Callable[["World", Referral | None, Decision, Actor], None]
"""Hears of every decision in a world, with the state before it."""


class Entry(NamedTuple):
    """One event of a case's log."""

    at: datetime
    by: Actor
    event: Event


class World:
    """One referral, and those that it is split into, by reference."""

    def __init__(
        self,
        profile: Profile,
        now: datetime,
        reference: str = "R",
        witness: Witness = lambda *_: None,
        colleagues: tuple[Colleague, ...] | None = None,
    ) -> None:
        self.profile, self.now, self.reference, self.witness = profile, now, reference, witness
        self.went_by = profile
        self._colleagues = staff(profile) if colleagues is None else colleagues
        self.state: Referral | None = None
        self.log: list[Entry] = []
        self.linked: dict[str, World] = {}
        self._items = self._numbers = 0

    def fork(self, witness: Witness = lambda *_: None) -> World:
        """A world that goes on by itself from here."""
        forked = copy(self)
        forked.log, forked.linked, forked.witness = [*self.log], {**self.linked}, witness
        return forked

    @property
    def referral(self) -> Referral:
        """The referral as it is now. Raises LookupError before it was received."""
        if self.state is None:
            raise LookupError("nothing has been received yet")
        return self.state

    @property
    def colleagues(self) -> tuple[Colleague, ...]:
        """Who works at its hub and at the partners."""
        return self._colleagues

    @property
    def stage(self) -> str:
        """The stage it stands at."""
        return self.referral.stage

    def fresh_words(self) -> Words:
        """Words that stand for what somebody writes."""
        self._items += 1
        return Words(item=f"item-{self._items}", hmac="0" * 64)

    def give(
        self,
        command: Command,
        by: Actor,
        *,
        words: Words | None = None,
        redacted: Words | None = None,
        details: Details | None = None,
        enquiries: tuple[Enquiry, ...] = (),
        heard: Heard | None = None,
        happened_at: datetime | None = None,
    ) -> list[Event]:
        """Decide and record, as the store does. Raises a Refusal, and then nothing has changed. To adopt other rules, set
        `profile` to them first."""
        before = self.state
        self._numbers += 1
        came: dict[str, Any] = {"words": words, "redacted": redacted, "details": details, "fresh": f"{self._numbers:020}"}
        came |= {"colleagues": self.colleagues, "happened_at": happened_at, "enquiries": enquiries, "heard": heard}
        came["old_rules"] = self.went_by if isinstance(command, AdoptProfile) else None
        decision = decide(before, command, self.profile, by, self.now, reference=self.reference, **came)
        self._record(before, decision, by)
        self.went_by = self.profile
        for number, event in enumerate(decision.events):
            if before and isinstance(event, ReferralSplit):
                self._split(decision.states[number - 1] if number else before, event, by)
        return decision.events

    def fire(self) -> list[Event]:
        """The clocks that are due warn, breach or climb."""
        return self.give(FireClocks(), system(self.profile))

    def run_to(self, until: datetime) -> list[Entry]:
        """Time passes to `until`, with the clocks fired whenever one has something to say; what happened by itself."""
        since = len(self.log)
        while (at := self.referral.next_at) and at <= until:
            self.now = max(self.now, at)
            self.fire()
        self.now = max(self.now, until)
        return self.log[since:]

    def _record(self, before: Referral | None, decision: Decision, by: Actor) -> None:
        if decision.events:
            self.state = decision.after
        self.log += [Entry(self.now, by, event) for event in decision.events]
        self.witness(self, before, decision, by)

    def another(self, reference: str) -> World:
        """A world like this one, for a linked referral."""
        return World(self.profile, self.now, reference, self.witness, self._colleagues)

    def _split(self, before: Referral, split: ReferralSplit, by: Actor) -> None:
        begun = self.another(split.reference)
        held = tuple(before.held.values())
        decision = continue_split(self.referral, split, before.subjects, self.profile, by, self.now, self.reference, (), held, {})
        begun._record(None, decision, by)
        self.linked[split.reference] = begun


def staff(profile: Profile) -> tuple[Colleague, ...]:
    """Who works at a hub that is nowhere but in memory: two who have cases, somebody of each role that decides, and somebody
    of each agency."""
    workers = (Colleague(login=login, role="social_worker", agency="social_care", has_cases=True) for login in WORKERS)
    rungs = (rung.role for rung in profile.ladder)
    roles = dict.fromkeys((*profile.raters, *profile.deciders, *rungs, profile.seconding.role, profile.out_of_hours.role))
    deciding = (Colleague(login=f"a.{role}", role=role, agency="social_care") for role in roles)
    partners = (Colleague(login=f"a.{name}", role=agency.role, agency=name) for name, agency in profile.agencies.items())
    return (*workers, *deciding, *partners)


def system(profile: Profile) -> Actor:
    """The software, acting at a hub."""
    return Actor(id=SYSTEM, role=SYSTEM, agency=SYSTEM, hub=profile.name)
