"""Details that put a person right, on their way in: sealed as an item of the same kind, which supersedes the one before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.keys import unseal
from mash.flows.store.store import as_json
from mash.flows.store.tables import ITEMS
from mash.flows.store.writes import Item, Writes
from mash.states.acts.birth import RecordBirth
from mash.states.ages import age_on
from mash.states.clocks import day_of
from mash.states.errors import Incomplete
from mash.states.referral import Referral
from mash.states.values import Actor, Details

WITH_DETAILS = (RecordBirth,)
"""The commands with which details come."""
OF_A_BIRTH = ("date_of_birth", "name", "sex")
Given = Mapping[str, Any]
"""Details by field, as somebody gave them."""


@dataclass(frozen=True)
class Correcting:
    """A case in which somebody is put right, by whom and when."""

    reference: str
    referral: Referral
    key: bytes = field(repr=False)
    by: Actor
    now: datetime


async def sealed(connection: AsyncConnection, at: Correcting, command: RecordBirth, given: Given, writes: Writes) -> Details:
    """Keep the details that came with a command, over what was stored of that person, and say what they stand for. Raises
    Incomplete for fields that are none of a birth."""
    if foreign := [name for name in given if name not in OF_A_BIRTH]:
        raise Incomplete(f"these are no details of a birth: {', '.join(foreign)}; expected some of {', '.join(OF_A_BIRTH)}")
    query = select(ITEMS).where(ITEMS.c.reference == at.reference, ITEMS.c.kind == "subject", ITEMS.c.subject == command.subject)
    rows = (await connection.execute(query.order_by(ITEMS.c.created_at, ITEMS.c.id))).all()
    before = next((row for row in rows if str(row.id) not in at.referral.superseded), None)
    right = {**(json.loads(unseal(AESGCM(at.key), before.sealed, at.reference)) if before else {}), **given}
    item = Item("subject", as_json(right).encode(), command.subject)
    (stored,) = writes.keep(at.reference, at.key, [item], at.by, at.now)
    return Details(
        stored=stored,
        kind="subject",
        subject=command.subject,
        before=str(before.id) if before else None,
        changed=tuple(given),
        age=age_on(day_of(at.now), _day(right.get("date_of_birth"))),
    )


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None
