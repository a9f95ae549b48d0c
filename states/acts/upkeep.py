"""What keeps a case whole: links, notes, another version of the hub's rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from mash.states.acts import demands, rating
from mash.states.acts.adopting import go_by
from mash.states.acts.seconding import demand_agreed
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotInProfile, Refusal
from mash.states.fold import Changes, changes_nothing, folds
from mash.states.profile import Profile
from mash.states.rebuild import Caused, as_given, rebuilds, says_all
from mash.states.referral import Referral
from mash.states.register import act
from mash.states.stages import ALL, SEEN
from mash.states.values import Actor, Code, CommandBase, EventBase, Words

Relation = Literal["same_child", "sibling", "household", "same_incident"]


class LinkReferral(CommandBase):
    """Another referral belongs with this one. Both say so; the people in them are never merged."""

    kind: Literal["link_referral"] = "link_referral"
    other: Code
    relation: Relation
    subjects: tuple[Code, ...] = Field(
        default=(),
        description="Which of this referral's subjects it is about; none: all of them.",
        exclude_if=lambda some: not some,
    )


class RecordLinked(CommandBase):
    """The other side of a link."""

    kind: Literal["record_linked"] = "record_linked"
    other: Code
    relation: Relation


class RemoveLink(CommandBase):
    """Another referral does not belong with this one, after all. Both say so."""

    kind: Literal["remove_link"] = "remove_link"
    other: Code


class RecordUnlinked(CommandBase):
    """The other side of a link that is removed."""

    kind: Literal["record_unlinked"] = "record_unlinked"
    other: Code


class AdoptProfile(CommandBase):
    """Go on under another version of the hub's profile."""

    kind: Literal["adopt_profile"] = "adopt_profile"
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    rating: Code | None = Field(default=None, description="The rating from now on, where the adopted profile has others.")


class AddNote(CommandBase):
    """Add a note to the case."""

    kind: Literal["add_note"] = "add_note"


class ReferralLinked(EventBase):
    kind: Literal["referral_linked"] = "referral_linked"
    other: str
    relation: str
    subjects: tuple[str, ...] = Field(default=(), exclude_if=lambda some: not some)
    """Which of this referral's subjects it is about, where that is said."""


class LinkRemoved(EventBase):
    kind: Literal["link_removed"] = "link_removed"
    other: str
    relation: str
    words: Words | None = Field(alias="said")


class ProfileAdopted(EventBase):
    kind: Literal["profile_adopted"] = "profile_adopted"
    profile: str


class NoteAdded(EventBase):
    kind: Literal["note_added"] = "note_added"
    words: Words = Field(alias="said")


@act(LinkReferral, stages=ALL, stands_alone=True)
def link(d: Deciding, cmd: LinkReferral, words: Words | None) -> None:
    """Another referral belongs with this one."""
    if unknown := [sid for sid in cmd.subjects if sid not in d.referral.subjects]:
        raise Incomplete(f"{len(unknown)} of these are not subjects of this referral: there are {', '.join(d.referral.subjects)}")
    _link(d, cmd.other, cmd.relation, tuple(dict.fromkeys(cmd.subjects)))


says_all(ReferralLinked, LinkReferral)


@act(RecordLinked)
def record_linked(d: Deciding, cmd: RecordLinked, words: Words | None) -> None:
    """This referral belongs with another one, which says so too."""
    _link(d, cmd.other, cmd.relation, ())


says_all(ReferralLinked, RecordLinked)


def _link(d: Deciding, other: str, relation: str, subjects: tuple[str, ...]) -> None:
    if other == d.reference:
        raise Incomplete("a referral is linked with another one, not with itself")
    if d.referral.links.get(other) != relation or (subjects and d.referral.linked_subjects.get(other) != subjects):
        d.record(ReferralLinked(other=other, relation=relation, subjects=subjects))


