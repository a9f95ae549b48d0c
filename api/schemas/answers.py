"""What the API answers, by name. A word that may be one of more some day is a string with the list of its words."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field

from mash.api.schemas.codes import (
    AGES,
    BECAME,
    CATEGORIES,
    CENSUS_OWED,
    COHORTS,
    COMMAND_KINDS,
    CONTACT_KINDS,
    EVENT_KINDS,
    FLAGS,
    MARKERS,
    MODES,
    NEW,
    OF_AGE,
    OF_SUBJECTS,
    OUTCOMES,
    STAGES,
    listed,
)
from mash.states.acts.seconding import IN_WORDS
from mash.states.firewall import View
from mash.states.profile import DestinationKind
from mash.states.referral import NOT_TO_TELL, HandOverResult, Verdict

ISO = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""A time that is stored with an answer as it was written, and repeated so."""
ReferralName = Annotated[str, Field(description="The hub's reference.", examples=["MASH-26-000001"])]
Stage = Annotated[str, listed("Where it stands", STAGES, grows=NEW)]
Rating = Annotated[str | None, Field(description="By the hub's own scale; null while it is not rated.")]
Commands = Annotated[list[str], listed("What you may do now, by kind of command", COMMAND_KINDS, grows=NEW)]
Status = Annotated[str, listed("What has become of it", BECAME, grows=NEW)]
OwnReference = Annotated[str, Field(description="Your own reference, as you sent it; left out where you sent none.")]
OfEach = "a subject's stand behind its number, as in `S1_sex_unknown`"


class Reply(BaseModel):
    """What is answered."""

    model_config = ConfigDict(frozen=True)


# --- for referrers ------------------------------------------------------------------------------------------------------------


class ReferralReceived(Reply):
    """A contact was taken in, and is durable. An answer that a version before had stored may lack what is not required."""

    reference: ReferralName
    received_at: ISO
    status_url: str = Field(description="Where to ask what has become of it.")
    flags: Annotated[
        list[str], listed(f"What looks wrong and was kept as it came ({OfEach})", {**FLAGS, **OF_SUBJECTS}, grows=NEW)
    ]
    what_next: str = Field(description="What happens next, and what to do until then, in words for whoever refers: show it.")
    status_code: str = Field(
        default="", description="With the reference, this opens the page on which its progress is shown: a secret."
    )
    status: Status = ""
    referrer_reference: OwnReference | None = None
    unknown_fields: list[str] = Field(
        default=[],
        description="With the flag `unknown_field`: the names of the fields that this API does not have, the first of"
        " them, shortened. They were kept, and are shown to the hub.",
    )


class DisagreementStatus(Reply):
    """Your disagreement, and how it was determined."""

    disagreement: str = Field(examples=["D1"])
    outcome: Annotated[
        str | None,
        listed(
            "Null while somebody determines it, and where you hear of it from a person",
            {"stands": "what was decided stands", "changed": "it is changed"},
            grows=NEW,
        ),
    ]
    final: bool = Field(description="Whether it cannot be taken further.")


class ReferralPart(Reply):
    """What has become of a referral, or of a part into which it was split."""

    reference: ReferralName
    status: Status
    what_next: str = Field(default="", description="Where to turn, where this hub does not act on it; left out otherwise.")
    outcome: list[str] = Field(description="What was decided, in words; none where whoever referred is not told.")
    acknowledged: bool = Field(description="Whether the acknowledgement reached you by mail.")
    concluded: bool
    disagreements: list[DisagreementStatus]
    warnings: Annotated[
        list[str],
        listed("What a professional must know before they speak with the family; left out otherwise", (NOT_TO_TELL,), grows=NEW),
    ] = []


class ReferralStatus(Reply):
    """What has become of a referral of yours."""

    reference: ReferralName
    received_at: datetime
    referrer_reference: OwnReference | None = None
    parts: list[ReferralPart]


class DisagreementReceived(Reply):
    """Your disagreement has begun, or goes further: somebody determines it."""

    reference: ReferralName
    disagreement: str = Field(description="What it is called from now on.", examples=["D1"])
    determined_by: ISO
    why: str = Field(description="What the time is for.")


# --- for staff: cases ---------------------------------------------------------------------------------------------------------


