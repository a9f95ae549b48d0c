"""What is written down at a meeting until it is recorded: a draft by a secret that comes of the case's own key. Only who reaches
the case can open it, and with the key it is gone."""

from __future__ import annotations

import json
from collections.abc import Callable

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import select

from mash.flows.store.drafts import Answers, keep_draft, read_draft, settle_draft
from mash.flows.store.store import Store, data_key
from mash.flows.store.tables import EVENTS
from mash.states.values import Actor

MEETING, DISCUSSION = "meeting", "strategy_discussion"
"""Which sitting minutes are of: a case has one meeting, and each strategy discussion is one of its own, by when it was called."""


async def discussions(store: Store, reference: str, by: Actor) -> tuple[str, ...]:
    """The strategy discussions of a case, each by the number of the event with which it began; the latest last."""
    columns = select(EVENTS.c.sequence, EVENTS.c.canonical)
    query = columns.where(EVENTS.c.reference == reference, EVENTS.c.kind == "stage_entered").order_by(EVENTS.c.sequence)
    found, before = [], ""
    async with store.transaction(by) as connection:
        for sequence, canonical in (await connection.execute(query)).all():
            stage = json.loads(canonical)["event"]["stage"]
            # What goes on beside a discussion enters its stage again: it is the same discussion.
            if stage == DISCUSSION != before:
                found.append(f"{DISCUSSION}:{sequence}")
            before = stage
    return tuple(found)


async def read_minutes(store: Store, reference: str, which: str, by: Actor) -> Answers:
    """What has been written down so far; nothing where nobody has begun, or nobody has gone on for two weeks."""
    return await read_draft(store, await _secret(store, reference, which, by)) or {}


async def write_minutes(store: Store, reference: str, which: str, by: Actor, change: Callable[[Answers], Answers]) -> Answers:
    """Change what is written down; returns all of it. Of several who write at once each changes what the one before left. Raises
    NotWritten where it becomes too long."""
    return await keep_draft(store, await _secret(store, reference, which, by), change)


async def settle_minutes(store: Store, reference: str, which: str, by: Actor, left: Callable[[Answers], Answers]) -> None:
    """It is recorded, and stands in the case: only what is `left` of it, as somebody wrote it meanwhile, is kept."""
    await settle_draft(store, await _secret(store, reference, which, by), left)


async def _secret(store: Store, reference: str, which: str, by: Actor) -> str:
    async with store.transaction(by) as connection:
        key = await data_key(connection, store, reference)
    return HKDF(SHA256(), length=32, salt=reference.encode(), info=f"mash minutes {which}".encode()).derive(key).hex()
