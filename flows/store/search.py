"""Finding people by name among the cases that somebody reaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text

from mash.flows.store.apply import data_key
from mash.flows.store.keys import KeyDestroyed, unseal
from mash.flows.store.names import NAMED, birthday, comparable, name_of, tokens
from mash.flows.store.reading import note_access
from mash.flows.store.store import Store
from mash.states.commands import Actor

MOST = 20
ALIKE = 0.3
"""What share of the numbers of two names must be the same for one to be offered for the other."""


@dataclass(frozen=True)
class Found:
    """Somebody whose name is like the one that was asked for."""

    reference: str
    subject: str | None
    name: str
    alike: float
    """From 0 to 1."""
    received_at: datetime
    stage: str


_ALIKE = text("""
    SELECT reference, subject, born = :born AS same_day, common * 1.0 / (cardinality(tokens) + :size - common) AS alike,
        received_at, stage
    FROM known_person JOIN referral USING (reference, hub),
        LATERAL (SELECT count(*) FROM unnest(tokens) t WHERE t = ANY (CAST(:tokens AS bigint[]))) c (common)
    WHERE hub = :hub AND tokens && CAST(:tokens AS bigint[]) AND common * 1.0 / (cardinality(tokens) + :size - common) >= :least
    ORDER BY same_day DESC NULLS LAST, alike DESC, reference DESC LIMIT :most""")
_PERSON = text("SELECT kind, subject, sealed FROM personal_item WHERE reference = :reference AND kind = ANY (:kinds)")


async def find(store: Store, name: str, born: str, by: Actor) -> list[Found]:
    """The people of somebody's hub whose names are like this one, the likest first, MOST at most: those born on that day before
    the others. Each that is shown is an access to their case."""
    asked = tokens(store.keyring.search, name)
    values = {"tokens": asked, "size": len(asked), "hub": by.hub, "least": ALIKE, "most": MOST}
    values["born"] = birthday(store.keyring.search, born)
    found = []
    async with store.transaction(by) as connection:
        rows = (await connection.execute(_ALIKE, values)).all()
        for row in rows:
            try:
                key = AESGCM(await data_key(connection, store, row.reference))
            except KeyDestroyed:
                continue
            kept = (await connection.execute(_PERSON, {"reference": row.reference, "kinds": list(NAMED)})).all()
            names = [name_of(unseal(key, each.sealed, row.reference)) for each in kept if each.subject == row.subject]
            found.append(Found(row.reference, row.subject, _likest(names, name), float(row.alike), row.received_at, row.stage))
            await note_access(connection, store, row.reference, by, "find_people", "looked for a name")
    return found


def _likest(names: Sequence[str], name: str) -> str:
    asked = set(comparable(name))
    return max(names, key=lambda each: len(asked & set(comparable(each))), default="")
