"""Checkpoints: what the logs, the accesses and the counts were at a moment, signed, each naming the one before.

Whoever owns the database can rewrite a whole chain so that it proves itself again. They cannot rewrite a checkpoint that is kept
elsewhere, nor sign another: it says of every event what its hash was.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Row, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.config.settings import Settings, SettingsError
from mash.flows.store.reads.counts import counts
from mash.flows.store.store import Store, as_json
from mash.flows.store.tables import ACCESSES, ANCHORED, CHECKPOINTS, EVENTS, RECEIPTS

NONE_BEFORE = "0" * 64
_SINCE = (
    select(EVENTS.c.reference, EVENTS.c.sequence, EVENTS.c.hash)
    .outerjoin(ANCHORED, ANCHORED.c.reference == EVENTS.c.reference)
    .where(EVENTS.c.sequence > func.coalesce(ANCHORED.c.version, 0))
    .order_by(EVENTS.c.reference, EVENTS.c.sequence)
)
_ANCHOR = text("""
    INSERT INTO anchored SELECT * FROM json_populate_recordset(NULL::anchored, CAST(:rows AS json))
    ON CONFLICT (reference) DO UPDATE SET version = excluded.version""")


@dataclass(frozen=True)
class Signed:
    """A checkpoint: its document, exactly as it was signed, and the signature."""

    document: str
    signature: str

    @property
    def contents(self) -> dict[str, Any]:
        """What it says."""
        return dict(json.loads(self.document))

    @property
    def digest(self) -> str:
        """By which the next one names it."""
        return hashlib.sha256(self.document.encode()).hexdigest()


def signing_key(settings: Settings) -> Ed25519PrivateKey:
    """The key that signs checkpoints. Raises SettingsError when there is none, or it is malformed."""
    if settings.signing_key is None:
        raise SettingsError("MASH_SIGNING_KEY is needed to sign a checkpoint; `mash up` makes one for you")
    try:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(settings.signing_key.get_secret_value(), validate=True))
    except (binascii.Error, ValueError):
        raise SettingsError("MASH_SIGNING_KEY: expected 32 random bytes in base64") from None


def public_key(key: Ed25519PrivateKey) -> str:
    """What checks the signatures: to be kept where whoever runs the database cannot change it."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


async def make_checkpoint(store: Store, key: Ed25519PrivateKey) -> Signed:
    """Sign what the logs, the accesses and the counts are now, and keep it."""
    async with store.single.connect() as connection:
        settled = await connection.scalar(text("SELECT settled_accesses()"))
    async with store.engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        async with connection.begin():
            last = await _last(connection)
            since = (await connection.execute(_SINCE)).all()
            document = as_json(
                {
                    "number": last.contents["number"] + 1 if last else 1,
                    "at": store.time.now().isoformat(),
                    "previous": last.digest if last else NONE_BEFORE,
                    "events": _by_reference(since),
                    "accesses": await _accesses(connection, last.contents["accesses"]["to"] if last else 0, int(settled or 0)),
                    "contacts": await _contacts(connection),
                }
            )
            signed = Signed(document, base64.b64encode(key.sign(document.encode())).decode())
            await _keep(connection, store, signed, since)
    return signed


async def _last(connection: AsyncConnection) -> Signed | None:
    row = (await connection.execute(select(CHECKPOINTS).order_by(CHECKPOINTS.c.number.desc()).limit(1))).one_or_none()
    return Signed(row.document, row.signature) if row else None


def _by_reference(rows: Iterable[Row[*tuple[Any, ...]]]) -> dict[str, Any]:
    """The new events of each referral: the number of the first, and the hash of each."""
    found: dict[str, Any] = {}
    for row in rows:
        found.setdefault(row.reference, [row.sequence, []])[1].append(row.hash)
    return found


async def _accesses(connection: AsyncConnection, after: int, to: int) -> dict[str, Any]:
    query = select(ACCESSES).where(ACCESSES.c.id > after, ACCESSES.c.id <= to).order_by(ACCESSES.c.id)
    rows = (await connection.execute(query)).all()
    text_ = as_json([_signed(row) for row in rows])
    return {"after": after, "to": to, "count": len(rows), "digest": hashlib.sha256(text_.encode()).hexdigest()}


