"""Folding a storm: one message that names forty referrals, not forty messages. Red stays alone, and goes first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from mash.notifications.notices import LATE, REFERRER, URGENT

FOLD_FROM = 4
"""From so many that wait for one recipient at once they are one message."""
MOST_ALONE = 20
"""With more red referrals than this for one recipient at once, they are one message: the pipeline was away."""
ALONE = (
    "immediate_danger",
    "glass_broken",
    "check_request",
    "meeting_convened",
    "meeting_called_off",
    "strategy_discussion",
    "strategy_discussion_scheduled",
    "strategy_discussion_called_off",
    "ring_invited",
    "system",
    "test",
)
"""Kinds that are never folded: a child in danger, somebody who reads a case from outside, what asks for an act of its own, and
what carries a file."""


class Waiting(Protocol):
    """A notice that waits to be sent, to whom, and how."""

    @property
    def reference(self) -> str | None: ...
    @property
    def hub(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def person(self) -> str | None: ...
    @property
    def kind(self) -> str: ...
    @property
    def urgency(self) -> int: ...
    @property
    def labels(self) -> tuple[str, ...]: ...


W = TypeVar("W", bound=Waiting)


def folded(waiting: Iterable[W]) -> list[list[W]]:
    """The notices as they are to be sent, the urgent first: alone, or together with others by the same channels. What is red is
    alone with what else is late about the same referral."""
    together: dict[tuple[str, str, tuple[str, ...], bool], list[W]] = {}
    batches = []
    for notice in waiting:
        if notice.role == REFERRER or notice.kind in ALONE:
            batches.append([notice])
        else:
            red = notice.urgency < LATE
            together.setdefault((notice.hub, notice.person or notice.role, notice.labels, red), []).append(notice)
    for (*_, red), same in together.items():
        by_referral: dict[str | None, list[W]] = {}
        for notice in same:
            by_referral.setdefault(notice.reference, []).append(notice)
        if red and len(by_referral) <= MOST_ALONE:
            batches += by_referral.values()
        elif red or len(same) >= FOLD_FROM:
            batches.append(same)
        else:
            for about_one in by_referral.values():  # what is late about one referral is one message, however few there are
                late = [notice for notice in about_one if notice.kind in URGENT]
                batches += [*([late] if late else []), *([notice] for notice in about_one if notice not in late)]
    return sorted(batches, key=lambda batch: min(notice.urgency for notice in batch))
