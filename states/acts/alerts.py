"""Clocks speak: they warn, run out and climb the ladder of roles, until somebody has it."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import AwareDatetime, Field

from mash.states.acts.handing_over import KIND as HAND_OVER
from mash.states.acts.handing_over import HandOverReturned, nobody_accepted
from mash.states.acts.step_down import StepDownReturned, comes_back
from mash.states.course import (
    AcknowledgementEnded,
    AlertAcknowledged,
    AlertSeen,
    ClockBreached,
    ClockEscalated,
    ClockWarned,
)
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotYours, Refusal
from mash.states.profile import Profile
from mash.states.rebuild import Caused, as_given, rebuilds, says_all
from mash.states.referral import Referral
from mash.states.register import act
from mash.states.roles import may_pass_on, next_rung, passed_to
from mash.states.stages import ALL
from mash.states.values import Actor, Code, CommandBase, Login, Words


class AcknowledgeAlert(CommandBase):
    """'I have it': stop the ladder of a clock."""

    kind: Literal["acknowledge_alert"] = "acknowledge_alert"
    clock: Code
    until: AwareDatetime | None = Field(
        default=None,
        exclude_if=lambda until: until is None,
        description="Until when you have it; as long as the hub lets such an alert rest, unless said.",
    )


class PassAlertOn(CommandBase):
    """'I cannot': the next role of the ladder is told now."""

    kind: Literal["pass_alert_on"] = "pass_alert_on"
    clock: Code
    rung: int | None = Field(
        default=None,
        exclude_if=lambda rung: rung is None,
        description="The rung of the ladder that was told when you looked: refused where another one has been told since.",
    )


SEEN_FOR = timedelta(minutes=30)
"""How long an alert rests that was seen by its link: a product default, the wait of a hub's first rung."""


class SeeAlert(CommandBase):
    """'I have seen it', by the link in an alert, of which nobody knows who pressed it: a person, or what looks through mail."""

    kind: Literal["see_alert"] = "see_alert"
    clock: Code


class FireClocks(CommandBase):
    """The system looks at the clocks: warn, breach, climb."""

    kind: Literal["fire_clocks"] = "fire_clocks"
    left: dict[Code, Login] = Field(default={}, exclude_if=lambda some: not some)
    """Clocks whose alert somebody has taken on who is away by now, or whose shift is over: who that is."""


@act(FireClocks)
def fire_clocks(d: Deciding, cmd: FireClocks, words: Words | None) -> None:
    """Let every clock that is due warn, breach or climb. What was offered and nobody accepted in time comes back."""
    for clock_id in tuple(d.referral.clocks):
        clock = d.referral.clocks[clock_id]
        if clock.running and clock.acknowledged_by and clock.acknowledged_by == cmd.left.get(clock_id):
            d.end_acknowledgement(clock, "off_duty")
        elif clock.next_at is None or clock.next_at > d.now:
            continue
        elif clock.breached_at is None and clock.due_at <= d.now:
            if d.breach(clock):
                _tell(d, clock_id)
        elif clock.next_rung_at and clock.next_rung_at <= d.now:
            _tell(d, clock_id)
        else:
            d.record(ClockWarned(id=clock.id, role=d.on_duty(clock.owner), due_at=clock.due_at))


@rebuilds(FireClocks, ClockBreached, ClockEscalated, ClockWarned, AcknowledgementEnded, StepDownReturned, HandOverReturned)
def _fire_clocks_again(
    caused: Caused, event: ClockBreached | ClockEscalated | ClockWarned | AcknowledgementEnded | StepDownReturned
) -> FireClocks:
    """Whose alert was raised again because they are away stands in the case before it."""
    ended = (each.id for each in caused.every(AcknowledgementEnded) if each.why == "off_duty")
    return as_given(FireClocks, left={cid: str(caused.referral.clocks[cid].acknowledged_by) for cid in ended})


def _tell(d: Deciding, clock_id: str) -> None:
    """Alert the next rung to a clock. A step-down that nobody has accepted has no ladder: it comes back, to be decided. So does
    what was handed over, once somebody has been told."""
    clock = d.referral.clocks[clock_id]
    if clock.kind == "step_down_offered" and clock.breached_at:
        comes_back(d, None)
        return
    first = clock.rung < 0
    d.escalate(clock)
    if clock.kind == HAND_OVER and first:
        nobody_accepted(d, clock.whose)


@act(AcknowledgeAlert, stages=ALL, when=lambda referral: bool(referral.alerts), stands_alone=True)
def acknowledge(d: Deciding, cmd: AcknowledgeAlert, words: Words | None) -> None:
    """'I have it': the ladder stops, until the alert is renewed because its cause lasts."""
    _waits(d, cmd.clock)
    d.acknowledge(d.referral.clocks[cmd.clock], cmd.until)


@rebuilds(AcknowledgeAlert, AlertAcknowledged)
def _acknowledge_alert_again(caused: Caused, event: AlertAcknowledged) -> AcknowledgeAlert:
    longest = caused.profile.had_until(caused.referral.rating, caused.at)
    return as_given(AcknowledgeAlert, clock=event.id, until=event.renew_at if event.renew_at < longest else None)


def _not_to_pass_on(referral: Referral, profile: Profile, by: Actor, cmd: PassAlertOn | None) -> Refusal | None:
    """An alert that waits, or that whoever acts has: whoever was told of it sends it up the ladder, as long as somebody stands
    above. Who is on duty there now, the act itself looks."""
    raised = [clock for clock in referral.running if clock.rung >= 0]
    if any(cmd and clock.id == cmd.clock and cmd.rung not in (None, clock.rung) for clock in raised):
        return Incomplete("this was passed on already: somebody else has been told since you looked. Look at the alert again")
    open_to = [clock for clock in raised if clock.acknowledged_by in (None, by.id)]
    asked = [clock for clock in open_to if cmd is None or clock.id == cmd.clock]
    if not asked:
        return Incomplete(f"no alert on that clock is yours to pass on; waiting: {', '.join(referral.alerts) or 'none'}")
    theirs = [clock for clock in asked if may_pass_on(referral, clock, profile, by)]
    if not theirs:
        return NotYours("this alert did not come to you: whoever was told of it, or has it, passes it on. Ring the hub instead")
    return None if any(next_rung(clock, profile) for clock in theirs) else _nobody_above()


def _nobody_above() -> Refusal:
    return Incomplete("whoever is told of this last has been told: nobody stands above. Ring somebody who can take it")


@act(
    PassAlertOn,
    stages=ALL,
    when=lambda referral: any(clock.rung >= 0 for clock in referral.running),
    hindrance=_not_to_pass_on,
    stands_alone=True,
)
def pass_on(d: Deciding, cmd: PassAlertOn, words: Words | None) -> None:
    """'I cannot': whoever would be told next is told now, and that it was passed on, and by whom, is recorded. One who was told
    already, and stands in for the next role too, is left out."""
    clock = d.referral.clocks[cmd.clock]
    rung = passed_to(d.referral, clock, d.profile, d.by, d.now)
    if rung is None:
        raise _nobody_above()
    d.escalate(clock, passed_to=rung)


@rebuilds(PassAlertOn, ClockEscalated)
def _pass_alert_on_again(caused: Caused, event: ClockEscalated) -> PassAlertOn:
    return as_given(PassAlertOn, clock=event.id)


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


says_all(AlertSeen, SeeAlert, clock="id")


def _waits(d: Deciding, clock: str) -> None:
    if clock not in d.referral.alerts:
        raise Incomplete(f"no alert on that clock waits for acknowledgement; waiting: {', '.join(d.referral.alerts) or 'none'}")
