"""The one write path: lock, decide, append, update what boards read, queue notices, wake the run, commit."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.config.permissions import reach
from mash.flows.store.corrections import WITH_DETAILS, Correcting, Given
from mash.flows.store.keys import unseal
from mash.flows.store.names import people
from mash.flows.store.reads.participants import glass_broken, takes_part
from mash.flows.store.store import Store, data_key, keep_up, system_actor
from mash.flows.store.tables import REFERRALS
from mash.flows.store.writes import Item, Standing, Writes, as_bytea
from mash.states.acts.alerts import FireClocks
from mash.states.acts.checks import AnswerCheck
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.corrections import CorrectReferrer, RemoveSubject
from mash.states.acts.decisions import ReferralSplit
from mash.states.acts.information import WHY_GLASS, BreakGlass, ContributeInformation, ReleaseInformation
from mash.states.acts.upkeep import AdoptProfile, LinkReferral, RecordLinked, RecordUnlinked, RemoveLink
from mash.states.decide import Decision, continue_split, decide
from mash.states.errors import Incomplete, NotFound, NotYours, ReasonNeeded, Refusal, VersionConflict
from mash.states.log import GENESIS
from mash.states.messages import Command, Event, StaffCommand
from mash.states.profile import Profile
from mash.states.referral import Referral
from mash.states.register import ACTS
from mash.states.values import SYSTEM, Actor

log = structlog.stdlib.get_logger("mash.store")
# In the order in which everybody locks several: two that are linked with one another at once must not wait for each other.
_LOCK = text("""
    SELECT r.reference, r.root, r.hub, r.caller, r.version, r.head_hash, r.state, k.wrapped
    FROM referral r JOIN referral_key k USING (reference)
    WHERE r.reference = ANY (CAST(:references AS text[])) ORDER BY r.reference FOR UPDATE OF r""")


@dataclass(frozen=True)
class Applied:
    """What a command did: the referral as it is now, and the events it caused."""

    reference: str
    referral: Referral
    events: list[Event]


async def receive(connection: AsyncConnection, store: Store, command: ReceiveContact, items: list[Item], by: Actor) -> Applied:
    """Take a contact in, within the caller's transaction: a reference, a key, the people, the first events.

    The items must hold one of kind 'concern'; its digest goes into the log.
    """
    now = store.time.now()
    number = await connection.scalar(text("SELECT nextval('referral_number')"))
    reference = f"MASH-{now:%y}-{number:06d}"
    writes = Writes(store.keyring.rows)
    held = tuple(writes.keep(reference, await _new_key(writes, store, reference, by.hub), items, by, now))
    writes.people += people(store.keyring.search, reference, by.hub, items)
    profile = store.hub(by.hub)
    command = command.model_copy(update={"held": held})
    decision = decide(None, command, profile, by, now, reference=reference, words=held[0])
    standing = Standing(reference, reference, by.id, None, GENESIS)
    return await _append(connection, store, writes, standing, decision, profile, by, now)


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
    details: Given | None = None,
) -> Applied:
    """Apply a command within the caller's transaction. Raises a Refusal, NotFound, or VersionConflict when a
    person has acted since the version `seen`; NotFound also at a hub that is not served. Words, the redacted version of an item
    that is released, and details that put somebody right, are encrypted and owned by the actor's agency."""
    if by.role != SYSTEM:
        store.hub(by.hub)
    if isinstance(command, BreakGlass):
        await _check_glass(connection, store, by, words)
    names = await _locked_together(connection, reference, command)
    rows = {row.reference: row for row in (await connection.execute(_LOCK, {"references": names})).all() if row.hub == by.hub}
    if len(rows) < len(set(names)):
        raise NotFound("there is no such referral at this hub")
    _check_given(rows[reference], command, seen, redacted, details)
    came = Came(words, redacted, details)
    applied = await _apply_to(connection, store, rows[reference], command, by, came)
    if isinstance(command, LinkReferral):
        linked = RecordLinked(other=reference, relation=command.relation)
        await _apply_to(connection, store, rows[command.other], linked, by, Came())
    elif isinstance(command, RemoveLink):
        await _apply_to(connection, store, rows[command.other], RecordUnlinked(other=reference), by, Came())
    elif isinstance(command, CorrectReferrer):
        for other in names[1:]:
            with suppress(Refusal):  # their people are erased, or somebody put it right there already
                await _apply_to(connection, store, rows[other], command, by, came)
    return applied


async def _locked_together(connection: AsyncConnection, reference: str, command: StaffCommand | Command) -> list[str]:
    """The case, and those to which the same happens: the other side of a link; the linked referrals of a contact, as one
    person made it."""
    if isinstance(command, LinkReferral | RemoveLink):
        return [reference, command.other]
    if not isinstance(command, CorrectReferrer):
        return [reference]
    root = select(REFERRALS.c.root).where(REFERRALS.c.reference == reference).scalar_subquery()
    linked = select(REFERRALS.c.reference).where(REFERRALS.c.root == root, REFERRALS.c.reference != reference)
    return [reference, *(await connection.scalars(linked.order_by(REFERRALS.c.reference))).all()]


