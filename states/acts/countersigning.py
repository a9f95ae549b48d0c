"""A second person countersigns what one person did or proposed, or does not: then it no longer stands."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from mash.states.acts import demands, rating
from mash.states.acts.closing import reopen
from mash.states.acts.decisions import PROTECTS
from mash.states.acts.disagreements import take_decision_back
from mash.states.acts.seconding import KIND, seconds
from mash.states.acts.sharing import SharingBasisRecorded, share_no_more
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotYours, Refusal
from mash.states.fold import Changes, folds
from mash.states.profile import Profile
from mash.states.rebuild import says_all
from mash.states.referral import Referral, Seconding
from mash.states.register import act
from mash.states.route import take_route
from mash.states.stages import ALL, CONCLUDED, ROUTED
from mash.states.values import Actor, Code, CommandBase, EventBase, Words


class Countersign(CommandBase):
    """A second person agrees to what one person did or proposed, or does not."""

    kind: Literal["countersign"] = "countersign"
    seconding: Code
    agreed: bool


class Countersigned(EventBase):
    kind: Literal["countersigned"] = "countersigned"
    id: str
    about: str
    agreed: bool
    words: Words = Field(alias="said")


def to_countersign(referral: Referral, by: Actor) -> tuple[str, ...]:
    """What somebody may countersign now."""
    return tuple(name for name in referral.uncountersigned if _not_the_second(referral, name, by) is None)


def _not_the_second(referral: Referral, name: str, by: Actor) -> Refusal | None:
    """Nobody countersigns an act of their own. Who is said to have agreed by telephone confirms that; once they are late, anybody
    may say whether it stands."""
    found = referral.secondings[name]
    if by.id == found.by:
        return NotYours("a second person countersigns: not the one who acted")
    late = any(clock.breached_at for clock in referral.running if clock.kind == KIND and clock.whose == name)
    if found.second and by.id != found.second and not late:
        return NotYours("somebody else is said to have agreed to this by telephone: it is for them to countersign")
    return None


def _hindrance(referral: Referral, profile: Profile, by: Actor, cmd: Countersign | None) -> Refusal | None:
    if by.role not in seconds(referral, profile):
        return demands.not_for(by.role, seconds(referral, profile), "countersigning")
    if cmd is None:
        refusals = [_not_the_second(referral, name, by) for name in referral.uncountersigned]
        return None if None in refusals else refusals[0]
    if cmd.seconding not in referral.uncountersigned:
        return Incomplete(f"that does not wait to be countersigned; waiting: {', '.join(referral.uncountersigned) or 'none'}")
    refusal = _not_the_second(referral, cmd.seconding, by)
    if refusal and (others := to_countersign(referral, by)):
        return Incomplete(f"{refusal}; what waits for you: {', '.join(others)}")
    return refusal


@act(
    Countersign,
    stages=ALL,
    when=lambda referral: bool(referral.uncountersigned),
    hindrance=_hindrance,
)
def countersign(d: Deciding, cmd: Countersign, words: Words | None) -> None:
    """What was proposed takes effect with this; what was done stands, or no longer does."""
    found = d.referral.secondings[cmd.seconding]
    reason, shared = demands.words(words, "countersigning"), d.referral.sharing
    d.record(Countersigned(id=cmd.seconding, about=found.about, agreed=cmd.agreed, words=reason))
    d.stop_clocks(*(clock.id for clock in d.referral.running if clock.kind == KIND and clock.whose == cmd.seconding))
    if found.basis and cmd.agreed:
        _override(d, found)
    elif not cmd.agreed:
        _no_longer_stands(d, found, reason)
        if shared and d.referral.sharing is None:
            share_no_more(d, reason)


says_all(Countersigned, Countersign, seconding="id")


def _override(d: Deciding, found: Seconding) -> None:
    """What the first person proposed is the basis now, in their words."""
    if found.basis is None:
        return
    d.record(SharingBasisRecorded(share=True, consent="overridden", **dict(found.basis)))
    if d.referral.stage in ROUTED and d.referral.rating:
        take_route(d)


def _no_longer_stands(d: Deciding, found: Seconding, reason: Words) -> None:
    """The case counts as the most urgent again, or is decided anew; a basis for sharing is recorded anew (by the fold)."""
    r = d.referral
    rested = found.about == "rating_down" and r.decided_at is not None and r.rating != d.profile.unrated
    if rested and not PROTECTS & set(r.outcomes.values()):
        take_decision_back(d, reason)  # it rested on the rating that no longer stands
    if found.about == "rating_down" and d.referral.open and d.referral.rating not in (None, d.profile.unrated):
        rating.change(d, d.profile.unrated, reason, also=(d.by.role,), determined=True)
        if d.referral.stage in ROUTED:
            take_route(d)
    elif found.about == "closing" and d.referral.stage in CONCLUDED:
        reopen(d, reason)


@folds(Countersigned)
def _countersigned(referral: Referral, event: Countersigned, at: datetime, by: Actor) -> Changes:
    signed = referral.secondings[event.id].model_copy(update={"agreed": event.agreed})
    unshared = not event.agreed and event.about in ("override", "not_sharing")
    return {"secondings": {**referral.secondings, event.id: signed}, **({"sharing": None} if unshared else {})}
