"""Logs decided again: whether the same commands lead to the same events today, for every act of the present edition."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.store import Store
from mash.flows.store.tables import EVENTS, REFERRALS
from mash.states.acts.contact import ContinuedFrom
from mash.states.again import Difference, decide_log_again
from mash.states.errors import NotFound
from mash.states.log import RECORDED

A_NIGHT = 200
"""How many cases are decided again each night, about: a second or two of work."""
NIGHTS = 64
"""Within so many nights each case has its turn, however many there are; a power of two."""


@dataclass
class Replayed:
    """What deciding logs again came to."""

    cases: int = 0
    decided: int = 0
    older: int = 0
    """Acts of another edition of the rules: they are counted, and not decided again."""
    by_hub: dict[str, list[Difference]] = field(default_factory=dict)
    """The acts that come out otherwise, by the hub whose case it is."""

    @property
    def different(self) -> list[Difference]:
        """Those of all hubs."""
        return [each for some in self.by_hub.values() for each in some]


async def replay(store: Store, night: date | None = None) -> Replayed:
    """Decide the acts of all logs again; or those of the cases whose turn it is in this night."""
    found = Replayed()
    for reference, hub in await _cases(store, night):
        async with store.single.connect() as connection:
            logs = {reference: await _texts(connection, reference)}
            if parent := _parent(logs[reference]):
                logs[parent] = await _texts(connection, parent)
            rules = {}
            for digest in {digest for text in logs[reference] for digest in _PROFILE.findall(text)}:
                with suppress(NotFound):  # an act that went by it cannot be rebuilt, and says so
                    rules[digest] = await store.profile(connection, digest)
        again = decide_log_again(reference, logs, rules.__getitem__)
        found.cases += 1
        found.decided += again.decided
        found.older += again.older
        if again.differences:
            found.by_hub.setdefault(hub, []).extend(again.differences)
    return found


_PROFILE = re.compile(r'"profile":"([0-9a-f]{64})"')


def _parent(texts: Sequence[str]) -> str:
    """The reference of the case that this one was split from; empty where it was not, or where that cannot be read."""
    with suppress(ValueError):
        first = RECORDED.validate_json(texts[0]).event if texts else None
        if isinstance(first, ContinuedFrom):
            return first.parent
    return ""


async def _texts(connection: AsyncConnection, reference: str) -> Sequence[str]:
    query = select(EVENTS.c.canonical).where(EVENTS.c.reference == reference).order_by(EVENTS.c.sequence)
    return (await connection.scalars(query)).all()


async def _cases(store: Store, night: date | None) -> list[tuple[str, str]]:
    """All cases, or those whose turn it is: as many parts of them as make each about `A_NIGHT` large, a part each night. A case
    stays in its part while there are not twice as many of them."""
    query = select(REFERRALS.c.reference, REFERRALS.c.hub).order_by(REFERRALS.c.reference)
    async with store.single.connect() as connection:
        if night:
            number = await connection.scalar(select(func.count()).select_from(REFERRALS)) or 0
            parts = parts_of(number)
            part = func.hashtext(REFERRALS.c.reference).op("&")(parts - 1)
            query = query.where(part == night.toordinal() % parts)
        return [(row.reference, row.hub) for row in (await connection.execute(query)).all()]


def parts_of(cases: int) -> int:
    """In how many nights so many cases are decided again: a power of two, so that a part only ever parts in two."""
    return next((1 << power for power in range(NIGHTS.bit_length()) if cases <= A_NIGHT << power), NIGHTS)
