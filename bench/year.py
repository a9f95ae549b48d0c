"""A made year of contacts, as their logs would be stored: of each rating, some in time and some late, with nobody in them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from mash.states.acts.contact import ReceiveContact
from mash.states.acts.informing import RecordTold
from mash.states.decide import Decision
from mash.states.errors import Refusal
from mash.states.log import GENESIS, chained
from mash.states.profile import Profile
from mash.states.referral import Referral
from mash.states.usual import USUAL, Give, Step, Until, Wait
from mash.states.values import Actor, Subject
from mash.states.world import World, system

YEAR = datetime(2026, 1, 5, tzinfo=UTC)
"""When the first contacts come in: a Monday."""
MOST_STEPS = 60
LATE = 0.15
"""Which part of the steps is done only after its time."""
SOON = timedelta(minutes=20)
A_MOMENT = timedelta(seconds=20)
"""Between two acts: nobody does two things at once."""
A_DAY = timedelta(days=2)


@dataclass
class History:
    """One contact: the logs of its parts by reference, each event with its kind and its stored text; and what it came to."""

    logs: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    states: dict[str, Referral] = field(default_factory=dict)


def made_year(profile: Profile, contacts: int, seed: int = 1, begins: datetime = YEAR) -> Iterator[History]:
    """So many contacts, spread over a year."""
    chance = random.Random(seed)  # noqa: S311  no secret
    for number in range(contacts):
        starts = begins + timedelta(days=365) * (number / contacts) + timedelta(minutes=chance.randrange(60 * 24))
        yield _Case(profile, chance, f"MASH-26-{number + 1:06}", starts).history()


class _Case:
    """A contact on its way."""

    def __init__(self, profile: Profile, chance: random.Random, reference: str, starts: datetime) -> None:
        self.profile, self.chance = profile, chance
        self._made, self._heads = History(), dict[str, str]()
        self.rating = chance.choice([*profile.ratings])
        self.world = World(profile, starts, reference, self._record)

    def history(self) -> History:
        """Received, and worked on as it usually is, until it is over or what comes next would be refused."""
        sort = self.chance.choice([*self.profile.intake.values()])
        cohorts = [self.chance.choice(sort.cohorts or ("child",)) for _ in range(self.chance.choice((1, 1, 2, 3)))]
        ages = [None if cohort == "unknown" else cohort for cohort in cohorts]
        people = enumerate(zip(cohorts, ages, strict=True), 1)
        subjects = tuple(Subject(id=f"S{n}", cohort=cohort, age=age) for n, (cohort, age) in people)
        contact = ReceiveContact(
            contact=sort.kinds[0] if sort.kinds else "referral",
            source="2A",
            source_agency=sort.sources[0] if sort.sources else "education",
            subjects=subjects,
            primary_need="N1",
            categories=sort.categories[:1],
            referrer_reachable=True,
        )
        self.world.give(contact, system(self.profile), words=self.world.fresh_words())
        self._tell("acknowledgement")
        for _ in range(MOST_STEPS):
            if not self.world.referral.open:
                break
            try:
                self._step()
            except Refusal:  # as in life: what usually comes next does not fit this one
                break
        self._tell("outcome")
        return self._made

    def _tell(self, what: Literal["acknowledgement", "outcome"]) -> None:
        """The letter to whoever referred has arrived; most do within minutes."""
        self.world.run_to(self.world.now + (A_DAY if self.chance.random() < LATE else A_MOMENT))
        self.world.give(RecordTold(what=what), system(self.profile))

    def _step(self) -> None:
        stage, unrated = self.world.stage, self.world.referral.rating is None and not self.profile.triage.stage
        for step in USUAL["triage" if stage == "decision" and unrated else stage](self.world, self.rating):
            self._do(step)
            if self.world.stage != stage:  # nobody accepted in time, or what was done led on
                break

    def _do(self, step: Step) -> None:
        if isinstance(step, Give):
            self.world.run_to(self.world.now + A_MOMENT)
            by = Actor(id=step.person or step.role, role=step.role, agency=step.agency, hub=self.profile.name)
            self.world.give(step.command, by, words=self.world.fresh_words())
        elif isinstance(step, Until):
            self.world.run_to(step.at)
        elif isinstance(step, Wait):
            running = [clock for clock in self.world.referral.running if clock.kind in step.clocks]
            due = min((clock.due_at for clock in running), default=self.world.now)
            part = self.chance.uniform(1.05, 1.5) if self.chance.random() < LATE else self.chance.uniform(0.1, 0.9)
            self.world.run_to(max(self.world.now + SOON, self.world.now + (due - self.world.now) * part))

    def _record(self, case: World, before: Referral | None, decision: Decision, by: Actor) -> None:
        if not decision.events:
            return
        log = self._made.logs.setdefault(case.reference, [])
        for link in chained(case.reference, decision, by, case.now, self._heads.get(case.reference, GENESIS)):
            log.append((link.recorded.event.kind, link.canonical))
            self._heads[case.reference] = link.hash
        self._made.states[case.reference] = decision.after
