"""A clock speaks: its owner is reminded, an agency chased, and rung after rung alerted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.occasion import Occasion, on
from mash.states.course import ClockEscalated, ClockWarned

AWAY = timedelta(minutes=15)
"""A breach that is found so long after the deadline was due while the pipeline was not running."""


@on(ClockEscalated)
def escalated(event: ClockEscalated, occasion: Occasion) -> Iterator[NoticeDraft]:
    """A clock that climbs before it is breached stands for immediate danger."""
    clock = occasion.after.clocks[event.id]
    kind = "escalation" if clock.breached_at else "immediate_danger"
    away = {"away": True} if clock.breached_at and clock.breached_at - clock.due_at > AWAY else {}
    by_day = {"by_day": True} if clock.by_day and not occasion.after.in_danger else {}
    yield occasion.about(kind, event.role, event.id, rung=event.rung, **away, **by_day)


@on(ClockWarned)
def warned(event: ClockWarned, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Whoever the clock waits for."""
    kind = "chase" if occasion.after.clocks[event.id].kind == "check" else "warning"
    yield occasion.about(kind, event.role, event.id)
