"""Drafts of referrals, by the secret in their writer's link: what is written in them opens with that secret alone. Wall time."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.keys import seal, unseal
from mash.flows.store.sessions import hash_of
from mash.flows.store.store import Store, as_json
from mash.flows.store.tables import DRAFTS

KEPT = timedelta(days=14)
"""A draft that nobody has written in for so long is deleted."""
LARGEST = 1_000_000
"""Characters of all its answers, as JSON: as much as a whole referral may have that is sent at once."""

Answers = dict[str, Any]


class NotWritten(Exception):
    """A draft has not taken what was to be written; says why to whoever writes."""


async def begin_draft(store: Store, answers: Answers) -> str:
    """Begin a draft; returns its secret, which is kept nowhere. Drafts that nobody has touched for long go at the same time."""
    secret, now = secrets.token_urlsafe(32), datetime.now(UTC)
    row = {"hash": hash_of(secret), "sealed": _sealed(secret, answers), "touched_at": now}
    async with store.engine.begin() as connection:
        await connection.execute(delete(DRAFTS).where(DRAFTS.c.touched_at < now - KEPT))
        await connection.execute(insert(DRAFTS).values(**row))
    return secret


async def read_draft(store: Store, secret: str) -> Answers | None:
    """What is written in the draft of a secret; None where there is none, or nobody has touched it for too long."""
    async with store.single.connect() as connection:
        return await _read(connection, secret, _of(secret))


async def write_draft(store: Store, secret: str, change: Callable[[Answers], Answers]) -> Answers | None:
    """Change what is written in a draft; returns all of it, or None where there is no draft. One at a time: what is written in
    two windows at once is all kept. Raises NotWritten where it was sent meanwhile, or becomes too long."""
    async with store.engine.begin() as connection:
        answers = await _read(connection, secret, _of(secret).with_for_update())
        if answers is None:
            return None
        if "sent" in answers:
            raise NotWritten(f"This was sent already, as {answers['sent']}: what you have written here is not part of it")
        return await _write(connection, secret, change(answers))


async def finish_draft(store: Store, secret: str, reference: str) -> None:
    """Keep of a draft only which referral it has become."""
    async with store.engine.begin() as connection:
        await _write(connection, secret, {"sent": reference})


def _of(secret: str) -> Select[Any]:
    return select(DRAFTS.c.sealed).where(DRAFTS.c.hash == hash_of(secret), DRAFTS.c.touched_at > datetime.now(UTC) - KEPT)


async def _read(connection: AsyncConnection, secret: str, query: Select[Any]) -> Answers | None:
    sealed = await connection.scalar(query)
    return dict(json.loads(unseal(_key(secret), sealed, hash_of(secret)))) if sealed is not None else None


async def _write(connection: AsyncConnection, secret: str, answers: Answers) -> Answers:
    row = {"sealed": _sealed(secret, answers), "touched_at": datetime.now(UTC)}
    await connection.execute(update(DRAFTS).where(DRAFTS.c.hash == hash_of(secret)).values(**row))
    return answers


def _sealed(secret: str, answers: Answers) -> bytes:
    text = as_json(answers)
    if len(text) > LARGEST:
        raise NotWritten("This is more than can be sent at once: shorten it, and give the rest to whoever answers you")
    return seal(_key(secret), text.encode(), hash_of(secret))


def _key(secret: str) -> AESGCM:
    """The key of a draft. It comes of the secret by another way than the hash, from which nobody can come to it."""
    return AESGCM(HKDF(SHA256(), length=32, salt=None, info=b"mash draft").derive(secret.encode()))