class CommandResult(Reply):
    """A command was carried out."""

    reference: ReferralName
    version: int
    stage: Stage
    rating: Rating
    open: bool
    events: Annotated[list[str], listed("What happened, by kind of event", EVENT_KINDS, grows=NEW)]
    possible: Commands


PRESENCE = {
    "there": "they work",
    "absent": "they are absent by the rota",
    "left": "neither the rota nor sign-on knows them any more",
}
Presence = Annotated[str, listed("Whether they are there", PRESENCE, grows=NEW)]


class CaseWorker(Reply):
    """Who has a case."""

    login: str
    role: str = Field(description="What they are at the hub.")
    title: str = Field(description="As what they have the case, by the edition of the guidance that it goes by.")
    since: datetime
    presence: Presence


Warnings = Annotated[list[str], listed("What everybody must see first of that case", MARKERS, grows=NEW)]


class CaseBrief(Reply):
    """A case on a board or an agenda: codes and times, no personal data."""

    reference: ReferralName
    version: int = Field(description="Send it as `seen` with a command.")
    stage: Stage
    stage_name: str
    rating: Rating
    received_at: datetime
    due_at: datetime | None = Field(description="The nearest due time.")
    owner: str | None = Field(description="The role whose turn it is.")
    worker: CaseWorker | None = Field(default=None, description="Who has the case, by name; null while nobody has.")
    outstanding: list[str] = Field(description="Agencies that have not answered.")
    checks_asked: list[str] = Field(description="Agencies that were asked.")
    alerts: list[str] = Field(description="Clocks whose alerts nobody has acknowledged.")
    held_by: dict[str, str] = Field(description="By clock: who has acknowledged its alert.")
    parent: str | None = Field(description="What it was split from.")
    immediate_danger: bool
    contact: Annotated[str, listed("What came in", CONTACT_KINDS, grows=NEW)]
    categories: Annotated[list[str], listed("What it is about", CATEGORIES, grows=NEW)]
    place: str | None
    markers: Annotated[list[str], listed("What everybody must see first", MARKERS, grows=NEW)]
    disputed: list[str] = Field(description="Disagreements that somebody is to determine.")
    uncountersigned: list[str] = Field(
        default=[], description="What one person alone did or proposes, and a second is to countersign."
    )


class BoardCase(CaseBrief):
    """A case on the board."""

    late: bool
    late_partners: list[str]
    undelivered: int = Field(description="Notices that could not be delivered.")


class Board(Reply):
    """What is open at your hub."""

    at: datetime
    undelivered: int
    cases: list[BoardCase]


class ToldByTelephone(Reply):
    """What an agency answered by telephone, as it was taken down. What it found is left out where that has not entered the shared
    record."""

    at: datetime
    to: str = Field(description="The login of whoever took it down.")
    read_back: bool
    known: bool | None = None
    relevant: bool | None = None
    recommendation: str | None = None
    suggested_rating: str | None = None


class CaseOrder(Reply):
    """Police protection or an emergency protection order."""

    order: Annotated[str, listed("What was done", ("police_protection", "emergency_protection_order"), grows=NEW)]
    subjects: list[str]
    since: datetime
    until: datetime
    ended: str | None = Field(default=None, description="How it ended; left out while it holds.")


class CaseAction(Reply):
    """Something that was agreed at a meeting."""

    owner: str = Field(description="Who does it: an agency, somebody else who is invited, or a role of the hub.")
    due_at: datetime
    login: str | None = None
    item: str = Field(description="The item that says what is to be done.")
    done_at: datetime | None = None
    outcome: str | None = Field(default=None, description="How it ended; left out while it is to be done.")


class CaseCheck(Reply):
    """What was asked of an agency, what it answered, and how it is reached. What it found is left out where it has not
    entered the shared record."""

    requested_at: datetime
    answered_at: datetime | None
    closed_without_reply: bool
    known: bool | None = None
    relevant: bool | None = None
    recommendation: str | None = None
    suggested_rating: str | None = None
    allocated_to: str | None
    title: str | None = None
    presence: str | None = None
    reached_by: str | None = None
    lead: str | None = None
    told: ToldByTelephone | None = Field(default=None, description="What it answered by telephone; left out if it did not.")
    confirmed_at: datetime | None = Field(default=None, description="When it answered itself after that; left out until it did.")


