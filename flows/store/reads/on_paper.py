"""All that is open at a hub, with the words that somebody needs who works without the software: read by the software itself, for
a list that is sealed at once."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sqlalchemy import literal, select, tuple_

from mash.flows.store.reads.case import Case, case_of
from mash.flows.store.reads.opened import Said, said_of
from mash.flows.store.store import Store, system_actor
from mash.flows.store.tables import REFERRALS

AT_ONCE = 50
"""Cases that are read together: between two such readings the worker's clocks have their turn."""
WORDS = ("subject", "household", "concern", "referrer", "submission")
_OPEN = select(REFERRALS).where(REFERRALS.c.is_open).order_by(REFERRALS.c.due_at, REFERRALS.c.reference).limit(AT_ONCE)


async def open_with_words(store: Store, hub: str) -> AsyncIterator[tuple[Case, list[Said] | None]]:
    """The open cases of a hub, those due soonest first, each with who it is about and lives with them, the worry, who referred,
    and how they are safely reached. None instead of words that cannot be opened here: a case is on the list all the same."""
    query = _OPEN.where(REFERRALS.c.hub == hub)
    last: Case | None = None
    while True:
        after = query
        if last:
            after = query.where(
                tuple_(REFERRALS.c.due_at, REFERRALS.c.reference) > tuple_(literal(last.referral.due_at), literal(last.reference))
            )
        async with store.transaction(system_actor(hub)) as connection:
            cases = [case_of(row) for row in (await connection.execute(after)).all()]
            await store.read_rules(connection, (case.referral for case in cases))
            said = await said_of(connection, store, cases, WORDS)
        for case in cases:
            yield case, said.get(case.reference)
        if len(cases) < AT_ONCE:
            return
        last = cases[-1]
