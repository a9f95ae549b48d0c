"""A case's course: the stages it enters and the clocks that run on the way, as events, and how they are folded."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from mash.states.fold import Changes, folds
from mash.states.referral import Clock, Referral, StartedClock
from mash.states.values import Actor, EventBase


class StageEntered(EventBase):
    kind: Literal["stage_entered"] = "stage_entered"
    stage: str
    configuration: tuple[str, ...]
    came_from: str | None = None
    happened_at: datetime | None = Field(default=None, exclude_if=lambda at: at is None)
    """When what led there happened, where that was before it was recorded."""


class ClocksStarted(EventBase):
    kind: Literal["clocks_started"] = "clocks_started"
    clocks: tuple[StartedClock, ...]


class ClocksStopped(EventBase):
    """Clocks end: what they waited for happened (`met`), or it is no longer waited for."""

    kind: Literal["clocks_stopped"] = "clocks_stopped"
    ids: tuple[str, ...]
    met: bool
    happened_at: datetime | None = Field(default=None, exclude_if=lambda at: at is None)
    """When what they waited for happened, where that was on a day before it was recorded."""


class ClockMoved(EventBase):
    """A re-rating moved a clock. A breach already recorded stays recorded; where there is more time now, the clock begins `anew`,
    and reminds, runs out and climbs in its own right."""

    kind: Literal["clock_moved"] = "clock_moved"
    clock: StartedClock
    anew: bool = Field(default=False, exclude_if=lambda anew: not anew)


class ClockWarned(EventBase):
    """Part of a clock's life has passed: its owner is reminded (an agency is chased)."""

    kind: Literal["clock_warned"] = "clock_warned"
    id: str
    role: str
    due_at: datetime


class ClockBreached(EventBase):
    """A clock ran out. Where nobody is there whom it is for, the alert is raised at `told_at`; else at once."""

    kind: Literal["clock_breached"] = "clock_breached"
    id: str
    due_at: datetime
    told_at: datetime | None = Field(default=None, exclude_if=lambda at: at is None)


class ClockEscalated(EventBase):
    """A rung of the ladder: this role is told, and has until `next_at` to acknowledge."""

    kind: Literal["clock_escalated"] = "clock_escalated"
    id: str
    rung: int
    role: str
    due_at: datetime
    next_at: datetime
    passed_on: bool = Field(default=False, exclude_if=lambda passed_on: not passed_on)
    """Whether somebody who was told before cannot take it, and said so."""
    stands_in: bool = Field(default=False, exclude_if=lambda stands_in: not stands_in)
    """Whether the role is the out-of-hours role, which stands in for the rung's own."""


class AlertAcknowledged(EventBase):
    kind: Literal["alert_acknowledged"] = "alert_acknowledged"
    id: str
    renew_at: datetime
    rating: str | None = Field(default=None, exclude_if=lambda rating: rating is None)
    """The rating at which somebody took it on."""


class AcknowledgementEnded(EventBase):
    """Nobody has an alert any more: the case is more urgent than when it was taken on, whoever had it is away or off duty, or
    others see to it now. It is raised again at `told_at`: at once, or when the day team is there."""

    kind: Literal["acknowledgement_ended"] = "acknowledgement_ended"
    id: str
    why: Literal["rated_up", "off_duty", "handed_over"]
    told_at: datetime


class AlertSeen(EventBase):
    """The link in an alert was answered, by whoever has it: the ladder waits a little, for somebody to sign in and take it."""

    kind: Literal["alert_seen"] = "alert_seen"
    id: str
    until: datetime


NOBODY: dict[str, None] = {"acknowledged_by": None, "acknowledged_for": None}
"""An alert that nobody has taken on."""


@folds(StageEntered)
def _stage_entered(referral: Referral, event: StageEntered, at: datetime, by: Actor) -> Changes:
    where = {"stage": event.stage, "configuration": event.configuration, "came_from": event.came_from}
    return {**where, "stage_since": at, "stage_began": event.happened_at}


@folds(ClocksStarted)
def _clocks_started(referral: Referral, event: ClocksStarted, at: datetime, by: Actor) -> Changes:
    return {"clocks": {**referral.clocks, **{clock.id: _started(clock) for clock in event.clocks}}}


