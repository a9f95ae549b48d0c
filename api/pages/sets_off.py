"""What a rating sets off: by when, and who is asked. Decided as it would be, and not recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mash.api.pages.words import counted, when
from mash.flows.store.reads.case import Case
from mash.states.acts.rating import RateReferral, RerateReferral
from mash.states.acts.sharing import RecordSharingBasis
from mash.states.decide import decide
from mash.states.errors import Refusal
from mash.states.profile import Profile
from mash.states.referral import Referral
from mash.states.values import Actor, Words

UNWRITTEN = Words(item="", hmac="")
"""What somebody is still to write."""
SHARED = RecordSharingBasis(
    purpose="child_protection",
    lawful_basis="public_task",
    consent="not_sought",
    family_informed=False,
    not_informed="puts_somebody_at_risk",
)


@dataclass(frozen=True)
class SetsOff:
    """What follows from one rating."""

    by: str
    """By when, in words; empty where no clock says so."""
    follows: str
    """What happens then, in a sentence or two."""


def sets_off(case: Case, rules: Profile, by: Actor, now: datetime) -> dict[str, SetsOff]:
    """What each rating of the hub would set off now, by rating."""
    return {rating: _of(case, rules, by, now, rating) for rating in rules.ratings}


def _of(case: Case, rules: Profile, by: Actor, now: datetime, rating: str) -> SetsOff:
    if case.referral.rating == rating:
        return SetsOff("", "This is the rating now.")
    command = RerateReferral(rating=rating) if case.referral.rating else RateReferral(rating=rating)
    second = ""
    try:
        after = decide(case.referral, command, rules, by, now, reference=case.reference, words=UNWRITTEN).after
    except Refusal:
        second = "A second person has to agree. "
        calm = case.referral.model_copy(update={"immediate_danger": False})
        try:
            after = decide(calm, command, rules, by, now, reference=case.reference, words=UNWRITTEN).after
        except Refusal:  # agencies decide jointly what goes into the MASH
            return SetsOff("", "Others have to agree.")
    due = next((clock.due_at for clock in after.running if clock.kind == "response"), after.due_at)
    return SetsOff(f"by {when(due, now)}" if due else "", second + _follows(case, after, rules, by, now))


def _follows(case: Case, after: Referral, rules: Profile, by: Actor, now: datetime) -> str:
    shared = after
    if after.sharing is None and "agency_checks" in rules.ratings[str(after.rating)].route:
        try:
            shared = decide(after, SHARED, rules, by, now, reference=case.reference, words=UNWRITTEN).after
        except Refusal:
            return "Next you say why information may be shared."
    asked = len(shared.checks)
    says_why = after.sharing is None and asked > 0
    first = f"Next you say why to share; then {counted(asked, 'agency is', 'agencies are')} asked. " if says_why else ""
    route = rules.ratings[str(after.rating)].route
    if "mash_meeting" in route:
        return f"{first}They answer, and you meet, by then." if asked else f"{first}You meet by then."
    return f"{first}You decide by then, without a meeting." if first else "You decide by then, without a meeting."
