"""Histories as a census finds them: contacts that go all ways there are, on random days, some about children known already."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal

from mash.flows.returns.course import Case
from mash.flows.telling.walk import Walk
from mash.states.acts.assessment import CompleteAssessment, StartAssessment
from mash.states.acts.closing import ReopenReferral
from mash.states.acts.contact import AssignPlace, ReceiveContact
from mash.states.acts.corrections import AddSubject
from mash.states.acts.decisions import GRAVEST_FIRST, RecordDecision
from mash.states.acts.handing_over import AcceptHandOver, OfferHandOver, ReturnHandOver
from mash.states.acts.protection import (
    CallStrategyDiscussion,
    ConcludeEnquiries,
    RecordConference,
    RecordStrategyDiscussion,
)
from mash.states.acts.step_down import ReturnStepDown
from mash.states.acts.withdrawing import WithdrawDecision
from mash.states.clocks import LONDON, day_of
from mash.states.entered_later import may_be_entered_later
from mash.states.errors import Refusal
from mash.states.log import GENESIS, SCHEMA, Recorded
from mash.states.profile import Profile
from mash.states.stages import CONCLUDED
from mash.states.usual import decider, rater
from mash.states.values import Actor, Details, Subject
from mash.states.world import World

FACTORS = ("1A", "3B", "4B", "10A", "16A", "18B", "21")
SOURCES = ("1A", "1B", "2A", "3A", "3E", "4", "5A", "5D", "6", "9", "10")
COHORTS: tuple[Literal["child", "unborn", "unknown", "adult"], ...] = (*("child",) * 6, "unborn", "unborn", "unknown", "adult")
"""Of an adult nobody says how old they are."""
MOST_STEPS = 60


class Going(Walk):
    """A case that goes some way, by chance."""

    def __init__(self, profile: Profile, starts: datetime, reference: str, dice: random.Random) -> None:
        super().__init__(profile, dice.choice(list(profile.ratings)), starts)
        self.dice = dice
        self.world.reference = reference
        self.late: dict[tuple[str, int], datetime] = {}
        """When what was entered later had happened, by reference and the event's place in its log."""

    def give(self, command: Any, role: str, what: str, agency: str = "social_care", person: str = "") -> None:
        """Somebody acts, and now and then enters later what they have done, or what they were told."""
        by = Actor(id=person or role, role=role, agency=agency, hub=self.profile.name)
        earlier = self._earlier(command, by)
        if isinstance(command, AcceptHandOver) and self.dice.random() < 0.4:
            offered_at = self.referral.offered[command.hand_over].offered_at
            command = command.model_copy(update={"accepted_at": offered_at + (self.now - offered_at) * self.dice.random()})
        begun = len(self.world.log)
        try:
            self.world.give(command, by, words=self.world.fresh_words(), happened_at=earlier)
        except Refusal:
            if earlier is None:
                raise
            earlier = None
            self.world.give(command, by, words=self.world.fresh_words())
        if earlier:
            self.late |= {(self.world.reference, place): earlier for place in range(begun, len(self.world.log))}

    def _earlier(self, command: Any, by: Actor) -> datetime | None:
        """When it was done, where that is not now: at the earliest when it was reported."""
        if self.world.state is None or self.dice.random() > 0.2 or not may_be_entered_later(command.kind, by):
            return None
        first = max(self.referral.reported_at or self.referral.received_at, self.now - timedelta(days=4))
        return first + (self.now - first) * self.dice.random()

    def tried(self, command: Any, role: str, person: str = "") -> bool:
        """Whether somebody may give a command now, and has."""
        try:
            self.give(command, role, command.kind, person=person)
        except Refusal:
            return False
        return True

    def some_days(self, most: int) -> None:
        """Time passes, and nobody is in a hurry."""
        self.pass_to(self.now + timedelta(days=self.dice.random() * most))


def on_their_way(going: Going, until: datetime) -> None:
    """The case goes on until it has ended, or the time is over."""
    for _ in range(MOST_STEPS):
        if going.now >= until:
            return
        stage = going.referral.stage
        try:
            if stage in CONCLUDED:
                if not _after_the_end(going):
                    return
            elif not _by_chance(going, stage):
                going.step()
        except (Refusal, RuntimeError, LookupError, IndexError):
            going.some_days(3)


def _after_the_end(going: Going) -> bool:
    """A few cases are reopened: their closure was a mistake."""
    if going.dice.random() > 0.12:
        return False
    going.some_days(90)
    return going.tried(ReopenReferral(), decider(going.profile))


