"""What the returns are made of, as it is stored: referrals with some kinds of their events, what is recorded of their subjects,
and which of them are confirmed to be one child."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import BindParameter, Row, bindparam, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.identities import bound_to
from mash.flows.store.keys import KeyDestroyed, unseal
from mash.flows.store.store import Store
from mash.flows.store.tables import EVENTS, IDENTITIES, ITEMS, KEYS, REFERRALS, RETURN_COUNTS
from mash.states.census import GOES_ON
from mash.states.clocks import LONDON
from mash.states.referral import Referral
from mash.states.values import Actor

PAGE = 200
"""Referrals in memory at once, as they are stored."""
_OF: BindParameter[Any] = bindparam("of", expanding=True)
_EVENTS = (
    select(EVENTS.c.reference, EVENTS.c.canonical)
    .where(EVENTS.c.reference.in_(_OF), EVENTS.c.kind.in_(bindparam("kinds", expanding=True)))
    .order_by(EVENTS.c.reference, EVENTS.c.sequence)
)
_ITEMS = (
    select(ITEMS.c.id, ITEMS.c.reference, ITEMS.c.subject, ITEMS.c.sealed, ITEMS.c.created_at)
    .where(ITEMS.c.reference.in_(_OF), ITEMS.c.kind == "subject")
    .order_by(ITEMS.c.created_at, ITEMS.c.id)
)
_KEYS = select(KEYS.c.reference, KEYS.c.wrapped).where(KEYS.c.reference.in_(_OF))
_IDENTITIES = select(IDENTITIES).where(IDENTITIES.c.reference.in_(_OF))
_ROWS = select(REFERRALS.c.reference, REFERRALS.c.state).where(REFERRALS.c.reference.in_(_OF)).order_by(REFERRALS.c.reference)
_MATTER = text("""
    WITH going AS (
        SELECT root FROM referral
        WHERE hub = :hub AND (is_open OR state ~ :goes_on
            OR (SELECT at FROM event WHERE event.reference = referral.reference ORDER BY sequence DESC LIMIT 1) >= :since)),
    children AS (SELECT child FROM identity JOIN referral USING (reference) WHERE root IN (SELECT root FROM going)),
    whole AS (
        SELECT root FROM going UNION
        SELECT root FROM identity JOIN referral USING (reference) WHERE child IN (SELECT child FROM children))
    SELECT reference FROM referral WHERE hub = :hub AND root IN (SELECT root FROM whole) ORDER BY reference
