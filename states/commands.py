"""What people ask for: one class per kind, in the field's words. Codes and times only; words are kept apart, encrypted."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from mash.states.clocks import Frozen
from mash.states.profile import Category, Cohort, ContactKind, Mode, Outcome

Code = Annotated[str, Field(max_length=60, pattern=r"^[A-Za-z0-9_.:/ -]+$")]
Login = Annotated[str, Field(max_length=120, pattern=r"^[A-Za-z0-9_.:/@+' -]+$")]
"""Of an account or a system. Entra ID and many others have addresses for logins."""
OneWord = Annotated[str, Field(max_length=120, pattern=r"^[A-Za-z0-9_.:/@+'-]+$")]
"""A login without spaces, where it is typed: who wrote a sentence would have it in the log for good."""
Authority = Annotated[str, Field(pattern=r"^([0-9]{3}|[ENSW][0-9]{8})$")]
"""A local authority, by its number at the Department for Education (3 digits) or its ONS code (E and 8 digits)."""
Need = Annotated[str, Field(pattern=r"^N[0-9]$")]
"""A primary need of the Children in Need census."""
Factor = Annotated[str, Field(pattern=r"^[0-9]{1,2}[A-F]?$")]
"""An assessment factor of the Children in Need census."""
Marker = Literal["safe_contact", "staff_safety", "marac", "mappa", "child_protection_plan", "looked_after"]
"""What everybody on a case must see: a warning before contact or a visit, or another procedure that knows the family."""
Relation = Literal["same_child", "sibling", "household", "same_incident"]
Recommendation = Literal["no_concern", "early_help", "section_17", "section_47", "adult_section_42"]


SYSTEM = "system"
"""The actor, role and agency of what the software does by itself."""


class Actor(Frozen):
    """Who acts: an account or system id (never a person's name), a role and an agency, at a hub."""

    id: Login
    role: Code
    agency: Code
    hub: Code


class Said(Frozen):
    """Words that came with a command: where they are kept, and a keyed digest that proves they are unchanged."""

    item: str
    hmac: str


class Subject(Frozen):
    """A person the contact is about, without saying who."""

    id: Code
    cohort: Cohort


class ReportedConsent(Frozen):
    """Consent as the referrer reports it. The lawful basis is the hub's to record."""

    asked: bool | None = None
    given: bool | None = None
    override_stated: bool = False
    family_informed: bool | None = None
    safe_contact_warning: bool = False


class ReceiveContact(Frozen):
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
    held: tuple[Said, ...] = ()


class ConcludeConsultation(Frozen):
    """The consultation ends: in advice alone, or it becomes a referral to which a threshold is applied."""

    kind: Literal["conclude_consultation"] = "conclude_consultation"
    outcome: Literal["advice", "referral"]


class AssignPlace(Frozen):
    """The case belongs to this authority or satellite of the hub."""

    kind: Literal["assign_place"] = "assign_place"
    place: Code


class RateReferral(Frozen):
    """Give the first rating, which sets the clocks and the route."""

    kind: Literal["rate_referral"] = "rate_referral"
    rating: Code
    agreed: tuple[Code, ...] = Field(default=(), description="The agencies that decided it jointly, where the hub has them.")


class RerateReferral(Frozen):
    """Change the rating, with a reason, at any open stage."""

    kind: Literal["rerate_referral"] = "rerate_referral"
    rating: Code
    agreed: tuple[Code, ...] = Field(
        default=(), description="The agencies that decided it jointly, where it now goes into the MASH."
    )


class RecordSharingBasis(Frozen):
    """Record why information may (or may not) be shared, before any check leaves (Haringey [2013] EWHC 416)."""

    kind: Literal["record_sharing_basis"] = "record_sharing_basis"
    share: bool = Field(default=True, description="False records a reason not to share: no check leaves.")
    purpose: Literal["safeguarding_child", "child_protection", "safeguarding_adult", "prevention_of_crime", "information_request"]
    lawful_basis: Literal["public_task", "legal_obligation", "vital_interests", "consent"]
    consent: Literal["given", "refused", "overridden", "not_sought", "no_answer"]
    family_informed: bool
    not_informed: Literal["puts_somebody_at_risk", "prejudices_an_investigation", "cannot_be_reached"] | None = Field(
        default=None, description="Why the family is not told beforehand."
    )


class RecordAdultView(Frozen):
    """An adult's capacity to decide about this, and what the adult wants (Care Act 2014: making safeguarding personal)."""

    kind: Literal["record_adult_view"] = "record_adult_view"
    subject: Code
    capacity: Literal["has", "lacks", "not_assessed"]
    agrees: Literal["yes", "no", "not_asked"]


class RecordThreshold(Frozen):
    """Whether the significant-harm threshold is met, so that agencies may release into the shared record."""

    kind: Literal["record_threshold"] = "record_threshold"
    significant_harm: bool


class RecordCategories(Frozen):
    """What the case is about, as it has turned out."""

    kind: Literal["record_categories"] = "record_categories"
    categories: tuple[Category, ...]


class CorrectCohort(Frozen):
    """A subject's cohort, where it was wrong or not known."""

    kind: Literal["correct_cohort"] = "correct_cohort"
    subject: Code
    cohort: Cohort


class RecordMarker(Frozen):
    """A warning or a status that everybody on the case must see; or that it no longer holds."""

    kind: Literal["record_marker"] = "record_marker"
    marker: Marker
    holds: bool = True


class AskAgencies(Frozen):
    """Ask these agencies too: those that answer on request only, or that the hub does not usually ask."""

    kind: Literal["ask_agencies"] = "ask_agencies"
    agencies: tuple[Code, ...] = Field(min_length=1)


class BreakGlass(Frozen):
    """Read a case that the own agency takes no part in, for some hours: with a reason in words, told to information governance at
    once. For somebody who meets a child at night and must know now."""

    kind: Literal["break_glass"] = "break_glass"


class ContributeInformation(Frozen):
    """An agency puts what it holds beside the case. It stays the agency's own until the agency releases it."""

    kind: Literal["contribute_information"] = "contribute_information"
    sensitive: bool


class ReleaseInformation(Frozen):
    """The owning agency releases an item to the decision makers: whole, or the redacted version given with it."""

    kind: Literal["release_information"] = "release_information"
    item: Code
    necessity: Literal["to_decide_the_threshold", "to_protect_a_child", "to_protect_an_adult", "to_prevent_crime"]
    proportionality: Literal["whole", "extract", "gist"] = Field(description="How much of it the purpose needs.")


class AnswerCheck(Frozen):
    """An agency's structured answer to its check. What it holds in words stays its own."""

    kind: Literal["answer_check"] = "answer_check"
    agency: Code
    known: bool
    relevant: bool = False
    recommendation: Recommendation | None = None
    suggested_rating: Code | None = None
    sensitive: bool = Field(default=True, description="Whether the words of the answer are sensitive.")


class AllocateCheck(Frozen):
    """An agency hands its check to one of its own people, who answers it."""

    kind: Literal["allocate_check"] = "allocate_check"
    agency: Code
    to: OneWord = Field(description="The login of the colleague.")


class ProceedWithoutReplies(Frozen):
    """Go on though agencies have not answered: a recorded act with a reason, never a silence."""

    kind: Literal["proceed_without_replies"] = "proceed_without_replies"


class ConveneMeeting(Frozen):
    """Call the MASH meeting for a time."""

    kind: Literal["convene_meeting"] = "convene_meeting"
    at: datetime
    mode: Mode | None = Field(default=None, description="The hub's first way of meeting, unless given.")


class RecordMeeting(Frozen):
    """The meeting was held: who came, and the second rating where the hub gives one."""

    kind: Literal["record_meeting"] = "record_meeting"
    attended: tuple[Code, ...]
    apologies: tuple[Code, ...] = ()
    mode: Mode | None = None
    rating: Code | None = None


class RecordDissent(Frozen):
    """An agency does not agree, and its dissent stands in the record."""

    kind: Literal["record_dissent"] = "record_dissent"
    about: Literal["rating", "meeting", "decision"]


class RecordDecision(Frozen):
    """The local authority's manager decides, subject by subject. Paths that differ split into linked referrals."""

    kind: Literal["record_decision"] = "record_decision"
    outcomes: dict[Code, Outcome] = Field(
        min_length=1,
        description="An outcome for each subject id.",
        json_schema_extra={"additionalProperties": False, "propertyNames": {"maxLength": 60}},
    )
    primary_need: Need | None = Field(default=None, description="CIN primary need, N0 to N9; needed unless no further action.")
    transfer_to: Authority | None = Field(default=None, description="The receiving authority, for a transfer.")


class SignOffDecision(Frozen):
    """A second person agrees to the decision, which then takes effect; or does not, and it is decided anew."""

    kind: Literal["sign_off_decision"] = "sign_off_decision"
    agreed: bool


class CallStrategyDiscussion(Frozen):
    """Call a strategy discussion, from any open stage."""

    kind: Literal["call_strategy_discussion"] = "call_strategy_discussion"


class RecordStrategyDiscussion(Frozen):
    """The strategy discussion was held; it may end without section 47."""

    kind: Literal["record_strategy_discussion"] = "record_strategy_discussion"
    attended: tuple[Code, ...]
    apologies: tuple[Code, ...] = ()
    mode: Mode | None = None
    outcome: Literal["section_47", "no_section_47"]


class ConcludeEnquiries(Frozen):
    """Section 47 enquiries end in a conference, or without further child protection action."""

    kind: Literal["conclude_enquiries"] = "conclude_enquiries"
    outcome: Literal["conference", "no_further_child_protection_action"]


class RecordConference(Frozen):
    """The initial child protection conference was held (never at a weekend: CIN rule 8875)."""

    kind: Literal["record_conference"] = "record_conference"
    held_on: date
    outcome: Literal["child_protection_plan", "no_plan"]


class StartAssessment(Frozen):
    """Start a section 17 assessment beside the section 47."""

    kind: Literal["start_assessment"] = "start_assessment"


class CompleteAssessment(Frozen):
    """The child and family assessment is finished."""

    kind: Literal["complete_assessment"] = "complete_assessment"
    factors: tuple[Factor, ...] = Field(min_length=1, description="CIN assessment factors; 21 stands alone (rule 8869).")
    outcome: Literal["child_in_need_plan", "early_help", "no_further_action", "transfer"]
    transfer_to: Authority | None = Field(default=None, description="The receiving authority, for a transfer.")


class OfferStepDown(Frozen):
    """Offer the family's support to an early help or universal service."""

    kind: Literal["offer_step_down"] = "offer_step_down"
    service: Code = Field(description="A service of the hub's profile.")


class AcceptStepDown(Frozen):
    """The service accepts: only now is the step-down an outcome."""

    kind: Literal["accept_step_down"] = "accept_step_down"


class ReturnStepDown(Frozen):
    """The service does not take it: the case steps up again, to a new decision."""

    kind: Literal["return_step_down"] = "return_step_down"


class CompleteAdultEnquiry(Frozen):
    """The adult section 42 enquiry is finished (Care Act 2014)."""

    kind: Literal["complete_adult_enquiry"] = "complete_adult_enquiry"
    outcome: Literal["risk_removed", "risk_reduced", "risk_remains", "no_risk_found"]


class RaiseDisagreement(Frozen):
    """An agency or the referrer disagrees with a rating or a decision: the hub's procedure begins."""

    kind: Literal["raise_disagreement"] = "raise_disagreement"
    about: Literal["rating", "decision"]
    rating: Code | None = Field(default=None, description="The rating that they think is right.")


class SettleDisagreement(Frozen):
    """The role whose turn it is determines the disagreement: it stands, or it is changed."""

    kind: Literal["settle_disagreement"] = "settle_disagreement"
    disagreement: Code
    outcome: Literal["stands", "changed"]
    rating: Code | None = Field(default=None, description="The rating from now on, when a rating is changed.")


class TakeDisagreementFurther(Frozen):
    """Whoever raised it is not satisfied: the next role of the procedure determines."""

    kind: Literal["take_disagreement_further"] = "take_disagreement_further"
    disagreement: Code


class LinkReferral(Frozen):
    """Another referral belongs with this one. Both say so; the people in them are never merged."""

    kind: Literal["link_referral"] = "link_referral"
    other: Code
    relation: Relation


class RecordLinked(Frozen):
    """The other side of a link."""

    kind: Literal["record_linked"] = "record_linked"
    other: Code
    relation: Relation


class AcknowledgeAlert(Frozen):
    """'I have it': stop the ladder of a clock."""

    kind: Literal["acknowledge_alert"] = "acknowledge_alert"
    clock: Code


class ReopenReferral(Frozen):
    """Correct a mistaken closure. A new concern is a new, linked contact instead."""

    kind: Literal["reopen_referral"] = "reopen_referral"


class AdoptProfile(Frozen):
    """Go on under another version of the hub's profile."""

    kind: Literal["adopt_profile"] = "adopt_profile"
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    rating: Code | None = Field(default=None, description="The rating from now on, where the adopted profile has others.")


class AddNote(Frozen):
    """Add a note to the case."""

    kind: Literal["add_note"] = "add_note"


class FireClocks(Frozen):
    """The system looks at the clocks: warn, breach, climb."""

    kind: Literal["fire_clocks"] = "fire_clocks"


WhyErased = Literal["retention", "right_to_erasure", "court_order", "recorded_by_mistake"]


class ErasePeople(Frozen):
    """The people of a referral are erased: their key is destroyed with this."""

    kind: Literal["erase_people"] = "erase_people"
    why: WhyErased


class RecordTold(Frozen):
    """The referrer was told: the notice was delivered."""

    kind: Literal["record_told"] = "record_told"
    what: Literal["acknowledgement", "outcome"]


StaffCommand = Annotated[
    ConcludeConsultation
    | AssignPlace
    | RateReferral
    | RerateReferral
    | RecordSharingBasis
    | RecordAdultView
    | RecordThreshold
    | RecordMarker
    | RecordCategories
    | CorrectCohort
    | AskAgencies
    | AllocateCheck
    | AnswerCheck
    | ContributeInformation
    | ReleaseInformation
    | ProceedWithoutReplies
    | ConveneMeeting
    | RecordMeeting
    | RecordDissent
    | RecordDecision
    | SignOffDecision
    | CallStrategyDiscussion
    | RecordStrategyDiscussion
    | ConcludeEnquiries
    | RecordConference
    | StartAssessment
    | CompleteAssessment
    | OfferStepDown
    | AcceptStepDown
    | ReturnStepDown
    | CompleteAdultEnquiry
    | RaiseDisagreement
    | SettleDisagreement
    | TakeDisagreementFurther
    | LinkReferral
    | AcknowledgeAlert
    | ReopenReferral
    | AdoptProfile
    | AddNote
    | BreakGlass,
    Field(discriminator="kind"),
]
"""What a person with a role may ask."""

STAND_ALONE = (
    "allocate_check",
    "answer_check",
    "contribute_information",
    "release_information",
    "record_dissent",
    "record_marker",
    "link_referral",
    "acknowledge_alert",
    "add_note",
    "break_glass",
)
"""Commands that are right whatever others did meanwhile: twelve agencies answer at once."""

Command = ReceiveContact | StaffCommand | FireClocks | RecordTold | RecordLinked | ErasePeople
