"""Samples of decisions to audit: drawing one by rule and seed, drawing it again to see that it was not chosen, and closing it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.reads.audits import Draw, WhyClosed, draw_of
from mash.flows.store.reads.case import split_from
from mash.flows.store.reads.look import note_shown
from mash.flows.store.store import Store
from mash.flows.store.tables import AUDIT_DRAWS, AUDIT_RESULTS
from mash.states.accumulation import contact_of
from mash.states.auditing import MOST, TWICE, Facts, Rule, Split, decided_on, drawn, in_its_history, meant
from mash.states.clocks import LONDON
from mash.states.errors import Incomplete, NotFound
from mash.states.referral import Referral
from mash.states.values import Actor

AT_A_TIME = 200
"""States in memory at once, of some kilobytes each."""
SEEDS = 10**9
"""A seed is a whole number below this: drawn with the sample, so that nobody looks for one that draws what they want."""
FINISHED: WhyClosed = "all_audited"
ONE_OPEN = "audit_draw_open"
"""The index by which one sample of a hub is open at a time."""

# What is decided in a period has an event in it, or later where it was entered later. Where the rule asks for facts, only cases
# of which there are any are read: a state is kilobytes.
_SINCE = text("""
    SELECT reference, state FROM referral WHERE hub = :hub AND (CAST(:only AS text[]) IS NULL OR reference = ANY(:only))
        AND EXISTS (SELECT FROM event e WHERE e.reference = referral.reference AND e.at >= :since)""")
_RERATED = text("SELECT reference, sequence FROM event WHERE hub = :hub AND kind = 'referral_rerated'")
_OVERRIDDEN = text("""
    SELECT reference, sequence FROM event WHERE hub = :hub AND kind = 'sharing_basis_recorded'
        AND CAST(canonical AS json) #>> '{event,consent}' = 'overridden'""")
_SPLITS = text("""
    SELECT reference, CAST(canonical AS json) #>> '{event,parent}' AS parent,
        CAST(CAST(canonical AS json) #>> '{event,parent_sequence}' AS bigint) AS sequence
    FROM event WHERE hub = :hub AND kind = 'continued_from'""")
_CONTACTS = text("""
    SELECT i.reference, i.subject, i.child, r.received_at FROM identity i JOIN referral r ON r.reference = i.reference
    WHERE i.hub = :hub""")
_LEFT = text("""
    SELECT d.reference FROM unnest(CAST(:drawn AS text[])) AS d (reference) JOIN referral r ON r.reference = d.reference
    WHERE CAST(r.state AS json) ->> 'erased' IS DISTINCT FROM 'true'
        AND NOT EXISTS (SELECT FROM audit_result a WHERE a.draw = :draw AND a.reference = d.reference)""")


@dataclass(frozen=True)
class Wanted:
    """What is to be drawn: by which rule, of the decisions from one day to the end of another, and how many."""

    rule: Rule
    since: date
    until: date
    size: int


@dataclass(frozen=True)
class DrawnAgain:
    """A sample that was kept, and what its rule and seed draw today, out of how many."""

    kept: Draw
    today: tuple[str, ...]
    population: int
    erased: int
    """How many more the rule means today whose people are erased."""


async def draw(store: Store, wanted: Wanted, by: Actor, *, of_system: bool = False) -> Draw:
    """Draw a sample by a seed that nobody knows before, and keep it. Raises Incomplete where the rule means no case, while
    another sample is open, and for a period or a size that cannot be."""
    if wanted.until < wanted.since or not 1 <= wanted.size <= MOST:
        raise Incomplete(f"expected a period that ends after it begins, and 1 to {MOST} cases")
    async with store.transaction(by, of_system=of_system) as connection:
        await _refuse_beside_another(connection, store, by)
        those, erased = await _population(connection, store, wanted, by.hub)
        if not those:
            gone = f" ({erased} more have no people any more: they were erased)" if erased else ""
            raise Incomplete(f"this rule means no decision of this period{gone}: choose another rule or a longer period")
        seed = secrets.randbelow(SEEDS)
        sample = await asyncio.to_thread(drawn, those, seed, wanted.size)
        values = {**vars(wanted), "seed": seed, "hub": by.hub, "at": store.time.now(), "drawn_by": by.id, "role": by.role}
        found = {"population": len(those), "erased": erased, "drawn": list(sample)}
        try:
            row = (await connection.execute(insert(AUDIT_DRAWS).values(**values, **found).returning(AUDIT_DRAWS))).one()
        except IntegrityError as error:
            if ONE_OPEN not in str(error.orig):
                raise
            raise Incomplete("somebody has just drawn another sample: audit that first, or close it") from None
        await note_shown(connection, store, row.drawn, by, "draw_audit_sample", f"drawn by rule and seed: {wanted.rule}, {seed}")
    return draw_of(row)


async def draw_again(store: Store, number: int, by: Actor, *, of_system: bool = False) -> DrawnAgain:
    """Draw a sample that was kept once more, by its own rule, period and seed, and keep nothing: whoever doubts it sees what has
    changed since. It is a look at the cases. Raises NotFound where somebody's hub has no sample of this number."""
    async with store.transaction(by, of_system=of_system) as connection:
        query = select(AUDIT_DRAWS).where(AUDIT_DRAWS.c.id == number, AUDIT_DRAWS.c.hub == by.hub)
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound("this hub has drawn no sample of this number")
        kept = draw_of(row)
        those, erased = await _population(connection, store, Wanted(kept.rule, kept.since, kept.until, kept.size), by.hub)
        today = await asyncio.to_thread(drawn, those, kept.seed, kept.size)
        shown = sorted({*kept.drawn, *today})
        await note_shown(connection, store, shown, by, "draw_audit_sample", f"draws sample {number} again")
    return DrawnAgain(kept, today, len(those), erased)