@folds(ClocksStopped)
def _clocks_stopped(referral: Referral, event: ClocksStopped, at: datetime, by: Actor) -> Changes:
    return _clocks(referral, {cid: _ended(referral.clocks[cid], event, at) for cid in event.ids})


@folds(ClockMoved)
def _clock_moved(referral: Referral, event: ClockMoved, at: datetime, by: Actor) -> Changes:
    old = referral.clocks[event.clock.id]
    moved = _started(
        event.clock,
        warned=old.warned if event.clock.warn_at == old.warn_at else 0,
        breached_at=old.breached_at,
        rung=old.rung,
        next_rung_at=old.next_rung_at,
        acknowledged_by=old.acknowledged_by,
        acknowledged_for=old.acknowledged_for,
        stood_in=old.stood_in,
        missed=old.missed,
    )
    if event.anew:
        moved = _started(event.clock, missed=(*old.missed, old.due_at))
    return {"clocks": {**referral.clocks, old.id: moved}}


@folds(ClockWarned)
def _clock_warned(referral: Referral, event: ClockWarned, at: datetime, by: Actor) -> Changes:
    passed = sum(moment <= at for moment in referral.clocks[event.id].warn_at)
    return _clocks(referral, {event.id: {"warned": passed}})


@folds(ClockBreached)
def _clock_breached(referral: Referral, event: ClockBreached, at: datetime, by: Actor) -> Changes:
    told = {"next_rung_at": event.told_at, **NOBODY} if event.told_at else {}
    return _clocks(referral, {event.id: {"breached_at": at, **told}})


@folds(ClockEscalated)
def _clock_escalated(referral: Referral, event: ClockEscalated, at: datetime, by: Actor) -> Changes:
    below = [rung for rung in referral.clocks[event.id].stood_in if rung < event.rung]
    stood_in = (*below, event.rung) if event.stands_in else tuple(below)
    told = {"rung": event.rung, "next_rung_at": event.next_at, "stood_in": stood_in}
    return _clocks(referral, {event.id: {**told, **NOBODY}})


@folds(AlertAcknowledged)
def _alert_acknowledged(referral: Referral, event: AlertAcknowledged, at: datetime, by: Actor) -> Changes:
    taken = {"acknowledged_by": by.id, "acknowledged_for": event.rating, "next_rung_at": event.renew_at}
    return _clocks(referral, {event.id: taken})


@folds(AcknowledgementEnded)
def _acknowledgement_ended(referral: Referral, event: AcknowledgementEnded, at: datetime, by: Actor) -> Changes:
    """Whoever has the role that had it last is told first, of all above them."""
    return _clocks(referral, {event.id: {"rung": referral.clocks[event.id].rung - 1, "next_rung_at": event.told_at, **NOBODY}})


@folds(AlertSeen)
def _alert_seen(referral: Referral, event: AlertSeen, at: datetime, by: Actor) -> Changes:
    return _clocks(referral, {event.id: {"seen_rung": referral.clocks[event.id].rung, "next_rung_at": event.until}})


def _clocks(referral: Referral, changes: dict[str, dict[str, Any]]) -> Changes:
    """The clocks, some of them changed: clock id -> fields."""
    changed = {cid: referral.clocks[cid].model_copy(update=fields) for cid, fields in changes.items()}
    return {"clocks": {**referral.clocks, **changed}}


_FRESH = Clock(id="", kind="", owner="", started_at=datetime.min, due_at=datetime.min, warn_at=(), why="", source="")
"""What has become of a clock that has just begun."""


def _started(clock: StartedClock, **so_far: Any) -> Clock:
    return _FRESH.model_copy(update={**clock.__dict__, **so_far})


def _ended(clock: Clock, event: ClocksStopped, at: datetime) -> dict[str, Any]:
    """How a clock ends. What happened in time is in time, though it was recorded after the clock had run out."""
    if event.happened_at is None:
        return {"ended_at": at, "met": event.met and clock.breached_at is None and at <= clock.due_at}
    ended = max(event.happened_at, clock.started_at)
    return {"ended_at": ended, "met": event.met and ended <= clock.due_at}
