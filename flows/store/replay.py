"""Logs decided again: whether the same commands lead to the same events today, for every act of the present edition."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from sqlalchemy import func, select

from mash.flows.store.log import events_of
from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS
from mash.states.acts.contact import ContinuedFrom
from mash.states.again import decide_log_again
from mash.states.errors import NotFound
from mash.states.log import Recorded
from mash.states.profile import Profile

SAMPLE = 200
"""How many cases are decided again each night: a second or two of work, and every case of a usual hub within some months."""


@dataclass
class Replayed:
    """What deciding logs again came to."""

    cases: int = 0
    decided: int = 0
    older: int = 0
    """Acts of another edition of the rules: they are counted, and not decided again."""
    different: list[str] = field(default_factory=list)
    """A sentence for each act that comes out otherwise."""


async def replay(store: Store, sample: int | None = None) -> Replayed:
    """Decide the acts of all logs again, or those of a `sample` of them."""
    found = Replayed()
    async for reference in _references(store, sample):
        async with store.single.connect() as connection:
            log = await events_of(connection, reference)
            logs = {reference: log}
            if log and isinstance(log[0].event, ContinuedFrom):
                logs[log[0].event.parent] = await events_of(connection, log[0].event.parent)
            rules = {}
            for digest in {each.profile for each in log}:
                try:
                    rules[digest] = await store.profile(connection, digest)
                except NotFound:
                    continue  # an act that went by it cannot be rebuilt, and says so
        _add(found, reference, logs, rules)
    return found


def _add(found: Replayed, reference: str, logs: dict[str, list[Recorded]], rules: dict[str, Profile]) -> None:
    again = decide_log_again(reference, logs, rules.__getitem__)
    found.cases += 1
    found.decided += again.decided
    found.older += again.older
    found.different += [str(each) for each in again.differences]


async def _references(store: Store, sample: int | None) -> AsyncIterator[str]:
    query = select(REFERRALS.c.reference)
    query = query.order_by(func.random()).limit(sample) if sample else query.order_by(REFERRALS.c.reference)
    async with store.single.connect() as connection:
        references = (await connection.scalars(query)).all()
    for reference in references:
        yield reference
