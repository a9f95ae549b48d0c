"""Audits of decisions: drawing a sample by rule and seed, and keeping what was found of each case."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.keys import seal
from mash.flows.store.reads.audits import Draw, WhyClosed, bound_to, draw_of, refuse_own
from mash.flows.store.reads.look import note_shown
from mash.flows.store.store import Store, data_key
from mash.flows.store.tables import AUDIT_DRAWS, AUDIT_RESULTS, REFERRALS
from mash.states.accumulation import contact_of
from mash.states.auditing import MOST, TWICE, Facts, Judgement, Rule, decided_on, drawn, meant
from mash.states.clocks import LONDON
from mash.states.errors import Incomplete, NotFound, ReasonNeeded, VersionConflict
from mash.states.referral import Referral
from mash.states.values import Actor

AT_A_TIME = 200
"""States in memory at once, of some kilobytes each."""
FINISHED: WhyClosed = "all_audited"

# What is decided in a period has an event in it, or later where it was entered later. Where the rule asks for facts, only cases
# of which there are any are read: a state is kilobytes.
_SINCE = text("""
    SELECT reference, state FROM referral WHERE hub = :hub AND (CAST(:only AS text[]) IS NULL OR reference = ANY(:only))
        AND EXISTS (SELECT FROM event e WHERE e.reference = referral.reference AND e.at >= :since)""")
_RERATED = text("""
    SELECT reference FROM event WHERE hub = :hub AND kind = 'referral_rerated' GROUP BY reference HAVING count(*) >= :twice""")
_OVERRIDDEN = text("""
    SELECT DISTINCT reference FROM event WHERE hub = :hub AND kind = 'sharing_basis_recorded'
        AND CAST(canonical AS json) #>> '{event,consent}' = 'overridden'""")
_CONTACTS = text("""
    SELECT i.reference, i.subject, i.child, r.received_at FROM identity i JOIN referral r ON r.reference = i.reference
    WHERE i.hub = :hub""")


@dataclass(frozen=True)
class Wanted:
    """What is to be drawn: by which rule, of the decisions from one day to the end of another, how many, by which seed."""

    rule: Rule
    since: date
    until: date
    size: int
    seed: int


async def draw(store: Store, wanted: Wanted, by: Actor, *, of_system: bool = False) -> Draw:
    """Draw a sample, and keep it. Raises Incomplete where the rule means no case, while another draw is open, and for a period or
    a size that cannot be."""
    if wanted.until < wanted.since or not 1 <= wanted.size <= MOST:
        raise Incomplete(f"expected a period that ends after it begins, and 1 to {MOST} cases")
    async with store.transaction(by, of_system=of_system) as connection:
        await _refuse_beside_another(connection, by.hub)
        those, erased = await _population(connection, store, wanted, by.hub)
        if not those:
            gone = f" ({erased} more have no people any more: they were erased)" if erased else ""
            raise Incomplete(f"this rule means no decision of this period{gone}: choose another rule or a longer period")
        values = {**vars(wanted), "hub": by.hub, "at": store.time.now(), "drawn_by": by.id, "role": by.role}
        found = {"population": len(those), "erased": erased, "drawn": list(drawn(those, wanted.seed, wanted.size))}
        try:
            row = (await connection.execute(insert(AUDIT_DRAWS).values(**values, **found).returning(AUDIT_DRAWS))).one()
        except IntegrityError:
            raise Incomplete("somebody has just drawn another sample: audit that first, or close it") from None
        why = f"drawn by rule and seed: {wanted.rule}, {wanted.seed}"
        await note_shown(connection, store, row.drawn, by, "draw_audit_sample", why)
    return draw_of(row)


async def _refuse_beside_another(connection: AsyncConnection, hub: str) -> None:
    """One draw at a time: or somebody draws until the sample suits them."""
    query = select(AUDIT_DRAWS.c.id).where(AUDIT_DRAWS.c.hub == hub, AUDIT_DRAWS.c.closed_at.is_(None))
    if (other := await connection.scalar(query)) is not None:
        raise Incomplete(f"draw {other} is open: audit its cases, or close it and say why; one sample is drawn at a time")


async def _population(connection: AsyncConnection, store: Store, wanted: Wanted, hub: str) -> tuple[set[str], int]:
    """The cases that a rule means, and how many more it means whose people are erased."""
    facts = await _facts(connection, wanted.rule, hub)
    begin = datetime.combine(wanted.since, time(0), LONDON)
    end = datetime.combine(wanted.until + timedelta(days=1), time(0), LONDON)
    those, erased = set[str](), 0
    async for some in _states(connection, hub, begin, facts.cases):
        cases = [(name, case) for name, case in some if (at := decided_on(case)) is not None and begin <= at < end]
        await store.read_rules(connection, (case for _, case in cases))
        for name, case in cases:
            rules = store.rules(case)
            if rules is not None and meant(wanted.rule, name, case, rules, facts):
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
        return Facts(cases=frozenset((await connection.scalars(_RERATED, {**of_hub, "twice": TWICE})).all()))
    if rule == "consent_overridden":
        return Facts(cases=frozenset((await connection.scalars(_OVERRIDDEN, of_hub)).all()))
    if rule != "closed_after_contacts":
        return Facts()
    rows = (await connection.execute(_CONTACTS, of_hub)).all()
    by_child: dict[int, list[tuple[str, datetime]]] = {}
    for row in rows:
        by_child.setdefault(row.child, []).append((contact_of(row.reference), row.received_at))
    contacts = {(row.reference, row.subject): by_child[row.child] for row in rows}
    return Facts(frozenset(reference for reference, _ in contacts), contacts)


