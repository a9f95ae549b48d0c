"""Audits of decisions: by which rules cases are drawn, how a sample is drawn anew, and what is asked of each case.

A dip audit looks at few cases closely. Which few is not left to whoever audits: a rule says which cases are meant, and a number
(the seed), which the software draws too, which of these are drawn: so that anybody can draw again and get the same.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, assert_never, get_args

from pydantic import model_validator

from mash.states.accumulation import LIGHT, months_before
from mash.states.clocks import Frozen
from mash.states.profile import Profile
from mash.states.referral import Referral

Rule = Literal["any_decision", "closed_after_contacts", "rerated_twice", "without_replies", "consent_overridden", "outside_hours"]
"""Which decisions are meant: any; a case that was closed although contacts about the child add up; one re-rated at least twice;
one decided before every agency that was asked had answered; one in which consent was overridden; one decided while the hub was
closed."""
RULES: tuple[Rule, ...] = get_args(Rule)
TWICE = 2
MOST = 200
"""Cases of one draw: each is read by a person."""

AskedFor = Literal["inspection", "practice_review", "complaint", "own_review"]
"""For whom an inspector's question is answered: an inspectorate, a review of a serious incident, somebody who complains, or the
hub itself."""
Answer = Literal["yes", "no", "cannot_tell", "does_not_apply"]
ShouldHave = Literal[
    "as_was_done",
    "rated_higher",
    "rated_lower",
    "more_agencies_asked",
    "replies_awaited",
    "decided_sooner",
    "child_seen_or_heard",
    "earlier_contacts_weighed",
    "consent_sought",
    "basis_recorded",
    "section_47",
    "section_17",
    "early_help",
    "no_further_action",
    "otherwise",
]
Grade = Literal["right", "not_right", "cannot_tell"]
Question = Literal["rating_right", "decision_right", "decision_timely", "child_heard", "basis_right"]
QUESTIONS: tuple[Question, ...] = get_args(Question)


class Judgement(Frozen):
    """What an auditor says of a case: five answers, and what should have been done."""

    rating_right: Answer
    decision_right: Answer
    decision_timely: Answer
    child_heard: Answer
    basis_right: Answer
    should_have: tuple[ShouldHave, ...]

    @model_validator(mode="after")
    def agrees_with_itself(self) -> Judgement:
        """Refuse a case in which all was as it should be, and something was not."""
        if not self.should_have:
            raise ValueError("say what should have been done: 'as_was_done', if that was right")
        if "as_was_done" in self.should_have and (len(self.should_have) > 1 or self.grade == "not_right"):
            raise ValueError("'as_was_done' stands alone, and beside no answer 'no'")
        return self

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The five answers, as QUESTIONS has them."""
        return self.rating_right, self.decision_right, self.decision_timely, self.child_heard, self.basis_right

    @property
    def grade(self) -> Grade:
        """Not right, where any answer is no; right, where the decision was; else it cannot be told."""
        if "no" in self.answers:
            return "not_right"
        return "right" if self.decision_right == "yes" else "cannot_tell"


def decided_on(referral: Referral) -> datetime | None:
    """When what holds now of a case was decided; of one that ended without a decision of its own, when it ended."""
    return referral.decided_at or (None if referral.open else referral.stage_since)


class Split(NamedTuple):
    """Where a linked referral began: in which one, and with which event of that one's log."""

    parent: str
    sequence: int


def in_its_history(events: Mapping[str, Sequence[int]], splits: Mapping[str, Split]) -> dict[str, int]:
    """How many events of a kind each case has in its history, where there are any. `events` says where they stand in which log;
    to the history of a linked referral belongs that of the one it was split from, until then."""

    def counted(reference: str, upto: float) -> int:
        own = sum(sequence <= upto for sequence in events.get(reference, ()))
        begun = splits.get(reference)
        return own + (counted(begun.parent, begun.sequence) if begun else 0)

    found = {reference: counted(reference, math.inf) for reference in {*events, *splits}}
    return {reference: number for reference, number in found.items() if number}


def decided_by(referral: Referral, before: Iterable[Referral]) -> str | None:
    """The role of whoever decided a case; of a linked referral that went its own way with the decision of the one it was split
    from, who decided that. `before` are those, nearest first. None where nobody did, or that decision stands no more."""
    if referral.decided_by or referral.decided_at is None:
        return referral.decided_by
    return next((each.decided_by for each in before if each.decided_by and each.decided_at == referral.decided_at), None)


@dataclass(frozen=True)
class Facts:
    """What the states of a hub's cases do not say, for the rule that needs it."""

    cases: frozenset[str] | None = None
    """The only cases that the rule can mean, by what their logs say: re-rated TWICE or more, consent overridden, a child
    confirmed. None where their states say it all."""
    contacts: Mapping[tuple[str, str], Sequence[tuple[str, datetime]]] = field(default_factory=dict)
    """Of each subject of a case who was confirmed to be a child: every contact about that child, and when it was received."""


def meant(
    rule: Rule, reference: str, referral: Referral, profile: Profile, facts: Facts, before: Sequence[Referral] = ()
) -> bool:
    """Whether a rule means the decision of this case. `before` are the referrals that a linked one was split from: whom the hub
    had asked stands there."""
    decided = decided_on(referral)
    if decided is None:
        return False
    match rule:
        case "any_decision":
            return True
        case "closed_after_contacts":
            return any(_closed_after(reference, sid, referral, decided, profile, facts) for sid in referral.subjects)
        case "rerated_twice" | "consent_overridden":
            return facts.cases is not None and reference in facts.cases
        case "without_replies":
            return any(
                check.requested_at <= decided and (check.answered_at is None or check.answered_at > decided)
                for each in (referral, *before)
                for check in each.checks.values()
            )
        case "outside_hours":
            return not profile.calendar.is_open(decided)
        case _:
            assert_never(rule)


def _closed_after(reference: str, sid: str, referral: Referral, decided: datetime, profile: Profile, facts: Facts) -> bool:
    """Whether nothing more is done for a child about whom there were as many contacts by then as the hub says add up."""
    subject, rule = referral.subjects[sid], profile.accumulation
    if subject.outcome not in LIGHT or not subject.counts_as_child:
        return False
    since = months_before(referral.received_at, rule.months)
    counted = {contact for contact, at in facts.contacts.get((reference, sid), ()) if since < at <= decided}
    return len(counted) >= rule.contacts


def drawn(references: Iterable[str], seed: int, size: int) -> tuple[str, ...]:
    """So many of these, by a seed: the same ones for the same seed, whatever draws them, and in the same order. One that comes to
    the others takes the place of one at most."""

    def place(reference: str) -> str:
        return hashlib.sha256(f"{seed} {reference}".encode()).hexdigest()

    return tuple(sorted(set(references), key=place)[:size])
