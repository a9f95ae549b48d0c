"""Seals of the rows that let somebody in: whoever owns the database can write a session, a key or a part in a case, and not its
seal. The key is wrapped by the master key."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.tables import API_KEYS, PARTICIPANTS, SEALINGS, SESSIONS

AT_ONCE = 5_000


@dataclass(frozen=True)
class Sealed:
    """A kind of row that is sealed: its table, by what a row is known, and the columns that say what it means."""

    table: Table
    known_by: str
    means: tuple[str, ...]


SESSION = Sealed(
    SESSIONS,
    "hash",
    ("hash", "person", "role", "agency", "hub", "positions", "how", "started_at", "idle_seconds", "ends_at"),
)
API_KEY = Sealed(API_KEYS, "hash", ("hash", "id", "caller", "hub", "agency", "scopes", "created_at", "expires_at"))
PART = Sealed(PARTICIPANTS, "id", ("reference", "party", "hub", "person", "until"))


def seal_of(key: bytes, kind: Sealed, row: Mapping[Any, Any]) -> str:
    """The seal of a row: an HMAC over all that it means. What it has beside that (when it was last used) lets nobody in."""
    values = [kind.table.name, *(_plain(row[name]) for name in kind.means)]
    return hmac.digest(key, json.dumps(values).encode(), "sha256").hex()


def is_ours(key: bytes, kind: Sealed, row: Mapping[Any, Any]) -> bool:
    """Whether we wrote a row as it is."""
    return hmac.compare_digest(row["seal"] or "", seal_of(key, kind, row))


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


async def seal_rows_of_before(connection: AsyncConnection, key: bytes) -> str:
    """Seal the rows that a release has written which knew no seals, and write down when that was; returns what was sealed, in
    words, or nothing where there was nothing."""
    sealed = {kind.table.name: await _seal_all(connection, key, kind) for kind in (SESSION, API_KEY, PART)}
    if not any(sealed.values()):
        return ""
    numbers = {"sessions": sealed["session"], "api_keys": sealed["api_key"], "participants": sealed["participant"]}
    await connection.execute(insert(SEALINGS).values(at=datetime.now(UTC), **numbers))
    return f"{numbers['sessions']} sessions, {numbers['api_keys']} API keys, {numbers['participants']} parts in cases"


async def _seal_all(connection: AsyncConnection, key: bytes, kind: Sealed) -> int:
    rows = (await connection.execute(select(kind.table).where(kind.table.c.seal.is_(None)))).mappings().all()
    known = kind.table.c[kind.known_by]
    change = update(kind.table).where(known == bindparam("of")).values(seal=bindparam("sealed"))
    for begin in range(0, len(rows), AT_ONCE):
        some = [{"of": row[kind.known_by], "sealed": seal_of(key, kind, row)} for row in rows[begin : begin + AT_ONCE]]
        await connection.execute(change, some)
    return len(rows)
