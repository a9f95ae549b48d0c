"""How long the people of a contact are kept: a rule of the profile, by outcome."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from mash.states.profile import Profile
from mash.states.referral import Referral


def keep_until(family: Iterable[Referral], profile: Profile) -> datetime | None:
    """Until when the people of a contact and its linked referrals are kept; None while one of them waits for anything."""
    until: datetime | None = None
    for referral in family:
        if not referral.finished:
            return None
        years = max(_years(referral, profile))
        at = _later(referral.stage_since, years)
        until = at if until is None else max(until, at)
    return until


def _years(referral: Referral, profile: Profile) -> Iterable[int]:
    rules = profile.retention.years
    if referral.stage == "not_taken":
        return (rules.get("not_taken", max(rules.values())),)
    outcomes = {*referral.outcomes.values(), *(subject.outcome for subject in referral.subjects.values())}
    # An outcome that the profile has no rule for is kept as long as any.
    return [rules.get(outcome, max(rules.values())) for outcome in outcomes]  # type: ignore[call-overload]  # or is none of them


def _later(at: datetime, years: int) -> datetime:
    day = 28 if (at.month, at.day) == (2, 29) else at.day
    return at.replace(year=at.year + years, day=day)
