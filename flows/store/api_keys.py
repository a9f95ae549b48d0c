"""API keys of referrers' systems: what each may do, until when, and when it was last used. Kept hashed. Wall time."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, insert, or_, select, update

from mash.flows.store.seals import API_KEY, is_ours, seal_of
from mash.flows.store.sessions import hash_of
from mash.flows.store.store import Store
from mash.flows.store.tables import API_KEYS
from mash.flows.store.trouble import report_planted
from mash.states.errors import NotFound

PREFIX = "mash_"
SCOPES = ("submit", "read_status", "disagree")
"""What a referrer's system may do."""
WALL = "wall"
"""What a screen in the hub may do, and nothing else."""
USED_EVERY = timedelta(hours=1)
"""A key's last use is written down no more often than this."""


@dataclass(frozen=True)
class NewKey:
    """A key for a referrer's system: whose, at which hub, and what it may do."""

    caller: str
    hub: str
    agency: str
    scopes: tuple[str, ...] = SCOPES
    days: float = 365


async def make_api_key(store: Store, new: NewKey) -> str:
    """Make a key; returns it, to be shown once. It begins with its name, by which it is listed."""
    name, now = secrets.token_hex(4), datetime.now(UTC)
    key = f"{PREFIX}{name}_{secrets.token_urlsafe(32)}"
    row: dict[str, Any] = {"id": name, "hash": hash_of(key), "caller": new.caller, "hub": new.hub, "agency": new.agency}
    more = {"scopes": list(new.scopes), "created_at": now, "expires_at": now + timedelta(days=new.days)}
    row = {**row, **more, "revoked_at": None}
    async with store.single.connect() as connection:
        await connection.execute(insert(API_KEYS).values(**row, seal=seal_of(store.keyring.rows, API_KEY, row)))
    return key


_VALID = select(API_KEYS).where(
    API_KEYS.c.hash == bindparam("of"), API_KEYS.c.revoked_at.is_(None), API_KEYS.c.expires_at > bindparam("now")
)
_USED = update(API_KEYS).where(API_KEYS.c.hash == bindparam("of"))


async def find_api_key(store: Store, key: str) -> Row[Any] | None:
    """The key, unless it is unknown, has expired, was revoked, or somebody else wrote it into the database: those are told apart
    for nobody."""
    now = datetime.now(UTC)
    async with store.single.connect() as connection:
        row = (await connection.execute(_VALID, {"of": hash_of(key), "now": now})).one_or_none()
        if row is not None and not is_ours(store.keyring.rows, API_KEY, row._mapping):
            await report_planted(store, "API key", row.id, row.hub)
            return None
        if row is not None and (row.last_used_at is None or now - row.last_used_at > USED_EVERY):
            await connection.execute(_USED.values(last_used_at=now), {"of": row.hash})
    return row


async def rotate_api_key(store: Store, name: str, days: float, overlap: float) -> str:
    """A new key like this one, which goes on for `overlap` days. Raises NotFound for one that is over, or was replaced already:
    of several at once one is right."""
    old = await _one(store, name)
    new = await make_api_key(store, NewKey(old.caller, old.hub, old.agency, tuple(old.scopes), days))
    until = min(old.expires_at, datetime.now(UTC) + timedelta(days=overlap))
    async with store.single.connect() as connection:
        seal = seal_of(store.keyring.rows, API_KEY, {**old._mapping, "expires_at": until})
        values: dict[str, Any] = {"expires_at": until, "replaced_by": new.split("_")[1], "seal": seal}
        first = _USED.where(API_KEYS.c.replaced_by.is_(None)).values(**values)
        if (await connection.execute(first, {"of": old.hash})).rowcount:
            return new
    await revoke_api_key(store, values["replaced_by"])
    raise NotFound("this key was replaced already: see `mash key list`, and rotate the one that replaced it")


async def revoke_api_key(store: Store, name: str) -> None:
    """A key is good for nothing from now on, and has no seal. Raises NotFound for one that is over already."""
    old = await _one(store, name)
    async with store.single.connect() as connection:
        await connection.execute(_USED.values(revoked_at=datetime.now(UTC), seal=None), {"of": old.hash})


async def _one(store: Store, name: str) -> Row[Any]:
    now = datetime.now(UTC)
    alive = (API_KEYS.c.id == name, API_KEYS.c.revoked_at.is_(None), API_KEYS.c.expires_at > now)
    async with store.single.connect() as connection:
        row = (await connection.execute(select(API_KEYS).where(*alive))).one_or_none()
    if row is None:
        raise NotFound("there is no such key that is not over: see `mash key list`")
    return row


async def api_keys(store: Store, *, all_: bool = False) -> Sequence[Row[Any]]:
    """The keys, those that are over only when `all_` are asked for; the one that expires first comes first."""
    over = or_(API_KEYS.c.revoked_at.is_not(None), API_KEYS.c.expires_at < datetime.now(UTC))
    query = select(API_KEYS).order_by(API_KEYS.c.expires_at)
    async with store.single.connect() as connection:
        return (await connection.execute(query if all_ else query.where(~over))).all()