def _signed(row: Row[*tuple[Any, ...]]) -> list[Any]:
    """What is signed of an access. Whom it is about stands last, and only where there is somebody: checkpoints that were made
    before that was known hold."""
    *fields, about = (value.isoformat() if hasattr(value, "isoformat") else value for value in row)
    return fields if about is None else [*fields, about]


async def _contacts(connection: AsyncConnection) -> dict[str, int]:
    """The conservation of contacts: accepted = outcomes + open; and how many were refused, which are counted all the same."""
    refused = select(func.count()).where(RECEIPTS.c.purpose == "submission", RECEIPTS.c.status >= 300)
    return {**await counts(connection), "refused": int(await connection.scalar(refused) or 0)}


async def _keep(connection: AsyncConnection, store: Store, signed: Signed, since: Iterable[Row[*tuple[Any, ...]]]) -> None:
    row = {
        "number": signed.contents["number"],
        "at": store.time.now(),
        "document": signed.document,
        "signature": signed.signature,
    }
    await connection.execute(insert(CHECKPOINTS).values(**row))
    newest = {row.reference: row.sequence for row in since}
    rows = [{"reference": reference, "version": version} for reference, version in newest.items()]
    await connection.execute(_ANCHOR, {"rows": as_json(rows)})


async def read_checkpoints(store: Store, after: int = 0) -> list[Signed]:
    """The checkpoints that the database keeps, the first one first."""
    query = select(CHECKPOINTS).where(CHECKPOINTS.c.number > after).order_by(CHECKPOINTS.c.number)
    async with store.single.connect() as connection:
        return [Signed(row.document, row.signature) for row in (await connection.execute(query)).all()]


def check_signatures(checkpoints: list[Signed], key: Ed25519PublicKey) -> list[str]:
    """What is wrong with a row of checkpoints by themselves: forged, changed, or one left out."""
    wrong, before = [], NONE_BEFORE
    for place, each in enumerate(checkpoints, 1):
        try:
            key.verify(base64.b64decode(each.signature), each.document.encode())
        except (InvalidSignature, binascii.Error):
            wrong.append(f"checkpoint {place}: its signature does not hold: it was changed, or signed by another key")
            continue
        if each.contents["previous"] != before:
            wrong.append(
                f"checkpoint {each.contents['number']}: it does not follow the one before it: one was left out or exchanged"
            )
        before = each.digest
    return wrong


async def verify_against(store: Store, checkpoints: list[Signed]) -> AsyncIterator[str]:
    """What the database no longer says as it was signed: which event was changed or removed since, which accesses."""
    async with store.engine.connect() as connection:
        for each in checkpoints:
            contents = each.contents
            for reference, (first, hashes) in contents["events"].items():
                async for wrong in _verify_events(connection, reference, first, hashes, contents["at"]):
                    yield wrong
            accesses = contents["accesses"]
            if await _accesses(connection, accesses["after"], accesses["to"]) != accesses:
                span = f"{accesses['after'] + 1} to {accesses['to']}"
                yield f"the accesses {span} are not as they were signed on {contents['at'][:10]}"


async def _verify_events(
    connection: AsyncConnection, reference: str, first: int, hashes: list[str], at: str
) -> AsyncIterator[str]:
    query = select(EVENTS.c.sequence, EVENTS.c.hash).where(EVENTS.c.reference == reference, EVENTS.c.sequence >= first)
    found = {row.sequence: row.hash for row in (await connection.execute(query)).all()}
    for sequence, signed in enumerate(hashes, first):
        if sequence not in found:
            yield f"{reference}: event {sequence}, signed on {at[:10]}, was removed"
        elif found[sequence] != signed:
            known = "another event stands in its place: inserted, or exchanged" if found[sequence] in hashes else "was changed"
            yield f"{reference}: event {sequence}, signed on {at[:10]}: {known}"
            return  # what follows it hangs on it
