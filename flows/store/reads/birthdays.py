"""When the people of open cases were born, as the software itself reads it, to say in time that somebody comes of age."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import bindparam, select

from mash.flows.store.keys import KeyDestroyed, unseal
from mash.flows.store.reads.case import Case, case_of
from mash.flows.store.store import Store
from mash.flows.store.tables import ITEMS, KEYS, REFERRALS

PAGE = 100
"""Cases read at a time."""


async def birthdays(store: Store, hub: str) -> AsyncIterator[tuple[Case, dict[str, date]]]:
    """The open cases of a hub, each with the birthdays of its subjects that are known."""
    after = ""
    while True:
        page = select(REFERRALS).where(REFERRALS.c.hub == hub, REFERRALS.c.is_open, REFERRALS.c.reference > after)
        async with store.single.connect() as connection:
            rows = (await connection.execute(page.order_by(REFERRALS.c.reference).limit(PAGE))).all()
            cases = {row.reference: case_of(row) for row in rows}
            items = (await connection.execute(_ITEMS, {"of": [*cases]})).all()
        for reference, case in cases.items():
            yield case, _born(store, case, [item for item in items if item.reference == reference])
        if len(rows) < PAGE:
            return
        after = rows[-1].reference


_ITEMS = (
    select(ITEMS.c.id, ITEMS.c.reference, ITEMS.c.subject, ITEMS.c.sealed, KEYS.c.wrapped)
    .join(KEYS, KEYS.c.reference == ITEMS.c.reference)
    .where(ITEMS.c.reference.in_(bindparam("of", expanding=True)), ITEMS.c.kind == "subject")
    .order_by(ITEMS.c.created_at, ITEMS.c.id)
)


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
