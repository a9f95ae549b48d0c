"""The front door: a contact is taken or signposted, consulted about, placed, and put right in what it is about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from mash.states.acts import demands
from mash.states.acts.birth import expect_anew
from mash.states.acts.closing import close
from mash.states.acts.handing_over import call_off_kind, offer_once
from mash.states.acts.informing import owe
from mash.states.acts.outcomes import same_for_all
from mash.states.acts.seconding import demand_second
from mash.states.acts.weighing import adding_up
from mash.states.ages import AGE_NOT_KNOWN, counts_as, unknown_adult
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NothingToActOn, NotInProfile, Refusal
from mash.states.fold import Changes, begins, folds
from mash.states.profile import PROFESSIONAL, Category, Cohort, Contact, ContactKind, Profile
from mash.states.rebuild import says_all
from mash.states.referral import NOT_TO_TELL, ProtectionOrder, Referral, SubjectState
from mash.states.register import act
from mash.states.route import ask_who_is_concerned_now, begin
from mash.states.stages import SEEN
from mash.states.usual import Give, Step, Wait, rater, usually
from mash.states.values import (
    Actor,
    AdultView,
    Code,
    CommandBase,
    Course,
    EventBase,
    Holding,
    Match,
    ReportedConsent,
    Subject,
    Words,
    Worker,
)

if TYPE_CHECKING:
    from mash.states.world import World

# --- commands ---------------------------------------------------------------------------------------------------------


class ReceiveContact(CommandBase):
    """A contact reached the front door."""

    kind: Literal["receive_contact"] = "receive_contact"
    contact: ContactKind
    source: Code
    source_agency: Code
    subjects: tuple[Subject, ...] = Field(min_length=1)
    primary_need: Code | None = None
    factors: tuple[Code, ...] = ()
    categories: tuple[Category, ...] = ()
    place: Code | None = None
    family_known: bool | None = Field(default=None, description="Whether social care knows the family already.")
    immediate_danger: bool = False
    consent: ReportedConsent = ReportedConsent()
    reported_at: datetime | None = None
    flags: tuple[Code, ...] = ()
    referrer_reachable: bool = False
    writing_unsafe: bool = Field(default=False, description="Whether it is not safe to write to whoever refers.")
    not_to_tell: bool = Field(
        default=False,
        description="Whether whoever refers says that the family is not to learn of it.",
        exclude_if=lambda silent: not silent,
    )
    held: tuple[Words, ...] = ()


class ConcludeConsultation(CommandBase):
    """The consultation ends: in advice alone, or it becomes a referral to which a threshold is applied."""

    kind: Literal["conclude_consultation"] = "conclude_consultation"
    outcome: Literal["advice", "referral"]


class AssignPlace(CommandBase):
    """The case belongs to this authority or satellite of the hub."""

    kind: Literal["assign_place"] = "assign_place"
    place: Code


class RecordCategories(CommandBase):
    """What the case is about, as it has turned out."""

    kind: Literal["record_categories"] = "record_categories"
    categories: tuple[Category, ...]


class CorrectCohort(CommandBase):
    """A subject's cohort, where it was wrong or not known."""

    kind: Literal["correct_cohort"] = "correct_cohort"
    subject: Code
    cohort: Cohort


class RecordAccused(CommandBase):
    """A concern about somebody who works with children is about what this adult has done; or it is not."""

    kind: Literal["record_accused"] = "record_accused"
    subject: Code
    accused: bool = Field(description="False where something may have been done to them.")


# --- events -----------------------------------------------------------------------------------------------------------


class ContactReceived(EventBase):
    kind: Literal["contact_received"] = "contact_received"
    hub: str
    profile: str
    contact: str
    source: str
    source_agency: str
    subjects: tuple[Subject, ...]
    primary_need: str | None
    factors: tuple[str, ...]
    categories: tuple[str, ...] = ()
    place: str | None = None
    family_known: bool | None = None
    immediate_danger: bool
    consent: ReportedConsent
    reported_at: datetime | None
    flags: tuple[str, ...]
    referrer_reachable: bool
    writing_unsafe: bool = Field(default=False, exclude_if=lambda unsafe: not unsafe)
    not_to_tell: bool = Field(default=False, exclude_if=lambda silent: not silent)
    held: tuple[Words, ...]
    words: Words = Field(alias="said")