class CaseClock(Reply):
    """A clock: since when and why it runs, and what has become of it."""

    id: str
    due_at: datetime
    why: str
    source: str = Field(description="Where the rule comes from.")
    owner: str
    state: Verdict
    running: bool
    late: bool
    acknowledged_by: str | None


class CaseItem(Reply):
    """Something written or known about people, as far as you may read it."""

    item: str
    kind: str
    subject: str | None
    agency: str
    at: datetime
    view: View
    content: str | None = Field(description="As it is stored: words, or JSON.")
    fields: dict[str, Any] | None = Field(
        description="What is stored as JSON, as an object, by the names of ConcernGiven, SourceGiven, SubjectGiven,"
        " HouseholdGiven or Submission, with whatever else was sent. Null for words."
    )


class CaseSubject(Reply):
    """A person whom it is about, without saying who."""

    cohort: Annotated[str, listed("Child, adult or unborn", COHORTS, grows=NEW)]
    outcome: Annotated[str | None, listed("How it ended for them", OUTCOMES, grows=NEW)]
    ended_by: str | None = Field(default=None, description="The login of whoever gave the outcome; left out while there is none.")
    capacity: str | None = Field(description="An adult's capacity to decide, as it was recorded.")
    agrees: str | None = Field(description="Whether an adult agrees, as it was recorded.")
    seen_on: date | None = Field(default=None, description="The last day on which somebody saw the child; left out until then.")
    heard: bool = Field(default=False, description="Whether what the child says is on record; left out until it is.")
    conference: str | None = Field(default=None, description="What the last child protection conference gave them.")
    assessment: str | None = Field(default=None, description="What the last assessment found they need.")
    factors: list[str] = Field(default=[], description="The factors that it identified.")
    age: Annotated[str, listed("What is known of their age; left out where nothing is", AGES, grows=NEW)] = ""
    accused: bool = Field(
        default=False, description="Whether the concern is about what this adult has done, who works with children."
    )
    coming_of_age: Annotated[str, listed("Where they stand if they turn 18 in an open case", OF_AGE, grows=NEW)] = ""


class CaseHolding(Reply):
    """Something that an agency holds beside the case, and what others may read of it."""

    item: str
    agency: str
    sensitive: bool
    at: datetime
    released: bool
    redacted: str | None = Field(description="The item that is read in its place.")
    subject: str | None = Field(default=None, description="The child whose own words it has; left out for anything else.")
    declined: bool = Field(
        default=False, description="Whether the agency has said why it does not disclose it; left out until then."
    )


class CaseAcross(Reply):
    """What the other hubs of this installation answered when they were last asked about somebody."""

    at: datetime
    may_know: list[str] = Field(description="The hubs that may know them: ring their duty managers. Empty: no other hub.")


class StoredWords(Reply):
    """Where somebody's words are, and a keyed digest that proves them unchanged."""

    item: str
    hmac: str


class CaseProposal(Reply):
    """A decision that waits to be signed off."""

    outcomes: dict[str, str] = Field(description="By subject.")
    primary_need: str | None
    transfer_to: str | None
    destination: str | None = Field(default=None, description="Whom a transfer goes to, where that is no other authority.")
    role: str
    by: str
    said: StoredWords | None


class CaseDisagreement(Reply):
    """A disagreement, and where its procedure stands."""

    about: Annotated[str, listed("What is disputed", ("rating", "decision"), grows=NEW)]
    agency: str
    by_role: str
    role: str = Field(description="Whose turn it is to determine it.")
    stage: int = Field(description="How many roles have had their turn.")
    outcome: str | None
    final: bool


class CaseSeconding(Reply):
    """What one person alone did not decide, and the second person."""

    about: Annotated[str, listed("What was done or is proposed", IN_WORDS, grows=NEW)]
    by: str = Field(description="The login of whoever acted.")
    second: str | None = Field(description="The login of who is said to have agreed; null where anybody else may countersign.")
    agreed: bool | None = Field(description="What the second person said; null until they have.")


class CaseHandOver(Reply):
    """Something that was offered to somebody outside the hub: it is theirs once they have accepted."""

    destination: str = Field(description="By its name in the hub's profile.")
    kind: Annotated[str, listed("Which kind of destination", get_args(DestinationKind), grows=NEW)]
    subjects: list[str]
    authority: str | None
    takes_over: bool = Field(description="Whether whoever accepts has the case from then on.")
    offered_by: str
    offered_at: datetime
    result: Annotated[str | None, listed("What became of it; null while it waits", get_args(HandOverResult), grows=NEW)]
    answered_at: datetime | None


