"""Whether a child is known already: what the hub's other contacts say, and what a person confirms, rejects or takes back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mash.states.accumulation import contact_of
from mash.states.acts import demands
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, Refusal
from mash.states.fold import Changes, folds
from mash.states.profile import Profile
from mash.states.rebuild import Caused, as_given, rebuilds, says_all
from mash.states.referral import Referral
from mash.states.register import act
from mash.states.stages import ALL
from mash.states.values import Actor, Code, CommandBase, EventBase, Match, Words

Link = Annotated[str, Field(pattern=r"^[a-z0-9]{20,40}$")]
"""A random number that says nothing: what it joins to a child is kept apart, sealed by the referral's own key."""


ELSEWHERE = "-"
"""Stands for another contact of which the log of this one says nothing."""


class RecordKnown(CommandBase):
    """The hub's other contacts were looked through for the people of this one."""

    kind: Literal["record_known"] = "record_known"
    matches: tuple[Match, ...] = ()
    possible: dict[str, int] = {}


class IdentifySubject(CommandBase):
    """A subject is the same person as the subject of another contact. Nothing is merged: each contact stays as it is."""

    kind: Literal["identify_subject"] = "identify_subject"
    subject: Code
    other: Code = Field(description="The reference of the other contact.")
    other_subject: Code = Field(description="Which subject of that contact, such as S1.")


class RecordIdentified(CommandBase):
    """A subject belongs to a child whom somebody has confirmed: from the other contact's side, or as its referral is split."""

    kind: Literal["record_identified"] = "record_identified"
    subject: Code


class WithdrawIdentity(CommandBase):
    """It was confirmed by mistake: from now on all is as if it had not been, and only the logs tell."""

    kind: Literal["withdraw_identity"] = "withdraw_identity"
    subject: Code


class RecordIdentityWithdrawn(CommandBase):
    """The other side of it, where nobody else is left who was confirmed to be the same child."""

    kind: Literal["record_identity_withdrawn"] = "record_identity_withdrawn"
    subject: Code


class RejectMatch(CommandBase):
    """Another contact's subject, or somebody of its household, is not the same person."""

    kind: Literal["reject_match"] = "reject_match"
    subject: Code
    other: Code = Field(description="The reference of the other contact.")
    other_subject: Code | None = Field(default=None, description="Which subject of that contact; none for its household.")


class RecordRejected(CommandBase):
    """The other side of a rejected match."""

    kind: Literal["record_rejected"] = "record_rejected"
    subject: Code
    other: Code
    other_subject: Code


class OpenAdult(CommandBase):
    """Open the contacts of an adult who was confirmed in several families, for a reason: who they are to other families is not
    beside every case."""

    kind: Literal["open_adult"] = "open_adult"
    subject: Code


class LikelyKnown(EventBase):
    """What was found in the hub's other contacts when they were looked through: likely matches, and the number of possible ones
    by subject. A later one takes its place."""

    of_child: ClassVar[bool] = True
    kind: Literal["likely_known"] = "likely_known"
    matches: tuple[Match, ...]
    possible: dict[str, int]


class SubjectIdentified(EventBase):
    """A subject is a child who was confirmed; `link` is what the child is joined by, elsewhere, as long as the people of this
    referral are kept."""

    of_child: ClassVar[bool] = True
    kind: Literal["subject_identified"] = "subject_identified"
    subject: str
    link: str
    words: Words | None = Field(default=None, alias="said", exclude_if=lambda words: words is None)


class IdentityWithdrawn(EventBase):
    of_child: ClassVar[bool] = True
    kind: Literal["identity_withdrawn"] = "identity_withdrawn"
    subject: str
    link: str
    words: Words | None = Field(alias="said")


class MatchRejected(EventBase):
    of_child: ClassVar[bool] = True
    kind: Literal["match_rejected"] = "match_rejected"
    subject: str
    other: str
    other_subject: str | None
    words: Words | None = Field(alias="said")


