"""When the people of open cases were born, as the software itself reads it, to say in time that somebody comes of age."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import date
from functools import partial
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, bindparam, select

from mash.flows.store.keys import KeyDestroyed, unseal
from mash.flows.store.reads.case import Case, case_of
from mash.flows.store.store import Store
from mash.flows.store.tables import ITEMS, KEYS, REFERRALS

PAGE = 100
"""Cases read at a time."""
Born = tuple[Case, dict[str, date]]
"""A case, and the birthdays of its subjects that are known."""


async def birthdays(store: Store, hub: str) -> AsyncIterator[tuple[str, Callable[[], Born]]]:
    """The open cases of a hub by reference, each with how it is read: of one that cannot be, that raises, and the next one comes
    all the same."""
    after = ""
    while True:
        page = select(REFERRALS).where(REFERRALS.c.hub == hub, REFERRALS.c.is_open, REFERRALS.c.reference > after)
        async with store.single.connect() as connection:
            rows = (await connection.execute(page.order_by(REFERRALS.c.reference).limit(PAGE))).all()
            items = (await connection.execute(_ITEMS, {"of": [row.reference for row in rows]})).all()
        for row in rows:
            yield row.reference, partial(_read, store, row, [item for item in items if item.reference == row.reference])
        if len(rows) < PAGE:
            return
        after = rows[-1].reference


_ITEMS = (
    select(ITEMS.c.id, ITEMS.c.reference, ITEMS.c.subject, ITEMS.c.sealed, KEYS.c.wrapped)
    .join(KEYS, KEYS.c.reference == ITEMS.c.reference)
    .where(ITEMS.c.reference.in_(bindparam("of", expanding=True)), ITEMS.c.kind == "subject")
    .order_by(ITEMS.c.created_at, ITEMS.c.id)
)


def _read(store: Store, row: Row[Any], items: list[Any]) -> Born:
    case = case_of(row)
    return case, _born(store, case, items)


def _born(store: Store, case: Case, items: list[Any]) -> dict[str, date]:
    """Who was put right was born on the day that is right."""
    born: dict[str, date] = {}
    for item in items:
        if not case.referral.stands(str(item.id), item.subject):
            continue
        try:
            cipher = AESGCM(store.keyring.unwrap(item.wrapped, case.reference))
        except KeyDestroyed:
            return {}
        given = json.loads(unseal(cipher, item.sealed, case.reference)).get("date_of_birth")
        try:
            born[item.subject] = date.fromisoformat(str(given))
        except ValueError:
            continue
    return born