class CaseConsent(Reply):
    """Consent, as the referrer reported it."""

    asked: bool | None
    given: bool | None
    override_stated: bool
    family_informed: bool | None
    safe_contact_warning: bool


class CaseNotice(Reply):
    """Somebody was told."""

    kind: str
    role: str
    person: str | None
    status: str
    at: datetime


class CaseDetail(CaseBrief):
    """One case, as far as you may see it."""

    subjects: dict[str, CaseSubject]
    flags: Annotated[list[str], listed(f"What looked wrong when it came ({OfEach})", {**FLAGS, **OF_SUBJECTS}, grows=NEW)]
    sharing: bool | None
    sharing_consent: str | None = Field(default=None, description="What the last recorded basis for sharing says of consent.")
    secondings: dict[str, CaseSeconding] = Field(
        default={}, description="What one person alone did not decide: who acted, who agreed, and what still waits for a second."
    )
    checks: dict[str, CaseCheck]
    clocks: list[CaseClock]
    meeting_at: datetime | None
    discussion_at: datetime | None = Field(default=None, description="For when a strategy discussion is scheduled.")
    discussion_mode: str | None = None
    discussion_invited: list[str] = Field(default=[], description="Who is invited to it besides those who must take part.")
    short_of: list[str] = Field(
        default=[], description="Who did not take part in the strategy discussion though they must, until that is put right."
    )
    enquiry: str | None = Field(default=None, description="Whether section 47 enquiries are joint, or one agency's, where said.")
    orders: dict[str, CaseOrder] = Field(default={}, description="What protects a child at once.")
    actions: dict[str, CaseAction] = Field(default={}, description="What was agreed that somebody does.")
    service: str | None
    open: bool
    root: str
    primary_need: str | None
    factors: list[str]
    proposed: CaseProposal | None
    significant_harm: bool | None
    held: dict[str, CaseHolding]
    links: dict[str, str]
    linked_subjects: dict[str, list[str]] = Field(
        default={}, description="Which of this referral's subjects a link is about, by the other reference, where that is said."
    )
    dissents: list[str]
    disagreements: dict[str, CaseDisagreement]
    hand_overs: dict[str, CaseHandOver] = Field(default={}, description="What was offered to somebody outside the hub, by name.")
    across: dict[str, CaseAcross] = Field(
        default={}, description="By subject: what other hubs answered, for whoever may find people; empty until they are asked."
    )
    consent: CaseConsent
    possible: Commands
    items: list[CaseItem]
    census_owed: Annotated[
        dict[str, list[str]],
        listed(
            "For whoever may put it right (correct_details), of each subject whose outcome is section 17 or 47: what the Children"
            " in Need census has still to be told, by field of the details. Nothing waits for it",
            CENSUS_OWED,
            grows=NEW,
        ),
    ] = {}
    alerts_sent: list[CaseNotice]
    flow_run: str | None


class CorrectedField(Reply):
    """A field that was put right: what stood there before, and what does since; empty for nothing."""

    field: str
    was: str
    now: str


Why = Annotated[list[str], Field(description="What speaks for it and against it, in codes such as `born_same` or `other_name`.")]


class EarlierContact(Reply):
    """Another contact about a person of a case."""

    subject: str = Field(description="Who in this case.")
    reference: ReferralName
    other: str | None = Field(description="Who in that contact; null for somebody of its household.")
    likeness: str
    why: Why
    received_at: datetime
    source_agency: str
    primary_need: str | None
    rating: Rating
    outcome: str | None = Field(description="How it ended for this person; null while it is open.")
    stage: Stage
    open: bool
    decided_by: str | None = Field(description="The role of whoever decided.")
    warnings: Warnings = []


class EarlierContacts(Reply):
    """The other contacts about the people of a case, as far as you may read each of them."""

    looked: bool
    confirmed: list[EarlierContact]
    likely: list[EarlierContact]
    before: dict[str, int] = Field(description="By subject: how many there were before the last 12 months.")
    possible: dict[str, int] = Field(description="By subject: how many more there are that are possible.")
    adds_up: int = Field(description="How many contacts about one child add up by the hub's rule; 0 where they do not.")
    of_adults: dict[str, int] = Field(
        description="By an adult who was confirmed in several families: in how many contacts; opened with a reason."
    )


