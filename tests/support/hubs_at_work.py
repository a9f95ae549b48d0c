"""A hub of the source documents at work: a case under its shipped profile, people who act on it, and whoever is told what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from mash.config.profile import load_profile, stated
from mash.notifications.notices import NoticeDraft, notices_for
from mash.notifications.wording import UNADDRESSED, Message, message_for
from mash.states.acts.alerts import FireClocks
from mash.states.acts.checks import AnswerCheck, ProceedWithoutReplies
from mash.states.acts.child_voice import RecordChildVoice
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.corrections import CorrectDetails
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.information import ContributeInformation, ReleaseInformation
from mash.states.acts.not_ours import ConfirmNotOurs
from mash.states.acts.rating import RateReferral
from mash.states.acts.sharing import RecordAdultView, RecordSharingBasis
from mash.states.census import asked_of
from mash.states.clocks import LONDON
from mash.states.decide import Decision
from mash.states.messages import Event
from mash.states.profile import Profile
from mash.states.referral import Clock, Referral
from mash.states.values import Actor, Details, Subject
from mash.states.world import World

T = TypeVar("T")
DOCUMENTS = ("Home Office 2013", "Home Office 2014", "London MASH initiative 2011", "Alexi evaluation 2018")
"""The documents that the hubs' rows rest on, as a profile's sources begin with them."""


def london(text: str) -> datetime:
    """A local time of the hub as an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


def person(role: str, agency: str = "social_care") -> Actor:
    """Somebody of this role."""
    return Actor(id=f"{role}.{agency}", role=role, agency=agency, hub="any")


def partner(agency: str) -> Actor:
    """A practitioner of an agency of the hub."""
    return person("agency", agency)


MORNING = london("2026-06-02 10:30")  # a Tuesday
NIGHT = london("2026-06-06 02:00")  # a Saturday
SYSTEM = Actor(id="system", role="system", agency="system", hub="any")
REFERRER = person("referrer", "education")
DUTY, TEAM_MANAGER, SOCIAL_WORKER = person("duty_manager"), person("team_manager"), person("social_worker")
STATUTORY_PARTNERS = ("social_care", "police", "health")
BASIS = RecordSharingBasis(purpose="safeguarding_child", lawful_basis="public_task", consent="given", family_informed=True)


@dataclass(frozen=True)
class Sent:
    """A notice that went out: who was told what, in which words."""

    draft: NoticeDraft
    message: Message

    @property
    def role(self) -> str:
        return self.draft.role

    @property
    def text(self) -> str:
        return f"{self.message.title}\n{self.message.body}"


class Case(World):
    """One referral at one hub, and whoever has a notice of it."""

    def __init__(self, profile: Profile, now: datetime) -> None:
        self.notices: list[Sent] = []
        super().__init__(profile, now, witness=self._notify)

    def _notify(self, world: World, before: Referral | None, decision: Decision, by: Actor) -> None:
        for draft in notices_for("R", before, self.referral, decision.events, self.profile, by, self.now):
            self.notices.append(Sent(draft, message_for(draft.kind, "R", draft.facts, self.now, "the link", **UNADDRESSED)))

    def clock(self, clock_id: str) -> Clock:
        return self.referral.clocks[clock_id]

    def running(self, kind: str) -> list[Clock]:
        return [clock for clock in self.referral.running if clock.kind == kind]

    def recipients(self, kind: str) -> list[str]:
        """The roles that had a notice of this kind."""
        return [notice.role for notice in self.notices if notice.draft.kind == kind]

    def words(self, kind: str) -> str:
        """The latest notice of this kind as it reads."""
        return next(notice.text for notice in reversed(self.notices) if notice.draft.kind == kind)

    def item(self, agency: str) -> str:
        """The latest item that the agency holds beside the case."""
        return [iid for iid, held in self.referral.held.items() if held.agency == agency][-1]

    def give(
        self, command: Any, by: Actor = DUTY, *, words: bool = True, redacted: bool = False, details: Details | None = None
    ) -> list[Event]:
        """Decide, record, and tell, as the product does. A refusal changes nothing."""
        written, version = (self.fresh_words() if wanted else None for wanted in (words, redacted))
        return super().give(command, by, words=written, redacted=version, details=details)

    def fire(self) -> list[Event]:
        return self.give(FireClocks(), SYSTEM, words=False)


def of(kind: type[T], events: list[Any]) -> list[T]:
    """The events of one kind."""
    return [event for event in events if isinstance(event, kind)]


def changed(name: str, **settings: Any) -> Profile:
    """A copy of the hub's profile with these settings changed."""
    copy = load_profile(name).model_copy(update=settings)
    return Profile.model_validate(copy.model_dump())


