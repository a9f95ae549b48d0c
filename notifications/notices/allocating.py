"""A case is allocated to a person: they are told, whoever had it before, and the manager on duty where nobody sees to it."""

from __future__ import annotations

from collections.abc import Iterator

from mash.config.words import lead_title
from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.occasion import Occasion, on
from mash.states.acts.allocating import CaseAllocated, CaseGivenBack, PresenceSaid


@on(CaseAllocated)
def allocated(event: CaseAllocated, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Whoever has it now, and whoever had it before."""
    lead = lead_title(occasion.after.stage, occasion.profile)
    yield occasion.notice("case_allocated", event.role, None, whom=event.worker, lead=lead)
    if occasion.before and (before := occasion.before.worker):
        yield occasion.notice("case_taken_over", before.role, None, whom=before.login)


@on(CaseGivenBack)
def given_back(event: CaseGivenBack, occasion: Occasion) -> Iterator[NoticeDraft]:
    """The manager on duty. Why, the case says."""
    yield occasion.notice("case_given_back", occasion.duty, None, worker=event.worker)


@on(PresenceSaid)
def away(event: PresenceSaid, occasion: Occasion) -> Iterator[NoticeDraft]:
    """The manager on duty, once for each absence; that somebody is there again needs nothing of anybody."""
    if event.presence != "there":
        yield occasion.notice("worker_away", occasion.duty, None, worker=event.worker, left=event.presence == "left")