class PossibleContact(Reply):
    """Another contact that is possibly about the same person."""

    subject: str
    reference: ReferralName
    other: str | None
    name: str
    why: Why
    received_at: datetime
    stage: Stage
    warnings: Warnings = []


class PersonInContact(Reply):
    """A person as a contact has them, as far as you may read it."""

    reference: ReferralName
    subject: str | None
    details: dict[str, Any]
    household: list[dict[str, Any]]
    concern: str
    warnings: Warnings = []


class SideBySide(Reply):
    """Two people who may be one."""

    here: PersonInContact
    there: PersonInContact
    why: Why
    differs: list[tuple[str, str]] = Field(description="Sentences of one concern only: `here` or `there`, and the sentence.")
    compared: str = Field(description="Send it with `close_duplicate`: it shows that you were shown what differs.")


class StoryLine(Reply):
    """An event of a case, in words."""

    sequence: int
    at: datetime
    happened_at: datetime | None = Field(
        default=None,
        exclude_if=lambda at: at is None,
        description="When it happened, where whoever entered it at `at` said that this was before.",
    )
    role: str
    agency: str
    what: str
    corrected: list[CorrectedField] = Field(
        default=[],
        exclude_if=lambda fields: not fields,
        description="What was put right, where you may read it. Others are told by `what` that it was.",
    )


# --- for staff: the hub -------------------------------------------------------------------------------------------------------


class OnDutyNow(Reply):
    """Who holds a role, by login."""

    person: str
    until: datetime
    why: str


class RotaGap(Reply):
    """A stretch in which nobody holds a role that somebody must hold."""

    role: str
    begins: datetime
    ends: datetime


class DutyRota(Reply):
    """Who is on duty at your hub, and where its rota has gaps."""

    at: datetime
    on_duty: dict[str, list[OnDutyNow]] = Field(description="By role.")
    gaps: list[RotaGap]


class WorkerLoad(Reply):
    """What somebody of the hub has."""

    login: str
    roles: list[str] = Field(description="What they are at the hub; none for somebody who has left.")
    presence: Presence
    open: int = Field(description="Open cases that are allocated to them.")
    late: int
    most_urgent: Rating = Field(description="The most urgent rating among them; null where none is rated.")


class WorkloadNow(Reply):
    """Who has how many open cases, and how many nobody has."""

    at: datetime
    workers: list[WorkerLoad]
    unallocated: int


class GatheringSummary(Reply):
    """A regular gathering of the hub."""

    name: str
    title: str
    ratings: list[str]
    categories: Annotated[list[str], listed("What it discusses", CATEGORIES, grows=NEW)]
    modes: Annotated[list[str], listed("How it is held", MODES, grows=NEW)]
    next: datetime


class Agenda(Reply):
    """What a gathering is about."""

    name: str
    title: str
    at: datetime
    cases: list[CaseBrief]


class Contribution(Reply):
    """What an agency released, or that it holds something that it has not."""

    agency: str
    at: datetime
    content: str | None
    signpost: str | None


class InformationProduct(Reply):
    """What a meeting reads."""

    reference: ReferralName
    at: datetime
    warnings: Annotated[list[str], listed("What everybody must see first", MARKERS, grows=NEW)]
    contributions: list[Contribution]


class DisagreementLine(CaseDisagreement):
    """A disagreement, and the case that it is about."""

    reference: str
    disagreement: str


class Disputes(Reply):
    """Your hub's disagreements."""

    counts: dict[str, dict[str, int]] = Field(description="How many, by what they are about and how they were determined.")
    disagreements: list[DisagreementLine]


class PersonMatch(Reply):
    """Somebody whose name is like the one that was asked for."""

    reference: ReferralName
    subject: str | None
    name: str
    alike: float = Field(description="From 0 to 1.")
    born: str | None = Field(
        description="How their date of birth compares with the one asked for: the same, day and month exchanged, or another;"
        " null where it is not known of both."
    )
    received_at: datetime
    stage: Stage
    warnings: Warnings = []


class PersonMatches(Reply):
    """Whose names are like the one asked for, the likest first."""

    people: list[PersonMatch]