class ContinuedFrom(EventBase):
    """A linked referral begins: some subjects of `parent` go their own way."""

    kind: Literal["continued_from"] = "continued_from"
    parent: str
    parent_sequence: int
    hub: str
    profile: str
    contact: str
    source: str
    source_agency: str
    subjects: tuple[Subject, ...]
    primary_need: str | None
    received_at: datetime
    referrer_reachable: bool
    rating: str
    outcome: str
    held: tuple[Words, ...]
    holdings: tuple[Holding, ...] = ()
    adult_views: dict[str, AdultView] = {}
    courses: dict[str, Course] = Field(default={}, exclude_if=lambda courses: not courses)
    decided_at: datetime | None = Field(default=None, exclude_if=lambda at: at is None)
    """When its parent was decided, where its path is no decision's: what an assessment led to."""
    significant_harm: bool | None = None
    not_to_share: bool = False
    factors: tuple[str, ...]
    categories: tuple[str, ...] = ()
    place: str | None = None
    markers: tuple[str, ...] = ()
    immediate_danger: bool
    consent: ReportedConsent
    flags: tuple[str, ...]
    configuration: tuple[str, ...]
    stage: str
    superseded: dict[str, str] = Field(default={}, exclude_if=lambda none: not none)
    matches: tuple[Match, ...] = Field(default=(), exclude_if=lambda matches: not matches)
    rejected: tuple[Match, ...] = Field(default=(), exclude_if=lambda rejected: not rejected)
    orders: dict[str, ProtectionOrder] = Field(default={}, exclude_if=lambda orders: not orders)
    danger_since: datetime | None = Field(default=None, exclude_if=lambda at: at is None)
    """When its parent was told of the danger, where that was after its decision."""
    undecided: bool = Field(default=False, exclude_if=lambda undecided: not undecided)
    """Whether its outcome still waits for a second person."""
    worker: Worker | None = Field(default=None, exclude_if=lambda worker: worker is None)
    """Who had its parent, and has it too until it is allocated anew."""


class AccusedRecorded(EventBase):
    """Whether the concern is about what this adult has done."""

    kind: Literal["accused_recorded"] = "accused_recorded"
    subject: str
    accused: bool


class ConsultationConcluded(EventBase):
    kind: Literal["consultation_concluded"] = "consultation_concluded"
    outcome: str
    words: Words | None = Field(alias="said")


class PlaceAssigned(EventBase):
    kind: Literal["place_assigned"] = "place_assigned"
    place: str


class CategoriesRecorded(EventBase):
    kind: Literal["categories_recorded"] = "categories_recorded"
    categories: tuple[str, ...]


class CohortCorrected(EventBase):
    kind: Literal["cohort_corrected"] = "cohort_corrected"
    subject: str
    cohort: str
    age_not_known: bool = Field(default=False, exclude_if=lambda unknown: not unknown)


# --- deciding ---------------------------------------------------------------------------------------------------------


@act(ReceiveContact)
def receive(d: Deciding, cmd: ReceiveContact, words: Words | None) -> None:
    """Record the contact, start its statutory clocks, and open it to the hub; or have a person confirm that it is not its."""
    if words is None:
        raise NothingToActOn("a contact needs a concern, or something to identify somebody by")
    fields = {name: getattr(cmd, name) for name in ReceiveContact.model_fields if name != "kind"}
    fields["place"] = cmd.place if cmd.place in d.profile.places else None
    d.record(ContactReceived(hub=d.profile.name, profile=d.profile.digest, words=words, **fields))
    owe(d, "acknowledgement", "acknowledgement to the referrer")
    _ask_the_designated_officer(d)
    # Immediate danger is always seen by a person, whatever the hub takes, and without consulting first.
    if not d.profile.takes(_as_intake_sees(d, cmd)) and not cmd.immediate_danger:
        if not d.referral.only_adults:
            _decide_in_time(d)
        d.go("propose_not_ours")
        return
    lead_in(d)
    if cmd.immediate_danger:
        d.escalate(next(clock for clock in d.referral.running if clock.kind == "triage"))


says_all(ContactReceived, ReceiveContact)


