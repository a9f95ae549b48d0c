"""Somebody comes of age in an open case: whoever manages it is told, so that the case is handed over or kept with a reason."""

from __future__ import annotations

from collections.abc import Iterator

from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.occasion import Occasion, on
from mash.states.acts.of_age import ComingOfAgeSaid


@on(ComingOfAgeSaid)
def said(event: ComingOfAgeSaid, occasion: Occasion) -> Iterator[NoticeDraft]:
    """The manager on duty, and whose turn it is if that is somebody else of the hub. Which person it is, the case says."""
    hub, whose = (*occasion.profile.raters, *occasion.profile.deciders), occasion.after.owner
    for role in dict.fromkeys((occasion.duty, *((whose,) if whose in hub else ()))):
        yield occasion.notice("coming_of_age", role, None, of_age=event.when == "today")
