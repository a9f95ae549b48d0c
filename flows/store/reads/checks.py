"""An agency's checks: what it is asked and has not answered, and what it holds beside cases."""

from __future__ import annotations

from sqlalchemy import select, text

from mash.flows.store.reads.case import Case, case_read_by, rightly_shown
from mash.flows.store.reads.participants import reached
from mash.flows.store.store import Store
from mash.flows.store.tables import EVENTS
from mash.states.acts.sharing import SharingBasisRecorded
from mash.states.log import RECORDED
from mash.states.messages import Event
from mash.states.values import Actor

# What was only told by telephone is still to be confirmed by the agency itself.
_MINE = text("""
    SELECT * FROM referral WHERE is_open AND hub = :hub AND CAST(state AS jsonb) -> 'checks' ? CAST(:agency AS text)
      AND (CAST(state AS jsonb) #>> ARRAY['checks', CAST(:agency AS text), 'answered_at'] IS NULL
        OR (CAST(state AS jsonb) #>> ARRAY['checks', CAST(:agency AS text), 'told'] IS NOT NULL
            AND CAST(state AS jsonb) #>> ARRAY['checks', CAST(:agency AS text), 'confirmed_at'] IS NULL))
      AND (CAST(:login AS text) IS NULL
        OR CAST(state AS jsonb) #>> ARRAY['checks', CAST(:agency AS text), 'allocated_to'] = CAST(:login AS text))
    ORDER BY due_at, reference LIMIT 200""")


async def checks_of(store: Store, by: Actor, to: str | None = None) -> list[Case]:
    """The open cases in which somebody's agency is asked and has not answered itself, those due soonest first; `to` whom of its
    people it allocated the check, by login, where only those are meant."""
    async with store.transaction(by) as connection:
        rows = (await connection.execute(_MINE, {"hub": by.hub, "agency": by.agency, "login": to})).all()
        return await rightly_shown(connection, store, [case_read_by(store, row, by) for row in rows], by)


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


async def bases(store: Store, by: Actor, references: list[str]) -> dict[str, SharingBasisRecorded]:
    """The latest recorded reason to share information, of each of these cases that has one."""
    query = (
        select(EVENTS.c.reference, EVENTS.c.canonical)
        .where(EVENTS.c.reference.in_(references), EVENTS.c.kind == "sharing_basis_recorded")
        .order_by(EVENTS.c.reference, EVENTS.c.sequence)
    )
    async with store.transaction(by) as connection:
        rows = (await connection.execute(query)).all()
    return {row.reference: event for row in rows if isinstance(event := _event(row.canonical), SharingBasisRecorded)}


def _event(canonical: str) -> Event:
    return RECORDED.validate_json(canonical).event
