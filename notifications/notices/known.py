"""Something about a child is to be looked at on a case. Mail and telephones say no more than that: who is known stands there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from mash.config.permissions import may
from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.occasion import Occasion, on
from mash.states.accumulation import add_up
from mash.states.acts.episodes import ContactAdded, ContactTakenBack
from mash.states.acts.known import LikelyKnown

OLD = timedelta(days=1)
"""What has been in for longer when it is first looked at came before there were such looks: nobody is called to all of them."""


@on(LikelyKnown)
def found(event: LikelyKnown, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Contacts add up, also where this one was closed at its receipt: the duty manager. Another contact came in about a child
    whose case this is: whoever has the case; or the duty manager, where it concerns somebody who works with children."""
    before, after, rule = occasion.before, occasion.after, occasion.profile.accumulation
    if before is None or (not before.looked and occasion.now - after.received_at > OLD):
        return
    told = set[str]()
    if add_up(after, rule) and not add_up(before, rule):
        told.add(occasion.duty)
    knew = {match.reference for match in before.matches}
    later = [m for m in event.matches if m.reference not in knew and m.received_at > after.received_at]
    for match in later if after.open else ():
        told.add(occasion.duty if match.concerns_a_professional else _whose(occasion))
    yield from (occasion.notice("look_at_case", role) for role in sorted(told))


@on(ContactAdded)
def added(event: ContactAdded, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Another contact is part of this case from now on: whoever has it."""
    yield occasion.notice("look_at_case", _whose(occasion))


@on(ContactTakenBack)
def taken_back(event: ContactTakenBack, occasion: Occasion) -> Iterator[NoticeDraft]:
    """A contact is no part of this case any more, and what it warned of may not be so: whoever has it."""
    yield occasion.notice("look_at_case", _whose(occasion))


def _whose(occasion: Occasion) -> str:
    """Whoever has the case, where that is somebody who may find people; a partner or a service it waits for may not know."""
    owner = occasion.after.owner or ""
    return owner if may(owner, "find_people") else occasion.duty
