"""The one write path: lock, decide, append, update what boards read, queue notices, wake the run, commit."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.keys import digest, seal, unseal
from mash.flows.store.store import Store, as_json, system_actor
from mash.flows.store.tables import EVENTS, ITEMS, KEYS, NOTICES, REFERRALS, WAKE_UPS
from mash.notifications.wording import notices_for
from mash.states.commands import (
    STAND_ALONE,
    Actor,
    AdoptProfile,
    AnswerCheck,
    Command,
    ContributeInformation,
    FireClocks,
    LinkReferral,
    ReceiveContact,
    RecordLinked,
    Said,
    StaffCommand,
)
from mash.states.decide import continue_split, decide
from mash.states.errors import NotFound, VersionConflict
from mash.states.events import GENESIS, SCHEMA, Event, InformationReleased, Recorded, ReferralSplit
from mash.states.profile import Profile
from mash.states.referral import Referral, evolve

log = logging.getLogger("mash.store")
CHANNEL = "mash_wake"
"""Where NOTIFY tells the worker that wake-ups or notices wait."""


@dataclass(frozen=True)
class Applied:
    """What a command did: the referral as it is now, and the events it caused."""

    reference: str
    referral: Referral
    events: list[Event]


@dataclass(frozen=True)
class Item:
    """Something personal to keep: what kind, about which subject, and the words or JSON."""

    kind: str
    content: bytes
    subject: str | None = None
    sensitivity: Literal["sensitive", "not_sensitive", "not_stated"] = "not_stated"


@dataclass
class _Standing:
    """A locked referral: what is needed to append to its log."""

    reference: str
    root: str
    caller: str
    referral: Referral | None
    head: str


async def receive(connection: AsyncConnection, store: Store, command: ReceiveContact, items: list[Item], by: Actor) -> Applied:
    """Take a contact in, within the caller's transaction: a reference, a key, the people, the first events.

    The items must hold one of kind 'concern'; its digest goes into the log.
    """
    now = store.time.now()
    number = await connection.scalar(text("SELECT nextval('referral_number')"))
    reference = f"MASH-{now:%y}-{number:06d}"
    key, wrapped = store.keyring.new_key(reference)
    await connection.execute(insert(KEYS).values(reference=reference, wrapped=wrapped))
    ids = await keep(connection, reference, key, items, by, now)
    held = tuple(Said(item=str(iid), hmac=digest(key, item.content)) for iid, item in zip(ids, items, strict=True))
    profile = store.hub(by.hub)
    command = command.model_copy(update={"held": held})
    events = decide(None, command, profile, by, now, reference=reference, said=held[0])
    standing = _Standing(reference, reference, by.id, None, GENESIS)
    return Applied(reference, await _append(connection, store, standing, events, profile, by, now), events)


async def apply(
    connection: AsyncConnection,
    store: Store,
    reference: str,
    command: StaffCommand | Command,
    by: Actor,
    *,
    seen: int | None = None,
    words: str | None = None,
    redacted: str | None = None,
) -> Applied:
    """Apply a command within the caller's transaction. Raises a Refusal, NotFound, or VersionConflict when a
    person has acted since the version `seen`. Words, and the redacted version of an item that is released, are encrypted and
    owned by the actor's agency."""
    names = [reference, command.other] if isinstance(command, LinkReferral) else [reference]
    # Two that are linked with one another at once must not wait for each other: everybody locks in the same order.
    locked = select(REFERRALS).where(REFERRALS.c.reference.in_(names)).order_by(REFERRALS.c.reference).with_for_update()
    rows = {row.reference: row for row in (await connection.execute(locked)).all() if row.hub == by.hub}
    if len(rows) < len(set(names)):
        raise NotFound("there is no such referral at this hub")
    row = rows[reference]
    referral = Referral.model_validate_json(row.state)
    outdated = seen is not None and not referral.acted <= seen <= row.version
    if outdated and command.kind not in STAND_ALONE:
        raise VersionConflict(f"you saw version {seen}, it is now {row.version}: look again, then decide", version=row.version)
    now = store.time.now()
    adopted = command.digest if isinstance(command, AdoptProfile) else referral.profile
    profile = await store.profile(connection, adopted)
    said = await _say(connection, store, reference, _item_of(command, words), by, now) if words else None
    version = await _say(connection, store, reference, Item("redacted", redacted.encode()), by, now) if redacted else None
    events = decide(referral, command, profile, by, now, reference=reference, said=said, redacted=version)
    standing = _Standing(reference, row.root, row.caller, referral, row.head_hash)
    applied = Applied(reference, await _append(connection, store, standing, events, profile, by, now), events)
    if isinstance(command, LinkReferral):
        await apply(connection, store, command.other, RecordLinked(other=reference, relation=command.relation), by)
    return applied