def _check_given(
    row: Row[Any], command: StaffCommand | Command, seen: int | None, redacted: str | None, details: Given | None
) -> None:
    """Raises VersionConflict for a case that is not the one somebody had in view, and Incomplete for what comes with no such
    command."""
    acted = Referral.model_validate_json(row.state).acted
    outdated = seen is not None and not acted <= seen <= row.version
    if outdated and not ACTS[command.kind].stands_alone:
        raise VersionConflict(f"you saw version {seen}, it is now {row.version}: look again, then decide", version=row.version)
    if redacted and not isinstance(command, ReleaseInformation):
        raise Incomplete("a redacted version comes with what is released, and with nothing else: leave it out (redacted)")
    if details is not None and not isinstance(command, WITH_DETAILS):
        raise Incomplete("details come with what puts somebody right, and with nothing else: leave them out (details)")


@dataclass(frozen=True)
class Came:
    """What came with a command, in plain: it is encrypted before it is written."""

    words: str | None = None
    redacted: str | None = None
    details: Given | None = None


async def _apply_to(
    connection: AsyncConnection, store: Store, row: Row[Any], command: StaffCommand | Command, by: Actor, came: Came
) -> Applied:
    """Apply a command to a case that is locked."""
    reference, referral, now = row.reference, Referral.model_validate_json(row.state), store.time.now()
    await _check_part(connection, store, reference, command, by)
    adopted = command.digest if isinstance(command, AdoptProfile) else referral.profile
    profile = await store.profile(connection, adopted)
    writes = Writes(store.keyring.rows)
    corrects = isinstance(command, (*WITH_DETAILS, RemoveSubject)) and not referral.erased
    key = store.keyring.unwrap(row.wrapped, reference) if came.words or came.redacted or corrects else b""
    words = writes.keep(reference, key, [_item_of(command, came.words)], by, now)[0] if came.words else None
    version = Item("redacted", came.redacted.encode()) if came.redacted else None
    redacted = writes.keep(reference, key, [version], by, now)[0] if version else None
    correcting, details = None, None
    if corrects:
        correcting = await Correcting.of(connection, reference, referral, key)
        details = correcting.sealed(command, came.details, writes, by, now) if came.details is not None else None
    decision = decide(referral, command, profile, by, now, reference=reference, words=words, redacted=redacted, details=details)
    if correcting is not None:
        correcting.found_by(store, decision, details, writes, by.hub)
    standing = Standing(reference, row.root, row.caller, referral, row.head_hash)
    return await _append(connection, store, writes, standing, decision, profile, by, now)


_GLASS_TURN = text("SELECT glass_turn()")


async def _check_glass(connection: AsyncConnection, store: Store, by: Actor, words: str | None) -> None:
    """Raises ReasonNeeded, or NotYours for whoever reads as many cases already as one may: before anything is looked for, so that
    nobody learns by being refused which cases there are. Of several at once each waits for the one before, or all would count
    the same."""
    if not (words or "").strip():
        raise ReasonNeeded(f"{WHY_GLASS} needs a reason in words")
    await connection.execute(_GLASS_TURN)
    if await glass_broken(connection, by, store.time.now()) >= store.hub(by.hub).firewall.glass_cases:
        raise NotYours("you read as many cases as one may by breaking the glass at once: ring the hub")


async def _check_part(
    connection: AsyncConnection, store: Store, reference: str, command: StaffCommand | Command, by: Actor
) -> None:
    """Raises NotYours for a partner who only reads the case."""
    outside = reach(by.role) == "involved" and not await takes_part(connection, store, reference, by)
    if outside and not isinstance(command, BreakGlass):
        raise NotYours("you read this case because you broke the glass: to tell the hub something, ring it or make a referral")


async def act(
    store: Store,
    reference: str,
    command: StaffCommand | Command,
    by: Actor,
    *,
    seen: int | None = None,
    words: str | None = None,
    redacted: str | None = None,
    details: Given | None = None,
    of_system: bool = False,
) -> Applied:
    """Apply a command in a transaction of its own; `of_system`: where something else than their reach lets somebody act."""
    async with store.transaction(by, of_system=of_system) as connection:
        return await apply(connection, store, reference, command, by, seen=seen, words=words, redacted=redacted, details=details)