def lead_in(d: Deciding) -> None:
    """The hub acts on a contact: a manager decides on the response in time, and it is consulted about first where the hub does
    that."""
    r = d.referral
    _decide_in_time(d)
    if d.profile.consults_first(r.contact, r.source_agency) and not r.immediate_danger:
        d.go("open_consultation")
    else:
        begin(d)


def _decide_in_time(d: Deciding) -> None:
    if not any(clock.kind == "decision_on_response" for clock in d.referral.running):
        d.start_clock("decision_on_response", d.profile.statutory["decision"], "decision on the response")


def _ask_the_designated_officer(d: Deciding) -> None:
    """At once, and nobody has to think of it, where a concern is about somebody who works with children."""
    if PROFESSIONAL in d.referral.categories:
        offer_once(d, "lado")


def _as_intake_sees(d: Deciding, cmd: ReceiveContact) -> Contact:
    return Contact(
        kind=cmd.contact,
        cohorts=frozenset().union(*(counts_as(s.cohort, "adult" if s.accused else s.age) for s in cmd.subjects)),
        categories=frozenset(cmd.categories),
        source=cmd.source_agency,
        family_known=cmd.family_known,
        at=d.now,
    )


@act(ConcludeConsultation, stages=("consultation",))
def conclude_consultation(d: Deciding, cmd: ConcludeConsultation, words: Words | None) -> None:
    """End in advice, without a referral; or go on as one. No threshold was applied until now."""
    if cmd.outcome == "advice" and (number := adding_up(d.referral, d.profile)):
        raise Incomplete(
            f"this may be contact number {number} about one child: one person does not end it in advice. Go on as a referral"
        )
    if cmd.outcome == "advice" and d.referral.in_danger:
        demand_second(d, "closing", None, None)
    d.record(ConsultationConcluded(outcome=cmd.outcome, words=demands.words(words, "concluding a consultation")))
    if cmd.outcome == "referral":
        begin(d)
    else:
        close(d, "end_consultation", "advice", decided=True)


says_all(ConsultationConcluded, ConcludeConsultation)


def _without_places(referral: Referral, profile: Profile, by: Actor, cmd: AssignPlace | None) -> Refusal | None:
    if profile.places and (cmd is None or cmd.place in profile.places):
        return None
    return NotInProfile(f"that is not a place of {profile.title}: expected one of {', '.join(profile.places) or 'none'}")


@act(AssignPlace, stages=SEEN, hindrance=_without_places)
def assign_place(d: Deciding, cmd: AssignPlace, words: Words | None) -> None:
    """The case belongs to an authority or satellite of the hub; where that triages on its own, its people are asked to."""
    d.record(PlaceAssigned(place=cmd.place))
    d.hand_triage_over()


says_all(PlaceAssigned, AssignPlace)


@act(RecordCategories, stages=SEEN)
def record_categories(d: Deciding, cmd: RecordCategories, words: Words | None) -> None:
    """What the case turns out to be about; agencies that are asked only about that are asked now. Whoever was asked for what
    it is not about after all is told so."""
    before = d.referral.categories
    d.record(CategoriesRecorded(categories=cmd.categories))
    ask_who_is_concerned_now(d)
    _ask_the_designated_officer(d)
    if PROFESSIONAL in before and PROFESSIONAL not in cmd.categories:
        call_off_kind(d, "lado")


says_all(CategoriesRecorded, RecordCategories)


@act(CorrectCohort, stages=SEEN)
def correct_cohort(d: Deciding, cmd: CorrectCohort, words: Words | None) -> None:
    """Who was taken for a child is an adult, or the other way round, or was of unknown age."""
    unknown = unknown_adult(cmd.cohort, demands.subject(d, cmd.subject).age)
    before = d.referral
    d.record(CohortCorrected(subject=cmd.subject, cohort=cmd.cohort, age_not_known=unknown))
    expect_anew(d, before)
    ask_who_is_concerned_now(d)


says_all(CohortCorrected, CorrectCohort)


@act(RecordAccused, stages=SEEN, when=lambda referral: PROFESSIONAL in referral.categories and "adult" in referral.cohorts)
def record_accused(d: Deciding, cmd: RecordAccused, words: Words | None) -> None:
    """They are not asked before others hear of it, and are no child in any count; whoever was harmed is both again."""
    subject = demands.subject(d, cmd.subject)
    if subject.cohort != "adult":
        raise Incomplete(f"{cmd.subject} is not taken for an adult: a child about whom there is a concern stays a child")
    if subject.accused == cmd.accused:
        raise Incomplete("that is recorded already")
    d.record(AccusedRecorded(subject=cmd.subject, accused=cmd.accused))
    ask_who_is_concerned_now(d)


