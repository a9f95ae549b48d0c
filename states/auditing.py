"""Audits of decisions: by which rules cases are drawn, how a draw is made anew, what is asked of each, and who may not be asked.

A dip audit looks at few cases closely. Which few is not left to whoever audits: a rule says which cases are meant, and a number
(the seed) which of these are drawn, so that anybody can draw again and get the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from pydantic import model_validator

from mash.states.accumulation import LIGHT, months_before
from mash.states.acts.allocating import CaseAllocated
from mash.states.acts.seconding import SecondNamed
from mash.states.clocks import Frozen
from mash.states.log import Recorded
from mash.states.profile import Profile
from mash.states.referral import Referral
from mash.states.values import SYSTEM

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
QUESTIONS = ("rating_right", "decision_right", "decision_timely", "child_heard", "basis_right")


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


@dataclass(frozen=True)
class Facts:
    """What the states of a hub's cases do not say, for the rule that needs it."""

    cases: frozenset[str] | None = None
    """The only cases that the rule can mean, by what their logs say: re-rated TWICE or more, consent overridden, a child
    confirmed. None where their states say it all."""
    contacts: Mapping[tuple[str, str], Sequence[tuple[str, datetime]]] = field(default_factory=dict)
    """Of each subject of a case who was confirmed to be a child: every contact about that child, and when it was received."""


def meant(rule: Rule, reference: str, referral: Referral, profile: Profile, facts: Facts) -> bool:
    """Whether a rule means the decision of this case."""
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
                for check in referral.checks.values()
            )
        case "outside_hours":
            return not profile.calendar.is_open(decided)


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


DECIDING = frozenset(
    (
        "referral_rated", "referral_rerated", "sharing_basis_recorded", "override_proposed", "countersigned", "second_agreed",
        "threshold_recorded", "contacts_weighed", "second_view_written", "proceeded_without_replies",
        "decision_proposed", "decision_recorded", "sign_off_refused", "withdrawal_proposed", "decision_withdrawn",
        "withdrawal_refused", "strategy_discussion_held", "consultation_concluded", "not_ours_confirmed", "contact_taken",
        "meeting_held", "assessment_completed", "enquiries_concluded", "conference_held", "disagreement_settled",
        "referral_reopened", "contact_attached", "subjects_concluded",
    )
)  # fmt: skip
"""The kinds of events by which somebody has decided something of a case."""


def own_case_of(story: Iterable[Recorded]) -> frozenset[str]:
    """Whose own case it is, by login in small letters: whoever has decided something of it, was the second person, or has had
    it."""
    found: set[str] = set()
    for each in story:
        event = each.event
        if event.kind in DECIDING:
            found.add(each.by.id.lower())
        if isinstance(event, CaseAllocated):
            found.add(event.worker.lower())
        if isinstance(event, SecondNamed) and event.second:
            found.add(event.second.lower())
    return frozenset(found - {SYSTEM})
