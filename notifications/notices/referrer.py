"""Whoever made the referral: that it arrived, and what was decided."""

from __future__ import annotations

from collections.abc import Iterator

from mash.notifications.notices.draft import REFERRER, NoticeDraft
from mash.notifications.notices.occasion import Occasion, on
from mash.states.course import ClocksStarted
from mash.states.referral import Referral

PUBLIC = ("individual", "unknown")
"""Sources who are thanked, and not told what was decided about other people's children."""
_KINDS = {"acknowledgement": "acknowledgement", "outcome_told": "outcome"}
"""By the kind of clock that waits for the referrer to have it: the kind of notice."""


@on(ClocksStarted)
def owed(event: ClocksStarted, occasion: Occasion) -> Iterator[NoticeDraft]:
    """A clock that waits for the referrer to be told has begun."""
    profile, after = occasion.profile, occasion.after
    for clock in event.clocks:
        if clock.kind in _KINDS:
            yield occasion.notice(
                _KINDS[clock.kind],
                REFERRER,
                clock.id,
                outcomes=sorted({after.outcomes[sid] for sid in after.subjects if sid in after.outcomes}),
                taken=after.stage != "not_taken",
                signpost=profile.signpost,
                within=str(profile.decides_within),
                professional=professional(after),
            )


def professional(referral: Referral) -> bool:
    """Whether the referrer is told what was decided: a professional is, the public is thanked."""
    return referral.source_agency not in PUBLIC
