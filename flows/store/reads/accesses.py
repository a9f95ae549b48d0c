"""Who looked at which case, and at what a person looked: the reports for information governance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select

from mash.flows.store.reads.look import note_access
from mash.flows.store.store import Store
from mash.flows.store.tables import ACCESSES, REFERRALS
from mash.states.values import Actor

MOST = 1000
"""Lines of a report at once."""
_ALIKE = tuple(ACCESSES.c[name] for name in ("person", "role", "agency", "reference", "about", "action", "why"))
_FIRST = func.min(ACCESSES.c.id)
# What one person does again and again within an hour is one line: nobody pushes a look out of sight by reloading a page. A line
# is known by its first look, which stays the first whatever is added: none is passed over on the way from page to page.
_LINES = (
    select(
        _FIRST.label("first"),
        func.min(ACCESSES.c.at).label("at"),
        func.max(ACCESSES.c.at).label("last_at"),
        func.count().label("times"),
        *_ALIKE,
    )
    .group_by(func.date_trunc("hour", ACCESSES.c.at), *_ALIKE)
    .order_by(_FIRST.desc())
    .limit(MOST + 1)
)


async def accesses_to(
    store: Store, reference: str, by: Actor, since: datetime | None = None, before: int | None = None
) -> Sequence[Row[Any]]:
    """Who looked at a contact, its linked referrals included: the latest first, of those before the one that began with the look
    `before`; MOST lines, and one more where there are more. That this was asked is written down too."""
    root = select(REFERRALS.c.root).where(REFERRALS.c.reference == reference).scalar_subquery()
    family = select(REFERRALS.c.reference).where(REFERRALS.c.root == root)
    async with store.transaction(by) as connection:
        rows = (await connection.execute(_lines(ACCESSES.c.reference.in_(family), since, before))).all()
        await note_access(connection, store, reference, by, "read_accesses", "examines accesses")
        return rows


async def accesses_of(
    store: Store, person: str, by: Actor, since: datetime | None = None, before: int | None = None
) -> Sequence[Row[Any]]:
    """What a person looked at, by login; as `accesses_to`."""
    async with store.transaction(by) as connection:
        rows = (await connection.execute(_lines(ACCESSES.c.person == person, since, before))).all()
        await note_access(connection, store, None, by, "read_accesses", "examines accesses", about=person)
        return rows


def _lines(which: ColumnElement[bool], since: datetime | None, before: int | None) -> Any:
    query = _LINES.where(which, ACCESSES.c.at >= since) if since else _LINES.where(which)
    return query.having(before > _FIRST) if before else query
