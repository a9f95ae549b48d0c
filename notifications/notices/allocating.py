"""A case is allocated to a person: they are told, whoever had it before, and the manager on duty where nobody sees to it."""

from __future__ import annotations

from collections.abc import Iterator

from mash.config.words import lead_title
from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.occasion import Occasion, on
from mash.states.acts.allocating import CaseAllocated, CaseGivenBack, PresenceSaid


def to_worker(occasion: Occasion, role: str, worker: str) -> NoticeDraft:
    """To whoever has the case: that they have it, and as what."""
    lead = lead_title(occasion.after.stage, occasion.profile)
    return occasion.notice("case_allocated", role, None, whom=worker, lead=lead)


@on(CaseAllocated)
def allocated(event: CaseAllocated, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Whoever has it now, and whoever had it before."""
    yield to_worker(occasion, event.role, event.worker)
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
