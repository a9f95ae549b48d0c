"""Appending to a case's log: lock, decide, append, update what boards read, queue notices, wake the run."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.config.permissions import may, reach
from mash.flows.store.beside import OWN_KINDS
from mash.flows.store.colleagues import colleagues_of
from mash.flows.store.corrections import WITH_DETAILS, Correcting, Given
from mash.flows.store.edition import EDITION
from mash.flows.store.identities import child_of
from mash.flows.store.keys import unseal
from mash.flows.store.log import events_of, fold
from mash.flows.store.names import people
from mash.flows.store.reads.participants import takes_part
from mash.flows.store.sides import enquiries, join_identified
from mash.flows.store.store import Store, data_key, keep_up
from mash.flows.store.writes import Item, Standing, Writes, as_bytea
from mash.states.acts.allocating import AllocateCase
from mash.states.acts.checks import AllocateCheck, AnswerCheck
from mash.states.acts.child_voice import RecordChildVoice
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.corrections import RemoveSubject
from mash.states.acts.decisions import RecordDecision, SignOffDecision
from mash.states.acts.information import BreakGlass, ContributeInformation, ReleaseInformation
from mash.states.acts.known import RecordIdentified
from mash.states.acts.parting import ReferralSplit
from mash.states.acts.protection import RecordStrategyDiscussion
from mash.states.acts.shared import ShareEarlierContact
from mash.states.acts.upkeep import AddNote, AdoptProfile
from mash.states.decide import Decision, continue_split, decide
from mash.states.errors import Incomplete, NotYours, VersionConflict
from mash.states.log import GENESIS
from mash.states.messages import Command, Event, StaffCommand
from mash.states.profile import Profile
from mash.states.reading import acted_of, version_of
from mash.states.referral import Referral
from mash.states.register import ACTS
from mash.states.values import Actor, Heard

FRESH = 12
"""Bytes of a number that nothing else has."""
# In the order in which everybody locks several: two that are linked with one another at once must not wait for each other.
_LOCK = text("""
    SELECT r.reference, r.root, r.hub, r.caller, r.version, r.head_hash, r.state, r.made, k.wrapped
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


async def lock(connection: AsyncConnection, references: Sequence[str]) -> Sequence[Row[Any]]:
    """These referrals, locked, in the order in which everybody locks several."""
    return (await connection.execute(_LOCK, {"references": list(references)})).all()


async def standing(connection: AsyncConnection, row: Row[Any]) -> Standing:
    """What is needed to append to a locked referral's log. A state that an earlier release has made is made anew first."""
    of_before = row.made < EDITION
    state = fold(await events_of(connection, row.reference)) if of_before else Referral.model_validate_json(row.state)
    return Standing(row.reference, row.root, row.caller, state, row.head_hash)