async def act(
    store: Store,
    reference: str,
    command: StaffCommand | Command,
    by: Actor,
    *,
    seen: int | None = None,
    words: str | None = None,
    redacted: str | None = None,
) -> Applied:
    """Apply a command in a transaction of its own."""
    async with store.transaction(by) as connection:
        return await apply(connection, store, reference, command, by, seen=seen, words=words, redacted=redacted)


async def fire_due(store: Store, *, limit: int = 200, reference: str | None = None) -> int:
    """Let the clocks that are due warn, breach or climb; returns how many referrals had one. A run calls this for its own
    referral, the worker for all: the second one to come finds nothing due."""
    now = store.time.now()
    due = (
        select(REFERRALS.c.reference, REFERRALS.c.hub)
        .where(REFERRALS.c.next_at <= now)
        .order_by(REFERRALS.c.next_at)
        .limit(limit)
    )
    if reference:
        due = due.where(REFERRALS.c.reference == reference)
    async with store.engine.connect() as connection:
        rows = (await connection.execute(due)).all()
    at_once = asyncio.Semaphore(4)

    async def fire(one: str, hub: str) -> bool:
        async with at_once:
            try:
                await act(store, one, FireClocks(), system_actor(hub))
            except Exception as error:  # one referral that fails must not hold up the clocks of the others
                log.error("%s: its clocks could not be fired: %s", one, type(error).__name__)
                return False
            return True

    return sum(await asyncio.gather(*(fire(row.reference, row.hub) for row in rows)))


async def data_key(connection: AsyncConnection, store: Store, reference: str) -> bytes:
    """The referral's key. Raises KeyDestroyed once it has been destroyed."""
    return store.keyring.unwrap(await connection.scalar(select(KEYS.c.wrapped).where(KEYS.c.reference == reference)), reference)


async def keep(
    connection: AsyncConnection, reference: str, key: bytes, items: list[Item], by: Actor, now: datetime
) -> list[UUID]:
    """Encrypt and store personal items; returns their ids in the same order."""
    cipher, ids = AESGCM(key), [uuid4() for _ in items]
    await connection.execute(
        insert(ITEMS),
        [
            {
                "id": iid,
                "reference": reference,
                "kind": item.kind,
                "subject": item.subject,
                "owner_agency": by.agency,
                "sensitivity": item.sensitivity,
                "release_state": "held",
                "created_at": now,
                "created_by": by.id,
                "sealed": seal(cipher, item.content, reference),
            }
            for iid, item in zip(ids, items, strict=True)
        ],
    )
    return ids


def _item_of(command: StaffCommand | Command, words: str) -> Item:
    """The words of a command, and how sensitive they are where an agency says so."""
    if isinstance(command, AnswerCheck | ContributeInformation):
        return Item(command.kind, words.encode(), sensitivity="sensitive" if command.sensitive else "not_sensitive")
    return Item(command.kind, words.encode())


async def _say(connection: AsyncConnection, store: Store, reference: str, item: Item, by: Actor, now: datetime) -> Said:
    key = await data_key(connection, store, reference)
    ids = await keep(connection, reference, key, [item], by, now)
    return Said(item=str(ids[0]), hmac=digest(key, item.content))


