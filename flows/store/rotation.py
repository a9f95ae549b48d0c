"""Rotating the master key: every key that an older one wrapped is wrapped by the newest."""

from __future__ import annotations

from sqlalchemy import delete, func, or_, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.erasure import rewrite_keys
from mash.flows.store.keys import Keyring
from mash.flows.store.store import Store, as_json
from mash.flows.store.tables import KEYS, MASTERS, SECRETS
from mash.flows.store.writes import as_bytea

BATCH = 500
# Only where nobody has erased it meanwhile.
_WRAP_ANEW = text("""
    UPDATE referral_key k SET wrapped = n.wrapped, master = n.master
    FROM json_populate_recordset(NULL::referral_key, CAST(:rows AS json)) n
    WHERE k.reference = n.reference AND k.wrapped IS NOT NULL""")


async def wrap_anew(store: Store) -> int:
    """Wrap by the newest master key whatever an older one wrapped; returns how many referrals' keys that were. The rest of the
    installation goes on meanwhile. Raises NoKeyHere for a key that none of the master keys opens."""
    # First, as by them a running part sees that there is a newer key: what it wraps from then on is not wrapped again.
    async with store.engine.begin() as connection:
        await _wrap_secrets(connection, store.keyring)
    done = 0
    while wrapped := await _wrap_some(store):
        done += wrapped
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


async def retire_older(store: Store) -> None:
    """Have the database know the newest master key alone: it takes nothing from then on that another has wrapped, of a part
    that has not read the new key yet, and what the older ones wrapped leaves its files. Raises NoKeyHere for one that none of the
    master keys opens."""
    while True:
        await wrap_anew(store)
        try:
            async with store.engine.begin() as connection:
                await connection.execute(delete(MASTERS).where(MASTERS.c.name != store.keyring.current.name))
            await rewrite_keys(store)
            return
        except IntegrityError:
            continue  # something was wrapped by an older one meanwhile


def is_retired(error: IntegrityError) -> bool:
    """Whether something was refused because the master key that wrapped it is retired."""
    return "referral_key_master_fkey" in str(error.orig)


async def wrapped_by(store: Store) -> dict[str, int]:
    """How many referrals' keys each master key wraps, by its name; 'unknown' where that was before keys could be rotated."""
    query = select(KEYS.c.master, func.count().label("n")).where(KEYS.c.wrapped.is_not(None)).group_by(KEYS.c.master)
    async with store.single.connect() as connection:
        return {row.master or "unknown": row.n for row in (await connection.execute(query)).all()}
