"""Closing: the one place that ends a case, reopening one that was closed by mistake, and erasing its people."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal

from pydantic import Field

from mash.states.accumulation import LIGHT
from mash.states.acts import demands
from mash.states.acts import outcomes as decision
from mash.states.acts.actions import open_actions
from mash.states.acts.checks import await_confirmation, go_on_without
from mash.states.acts.orders import await_ends
from mash.states.acts.quorum import PUT_RIGHT
from mash.states.acts.seconding import demand_agreed
from mash.states.ages import WITHOUT_HAND_OVER
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, Refusal
from mash.states.fold import Changes, folds
from mash.states.profile import Profile
from mash.states.rebuild import says_all
from mash.states.referral import Referral
from mash.states.register import act
from mash.states.roles import deciders
from mash.states.stages import CONCLUDED
from mash.states.values import Actor, CommandBase, EventBase, Words

OUTLIVE = (
    "acknowledgement",
    "outcome_told",
    "answer_told",
    "withdrawal_told",
    "disagreement",
    "countersignature",
    "hand_over",
    "action",
    PUT_RIGHT,
)
"""Clocks that run on after the outcome: the referrer is still to hear, a disagreement still to be determined, a second person
still to countersign, a hand-over beside the case still to be accepted, what was agreed still to be done, whoever was missing from
a strategy discussion still to take part."""
NOTHING_MORE = (*LIGHT, "considered", "signposted", "no_further_child_protection_action")
"""Ends of everybody's part by which nothing more is done here: they wait for what is still open."""
WhyErased = Literal["retention", "right_to_erasure", "court_order", "recorded_by_mistake"]
WhyReleased = Literal["they_agree", "reasonable_without_consent"]
"""Why what is stored of another person is released to the subject who asks: that person agrees, or it is reasonable without that
(Data Protection Act 2018, schedule 2, paragraph 16 (2))."""


class ReopenReferral(CommandBase):
    """Correct a mistaken closure. A new concern is a new, linked contact instead."""

    kind: Literal["reopen_referral"] = "reopen_referral"


class ErasePeople(CommandBase):
    """The people of a referral are erased: their key is destroyed with this."""

    kind: Literal["erase_people"] = "erase_people"
    why: WhyErased


class SubjectsConcluded(EventBase):
    """The subjects' outcome is final (until somebody reopens it)."""

    kind: Literal["subjects_concluded"] = "subjects_concluded"
    subjects: tuple[str, ...]
    outcome: str


class ReferralReopened(EventBase):
    kind: Literal["referral_reopened"] = "referral_reopened"
    words: Words | None = Field(alias="said")


class PeopleErased(EventBase):
    """The people of the referral were erased, and for which reason. What the log says of the case stays."""

    kind: Literal["people_erased"] = "people_erased"
    why: str


def close(
    d: Deciding, move: str, outcome: str | Mapping[str, str], *, decided: bool = False, path_of_decision: bool = False
) -> None:
    """End the case by a move of the chart: each subject's outcome (one for all, or by subject) is final, and clocks stop, except
    those that outlive it. The one place that does. `decided`: this end is itself the decision on the response;
    `path_of_decision`: one of the paths of a decision, which was asked as a whole about who came of age."""
    if not path_of_decision:
        not_over_for_who_came_of_age(d, outcome if isinstance(outcome, Mapping) else dict.fromkeys(d.referral.subjects, outcome))
    if move != "accept_transfer":  # whoever takes the case over protects its children from then on
        _not_over_for_whom_an_order_protects(d, d.referral.subjects)
        _not_over_with_anything_open(d, outcome if isinstance(outcome, Mapping) else dict.fromkeys(d.referral.subjects, outcome))
    if d.referral.danger_since and d.referral.in_danger:  # whoever decided did not know of it
        demand_agreed(d, "closing")
    d.go(move)
    if decided:
        decision.decided(d)
    ends = {
        sid: decision.final(subject, outcome if isinstance(outcome, str) else outcome[sid])
        for sid, subject in d.referral.subjects.items()
    }
    for end in dict.fromkeys(ends.values()):
        d.record(SubjectsConcluded(subjects=tuple(sid for sid, each in ends.items() if each == end), outcome=end))
    go_on_without(d)
    d.stop(*{k.kind for k in d.referral.running} - set(OUTLIVE), met=False)


def not_over_under_an_order(d: Deciding, outcomes: Mapping[str, str]) -> None:
    """Raises Incomplete where nothing more is to be done for a child whom the police or a court protect."""
    _not_over_for_whom_an_order_protects(d, [sid for sid, outcome in outcomes.items() if outcome in LIGHT])


def _not_over_for_whom_an_order_protects(d: Deciding, subjects: Collection[str]) -> None:
    """Raises Incomplete where the police or a court protect one of them: first it is recorded how that ended, and what holds
    now."""
    for order in d.referral.orders.values():
        if order.ended is None and (left := [sid for sid in order.subjects if sid in subjects]):
            name = order.order.replace("_", " ")
            raise Incomplete(f"{name} of {', '.join(left)} has not ended: record that (end_protection_order)")


