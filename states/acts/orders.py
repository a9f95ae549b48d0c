"""A child is protected at once: the police take them into police protection, or a court makes an emergency protection order. Each
ends by itself, and by then somebody must have decided what comes next."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from mash.states.acts import demands
from mash.states.clocks import Due, dated
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete
from mash.states.fold import Changes, folds
from mash.states.rebuild import says_all
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


Children = Annotated[
    tuple[Code, ...],
    Field(description="Of whom; of every child whom it protects, unless given.", exclude_if=lambda subjects: not subjects),
]


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
    subjects: Children = ()


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
    subjects: tuple[str, ...] = Field(default=(), exclude_if=lambda subjects: not subjects)
    """Of whom; of everybody whom it protected, where nobody is named."""
    words: Words = Field(alias="said")


def _children(referral: Referral) -> tuple[str, ...]:
    return tuple(sid for sid, subject in referral.subjects.items() if subject.to_be_seen)


def _in_force(referral: Referral) -> tuple[str, ...]:
    return tuple(dict.fromkeys(order.order for order in referral.orders.values() if order.ended is None))


def _protected(referral: Referral, kind: str) -> tuple[str, ...]:
    """Whom an order of this kind protects now."""
    return tuple(sid for each in referral.orders.values() if each.order == kind and each.ended is None for sid in each.subjects)


def _name(kind: str, subjects: Collection[str]) -> str:
    """Under which an order stands beside another of its kind that protects other children."""
    return ":".join((kind, *subjects))


@act(RecordProtectionOrder, stages=SEEN, when=lambda referral: bool(_children(referral)))
def record_order(d: Deciding, cmd: RecordProtectionOrder, words: Words | None) -> None:
    """Its end is a clock; an emergency order takes the place of police protection of the same children."""
    subjects = tuple(dict.fromkeys(cmd.subjects)) or _children(d.referral)
    if others := [sid for sid in subjects if sid not in _children(d.referral)]:
        raise Incomplete(f"is about children who are born: {', '.join(_children(d.referral))}; not {', '.join(others)}")
    for field, at in (("since", cmd.since), ("until", cmd.until or cmd.since)):
        demands.of_these_days(d, at, field)
    until = cmd.until or (cmd.since + LONGEST[cmd.order] if cmd.order == POLICE else None)
    if cmd.since > d.now:
        raise Incomplete("an order, or police protection, is recorded once it has begun: check when (since)")
    if until is None:
        raise Incomplete("say until when the court ordered it (until)", needs=["until"])
    latest = cmd.since + LONGEST[cmd.order]
    if not cmd.since < until <= latest:
        raise Incomplete(f"by {SECTIONS[cmd.order]} it ends by {dated(latest)} at the latest: check the times")
    if until <= d.now:
        raise Incomplete("what is recorded here protects a child now, and this has ended: check the times (since, until)")
    d.record(ProtectionOrderRecorded(order=cmd.order, subjects=subjects, since=cmd.since, until=until, words=words))
    await_ends(d)


says_all(ProtectionOrderRecorded, RecordProtectionOrder)


def await_ends(d: Deciding, *, met: bool = True) -> None:
    """By the end of what protects a child somebody has decided what comes next. `met`: whether what is not waited for any more
    has been seen to."""
    due = {name: order for name, order in d.referral.orders.items() if order.ended is None}
    clocks = {clock.id: clock.id.split(".")[0] for clock in d.referral.running if clock.kind in LONGEST}
    over = [cid for cid, name in clocks.items() if name not in due or due[name].until != d.referral.clocks[cid].due_at]
    d.stop_clocks(*over, met=met)
    awaited = {name for cid, name in clocks.items() if cid not in over}
    for name, order in ((name, order) for name, order in due.items() if name not in awaited):
        why = f"{order.order.replace('_', ' ')} since {dated(order.since)} ends: what comes then is decided before"
        d.start_until(order.order, d.profile.statutory[order.order], Due(at=order.until, why=why), clock_id=name)


@act(EndProtectionOrder, stages=SEEN, when=lambda referral: bool(_in_force(referral)))
def end_order(d: Deciding, cmd: EndProtectionOrder, words: Words | None) -> None:
    """The words say what protects the child now."""
    if cmd.order not in _in_force(d.referral):
        raise Incomplete(f"that is not in force: expected {' or '.join(_in_force(d.referral))}")
    subjects, protected = tuple(dict.fromkeys(cmd.subjects)), _protected(d.referral, cmd.order)
    if others := [sid for sid in subjects if sid not in protected]:
        raise Incomplete(f"that protects {', '.join(protected)}; not {', '.join(others)}")
    written = demands.words(words, "the end of what protected a child")
    d.record(ProtectionOrderEnded(order=cmd.order, outcome=cmd.how, subjects=subjects, words=written))
    await_ends(d)


says_all(ProtectionOrderEnded, EndProtectionOrder, how="outcome")


def _no_longer(
    orders: dict[str, ProtectionOrder], kind: str, subjects: Collection[str], ended: str | None
) -> dict[str, ProtectionOrder]:
    """The orders, of which those of a kind no longer protect some: what is left of each goes on, and how it ended for the others
    stands beside it. `ended` is None where another of its kind takes its place."""
    after: dict[str, ProtectionOrder] = {}
    for name, order in orders.items():
        gone = tuple(sid for sid in order.subjects if sid in subjects)
        rest = tuple(sid for sid in order.subjects if sid not in subjects)
        if order.order != kind or order.ended is not None or not gone:
            after[name] = order
            continue
        if rest:
            after[name] = order.model_copy(update={"subjects": rest})
        if ended:
            over = order.model_copy(update={"subjects": gone, "ended": ended})
            after[_name(kind, gone) if rest else name] = over
    return after


@folds(ProtectionOrderRecorded)
def _recorded(referral: Referral, event: ProtectionOrderRecorded, at: datetime, by: Actor) -> Changes:
    new = ProtectionOrder(order=event.order, subjects=event.subjects, since=event.since, until=event.until)
    before = _no_longer(referral.orders, event.order, event.subjects, None)
    if event.order != POLICE:
        before = _no_longer(before, POLICE, event.subjects, event.order)
    other = before.get(event.order)
    name = event.order if other is None or other.ended is not None else _name(event.order, event.subjects)
    return {"orders": {**before, name: new}}


@folds(ProtectionOrderEnded)
def _ended(referral: Referral, event: ProtectionOrderEnded, at: datetime, by: Actor) -> Changes:
    subjects = event.subjects or _protected(referral, event.order)
    return {"orders": _no_longer(referral.orders, event.order, subjects, event.outcome)}