says_all(AccusedRecorded, RecordAccused)


# --- folding ----------------------------------------------------------------------------------------------------------


@begins(ContactReceived)
def _contact_received(event: ContactReceived, at: datetime) -> Referral:
    warned = {
        "safe_contact": event.consent.safe_contact_warning,
        "do_not_write": event.writing_unsafe,
        NOT_TO_TELL: event.not_to_tell,
    }
    markers = tuple(marker for marker, holds in warned.items() if holds)
    return _first(event, at).model_copy(update={"markers": markers, "reported_at": event.reported_at})


@begins(ContinuedFrom)
def _continued_from(event: ContinuedFrom, at: datetime) -> Referral:
    known = {s.id: {**dict(event.courses.get(s.id, ())), **dict(event.adult_views.get(s.id, ()))} for s in event.subjects}
    return _first(event, at).model_copy(
        update={
            "markers": event.markers,
            "danger_since": event.danger_since,
            "received_at": event.received_at,
            "parent": event.parent,
            "worker": event.worker,
            "rating": event.rating,
            "first_rating": event.rating,
            "subjects": {sid: s.model_copy(update=known[sid]) for sid, s in _subjects(event).items()},
            "significant_harm": event.significant_harm,
            "sharing": False if event.not_to_share else None,
            "held": {holding.item: holding for holding in event.holdings},
            "configuration": event.configuration,
            "stage": event.stage,
            "matches": event.matches,
            "rejected": event.rejected,
            "decided_at": None if event.undecided else event.decided_at or at,
            "outcomes": {} if event.undecided else {s.id: event.outcome for s in event.subjects},
            "superseded": event.superseded,
            "orders": event.orders,
        }
    )


def _first(event: ContactReceived | ContinuedFrom, at: datetime) -> Referral:
    return Referral(
        version=1,
        acted=1,
        version_for_all=1,
        acted_for_all=1,
        hub=event.hub,
        profile=event.profile,
        contact=event.contact,
        source=event.source,
        source_agency=event.source_agency,
        primary_need=event.primary_need,
        factors=event.factors,
        categories=event.categories,
        place=event.place,
        flags=event.flags,
        immediate_danger=event.immediate_danger,
        consent=event.consent,
        referrer_reachable=event.referrer_reachable,
        subjects=_subjects(event),
        received_at=at,
        stage_since=at,
    )


def _subjects(event: ContactReceived | ContinuedFrom) -> dict[str, SubjectState]:
    return {subject.id: SubjectState(**{name: value for name, value in subject if name != "id"}) for subject in event.subjects}


@folds(ConsultationConcluded)
def _consultation_concluded(referral: Referral, event: ConsultationConcluded, at: datetime, by: Actor) -> Changes:
    return {"consulted_at": at, **(same_for_all(referral, "advice", at) if event.outcome == "advice" else {})}


@folds(PlaceAssigned)
def _place_assigned(referral: Referral, event: PlaceAssigned, at: datetime, by: Actor) -> Changes:
    return {"place": event.place}


@folds(CategoriesRecorded)
def _categories_recorded(referral: Referral, event: CategoriesRecorded, at: datetime, by: Actor) -> Changes:
    return {"categories": event.categories}


@folds(AccusedRecorded)
def _accused_recorded(referral: Referral, event: AccusedRecorded, at: datetime, by: Actor) -> Changes:
    return referral.with_known(event.subject, accused=event.accused)


@folds(CohortCorrected)
def _cohort_corrected(referral: Referral, event: CohortCorrected, at: datetime, by: Actor) -> Changes:
    corrected = referral.with_known(event.subject, cohort=event.cohort)
    flag = f"{event.subject}_{AGE_NOT_KNOWN}"
    if event.age_not_known and flag not in corrected["flags"]:
        corrected["flags"] = (*corrected["flags"], flag)
    return corrected


@usually("consultation")
def _consultation(world: World, rating: str) -> Iterator[Step]:
    yield Wait(("consultation",))
    yield Give(ConcludeConsultation(outcome="referral"), rater(world.profile), "the consultation becomes a referral")
