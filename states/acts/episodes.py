"""A contact about a child whose case is open: it is added to that case, or is a second copy of what stands there already."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from mash.states.accumulation import contact_of
from mash.states.acts import demands
from mash.states.acts.closing import close
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, Refusal
from mash.states.fold import Changes, folds
from mash.states.profile import Profile
from mash.states.rebuild import Caused, as_given, rebuilds, says_all
from mash.states.referral import Referral
from mash.states.register import act
from mash.states.roles import hub_raters_and_deciders
from mash.states.values import Actor, Code, CommandBase, EventBase, Marker, Words

BEFORE_A_DECISION = ("consultation", "triage", "agency_checks", "mash_meeting", "decision")
"""Where a contact has no path of its own yet."""
Why = Literal["added", "duplicate"]


class AttachContact(CommandBase):
    """This contact is about a child whose case is open: it ends here, as received and considered, and goes on there."""

    kind: Literal["attach_contact"] = "attach_contact"
    other: Code = Field(description="The reference of the open case.")


class CloseDuplicate(CommandBase):
    """This contact says once more what another one says: it ends here, and whatever is new in it goes to that case."""

    kind: Literal["close_duplicate"] = "close_duplicate"
    other: Code = Field(description="The reference of the open case that says the same.")
    compared: Code = Field(description="What the page that sets the two beside each other gave: what differs was shown.")


class RecordAdded(CommandBase):
    """The open case's side of it: what warns there from now on."""

    kind: Literal["record_added"] = "record_added"
    other: Code
    why: Why
    immediate_danger: bool = False
    markers: tuple[Marker, ...] = ()


class RecordTakenBack(CommandBase):
    """The open case's side of it, where it no longer holds that a contact is part of it: it was reopened, or its decision
    withdrawn."""

    kind: Literal["record_taken_back"] = "record_taken_back"
    other: Code


class ContactAttached(EventBase):
    """The contact goes on in the open case `other`."""

    of_child: ClassVar[bool] = True
    kind: Literal["contact_attached"] = "contact_attached"
    other: str
    why: str
    words: Words | None = Field(alias="said")


class ContactAdded(EventBase):
    """Another contact was added to this case, with its warnings."""

    of_child: ClassVar[bool] = True
    kind: Literal["contact_added"] = "contact_added"
    other: str
    why: str
    immediate_danger: bool
    markers: tuple[str, ...]


class ContactTakenBack(EventBase):
    """Another contact that was added to this case goes on by itself again. What it warned of stays until somebody here has
    looked: a warning too many harms nobody."""

    of_child: ClassVar[bool] = True
    kind: Literal["contact_taken_back"] = "contact_taken_back"
    other: str


def _not_to_end(referral: Referral, profile: Profile, by: Actor, cmd: AttachContact | CloseDuplicate | None) -> Refusal | None:
    if cmd is None or any(contact_of(match.reference) == contact_of(cmd.other) for match in referral.matches):
        return None
    return Incomplete("that case is not known to be about anybody in this one: confirm first who it is (identify_subject)")


@act(
    AttachContact,
    of_child=True,
    stages=BEFORE_A_DECISION,
    when=lambda r: bool(r.matches),
    roles=hub_raters_and_deciders,
    called="adding a contact to an open case",
    hindrance=_not_to_end,
)
def attach(d: Deciding, cmd: AttachContact, words: Words | None) -> None:
    """For each of its subjects somebody has confirmed who they are; what it says of others would be lost there."""
    joined = {
        m.subject for m in d.referral.matches if m.likeness == "confirmed" and contact_of(m.reference) == contact_of(cmd.other)
    }
    if apart := [subject for subject in d.referral.subjects if subject not in joined]:
        raise Incomplete(
            f"nobody has confirmed that {', '.join(apart)} is a subject of {cmd.other} (identify_subject): link the two instead,"
            " or decide about this contact by itself"
        )
    _end(d, cmd.other, "added", demands.words(words, "adding a contact to an open case (what it adds)"))


says_all(ContactAttached, AttachContact)


@act(
    CloseDuplicate,
    of_child=True,
    stages=BEFORE_A_DECISION,
    when=lambda r: bool(r.matches),
    roles=hub_raters_and_deciders,
    called="closing a duplicate",
    hindrance=_not_to_end,
)
def close_duplicate(d: Deciding, cmd: CloseDuplicate, words: Words | None) -> None:
    """What differs in their words was shown to whoever says so."""
    _end(d, cmd.other, "duplicate", demands.words(words, "closing a duplicate (what differs, and why that is the same concern)"))


@rebuilds(CloseDuplicate, ContactAttached)
def _close_duplicate_again(caused: Caused, event: ContactAttached) -> CloseDuplicate:
    """That the two were compared was asked before it was decided."""
    return as_given(CloseDuplicate, other=event.other, compared="shown")


def _end(d: Deciding, other: str, why: Why, words: Words) -> None:
    """The referrer is to hear that it was received and considered; nothing else is waited for here."""
    d.record(ContactAttached(other=other, why=why, words=words))
    close(d, "consider", "considered", decided=True)


@act(RecordAdded)
def record_added(d: Deciding, cmd: RecordAdded, words: Words | None) -> None:
    """A danger that the contact tells of is this case's from now on, and alerts at once."""
    r = d.referral
    if not r.open:
        raise Incomplete("that case is closed: a new concern about its child is a contact of its own")
    danger = cmd.immediate_danger and not r.in_danger
    d.record(ContactAdded(other=cmd.other, why=cmd.why, immediate_danger=cmd.immediate_danger, markers=cmd.markers))
    own = [clock for clock in d.referral.running if clock.kind != "check"]  # an agency's reply is not what is waited for
    if danger and (clock := min(own, key=lambda each: each.due_at, default=None)):
        d.escalate(clock)


says_all(ContactAdded, RecordAdded)


@act(RecordTakenBack)
def record_taken_back(d: Deciding, cmd: RecordTakenBack, words: Words | None) -> None:
    """Closed or open: what was added to a case is part of it no more."""
    if cmd.other in d.referral.added:
        d.record(ContactTakenBack(other=cmd.other))


says_all(ContactTakenBack, RecordTakenBack)


@folds(ContactAttached)
def _contact_attached(referral: Referral, event: ContactAttached, at: datetime, by: Actor) -> Changes:
    outcomes = dict.fromkeys(referral.subjects, "considered")
    return {"part_of": event.other, "outcomes": outcomes, "decided_at": at}


@folds(ContactAdded)
def _contact_added(referral: Referral, event: ContactAdded, at: datetime, by: Actor) -> Changes:
    return {
        "added": tuple(dict.fromkeys((*referral.added, event.other))),
        "immediate_danger": referral.immediate_danger or event.immediate_danger,
        "danger_since": at if event.immediate_danger and referral.decided_at else referral.danger_since,
        "markers": tuple(dict.fromkeys((*referral.markers, *event.markers))),
    }


@folds(ContactTakenBack)
def _contact_taken_back(referral: Referral, event: ContactTakenBack, at: datetime, by: Actor) -> Changes:
    return {"added": tuple(other for other in referral.added if other != event.other)}