@dataclass(frozen=True)
class Finding:
    """What somebody found of a case that was drawn, and what they write of it; `seen` is the version that they had in view, 0
    where there was none."""

    draw: int
    reference: str
    seen: int
    judgement: Judgement
    words: str = ""


async def record(store: Store, found: Finding, by: Actor) -> int:
    """Keep what somebody found; one that corrects another stands beside it. Returns its version. Raises NotFound for a case that
    was not drawn, NotYours for whoever audits their own, ReasonNeeded where something was not right and nobody says why,
    Incomplete once its people are erased, VersionConflict where somebody was quicker."""
    if found.judgement.grade == "not_right" and not found.words:
        raise ReasonNeeded("an answer 'no'")
    async with store.transaction(by) as connection:
        of_draw = (await connection.execute(select(AUDIT_DRAWS).where(AUDIT_DRAWS.c.id == found.draw))).one_or_none()
        if of_draw is None or found.reference not in of_draw.drawn:
            raise NotFound("this case was not drawn: nobody chooses what they audit")
        await refuse_own(connection, found.reference, by)
        version = await _next_version(connection, found)
        values = {
            **found.judgement.model_dump(mode="python"),
            "should_have": list(found.judgement.should_have),
            "grade": found.judgement.grade,
            "sealed": await _sealed(connection, store, found, version),
        }
        of_whom = {"hub": by.hub, "person": by.id, "role": by.role, "at": store.time.now()}
        which = {"draw": found.draw, "reference": found.reference, "version": version}
        try:
            await connection.execute(insert(AUDIT_RESULTS).inline().values(**values, **of_whom, **which))
        except IntegrityError:
            raise VersionConflict("somebody has just recorded an audit of this case: look at theirs first") from None
        if of_draw.closed_at is None and not await still_to_audit(connection, draw_of(of_draw)):
            await _close(connection, store, found.draw, FINISHED, by)
    return version


async def _next_version(connection: AsyncConnection, found: Finding) -> int:
    last = select(func.max(AUDIT_RESULTS.c.version)).where(
        AUDIT_RESULTS.c.draw == found.draw, AUDIT_RESULTS.c.reference == found.reference
    )
    version = await connection.scalar(last) or 0
    if version != found.seen:
        raise VersionConflict("somebody has recorded an audit of this case since you opened it: look at theirs first")
    return version + 1


async def _sealed(connection: AsyncConnection, store: Store, found: Finding, version: int) -> bytes | None:
    """What somebody wrote, by the key of the case: it goes when its people are erased."""
    state = select(REFERRALS.c.state).where(REFERRALS.c.reference == found.reference)
    if Referral.model_validate_json((await connection.scalars(state)).one()).erased:
        raise Incomplete("the people of this case are erased: nobody can audit it any more")
    if not found.words:
        return None
    key = AESGCM(await data_key(connection, store, found.reference))
    return seal(key, found.words.encode(), bound_to(found.reference, found.draw, version))


async def still_to_audit(connection: AsyncConnection, of: Draw) -> list[str]:
    """The cases of a draw of which nothing is found yet, but for those that were erased meanwhile."""
    done = select(AUDIT_RESULTS.c.reference).where(AUDIT_RESULTS.c.draw == of.id)
    audited = set((await connection.scalars(done)).all())
    left = [reference for reference in of.drawn if reference not in audited]
    rows = (
        await connection.execute(select(REFERRALS.c.reference, REFERRALS.c.state).where(REFERRALS.c.reference.in_(left)))
    ).all()
    gone = {row.reference for row in rows if Referral.model_validate_json(row.state).erased}
    return [reference for reference in left if reference not in gone]


async def close(store: Store, draw_id: int, why: WhyClosed, by: Actor) -> None:
    """Close a draw of which not every case is audited, so that another can be drawn. Raises NotFound where none is open."""
    async with store.transaction(by) as connection:
        if not await _close(connection, store, draw_id, why, by):
            raise NotFound("there is no open draw of this number")


async def _close(connection: AsyncConnection, store: Store, draw_id: int, why: WhyClosed, by: Actor) -> bool:
    open_ = update(AUDIT_DRAWS).where(AUDIT_DRAWS.c.id == draw_id, AUDIT_DRAWS.c.closed_at.is_(None))
    closed = open_.values(closed_at=store.time.now(), closed_by=by.id, closed_why=why)
    return bool((await connection.execute(closed)).rowcount)
