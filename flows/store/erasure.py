"""Erasing people: their keys are destroyed and their names leave the search. The logs stay, and still verify.

To destroy a key is more than to write nothing in its place: PostgreSQL leaves the older row in the table's file, and tidying up
may leave its bytes there. So the tables of keys and of names are written anew into files of their own. What was copied from the
database before that (backups, its archived log) is the horizon: it holds the key until it is removed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.apply import apply
from mash.flows.store.looking import look_again_at_those_who_know
from mash.flows.store.store import Store
from mash.flows.store.tables import KEYS, NEAR_MISSES, PEOPLE, REFERRALS, RETENTIONS
from mash.states.acts.closing import ErasePeople
from mash.states.errors import Incomplete, NotFound
from mash.states.values import Actor

TRIES = 5
"""How often the tables are asked for, for two seconds each."""
BREATH = 0.5
LATELY = timedelta(days=2)


async def erase(store: Store, reference: str, command: ErasePeople, by: Actor) -> list[str]:
    """Erase the people of a contact, those of its linked referrals too: they hold copies. Returns the references; to be followed
    by `rewrite_keys`. Raises Incomplete while one of them is open, or somebody holds them."""
    async with store.transaction(by, of_system=True) as connection:
        return await erase_within(connection, store, reference, command, by)


@dataclass(frozen=True)
class Horizon:
    """Where a key that was destroyed can still be."""

    rewritten: bool
    """Whether the files of the tables are free of it; otherwise the next night sees to it."""
    archived: bool
    """Whether this PostgreSQL archives its log, or sends it to another."""
    before: datetime
    """Copies that were made before this instant hold the key; wall time."""

    @property
    def sentences(self) -> list[str]:
        """What there is to say to whoever asked for it."""
        when = f"{self.before:%Y-%m-%d %H:%M} UTC"
        lines = [
            "the files of this database hold the keys no more"
            if self.rewritten
            else "somebody else used the table of keys all the while: its file is written anew tonight",
            f"backups made before {when} still hold them: the people are gone for good when the last of these is removed",
        ]
        if self.archived:
            lines.append(f"this PostgreSQL archives its log: so do base copies and log files of before {when}, and standbys' too")
        return lines


async def rewrite_keys(store: Store) -> Horizon:
    """Write the tables of keys and names anew into files of their own, so that what was destroyed is not in the older ones. It
    takes a moment in which nobody reads them; where they are in use all the while, that is left to the next night."""
    rewritten = False
    async with store.single.connect() as connection:
        for _ in range(TRIES):
            try:
                await connection.execute(text("SELECT rewrite_keys()"))
                rewritten = True
                break
            except DBAPIError:
                await asyncio.sleep(BREATH)  # whoever waits behind this goes first
        archived = await connection.scalar(
            text("SELECT current_setting('archive_mode') <> 'off' OR EXISTS (SELECT FROM pg_replication_slots)")
        )
    return Horizon(rewritten, bool(archived), datetime.now(UTC))


async def rewrite_after_erasures(store: Store) -> None:
    """`rewrite_keys`, where keys were destroyed since the night before last: some may not have been taken out of the files."""
    since = store.time.now() - LATELY
    lately = select(KEYS.c.reference).where(KEYS.c.destroyed_at > since).limit(1)
    removed = select(NEAR_MISSES.c.once).where(NEAR_MISSES.c.removed_at > since).limit(1)
    async with store.single.connect() as connection:
        any_ = await connection.scalar(lately) or await connection.scalar(removed)
    if any_:
        await rewrite_keys(store)


async def erase_within(connection: AsyncConnection, store: Store, reference: str, command: ErasePeople, by: Actor) -> list[str]:
    """`erase`, within the caller's transaction."""
    root = select(REFERRALS.c.root).where(REFERRALS.c.reference == reference).scalar_subquery()
    query = select(REFERRALS.c.reference).where(REFERRALS.c.root == root).order_by(REFERRALS.c.reference)
    family = list((await connection.scalars(query)).all())
    if not family:
        raise NotFound(f"no referral {reference}")
    # Locked: somebody may hold it at this moment.
    listed = (await connection.execute(select(RETENTIONS).where(RETENTIONS.c.root == root).with_for_update())).first()
    if listed and listed.held_by:
        raise Incomplete(f"{listed.root} is held ({listed.held_why}): nobody is erased before it is released")
    await look_again_at_those_who_know(connection, by.hub, family)
    for each in family:
        await apply(connection, store, each, command, by)
    gone = {"wrapped": None, "master": None, "destroyed_at": store.time.now()}
    await connection.execute(update(KEYS).where(KEYS.c.reference.in_(family)).values(**gone))
    await connection.execute(delete(PEOPLE).where(PEOPLE.c.reference.in_(family)))
    await connection.execute(update(RETENTIONS).where(RETENTIONS.c.root == root).values(erased_at=store.time.now()))
    return family
