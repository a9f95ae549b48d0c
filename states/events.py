"""What happened: one class per kind, in the past tense. No personal data: ids, codes, times and keyed digests only."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from mash.states.clocks import Frozen
from mash.states.commands import Actor, ReportedConsent, Said, Subject

SCHEMA = 1
"""The schema number written with new events; older ones are read through upcasters."""


class StartedClock(Frozen):
    """A clock as it was started: when it is due and why is computed once, and kept."""

    id: str
    kind: str
    owner: str
    started_at: datetime
    due_at: datetime
    warn_at: tuple[datetime, ...]
    why: str
    source: str


class Holding(Frozen):
    """An item that an agency holds beside the case: whose it is, and what others may read of it."""

    item: str
    agency: str
    sensitive: bool
    at: datetime
    released: bool = False
    redacted: str | None = None


class AdultView(Frozen):
    """An adult's capacity and agreement, as they were recorded."""

    capacity: str
    agrees: str


class ContactReceived(Frozen):
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
    held: tuple[Said, ...]
    said: Said


class ContinuedFrom(Frozen):
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
    held: tuple[Said, ...]
    holdings: tuple[Holding, ...] = ()
    adult_views: dict[str, AdultView] = {}
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


class StageEntered(Frozen):
    kind: Literal["stage_entered"] = "stage_entered"
    stage: str
    configuration: tuple[str, ...]
    came_from: str | None = None


class ConsultationConcluded(Frozen):
    kind: Literal["consultation_concluded"] = "consultation_concluded"
    outcome: str
    said: Said | None


class PlaceAssigned(Frozen):
    kind: Literal["place_assigned"] = "place_assigned"
    place: str


class ReferralRated(Frozen):
    kind: Literal["referral_rated"] = "referral_rated"
    rating: str
    agreed: tuple[str, ...] = ()
    said: Said | None


class ReferralRerated(Frozen):
    kind: Literal["referral_rerated"] = "referral_rerated"
    rating: str
    before: str
    agreed: tuple[str, ...] = ()
    said: Said | None


class SharingBasisRecorded(Frozen):
    kind: Literal["sharing_basis_recorded"] = "sharing_basis_recorded"
    share: bool
    purpose: str
    lawful_basis: str
    consent: str
    family_informed: bool
    not_informed: str | None = None
    said: Said | None


class AdultViewRecorded(Frozen):
    kind: Literal["adult_view_recorded"] = "adult_view_recorded"
    subject: str
    capacity: str
    agrees: str
    said: Said | None


class ThresholdRecorded(Frozen):
    kind: Literal["threshold_recorded"] = "threshold_recorded"
    significant_harm: bool
    said: Said | None


class CategoriesRecorded(Frozen):
    kind: Literal["categories_recorded"] = "categories_recorded"
    categories: tuple[str, ...]


class CohortCorrected(Frozen):
    kind: Literal["cohort_corrected"] = "cohort_corrected"
    subject: str
    cohort: str


class MarkerRecorded(Frozen):
    kind: Literal["marker_recorded"] = "marker_recorded"
    marker: str
    holds: bool
    said: Said | None


class GlassBroken(Frozen):
    """Somebody whose agency takes no part reads the case until then; `said` is their reason."""

    kind: Literal["glass_broken"] = "glass_broken"
    agency: str
    until: datetime
    said: Said


class InformationContributed(Frozen):
    kind: Literal["information_contributed"] = "information_contributed"
    agency: str
    sensitive: bool
    said: Said


class InformationReleased(Frozen):
    """`said` is the justification; `redacted` is the version that others may read, unless they may read the whole."""

    kind: Literal["information_released"] = "information_released"
    item: str
    agency: str
    necessity: str
    proportionality: str
    said: Said
    redacted: Said | None


class ChecksRequested(Frozen):
    kind: Literal["checks_requested"] = "checks_requested"
    agencies: tuple[str, ...]


class CheckAnswered(Frozen):
    kind: Literal["check_answered"] = "check_answered"
    agency: str
    known: bool
    relevant: bool
    recommendation: str | None
    suggested_rating: str | None
    sensitive: bool = True
    late: bool
    said: Said | None


class CheckAllocated(Frozen):
    kind: Literal["check_allocated"] = "check_allocated"
    agency: str
    to: str