def _no_such_link(referral: Referral, profile: Profile, by: Actor, cmd: RemoveLink | None) -> Refusal | None:
    if cmd is None or cmd.other in referral.links:
        return None
    return Incomplete(f"this referral is not linked with that one; it is with: {', '.join(referral.links) or 'none'}")


@act(RemoveLink, stages=ALL, when=lambda referral: bool(referral.links), hindrance=_no_such_link, stands_alone=True)
def remove_link(d: Deciding, cmd: RemoveLink, words: Words | None) -> None:
    """Another referral does not belong with this one."""
    _unlink(d, cmd.other, words)


says_all(LinkRemoved, RemoveLink)


@act(RecordUnlinked)
def record_unlinked(d: Deciding, cmd: RecordUnlinked, words: Words | None) -> None:
    """This referral does not belong with another one, which says so too."""
    _unlink(d, cmd.other, words)


says_all(LinkRemoved, RecordUnlinked)


def _unlink(d: Deciding, other: str, words: Words | None) -> None:
    if other in d.referral.links:
        d.record(LinkRemoved(other=other, relation=d.referral.links[other], words=words))


@act(AdoptProfile, stages=SEEN)
def adopt_profile(d: Deciding, cmd: AdoptProfile, words: Words | None) -> None:
    """Go on under another version of the hub's profile, open clocks too; where that has other ratings, under one of them."""
    if cmd.rating:
        demands.rating(d, cmd.rating)
        if d.referral.rating in d.profile.ratings and cmd.rating != d.referral.rating:
            raise Incomplete(
                f"the adopted profile has the rating '{d.referral.rating}' too: leave the rating out here; to change it, re-rate"
                " (rerate_referral)"
            )
    elif d.referral.rating and d.referral.rating not in d.profile.ratings:
        raise NotInProfile(f"the adopted profile has no rating '{d.referral.rating}': say which it is from now on (rating)")
    if d.profile.name != d.referral.hub:
        raise NotInProfile(f"{d.profile.title} is another hub's profile: transfer the referral instead")
    d.record(ProfileAdopted(profile=cmd.digest))
    if d.old_rules:
        go_by(d, d.old_rules)
    if cmd.rating and d.referral.rating and cmd.rating != d.referral.rating:
        if rating.rates_danger_down(d, cmd.rating):
            demand_agreed(d, "rating_down")
        rating.change(d, cmd.rating, words)


@rebuilds(AdoptProfile, ProfileAdopted)
def _adopt_profile_again(caused: Caused, event: ProfileAdopted) -> AdoptProfile:
    rated = caused.first(rating.ReferralRerated)
    return as_given(AdoptProfile, digest=event.profile, rating=rated.rating if rated else None)


@act(AddNote, stages=ALL, stands_alone=True)
def add_note(d: Deciding, cmd: AddNote, words: Words | None) -> None:
    """A note to the case."""
    d.record(NoteAdded(words=demands.words(words, "a note")))


says_all(NoteAdded, AddNote)


changes_nothing(NoteAdded)


@folds(ReferralLinked)
def _referral_linked(referral: Referral, event: ReferralLinked, at: datetime, by: Actor) -> Changes:
    others = {other: about for other, about in referral.linked_subjects.items() if other != event.other}
    about = {event.other: event.subjects} if event.subjects else {}
    return {"links": {**referral.links, event.other: event.relation}, "linked_subjects": {**others, **about}}


@folds(LinkRemoved)
def _link_removed(referral: Referral, event: LinkRemoved, at: datetime, by: Actor) -> Changes:
    def others(of: Mapping[str, Any]) -> dict[str, Any]:
        return {other: each for other, each in of.items() if other != event.other}

    return {"links": others(referral.links), "linked_subjects": others(referral.linked_subjects)}


@folds(ProfileAdopted)
def _profile_adopted(referral: Referral, event: ProfileAdopted, at: datetime, by: Actor) -> Changes:
    return {"profile": event.profile}
