"""Something waits for a second person; or a second person does not agree, and it no longer stands."""

from __future__ import annotations

from collections.abc import Iterator

from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.occasion import Occasion, latest, on
from mash.states.acts.countersigning import Countersigned
from mash.states.acts.seconding import IN_WORDS, KIND, OverrideProposed, SecondNamed


@on(SecondNamed)
def named(event: SecondNamed, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Who agreed by an act of theirs has done all that is to be done."""
    if event.agreement != "signed_in":
        yield _waits(occasion, event.id, event.about, done=True)


@on(OverrideProposed)
def proposed(event: OverrideProposed, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Nothing leaves until somebody else agrees."""
    yield _waits(occasion, event.id, "override", done=False)


@on(Countersigned)
def refused(event: Countersigned, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Whoever manages the case: what was done alone no longer stands."""
    if not event.agreed:
        yield occasion.notice("countersignature_refused", occasion.duty, None, about=IN_WORDS[event.about])


def _waits(occasion: Occasion, name: str, about: str, *, done: bool) -> NoticeDraft:
    clock, role = latest(occasion.after, f"{KIND}:{name}"), occasion.profile.seconding.role
    return occasion.about("countersignature", role, clock, about=IN_WORDS[about], done=done)
