"""Drafts of referrals, by the secret in their writer's link, and of what is recorded later, by a secret that the store has: what
is written in them opens with that secret alone. Wall time."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_once
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.keys import seal, unseal
from mash.flows.store.sessions import hash_of
from mash.flows.store.store import Store
from mash.flows.store.tables import DRAFTS
from mash.flows.store.turns import one_at_a_time

LIFETIME = timedelta(days=14)
"""A draft that nobody has written in for so long is deleted."""
COPYING = timedelta(minutes=30)
"""For how long whoever has sent a draft can have a copy of what they wrote."""
PRESSING = timedelta(seconds=10)
"""Within which a button is pressed twice by one hand."""
LARGEST = 150_000
"""Bytes of all its answers, as JSON: the longest text that a page takes (100,000 characters), and half as much for the rest."""
SIZE = select(func.coalesce(func.sum(func.octet_length(DRAFTS.c.sealed)), 0))
"""The bytes of all drafts. Of one that was sent, next to nothing is kept."""

Answers = dict[str, Any]


class NotWritten(Exception):
    """A draft has not taken what was to be written; says why to whoever writes."""


class NoRoom(NotWritten):
    """All drafts together are as large as they may be."""


async def begin_draft(store: Store, answers: Answers, room: int) -> str:
    """Begin a draft, where all of them have fewer bytes than `room`; returns its secret, which is kept nowhere. Drafts that
    nobody has touched for long go at the same time. Raises NotWritten where it is too long, NoRoom where there is none."""
    secret, now, text = secrets.token_urlsafe(32), datetime.now(UTC), _text(answers)
    _demand_short(text)
    row = {"hash": hash_of(secret), "sealed": _sealed(secret, text), "touched_at": now}
    async with store.engine.begin() as connection:
        await connection.execute(delete(DRAFTS).where(DRAFTS.c.touched_at < now - LIFETIME))
        await _demand_room(connection, room)
        await connection.execute(insert(DRAFTS).values(**row))
    return secret


async def read_draft(store: Store, secret: str) -> Answers | None:
    """What is written in the draft of a secret; None where there is none, or nobody has touched it for too long."""
    async with store.single.connect() as connection:
        return await _read(connection, secret, _of(secret))


async def write_draft(store: Store, secret: str, change: Callable[[Answers], Answers], room: int) -> Answers | None:
    """Change what is written in a draft; returns all of it, or None where there is no draft. One at a time: what is written in
    two windows at once is all kept. Raises NotWritten where it was sent meanwhile, or becomes too long, and NoRoom where it grows
    and there is none; it stays as it was then."""
    async with store.engine.begin() as connection:
        answers = await _read(connection, secret, _of(secret).with_for_update())
        if answers is None:
            return None
        if "sent" in answers:
            raise NotWritten(f"This was sent already, as {answers['sent']}: what you have written here is not part of it")
        before, changed = _text(answers), change(answers)
        text = _text(changed)
        if len(text) > len(before):
            _demand_short(text)
            await _demand_room(connection, room)
        await _write(connection, secret, text)
        return changed


async def keep_draft(store: Store, secret: str, change: Callable[[Answers], Answers]) -> Answers:
    """Change what is written in a draft of staff, which begins where there is none; returns all of it. It needs no room of those
    that anybody may begin: a full house must not cost a meeting its words. Raises NotWritten where it becomes too long."""
    empty = {"hash": hash_of(secret), "sealed": _sealed(secret, _text({})), "touched_at": datetime.now(UTC)}
    async with store.engine.begin() as connection:
        await connection.execute(insert_once(DRAFTS).values(**empty).on_conflict_do_nothing())
        before = select(DRAFTS.c.sealed).where(DRAFTS.c.hash == hash_of(secret)).with_for_update()
        changed = change(await _read(connection, secret, before) or {})
        text = _text(changed)
        _demand_short(text)
        await _write(connection, secret, text)
        return changed


async def settle_draft(store: Store, secret: str, left: Callable[[Answers], Answers]) -> None:
    """Keep of a draft, where there is one, what is `left` of it by now; nothing, and it is taken away."""
    async with store.engine.begin() as connection:
        answers = await _read(
            connection, secret, select(DRAFTS.c.sealed).where(DRAFTS.c.hash == hash_of(secret)).with_for_update()
        )
        if rest := left(answers or {}):
            await _write(connection, secret, _text(rest))
        else:
            await connection.execute(delete(DRAFTS).where(DRAFTS.c.hash == hash_of(secret)))


async def finish_draft(store: Store, secret: str, reference: str, copied: Answers) -> None:
    """Keep of a draft only which referral it has become, when, and that nobody has been shown that yet. What was `copied` from it
    stands apart, under a secret of its own that is handed out with the reference, and can be read for half an hour."""
    copy, now = secrets.token_urlsafe(32), datetime.now(UTC)
    text = _text({"sent": reference, "sent_at": now.isoformat(), "copy": copy})
    # It is found as long as it has been touched within the lifetime of a draft, and deleted as drafts are.
    row = {"hash": hash_of(copy), "sealed": _sealed(copy, _text(copied)), "touched_at": now - LIFETIME + COPYING}
    async with store.engine.begin() as connection:
        await connection.execute(insert(DRAFTS).values(**row))
        await _write(connection, secret, text)


@dataclass(frozen=True)
class Shown:
    """What whoever sent a draft is shown: which referral it has become, and the secret of the copy of what they wrote."""

    reference: str
    copy: str


async def show_sent(store: Store, secret: str) -> Shown | None:
    """Which referral a draft has become, once; None ever after, and where it has become none. Whoever uses the device next has
    the secret too."""
    async with store.engine.begin() as connection:
        answers = await _read(connection, secret, _of(secret).with_for_update())
        if not answers or "sent" not in answers or answers.get("shown"):
            return None
        await _write(connection, secret, _text({**answers, "shown": True}))
        return Shown(str(answers["sent"]), str(answers.get("copy", "")))


async def discard_copy(store: Store, secret: str) -> None:
    """Delete a copy of what somebody wrote."""
    async with store.engine.begin() as connection:
        await connection.execute(delete(DRAFTS).where(DRAFTS.c.hash == hash_of(secret)))


async def pressed_again(store: Store, secret: str) -> None:
    """Somebody pressed the button twice: their browser waits for the second answer, and threw away the first, on which it was."""
    async with store.engine.begin() as connection:
        answers = await _read(connection, secret, _of(secret).with_for_update())
        if answers and "sent_at" in answers and datetime.now(UTC) - datetime.fromisoformat(answers["sent_at"]) < PRESSING:
            await _write(connection, secret, _text({**answers, "shown": False}))


def _of(secret: str) -> Select[Any]:
    return select(DRAFTS.c.sealed).where(DRAFTS.c.hash == hash_of(secret), DRAFTS.c.touched_at > datetime.now(UTC) - LIFETIME)


async def _read(connection: AsyncConnection, secret: str, query: Select[Any]) -> Answers | None:
    sealed = await connection.scalar(query)
    return dict(json.loads(unseal(_key(secret), sealed, hash_of(secret)))) if sealed is not None else None


async def _write(connection: AsyncConnection, secret: str, text: bytes) -> None:
    row = {"sealed": _sealed(secret, text), "touched_at": datetime.now(UTC)}
    await connection.execute(update(DRAFTS).where(DRAFTS.c.hash == hash_of(secret)).values(**row))


def _text(answers: Answers) -> bytes:
    """Answers as they are kept. Letters are not escaped: Arabic would take three times as much."""
    return json.dumps(answers, ensure_ascii=False, separators=(",", ":")).encode()


def _demand_short(text: bytes) -> None:
    if len(text) > LARGEST:
        raise NotWritten("This is more than can be sent at once: shorten it, and give the rest to whoever answers you")


async def _demand_room(connection: AsyncConnection, room: int) -> None:
    await one_at_a_time(connection, "drafts")
    if int(await connection.scalar(SIZE) or 0) >= room:
        raise NoRoom(
            "We cannot keep what is written here just now. Please ring your council instead, and say that you are worried about"
            " somebody. If somebody is in immediate danger, call 999"
        )


def _sealed(secret: str, text: bytes) -> bytes:
    return seal(_key(secret), text, hash_of(secret))


def _key(secret: str) -> AESGCM:
    """The key of a draft. It comes of the secret by another way than the hash, from which nobody can come to it."""
    return AESGCM(HKDF(SHA256(), length=32, salt=None, info=b"mash draft").derive(secret.encode()))
