"""What one shift hands over to the next: what is open, what was promised and by when, and what is due before others take over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.reads.case import Case, case_read_by, rightly_shown
from mash.flows.store.reads.look import note_accesses
from mash.flows.store.reads.opened import said_of, words_of
from mash.flows.store.rotas import read_rota
from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS
from mash.notifications.rota import OnDuty, Rota
from mash.states.acts.actions import RecordAction, open_actions
from mash.states.acts.handing_over import KIND as HAND_OVER
from mash.states.acts.informing import CLOCKS, owed
from mash.states.clocks import Calendar
from mash.states.referral import Referral
from mash.states.register import kind_of
from mash.states.values import Actor

MOST = 100
"""Cases of a list; more are on the board."""
MOST_PROMISES = 200
MOST_LOOKED_THROUGH = 2_000
"""Cases in which something may have been promised, those due soonest."""
AHEAD = timedelta(days=7)
"""So far ahead a rota is looked through for the next shift."""
A_SHIFT = timedelta(hours=12)
"""Where neither the rota nor the profile says when the next one begins. A product default, ours."""
PROMISING = (
    '"acknowledged_by":"',
    '"actions":{"',
    '"hand_overs":{"',
    '"do_not_write"',
    '"safe_contact"',
    '"referrer_by_other_means"',
)
"""What stands in the state of a case in which something may have been promised."""
Promised = Literal["action", "hand_over", "referrer", "alert"]


@dataclass(frozen=True)
class Promise:
    """What somebody has undertaken to do, or is waited for to accept; by when, where that is known."""

    case: Case
    what: Promised
    who: str
    """By code: an agency, role or destination; of an alert, who has it by login; of a referrer, what they are to hear."""
    due_at: datetime | None
    login: str = ""
    why: str = ""
    """Of an alert, the clock that it is about."""
    item: str = ""
    """Of an action, the item in which it was agreed."""
    words: str = ""
    """Of an action that was recorded by itself, what is to be done."""


@dataclass(frozen=True)
class EndOfShift:
    """What is handed over, and when."""

    next_at: datetime
    """When the next shift begins."""
    by_rota: bool
    """Whether the rota says so; else the hub's opening hours do, or neither."""
    next_on_duty: dict[str, tuple[OnDuty, ...]]
    """By role: who is on duty then, by the rota."""
    due: list[Case]
    """Open, and due before that: in immediate danger first, then what is due soonest."""
    later: list[Case]
    """Open, and due after that."""
    due_in_all: int
    open_in_all: int
    promises: list[Promise]
    promises_in_all: int
    people: dict[str, list[dict[str, Any]]]
    """By reference: its subjects, as they were described."""


async def end_of_shift(store: Store, by: Actor) -> EndOfShift:
    """What the hub of whoever asks hands over now. Each case that is shown is an access to it."""
    now, rota, calendar = store.time.now(), await read_rota(store, by.hub), store.hub(by.hub).calendar
    next_at, by_rota = _next_shift(rota, calendar, now)
    async with store.transaction(by) as connection:
        before = (REFERRALS.c.is_open, REFERRALS.c.due_at < next_at)
        after = (REFERRALS.c.is_open, or_(REFERRALS.c.due_at >= next_at, REFERRALS.c.due_at.is_(None)))
        due = await _cases(connection, store, by, *before, limit=MOST)
        later = await _cases(connection, store, by, *after, limit=MOST)
        promising = or_(*(func.strpos(REFERRALS.c.state, part) > 0 for part in PROMISING))
        unfinished = await _cases(connection, store, by, ~REFERRALS.c.finished, promising, limit=MOST_LOOKED_THROUGH)
        promises = sorted(
            (promise for case in unfinished for promise in promises_of(case)),
            key=lambda each: (each.due_at is None, each.due_at or now, each.case.reference),
        )
        told, kept = len(promises), promises[:MOST_PROMISES]
        words = await words_of(connection, store, [each.item for each in kept if each.item], kind_of(RecordAction))
        shown = {case.reference: case for case in (*due, *later, *(each.case for each in kept))}
        said = await said_of(connection, store, [*shown.values()], ("subject",))
        await note_accesses(connection, store, sorted(shown), by, "read_end_of_shift", "hands the shift over")
        return EndOfShift(
            next_at=next_at,
            by_rota=by_rota,
            next_on_duty={role: found for role in rota.roles if (found := rota.on_duty(role, next_at, calendar))},
            due=sorted(due, key=lambda case: not case.referral.in_danger),
            later=later,
            due_in_all=await _count(connection, by, *before),
            open_in_all=await _count(connection, by, REFERRALS.c.is_open),
            promises=[replace(each, words=words.get(each.item, "")) for each in kept],
            promises_in_all=told,
            people={reference: [each.fields for each in some] for reference, some in said.items()},
        )


def promises_of(case: Case) -> Iterator[Promise]:
    """What was promised in a case, and is still to come."""
    referral = case.referral
    for aid in open_actions(referral):
        action = referral.actions[aid]
        yield Promise(case, "action", action.owner, action.due_at, action.login or "", item=action.words.item)
    for name in referral.offered:
        yield Promise(case, "hand_over", name, _due(referral, f"{HAND_OVER}:{name}"))
    for matter in owed(referral) if referral.by_person else ():
        yield Promise(case, "referrer", matter, _due(referral, CLOCKS[matter]))
    for clock in referral.running:
        if clock.acknowledged_by:
            yield Promise(case, "alert", clock.owner, clock.next_rung_at, clock.acknowledged_by, clock.why)


def _due(referral: Referral, clock: str) -> datetime | None:
    """When a clock of this name is due, the first time or another."""
    return min((each.due_at for each in referral.running if each.id.partition(".")[0] == clock), default=None)


def _next_shift(rota: Rota, calendar: Calendar, now: datetime) -> tuple[datetime, bool]:
    """When the next shift begins, and whether the rota says so: where it does not, it is when the hub opens or closes."""
    if at := rota.next_turn(now, now + AHEAD, calendar):
        return at, True
    return calendar.next_change(now) or now + A_SHIFT, False


async def _cases(connection: AsyncConnection, store: Store, by: Actor, *which: ColumnElement[bool], limit: int) -> list[Case]:
    """Cases of the hub that somebody reaches, those due soonest first."""
    query = select(REFERRALS).where(REFERRALS.c.hub == by.hub, *which)
    rows = (await connection.execute(query.order_by(REFERRALS.c.due_at, REFERRALS.c.reference).limit(limit))).all()
    cases = [case_read_by(store, row, by) for row in rows]
    await store.read_rules(connection, (case.referral for case in cases))
    return await rightly_shown(connection, store, cases, by)


async def _count(connection: AsyncConnection, by: Actor, *which: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(REFERRALS).where(REFERRALS.c.hub == by.hub, *which)
    return int(await connection.scalar(query) or 0)
