"""What it means that a case is decided: which clocks are met, who is to hear, and what each subject's outcome is."""

from __future__ import annotations

from datetime import datetime

from mash.states.acts.informing import owe
from mash.states.deciding import Deciding
from mash.states.fold import Changes
from mash.states.referral import Referral


def decided(d: Deciding) -> None:
    """The local authority has decided: the statutory clock is met, and the referrer is to hear of it."""
    d.stop("decision_on_response", "response", "triage")
    d.stop("check", met=False)
    owe(d, "outcome", "outcome to the referrer")


def same_for_all(referral: Referral, outcome: str, at: datetime) -> Changes:
    """Decided without a decision of its own: a discussion led to section 47, a consultation to advice."""
    return {"outcomes": dict.fromkeys(referral.subjects, outcome), "decided_at": at}