async def fire_due(
    store: Store, *, limit: int = 200, reference: str | None = None, late: Callable[[timedelta], None] | None = None
) -> int:
    """Let the clocks that are due warn, breach or climb; returns how many referrals had one, and tells `late` by how much the
    first one was. A run calls this for its own referral, the worker for all: the second one to come finds nothing due. A storm is
    written in batches."""
    due = (
        select(REFERRALS.c.reference, REFERRALS.c.hub, REFERRALS.c.next_at)
        .where(REFERRALS.c.next_at <= store.time.now())
        .order_by(REFERRALS.c.next_at)
        .limit(limit)
    )
    if reference:
        due = due.where(REFERRALS.c.reference == reference)
    async with store.single.connect() as connection:
        rows = (await connection.execute(due)).all()
    if rows and late:
        late(store.time.now() - rows[0].next_at)
    by_hub: dict[str, list[str]] = {}
    for row in rows:
        by_hub.setdefault(row.hub, []).append(row.reference)
    return sum([await _fire(store, hub, references) for hub, references in by_hub.items()])


async def next_due(store: Store) -> datetime | None:
    """When the next clock of any referral has something to say."""
    async with store.single.connect() as connection:
        at: datetime | None = await connection.scalar(select(func.min(REFERRALS.c.next_at)))
        return at


async def _fire(store: Store, hub: str, references: list[str]) -> int:
    """Fire the clocks of these referrals in one transaction. One that fails must not hold up the others: they go on alone."""
    try:
        async with store.transaction(system_actor(hub)) as connection:
            return await _fire_together(connection, store, system_actor(hub), references)
    except Exception as error:
        if len(references) == 1:
            log.error("clocks could not be fired", reference=references[0], error=type(error).__name__)
            return 0
    return sum([await _fire(store, hub, [reference]) for reference in references])


async def _fire_together(connection: AsyncConnection, store: Store, by: Actor, references: list[str]) -> int:
    now, writes, fired = store.time.now(), Writes(store.keyring.rows), 0
    for row in (await connection.execute(_LOCK, {"references": references})).all():
        referral = Referral.model_validate_json(row.state)
        profile = await store.profile(connection, referral.profile)
        decision = decide(referral, FireClocks(), profile, by, now, reference=row.reference)
        if decision.events:
            writes.append(Standing(row.reference, row.root, row.caller, referral, row.head_hash), decision, profile, by, now)
            fired += 1
    await writes.flush(connection)
    return fired


def _item_of(command: StaffCommand | Command, words: str) -> Item:
    """The words of a command, and how sensitive they are where an agency says so."""
    if isinstance(command, AnswerCheck | ContributeInformation):
        return Item(command.kind, words.encode(), sensitivity="sensitive" if command.sensitive else "not_sensitive")
    return Item(command.kind, words.encode())


async def _new_key(writes: Writes, store: Store, reference: str, hub: str) -> bytes:
    await keep_up(store)
    key, wrapped = store.keyring.new_key(reference)
    writes.keys.append({"reference": reference, "wrapped": as_bytea(wrapped), "hub": hub, "master": store.keyring.current.name})
    return key


async def _append(
    connection: AsyncConnection,
    store: Store,
    writes: Writes,
    standing: Standing,
    decision: Decision,
    profile: Profile,
    by: Actor,
    now: datetime,
) -> Applied:
    """Write what was decided, and begin the linked referrals of a split."""
    referral = writes.append(standing, decision, profile, by, now)
    await writes.flush(connection)
    for event in decision.events:
        if isinstance(event, ReferralSplit) and standing.referral is not None:
            await _continue(connection, store, standing, referral, event, profile, by, now)
    return Applied(standing.reference, referral, decision.events)


async def _continue(
    connection: AsyncConnection,
    store: Store,
    parent: Standing,
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
    old = AESGCM(await data_key(connection, store, parent.reference))
    writes = Writes(store.keyring.rows)
    key = await _new_key(writes, store, split.reference, by.hub)
    copied = {"parent": parent.reference, "child": split.reference}
    rows = (await connection.execute(text("SELECT * FROM items_of_split(:parent, :child)"), copied)).all()
    held, copy_of = [], {}
    for row in rows:
        if row.subject is not None and row.subject not in split.subjects:
            continue
        item = Item(row.kind, unseal(old, row.sealed, parent.reference), row.subject, row.sensitivity)
        held += writes.keep(split.reference, key, [item], by, now)
        if before.stands(str(row.id), row.subject):
            writes.people += people(store.keyring.search, split.reference, by.hub, [item])
        # The copy is as old, and as released, as what it is a copy of, and whoever gave that owns it.
        writes.items[-1].update(
            {name: getattr(row, name) for name in ("owner_agency", "release_state", "created_at", "created_by")}
        )
        copy_of[str(row.id)] = held[-1].item
    holdings = tuple(
        holding.model_copy(update={"item": copy_of[iid], "redacted": copy_of.get(holding.redacted or "")})
        for iid, holding in before.held.items()
    )
    superseded = {copy_of[old]: copy_of[new] for old, new in before.superseded.items() if old in copy_of and new in copy_of}
    decision = continue_split(
        referral, split, before.subjects, profile, by, now, parent.reference, tuple(held), holdings, superseded
    )
    standing = Standing(split.reference, parent.root, parent.caller, None, GENESIS)
    await _append(connection, store, writes, standing, decision, profile, by, now)