async def append(
    connection: AsyncConnection,
    store: Store,
    row: Row[Any],
    command: StaffCommand | Command,
    by: Actor,
    *,
    seen: int | None = None,
    words: str | None = None,
    redacted: str | None = None,
    details: Given | None = None,
    heard: Heard | None = None,
    happened_at: datetime | None = None,
) -> Applied:
    """Apply a command to a locked referral. Raises a Refusal, or VersionConflict when a person has acted since the version
    `seen`. Words, the redacted version of an item that is released, and details that put somebody right, are encrypted and owned
    by the actor's agency; `heard` is what other hubs answered; `happened_at` when it was done, where that was before."""
    stands = await standing(connection, row)
    reference, referral = row.reference, stands.referral
    if referral is None:
        raise ValueError("a referral that was begun has a state")
    finds = may(by.role, "find_people")
    latest = version_of(referral, finds)
    outdated = seen is not None and not acted_of(referral, finds) <= seen <= row.version
    if outdated and not ACTS[command.kind].stands_alone:
        raise VersionConflict(f"you saw version {seen}, it is now {latest}: look again, then decide", version=latest)
    if redacted and not isinstance(command, ReleaseInformation):
        raise Incomplete("a redacted version comes with what is released, and with nothing else: leave it out (redacted)")
    if details is not None and not isinstance(command, WITH_DETAILS):
        raise Incomplete("details come with what puts somebody right, and with nothing else: leave them out (details)")
    now = store.time.now()
    await _check_part(connection, store, reference, command, by)
    adopted = command.digest if isinstance(command, AdoptProfile) else referral.profile
    profile = await store.profile(connection, adopted)
    writes = Writes(store.keyring.rows)
    of_item = referral.held.get(command.item) if isinstance(command, ReleaseInformation) else None
    subject = of_item.subject if of_item else None
    word_items = (
        _item_of(command, words) if words else None,
        Item("redacted", redacted.encode(), subject) if redacted else None,
    )
    written, version = (
        writes.keep(reference, store.keyring.unwrap(row.wrapped, reference), [item], by, now)[0] if item else None
        for item in word_items
    )
    correcting, right = None, None
    if isinstance(command, (*WITH_DETAILS, RemoveSubject)) and not referral.erased:
        correcting = await Correcting.of(connection, reference, referral, store.keyring.unwrap(row.wrapped, reference))
        right = correcting.sealed(command, details, writes, by, now) if details is not None else None
    begins = isinstance(command, RecordDecision | SignOffDecision | RecordStrategyDiscussion)
    there = await enquiries(connection, by.hub, reference, referral) if begins else ()
    work = await colleagues_of(store, by.hub) if _names_somebody(command) else ()
    came: dict[str, Any] = {"words": written, "redacted": version, "details": right, "enquiries": there, "heard": heard}
    came |= {"colleagues": work, "happened_at": happened_at}
    if isinstance(command, AdoptProfile):
        came["old_rules"] = await store.profile(connection, referral.profile)
    fresh = secrets.token_hex(FRESH)
    decision = decide(referral, command, profile, by, now, reference=reference, fresh=fresh, **came)
    if written and not any(written.item in event.model_dump_json() for event in decision.events):
        # An act that has no place for words was given some: they stay with the case as a note.
        note = decide(([referral, *decision.states])[-1], AddNote(), profile, by, now, reference=reference, words=written)
        decision = decision.followed_by(note)
    if correcting is not None:
        correcting.found_by(store, decision, right, writes, by.hub)
    earlier = happened_at if happened_at is not None and happened_at < now else None
    return await _append(connection, store, writes, stands, decision, profile, by, now, earlier)


def _names_somebody(command: StaffCommand | Command) -> bool:
    """Whether a command says by login who has something, agreed to it, or does it."""
    if isinstance(command, AllocateCase | AllocateCheck):
        return True
    of_actions = (each.login for each in getattr(command, "actions", ()))
    return any((*(getattr(command, name, None) for name in ("second", "informed_by", "login")), *of_actions))


async def _check_part(
    connection: AsyncConnection, store: Store, reference: str, command: StaffCommand | Command, by: Actor
) -> None:
    """Raises NotYours for a partner who only reads the case."""
    outside = reach(by.role) == "involved" and not await takes_part(connection, store, reference, by)
    if outside and not isinstance(command, BreakGlass):
        raise NotYours("you read this case because you broke the glass: to tell the hub something, ring it or make a referral")


