"""Resolving professional differences: an agency or the referrer disagrees, and roles determine it, stage by stage."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from mash.states.acts import demands, rating
from mash.states.acts.closing import reopen
from mash.states.acts.decisions import withdraw
from mash.states.acts.handing_over import call_off, undecided
from mash.states.acts.informing import owe
from mash.states.acts.step_down import comes_back
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotInProfile, NotYours, Refusal
from mash.states.fold import Changes, folds
from mash.states.profile import ClockRule, Profile, Referee
from mash.states.rebuild import says_all
from mash.states.referral import Disagreement, Referral
from mash.states.register import act
from mash.states.roles import REFERRER
from mash.states.route import take_route
from mash.states.stages import ALL, CONCLUDED, ROUTED, STEP_DOWN
from mash.states.values import Actor, Code, CommandBase, EventBase, Words

KIND = "disagreement"


class RaiseDisagreement(CommandBase):
    """An agency or the referrer disagrees with a rating or a decision: the hub's procedure begins."""

    kind: Literal["raise_disagreement"] = "raise_disagreement"
    about: Literal["rating", "decision"]
    rating: Code | None = Field(default=None, description="The rating that they think is right.")


class SettleDisagreement(CommandBase):
    """The role whose turn it is determines the disagreement: it stands, or it is changed."""

    kind: Literal["settle_disagreement"] = "settle_disagreement"
    disagreement: Code
    outcome: Literal["stands", "changed"]
    rating: Code | None = Field(default=None, description="The rating from now on, when a rating is changed.")


class TakeDisagreementFurther(CommandBase):
    """Whoever raised it is not satisfied: the next role of the procedure determines."""

    kind: Literal["take_disagreement_further"] = "take_disagreement_further"
    disagreement: Code


class DisagreementRaised(EventBase):
    """`role` has until its clock to determine it."""

    kind: Literal["disagreement_raised"] = "disagreement_raised"
    id: str
    about: str
    agency: str
    rating: str | None
    role: str
    words: Words = Field(alias="said")


class DisagreementSettled(EventBase):
    kind: Literal["disagreement_settled"] = "disagreement_settled"
    id: str
    outcome: str
    rating: str | None = Field(default=None, exclude_if=lambda rating: rating is None)
    """The rating from now on, where a rating is changed: also to the one that is held already."""
    role: str
    final: bool
    words: Words = Field(alias="said")


class DisagreementTakenFurther(EventBase):
    kind: Literal["disagreement_taken_further"] = "disagreement_taken_further"
    id: str
    role: str
    words: Words = Field(alias="said")


def _disputable(referral: Referral) -> bool:
    return referral.rating is not None or referral.decided


@act(RaiseDisagreement, stages=ALL, when=_disputable)
def raise_it(d: Deciding, cmd: RaiseDisagreement, words: Words | None) -> None:
    """The procedure begins with its first role."""
    r = d.referral
    if cmd.about == "rating" and (r.rating is None or not r.open):
        raise Incomplete(
            "a rating is disputed once it is given, and as long as the referral is open: dispute the decision instead"
        )
    if cmd.about == "decision" and not r.decided:
        raise Incomplete("nothing is decided yet: dispute the rating instead")
    if cmd.rating:
        demands.rating(d, cmd.rating)
    reason = demands.words(words, "a disagreement")
    name, referee = f"D{len(r.disagreements) + 1}", referees(d.profile, cmd.about)[0]
    d.record(DisagreementRaised(id=name, about=cmd.about, agency=d.by.agency, rating=cmd.rating, role=referee.role, words=reason))
    _start_clock(d, name, referee)


says_all(DisagreementRaised, RaiseDisagreement)


def to_settle(referral: Referral, by: Actor) -> tuple[str, ...]:
    """The disagreements that it is somebody's turn to determine: none that they raised themselves."""
    found = ((did, referral.disagreements[did]) for did in referral.disputed)
    return tuple(did for did, each in found if each.role == by.role and each.raised_by != by.id)


def _not_their_turn(referral: Referral, profile: Profile, by: Actor, cmd: SettleDisagreement | None) -> Refusal | None:
    if cmd is None:
        return None if to_settle(referral, by) else NotYours("it is not your turn to determine a disagreement")
    if refusal := _unknown(referral, cmd.disagreement):
        return refusal
    found = referral.disagreements[cmd.disagreement]
    if found.outcome is not None:
        return Incomplete(f"that disagreement is settled; to be determined: {', '.join(referral.disputed) or 'none'}")
    if found.raised_by == by.id and found.role == by.role:
        return NotYours(f"nobody determines a disagreement of their own: another {found.role.replace('_', ' ')} does")
    if cmd.disagreement not in to_settle(referral, by):
        return demands.not_for(by.role, (found.role,), "determining this disagreement")
    return None


