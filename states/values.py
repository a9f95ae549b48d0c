"""What commands, events and the state are made of: who acts, the words that came with it, subjects, codes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from mash.states.ages import Age
from mash.states.clocks import Frozen
from mash.states.profile import Cohort

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
Marker = Literal[
    "safe_contact",
    "do_not_write",
    "do_not_tell_family",
    "staff_safety",
    "marac",
    "mappa",
    "child_protection_plan",
    "looked_after",
]
"""What everybody on a case must see: a warning before contact or a visit, or another procedure that knows the family."""

BY_SUBJECT: JsonDict = {"additionalProperties": False, "propertyNames": {"maxLength": 60}}
"""What the schema of a field says that holds something for each subject id."""
SYSTEM = "system"
"""The actor, role and agency of what the software does by itself."""


class Actor(Frozen):
    """Who acts: an account or system id (never a person's name), a role and an agency, at a hub."""

    id: Login
    role: Code
    agency: Code
    hub: Code


class Words(Frozen):
    """What a person wrote with an act: where it is stored, and a keyed digest that proves it is unchanged."""

    item: str
    hmac: str


ComingOfAge = Literal["soon", "today", "handed_over", "stays"]
"""Where somebody stands who comes of age while their case is open: it was said beforehand, or on the day; and what was done."""


class Subject(Frozen):
    """A person the contact is about, without saying who. `age` is as of the day of receipt; `expected_week` the Monday of the
    week in which an unborn child is expected."""

    id: Code
    cohort: Cohort
    age: Age | None = Field(default=None, exclude_if=lambda age: age is None)
    expected_week: date | None = Field(default=None, exclude_if=lambda week: week is None)
    accused: bool = Field(default=False, exclude_if=lambda accused: not accused)
    """Whether the concern is about what this adult has done, who works with children."""
    coming_of_age: ComingOfAge | None = Field(default=None, exclude_if=lambda stands: stands is None)


class ReportedConsent(Frozen):
    """Consent as the referrer reports it. The lawful basis is the hub's to record."""

    asked: bool | None = None
    given: bool | None = None
    override_stated: bool = False
    family_informed: bool | None = None
    safe_contact_warning: bool = False


class Holding(Frozen):
    """An item that an agency holds beside the case: whose it is, and what others may read of it. With a `subject`, it
    is what that child says, and goes where that child goes."""

    item: str
    agency: str
    sensitive: bool
    at: datetime
    released: bool = False
    redacted: str | None = None
    subject: str | None = Field(default=None, exclude_if=lambda subject: subject is None)
    declined: bool = Field(default=False, exclude_if=lambda declined: not declined)
    """Whether the agency has said why disclosing it would be worse for the child than not."""


class AdultView(Frozen):
    """An adult's capacity and agreement, as they were recorded."""

    capacity: str
    agrees: str


class Details(Frozen):
    """What came with a command that puts facts about somebody right: where it is stored, what it stands for from now on, and what
    follows from it. No detail itself."""

    stored: Words
    kind: Literal["subject", "household", "referrer"]
    subject: str | None = None
    before: str | None = None
    """The item that it stands for from now on; None where nothing was stored of them."""
    changed: tuple[str, ...] = ()
    """The fields that say something else now."""
    flags: tuple[str, ...] = ()
    """What is odd about it, as at intake."""
    age: Age | None = None
    """What it says of their age, today."""
    expected_week: date | None = None
    """The Monday of the week in which an unborn child is expected."""
    reachable: bool = False
    """Whether whoever referred can be written to."""


Likeness = Literal["confirmed", "likely"]
"""How sure it is that two are one person: somebody at the hub has confirmed it, or what is known of both says so."""


class Match(Frozen):
    """Another contact that names a person who is, or may be, one of this one's subjects: codes, references and times only."""

    subject: str
    reference: str
    other: str | None
    """The subject there; None for somebody of the household."""
    likeness: Likeness
    why: tuple[str, ...]
    """Codes of what speaks for it and against it."""
    received_at: datetime
    concerns_a_professional: bool = Field(default=False, exclude_if=lambda concerns: not concerns)
    """Whether it is a concern about somebody who works with children: who owns a case may be whom it is about."""

    @property
    def pair(self) -> tuple[str, str, str | None]:
        """Which two people it is about: the subject, and who it is in the other contact."""
        return self.subject, self.reference, self.other


class Enquiry(Frozen):
    """A section 47 that is open in another case, about a child who is, or is likely to be, one of this case's subjects."""

    subject: str
    reference: str
    likeness: Likeness


class Colleague(Frozen):
    """Somebody of the hub's staff, or of a partner's, in one of the positions in which they work here."""

    login: str
    role: str
    agency: str
    has_cases: bool = False
    """Whether a case can be allocated to them."""
    away_until: datetime | None = None


Presence = Literal["there", "absent", "left"]
"""Whether somebody works now: they do, are absent by the rota, or neither the rota nor sign-on knows them any more."""


class Worker(Frozen):
    """Who has a case, by login and by what they are at the hub, since when, and whether they are there."""

    login: str
    role: str
    since: datetime
    presence: Presence = "there"


class Heard(Frozen):
    """What the other hubs of the installation answered to a question: which were asked, and which may know the person."""

    asked: tuple[str, ...] = ()
    may_know: tuple[str, ...] = ()


class AskedAcross(Frozen):
    """When the other hubs were asked about a subject, and which of them may know the person."""

    at: datetime
    may_know: tuple[str, ...]


class Course(Frozen):
    """What has been seen, heard and found of one subject on the way; it goes with them where paths part."""

    seen_on: date | None = Field(default=None, exclude_if=lambda day: day is None)
    """The last day on which somebody saw the child."""
    heard: bool = Field(default=False, exclude_if=lambda heard: not heard)
    """Whether what the child says is on record."""
    conference: str | None = Field(default=None, exclude_if=lambda result: result is None)
    """What the last child protection conference gave them."""
    assessment: str | None = Field(default=None, exclude_if=lambda outcome: outcome is None)
    """What the last assessment found they need; none from when another one begins."""
    factors: tuple[str, ...] = Field(default=(), exclude_if=lambda factors: not factors)
    """The factors that this assessment identified (CIN census)."""


class CommandBase(Frozen):
    """What somebody asks for: codes and times only. Its class is one kind, in the field's words."""


class EventBase(Frozen):
    """What happened: ids, codes, times and keyed digests, never a person's data. Its class is one kind, in the past tense.

    What the log calls `said` is `words` here: stored bytes outlive names.
    """

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)
    of_child: ClassVar[bool] = False
    """Whether it says that a child is known already: only those hear of it who may find people."""
