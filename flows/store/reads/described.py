"""Whom contacts are about, by ethnicity and age, beside what is needed: read from what is sealed, and given as counts alone."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, bindparam, select

from mash.flows.store.details import day
from mash.flows.store.keys import KeyDestroyed, NoKeyHere, unseal
from mash.flows.store.reads.look import note_access
from mash.flows.store.store import Store
from mash.flows.store.tables import ITEMS, KEYS, REFERRALS
from mash.states.clocks import day_of
from mash.states.referral import Referral
from mash.states.values import Actor

AT_A_TIME = 500
"""Contacts whose people are in memory at once."""


class Described(NamedTuple):
    """Somebody whom a contact is about: the need as recorded, their ethnicity by its code as given, and their age in whole years
    when it came in; -1 before birth, None where it is not known."""

    need: str
    ethnicity: str
    years: int | None


_CASES = (
    select(REFERRALS.c.reference, REFERRALS.c.state, KEYS.c.wrapped)
    .join(KEYS, KEYS.c.reference == REFERRALS.c.reference)
    .where(REFERRALS.c.hub == bindparam("hub"), REFERRALS.c.received_at >= bindparam("since"))
    .where(REFERRALS.c.reference == REFERRALS.c.root, REFERRALS.c.reference > bindparam("after"))
    .order_by(REFERRALS.c.reference)
    .limit(AT_A_TIME)
)
_ITEMS = (
    select(ITEMS.c.id, ITEMS.c.reference, ITEMS.c.subject, ITEMS.c.sealed)
    .where(ITEMS.c.reference.in_(bindparam("of", expanding=True)), ITEMS.c.kind == "subject")
    .order_by(ITEMS.c.created_at, ITEMS.c.id)
)


async def described(store: Store, by: Actor, since: datetime) -> Counter[Described]:
    """The people of the contacts that came in at somebody's own hub since then, counted. It is one look, and written down as one:
    it names how many contacts it was reckoned from, and shows nobody."""
    found, contacts, after = Counter[Described](), 0, ""
    while True:
        async with store.transaction(by) as connection:
            cases = (await connection.execute(_CASES, {"hub": by.hub, "since": since, "after": after})).all()
            items = (await connection.execute(_ITEMS, {"of": [case.reference for case in cases]})).all()
        found += await asyncio.to_thread(_counted, store, cases, items)
        contacts += len(cases)
        if len(cases) < AT_A_TIME:
            break
        after = cases[-1].reference
    async with store.transaction(by) as connection:
        await note_access(connection, store, None, by, "read_figures", f"ethnicity and age of {contacts} contacts, as counts")
    return found


def _counted(store: Store, cases: Sequence[Row[Any, Any, Any]], items: Sequence[Row[Any, Any, Any, Any]]) -> Counter[Described]:
    of: dict[str, list[Row[Any, Any, Any, Any]]] = {}
    for item in items:
        of.setdefault(item.reference, []).append(item)
    return Counter(each for case in cases for each in _people(store, case, of.get(case.reference, [])))


def _people(store: Store, case: Row[Any, Any, Any], items: Sequence[Row[Any, Any, Any, Any]]) -> list[Described]:
    """Each subject as they stand: whoever was put right, as that says; nobody where they cannot be opened here."""
    referral = Referral.model_validate_json(case.state)
    try:
        cipher = AESGCM(store.keyring.unwrap(case.wrapped, case.reference))
        fields = {
            item.subject: json.loads(unseal(cipher, item.sealed, case.reference))
            for item in items
            if referral.stands(str(item.id), item.subject)
        }
    except (KeyDestroyed, NoKeyHere):
        return []
    came = day_of(referral.received_at)
    return [
        Described(referral.primary_need or "", str(each.get("ethnicity") or ""), _years(each, came)) for each in fields.values()
    ]


def _years(fields: dict[str, Any], came: date) -> int | None:
    born = day(str(fields.get("date_of_birth") or ""))
    if born is None:
        return -1 if fields.get("expected_date") else None
    return max(-1, came.year - born.year - ((came.month, came.day) < (born.month, born.day)))
