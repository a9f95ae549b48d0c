"""Finding people by name among the cases that somebody reaches."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text

from mash.flows.store.keys import KeyDestroyed, unseal
from mash.flows.store.names import NAMED, birthdays, comparable, name_of, tokens
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.items import read_items
from mash.flows.store.reads.look import note_access
from mash.flows.store.store import Store, data_key
from mash.states.values import Actor

MOST = 20
ALIKE, ALIKE_OF_THAT_DAY = 0.25, 0.1
"""What share of the numbers of two names must be the same for one to be offered for the other; less where birthdays are alike."""


Born = Literal["the same", "day and month exchanged", "another"]


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
    born: Born | None
    """How their date of birth compares with the one that was asked for; None where it is not known of both."""


_ALIKE = text("""
    SELECT reference, subject, CASE WHEN born = :born THEN 'the same' WHEN born = :exchanged THEN 'day and month exchanged'
            WHEN born <> :born THEN 'another' END AS born, common * 1.0 / (cardinality(tokens) + :size - common) AS alike,
        received_at, stage
    FROM known_person JOIN referral USING (reference, hub),
        LATERAL (SELECT count(*) FROM unnest(tokens) t WHERE t = ANY (CAST(:tokens AS bigint[]))) c (common)
    WHERE hub = :hub AND root <> :apart_from AND tokens && CAST(:tokens AS bigint[])
        AND common * 1.0 / (cardinality(tokens) + :size - common) >= CASE WHEN born IN (:born, :exchanged)
            THEN CAST(:of_that_day AS numeric) ELSE CAST(:least AS numeric) END
    ORDER BY (born = :born) IS TRUE DESC, (born = :exchanged) IS TRUE DESC, alike DESC, reference DESC LIMIT :most""")
_PERSON = text("SELECT kind, subject, sealed FROM personal_item WHERE reference = :reference AND kind = ANY (:kinds)")


async def find(store: Store, name: str, born: str, by: Actor, *, apart_from: str = "") -> list[Found]:
    """The people of somebody's hub whose names are like this one, the likest first, MOST at most: those born on that day, or on
    one with day and month exchanged, before the others. Each that is shown is an access to their case. `apart_from`: the first
    reference of a contact that is left out."""
    asked = tokens(store.keyring.search, name)
    values: dict[str, Any] = {"tokens": asked, "size": len(asked), "hub": by.hub, "most": MOST, "apart_from": apart_from}
    values |= {"least": ALIKE, "of_that_day": ALIKE_OF_THAT_DAY}
    values["born"], values["exchanged"] = birthdays(store.keyring.search, born)
    found = []
    async with store.transaction(by) as connection:
        rows = (await connection.execute(_ALIKE, values)).all()
        for row in rows:
            try:
                key = AESGCM(await data_key(connection, store, row.reference))
            except KeyDestroyed:
                continue
            people = (await connection.execute(_PERSON, {"reference": row.reference, "kinds": list(NAMED)})).all()
            names = [name_of(unseal(key, each.sealed, row.reference)) for each in people if each.subject == row.subject]
            alike = float(row.alike)
            found.append(Found(row.reference, row.subject, _likest(names, name), alike, row.received_at, row.stage, row.born))
            await note_access(connection, store, row.reference, by, "find_people", "looked for a name")
    return found


async def known_elsewhere(store: Store, case: Case, by: Actor) -> dict[str, list[Found]]:
    """By the name of each person in a case, the subjects first: who is called like them in the hub's other contacts. Whether it
    is the same person is for people to say."""
    items = [item for item in await read_items(store, case, by) if item["kind"] in NAMED and item["view"] == "whole"]
    people: dict[str, str] = {}
    for item in sorted(items, key=lambda item: NAMED.index(item["kind"])):
        if name := name_of(item["content"].encode()).strip():
            people.setdefault(name, str(json.loads(item["content"]).get("date_of_birth") or ""))
    return {name: await find(store, name, born, by, apart_from=case.root) for name, born in people.items()}


def _likest(names: Sequence[str], name: str) -> str:
    asked = set(comparable(name))
    return max(names, key=lambda each: len(asked & set(comparable(each))), default="")
