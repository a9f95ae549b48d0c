"""Profiles as they are stored: each is known by the digest of its content, and one that was changed under it is put back."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

from sqlalchemy import insert, select, text

from mash.flows.store.store import Store, as_json
from mash.flows.store.tables import CHECKPOINTS, PROFILES, REPAIRS
from mash.flows.store.trouble import tell_role
from mash.notifications.notices import ADMINISTRATOR, GOVERNANCE

CHANGED = "a stored profile was changed"
AGAIN = timedelta(days=1)
_PUT_BACK = text("SELECT put_back_profile(:of, :whole)")


def is_whole(digest: str, document: str) -> bool:
    """Whether a document is the one that its digest names."""
    return hashlib.sha256(document.encode()).hexdigest() == digest


async def wrong_profiles(store: Store) -> list[str]:
    """The profiles that were changed under their digest, a sentence each."""
    return [_sentence(hub, digest) for digest, hub, _ in await _changed(store)]


def _sentence(hub: str, digest: str) -> str:
    return f"the profile {digest[:12]} of {hub} was changed after it was stored"


async def _changed(store: Store) -> list[tuple[str, str, str]]:
    query = select(PROFILES.c.digest, PROFILES.c.hub, PROFILES.c.document).order_by(PROFILES.c.hub, PROFILES.c.digest)
    async with store.single.connect() as connection:
        rows = (await connection.execute(query)).all()
    return [(row.digest, row.hub, row.document) for row in rows if not is_whole(row.digest, row.document)]


async def put_back_profiles(store: Store) -> list[str]:
    """Put back what was changed, from the files in force or else from the signed checkpoints, and tell; returns a sentence for
    each. A profile that neither has goes by no more: its cases say so until somebody puts it back from a backup."""
    sentences = []
    for digest, hub, document in await _changed(store):
        whole = await _document(store, digest)
        sentence = _sentence(hub, digest) + (": put back" if whole else ": it is in no checkpoint; put it back from a backup")
        async with store.engine.begin() as connection:
            if whole:
                await connection.execute(_PUT_BACK, {"of": digest, "whole": whole})
                record = {"reference": None, "what": f"profile_version: {sentence}", "at": store.time.now()}
                await connection.execute(insert(REPAIRS).values(**record, was=as_json({"document": document})))
        for name in store.hubs:
            for role in (ADMINISTRATOR, GOVERNANCE):
                await tell_role(store, name, role, CHANGED, sentence, at_most_every=None if whole else AGAIN)
        sentences.append(sentence)
    return sentences


async def _document(store: Store, digest: str) -> str | None:
    """The document that a digest names, where it is in force or stands in a checkpoint."""
    for profile in store.hubs.values():
        if profile.digest == digest:
            return profile.canonical
    async with store.single.connect() as connection:
        for signed in await connection.scalars(select(CHECKPOINTS.c.document).order_by(CHECKPOINTS.c.number)):
            document = json.loads(signed).get("profiles", {}).get(digest)
            if document is not None and is_whole(digest, document):
                return str(document)
    return None