@act(SettleDisagreement, stages=ALL, when=lambda referral: bool(referral.disputed), hindrance=_not_their_turn)
def settle(d: Deciding, cmd: SettleDisagreement, words: Words | None) -> None:
    """The role whose turn it is determines. A changed rating moves the clocks; a changed decision is decided anew."""
    found = d.referral.disagreements[cmd.disagreement]
    reason = demands.words(words, "determining a disagreement")
    changes_rating = found.about == "rating" and cmd.outcome == "changed"
    if changes_rating != bool(cmd.rating):
        raise Incomplete("say the rating from now on when a rating is changed, and only then (rating)")
    if cmd.rating:
        demands.rating(d, cmd.rating)
    final = found.stage + 1 >= len(referees(d.profile, found.about))
    d.record(
        DisagreementSettled(
            id=cmd.disagreement, outcome=cmd.outcome, rating=cmd.rating, role=found.role, final=final, words=reason
        )
    )
    d.stop_clocks(*(k.id for k in d.referral.running if k.kind == KIND and k.whose == cmd.disagreement))
    if found.by_role == REFERRER and d.referral.by_person:
        owe(d, "disagreement", "what was determined, to the referrer")
    if cmd.rating and cmd.rating != d.referral.rating and d.referral.open:
        rating.change(d, cmd.rating, reason, also=(found.role,), determined=True)
        if d.referral.stage in ROUTED:
            take_route(d)
    if found.about == "decision" and cmd.outcome == "changed":
        take_decision_back(d, reason)


says_all(DisagreementSettled, SettleDisagreement, disagreement="id")


def take_decision_back(d: Deciding, reason: Words) -> None:
    """A concluded referral is reopened, one that waits to be accepted comes back; on any other path its people act from there."""
    if d.referral.stage in CONCLUDED:
        reopen(d, reason)
    elif d.referral.stage in STEP_DOWN:
        comes_back(d, reason)
    elif d.referral.stage == "transfer_offered":
        call_off(d, *(name for name, each in d.referral.offered.items() if each.takes_over))
        undecided(d)
    elif d.referral.stage == "sign_off":
        withdraw(d, reason)
    elif d.referral.stage in ("section_17_assessment", "adult_section_42"):
        d.stop("assessment", met=False)
        d.go("step_up")


def to_take_further(referral: Referral, by: Actor) -> tuple[str, ...]:
    """The disagreements that somebody raised, and that were determined, but not for good."""
    return tuple(
        did
        for did, found in referral.disagreements.items()
        if found.outcome is not None and not found.final and (found.agency, found.by_role) == (by.agency, by.role)
    )


def _not_theirs(referral: Referral, profile: Profile, by: Actor, cmd: TakeDisagreementFurther | None) -> Refusal | None:
    only_theirs = NotYours("only whoever raised a disagreement takes it further")
    if cmd is None:
        return None if to_take_further(referral, by) else only_theirs
    if refusal := _unknown(referral, cmd.disagreement):
        return refusal
    found = referral.disagreements[cmd.disagreement]
    if found.outcome is None or found.final:
        why = "is not determined yet" if found.outcome is None else "was determined for good"
        return Incomplete(f"that disagreement {why}")
    return None if cmd.disagreement in to_take_further(referral, by) else only_theirs


@act(
    TakeDisagreementFurther,
    stages=ALL,
    when=lambda r: any(found.outcome is not None and not found.final for found in r.disagreements.values()),
    hindrance=_not_theirs,
)
def take_further(d: Deciding, cmd: TakeDisagreementFurther, words: Words | None) -> None:
    """Whoever raised it is not satisfied with what was determined: the next role's turn."""
    found = d.referral.disagreements[cmd.disagreement]
    turns = referees(d.profile, found.about)
    if found.stage + 1 >= len(turns):
        raise NotInProfile(f"by the profile that the referral has adopted, {turns[-1].role} determines for good")
    referee = turns[found.stage + 1]
    reason = demands.words(words, "taking a disagreement further")
    d.record(DisagreementTakenFurther(id=cmd.disagreement, role=referee.role, words=reason))
    _start_clock(d, cmd.disagreement, referee)


says_all(DisagreementTakenFurther, TakeDisagreementFurther, disagreement="id")


def referees(profile: Profile, about: str) -> tuple[Referee, ...]:
    """Who determines such a disagreement, in their order."""
    return profile.disagreements.rating if about == "rating" else profile.disagreements.decision


def _unknown(referral: Referral, name: str) -> Refusal | None:
    if name in referral.disagreements:
        return None
    return Incomplete(f"there is no such disagreement; there are: {', '.join(referral.disagreements) or 'none'}")


def _start_clock(d: Deciding, name: str, referee: Referee) -> None:
    within = referee.within or d.profile.settle_within
    rule = ClockRule(length=within, owner=referee.role, source=f"{d.profile.title}: resolving professional differences")
    d.start_clock(KIND, rule, "determining the disagreement", clock_id=f"{KIND}:{name}")


@folds(DisagreementRaised)
def _disagreement_raised(referral: Referral, event: DisagreementRaised, at: datetime, by: Actor) -> Changes:
    raised = Disagreement(about=event.about, agency=event.agency, by_role=by.role, raised_by=by.id, role=event.role)
    return {"disagreements": {**referral.disagreements, event.id: raised}}


@folds(DisagreementSettled)
def _disagreement_settled(referral: Referral, event: DisagreementSettled, at: datetime, by: Actor) -> Changes:
    return _changed(referral, event.id, outcome=event.outcome, final=event.final)


@folds(DisagreementTakenFurther)
def _disagreement_taken_further(referral: Referral, event: DisagreementTakenFurther, at: datetime, by: Actor) -> Changes:
    stage = referral.disagreements[event.id].stage + 1
    return _changed(referral, event.id, outcome=None, role=event.role, stage=stage)


def _changed(referral: Referral, did: str, **fields: Any) -> Changes:
    changed = referral.disagreements[did].model_copy(update=fields)
    return {"disagreements": {**referral.disagreements, did: changed}}
