"""Children who were confirmed across contacts: an id that says nothing, and what joins a contact's subject to it.

The id is random, of one hub, and fit for the Children in Need census (LAchildID: letters and digits, at most 20). It stands
nowhere in plain: each row that joins a subject to a child is sealed by the referral's own key and gone with it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import and_, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.acting import signer_of
from mash.flows.store.keys import seal, unseal
from mash.flows.store.store import Store, as_json, data_key
from mash.flows.store.tables import IDENTITIES
from mash.flows.store.writes import as_bytea

LETTERS = string.ascii_uppercase + string.digits
LENGTH = 20
"""Letters of a child's id: as many as the census takes."""
_JOIN = text("SELECT join_child(:document, :signature)")


@dataclass(frozen=True)
class Joined:
    """A subject of a contact who was confirmed to be a child, known here by a keyed number."""

    reference: str
    subject: str
    child: int


def new_child() -> str:
    """An id for a child: random, and of nothing that is known of them."""
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def number_of(key: bytes, child: str) -> int:
    """By what a child's rows are found: a keyed number of the id."""
    return int.from_bytes(hmac.digest(key, f"child:{child}".encode(), hashlib.sha256)[:8], "big", signed=True)


async def child_of(connection: AsyncConnection, store: Store, reference: str, subject: str) -> str | None:
    """The id of the child whom somebody has confirmed a subject to be; None where nobody has."""
    row = (
        await connection.execute(select(IDENTITIES).where(IDENTITIES.c.reference == reference, IDENTITIES.c.subject == subject))
    ).one_or_none()
    if row is None:
        return None
    cipher = AESGCM(await data_key(connection, store, reference))
    return unseal(cipher, row.sealed, bound_to(reference, row.link)).decode()


def bound_to(reference: str, link: str) -> str:
    """What a sealed id is bound to: a row that is copied to another case, or another link, does not open."""
    return f"{reference} {link}"


async def join(connection: AsyncConnection, store: Store, hub: str, reference: str, links: dict[str, str], child: str) -> None:
    """Join subjects of a referral, each by the link of its event, to a child."""
    if not links:
        return
    cipher, number = AESGCM(await data_key(connection, store, reference)), number_of(store.keyring.search, child)
    rows = [
        {
            "link": link,
            "reference": reference,
            "hub": hub,
            "subject": subject,
            "child": number,
            "sealed": as_bytea(seal(cipher, child.encode(), bound_to(reference, link))),
        }
        for subject, link in links.items()
    ]
    document = as_json(rows)
    await connection.execute(_JOIN, {"document": document, "signature": signer_of(connection).sign("join", document)})


async def joined(connection: AsyncConnection, hub: str, reference: str) -> dict[str, list[Joined]]:
    """By each subject of a referral who was confirmed to be a child: the other subjects of this hub's contacts, as far as this
    connection is shown them, who are the same child."""
    own = select(IDENTITIES.c.subject, IDENTITIES.c.child).where(IDENTITIES.c.reference == reference)
    mine = {row.child: row.subject for row in (await connection.execute(own)).all()}
    found: dict[str, list[Joined]] = {subject: [] for subject in mine.values()}
    if mine:
        others = select(IDENTITIES).where(
            IDENTITIES.c.hub == hub, IDENTITIES.c.child.in_(mine), IDENTITIES.c.reference != reference
        )
        for row in (await connection.execute(others.order_by(IDENTITIES.c.reference))).all():
            found[mine[row.child]].append(Joined(row.reference, row.subject, row.child))
    return found


async def children_of(connection: AsyncConnection, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Of these subjects, each by its reference: the keyed number of the child they were confirmed to be."""
    some = [and_(IDENTITIES.c.reference == reference, IDENTITIES.c.subject == subject) for reference, subject in pairs]
    if not some:
        return {}
    rows = (await connection.execute(select(IDENTITIES).where(or_(*some)))).all()
    return {(row.reference, row.subject): row.child for row in rows}
