"""A case at a hub: people act on it, time passes, and every event is read back from the log's own text before it counts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from pydantic import TypeAdapter

from mash.config.agreement import disagreements
from mash.config.profile import load_profile
from mash.states.acts.alerts import FireClocks
from mash.states.acts.checks import AnswerCheck
from mash.states.acts.child_voice import RecordChildVoice
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.handing_over import AcceptHandOver
from mash.states.acts.not_ours import ConfirmNotOurs
from mash.states.acts.outcomes import PLAN
from mash.states.acts.protection import RecordConference
from mash.states.acts.rating import RateReferral
from mash.states.acts.sharing import RecordSharingBasis
from mash.states.clocks import LONDON
from mash.states.course import ClockEscalated
from mash.states.decide import Decision
from mash.states.messages import Event
from mash.states.profile import Profile
from mash.states.referral import Clock, Referral
from mash.states.values import Actor, Colleague, Details, Subject
from mash.states.world import Entry, World

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
BASIS = RecordSharingBasis(purpose="safeguarding_child", lawful_basis="public_task", consent="not_sought", family_informed=True)
NOT_SHARED = BASIS.model_copy(update={"share": False, "consent": "refused"})
QUORUM = ("social_care", "police", "health")


def hub(like: str = "sandwell", **changes: Any) -> Profile:
    """A valid profile: a shipped hub's, with these settings changed."""
    changed = load_profile(like).model_copy(update=changes)
    valid = Profile.model_validate(changed.model_dump())
    assert list(disagreements(valid)) == []
    return valid


class Case(World):
    """One referral, and those it is split into; every event is read back from the log's own text."""

    def __init__(self, profile: Profile, now: datetime = MORNING, reference: str = "R") -> None:
        super().__init__(profile, now, reference, witness=self._read_back)

    def another(self, reference: str) -> World:
        return Case(self.profile, self.now, reference)

    def _read_back(self, world: World, before: Referral | None, decision: Decision, by: Actor) -> None:
        for event in decision.events:
            assert EVENT.validate_json(event.model_dump_json()) == event

    @property
    def colleagues(self) -> tuple[Colleague, ...]:
        """Those whom `person` stands for, too."""
        there = super().colleagues
        return (*there, *(each.model_copy(update={"login": person(each.role).id}) for each in there))

    def clock(self, clock_id: str) -> Clock:
        return self.referral.clocks[clock_id]

    def running(self, kind: str) -> list[Clock]:
        return [clock for clock in self.referral.running if clock.kind == kind]

    def item(self, agency: str) -> str:
        """The latest item that the agency holds beside the case."""
        return [iid for iid, held in self.referral.held.items() if held.agency == agency][-1]

    def give(
        self,
        command: Any,
        by: Actor = DUTY,
        *,
        words: bool = True,
        redacted: bool = False,
        details: Details | None = None,
        happened_at: datetime | None = None,
    ) -> list[Event]:
        """Decide and record, as the store does, with fresh words and perhaps a redacted version of an item."""
        written, version = (self.fresh_words() if wanted else None for wanted in (words, redacted))
        return super().give(command, by, words=written, redacted=version, details=details, happened_at=happened_at)

    def fire(self) -> list[Event]:
        return self.give(FireClocks(), SYSTEM, words=False)

    def wait(self, **length: float) -> None:
        """Time passes, and nobody looks at the clocks."""
        self.now += timedelta(**length)


def of(kind: type[T], events: Iterable[Any]) -> list[T]:
    """The events of one kind."""
    return [event for event in events if isinstance(event, kind)]


def climbs(entries: Iterable[Entry], clock_id: str) -> list[tuple[str, datetime]]:
    """Which roles were told that this clock is late, and when."""
    return [(event.role, at) for at, _, event in entries if isinstance(event, ClockEscalated) and event.id == clock_id]


def arrived(profile: Profile, *cohorts: Any, now: datetime = MORNING, **fields: Any) -> Case:
    """A contact about a child (or people of these cohorts), just received from a school."""
    case = Case(profile, now)
    subjects = tuple(
        Subject(id=f"s{n}", cohort=cohort, age=None if cohort == "unknown" else cohort)
        for n, cohort in enumerate(cohorts or ("child",))
    )
    contact = {"contact": "referral", "source": "2A", "source_agency": "education", "subjects": subjects, **fields}
    case.give(ReceiveContact(**contact), SYSTEM)
    return case


def signposted(profile: Profile, *cohorts: Any, **fields: Any) -> Case:
    """A contact of which a person has confirmed that it is not the hub's."""
    case = arrived(profile, *cohorts, **fields)
    case.give(ConfirmNotOurs(signposted_to="another_service"))
    return case


def rated(profile: Profile, rating: str, *cohorts: Any, now: datetime = MORNING, **fields: Any) -> Case:
    """A contact that the duty manager has rated; an immediate danger less than the most urgent with the practice manager's
    agreement by telephone."""
    case = arrived(profile, *cohorts, now=now, **fields)
    down = case.referral.in_danger and profile.place(rating) > 0
    case.give(RateReferral(rating=rating, second=person("practice_manager").id if down else None))
    return case


def answer_all(case: Case) -> Case:
    """Every agency that was asked answers that it knows nobody."""
    for agency in case.referral.outstanding:
        case.give(AnswerCheck(agency=agency, known=False), partner(agency), words=False)
    return case


def at_decision(profile: Profile | None = None, *cohorts: Any, **fields: Any) -> Case:
    """A case that stands at the decision: rated blue at a hub like Merton, where that asks nobody."""
    case = rated(profile or hub("merton"), "blue", *cohorts, **fields)
    assert case.stage == "decision"
    return case


def accepted(case: Case, by: Actor | None = None) -> Case:
    """Whoever was offered something accepts: somebody of the hub who did not offer it writes down what was said by telephone."""
    for name in case.referral.offered:
        case.give(AcceptHandOver(hand_over=name), by or person("team_manager", name="another.manager"))
    return case


def seen(case: Case) -> Case:
    """Each child whom nobody has seen yet is seen alone, and says something."""
    today = case.now.astimezone(LONDON).date()
    for child in case.referral.unseen:
        case.give(RecordChildVoice(subject=child, seen_on=today, alone=True))
    return case


def with_plans(held_on: date, **results: Any) -> RecordConference:
    """A conference with a result for each subject, and all that a plan needs."""
    planned = [sid for sid, result in results.items() if result == PLAN]
    why = {"abuse_categories": dict.fromkeys(planned, "EMO"), "previous_plans": dict.fromkeys(planned, 0)}
    return RecordConference(held_on=held_on, outcomes=results, **why)


def decision(**outcomes: Any) -> RecordDecision:
    """An outcome for each subject, with all that any outcome needs."""
    return RecordDecision(outcomes=outcomes, primary_need="N1", transfer_to="E06000999")
