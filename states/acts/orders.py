"""A child is protected at once: the police take them into police protection, or a court makes an emergency protection order. Each
ends by itself, and by then somebody must have decided what comes next."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, Field

from mash.states.acts import demands
from mash.states.clocks import Due, dated
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete
from mash.states.fold import Changes, folds
from mash.states.referral import ProtectionOrder, Referral
from mash.states.register import act
from mash.states.stages import SEEN
from mash.states.values import Actor, Code, CommandBase, EventBase, Words

Order = Literal["police_protection", "emergency_protection_order"]
POLICE = "police_protection"
LONGEST = {POLICE: timedelta(hours=72), "emergency_protection_order": timedelta(days=15)}
"""Police protection: 72 hours (Children Act 1989 s.46 (6)).
An emergency order: eight days, once extended by up to seven (s.45)."""
SECTIONS = {POLICE: "Children Act 1989 s.46", "emergency_protection_order": "Children Act 1989 s.44 and 45"}


class RecordProtectionOrder(CommandBase):
    """Police protection, or an emergency protection order: since when, until when, of whom. An order that is extended is recorded
    again."""

    kind: Literal["record_protection_order"] = "record_protection_order"
    order: Order
    since: AwareDatetime = Field(description="When the child was taken into police protection, or the order was made.")
    until: AwareDatetime | None = Field(
        default=None, description="As ordered. Police protection ends after 72 hours, unless an earlier end is given."
    )
    subjects: tuple[Code, ...] = Field(default=(), description="Of whom; of every child, unless given.")


class EndProtectionOrder(CommandBase):
    """Police protection, or an emergency order, has ended: how, and what holds now."""

    kind: Literal["end_protection_order"] = "end_protection_order"
    order: Order
    how: Literal["ran_out", "released", "discharged", "interim_order_made", "accommodated_by_agreement"]


class ProtectionOrderRecorded(EventBase):
    kind: Literal["protection_order_recorded"] = "protection_order_recorded"
    order: str
    subjects: tuple[str, ...]
    since: datetime
    until: datetime
    words: Words | None = Field(alias="said")


class ProtectionOrderEnded(EventBase):
    kind: Literal["protection_order_ended"] = "protection_order_ended"
    order: str
    outcome: str
    words: Words = Field(alias="said")


def _children(referral: Referral) -> tuple[str, ...]:
    return tuple(sid for sid, subject in referral.subjects.items() if subject.to_be_seen)


def _in_force(referral: Referral) -> tuple[str, ...]:
    return tuple(name for name, order in referral.orders.items() if order.ended is None)


@act(RecordProtectionOrder, stages=SEEN, when=lambda referral: bool(_children(referral)))
def record_order(d: Deciding, cmd: RecordProtectionOrder, words: Words | None) -> None:
    """Its end is a clock; an emergency order takes the place of police protection."""
    subjects = tuple(dict.fromkeys(cmd.subjects)) or _children(d.referral)
    if others := [sid for sid in subjects if sid not in _children(d.referral)]:
        raise Incomplete(f"is about children who are born: {', '.join(_children(d.referral))}; not {', '.join(others)}")
    until = cmd.until or (cmd.since + LONGEST[cmd.order] if cmd.order == POLICE else None)
    if cmd.since > d.now:
        raise Incomplete("an order, or police protection, is recorded once it has begun: check when (since)")
    if until is None:
        raise Incomplete("say until when the court ordered it (until)", needs=["until"])
    latest = cmd.since + LONGEST[cmd.order]
    if not cmd.since < until <= latest:
        raise Incomplete(f"by {SECTIONS[cmd.order]} it ends by {dated(latest)} at the latest: check the times")
    d.record(ProtectionOrderRecorded(order=cmd.order, subjects=subjects, since=cmd.since, until=until, words=words))
    d.stop(POLICE, cmd.order)
    await_ends(d)


def await_ends(d: Deciding) -> None:
    """By the end of what protects a child somebody has decided what comes next."""
    for name, order in d.referral.orders.items():
        if order.ended is None and not any(clock.kind == name for clock in d.referral.running):
            why = f"{name.replace('_', ' ')} since {dated(order.since)} ends: what comes then is decided before"
            d.start_until(name, d.profile.statutory[name], Due(at=order.until, why=why))


@act(EndProtectionOrder, stages=SEEN, when=lambda referral: bool(_in_force(referral)))
def end_order(d: Deciding, cmd: EndProtectionOrder, words: Words | None) -> None:
    """The words say what protects the child now."""
    if cmd.order not in _in_force(d.referral):
        raise Incomplete(f"that is not in force: expected {' or '.join(_in_force(d.referral))}")
    written = demands.words(words, "the end of what protected a child")
    d.record(ProtectionOrderEnded(order=cmd.order, outcome=cmd.how, words=written))
    d.stop(cmd.order)


@folds(ProtectionOrderRecorded)
def _recorded(referral: Referral, event: ProtectionOrderRecorded, at: datetime, by: Actor) -> Changes:
    new = ProtectionOrder(order=event.order, subjects=event.subjects, since=event.since, until=event.until)
    before = {
        name: order.model_copy(update={"ended": "emergency_protection_order"})
        for name, order in referral.orders.items()
        if name == POLICE and event.order != name and order.ended is None
    }
    return {"orders": {**referral.orders, **before, event.order: new}}


@folds(ProtectionOrderEnded)
def _ended(referral: Referral, event: ProtectionOrderEnded, at: datetime, by: Actor) -> Changes:
    ended = referral.orders[event.order].model_copy(update={"ended": event.outcome})
    return {"orders": {**referral.orders, event.order: ended}}