class ProceededWithoutReplies(Frozen):
    kind: Literal["proceeded_without_replies"] = "proceeded_without_replies"
    agencies: tuple[str, ...]
    said: Said | None


class MeetingConvened(Frozen):
    kind: Literal["meeting_convened"] = "meeting_convened"
    at: datetime
    chair: str
    mode: str = "face_to_face"
    said: Said | None


class MeetingHeld(Frozen):
    kind: Literal["meeting_held"] = "meeting_held"
    attended: tuple[str, ...]
    apologies: tuple[str, ...] = ()
    mode: str = "face_to_face"
    rating: str | None
    said: Said | None


class DissentRecorded(Frozen):
    kind: Literal["dissent_recorded"] = "dissent_recorded"
    agency: str
    about: str
    said: Said


class DecisionProposed(Frozen):
    """Decided, but of effect only when `role` signs it off."""

    kind: Literal["decision_proposed"] = "decision_proposed"
    outcomes: dict[str, str]
    primary_need: str | None
    transfer_to: str | None
    role: str
    said: Said | None


class SignOffRefused(Frozen):
    kind: Literal["sign_off_refused"] = "sign_off_refused"
    said: Said


class DecisionRecorded(Frozen):
    kind: Literal["decision_recorded"] = "decision_recorded"
    outcomes: dict[str, str]
    primary_need: str | None
    transfer_to: str | None
    proposed_by: str | None = None
    said: Said | None


class ReferralSplit(Frozen):
    """Some subjects go on as the linked referral `reference`, on the path of `outcome`."""

    kind: Literal["referral_split"] = "referral_split"
    reference: str
    subjects: tuple[str, ...]
    outcome: str


class StrategyDiscussionCalled(Frozen):
    kind: Literal["strategy_discussion_called"] = "strategy_discussion_called"
    said: Said | None


class StrategyDiscussionHeld(Frozen):
    kind: Literal["strategy_discussion_held"] = "strategy_discussion_held"
    attended: tuple[str, ...]
    apologies: tuple[str, ...] = ()
    mode: str = "face_to_face"
    outcome: str
    said: Said | None


class EnquiriesConcluded(Frozen):
    kind: Literal["enquiries_concluded"] = "enquiries_concluded"
    outcome: str
    said: Said | None


class ConferenceHeld(Frozen):
    kind: Literal["conference_held"] = "conference_held"
    held_on: date
    outcome: str
    said: Said | None


class AssessmentStarted(Frozen):
    kind: Literal["assessment_started"] = "assessment_started"
    beside_section_47: bool


class AssessmentCompleted(Frozen):
    kind: Literal["assessment_completed"] = "assessment_completed"
    factors: tuple[str, ...]
    outcome: str
    transfer_to: str | None = None
    said: Said | None


class StepDownOffered(Frozen):
    kind: Literal["step_down_offered"] = "step_down_offered"
    service: str
    said: Said | None


class StepDownAccepted(Frozen):
    kind: Literal["step_down_accepted"] = "step_down_accepted"
    service: str
    said: Said | None


class StepDownReturned(Frozen):
    kind: Literal["step_down_returned"] = "step_down_returned"
    service: str
    said: Said | None


class AdultEnquiryCompleted(Frozen):
    kind: Literal["adult_enquiry_completed"] = "adult_enquiry_completed"
    outcome: str
    said: Said | None


class DisagreementRaised(Frozen):
    """`role` has until its clock to determine it."""

    kind: Literal["disagreement_raised"] = "disagreement_raised"
    id: str
    about: str
    agency: str
    rating: str | None
    role: str
    said: Said


class DisagreementSettled(Frozen):
    kind: Literal["disagreement_settled"] = "disagreement_settled"
    id: str
    outcome: str
    role: str
    final: bool
    said: Said


class DisagreementTakenFurther(Frozen):
    kind: Literal["disagreement_taken_further"] = "disagreement_taken_further"
    id: str
    role: str
    said: Said


class ReferralLinked(Frozen):
    kind: Literal["referral_linked"] = "referral_linked"
    other: str
    relation: str


class SubjectsConcluded(Frozen):
    """The subjects' outcome is final (until somebody reopens it)."""

    kind: Literal["subjects_concluded"] = "subjects_concluded"
    subjects: tuple[str, ...]
    outcome: str