def _item_of(command: StaffCommand | Command, words: str) -> Item:
    """The words of a command, and how sensitive they are where an agency says so."""
    if isinstance(command, AnswerCheck | ContributeInformation):
        return Item(command.kind, words.encode(), sensitivity="sensitive" if command.sensitive else "not_sensitive")
    if isinstance(command, ShareEarlierContact):
        return Item(OWN_KINDS["earlier_contact_shared"], words.encode(), sensitivity="sensitive")
    if isinstance(command, RecordChildVoice):
        own = OWN_KINDS["child_voice_recorded"]
        return Item(own, words.encode(), command.subject, "sensitive" if command.sensitive else "not_sensitive")
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
    happened_at: datetime | None = None,
) -> Applied:
    """Write what was decided, and begin the linked referrals of a split."""
    referral = writes.append(standing, decision, profile, by, now, happened_at)
    splits = [event for event in decision.events if isinstance(event, ReferralSplit)]
    children = await _children(connection, store, standing, splits)  # they part with the split
    await writes.flush(connection)
    for number, split in enumerate(decision.events):
        if not isinstance(split, ReferralSplit) or standing.referral is None:
            continue
        before = decision.states[number - 1] if number else standing.referral
        begun = await _continue(connection, store, standing, before, referral, split, profile, by, now)
        for subject in set(split.subjects) & set(children):
            await _identify(connection, store, begun, subject, children[subject], by)
    return Applied(standing.reference, referral, decision.events)


async def _children(
    connection: AsyncConnection, store: Store, parent: Standing, splits: Sequence[ReferralSplit]
) -> dict[str, str]:
    """The children whom those subjects were confirmed to be that go their own way."""
    identified = parent.referral.identities if parent.referral else {}
    going = [subject for split in splits for subject in split.subjects if subject in identified]
    found = {subject: await child_of(connection, store, parent.reference, subject) for subject in going}
    return {subject: child for subject, child in found.items() if child}


async def _identify(connection: AsyncConnection, store: Store, begun: Applied, subject: str, child: str, by: Actor) -> None:
    """A subject is still the child whom somebody has confirmed, in the linked referral too."""
    (row,) = await lock(connection, [begun.reference])
    applied = await append(connection, store, row, RecordIdentified(subject=subject), by)
    await join_identified(connection, store, by.hub, begun.reference, applied.events, child)


async def _continue(
    connection: AsyncConnection,
    store: Store,
    parent: Standing,
    before: Referral,
    referral: Referral,
    split: ReferralSplit,
    profile: Profile,
    by: Actor,
    now: datetime,
) -> Applied:
    """Begin the linked referral of a split: its own key, copies of what concerns its subjects, its own log."""
    old = AESGCM(await data_key(connection, store, parent.reference))
    writes = Writes(store.keyring.rows)
    key = await _new_key(writes, store, split.reference, by.hub)
    copied = {"parent": parent.reference, "child": split.reference}
    rows = (await connection.execute(text("SELECT * FROM items_of_split(:parent, :child)"), copied)).all()
    held, copy_of, copies = [], {}, list[Item]()
    for row in rows:
        if row.subject is not None and row.subject not in split.subjects:
            continue
        item = Item(row.kind, unseal(old, row.sealed, parent.reference), row.subject, row.sensitivity)
        held += writes.keep(split.reference, key, [item], by, now)
        if before.stands(str(row.id), row.subject):
            copies.append(item)
        # The copy is as old, and as released, as what it is a copy of, and whoever gave that owns it.
        writes.items[-1].update(
            {name: getattr(row, name) for name in ("owner_agency", "release_state", "created_at", "created_by")}
        )
        copy_of[str(row.id)] = held[-1].item
    writes.people += people(store.keyring.search, split.reference, by.hub, copies)
    holdings = tuple(
        holding.model_copy(update={"item": copy_of[iid], "redacted": copy_of.get(holding.redacted or "")})
        for iid, holding in before.held.items()
        if iid in copy_of  # the words of a child who stays are not for who goes
    )
    put_right = ((was, stands) for was, stands in before.superseded.items() if was in copy_of and stands in copy_of)
    superseded = {copy_of[was]: copy_of[stands] for was, stands in put_right}
    decision = continue_split(
        referral, split, before.subjects, profile, by, now, parent.reference, tuple(held), holdings, superseded
    )
    standing = Standing(split.reference, parent.root, parent.caller, None, GENESIS)
    return await _append(connection, store, writes, standing, decision, profile, by, now)