class AdultOpened(EventBase):
    """Somebody may read in which other families an adult was confirmed; the words are their reason."""

    of_child: ClassVar[bool] = True
    kind: Literal["adult_opened"] = "adult_opened"
    subject: str
    words: Words = Field(alias="said")


@act(RecordKnown)
def record_known(d: Deciding, cmd: RecordKnown, words: Words | None) -> None:
    """Written down the first time, whatever was found, so that a log of a known child is as long as any; and when it changes."""
    r = d.referral
    # A part of that contact that was split off since is about nobody else; and whoever confirms takes their rejection back.
    rejected = {_people(match) for match in r.rejected}
    matches = tuple(match for match in cmd.matches if match.likeness == "confirmed" or _people(match) not in rejected)
    if not r.erased and (not r.looked or (matches, cmd.possible) != (r.matches, r.possible_matches)):
        d.record(LikelyKnown(matches=matches, possible=cmd.possible))


says_all(LikelyKnown, RecordKnown)


def _people(match: Match) -> tuple[str, str, str | None]:
    return match.subject, contact_of(match.reference), match.other


def _not_to_identify(referral: Referral, profile: Profile, by: Actor, cmd: IdentifySubject | None) -> Refusal | None:
    return demands.not_a_subject(referral, cmd.subject) if cmd else None


@act(IdentifySubject, of_child=True, stages=ALL, when=lambda r: not r.erased, hindrance=_not_to_identify, stands_alone=True)
def identify(d: Deciding, cmd: IdentifySubject, words: Words | None) -> None:
    """The same child as in another contact. Where a subject is confirmed already, the other side joins that child."""
    if contact_of(cmd.other) == contact_of(d.reference):
        raise Incomplete("these are parts of one contact: a subject stands in only one of them")
    _join(d, cmd.subject, words)


@rebuilds(IdentifySubject, SubjectIdentified)
def _identify_subject_again(caused: Caused, event: SubjectIdentified) -> IdentifySubject:
    """Which other contact it was is in that one's log, joined by the link."""
    return as_given(IdentifySubject, subject=event.subject, other=ELSEWHERE, other_subject="")


@act(RecordIdentified)
def record_identified(d: Deciding, cmd: RecordIdentified, words: Words | None) -> None:
    """From the other contact's side."""
    if refusal := demands.not_a_subject(d.referral, cmd.subject):
        raise refusal
    _join(d, cmd.subject, None)


says_all(SubjectIdentified, RecordIdentified)


def _join(d: Deciding, subject: str, words: Words | None) -> None:
    if subject not in d.referral.identities:
        d.record(SubjectIdentified(subject=subject, link=d.fresh, words=words))


def _not_to_withdraw(referral: Referral, profile: Profile, by: Actor, cmd: WithdrawIdentity | None) -> Refusal | None:
    if cmd is None or cmd.subject in referral.identities:
        return None
    return Incomplete(f"nobody has confirmed who that is; confirmed: {', '.join(referral.identities) or 'nobody'}")


@act(
    WithdrawIdentity, of_child=True, stages=ALL, when=lambda r: bool(r.identities), hindrance=_not_to_withdraw, stands_alone=True
)
def withdraw_identity(d: Deciding, cmd: WithdrawIdentity, words: Words | None) -> None:
    """It was a mistake, and why."""
    reason = demands.words(words, "withdrawing who somebody is")
    d.record(IdentityWithdrawn(subject=cmd.subject, link=d.referral.identities[cmd.subject], words=reason))


says_all(IdentityWithdrawn, WithdrawIdentity)


@act(RecordIdentityWithdrawn)
def record_identity_withdrawn(d: Deciding, cmd: RecordIdentityWithdrawn, words: Words | None) -> None:
    """Nobody else is left who was confirmed to be the same child."""
    if link := d.referral.identities.get(cmd.subject):
        d.record(IdentityWithdrawn(subject=cmd.subject, link=link, words=None))


says_all(IdentityWithdrawn, RecordIdentityWithdrawn)


