"""Something of a case is offered to somebody outside: who is to accept it, and what became of that."""

from __future__ import annotations

from collections.abc import Iterator

from mash.config.words import authority_title, destination_title
from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.occasion import Occasion, on
from mash.states.acts.handing_over import KIND, HandOverCalledOff, HandOverOffered, HandOverReturned


def _to(occasion: Occasion, name: str) -> tuple[str, str | None]:
    """Whom it was offered to, as a title, and the role of theirs that is told; none where they are rung."""
    offered = occasion.after.hand_overs[name]
    title = destination_title(occasion.profile, offered.destination)
    if offered.authority:
        title = f"{title}: {authority_title(offered.authority)}"
    return title, offered.role


@on(HandOverOffered)
def offered(event: HandOverOffered, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Those who are to accept it, where they have a login; otherwise the manager on duty, who has them rung."""
    title, role = _to(occasion, event.hand_over)
    clock = f"{KIND}:{event.hand_over}"
    kind = "hand_over_offered" if role else "hand_over_to_make"
    yield occasion.about(kind, role or occasion.duty, clock, destination=title, takes_over=event.takes_over)


@on(HandOverReturned)
def returned(event: HandOverReturned, occasion: Occasion) -> Iterator[NoticeDraft]:
    """The manager on duty: the hub still has it. Those who let the time pass hear that it is offered to them no more."""
    title, role = _to(occasion, event.hand_over)
    kind = "hand_over_returned" if event.words else "hand_over_not_accepted"
    takes_over = occasion.after.hand_overs[event.hand_over].takes_over
    yield occasion.notice(kind, occasion.duty, destination=title, takes_over=takes_over)
    if role and not event.words:
        yield occasion.notice("hand_over_called_off", role, destination=title)


@on(HandOverCalledOff)
def called_off(event: HandOverCalledOff, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Whoever was asked: they may have begun to act on it, or believe that they have it. Who has no login is rung."""
    title, role = _to(occasion, event.hand_over)
    before = occasion.before.hand_overs.get(event.hand_over) if occasion.before else None
    accepted = before is not None and before.result == "accepted"
    yield occasion.notice("hand_over_called_off", role or occasion.duty, destination=title, accepted=accepted, ring=not role)