def _by_chance(going: Going, stage: str) -> bool:
    """Whether something was done that is not what usually happens in this stage."""
    dice, profile = going.dice, going.profile
    if dice.random() < 0.04 and stage not in ("contact", "triage"):
        return going.tried(CallStrategyDiscussion(), rater(profile))
    if dice.random() < 0.02:
        return _add(going)
    if dice.random() < 0.04 and going.referral.decided_at:
        return going.tried(WithdrawDecision(), decider(profile))
    chances: dict[str, Callable[[Going], bool]] = {
        "decision": _decide,
        "strategy_discussion": _discuss,
        "enquiries": _enquire,
        "conference": _confer,
        "section_17_assessment": _assess,
        "step_down_offered": _answer_step_down,
        "transfer_offered": _answer_transfer,
    }
    return stage in chances and chances[stage](going)


def _add(going: Going) -> bool:
    """Somebody is found whom the case is about too."""
    by = Actor(id="adder", role=rater(going.profile), agency="social_care", hub=going.profile.name)
    found = Details(stored=going.world.fresh_words(), kind="subject", changed=("name",), age="child")
    try:
        going.world.give(AddSubject(cohort="child"), by, words=going.world.fresh_words(), details=found)
    except Refusal:
        return False
    return True


def _each(going: Going, name: str, *values: str) -> dict[str, Any]:
    """One for all subjects, or one for each."""
    if going.dice.random() < 0.7:
        return {name: going.dice.choice(values)}
    return {f"{name}s": {sid: going.dice.choice(values) for sid in going.referral.subjects}}


def _held_on(going: Going) -> date | None:
    """What was held a day or more ago is entered today."""
    return going.dice.choice((None, None, day_of(going.now), day_of(going.now) - timedelta(days=going.dice.randint(1, 3))))


def _decide(going: Going) -> bool:
    likely = [*GRAVEST_FIRST, "section_47", "section_17", "section_17", "no_further_action"]
    alike = going.dice.random() < 0.7
    outcome = going.dice.choice(likely)
    outcomes = {sid: outcome if alike else going.dice.choice(likely) for sid in going.referral.subjects}
    need = going.dice.choice(("N1", "N1", "N4", "N5"))
    given: dict[str, Any] = {"outcomes": outcomes, "primary_need": need, "transfer_to": "E06000999", "same_child": "cannot_tell"}
    decided = going.tried(RecordDecision(**given), decider(going.profile))
    going.some_days(2)
    return decided


def _discuss(going: Going) -> bool:
    hub, held_on = going.profile.strategy_discussion, _held_on(going)
    outcome = going.dice.choice(("section_47", "section_47", "no_section_47"))
    enquiry = "joint" if hub.joint_or_single and outcome == "section_47" else None
    said: dict[str, Any] = {"outcome": outcome, "enquiry": enquiry, "held_on": held_on, "same_child": "cannot_tell"}
    held = going.tried(RecordStrategyDiscussion(attended=hub.quorum, **said), rater(going.profile))
    going.some_days(3)
    return held


def _see(going: Going) -> dict[str, Any]:
    unseen = going.referral.unseen
    return dict.fromkeys(unseen, "family_left") if unseen else {}


def _enquire(going: Going) -> bool:
    going.some_days(12)
    if going.dice.random() < 0.4:
        going.tried(StartAssessment(held_on=_held_on(going)), rater(going.profile))
    if "assessment_under_way" in going.referral.configuration and going.dice.random() < 0.5:
        _complete(going)
    if going.dice.random() < 0.06:
        destination = going.profile.serving("transfer")[0]
        going.tried(OfferHandOver(destination=destination, authority="E08000025"), rater(going.profile))
        for name in going.referral.offered:
            return going.tried(AcceptHandOver(hand_over=name), decider(going.profile), "second")
    outcome = going.dice.choice(("conference", "no_further_child_protection_action"))
    return going.tried(ConcludeEnquiries(outcome=outcome, not_seen_because=_see(going)), decider(going.profile))


def _confer(going: Going) -> bool:
    going.some_days(14)
    held_on = day_of(going.now)
    while held_on.weekday() >= 5:
        held_on -= timedelta(days=1)
    results = _each(going, "outcome", "child_protection_plan", "child_protection_plan", "no_plan")
    of_each = results.get("outcomes") or dict.fromkeys(going.referral.subjects, results.get("outcome"))
    planned = [sid for sid, result in of_each.items() if result == "child_protection_plan"]
    categories = {sid: going.dice.choice(("NEG", "PHY", "SAB", "EMO", "MUL")) for sid in planned}
    before = {sid: going.dice.randint(0, 2) for sid in planned}
    said = RecordConference(held_on=held_on, abuse_categories=categories, previous_plans=before, **results)
    return going.tried(said, decider(going.profile))


