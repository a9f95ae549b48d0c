"""An agency's checks: what it is to answer, about whom, what it answered lately, and what it holds beside cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text

from mash.config.permissions import reach
from mash.flows.store.reads.case import Case, case_read_by, rightly_shown
from mash.flows.store.reads.items import reads_whole
from mash.flows.store.reads.look import WHY, note_accesses
from mash.flows.store.reads.opened import Said, said_of
from mash.flows.store.reads.participants import reached
from mash.flows.store.store import Store
from mash.flows.store.tables import EVENTS, REFERRALS
from mash.states.acts.checks import CheckAnswered
from mash.states.acts.sharing import SharingBasisRecorded
from mash.states.log import RECORDED
from mash.states.referral import ASKED
from mash.states.values import Actor

MOST = 200
"""Checks that are read at once: those due soonest."""
# Asked is who has a running clock (Referral.to_answer), so that no check is on the list without one.
_MINE = text(f"""
    SELECT referral.* FROM referral, LATERAL (
        SELECT min(CAST(clock.value ->> 'due_at' AS timestamptz)) AS by_when
        FROM jsonb_each(CAST(referral.state AS jsonb) -> 'clocks') clock
        WHERE clock.value ->> 'kind' = ANY(:asked) AND clock.value ->> 'ended_at' IS NULL
          AND split_part(split_part(clock.key, ':', 2), '.', 1) = :agency) its
    WHERE is_open AND hub = :hub AND CAST(state AS jsonb) -> 'checks' ? CAST(:agency AS text) AND its.by_when IS NOT NULL
      AND (CAST(:login AS text) IS NULL
        OR CAST(state AS jsonb) #>> ARRAY['checks', CAST(:agency AS text), 'allocated_to'] = CAST(:login AS text))
    ORDER BY its.by_when, reference LIMIT {MOST}""")  # noqa: S608  # a number of ours


async def checks_of(store: Store, by: Actor, to: str | None = None) -> list[Case]:
    """The open cases in which somebody's agency is to answer, those due soonest first; `to` whom of its people it allocated the
    check, by login, where only those are meant."""
    asked = {"hub": by.hub, "agency": by.agency, "login": to, "asked": list(ASKED)}
    async with store.transaction(by) as connection:
        rows = (await connection.execute(_MINE, asked)).all()
        return await rightly_shown(connection, store, [case_read_by(store, row, by) for row in rows], by)


PEOPLE = ("subject", "household")


async def people_of(store: Store, cases: Sequence[Case], by: Actor) -> dict[str, list[Said]]:
    """By reference, who the cases are about and their households, as far as somebody may read that; nobody of a case that cannot
    be opened here. That they looked is written down of each."""
    async with store.transaction(by) as connection:
        found = await said_of(connection, store, cases, PEOPLE, lambda referral, row: reads_whole(referral, row, {}, by))
        why = WHY.get(reach(by.role)) or f"{by.agency} takes part"
        await note_accesses(connection, store, [case.reference for case in cases], by, "read_checks", why)
    return found


@dataclass(frozen=True)
class Answered:
    """An answer that an agency gave itself."""

    reference: str
    at: datetime
    known: bool
    late: bool


# By when it was recorded: the log is read from there on alone (v0017).
_ANSWERED = text("""
    SELECT reference, canonical FROM event
    WHERE at >= :since AND hub = :hub AND kind = 'check_answered' AND CAST(canonical AS jsonb) #>> '{event,agency}' = :agency
    ORDER BY at DESC, reference""")


async def answered_since(store: Store, by: Actor, since: datetime) -> list[Answered]:
    """What somebody's agency has answered since then, the latest first."""
    async with store.transaction(by) as connection:
        rows = (await connection.execute(_ANSWERED, {"since": since, "hub": by.hub, "agency": by.agency})).all()
        theirs = await reached(connection, store, {row.reference for row in rows}, by)
    said = (RECORDED.validate_json(row.canonical) for row in rows if row.reference in theirs)
    return [
        Answered(each.reference, each.at, each.event.known, each.event.late)
        for each in said
        if isinstance(each.event, CheckAnswered)
    ]


async def cases_named(store: Store, references: Sequence[str], by: Actor) -> list[Case]:
    """These cases, as far as somebody reaches them, in this order."""
    query = select(REFERRALS).where(REFERRALS.c.reference.in_(references))
    async with store.transaction(by) as connection:
        rows = (await connection.execute(query)).all()
        cases = await rightly_shown(connection, store, [case_read_by(store, row, by) for row in rows], by)
    return sorted(cases, key=lambda case: references.index(case.reference))


async def basis_of(store: Store, by: Actor, reference: str) -> SharingBasisRecorded | None:
    """The latest recorded reason to share information in a case."""
    query = (
        select(EVENTS.c.canonical)
        .where(EVENTS.c.reference == reference, EVENTS.c.kind == "sharing_basis_recorded")
        .order_by(EVENTS.c.sequence.desc())
        .limit(1)
    )
    async with store.transaction(by) as connection:
        canonical = await connection.scalar(query)
    event = RECORDED.validate_json(canonical).event if canonical else None
    return event if isinstance(event, SharingBasisRecorded) else None


_HELD = text("""
    SELECT reference FROM referral, jsonb_each(CAST(state AS jsonb) -> 'held') held
    WHERE is_open AND hub = :hub AND held.value ->> 'agency' = :agency AND NOT CAST(held.value ->> 'released' AS boolean)
    GROUP BY reference ORDER BY reference LIMIT 200""")


async def holding(store: Store, by: Actor) -> list[str]:
    """The open cases beside which somebody's agency holds what it has not released."""
    async with store.transaction(by) as connection:
        references = (await connection.scalars(_HELD, {"hub": by.hub, "agency": by.agency})).all()
        theirs = await reached(connection, store, references, by)
    return [reference for reference in references if reference in theirs]
