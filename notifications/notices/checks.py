"""Agencies are asked what they know."""

from __future__ import annotations

from collections.abc import Iterator

from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.occasion import Occasion, latest, on
from mash.states.acts.checks import ChecksRequested


@on(ChecksRequested)
def asked(event: ChecksRequested, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Each agency, until when it has to reply."""
    for agency in event.agencies:
        clock_id = latest(occasion.after, f"check:{agency}")
        yield occasion.about("check_request", occasion.profile.agencies[agency].role, clock_id, agency=agency)
