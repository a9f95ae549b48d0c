"""A case at a hub: people act on it, time passes, and every event is read back from the log's own text before it counts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pydantic import TypeAdapter

from mash.config.agreement import disagreements
from mash.config.profile import load_profile
from mash.states import commands as c
from mash.states import events as e
from mash.states.clocks import LONDON
from mash.states.commands import Actor, Said, Subject
from mash.states.decide import continue_split, decide
from mash.states.events import Event
from mash.states.profile import Profile
from mash.states.referral import Clock, Referral, evolve

T = TypeVar("T")
EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def london(text: str) -> datetime:
    """A local time of the hub as an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


def person(role: str, agency: str = "social_care", name: str = "") -> Actor:
    """Somebody of this role; `name` tells two of them apart."""
    return Actor(id=name or f"{role}.{agency}", role=role, agency=agency, hub="any")


def partner(agency: str) -> Actor:
    """A practitioner of an agency of the hub."""
    return person("agency", agency)


MORNING = london("2026-06-02 10:00")  # a Tuesday
NIGHT = london("2026-06-06 02:00")  # a Saturday
SYSTEM = Actor(id="system", role="system", agency="system", hub="any")
DUTY, MANAGER, NIGHT_DUTY = person("duty_manager"), person("team_manager"), person("out_of_hours")
BASIS = c.RecordSharingBasis(purpose="safeguarding_child", lawful_basis="public_task", consent="not_sought", family_informed=True)
NOT_SHARED = BASIS.model_copy(update={"share": False, "consent": "refused"})
QUORUM = ("social_care", "police", "health")


def hub(like: str = "sandwell", **changes: Any) -> Profile:
    """A valid profile: a shipped hub's, with these settings changed."""
    changed = load_profile(like).model_copy(update=changes)
    valid = Profile.model_validate(changed.model_dump())
    assert list(disagreements(valid)) == []
    return valid


class Case:
    """One referral, and those it is split into."""

    def __init__(self, profile: Profile, now: datetime = MORNING, reference: str = "R") -> None:
        self.profile, self.now, self.reference = profile, now, reference
        self.state: Referral | None = None
        self.linked: dict[str, Case] = {}
        self.log: list[tuple[datetime, Event]] = []
        self._items = 0

    @property
    def referral(self) -> Referral:
        assert self.state is not None
        return self.state

    @property
    def stage(self) -> str:
        return self.referral.stage

    def clock(self, clock_id: str) -> Clock:
        return self.referral.clocks[clock_id]

    def running(self, kind: str) -> list[Clock]:
        return [clock for clock in self.referral.running if clock.kind == kind]

    def item(self, agency: str) -> str:
        """The latest item that the agency holds beside the case."""
        return [iid for iid, held in self.referral.held.items() if held.agency == agency][-1]

    def give(self, command: Any, by: Actor = DUTY, *, words: bool = True, redacted: bool = False) -> list[Event]:
        """Decide and record, as the store does, with fresh words and perhaps a redacted version of an item."""
        before = self.state
        said, version = (self._said() if given else None for given in (words, redacted))
        events = decide(before, command, self.profile, by, self.now, reference=self.reference, said=said, redacted=version)
        self._fold(events, by)
        for split in of(e.ReferralSplit, events):
            assert before is not None
            begun = Case(self.profile, self.now, split.reference)
            held = tuple(self.referral.held.values())
            begun._fold(
                continue_split(self.referral, split, before.subjects, self.profile, by, self.now, self.reference, (), held), by
            )
            self.linked[split.reference] = begun
        return events

    def _said(self) -> Said:
        self._items += 1
        return Said(item=f"item-{self._items}", hmac="0" * 64)

    def _fold(self, events: Iterable[Event], by: Actor) -> None:
        for event in events:
            read_back = EVENT.validate_json(event.model_dump_json())
            assert read_back == event
            self.state = evolve(self.state, read_back, self.now, by)
            self.log.append((self.now, read_back))

    def wait(self, **length: float) -> None:
        """Time passes, and nobody looks at the clocks."""
        self.now += timedelta(**length)

    def run_to(self, until: datetime) -> list[tuple[datetime, Event]]:
        """Time passes to `until`, with the clocks fired whenever one has something to say; what was said, and when."""
        said: list[tuple[datetime, Event]] = []
        while (at := self.referral.next_at) and at <= until:
            self.now = max(self.now, at)
            said += [(self.now, event) for event in self.give(c.FireClocks(), SYSTEM, words=False)]
        self.now = until
        return said


def of(kind: type[T], events: Iterable[Any]) -> list[T]:
    """The events of one kind."""
    return [event for event in events if isinstance(event, kind)]


def climbs(said: list[tuple[datetime, Event]], clock_id: str) -> list[tuple[str, datetime]]:
    """Which roles were told that this clock is late, and when."""
    return [(event.role, at) for at, event in said if isinstance(event, e.ClockEscalated) and event.id == clock_id]


def arrived(profile: Profile, *cohorts: Any, now: datetime = MORNING, **fields: Any) -> Case:
    """A contact about a child (or people of these cohorts), just received from a school."""
    case = Case(profile, now)
    subjects = tuple(Subject(id=f"s{n}", cohort=cohort) for n, cohort in enumerate(cohorts or ("child",)))
    contact = {"contact": "referral", "source": "1A", "source_agency": "education", "subjects": subjects, **fields}
    case.give(c.ReceiveContact(**contact), SYSTEM)
    return case


def rated(profile: Profile, rating: str, *cohorts: Any, now: datetime = MORNING, **fields: Any) -> Case:
    """A contact that the duty manager has rated."""
    case = arrived(profile, *cohorts, now=now, **fields)
    case.give(c.RateReferral(rating=rating))
    return case


def answer_all(case: Case) -> Case:
    """Every agency that was asked answers that it knows nobody."""
    for agency in case.referral.outstanding:
        case.give(c.AnswerCheck(agency=agency, known=False), partner(agency), words=False)
    return case


def at_decision(profile: Profile | None = None, *cohorts: Any, **fields: Any) -> Case:
    """A case that stands at the decision: rated blue at a hub like Merton, where that asks nobody."""
    case = rated(profile or hub("merton"), "blue", *cohorts, **fields)
    assert case.stage == "decision"
    return case


def decision(**outcomes: Any) -> c.RecordDecision:
    """An outcome for each subject, with all that any outcome needs."""
    return c.RecordDecision(outcomes=outcomes, primary_need="N1", transfer_to="E06000999")