""")
"""A hub's referrals that can say something of a return: open ones, those in which something was recorded since, and those that
ended while the child goes on to have a plan; each with all of its contact, and with every contact about the same child."""
_GOES_ON = f'"outcome": ?("({"|".join((*GOES_ON, "transfer"))})"|null)'
"""By what the state of a concluded referral says that for somebody it is not over in the census, or does not say that it is."""


@dataclass(frozen=True)
class Stored:
    """A referral as the returns read it."""

    reference: str
    referral: Referral
    events: Sequence[str]
    """The events of the kinds that were asked for, as they were hashed."""
    details: Mapping[str, Mapping[str, tuple[Any, datetime]]]
    """By subject: the fields that were asked for, of what is recorded now, each with the time since which it says so."""
    children: Mapping[str, str]
    """By subject: the id of the child whom somebody has confirmed them to be."""
    erased: bool
    """Whether its people were erased: then there are no details."""


async def stored(
    store: Store, by: Actor, since: date, kinds: Sequence[str], fields: Sequence[str]
) -> AsyncIterator[list[Stored]]:
    """The referrals of somebody's hub that can say something of a return whose first day this is, as far as the database shows
    them, some at a time. Of their subjects only these fields are read."""
    begins = datetime(since.year, since.month, since.day, tzinfo=LONDON)
    async with store.transaction(by) as connection:
        asked = {"hub": by.hub, "since": begins, "goes_on": _GOES_ON}
        references = (await connection.execute(_MATTER, asked)).scalars().all()
    for first in range(0, len(references), PAGE):
        async with store.transaction(by) as connection:
            rows = (await connection.execute(_ROWS, {"of": references[first : first + PAGE]})).all()
            found = await _fetched(connection, rows, kinds)
        # To read states and open details takes the processor, and whoever else is served does not wait for that.
        yield await asyncio.to_thread(_opened, store, found, fields)


@dataclass
class _Fetched:
    """A page of rows, as the database has them, by reference."""

    rows: Sequence[Row[Any, Any]]
    events: dict[str, list[str]]
    keys: dict[str, bytes | None]
    items: dict[str, list[Row[Any, Any, Any, Any, Any]]]
    identities: dict[str, list[Row[Any]]]


async def _fetched(connection: AsyncConnection, rows: Sequence[Row[Any, Any]], kinds: Sequence[str]) -> _Fetched:
    found = _Fetched(rows, defaultdict(list), {}, defaultdict(list), defaultdict(list))
    if rows:
        these = {"of": [row.reference for row in rows]}
        for event in (await connection.execute(_EVENTS, {**these, "kinds": list(kinds)})).all():
            found.events[event.reference].append(event.canonical)
        found.keys = {row.reference: row.wrapped for row in (await connection.execute(_KEYS, these)).all()}
        for item in (await connection.execute(_ITEMS, these)).all():
            found.items[item.reference].append(item)
        for joined in (await connection.execute(_IDENTITIES, these)).all():
            found.identities[joined.reference].append(joined)
    return found


def _opened(store: Store, found: _Fetched, fields: Sequence[str]) -> list[Stored]:
    return [_one(store, found, row.reference, Referral.model_validate_json(row.state), fields) for row in found.rows]


def _one(store: Store, found: _Fetched, reference: str, referral: Referral, fields: Sequence[str]) -> Stored:
    events = found.events[reference]
    try:
        cipher = AESGCM(store.keyring.unwrap(found.keys.get(reference), reference))
    except KeyDestroyed:
        return Stored(reference, referral, events, {}, {}, erased=True)
    details = _details(referral, reference, cipher, found.items[reference], fields)
    children = {
        each.subject: unseal(cipher, each.sealed, bound_to(reference, each.link)).decode() for each in found.identities[reference]
    }
    return Stored(reference, referral, events, details, children, erased=referral.erased)


def _details(
    referral: Referral, reference: str, cipher: AESGCM, items: Sequence[Row[Any, Any, Any, Any, Any]], fields: Sequence[str]
) -> dict[str, dict[str, tuple[Any, datetime]]]:
    """Of each subject who stands in the case the fields that are recorded now: of who was put right, what is right. Of who went
    on in a linked case the details are there: what stayed behind here is not put right any more."""
    found: dict[str, dict[str, tuple[Any, datetime]]] = {}
    written: dict[str, dict[str, tuple[Any, datetime]]] = {}
    instead_of = {new: old for old, new in referral.superseded.items()}
    for item in items:
        if item.subject in referral.subjects:
            said = json.loads(unseal(cipher, item.sealed, reference))
            if isinstance(said, dict):
                name = str(item.id)
                before = written.get(instead_of.get(name, ""), {})
                written[name] = {each: _since(before, each, said[each], item.created_at) for each in fields if each in said}
                if referral.stands(name, item.subject):
                    found.setdefault(item.subject, {}).update(written[name])
    return found


def _since(before: Mapping[str, tuple[Any, datetime]], name: str, value: Any, at: datetime) -> tuple[Any, datetime]:
    """A field as it is written now: what was put right elsewhere says of it what it said before, and no later."""
    return before[name] if name in before and before[name][0] == value else (value, at)


@dataclass(frozen=True)
class Count:
    """How many findings of the census' rules were open at a hub, of which year, on a night; wall time. Errors refuse the return;
    what was filled in or left out, and queries, do not."""

    at: datetime
    year: int
    errors: int
    filled: int
    queries: int


async def keep_count(store: Store, hub: str, count: Count) -> None:
    """Write a night's count down, as a figure."""
    async with store.single.connect() as connection:
        await connection.execute(insert(RETURN_COUNTS).values({"hub": hub, **vars(count)}))


_OF_HUB = RETURN_COUNTS.c.hub == bindparam("hub")
_NIGHTS = select(RETURN_COUNTS.c.at).where(_OF_HUB).distinct().order_by(RETURN_COUNTS.c.at.desc()).limit(bindparam("nights"))
_COUNTS = select(RETURN_COUNTS).where(_OF_HUB, RETURN_COUNTS.c.at.in_(_NIGHTS))


async def counts(store: Store, by: Actor, nights: int) -> list[Count]:
    """What so many last nights counted at somebody's hub, the latest first; of each night, first the year that is over."""
    latest_first = _COUNTS.order_by(RETURN_COUNTS.c.at.desc(), RETURN_COUNTS.c.year)
    async with store.transaction(by) as connection:
        rows = (await connection.execute(latest_first, {"hub": by.hub, "nights": nights})).all()
    return [Count(row.at, row.year, row.errors, row.filled, row.queries) for row in rows]
