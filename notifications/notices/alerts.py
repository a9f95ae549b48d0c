"""A clock speaks: its owner is reminded, an agency chased, and rung after rung alerted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.occasion import Occasion, on
from mash.states.acts.informing import MATTERS
from mash.states.course import ClockEscalated, ClockWarned

AWAY = timedelta(minutes=15)
"""A breach that is found so long after the deadline was due while the pipeline was not running."""


@on(ClockEscalated)
def escalated(event: ClockEscalated, occasion: Occasion) -> Iterator[NoticeDraft]:
    """A clock that climbs before it is breached stands for immediate danger. So does what is late of a case while somebody may be
    in it, but for what the referrer waits to hear: whoever is told next must read that first."""
    clock = occasion.after.clocks[event.id]
    danger = occasion.after.in_danger and clock.kind not in MATTERS
    kind = "immediate_danger" if danger or not clock.breached_at else "escalation"
    away = {"away": True} if clock.breached_at and clock.breached_at - clock.due_at > AWAY else {}
    by_day = {"by_day": True} if clock.by_day and not occasion.after.in_danger else {}
    passed_on = {"passed_on": True} if event.passed_on else {}
    yield occasion.about(kind, event.role, event.id, rung=event.rung, **away, **by_day, **passed_on)


@on(ClockWarned)
def warned(event: ClockWarned, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Whoever the clock waits for."""
    kind = "chase" if occasion.after.clocks[event.id].kind == "check" else "warning"
    yield occasion.about(kind, event.role, event.id)
