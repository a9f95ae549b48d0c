"""Whether another hub of the installation may know somebody: one question, answered by the names of hubs alone."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from mash.states.acts.demands import not_a_subject
from mash.states.acts.information import NOT_TO_SHARE
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, Refusal
from mash.states.fold import Changes, folds
from mash.states.profile import Profile
from mash.states.rebuild import Caused, Rebuilt, rebuilds, same_fields
from mash.states.referral import Referral
from mash.states.register import act
from mash.states.stages import SEEN
from mash.states.values import Actor, AskedAcross, Code, CommandBase, EventBase, Heard, Words

NOBODY_TO_ASK = "this installation serves no other hub: there is nobody to ask"


class AskOtherHubs(CommandBase):
    """Ask the other hubs of this installation whether one of them may know somebody. The answer is which one to ring, and no
    more; each hub that is asked has it written down."""

    kind: Literal["ask_other_hubs"] = "ask_other_hubs"
    subject: Code


class AskedAcrossHubs(EventBase):
    """The hubs that were asked, and those of them that may know the person: hubs alone, nothing of what they know."""

    of_child: ClassVar[bool] = True
    kind: Literal["asked_across_hubs"] = "asked_across_hubs"
    subject: str
    asked: tuple[str, ...]
    may_know: tuple[str, ...]
    words: Words | None = Field(alias="said")


def _not_to_ask(referral: Referral, profile: Profile, by: Actor, cmd: AskOtherHubs | None) -> Refusal | None:
    # To ask is to share: the others see that this hub has to do with somebody (Haringey [2013] EWHC 416).
    if referral.sharing is False:
        return Incomplete(NOT_TO_SHARE)
    if referral.sharing is None:
        return Incomplete("record first why information may be shared (record_sharing_basis): to ask another hub is to share")
    return not_a_subject(referral, cmd.subject) if cmd else None


@act(AskOtherHubs, of_child=True, stages=SEEN, when=lambda r: not r.erased, hindrance=_not_to_ask, stands_alone=True)
def ask_other_hubs(d: Deciding, cmd: AskOtherHubs, words: Words | None) -> None:
    """Write down who was asked, and who may know them."""
    if not d.heard.asked:
        raise Incomplete(NOBODY_TO_ASK)
    d.record(AskedAcrossHubs(subject=cmd.subject, asked=d.heard.asked, may_know=d.heard.may_know, words=words))


@rebuilds(AskOtherHubs, AskedAcrossHubs)
def _ask_other_hubs_again(caused: Caused, event: AskedAcrossHubs) -> Rebuilt:
    return Rebuilt(same_fields(AskOtherHubs, event), heard=Heard(asked=event.asked, may_know=event.may_know))


@folds(AskedAcrossHubs)
def _asked_across_hubs(referral: Referral, event: AskedAcrossHubs, at: datetime, by: Actor) -> Changes:
    return {"across": {**referral.across, event.subject: AskedAcross(at=at, may_know=event.may_know)}}