def _not_to_reject(referral: Referral, profile: Profile, by: Actor, cmd: RejectMatch | None) -> Refusal | None:
    if cmd is None or any(_is(match, cmd) for match in referral.matches):
        return None
    known = ", ".join(f"{match.subject}: {match.reference}" for match in referral.unsettled)
    return Incomplete(f"there is no such match that waits to be confirmed or rejected; there are: {known or 'none'}")


def _is(match: Match, cmd: RejectMatch) -> bool:
    return match.likeness == "likely" and match.pair == (cmd.subject, cmd.other, cmd.other_subject)


@act(RejectMatch, of_child=True, stages=ALL, when=lambda r: bool(r.unsettled), hindrance=_not_to_reject, stands_alone=True)
def reject(d: Deciding, cmd: RejectMatch, words: Words | None) -> None:
    """Somebody else, and how that is known."""
    reason = demands.words(words, "rejecting a match (how you know that they are two people)")
    d.record(MatchRejected(subject=cmd.subject, other=cmd.other, other_subject=cmd.other_subject, words=reason))


says_all(MatchRejected, RejectMatch)


@act(RecordRejected)
def record_rejected(d: Deciding, cmd: RecordRejected, words: Words | None) -> None:
    """From the other contact's side: there it is known, or will not be found any more. One that was erased points to nobody."""
    if cmd.subject in d.referral.subjects and not d.referral.erased:
        d.record(MatchRejected(subject=cmd.subject, other=cmd.other, other_subject=cmd.other_subject, words=None))


says_all(MatchRejected, RecordRejected)


@act(OpenAdult, of_child=True, stages=ALL, when=lambda r: bool(r.identities), stands_alone=True)
def open_adult(d: Deciding, cmd: OpenAdult, words: Words | None) -> None:
    """With a reason, which stays with the case."""
    subject = d.referral.subjects.get(cmd.subject)
    if subject is None or subject.counts_as_child or cmd.subject not in d.referral.identities:
        raise Incomplete("that is no adult whom somebody has confirmed: nothing is withheld beside the case")
    d.record(AdultOpened(subject=cmd.subject, words=demands.words(words, "opening an adult's contacts (why you must know)")))


says_all(AdultOpened, OpenAdult)


@folds(AdultOpened)
def _adult_opened(referral: Referral, event: AdultOpened, at: datetime, by: Actor) -> Changes:
    return {"opened": tuple(dict.fromkeys((*referral.opened, f"{by.id} {event.subject}")))}


@folds(LikelyKnown)
def _likely_known(referral: Referral, event: LikelyKnown, at: datetime, by: Actor) -> Changes:
    news = {match.pair for match in event.matches} - {match.pair for match in referral.matches}
    weighed = {} if not news else {"weighed_by": None}
    return {"looked": True, "matches": event.matches, "possible_matches": event.possible, **weighed}


@folds(SubjectIdentified)
def _subject_identified(referral: Referral, event: SubjectIdentified, at: datetime, by: Actor) -> Changes:
    return {"identities": {**referral.identities, event.subject: event.link}}


@folds(IdentityWithdrawn)
def _identity_withdrawn(referral: Referral, event: IdentityWithdrawn, at: datetime, by: Actor) -> Changes:
    left = {subject: link for subject, link in referral.identities.items() if subject != event.subject}
    matches = tuple(m for m in referral.matches if m.subject != event.subject or m.likeness != "confirmed")
    return {"identities": left, "matches": matches}


@folds(MatchRejected)
def _match_rejected(referral: Referral, event: MatchRejected, at: datetime, by: Actor) -> Changes:
    pair = (event.subject, event.other, event.other_subject)
    # From the other contact's side it may not have been found here yet: it will not be any more.
    unknown = Match(
        subject=event.subject,
        reference=event.other,
        other=event.other_subject,
        likeness="likely",
        why=(),
        received_at=referral.received_at,
    )
    known = next((match for match in (*referral.matches, *referral.rejected) if match.pair == pair), unknown)
    return {
        "matches": tuple(match for match in referral.matches if match.pair != pair),
        "rejected": (*(match for match in referral.rejected if match.pair != pair), known),
    }
