"""A line about a child's earlier contact, shared with the partners on a case: an item of the hub's that is held and released in
one act. Nobody outside the hub hears of an earlier contact before that."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from mash.states.acts import demands
from mash.states.acts.information import NOT_TO_SHARE, InformationReleased, Necessity, beside, demand_threshold
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotInProfile, Refusal
from mash.states.fold import Changes, folds
from mash.states.profile import Profile
from mash.states.rebuild import Caused, as_given, rebuilds, says_all
from mash.states.referral import Referral
from mash.states.register import act
from mash.states.stages import ALL
from mash.states.values import Actor, Code, CommandBase, EventBase, Match, Words


class ShareEarlierContact(CommandBase):
    """The partners on this case are told of one earlier contact about a child who is confirmed to be the same: when it came, from
    what kind of service, its need, rating and outcome, and why they are told. Never its reference, nor who referred."""

    kind: Literal["share_earlier_contact"] = "share_earlier_contact"
    other: Code = Field(description="The reference of the earlier contact, which somebody has confirmed.")
    necessity: Necessity


class RecordLineReleased(CommandBase):
    """The other half of it: the line that was put beside the case is released."""

    kind: Literal["record_line_released"] = "record_line_released"
    item: Code
    necessity: Necessity


class EarlierContactShared(EventBase):
    """A line about an earlier contact stands beside the case. Partners read this: the item is all that it names."""

    kind: Literal["earlier_contact_shared"] = "earlier_contact_shared"
    agency: str
    words: Words = Field(alias="said")


def confirmed(referral: Referral, other: str) -> list[Match]:
    """The matches by which another contact was confirmed to be about children of a case."""
    return [match for match in referral.matches if match.reference == other and match.likeness == "confirmed"]


def _not_to_share(referral: Referral, profile: Profile, by: Actor, cmd: ShareEarlierContact | None) -> Refusal | None:
    if by.agency not in demands.named_agencies(profile):
        return NotInProfile(f"information is shared by an agency of the hub: {', '.join(profile.agencies)}")
    if referral.sharing is False:
        return Incomplete(NOT_TO_SHARE)
    if cmd is None or confirmed(referral, cmd.other):
        return None
    if any(match.reference == cmd.other for match in referral.matches):
        return Incomplete("that may be about somebody else: confirm first who it is (identify_subject), then share it")
    known = dict.fromkeys(match.reference for match in referral.matches if match.likeness == "confirmed")
    return Incomplete(f"no such contact is confirmed to be about a child of this case; confirmed: {', '.join(known)}")


@act(
    ShareEarlierContact,
    of_child=True,
    stages=ALL,
    when=lambda r: any(match.likeness == "confirmed" for match in r.matches),
    hindrance=_not_to_share,
    stands_alone=True,
)
def share(d: Deciding, cmd: ShareEarlierContact, words: Words | None) -> None:
    """What other contacts came to is sensitive; the rules of what an agency releases hold for it."""
    line = demands.words(words, "sharing an earlier contact: why it is necessary that the partners know,")
    demand_threshold(d, sensitive=True)
    d.record(EarlierContactShared(agency=d.by.agency, words=line))


@rebuilds(ShareEarlierContact, EarlierContactShared)
def _share_earlier_contact_again(caused: Caused, event: EarlierContactShared) -> ShareEarlierContact:
    """Which contact it was, partners may not read: any of those that were confirmed leads to the same."""
    other = next((match.reference for match in caused.referral.matches if match.likeness == "confirmed"), "")
    return as_given(ShareEarlierContact, other=other, necessity="to_protect_a_child")


@act(RecordLineReleased)
def record_released(d: Deciding, cmd: RecordLineReleased, words: Words | None) -> None:
    """The line is the gist of that contact already: it needs no redacted version."""
    because = demands.words(words, "sharing an earlier contact: why it is necessary that the partners know,")
    line = d.referral.held.get(cmd.item)
    if line is None or line.released or line.agency != d.by.agency:
        raise Incomplete("no such line of your agency's waits to be released")
    said = {"necessity": cmd.necessity, "proportionality": "gist", "words": because, "redacted": None}
    d.record(InformationReleased(item=cmd.item, agency=line.agency, **said))


says_all(InformationReleased, RecordLineReleased)


@folds(EarlierContactShared)
def _earlier_contact_shared(referral: Referral, event: EarlierContactShared, at: datetime, by: Actor) -> Changes:
    return {"held": beside(referral, event.agency, event.words, sensitive=True, at=at)}