def _complete(going: Going) -> bool:
    outcomes = ["child_in_need_plan", "early_help", "no_further_action"]
    if going.referral.stage == "section_17_assessment":
        outcomes.append("transfer")
    found = _each(going, "outcome", *outcomes)
    factors = tuple(going.dice.sample(FACTORS[:-1], going.dice.randint(1, 3))) if going.dice.random() < 0.8 else ("21",)
    done: dict[str, Any] = {"factors": factors, "transfer_to": "E06000999", "not_seen_because": _see(going), **found}
    return going.tried(CompleteAssessment(held_on=_held_on(going), **done), decider(going.profile))


def _assess(going: Going) -> bool:
    going.some_days(60)
    return _complete(going)


def _answer_step_down(going: Going) -> bool:
    if going.dice.random() < 0.2:
        return going.tried(ReturnStepDown(), decider(going.profile), "second")
    return False


def _answer_transfer(going: Going) -> bool:
    if going.dice.random() < 0.2:
        for name in going.referral.offered:
            return going.tried(ReturnHandOver(hand_over=name), decider(going.profile))
    return False


@dataclass
class Histories:
    """Some contacts at one hub: their cases by reference, which child each subject is, and what is recorded of them."""

    profile: Profile
    cases: dict[str, Case] = field(default_factory=dict)
    children: dict[tuple[str, str], str] = field(default_factory=dict)
    """By root and subject: the child."""


def cases_of(world: World, late: Mapping[tuple[str, int], datetime] = MappingProxyType({})) -> Iterator[Case]:
    """A case in memory and the linked ones, as they would be stored; `late` says when what was entered later had happened."""
    log = [
        Recorded.model_construct(
            reference=world.reference,
            sequence=number,
            at=entry.at,
            happened_at=late.get((world.reference, number - 1)),
            by=entry.by,
            profile=world.profile.digest,
            schema_number=SCHEMA,
            event=entry.event,
            previous=GENESIS,
        )
        for number, entry in enumerate(world.log, start=1)
    ]
    yield Case(world.reference, world.referral, log)
    for linked in world.linked.values():
        yield from cases_of(linked, late)


def histories(
    profile: Profile, number: int, seed: int, year: int, repeats: float = 0.25, until: datetime | None = None
) -> Histories:
    """So many contacts, received around the census year; a part of them about a child who is known from an earlier one. They go
    on until the summer after, or `until`."""
    dice = random.Random(f"{profile.name} {seed}")
    made = Histories(profile)
    end = until or datetime(year, 8, 1, tzinfo=UTC)
    for count in range(number):
        starts = datetime(year - 1, 2, 1, 9, tzinfo=LONDON).astimezone(UTC) + timedelta(days=dice.random() * 440)
        reference = f"MASH-26-{count + 1:06}"
        going = _received(profile, starts, reference, dice)
        on_their_way(going, end)
        for world in (*_whole(going.world),):
            if world is not going.world:
                linked = Going(profile, world.now, world.reference, dice)
                linked.world = world
                world.witness = linked._tell
                on_their_way(linked, end)
                going.late |= linked.late
        these = list(cases_of(going.world, going.late))
        made.cases |= {case.reference: case for case in these}
        for sid in sorted({sid for case in these for sid in case.state.subjects}):
            known = sorted(set(made.children.values()))
            child = dice.choice(known) if known and dice.random() < repeats else f"child-{profile.name}-{seed}-{count}-{sid}"
            if child in {other for (root, _), other in made.children.items() if root == reference}:
                child = f"child-{profile.name}-{seed}-{count}-{sid}"
            made.children[reference, sid] = child
    return made


def _whole(world: World) -> Iterator[World]:
    yield world
    for linked in [*world.linked.values()]:
        yield from _whole(linked)


def _received(profile: Profile, starts: datetime, reference: str, dice: random.Random) -> Going:
    going = Going(profile, starts, reference, dice)
    sort = dice.choice(list(profile.intake.values()))
    cohorts = [dice.choice(COHORTS) for _ in range(dice.choice((1, 1, 2, 3)))]
    contact = ReceiveContact(
        contact=dice.choice(sort.kinds) if sort.kinds else "referral",
        source=dice.choice(SOURCES),
        source_agency=sort.sources[0] if sort.sources else "education",
        subjects=tuple(
            Subject(id=f"S{n}", cohort=cohort, age=None if cohort in ("unknown", "adult") else cohort)
            for n, cohort in enumerate(cohorts, start=1)
        ),
        primary_need="N1",
        categories=sort.categories[:1],
        referrer_reachable=True,
        reported_at=starts - timedelta(days=2 * dice.random()) if dice.random() < 0.3 else None,
    )
    going.give(contact, "referrer", "a contact")
    if profile.places and dice.random() < 0.9:
        going.tried(AssignPlace(place=dice.choice(list(profile.places))), rater(profile))
    return going
