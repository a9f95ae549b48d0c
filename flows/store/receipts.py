"""One answer per idempotency key: the same request again gets the first answer again."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.rotation import is_retired
from mash.flows.store.store import Store, as_json
from mash.flows.store.tables import RECEIPTS
from mash.states.errors import Refusal
from mash.states.values import Actor


@dataclass(frozen=True)
class Answer:
    """What the API answers: a status, a body without personal data, and the referral it is about."""

    status: int
    body: dict[str, Any]
    reference: str | None = None


class KeyReused(Refusal):
    """The idempotency key was used for another request before."""

    title = "This idempotency key was used for another request"


# Built once, like every statement of each request: SQLAlchemy takes as long to build and recognise one as PostgreSQL to run it.
_EARLIER = (
    select(RECEIPTS)
    .where(RECEIPTS.c.hub == bindparam("at_hub"), RECEIPTS.c.caller == bindparam("of"))
    .where(RECEIPTS.c.key.in_((bindparam("name"), bindparam("as_given"))))
    .limit(1)
)
_KEEP = insert(RECEIPTS)
Work = Callable[[AsyncConnection], Awaitable[Answer]]


async def answer_once(
    store: Store,
    by: Actor,
    key: str,
    purpose: str,
    body: object,
    work: Work,
    refused: Callable[[Refusal], Answer],
    *,
    of_system: bool = False,
) -> Answer:
    """Do `work` in one transaction with its receipt (`of_system`: beyond what they reach). A refusal leaves nothing but its
    receipt. Raises KeyReused."""
    fingerprint = store.keyring.fingerprint(as_json(body).encode())
    try:
        async with store.transaction(by, of_system=of_system, of_one_case=True) as connection:
            if earlier := await _earlier(connection, store, by, key, fingerprint):
                return earlier
            answer = await work(connection)
            await _record(connection, store, by, key, purpose, fingerprint, answer)
            return answer
    except IntegrityError as error:
        if is_retired(error) and store.keyring.read_again(at_once=True):
            return await answer_once(store, by, key, purpose, body, work, refused, of_system=of_system)
        # The same key at the same instant: the other one was first.
        async with store.transaction(by) as connection:
            if earlier := await _earlier(connection, store, by, key, fingerprint):
                return earlier
        raise
    except KeyReused:
        raise
    except Refusal as refusal:
        # The same key while the first was on its way: it waited for the case, and what it asks for has been done meanwhile.
        async with store.transaction(by) as connection:
            if earlier := await _earlier(connection, store, by, key, fingerprint):
                return earlier
        answer = refused(refusal)
    await record_refused(store, by, key, purpose, body, answer)
    return answer


async def record_refused(store: Store, by: Actor, key: str, purpose: str, body: object, answer: Answer) -> None:
    """Keep the receipt of a refusal, unless the key has one already."""
    fingerprint = store.keyring.fingerprint(as_json(body).encode())
    try:
        async with store.transaction(by) as connection:
            if await _found(connection, store, by, key) is None:
                await _record(connection, store, by, key, purpose, fingerprint, answer)
    except IntegrityError:
        return


def _name(store: Store, key: str) -> str:
    """By what a receipt knows its key again: what a caller makes up may be long, and may name somebody."""
    return store.keyring.fingerprint(f"key:{key}".encode())


async def _found(connection: AsyncConnection, store: Store, by: Actor, key: str) -> Row[Any] | None:
    """The receipt of a caller's key, also one of before that was kept as it was given. None was kept with a zero byte, which
    PostgreSQL does not take."""
    name = _name(store, key)
    asked = {"at_hub": by.hub, "of": by.id, "name": name, "as_given": name if "\0" in key else key}
    return (await connection.execute(_EARLIER, asked)).one_or_none()


async def _earlier(connection: AsyncConnection, store: Store, by: Actor, key: str, fingerprint: str) -> Answer | None:
    row = await _found(connection, store, by, key)
    if row is None:
        return None
    if row.fingerprint != fingerprint:
        raise KeyReused("use a new Idempotency-Key for a new request; repeat a key only to repeat the same request")
    return Answer(row.status, json.loads(row.answer), row.reference)


async def _record(
    connection: AsyncConnection, store: Store, by: Actor, key: str, purpose: str, fingerprint: str, answer: Answer
) -> None:
    receipt = {
        "caller": by.id,
        "key": _name(store, key),
        "purpose": purpose,
        "fingerprint": fingerprint,
        "status": answer.status,
        "answer": as_json(answer.body),
        "reference": answer.reference,
        "at": store.time.now(),
        "hub": by.hub,
    }
    await connection.execute(_KEEP, receipt)
