"""Rotating the master key: every key that an older one wrapped is wrapped by the newest."""

from __future__ import annotations

from sqlalchemy import func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.keys import Keyring
from mash.flows.store.store import Store, as_json
from mash.flows.store.tables import KEYS, SECRETS
from mash.flows.store.writes import as_bytea

BATCH = 500
# Only where nobody has erased it meanwhile.
_WRAP_ANEW = text("""
    UPDATE referral_key k SET wrapped = n.wrapped, master = n.master
    FROM json_populate_recordset(NULL::referral_key, CAST(:rows AS json)) n
    WHERE k.reference = n.reference AND k.wrapped IS NOT NULL""")


async def wrap_anew(store: Store) -> int:
    """Wrap by the newest master key whatever an older one wrapped; returns how many referrals' keys that were. The rest of the
    installation goes on meanwhile. Raises KeyDestroyed for a key that none of the master keys opens."""
    done = 0
    while wrapped := await _wrap_some(store):
        done += wrapped
    async with store.engine.begin() as connection:
        await _wrap_secrets(connection, store.keyring)
    return done


async def _wrap_some(store: Store) -> int:
    newest = store.keyring.current.name
    older = or_(KEYS.c.master.is_(None), KEYS.c.master != newest)
    query = select(KEYS.c.reference, KEYS.c.wrapped).where(KEYS.c.wrapped.is_not(None), older).limit(BATCH)
    async with store.engine.begin() as connection:
        rows = (await connection.execute(query.with_for_update())).all()
        anew = [
            {
                "reference": row.reference,
                "wrapped": as_bytea(store.keyring.wrap(store.keyring.unwrap(row.wrapped, row.reference), row.reference)),
                "master": newest,
            }
            for row in rows
        ]
        await connection.execute(_WRAP_ANEW, {"rows": as_json(anew)})
    return len(rows)


async def _wrap_secrets(connection: AsyncConnection, keyring: Keyring) -> None:
    for row in (await connection.execute(select(SECRETS))).all():
        plain = keyring.unwrap(row.wrapped, row.name)
        values = {"wrapped": keyring.wrap(plain, row.name), "master": keyring.current.name}
        await connection.execute(SECRETS.update().where(SECRETS.c.name == row.name).values(**values))


async def wrapped_by(store: Store) -> dict[str, int]:
    """How many referrals' keys each master key wraps, by its name; 'unknown' where that was before keys could be rotated."""
    query = select(KEYS.c.master, func.count().label("n")).where(KEYS.c.wrapped.is_not(None)).group_by(KEYS.c.master)
    async with store.single.connect() as connection:
        return {row.master or "unknown": row.n for row in (await connection.execute(query)).all()}
