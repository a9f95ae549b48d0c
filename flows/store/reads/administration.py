"""What whoever looks after the installation sees of it: one hub's channels, keys and repairs, and who follows which profile. The
software reads it for them; nothing of it is about people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, select, text

from mash.flows.store.store import Store
from mash.flows.store.tables import API_KEYS, DELIVERIES, NOTICES, REFERRALS, REPAIRS

LATELY = timedelta(hours=24)
LATEST = 50


@dataclass
class ChannelHealth:
    """What became of the tries by one channel lately."""

    results: Counter[str] = field(default_factory=Counter)
    last: datetime | None = None


async def channel_health(store: Store, hub: str) -> dict[str, ChannelHealth]:
    """Each channel of a hub by which something was sent in the last day, by whose it is."""
    tried = (
        select(
            DELIVERIES.c.channels,
            func.coalesce(DELIVERIES.c.result, "cut off").label("result"),
            func.count().label("n"),
            func.max(DELIVERIES.c.started_at).label("last"),
        )
        .join(NOTICES, NOTICES.c.id == DELIVERIES.c.notice)
        .where(NOTICES.c.hub == hub, NOTICES.c.created_at > store.time.now() - LATELY)
        .group_by(DELIVERIES.c.channels, DELIVERIES.c.result)
        .order_by(DELIVERIES.c.channels)
    )
    found: dict[str, ChannelHealth] = {}
    async with store.single.connect() as connection:
        for row in (await connection.execute(tried)).all():
            health = found.setdefault(row.channels, ChannelHealth())
            health.results[row.result] += row.n
            health.last = max(row.last, health.last or row.last)
    return found


async def repairs(store: Store, hub: str) -> Sequence[Row[Any]]:
    """What the watchdog set right at a hub, and for the installation as a whole; the latest first."""
    here = select(REFERRALS.c.reference).where(REFERRALS.c.hub == hub)
    query = (
        select(REPAIRS)
        .where(REPAIRS.c.reference.is_(None) | REPAIRS.c.reference.in_(here))
        .order_by(REPAIRS.c.id.desc())
        .limit(LATEST)
    )
    async with store.single.connect() as connection:
        return (await connection.execute(query)).all()


async def keys_of(store: Store, hub: str) -> Sequence[Row[Any]]:
    """The API keys of a hub, those that are over too; the one that expires first comes last of those that are not."""
    columns = [column for column in API_KEYS.c if column.name != "hash"]
    query = select(*columns).where(API_KEYS.c.hub == hub).order_by(API_KEYS.c.revoked_at.is_not(None), API_KEYS.c.expires_at)
    async with store.single.connect() as connection:
        return (await connection.execute(query)).all()


_FOLLOWS = text("""
    SELECT CAST(state AS jsonb) ->> 'profile' AS digest, count(*) AS n FROM referral
    WHERE is_open AND hub = :hub GROUP BY 1 ORDER BY 2 DESC""")


async def followed_profiles(store: Store, hub: str) -> dict[str, int]:
    """How many open referrals of a hub follow each version of its profile, by digest."""
    async with store.single.connect() as connection:
        return {row.digest: row.n for row in (await connection.execute(_FOLLOWS, {"hub": hub})).all()}
