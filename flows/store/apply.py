"""The one write path: what somebody does to a case, and to another one that it is about too, in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.across import hear
from mash.flows.store.append import Applied, append, lock, receive, standing
from mash.flows.store.copies import add_newcomers
from mash.flows.store.corrections import Given
from mash.flows.store.details import demand_consistent
from mash.flows.store.looking import ends_lightly, look_at_closed, look_first
from mash.flows.store.reads.earlier import demand_compared
from mash.flows.store.reads.participants import glass_broken
from mash.flows.store.shared_line import line_of, release_line
from mash.flows.store.sides import (
    Side,
    child_to_join,
    join_identified,
    other_side,
    others,
    silent_beside,
    stepped_up_beside,
    taken_back,
)
from mash.flows.store.store import Store, system_actor
from mash.flows.store.tables import REFERRALS
from mash.flows.store.writes import Writes
from mash.states.acts.across import AskOtherHubs
from mash.states.acts.alerts import FireClocks
from mash.states.acts.corrections import AddSubject, CorrectReferrer
from mash.states.acts.episodes import CloseDuplicate
from mash.states.acts.information import WHY_GLASS, BreakGlass
from mash.states.acts.known import IdentifySubject
from mash.states.acts.shared import ShareEarlierContact
from mash.states.clocks import day_of
from mash.states.decide import decide
from mash.states.errors import Incomplete, NotFound, NotYours, ReasonNeeded, Refusal
from mash.states.messages import Command, StaffCommand
from mash.states.values import SYSTEM, Actor

__all__ = ["Applied", "act", "apply", "fire_due", "next_due", "receive"]
log = structlog.stdlib.get_logger("mash.store")
PART = 100
PARTS_AT_ONCE = 3
"""Of a storm's clocks so many are written by one transaction, and so many of those at once: while the database writes some, the
next are decided."""


async def apply(
    connection: AsyncConnection,
    store: Store,
    reference: str,
    command: StaffCommand | Command,
    by: Actor,
    *,
    seen: int | None = None,
    words: str | None = None,
    redacted: str | None = None,
    details: Given | None = None,
    happened_at: datetime | None = None,
) -> Applied:
    """Apply a command within the caller's transaction, with what it means for another case. Raises a Refusal, NotFound, or
    VersionConflict when a person has acted since the version `seen`; NotFound also at a hub that is not served. Words, the
    redacted version of an item that is released, and details that put somebody right, are kept sealed; `happened_at` is
    when it was done, where that was before it is entered."""
    if by.role != SYSTEM:
        store.hub(by.hub)
    if isinstance(command, BreakGlass):
        await _check_glass(connection, store, by, words)
    if ends_lightly(command):
        await look_first(store, by.hub, reference)
    if isinstance(command, ShareEarlierContact):
        await look_at_closed(store, by.hub, reference)
    names = [reference, *await others(connection, by.hub, reference, command)]
    rows = {row.reference: row for row in await lock(connection, names) if row.hub == by.hub}
    if len(rows) < len(set(names)):
        raise NotFound("there is no such referral at this hub")
    if isinstance(command, AddSubject) and details is not None:
        demand_consistent(details, tuple(details), day_of(store.time.now()))
    if isinstance(command, CloseDuplicate):
        demand_compared(store, by, reference, command.other, command.compared)
    child = await child_to_join(connection, store, reference, command) if isinstance(command, IdentifySubject) else ""
    before = (await standing(connection, rows[reference])).referral if len(names) > 1 else None
    theirs = await other_side(connection, by.hub, reference, before, command) if before else []
    line = words
    if isinstance(command, ShareEarlierContact) and before and words:
        line = await line_of(connection, before, rows[command.other], words)
    heard = await hear(connection, store, rows[reference], command, by) if isinstance(command, AskOtherHubs) else None
    came: dict[str, Any] = {"words": line, "redacted": redacted, "details": details, "heard": heard}
    came["happened_at"] = happened_at
    applied = await append(connection, store, rows[reference], command, by, seen=seen, **came)
    if child:
        await join_identified(connection, store, by.hub, reference, applied.events, child)
    if isinstance(command, ShareEarlierContact) and words:
        applied = await release_line(connection, store, applied, command, words, by)
    if before:
        theirs += taken_back(reference, before, applied.referral)
        rules = await store.profile(connection, applied.referral.profile)
        theirs += stepped_up_beside(reference, before, applied.referral, rules, names[1:])
    if isinstance(command, CorrectReferrer):
        for linked in names[1:]:
            with suppress(Refusal):  # their people are erased, or somebody put it right there already
                await append(connection, store, rows[linked], command, by, words=words, details=details)
    await _record_there(connection, store, rows, theirs, child, by)
    if before:
        there = {name: (await standing(connection, rows[name])).referral for name in names[1:]}
        known = {name: state for name, state in there.items() if state}
        applied = await _silence(
            connection, store, applied, silent_beside(reference, before, applied.referral, command, known), by
        )
    if isinstance(command, CloseDuplicate) and before:
        await add_newcomers(connection, store, (reference, before), command.other, by)
    return applied


async def _record_there(
    connection: AsyncConnection, store: Store, rows: Mapping[str, Row[Any]], theirs: Sequence[Side], child: str, by: Actor
) -> None:
    """Record the other side of a command in the other cases; of one that identifies a child, who that is."""
    for other, its_side in theirs:
        if other not in rows:
            raise Incomplete("somebody else has just confirmed or taken back one of these: look again, then say it once more")
        answered = await append(connection, store, rows[other], its_side, by)
        if child:
            await join_identified(connection, store, by.hub, other, answered.events, child)


async def _silence(connection: AsyncConnection, store: Store, applied: Applied, sides: Sequence[Side], by: Actor) -> Applied:
    """Warn in the other cases of a family that must not be told, or in this one; each as it is after what was recorded there."""
    for name, side in sides:
        (row,) = await lock(connection, [name])
        warned = await append(connection, store, row, side, by)
        if name == applied.reference:
            applied = replace(warned, events=[*applied.events, *warned.events])
    return applied


_GLASS_TURN = text("SELECT glass_turn()")


async def _check_glass(connection: AsyncConnection, store: Store, by: Actor, words: str | None) -> None:
    """Raises ReasonNeeded, or NotYours for whoever reads as many cases already as one may: before anything is looked for, so that
    nobody learns by being refused which cases there are. Of several at once each waits for the one before, or all would count
    the same."""
    if not (words or "").strip():
        raise ReasonNeeded(f"{WHY_GLASS} needs a reason in words")
    await connection.execute(_GLASS_TURN)
    if await glass_broken(connection, by, store.time.now()) >= store.hub(by.hub).firewall.glass_cases:
        raise NotYours("you read as many cases as one may by breaking the glass at once: ring the hub")


async def act(
    store: Store,
    reference: str,
    command: StaffCommand | Command,
    by: Actor,
    *,
    seen: int | None = None,
    words: str | None = None,
    redacted: str | None = None,
    details: Given | None = None,
    of_system: bool = False,
) -> Applied:
    """Apply a command in a transaction of its own; `of_system`: where something else than their reach lets somebody act."""
    async with store.transaction(by, of_system=of_system, of_one_case=True) as connection:
        return await apply(connection, store, reference, command, by, seen=seen, words=words, redacted=redacted, details=details)


async def fire_due(
    store: Store, *, limit: int = 200, reference: str | None = None, late: Callable[[timedelta], None] | None = None
) -> int:
    """Let the clocks that are due warn, breach or climb; returns how many referrals had one, and tells `late` by how much the
    first one was. A run calls this for its own referral, the worker for all: the second one to come finds nothing due. A storm is
    written in batches."""
    due = (
        select(REFERRALS.c.reference, REFERRALS.c.hub, REFERRALS.c.next_at)
        .where(REFERRALS.c.next_at <= store.time.now())
        .order_by(REFERRALS.c.next_at)
        .limit(limit)
    )
    if reference:
        due = due.where(REFERRALS.c.reference == reference)
    async with store.single.connect() as connection:
        rows = (await connection.execute(due)).all()
    if rows and late:
        late(store.time.now() - rows[0].next_at)
    by_hub: dict[str, list[str]] = {}
    for row in rows:
        by_hub.setdefault(row.hub, []).append(row.reference)
    parts = [(hub, those[at : at + PART]) for hub, those in by_hub.items() for at in range(0, len(those), PART)]
    turns = asyncio.Semaphore(PARTS_AT_ONCE)

    async def fire(hub: str, some: list[str]) -> int:
        async with turns:
            return await _fire(store, hub, some)

    return sum(await asyncio.gather(*(fire(hub, some) for hub, some in parts)))


async def next_due(store: Store) -> datetime | None:
    """When the next clock of any referral has something to say."""
    async with store.single.connect() as connection:
        at: datetime | None = await connection.scalar(select(func.min(REFERRALS.c.next_at)))
        return at


async def _fire(store: Store, hub: str, references: list[str]) -> int:
    """Fire the clocks of these referrals in one transaction. One that fails must not hold up the others: they go on alone."""
    try:
        async with store.transaction(system_actor(hub)) as connection:
            return await _fire_together(connection, store, system_actor(hub), references)
    except Exception as error:
        if len(references) == 1:
            log.error("clocks could not be fired", reference=references[0], error=type(error).__name__)
            return 0
    return sum([await _fire(store, hub, [reference]) for reference in references])


async def _fire_together(connection: AsyncConnection, store: Store, by: Actor, references: list[str]) -> int:
    now, writes, fired = store.time.now(), Writes(store.keyring.rows), 0
    for row in await lock(connection, references):
        stands = await standing(connection, row)
        if stands.referral is None:
            continue
        profile = await store.profile(connection, stands.referral.profile)
        decision = decide(stands.referral, FireClocks(), profile, by, now, reference=row.reference)
        if decision.events:
            writes.append(stands, decision, profile, by, now)
            fired += 1
    await writes.flush(connection)
    return fired
