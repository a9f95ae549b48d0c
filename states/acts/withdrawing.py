"""A decision that was for the wrong child no longer holds: the case goes back to it, and whoever had been told is told so."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from mash.states.acts import demands
from mash.states.acts.closing import decide_anew
from mash.states.acts.enquiring import FLAG
from mash.states.acts.informing import heard_at
from mash.states.acts.scheduling import NOT_SCHEDULED
from mash.states.deciding import Deciding
from mash.states.errors import NotYours, Refusal
from mash.states.fold import Changes, folds
from mash.states.invited import to_discuss
from mash.states.profile import Profile
from mash.states.rebuild import Caused, rebuilds
from mash.states.referral import Referral, Withdrawing
from mash.states.register import act
from mash.states.roles import Roles, deciders
from mash.states.stages import CONCLUDED, SECTION_47, STEP_DOWN
from mash.states.values import Actor, CommandBase, EventBase, Words

_UNDER_WAY = (*SECTION_47, "section_17_assessment", *STEP_DOWN, "transfer_offered", "adult_section_42")
DECIDED = (*_UNDER_WAY, *(stage for stage in CONCLUDED if stage != "not_taken"))
"""Where a case stands by a decision. One that is not taken was not decided about."""
GOES_ON = (
    "acknowledgement",
    "answer_told",
    "withdrawal_told",
    "disagreement",
    "countersignature",
    "check",
    "hand_over",
    "confirmation",
    "action",
    "police_protection",
    "emergency_protection_order",
)
"""Clocks that have nothing to do with the path of a decision."""


class WithdrawDecision(CommandBase):
    """A decision was for the wrong child, or rests on what is wrong: it no longer holds. One that is closed by mistake alone is
    reopened."""

    kind: Literal["withdraw_decision"] = "withdraw_decision"


class SignOffWithdrawal(CommandBase):
    """A second person agrees that a decision is withdrawn, or that it stands."""

    kind: Literal["sign_off_withdrawal"] = "sign_off_withdrawal"
    agreed: bool


class WithdrawalProposed(EventBase):
    """The decision holds until `role` signs its withdrawal off."""

    kind: Literal["withdrawal_proposed"] = "withdrawal_proposed"
    role: str
    words: Words = Field(alias="said")


class WithdrawalRefused(EventBase):
    kind: Literal["withdrawal_refused"] = "withdrawal_refused"
    words: Words = Field(alias="said")


class DecisionWithdrawn(EventBase):
    """What no longer holds, and who had been told of it: agencies and services, and when the referrer was."""

    kind: Literal["decision_withdrawn"] = "decision_withdrawn"
    outcomes: dict[str, str]
    told: tuple[str, ...] = ()
    referrer_told_at: datetime | None = None
    proposed_by: str | None = None
    words: Words | None = Field(alias="said")


def _stands(referral: Referral) -> bool:
    """Whether there is a decision to withdraw: one that waits to be signed off, or one that holds."""
    if referral.stage == "sign_off":
        return referral.proposed is not None
    return referral.decided_at is not None and bool(referral.outcomes) and referral.withdrawing is None


@act(WithdrawDecision, stages=("sign_off", *DECIDED), when=_stands, roles=deciders, called="withdrawing a decision")
def withdraw_decision(d: Deciding, cmd: WithdrawDecision, words: Words | None) -> None:
    """At once where it was of no effect yet, or one person decides alone; otherwise once a second person agrees."""
    reason, r = demands.words(words, "withdrawing a decision"), d.referral
    if r.stage == "sign_off" and r.proposed is not None:
        d.record(DecisionWithdrawn(outcomes=r.proposed.outcomes, words=reason))
        d.go("refuse_sign_off")
    elif second := d.profile.signs_off(r.rating, r.outcomes.values()):
        d.record(WithdrawalProposed(role=second, words=reason))
        d.start_clock("withdrawal_sign_off", d.profile.stages["sign_off"], "withdrawal of the decision", owner=second)
    else:
        _take_effect(d, reason, None)


@rebuilds(WithdrawDecision, DecisionWithdrawn, WithdrawalProposed)
def _withdraw_decision_again(caused: Caused, event: DecisionWithdrawn | WithdrawalProposed) -> WithdrawDecision:
    return WithdrawDecision()


def _second(referral: Referral, profile: Profile) -> Roles:
    return (referral.withdrawing.role,) if referral.withdrawing else ()


def _not_a_second_person(referral: Referral, profile: Profile, by: Actor, cmd: SignOffWithdrawal | None) -> Refusal | None:
    if referral.withdrawing and by.id == referral.withdrawing.by:
        return NotYours("a second person signs off: not the one who withdraws the decision")
    return None


@act(
    SignOffWithdrawal,
    stages=DECIDED,
    when=lambda referral: referral.withdrawing is not None and referral.decided_at is not None,
    roles=_second,
    called="signing this withdrawal off",
    hindrance=_not_a_second_person,
)
def sign_off_withdrawal(d: Deciding, cmd: SignOffWithdrawal, words: Words | None) -> None:
    """A second person, of the role that signs such decisions off, agrees; or says why the decision stands."""
    if cmd.agreed:
        _take_effect(d, words, d.referral.withdrawing.by if d.referral.withdrawing else None)
    else:
        d.record(WithdrawalRefused(words=demands.words(words, "not agreeing")))
        d.stop("withdrawal_sign_off")


@rebuilds(SignOffWithdrawal, DecisionWithdrawn, WithdrawalRefused)
def _sign_off_withdrawal_again(caused: Caused, event: DecisionWithdrawn | WithdrawalRefused) -> SignOffWithdrawal:
    return SignOffWithdrawal(agreed=isinstance(event, DecisionWithdrawn))


def _take_effect(d: Deciding, words: Words | None, proposed_by: str | None) -> None:
    before = d.referral
    told_at = None if before.of_public else heard_at(before, "outcome")
    fields = {"told": _told(before, d.profile), "referrer_told_at": told_at, "proposed_by": proposed_by}
    d.record(DecisionWithdrawn(outcomes=before.outcomes, words=words, **fields))
    d.stop("withdrawal_sign_off")
    d.stop(*{clock.kind for clock in d.referral.running} - set(GOES_ON), met=False)
    if before.open:
        d.go("withdraw_decision")
    else:
        d.go("reopen")
    decide_anew(d)


def _told(referral: Referral, profile: Profile) -> tuple[str, ...]:
    """Who was called to a strategy discussion or attended one, and the service that was offered a step-down."""
    called = to_discuss(referral, profile) if referral.stage in SECTION_47 else ()
    service = profile.services.get(referral.service or "")
    return tuple(dict.fromkeys((*called, *referral.discussed, *((service.role,) if service else ()))))


@folds(WithdrawalProposed)
def _withdrawal_proposed(referral: Referral, event: WithdrawalProposed, at: datetime, by: Actor) -> Changes:
    return {"withdrawing": Withdrawing(role=event.role, by=by.id)}


@folds(WithdrawalRefused)
def _withdrawal_refused(referral: Referral, event: WithdrawalRefused, at: datetime, by: Actor) -> Changes:
    return {"withdrawing": None}


@folds(DecisionWithdrawn)
def _decision_withdrawn(referral: Referral, event: DecisionWithdrawn, at: datetime, by: Actor) -> Changes:
    if referral.proposed is not None and referral.stage == "sign_off":
        return {"proposed": None, "second_views": ()}
    # Whom a conference has given a plan keeps it until another one ends it; that a child was seen and heard stays too.
    undecided = {
        sid: subject.model_copy(update={"outcome": None, "ended_by": None, "assessment": None})
        for sid, subject in referral.subjects.items()
    }
    discussion = {"strategy_held_at": None, "discussed": (), "short_of": (), "enquiry": None, **NOT_SCHEDULED}
    of_path = {**discussion, "service": None, "service_offered_by": None, "decided_by": None, "part_of": None}
    flags = tuple(flag for flag in referral.flags if flag != FLAG)  # it was of the section 47 that no longer holds
    decided: Changes = {"outcomes": {}, "decided_at": None, "proposed": None, "second_views": (), "flags": flags}
    return {"subjects": undecided, "reopened": True, "withdrawing": None, **decided, **of_path}