def _not_over_with_anything_open(d: Deciding, outcomes: Mapping[str, str]) -> None:
    """Raises Incomplete where everybody's part ends in nothing more while something agreed is still to be done, or somebody was
    missing from the strategy discussion; and in nothing more or early help while the rating is disputed."""
    r, ends = d.referral, set(outcomes.values())
    if ends <= set(NOTHING_MORE) and (left := open_actions(r)):
        raise Incomplete(f"{', '.join(left)} is still to be done: say what became of it first (complete_action)")
    if ends <= set(NOTHING_MORE) and r.short_of:
        names = ", ".join(r.short_of)
        raise Incomplete(f"the strategy discussion was held without {names}: put that right first (put_quorum_right)")
    disputed = [did for did in r.disputed if r.disagreements[did].about == "rating"]
    if ends <= {*NOTHING_MORE, "early_help"} and disputed:
        role = r.disagreements[disputed[0]].role.replace("_", " ")
        raise Incomplete(
            f"the rating is disputed: {disputed[0]} is to be determined by the {role} first (settle_disagreement), then this ends"
        )


def not_over_for_who_came_of_age(d: Deciding, outcomes: Mapping[str, str]) -> None:
    """Raises Incomplete where an act leaves somebody with nothing who has come of age in the case, and whom nobody has handed
    over. `outcomes` are all that the act gives, by subject: where one of them protects anybody, or hands a case on, it does not
    wait, and whoever came of age is flagged where their case ends."""
    subjects = [sid for sid, subject in d.referral.subjects.items() if subject.coming_of_age == "today"]
    if subjects and set(outcomes.values()) <= set(LIGHT):
        raise Incomplete(
            f"{', '.join(subjects)} came of age while this was open: before it ends, adults' services accept them"
            " (hand_over_to_adults, then accept_hand_over), or say why the case stays with children's (keep_past_eighteen)"
        )


def reopen(d: Deciding, words: Words) -> None:
    """The closure was mistaken: it is decided anew, within the statutory time from now."""
    d.record(ReferralReopened(words=words))
    d.stop("withdrawal_sign_off", met=False)
    d.go("reopen")
    decide_anew(d)


def decide_anew(d: Deciding) -> None:
    """The time for the decision begins again; and what an agency told by telephone is to be confirmed again."""
    rule = d.profile.statutory["decision"].model_copy(update={"start": "stage"})
    d.start_clock("decision_on_response", rule, "decision on the response, reopened")
    await_ends(d)
    await_confirmation(d)
    d.ensure_clocks()


def _to_be_withdrawn(referral: Referral, profile: Profile, by: Actor, cmd: ReopenReferral | None) -> Refusal | None:
    """What takes two persons to decide is not undone by one."""
    if referral.withdrawing is not None:
        return Incomplete("a withdrawal of this decision waits for its second person (sign_off_withdrawal): that reopens it")
    withdrawn = referral.decided_at is not None and referral.stage != "not_taken"
    if withdrawn and (second := profile.signs_off(referral.rating, referral.outcomes.values())):
        return Incomplete(
            f"such a decision is signed off by the {second.replace('_', ' ')}: withdraw it (withdraw_decision), which they sign"
            " off too"
        )
    return None


@act(
    ReopenReferral,
    stages=CONCLUDED,
    roles=deciders,
    called="reopening a referral",
    hindrance=_to_be_withdrawn,
)
def reopen_referral(d: Deciding, cmd: ReopenReferral, words: Words | None) -> None:
    """Correct a mistaken closure."""
    reopen(d, demands.words(words, "reopening"))


says_all(ReferralReopened, ReopenReferral)


@act(ErasePeople)
def erase_people(d: Deciding, cmd: ErasePeople, words: Words | None) -> None:
    """Nobody is erased of a case that somebody works on."""
    if not d.referral.finished:
        raise Incomplete("this referral is open, or its referrer is still to be told: nobody is erased before it is concluded")
    if not d.referral.erased:
        d.record(PeopleErased(why=cmd.why))


says_all(PeopleErased, ErasePeople)


@folds(SubjectsConcluded)
def _subjects_concluded(referral: Referral, event: SubjectsConcluded, at: datetime, by: Actor) -> Changes:
    # Version 0.1 let an assessment's end stand over a conference's plan: the plan is folded as what it is.
    ends = {sid: decision.final(referral.subjects[sid], event.outcome) for sid in event.subjects}
    done = {sid: {"outcome": outcome, "ended_by": by.id} for sid, outcome in ends.items()}
    waiting = (f"{sid}_{WITHOUT_HAND_OVER}" for sid in event.subjects if referral.subjects[sid].coming_of_age == "today")
    return {**decision.each_changed(referral, done), "flags": tuple(dict.fromkeys((*referral.flags, *waiting)))}


@folds(ReferralReopened)
def _referral_reopened(referral: Referral, event: ReferralReopened, at: datetime, by: Actor) -> Changes:
    reopened = {sid: s.model_copy(update={"outcome": None, "ended_by": None}) for sid, s in referral.subjects.items()}
    flags = tuple(flag for flag in referral.flags if not flag.endswith(WITHOUT_HAND_OVER))  # it is asked again before the end
    done: Changes = {"decided_at": None, "reopened": True, "withdrawing": None, "part_of": None}
    return {"subjects": reopened, "outcomes": {}, "flags": flags, **done}


@folds(PeopleErased)
def _people_erased(referral: Referral, event: PeopleErased, at: datetime, by: Actor) -> Changes:
    # What the log says was found stays; the case itself points to nobody any more.
    return {"erased": True, "matches": (), "possible_matches": {}, "rejected": (), "identities": {}, "across": {}}
