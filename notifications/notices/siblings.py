"""A case that this one is linked with is stepped up: whoever has this one is told."""

from __future__ import annotations

from collections.abc import Iterator

from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.occasion import Occasion, on
from mash.states.acts.siblings import LinkedCaseSteppedUp


@on(LinkedCaseSteppedUp)
def stepped_up(event: LinkedCaseSteppedUp, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Whose turn it is, and the manager on duty; of a case that is over, the manager alone, who may open it again."""
    whose = occasion.after.owner if occasion.after.open else None
    service = occasion.profile.services.get(occasion.after.service or "")
    for role in dict.fromkeys((*((whose,) if whose else ()), *((service.role,) if service else ()), occasion.duty)):
        yield occasion.notice("linked_case_stepped_up", role, None, linked=event.other, because=event.why)
