"""The words of a case: its personal items, opened for whoever may read them; of the rest a signpost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.config.addresses import judged
from mash.config.permissions import may_read_words
from mash.flows.store.keys import KeyDestroyed, unseal
from mash.flows.store.reads.case import Case
from mash.flows.store.store import Store, data_key
from mash.flows.store.tables import ITEMS, REFERRALS
from mash.states.firewall import AGENCIES_OWN, product, view
from mash.states.referral import Referral
from mash.states.values import Actor

REDACTED = "redacted"
"""The kind of an item that stands for another one, as others may read it."""
HELD = "held_by_agency"
"""What an item is to those who may not see what it is."""


async def read_items(store: Store, case: Case, by: Actor) -> list[dict[str, Any]]:
    """The personal items of a case as far as somebody may read them: what was said, what their agency holds, and what others
    released (perhaps redacted); of the rest only a signpost that it exists."""
    rows, key = await _items(store, case.reference, by)
    sealed = {str(row.id): row for row in rows}

    def line(item: str, shown: str, kind: str, row: Row[Any] | None, agency: str, at: datetime) -> dict[str, Any]:
        content = unseal(key, row.sealed, case.reference).decode() if row else None
        subject = sealed[item].subject if item in sealed else None
        return {"item": item, "kind": kind, "subject": subject, "agency": agency, "at": at, "view": shown, "content": content}

    lines = []
    for row in rows:
        if row.kind not in (*AGENCIES_OWN, REDACTED):
            theirs = row.created_by == by.id or may_read_words(by.role, row.kind)
            shown = "whole" if theirs else "signpost"
            lines.append(line(str(row.id), shown, row.kind, row if theirs else None, row.owner_agency, row.created_at))
    for held in case.referral.held.values():
        shown = view(held, by.agency)
        original = sealed.get(held.item)
        readable = {"whole": held.item, "redacted": held.redacted or "", "signpost": ""}[shown]
        if readable not in sealed:  # released, but not to whoever only looks in through the broken glass
            shown = "signpost"
        kind = original.kind if original else HELD
        lines.append(line(held.item, shown, kind, sealed.get(readable), held.agency, held.at))
    return sorted(lines, key=lambda line: (line["at"], line["item"]))


async def information_product(store: Store, case: Case, by: Actor) -> list[dict[str, Any]]:
    """What the agencies released about a case, in the versions that they released; for the rest, signposts."""
    rows, key = await _items(store, case.reference, by)
    sealed = {str(row.id): row.sealed for row in rows}
    return [
        {
            "agency": line.agency,
            "at": line.at,
            "content": unseal(key, sealed[line.item], case.reference).decode() if line.item in sealed else None,
            "signpost": None if line.item in sealed else "this agency holds information that it has not released: ask the agency",
        }
        for line in product(case.referral)
    ]


async def _items(store: Store, reference: str, by: Actor) -> tuple[Sequence[Row[Any]], AESGCM]:
    """The items that the database shows somebody, and the key that opens them."""
    async with store.transaction(by) as connection:
        key = AESGCM(await data_key(connection, store, reference))
        query = select(ITEMS).where(ITEMS.c.reference == reference).order_by(ITEMS.c.created_at, ITEMS.c.id)
        return (await connection.execute(query)).all(), key


@dataclass(frozen=True)
class PlainItem:
    """An item in plain."""

    id: str
    kind: str
    subject: str | None
    agency: str
    at: datetime
    content: bytes


async def read_everything(connection: AsyncConnection, store: Store, case: Case) -> list[PlainItem]:
    """Every item of a case in plain, whoever it belongs to: for what the law asks to be answered from all of it."""
    key = AESGCM(await data_key(connection, store, case.reference))
    query = select(ITEMS).where(ITEMS.c.reference == case.reference).order_by(ITEMS.c.created_at, ITEMS.c.id)
    return [
        PlainItem(str(row.id), row.kind, row.subject, row.owner_agency, row.created_at, unseal(key, row.sealed, case.reference))
        for row in (await connection.execute(query)).all()
    ]


async def not_to_write(store: Store, reference: str) -> str | None:
    """By which case's warnings writing to whoever referred is not safe now: this one's, or those of another that the contact was
    split into, for one person made it. None where it is safe."""
    root = select(REFERRALS.c.root).where(REFERRALS.c.reference == reference).scalar_subquery()
    family = select(REFERRALS.c.reference, REFERRALS.c.state).where(REFERRALS.c.root == root)
    async with store.single.connect() as connection:
        rows = (await connection.execute(family.order_by(REFERRALS.c.reference != reference, REFERRALS.c.reference))).all()
    return next((str(row.reference) for row in rows if Referral.model_validate_json(row.state).not_to_write), None)


async def referrer_address(store: Store, reference: str) -> str | None:
    """The e-mail address the referrer gave, tidied; None when there is none that could be one, or when the people have been
    erased."""
    async with store.single.connect() as connection:
        sealed = await connection.scalar(select(ITEMS.c.sealed).where(ITEMS.c.reference == reference, ITEMS.c.kind == "referrer"))
        if sealed is None:
            return None
        try:
            key = await data_key(connection, store, reference)
        except KeyDestroyed:
            return None
    email = json.loads(unseal(AESGCM(key), sealed, reference)).get("email")
    found = judged(str(email or ""))
    return found.address if found.can_be else None
