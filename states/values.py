"""What commands, events and the state are made of: who acts, the words that came with it, subjects, codes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

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
Marker = Literal["safe_contact", "do_not_write", "staff_safety", "marac", "mappa", "child_protection_plan", "looked_after"]
"""What everybody on a case must see: a warning before contact or a visit, or another procedure that knows the family."""

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
    reachable: bool = False
    """Whether whoever referred can be written to."""


class CommandBase(Frozen):
    """What somebody asks for: codes and times only. Its class is one kind, in the field's words."""


class EventBase(Frozen):
    """What happened: ids, codes, times and keyed digests, never a person's data. Its class is one kind, in the past tense.

    What the log calls `said` is `words` here: stored bytes outlive names.
    """

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)