def received(hub: str | Profile, *cohorts: Any, now: datetime = MORNING, **fields: Any) -> Case:
    """A contact about a child (or people of these cohorts), just received from a school that can be reached."""
    case = Case(load_profile(hub) if isinstance(hub, str) else hub, now)
    subjects = tuple(
        Subject(id=f"s{n}", cohort=cohort, age=None if cohort == "unknown" else cohort)
        for n, cohort in enumerate(cohorts or ("child",))
    )
    contact = {"contact": "referral", "source": "2A", "source_agency": "education", "primary_need": "N1"}
    case.give(ReceiveContact(subjects=subjects, **{"referrer_reachable": True, **contact, **fields}), SYSTEM)
    return case


def takes(hub: str | Profile, *cohorts: Any, **fields: Any) -> bool:
    """Whether the hub acts on such a contact; that it does not take one is proposed, and waits for a person to confirm it."""
    return received(hub, *cohorts, **fields).stage != "to_confirm_not_ours"


def signposted(hub: str | Profile, *cohorts: Any, **fields: Any) -> Case:
    """A contact that the hub does not take, once a person has confirmed that."""
    case = received(hub, *cohorts, **fields)
    case.give(ConfirmNotOurs(signposted_to="another_service"))
    return case


def takes_as(hub: str, sort: str, *cohorts: Any, **fields: Any) -> bool:
    """Whether this one sort of the hub's contacts takes such a contact."""
    return takes(changed(hub, intake={sort: load_profile(hub).intake[sort]}), *cohorts, **fields)


def shared(case: Case) -> Case:
    """Why information may be shared is recorded, after each adult has been heard."""
    for adult in case.referral.adults_unheard:
        case.give(RecordAdultView(subject=adult, capacity="has", agrees="yes"))
    case.give(BASIS)
    return case


def rated(hub: str | Profile, rating: str, *cohorts: Any, by: Actor = DUTY, **fields: Any) -> Case:
    """A contact that is rated, with the checks gone out that go out by themselves."""
    case = shared(received(hub, *cohorts, **fields))
    case.give(RateReferral(rating=rating, agreed=case.profile.triage.joint), by)
    return case


def answered(case: Case) -> Case:
    """Every agency that was asked answers that it knows nobody."""
    for agency in case.referral.outstanding:
        case.give(AnswerCheck(agency=agency, known=False), partner(agency), words=False)
    return case


def at_meeting(hub: str | Profile, rating: str, *cohorts: Any, **fields: Any) -> Case:
    """A case whose agencies have answered, and which waits for its meeting."""
    case = answered(rated(hub, rating, *cohorts, **fields))
    assert case.stage == "mash_meeting"
    return case


def at_decision(hub: str | Profile, *cohorts: Any, rating: str = "green", **fields: Any) -> Case:
    """A case whose agencies have answered, and which waits for its decision without a meeting."""
    case = rated(hub, rating, *cohorts, **fields)
    if case.stage == "agency_checks" and not case.referral.checks:
        case.give(ProceedWithoutReplies())
    answered(case)
    assert case.stage == "decision"
    return case


def seen(case: Case) -> Case:
    """Each child whom nobody has seen yet is seen alone, and says something."""
    today = case.now.astimezone(LONDON).date()
    for child in case.referral.unseen:
        case.give(RecordChildVoice(subject=child, seen_on=today, alone=True))
    return case


def census_told(case: Case) -> Case:
    """Of each child the census is told what it asks, as details that were missing."""
    for sid, subject in case.referral.subjects.items():
        fields = asked_of(subject, case.referral.outcomes.get(sid), of_school_age=True)
        known = Details(stored=case.fresh_words(), kind="subject", subject=sid, changed=fields, age=subject.age)
        if fields:
            case.give(CorrectDetails(item=sid), details=known)
    return case


def outcome(case: Case, of_all: Any) -> RecordDecision:
    """The same outcome for each subject, with all that any outcome needs."""
    return RecordDecision(outcomes=dict.fromkeys(case.referral.subjects, of_all), transfer_to="E06000999")


def stepped_down(hub: str | Profile, by: Actor = DUTY) -> Case:
    """A child's case that is decided to go to early help, and is not offered to a service yet."""
    case = at_decision(hub)
    case.give(outcome(case, "early_help"), by)
    assert case.stage == "step_down_preparing"
    return case


def released(case: Case, agency: str, proportionality: Any = "whole") -> ReleaseInformation:
    """The release of what the agency put beside the case last."""
    return ReleaseInformation(item=case.item(agency), necessity="to_decide_the_threshold", proportionality=proportionality)


def holding(case: Case, agency: str, *, sensitive: bool = True) -> Case:
    """The case with something beside it that the agency holds and has not released."""
    case.give(ContributeInformation(sensitive=sensitive), partner(agency))
    return case


def says_the_document(hub: str, setting: str) -> bool:
    """Whether a setting of the hub's file rests on one of the source documents, and quotes it."""
    source = stated(hub)[setting]
    return source.startswith(DOCUMENTS) and "'" in source


def titles(hub: str) -> set[str]:
    """The titles of the hub's agencies."""
    return {agency.title for agency in load_profile(hub).agencies.values()}
