"""A decision waits for its sign-off, comes back from it, or parts the subjects of a referral."""

from __future__ import annotations

from collections.abc import Iterator

from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.occasion import Occasion, on
from mash.states.acts.decisions import DecisionProposed, SignOffRefused
from mash.states.acts.parting import ReferralSplit


@on(DecisionProposed)
def proposed(event: DecisionProposed, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Whoever signs it off."""
    yield occasion.notice("sign_off", event.role)


@on(SignOffRefused)
def refused(event: SignOffRefused, occasion: Occasion) -> Iterator[NoticeDraft]:
    """It is to be decided again."""
    yield occasion.notice("sign_off_refused", occasion.duty)


@on(ReferralSplit)
def split(event: ReferralSplit, occasion: Occasion) -> Iterator[NoticeDraft]:
    """There is a linked referral to look after."""
    yield occasion.notice("referral_split", occasion.duty, linked=event.reference)
