"""All that is open at a hub, with the words that somebody needs who works without the software: read by the software itself, for
a list that is sealed at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import NamedTuple

import structlog
from sqlalchemy import Row, select

from mash.flows.store.reads.case import Case, case_of
from mash.flows.store.reads.opened import Said, said_of
from mash.flows.store.store import Store, system_actor
from mash.flows.store.tables import REFERRALS

log = structlog.stdlib.get_logger("mash.paper")
AT_ONCE = 50
"""Cases that are read together: between two such readings the worker's clocks have their turn."""
WORDS = ("subject", "household", "concern", "referrer", "submission")
_OPEN = select(REFERRALS.c.reference).where(REFERRALS.c.is_open).order_by(REFERRALS.c.due_at, REFERRALS.c.reference)
_THESE = select(REFERRALS).where(REFERRALS.c.is_open).order_by(REFERRALS.c.due_at, REFERRALS.c.reference)


class Open(NamedTuple):
    """An open case."""

    reference: str
    due_at: datetime | None
    case: Case | None
    """None where what is stored of it cannot be read."""
    said: list[Said] | None
    """None instead of words that cannot be opened here."""


async def open_with_words(store: Store, hub: str) -> AsyncIterator[Open]:
    """The open cases of a hub, those due soonest first, each with who it is about and lives with them, the worry, who referred,
    and how they are safely reached. A case that cannot be read is there all the same, and takes no other with it."""
    async with store.transaction(system_actor(hub)) as connection:
        every = list((await connection.scalars(_OPEN.where(REFERRALS.c.hub == hub))).all())
    for start in range(0, len(every), AT_ONCE):
        query = _THESE.where(REFERRALS.c.reference.in_(every[start : start + AT_ONCE]))
        async with store.transaction(system_actor(hub)) as connection:
            rows = (await connection.execute(query)).all()
            cases = {row.reference: case for row in rows if (case := _case(row))}
            await store.read_rules(connection, (case.referral for case in cases.values()))
            said = await said_of(connection, store, [*cases.values()], WORDS)
        for row in rows:
            yield Open(row.reference, row.due_at, cases.get(row.reference), said.get(row.reference))


def _case(row: Row[tuple[object, ...]]) -> Case | None:
    try:
        return case_of(row)
    except ValueError as error:  # what it says may repeat what is stored
        log.error("a case cannot be read", reference=row.reference, error=type(error).__name__)
        return None
