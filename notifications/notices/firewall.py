"""Somebody broke the glass: those who answer for the case and for who reads what are told."""

from __future__ import annotations

from collections.abc import Iterator

from mash.config.words import agency_title
from mash.notifications.notices.draft import GOVERNANCE, NoticeDraft
from mash.notifications.notices.occasion import Occasion, on
from mash.states.acts.information import GlassBroken


@on(GlassBroken)
def glass_broken(event: GlassBroken, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Information governance, and the manager on duty."""
    who = {"until": event.until.isoformat(), "agency": agency_title(occasion.profile, event.agency)}
    for role in (GOVERNANCE, occasion.duty):
        yield occasion.notice("glass_broken", role, None, **who)
