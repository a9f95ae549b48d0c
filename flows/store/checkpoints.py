"""Checkpoints: what the logs, the ledgers and the counts were at a moment, signed, each naming the one before.

Whoever owns the database can rewrite a whole chain so that it proves itself again. They cannot rewrite a checkpoint that is kept
elsewhere, nor sign another: it says of every event what its hash was. A database that was restored begins a new *epoch*: its next
checkpoint follows the last one that the backup had, and says from what it was restored and which was the last one known.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Row, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.config.errors import SettingsError
from mash.config.settings import Settings
from mash.flows.store.ledgers import settled, sign_items, sign_ledgers, sign_profiles, sign_standing
from mash.flows.store.reads.counts import counts
from mash.flows.store.store import Store, as_json
from mash.flows.store.tables import ACCESSES, ANCHORED, CHECKPOINTS, EVENTS, RECEIPTS, RESTORATIONS

NONE_BEFORE = "0" * 64
_SINCE = (
    select(EVENTS.c.reference, EVENTS.c.sequence, EVENTS.c.hash)
    .outerjoin(ANCHORED, ANCHORED.c.reference == EVENTS.c.reference)
    .where(EVENTS.c.sequence > func.coalesce(ANCHORED.c.version, 0))
    .order_by(EVENTS.c.reference, EVENTS.c.sequence)
)
_UNSTATED = select(RESTORATIONS.c.document).where(RESTORATIONS.c.stated_in.is_(None)).order_by(RESTORATIONS.c.id)
_STATED = text("UPDATE restoration SET stated_in = :number WHERE stated_in IS NULL")
_KNOWN = text("SELECT true FROM checkpoint WHERE number = :number AND document = :document")
_ANCHOR = text("""
    INSERT INTO anchored SELECT * FROM json_populate_recordset(NULL::anchored, CAST(:rows AS json))
    ON CONFLICT (reference) DO UPDATE SET version = excluded.version""")


@dataclass(frozen=True)
class Signed:
    """A checkpoint: its document, exactly as it was signed, and the signature."""

    document: str
    signature: str

    @cached_property
    def contents(self) -> dict[str, Any]:
        """What it says."""
        return dict(json.loads(self.document))

    @cached_property
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


async def make_checkpoint(store: Store, key: Ed25519PrivateKey, known: Signed | None = None) -> Signed:
    """Sign what the logs, the ledgers and the counts are now, and keep it. `known`: the newest checkpoint that is kept elsewhere.

    Where this database was restored, or does not know of that one, a new epoch begins, and the checkpoint says so."""
    async with store.single.connect() as connection:
        accesses = await connection.scalar(text("SELECT settled_accesses()"))
    ledgers, wall = await settled(store), datetime.now(UTC)
    async with store.engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        async with connection.begin():
            last = await _last(connection)
            before = last.contents if last else {}
            since = (await connection.execute(_SINCE)).all()
            restored = await _restored(connection, last, known)
            contents = {
                "number": max(before.get("number", 0), known.contents["number"] if known and restored else 0) + 1,
                "epoch": before.get("epoch", 1) + bool(restored),
                "at": store.time.now().isoformat(),
                "wall": wall.isoformat(),
                "previous": last.digest if last else NONE_BEFORE,
                "events": _by_reference(since),
                "items": await sign_items(connection, await _versions(connection, since, everything="items" not in before)),
                "accesses": await sign_accesses(connection, before["accesses"]["to"] if last else 0, int(accesses or 0)),
                "ledgers": await sign_ledgers(connection, ledgers, before.get("ledgers", {}), wall),
                "standing": await sign_standing(connection, wall),
                "profiles": await sign_profiles(connection, wall_of(before)),
                "contacts": await _contacts(connection),
                **({"restored": restored} if restored else {}),
            }
            document = as_json(contents)
            signed = Signed(document, base64.b64encode(key.sign(document.encode())).decode())
            await _keep(connection, store, signed, since)
            await connection.execute(_STATED, {"number": contents["number"]})
    return signed


def wall_of(contents: dict[str, Any]) -> datetime | None:
    """The wall's time at which a checkpoint was signed; None of one from before that was written down."""
    return datetime.fromisoformat(contents["wall"]) if "wall" in contents else None


