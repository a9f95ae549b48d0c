"""What it means that a case is decided: which clocks are met, who is to hear, and what each subject's outcome is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from mash.states.acts.checks import go_on_without
from mash.states.acts.informing import owe
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete
from mash.states.fold import Changes
from mash.states.referral import Referral, SubjectState

T = TypeVar("T")
PLAN = "child_protection_plan"


def decided(d: Deciding, *, to_be_discussed: bool = False) -> None:
    """The local authority has decided: the statutory clock is met, and the referrer is to hear of it. Of a section 47 they hear
    once the strategy discussion has decided: a second message that it is acted on would tell of it. Agencies that have not
    answered are waited for no more; what they answer late is welcome."""
    d.stop("decision_on_response", "response", "triage")
    go_on_without(d)
    if not to_be_discussed:
        owe(d, "outcome", "outcome to the referrer")


def same_for_all(referral: Referral, outcome: str, at: datetime) -> Changes:
    """Decided without a decision of its own: a discussion led to section 47, a consultation to advice."""
    return {"outcomes": dict.fromkeys(referral.subjects, outcome), "decided_at": at}


def of_each(referral: Referral, of_all: T, each: Mapping[str, T]) -> dict[str, T]:
    """What holds of each subject, where it was said of all of them at once, or of each by itself."""
    return dict(each) or dict.fromkeys(referral.subjects, of_all)


def said_once(referral: Referral, name: str, of_all: object, each_name: str, each: Mapping[str, object]) -> None:
    """Refuse what is said both of all and of each, of neither, or not of every subject."""
    if bool(of_all) == bool(each):
        raise Incomplete(f"say it of all subjects ({name}), or of each by itself ({each_name})")
    if each and set(each) != set(referral.subjects):
        raise Incomplete(f"{each_name} names each subject: {', '.join(referral.subjects)}")


def each_changed(referral: Referral, changes: Mapping[str, Mapping[str, Any]]) -> Changes:
    """The subjects, some of them changed: subject -> fields."""
    changed = {sid: referral.subjects[sid].model_copy(update=fields) for sid, fields in changes.items()}
    return {"subjects": {**referral.subjects, **changed}}


def final(subject: SubjectState, outcome: str) -> str:
    """A subject's outcome where the case ends with this one. A child protection plan stands until another conference ends it
    (Working Together: only a conference discontinues a plan), whatever an assessment finds and whoever closes the case."""
    return PLAN if subject.conference == PLAN else outcome
