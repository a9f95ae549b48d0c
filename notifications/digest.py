"""Folding a storm: one message that names forty referrals, not forty messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from mash.notifications.wording import REFERRER, Message

FOLD_FROM = 4
"""From so many that wait for one recipient at once they are one message."""
ALONE = ("immediate_danger", "check_request", "meeting_convened", "strategy_discussion", "system")
"""Kinds that are never folded: a child in danger, what asks for an act of its own, and what carries a file."""


class Waiting(Protocol):
    """A notice that waits to be sent."""

    @property
    def hub(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def kind(self) -> str: ...


W = TypeVar("W", bound=Waiting)


def foldable(notice: Waiting) -> bool:
    """Whether a notice may be one of many in a message."""
    return notice.role != REFERRER and notice.kind not in ALONE


def folded(waiting: Iterable[W]) -> list[list[W]]:
    """The notices as they are to be sent: alone, or together with the others for the same role of the same hub."""
    together: dict[tuple[str, str], list[W]] = {}
    batches = []
    for notice in waiting:
        if foldable(notice):
            together.setdefault((notice.hub, notice.role), []).append(notice)
        else:
            batches.append([notice])
    for same in together.values():
        batches += [same] if len(same) >= FOLD_FROM else [[notice] for notice in same]
    return batches


def digest(messages: list[Message]) -> Message:
    """One message of many: each by its title, and with the address where it is acknowledged or looked at."""
    late = sum(message.title.startswith("LATE") for message in messages)
    title = f"{len(messages)} alerts" + (f", {late} of them late" if late else "")
    lines = [f"{message.title}\n{message.body.rsplit(chr(10), 1)[-1]}" for message in messages]
    return Message(title=title, body="They came at the same time and are one message:\n\n" + "\n\n".join(lines))
