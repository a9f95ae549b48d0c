"""Who takes part in a case, and who reads cases for a time by breaking the glass."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Row, Text, any_, bindparam, func, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.config.permissions import reach
from mash.flows.store.seals import PART, is_ours
from mash.flows.store.store import Store
from mash.flows.store.tables import PARTICIPANTS
from mash.flows.store.trouble import report_planted
from mash.states.values import Actor

_PARTS = select(PARTICIPANTS).where(
    PARTICIPANTS.c.reference == any_(bindparam("references", type_=ARRAY(Text))),
    PARTICIPANTS.c.party == any_(bindparam("parties", type_=ARRAY(Text))),
    PARTICIPANTS.c.person == any_(bindparam("persons", type_=ARRAY(Text))),
    or_(PARTICIPANTS.c.until.is_(None), PARTICIPANTS.c.until > bindparam("now")),
)


async def takes_part(connection: AsyncConnection, store: Store, reference: str, by: Actor) -> bool:
    """Whether a partner's agency or service has a part in a case: not whoever only reads it, by breaking the glass."""
    return any(not part.person for part in await _parts(connection, store, [reference], by))


async def reached(connection: AsyncConnection, store: Store, references: Collection[str], by: Actor) -> dict[str, bool]:
    """Which of the cases that the database shows somebody they reach, and whether as somebody who has a part: of a partner those
    in which they have one, or read for a time, by what we wrote down. A part that whoever owns the database has written for them
    lets them in nowhere."""
    if reach(by.role) != "involved" or not references:
        return dict.fromkeys(references, True)
    found: dict[str, bool] = {}
    for part in await _parts(connection, store, references, by):
        found[part.reference] = found.get(part.reference, False) or not part.person
    return found


async def _parts(connection: AsyncConnection, store: Store, references: Collection[str], by: Actor) -> list[Row[Any]]:
    """The parts in these cases that a partner's agency, service, or they themselves have, and that are ours."""
    found, which = store.found(connection), ("parts", frozenset(references))
    if which in found:
        return list(found[which])
    found[which] = ours = []
    asked = {
        "references": list(references),
        "parties": [by.agency, by.role],
        "persons": ["", by.id],
        "now": store.time.now(),
    }
    for row in (await connection.execute(_PARTS, asked)).all():
        if is_ours(store.keyring.rows, PART, row._mapping):
            ours.append(row)
        else:
            await report_planted(store, "part in a case", f"{row.reference}, {row.party}", row.hub)
    return list(ours)


async def glass_broken(connection: AsyncConnection, by: Actor, now: datetime) -> int:
    """How many cases somebody reads now because they broke the glass."""
    broken = select(func.count(func.distinct(PARTICIPANTS.c.reference))).where(
        PARTICIPANTS.c.hub == by.hub,
        PARTICIPANTS.c.person == by.id,
        PARTICIPANTS.c.person != literal_column("''"),  # as the index says, which a plan without values takes else for another
        PARTICIPANTS.c.until > now,
    )
    return int(await connection.scalar(broken) or 0)
