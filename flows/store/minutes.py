"""What is written down at a meeting until it is recorded: a draft by a secret that comes of the case's own key. Only who reaches
the case can open it, and with the key it is gone."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mash.flows.store.drafts import Answers, drop_draft, keep_draft, read_draft
from mash.flows.store.store import Store, data_key
from mash.states.acts.scheduling import Planned
from mash.states.values import Actor


async def read_minutes(store: Store, reference: str, what: Planned, by: Actor) -> Answers:
    """What has been written down so far; nothing where nobody has begun, or nobody has gone on for two weeks."""
    return await read_draft(store, await _secret(store, reference, what, by)) or {}


async def write_minutes(store: Store, reference: str, what: Planned, by: Actor, change: Callable[[Answers], Answers]) -> Answers:
    """Change what is written down; returns all of it. Of several who write at once each changes what the one before left. Raises
    NotWritten where it becomes too long."""
    return await keep_draft(store, await _secret(store, reference, what, by), change)


async def drop_minutes(store: Store, reference: str, what: Planned, by: Actor) -> None:
    """It is recorded, and stands in the case."""
    await drop_draft(store, await _secret(store, reference, what, by))


async def _secret(store: Store, reference: str, what: Planned, by: Actor) -> str:
    async with store.transaction(by) as connection:
        key = await data_key(connection, store, reference)
    return HKDF(SHA256(), length=32, salt=reference.encode(), info=f"mash minutes {what}".encode()).derive(key).hex()
