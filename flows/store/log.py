"""Reading the log: a case's story, and whether the chain still proves it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.derived import NotProven, read_chain
from mash.flows.store.edition import EDITION, all_made_anew
from mash.flows.store.keys import KeyDestroyed, NoKeyHere, digest, unseal
from mash.flows.store.store import Store, data_key
from mash.flows.store.tables import EVENTS, ITEMS, RECEIPTS, REFERRALS
from mash.states.acts.closing import PeopleErased
from mash.states.errors import NotFound
from mash.states.fold import evolve
from mash.states.log import RECORDED, Recorded
from mash.states.referral import Referral

PAGE = 500
"""Referrals read at a time while the log is verified."""


async def read_log(store: Store, reference: str) -> list[Recorded]:
    """The events of a referral, in order. Raises NotFound when there are none."""
    async with store.single.connect() as connection:
        log = await events_of(connection, reference)
    if not log:
        raise NotFound(f"no referral {reference}")
    return log


async def events_of(connection: AsyncConnection, reference: str) -> list[Recorded]:
    """The events of a referral that this connection is shown, in order."""
    query = select(EVENTS.c.canonical).where(EVENTS.c.reference == reference).order_by(EVENTS.c.sequence)
    return [RECORDED.validate_json(canonical) for canonical in (await connection.scalars(query)).all()]


def fold(log: list[Recorded]) -> Referral:
    """The state that a log says."""
    referral: Referral | None = None
    for recorded in log:
        referral = evolve(referral, recorded.event, recorded.at, recorded.by)
    if referral is None:
        raise ValueError("an empty log has no state")
    return referral


async def verify(store: Store) -> AsyncIterator[str]:
    """What is wrong with the log, a sentence each; nothing when every chain proves itself: no event changed, removed, inserted
    or cut off, the fold equals the stored state, words unchanged, and no accepted contact without its referral.

    All is read as it was at one moment: what is recorded meanwhile is no contradiction."""
    columns = (REFERRALS.c.reference, REFERRALS.c.version, REFERRALS.c.head_hash, REFERRALS.c.state, REFERRALS.c.made)
    page = select(*columns).order_by(REFERRALS.c.reference).limit(PAGE)
    async with store.engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        for gone in await _missing(connection):
            yield f"{gone}: there are events or a receipt, but the referral is gone"
        after, all_anew = "", await all_made_anew(connection)
        while rows := (await connection.execute(page.where(REFERRALS.c.reference > after))).all():
            for row in rows:
                of_before = row.made < EDITION and not all_anew
                state = None if of_before else row.state
                async for wrong in _verify_one(connection, store, row.reference, row.version, row.head_hash, state):
                    yield wrong
            after = rows[-1].reference


async def _missing(connection: AsyncConnection) -> Sequence[str]:
    """The references that something speaks of, and that no referral has."""
    accepted = (RECEIPTS.c.purpose == "submission", RECEIPTS.c.status < 300, RECEIPTS.c.reference.is_not(None))
    named = union(select(EVENTS.c.reference), select(RECEIPTS.c.reference).where(*accepted)).subquery()
    there = select(REFERRALS.c.reference).where(REFERRALS.c.reference == named.c.reference)
    query = select(named.c.reference).where(~there.exists()).order_by(named.c.reference)
    return (await connection.scalars(query)).all()


async def _verify_one(
    connection: AsyncConnection, store: Store, reference: str, version: int, head: str, state: str | None
) -> AsyncIterator[str]:
    """`state`: None where an earlier release made it, by other rules, and it has not been made anew yet."""
    query = select(EVENTS).where(EVENTS.c.reference == reference).order_by(EVENTS.c.sequence)
    rows = (await connection.execute(query)).all()
    try:
        log = read_chain(reference, rows)
    except NotProven as broken:
        yield f"{reference}: {broken}"
        return
    if len(log) < version:
        yield f"{reference}: the log was cut off after event {len(log)}; it had {version}"
    elif len(log) > version:
        yield f"{reference}: event {version + 1} was inserted at the end"
    elif rows and rows[-1].hash != head:
        yield f"{reference}: the last event is not the one that was recorded"
    elif state is not None and fold(log) != Referral.model_validate_json(state):
        yield f"{reference}: the stored state is not what the log says"
    async for wrong in _verify_words(connection, store, reference, log):
        yield wrong


async def _verify_words(connection: AsyncConnection, store: Store, reference: str, log: list[Recorded]) -> AsyncIterator[str]:
    try:
        key = await data_key(connection, store, reference)
    except KeyDestroyed:
        if not any(isinstance(recorded.event, PeopleErased) for recorded in log):
            yield f"{reference}: its key is gone, though nobody erased it"
        return  # the chain holds without the words
    except NoKeyHere:
        yield f"{reference}: its words cannot be verified: no master key that is here opens its key"
        return
    sealed = {
        row.id: row.sealed
        for row in (await connection.execute(select(ITEMS.c.id, ITEMS.c.sealed).where(ITEMS.c.reference == reference))).all()
    }
    for recorded in log:
        references = (getattr(recorded.event, name, None) for name in ("words", "redacted", "details"))
        for words in {*getattr(recorded.event, "held", ()), *filter(None, references)}:
            try:
                item = sealed.get(UUID(words.item))
                intact = item is not None and digest(key, unseal(AESGCM(key), item, reference)) == words.hmac
            except KeyDestroyed:
                intact = False
            if not intact:
                yield f"{reference}: the words of event {recorded.sequence} were changed or removed"
                break