class ReferralReopened(Frozen):
    kind: Literal["referral_reopened"] = "referral_reopened"
    said: Said | None


class ProfileAdopted(Frozen):
    kind: Literal["profile_adopted"] = "profile_adopted"
    profile: str


class NoteAdded(Frozen):
    kind: Literal["note_added"] = "note_added"
    said: Said


class ReferrerTold(Frozen):
    kind: Literal["referrer_told"] = "referrer_told"
    what: str


class PeopleErased(Frozen):
    """The people of the referral were erased, and for which reason. What the log says of the case stays."""

    kind: Literal["people_erased"] = "people_erased"
    why: str


class ClocksStarted(Frozen):
    kind: Literal["clocks_started"] = "clocks_started"
    clocks: tuple[StartedClock, ...]


class ClocksStopped(Frozen):
    """Clocks end: what they waited for happened (`met`), or it is no longer waited for."""

    kind: Literal["clocks_stopped"] = "clocks_stopped"
    ids: tuple[str, ...]
    met: bool


class ClockMoved(Frozen):
    """A re-rating moved a clock. A breach already recorded stays recorded."""

    kind: Literal["clock_moved"] = "clock_moved"
    clock: StartedClock


class ClockWarned(Frozen):
    """Part of a clock's life has passed: its owner is reminded (an agency is chased)."""

    kind: Literal["clock_warned"] = "clock_warned"
    id: str
    role: str
    due_at: datetime


class ClockBreached(Frozen):
    kind: Literal["clock_breached"] = "clock_breached"
    id: str
    due_at: datetime


class ClockEscalated(Frozen):
    """A rung of the ladder: this role is told, and has until `next_at` to acknowledge."""

    kind: Literal["clock_escalated"] = "clock_escalated"
    id: str
    rung: int
    role: str
    due_at: datetime
    next_at: datetime


class AlertAcknowledged(Frozen):
    kind: Literal["alert_acknowledged"] = "alert_acknowledged"
    id: str
    renew_at: datetime


Event = Annotated[
    ContactReceived
    | ContinuedFrom
    | StageEntered
    | ConsultationConcluded
    | PlaceAssigned
    | ReferralRated
    | ReferralRerated
    | SharingBasisRecorded
    | AdultViewRecorded
    | ThresholdRecorded
    | MarkerRecorded
    | CategoriesRecorded
    | CohortCorrected
    | GlassBroken
    | InformationContributed
    | InformationReleased
    | ChecksRequested
    | CheckAllocated
    | CheckAnswered
    | ProceededWithoutReplies
    | MeetingConvened
    | MeetingHeld
    | DissentRecorded
    | DecisionProposed
    | SignOffRefused
    | DecisionRecorded
    | ReferralSplit
    | StrategyDiscussionCalled
    | StrategyDiscussionHeld
    | EnquiriesConcluded
    | ConferenceHeld
    | AssessmentStarted
    | AssessmentCompleted
    | StepDownOffered
    | StepDownAccepted
    | StepDownReturned
    | AdultEnquiryCompleted
    | DisagreementRaised
    | DisagreementSettled
    | DisagreementTakenFurther
    | ReferralLinked
    | SubjectsConcluded
    | ReferralReopened
    | ProfileAdopted
    | NoteAdded
    | ReferrerTold
    | PeopleErased
    | ClocksStarted
    | ClocksStopped
    | ClockMoved
    | ClockWarned
    | ClockBreached
    | ClockEscalated
    | AlertAcknowledged,
    Field(discriminator="kind"),
]


class Recorded(Frozen):
    """An event as it stands in the log: what, when, who, under which profile, chained to the one before."""

    reference: str
    sequence: int
    at: datetime
    by: Actor
    profile: str
    schema_number: int
    event: Event
    previous: str

    def canonical(self) -> str:
        """The exact text that is stored and hashed."""
        return self.model_dump_json()

    @staticmethod
    def digest(canonical: str) -> str:
        """The hash of stored canonical text; it covers the hash of the event before, which the text holds."""
        return hashlib.sha256(canonical.encode()).hexdigest()


RECORDED: TypeAdapter[Recorded] = TypeAdapter(Recorded)
GENESIS = "0" * 64
"""The `previous` of a referral's first event."""