def named(signed: Signed) -> dict[str, Any]:
    """A checkpoint as another one speaks of it."""
    return {"number": signed.contents["number"], "at": signed.contents["at"], "digest": signed.digest}


async def _restored(connection: AsyncConnection, last: Signed | None, known: Signed | None) -> dict[str, Any] | None:
    """What a new epoch has to say of itself: from which backups this database was restored since the last checkpoint, and what
    was the last one known elsewhere. None where the row of checkpoints goes on."""
    rows = (await connection.scalars(_UNSTATED)).all()
    here = known is None or await connection.scalar(_KNOWN, {"number": known.contents["number"], "document": known.document})
    if not rows and here:
        return None
    return {
        "from": [json.loads(document) for document in rows],
        "last_here": named(last) if last else None,
        "last_known": None if known is None or here else named(known),
    }


async def state_restoration(store: Store, what: dict[str, Any]) -> None:
    """Write down that this database was restored: the next checkpoint states it, and begins a new epoch."""
    async with store.single.connect() as connection:
        await connection.execute(insert(RESTORATIONS).values(at=store.time.now(), document=as_json(what), stated_in=None))


async def _versions(connection: AsyncConnection, since: Iterable[Row[*tuple[Any, ...]]], *, everything: bool) -> dict[str, int]:
    """Up to which event each case is signed, of those to which something happened; of `everything` where items never were."""
    if everything:
        rows = (
            await connection.execute(
                select(EVENTS.c.reference, func.max(EVENTS.c.sequence).label("sequence")).group_by(EVENTS.c.reference)
            )
        ).all()
        return {row.reference: row.sequence for row in rows}
    return {row.reference: row.sequence for row in since}


async def _last(connection: AsyncConnection) -> Signed | None:
    row = (await connection.execute(select(CHECKPOINTS).order_by(CHECKPOINTS.c.number.desc()).limit(1))).one_or_none()
    return Signed(row.document, row.signature) if row else None


def _by_reference(rows: Iterable[Row[*tuple[Any, ...]]]) -> dict[str, Any]:
    """The new events of each referral: the number of the first, and the hash of each."""
    found: dict[str, Any] = {}
    for row in rows:
        found.setdefault(row.reference, [row.sequence, []])[1].append(row.hash)
    return found


async def sign_accesses(connection: AsyncConnection, after: int, to: int) -> dict[str, Any]:
    """The accesses with these numbers: how many, and their digest."""
    query = select(ACCESSES).where(ACCESSES.c.id > after, ACCESSES.c.id <= to).order_by(ACCESSES.c.id)
    rows = (await connection.execute(query)).all()
    text_ = as_json([_signed(row) for row in rows])
    return {"after": after, "to": to, "count": len(rows), "digest": hashlib.sha256(text_.encode()).hexdigest()}


def _signed(row: Row[*tuple[Any, ...]]) -> list[Any]:
    """What is signed of an access. Whom it is about stands last, and only where there is somebody; after it the cases, only where
    it is several at once: checkpoints that were made before either was known hold."""
    *fields, about, shown = (value.isoformat() if hasattr(value, "isoformat") else value for value in row)
    if shown is not None:
        return [*fields, about, shown]
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


def is_signed(signed: Signed, key: Ed25519PublicKey) -> bool:
    """Whether a checkpoint is as this key signed it."""
    try:
        key.verify(base64.b64decode(signed.signature), signed.document.encode())
    except (InvalidSignature, binascii.Error):
        return False
    return True


def check_signatures(checkpoints: list[Signed], key: Ed25519PublicKey) -> list[str]:
    """What is wrong with a row of checkpoints by themselves: forged, changed, left out, or one put beside another."""
    wrong, following = [], dict[str, Signed]()
    there = {each.digest for each in checkpoints}
    for place, each in enumerate(checkpoints, 1):
        if not is_signed(each, key):
            wrong.append(f"checkpoint {place}: its signature does not hold: it was changed, or signed by another key")
            continue
        contents = each.contents
        before, number = contents["previous"], contents["number"]
        if before != NONE_BEFORE and before not in there:
            wrong.append(f"checkpoint {number}: it does not follow the one before it: one was left out or exchanged")
        elif before in following and "restored" not in contents and "restored" not in following[before].contents:
            wrong.append(f"checkpoint {number}: another one follows the same one, and neither says that it was restored")
        following[before] = each
    return wrong
