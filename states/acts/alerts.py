"""Clocks speak: they warn, run out and climb the ladder of roles, until somebody has it."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from mash.states.acts.handing_over import nobody_accepted
from mash.states.acts.step_down import comes_back
from mash.states.course import AlertAcknowledged, AlertSeen, ClockBreached, ClockWarned
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotYours
from mash.states.register import act
from mash.states.stages import ALL
from mash.states.values import Code, CommandBase, Words


class AcknowledgeAlert(CommandBase):
    """'I have it': stop the ladder of a clock."""

    kind: Literal["acknowledge_alert"] = "acknowledge_alert"
    clock: Code


SEEN_FOR = timedelta(minutes=30)
"""How long an alert rests that was seen by its link: a product default, the wait of a hub's first rung."""


class SeeAlert(CommandBase):
    """'I have seen it', by the link in an alert, of which nobody knows who pressed it: a person, or what looks through mail."""

    kind: Literal["see_alert"] = "see_alert"
    clock: Code


class FireClocks(CommandBase):
    """The system looks at the clocks: warn, breach, climb."""

    kind: Literal["fire_clocks"] = "fire_clocks"


@act(FireClocks)
def fire_clocks(d: Deciding, cmd: FireClocks, words: Words | None) -> None:
    """Let every clock that is due warn, breach or climb. What was offered and nobody accepted in time comes back."""
    for clock_id in tuple(d.referral.clocks):
        clock = d.referral.clocks[clock_id]
        if clock.next_at is None or clock.next_at > d.now:
            continue
        if clock.breached_at is None and clock.due_at <= d.now:
            d.record(ClockBreached(id=clock.id, due_at=clock.due_at))
            d.escalate(d.referral.clocks[clock_id])
            if clock.kind == "step_down_offered":
                comes_back(d, None)
            elif clock.kind == "hand_over":
                nobody_accepted(d, clock.whose)
        elif clock.next_rung_at and clock.next_rung_at <= d.now:
            d.escalate(clock)
        else:
            d.record(ClockWarned(id=clock.id, role=d.on_duty(clock.owner), due_at=clock.due_at))


@act(AcknowledgeAlert, stages=ALL, when=lambda referral: bool(referral.alerts), stands_alone=True)
def acknowledge(d: Deciding, cmd: AcknowledgeAlert, words: Words | None) -> None:
    """'I have it': the ladder stops, until the alert is renewed because its cause lasts."""
    _waits(d, cmd.clock)
    d.record(AlertAcknowledged(id=cmd.clock, renew_at=d.profile.calendar.add(d.now, d.profile.renew)))


@act(SeeAlert)
def see(d: Deciding, cmd: SeeAlert, words: Words | None) -> None:
    """The ladder rests once for each rung, and not at all in immediate danger: that somebody has it, only a person who signed in
    can say."""
    _waits(d, cmd.clock)
    if d.referral.immediate_danger:
        raise NotYours("somebody is in immediate danger: sign in to say that you have it; until then the alert goes on")
    clock = d.referral.clocks[cmd.clock]
    if clock.seen_rung >= clock.rung:
        raise Incomplete(
            "this alert was seen already: sign in to say that you have it; if nobody does, the next person is alerted"
        )
    until = d.now + SEEN_FOR
    d.record(AlertSeen(id=cmd.clock, until=max(until, clock.next_rung_at or until)))


def _waits(d: Deciding, clock: str) -> None:
    if clock not in d.referral.alerts:
        raise Incomplete(f"no alert on that clock waits for acknowledgement; waiting: {', '.join(d.referral.alerts) or 'none'}")
