"""A case of the past, from the contact to its end: decided by the rules, at the times that it was then, and kept as its rows."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime, timedelta

from mash.flows.store.writes import Item, Standing, Writes, urgency
from mash.states.acts.checks import AnswerCheck, ProceedWithoutReplies
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.countersigning import Countersign
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.informing import RecordTold, owed
from mash.states.acts.seconding import KIND as COUNTERSIGNATURE
from mash.states.decide import Decision
from mash.states.errors import Refusal
from mash.states.firewall import taking_part
from mash.states.log import GENESIS
from mash.states.messages import Command
from mash.states.profile import Profile
from mash.states.referral import Clock, Referral
from mash.states.usual import USUAL, Give, Until, Wait, decider, rater
from mash.states.values import Actor
from mash.states.world import World, system

WORDS = "Written down at the time."
IN_TIME = {"triage": 0.93}
"""How many of these are in time, and of everything else nearly all."""
NEARLY_ALL, SLOW = 0.97, 0.1
HARD, HARD_IN_TIME, ELSE_IN_TIME = 0.1, 0.6, 0.99
"""How many cases are hard to answer, and how many answers to such a one and to any other are in time: what is late comes
together."""
KNOWN = 0.3
"""How many families an agency knows."""
OUTCOMES = ("no_further_action", "no_further_action", "early_help", "early_help", "advice", "information_provided")
MOST_STAGES = 25


class Past(World):
    """One referral that was made long ago; everybody acts as people usually do, sooner or later as chance has it."""

    def __init__(self, profile: Profile, at: datetime, reference: str, key: bytes, writes: Writes, chance: random.Random) -> None:
        super().__init__(profile, at, reference, witness=self._written)
        self._key, self._writes, self._chance = key, writes, chance
        self._head, self._caller, self._parties = GENESIS, "", frozenset[str]()
        self._answers = HARD_IN_TIME if chance.random() < HARD else ELSE_IN_TIME
        self.slow: frozenset[str] = frozenset()
        """The agencies that are seldom in time."""

    def lived(self, contact: ReceiveContact, items: list[Item], by: Actor, rating: str, after: Iterable[Command]) -> bool:
        """Whether the case came to its end: the contact comes in, the software does what is `after` that, and the hub goes on as
        it usually does. Its rows are then complete."""
        self._caller = by.id
        held = tuple(self._writes.keep(self.reference, self._key, items, by, self.now))
        self.give(contact.model_copy(update={"held": held}), by, words=held[0])
        for command in after:
            self.give(command, system(self.profile))
        for _ in range(MOST_STAGES):
            self._tell_the_referrer()
            self._countersign()
            if self.referral.finished:
                standing = Standing(self.reference, self.reference, self._caller, None, self._head)
                self._writes.state(standing, self.referral, self._head, urgency(self.referral, self.profile))
                return True
            self._go_on(rating)
        return False

    def _go_on(self, rating: str) -> None:
        stage = self.referral.stage
        if stage == "agency_checks" and self.referral.outstanding:
            self._agencies_answer()
        elif stage != "decision" or self.referral.rating is None or not self._decided():
            unrated = stage == "decision" and self.referral.rating is None
            for step in USUAL["triage" if unrated else stage](self, rating):
                match step:
                    case Wait():
                        self._pass(self._when(step.clocks))
                    case Until():
                        self._pass(step.at)
                    case Give():
                        self._say(step.command, self._actor(step.role, step.agency, step.person))

    def _agencies_answer(self) -> None:
        clocks = {clock.whose: clock for clock in self.referral.running if clock.kind == "check"}
        times = {name: self._at(clocks[name]) for name in self.referral.outstanding if name in clocks}
        for agency in sorted(times, key=lambda name: times[name]):
            if agency not in self.referral.outstanding:
                continue
            longest = self.profile.calendar.add(clocks[agency].due_at, self.profile.agency_wait)
            if times[agency] > longest:
                self._pass(longest)
                self._say(ProceedWithoutReplies(), self._actor(rater(self.profile), "social_care"))
                return
            self._pass(times[agency])
            known = self._chance.random() < KNOWN
            answer = AnswerCheck(agency=agency, known=known, relevant=False)
            self._say(answer, self._actor("agency", agency), words=known)

    def _decided(self) -> bool:
        """Whether the hub takes one of the lighter outcomes; what it does not let be decided so is decided as usual."""
        outcomes = dict.fromkeys(self.referral.subjects, self._chance.choice(OUTCOMES))
        decision = RecordDecision.model_validate({"outcomes": outcomes, "primary_need": self.referral.primary_need})
        self._pass(self._when(("decision",)))
        try:
            self._say(decision, self._actor(decider(self.profile), "social_care"))
        except Refusal:
            return False
        return True

    def _tell_the_referrer(self) -> None:
        for what in owed(self.referral):
            self._pass(self.now + timedelta(minutes=self._chance.uniform(1, 6)))
            self.give(RecordTold.model_validate({"what": what}), system(self.profile))

    def _countersign(self) -> None:
        for clock in [each for each in self.referral.running if each.kind == COUNTERSIGNATURE]:
            self._pass(self._at(clock))
            second = self._actor(self.profile.seconding.role, "social_care", "second")
            self._say(Countersign(seconding=clock.whose, agreed=True), second)

    def _say(self, command: Command, by: Actor, *, words: bool = True) -> None:
        """Somebody acts, and writes down why; words that an act has no place for are not kept."""
        sensitive = isinstance(command, AnswerCheck) and command.sensitive
        items = [Item(command.kind, WORDS.encode(), sensitivity="sensitive" if sensitive else "not_stated")] if words else []
        written = next(iter(self._writes.keep(self.reference, self._key, items, by, self.now)), None)
        try:
            events = self.give(command, by, words=written)
        except Refusal:
            if written:
                self._writes.items.pop()
            raise
        if written and not any(written.item in event.model_dump_json() for event in events):
            self._writes.items.pop()

    def _actor(self, role: str, agency: str, person: str = "") -> Actor:
        return Actor(id=person or f"{role}.{agency}", role=role, agency=agency, hub=self.profile.name)

    def _when(self, kinds: tuple[str, ...]) -> datetime:
        """When somebody gets round to what these clocks wait for, or to whatever is due first."""
        running = [clock for clock in self.referral.running if clock.kind in kinds] or self.referral.running
        return self._at(min(running, key=lambda clock: clock.due_at)) if running else self.now

    def _at(self, clock: Clock) -> datetime:
        usual = self._answers if clock.kind == "check" else IN_TIME.get(clock.kind, NEARLY_ALL)
        share = SLOW if clock.whose in self.slow else usual
        if self._chance.random() < share and clock.due_at > self.now:
            return self.now + (clock.due_at - self.now) * self._chance.betavariate(1.6, 4.5)
        return max(self.now, clock.due_at) + timedelta(hours=self._chance.expovariate(0.4))

    def _pass(self, at: datetime) -> None:
        """Time passes, and the clocks that run out meanwhile say so."""
        self.run_to(max(at, self.now))

    def _written(self, world: World, before: Referral | None, decision: Decision, by: Actor) -> None:
        standing = Standing(self.reference, self.reference, self._caller, before, self._head)
        self._head = self._writes.log(standing, decision, self.profile.name, by, self.now)
        joining = taking_part(self.referral, self.profile) - self._parties
        self._parties |= joining
        for party in sorted(joining):
            self._writes.take_part(self.reference, self.profile.name, party)
