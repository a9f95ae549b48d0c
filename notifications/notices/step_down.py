"""A case is offered to a service, which may give it back."""

from __future__ import annotations

from collections.abc import Iterator

from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.occasion import Occasion, called, on
from mash.states.acts.step_down import StepDownOffered, StepDownReturned


@on(StepDownOffered)
def offered(event: StepDownOffered, occasion: Occasion) -> Iterator[NoticeDraft]:
    """The service."""
    service = occasion.profile.services[event.service]
    yield occasion.notice("step_down_offered", service.role, service=service.title, **called(occasion))


@on(StepDownReturned)
def returned(event: StepDownReturned, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Whoever gives it back says why; a service that never answered says nothing: each time that happens to a case, the next
    above the manager on duty is told too."""
    if event.words:
        yield occasion.notice("step_down_returned", occasion.duty, **called(occasion))
        return
    ladder = [rung.role for rung in occasion.profile.ladder]
    rounds = sum(clock.kind == "step_down_offered" and clock.breached_at is not None for clock in occasion.after.clocks.values())
    for role in dict.fromkeys((occasion.duty, ladder[min(rounds, len(ladder)) - 1])):
        yield occasion.notice("step_down_not_accepted", role, rounds=rounds, **called(occasion))
