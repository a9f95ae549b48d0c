"""What the audit compares: the database, what the clients were told, what arrived, and Prefect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from sqlalchemy import select

from mash.bench.chaos.load import Accepted
from mash.bench.chaos.post import MailServer
from mash.flows.store.store import Store
from mash.flows.store.tables import EVENTS
from mash.states.log import RECORDED

Wrong = list[str]


@dataclass(frozen=True)
class Evidence:
    """What the audit compares: the database, what the clients were told, what arrived, and Prefect."""

    store: Store
    accepted: Accepted
    mail: MailServer
    prefect: httpx.AsyncClient
    began: datetime
    """When the load began: times before that, or after now, are of a clock that was set wrong, and say nothing."""
    prefect_forgot: bool = False
    """Whether an older copy of Prefect's database was put in place: a finished referral's run may be gone then."""


async def events_of(store: Store, kind: type[Any]) -> list[Any]:
    """The recorded events of a kind."""
    query = select(EVENTS.c.canonical).where(EVENTS.c.kind == kind.model_fields["kind"].default)
    async with store.single.connect() as connection:
        return [RECORDED.validate_json(text) for text in (await connection.scalars(query)).all()]
