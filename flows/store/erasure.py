"""Erasing people: their keys are destroyed and their names leave the search. The logs stay, and still verify."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.apply import apply
from mash.flows.store.store import Store
from mash.flows.store.tables import KEYS, PEOPLE, REFERRALS, RETENTIONS
from mash.states.acts.closing import ErasePeople
from mash.states.errors import Incomplete, NotFound
from mash.states.values import Actor


async def erase(store: Store, reference: str, command: ErasePeople, by: Actor) -> list[str]:
    """Erase the people of a contact, those of its linked referrals too: they hold copies. Returns the references. Raises
    Incomplete while one of them is open, or somebody holds them."""
    async with store.transaction(by, of_system=True) as connection:
        return await erase_within(connection, store, reference, command, by)


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
    for each in family:
        await apply(connection, store, each, command, by)
    gone = {"wrapped": None, "master": None, "destroyed_at": store.time.now()}
    await connection.execute(update(KEYS).where(KEYS.c.reference.in_(family)).values(**gone))
    await connection.execute(delete(PEOPLE).where(PEOPLE.c.reference.in_(family)))
    await connection.execute(update(RETENTIONS).where(RETENTIONS.c.root == root).values(erased_at=store.time.now()))
    return family