async def _append(
    connection: AsyncConnection,
    store: Store,
    standing: _Standing,
    events: list[Event],
    profile: Profile,
    by: Actor,
    now: datetime,
) -> Referral:
    referral, head, rows = standing.referral, standing.head, []
    for event in events:
        referral = evolve(referral, event, now, by)
        recorded = Recorded(
            reference=standing.reference,
            sequence=referral.version,
            at=now,
            by=by,
            profile=referral.profile,
            schema_number=SCHEMA,
            event=event,
            previous=head,
        )
        canonical = recorded.canonical()
        head = Recorded.digest(canonical)
        rows.append(
            {
                "reference": standing.reference,
                "sequence": referral.version,
                "kind": event.kind,
                "at": now,
                "canonical": canonical,
                "hash": head,
            }
        )
    if referral is None:
        raise ValueError("a referral begins with an event")
    if not rows:
        return referral
    await connection.execute(insert(EVENTS), rows)
    await _store_state(connection, standing, referral, head)
    if notices := notices_for(standing.reference, standing.referral, referral, events, profile, now):
        await connection.execute(
            insert(NOTICES),
            [
                {
                    **draft.model_dump(exclude={"facts"}),
                    "facts": as_json(draft.facts),
                    "created_at": now,
                    "status": "queued",
                    "tries": 0,
                    "next_try_at": datetime.now(UTC),
                }
                for draft in notices
            ],
        )
    await connection.execute(insert(WAKE_UPS).values(reference=standing.reference, urgency=urgency(referral, profile)))
    await connection.execute(_WAKE)
    for event in events:
        if isinstance(event, InformationReleased):
            shown = event.redacted.item if event.redacted else event.item
            await connection.execute(update(ITEMS).where(ITEMS.c.id == UUID(shown)).values(release_state="released"))
        if isinstance(event, ReferralSplit) and standing.referral is not None:
            await _continue(connection, store, standing, referral, event, profile, by, now)
    return referral


_WAKE = text(f"SELECT pg_notify('{CHANNEL}', '')")


def urgency(referral: Referral, profile: Profile) -> int:
    """How urgent a referral's wake-up is: 0 for its hub's most urgent rating, less for each place below it."""
    return -profile.place(referral.rating)


async def _store_state(connection: AsyncConnection, standing: _Standing, referral: Referral, head: str) -> None:
    values = {
        "version": referral.version,
        "head_hash": head,
        "state": referral.model_dump_json(),
        "stage": referral.stage,
        "rating": referral.rating,
        "is_open": referral.open,
        "finished": referral.finished,
        "due_at": referral.due_at,
        "next_at": referral.next_at,
    }
    if standing.referral is None:
        await connection.execute(
            insert(REFERRALS).values(
                reference=standing.reference,
                root=standing.root,
                hub=referral.hub,
                caller=standing.caller,
                received_at=referral.received_at,
                **values,
            )
        )
        return
    # The row is locked; the version is what decides all the same.
    done = await connection.execute(
        update(REFERRALS)
        .where(REFERRALS.c.reference == standing.reference, REFERRALS.c.version == standing.referral.version)
        .values(**values)
    )
    if done.rowcount != 1:
        raise VersionConflict("somebody was quicker: look again, then decide", version=None)


async def _continue(
    connection: AsyncConnection,
    store: Store,
    parent: _Standing,
    referral: Referral,
    split: ReferralSplit,
    profile: Profile,
    by: Actor,
    now: datetime,
) -> None:
    """Begin the linked referral of a split: its own key, copies of what concerns its subjects, its own log."""
    before = parent.referral
    if before is None:
        raise ValueError("only a referral that stands can split")
    old_key = await data_key(connection, store, parent.reference)
    key, wrapped = store.keyring.new_key(split.reference)
    await connection.execute(insert(KEYS).values(reference=split.reference, wrapped=wrapped))
    rows = (await connection.execute(select(ITEMS).where(ITEMS.c.reference == parent.reference))).all()
    cipher, old = AESGCM(key), AESGCM(old_key)
    copies, held, copy_of = [], [], {}
    for row in rows:
        if row.subject is not None and row.subject not in split.subjects:
            continue
        plain, item = unseal(old, row.sealed, parent.reference), uuid4()
        held.append(Said(item=str(item), hmac=digest(key, plain)))
        copy_of[str(row.id)] = str(item)
        sealed = seal(cipher, plain, split.reference)
        copies.append({**row._mapping, "id": item, "reference": split.reference, "sealed": sealed})
    await connection.execute(insert(ITEMS), copies)
    holdings = tuple(
        holding.model_copy(update={"item": copy_of[iid], "redacted": copy_of.get(holding.redacted or "")})
        for iid, holding in before.held.items()
    )
    events = continue_split(referral, split, before.subjects, profile, by, now, parent.reference, tuple(held), holdings)
    standing = _Standing(split.reference, parent.root, parent.caller, None, GENESIS)
    await _append(connection, store, standing, events, profile, by, now)
