"""Clocks speak: they warn, run out and climb the ladder of roles, until somebody has it."""

from __future__ import annotations

from typing import Literal

from mash.states.acts.step_down import comes_back
from mash.states.course import AlertAcknowledged, ClockBreached, ClockWarned
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete
from mash.states.register import act
from mash.states.stages import ALL
from mash.states.values import Code, CommandBase, Words


class AcknowledgeAlert(CommandBase):
    """'I have it': stop the ladder of a clock."""

    kind: Literal["acknowledge_alert"] = "acknowledge_alert"
    clock: Code


class FireClocks(CommandBase):
    """The system looks at the clocks: warn, breach, climb."""

    kind: Literal["fire_clocks"] = "fire_clocks"


@act(FireClocks)
def fire_clocks(d: Deciding, cmd: FireClocks, words: Words | None) -> None:
    """Let every clock that is due warn, breach or climb. A step-down that nobody accepted in time comes back."""
    for clock_id in tuple(d.referral.clocks):
        clock = d.referral.clocks[clock_id]
        if clock.next_at is None or clock.next_at > d.now:
            continue
        if clock.breached_at is None and clock.due_at <= d.now:
            d.record(ClockBreached(id=clock.id, due_at=clock.due_at))
            d.escalate(d.referral.clocks[clock_id])
            if clock.kind == "step_down_offered":
                comes_back(d, None)
        elif clock.next_rung_at and clock.next_rung_at <= d.now:
            d.escalate(clock)
        else:
            d.record(ClockWarned(id=clock.id, role=d.on_duty(clock.owner), due_at=clock.due_at))


@act(AcknowledgeAlert, stages=ALL, when=lambda referral: bool(referral.alerts), stands_alone=True)
def acknowledge(d: Deciding, cmd: AcknowledgeAlert, words: Words | None) -> None:
    """'I have it': the ladder stops, until the alert is renewed because its cause lasts."""
    if cmd.clock not in d.referral.alerts:
        raise Incomplete(f"no alert on that clock waits for acknowledgement; waiting: {', '.join(d.referral.alerts) or 'none'}")
    d.record(AlertAcknowledged(id=cmd.clock, renew_at=d.profile.calendar.add(d.now, d.profile.renew)))