async def _refuse_beside_another(connection: AsyncConnection, store: Store, by: Actor) -> None:
    """One sample at a time: or somebody draws until it suits them."""
    await _finish(connection, store, by)
    query = select(AUDIT_DRAWS.c.id).where(AUDIT_DRAWS.c.hub == by.hub, AUDIT_DRAWS.c.closed_at.is_(None))
    if (other := await connection.scalar(query)) is not None:
        raise Incomplete(f"sample {other} is open: audit its cases, or close it and say why; one sample is drawn at a time")


async def _population(connection: AsyncConnection, store: Store, wanted: Wanted, hub: str) -> tuple[set[str], int]:
    """The cases that a rule means, and how many more it means whose people are erased."""
    facts = await _facts(connection, wanted.rule, hub)
    begin = datetime.combine(wanted.since, time(0), LONDON)
    end = datetime.combine(wanted.until + timedelta(days=1), time(0), LONDON)
    those, erased = set[str](), 0
    async for some in _states(connection, hub, begin, facts.cases):
        cases = {name: case for name, case in some if (at := decided_on(case)) is not None and begin <= at < end}
        await store.read_rules(connection, cases.values())
        before = await split_from(connection, cases) if wanted.rule == "without_replies" else {}
        for name, case in cases.items():
            rules = store.rules(case)
            if rules is not None and meant(wanted.rule, name, case, rules, facts, before.get(name, ())):
                erased += case.erased
                those |= {name} if not case.erased else set()
    return those, erased


async def _states(
    connection: AsyncConnection, hub: str, since: datetime, only: frozenset[str] | None
) -> AsyncIterator[list[tuple[str, Referral]]]:
    def folded(rows: Any) -> list[tuple[str, Referral]]:
        return [(row.reference, Referral.model_validate_json(row.state)) for row in rows]

    asked = {"hub": hub, "since": since, "only": None if only is None else sorted(only)}
    rows = await connection.stream(_SINCE, asked)
    async for some in rows.partitions(AT_A_TIME):
        yield await asyncio.to_thread(folded, some)


async def _facts(connection: AsyncConnection, rule: Rule, hub: str) -> Facts:
    """What a rule asks besides the states."""
    of_hub = {"hub": hub}
    if rule == "rerated_twice":
        return Facts(await _with_so_many(connection, _RERATED, of_hub, TWICE))
    if rule == "consent_overridden":
        return Facts(await _with_so_many(connection, _OVERRIDDEN, of_hub, 1))
    if rule != "closed_after_contacts":
        return Facts()
    rows = (await connection.execute(_CONTACTS, of_hub)).all()
    by_child: dict[int, list[tuple[str, datetime]]] = {}
    for row in rows:
        by_child.setdefault(row.child, []).append((contact_of(row.reference), row.received_at))
    contacts = {(row.reference, row.subject): by_child[row.child] for row in rows}
    return Facts(frozenset(reference for reference, _ in contacts), contacts)


async def _with_so_many(connection: AsyncConnection, query: Any, of_hub: Mapping[str, str], least: int) -> frozenset[str]:
    """The cases in whose history there are so many of these events: what came before a split is in the history of each part."""
    events: dict[str, list[int]] = {}
    for row in (await connection.execute(query, of_hub)).all():
        events.setdefault(row.reference, []).append(row.sequence)
    splits = {row.reference: Split(row.parent, row.sequence) for row in (await connection.execute(_SPLITS, of_hub)).all()}
    return frozenset(reference for reference, number in in_its_history(events, splits).items() if number >= least)


async def close(store: Store, number: int, why: WhyClosed, by: Actor) -> None:
    """Close a sample of which not every case is audited, so that another can be drawn. Raises NotFound where none is open, and
    Incomplete where it is said to be a mistake and something was found: a finding is not taken out of the figures so."""
    async with store.transaction(by) as connection:
        found = select(AUDIT_RESULTS.c.id).where(AUDIT_RESULTS.c.draw == number).limit(1)
        if why == "drawn_by_mistake" and await connection.scalar(found) is not None:
            raise Incomplete("cases of this sample are audited: it counts, however it was drawn; choose another reason")
        if not await _close(connection, store, number, why, by):
            raise NotFound("there is no open sample of this number")


async def finish(store: Store, by: Actor) -> None:
    """Close the sample that is open, where nothing of it is left to audit: people of its last cases were erased."""
    async with store.transaction(by) as connection:
        await _finish(connection, store, by)


async def _finish(connection: AsyncConnection, store: Store, by: Actor) -> None:
    query = select(AUDIT_DRAWS).where(AUDIT_DRAWS.c.hub == by.hub, AUDIT_DRAWS.c.closed_at.is_(None))
    row = (await connection.execute(query)).one_or_none()
    if row is not None:
        await close_if_finished(connection, store, draw_of(row), by)


async def close_if_finished(connection: AsyncConnection, store: Store, of: Draw, by: Actor) -> None:
    """Close a sample once something is found of each of its cases, but for those that were erased meanwhile."""
    left = await connection.scalar(_LEFT, {"draw": of.id, "drawn": list(of.drawn)})
    if of.closed_at is None and left is None:
        await _close(connection, store, of.id, FINISHED, by)


async def _close(connection: AsyncConnection, store: Store, number: int, why: WhyClosed, by: Actor) -> bool:
    open_ = update(AUDIT_DRAWS).where(AUDIT_DRAWS.c.id == number, AUDIT_DRAWS.c.closed_at.is_(None))
    closed = open_.values(closed_at=store.time.now(), closed_by=by.id, closed_why=why)
    return bool((await connection.execute(closed)).rowcount)
