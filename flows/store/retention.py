"""The list of contacts whose people are about to be erased, and carrying it out: announced first, held where somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Literal

import structlog
from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.erasure import erase_within
from mash.flows.store.identities import joined
from mash.flows.store.reads.case import Case, case_of
from mash.flows.store.store import Store, system_actor
from mash.flows.store.tables import REFERRALS, RETENTIONS
from mash.states.acts.closing import ErasePeople
from mash.states.errors import NotFound, Refusal
from mash.states.profile import Profile
from mash.states.retention import keep_until

log = structlog.stdlib.get_logger("mash.retention")
Why = Literal["inquiry", "litigation", "complaint", "subject_access", "other"]
"""Why somebody has a contact kept beyond its time."""


async def list_due(store: Store, profile: Profile) -> list[str]:
    """Put the contacts of a hub on the list whose people's time is over; returns those that are new on it."""
    now, new = store.time.now(), list[str]()
    for root, due in await _over(store, profile, now):
        row = {"root": root, "hub": profile.name, "due_at": due, "listed_at": now, "held_by": None, "held_why": None}
        async with store.single.connect() as connection:
            added = await connection.execute(insert(RETENTIONS).values(**row).on_conflict_do_nothing())
        new += [root] if added.rowcount else []
    return new


async def _over(store: Store, profile: Profile, now: datetime) -> list[tuple[str, datetime]]:
    """The contacts of a hub whose people's time is over, and since when."""
    # Nothing younger than the shortest rule can be due: most of what there is need not be read.
    youngest = now - timedelta(days=365 * min(profile.retention.years.values()))
    listed = select(RETENTIONS.c.root).where(RETENTIONS.c.root == REFERRALS.c.root)
    page = (
        select(REFERRALS)
        .where(REFERRALS.c.hub == profile.name, REFERRALS.c.received_at < youngest, ~listed.exists())
        .order_by(REFERRALS.c.root, REFERRALS.c.reference)
    )
    found = []
    async with store.single.connect() as connection:
        rows = (await connection.execute(page)).all()
    for root, family in groupby((case_of(row) for row in rows), key=lambda case: case.root):
        until = keep_until([case.referral for case in family], profile)
        if until is not None and until <= now:
            found.append((root, until))
    return found


async def erase_listed(store: Store, profile: Profile) -> list[str]:
    """Erase the people of a hub's contacts that have been on the list for as long as the profile announces it, and that nobody
    holds; returns them. One that was reopened since is taken off the list: its time begins anew when it is concluded again."""
    since = store.time.now() - timedelta(days=profile.retention.listed_days)
    waiting = (RETENTIONS.c.hub == profile.name, RETENTIONS.c.erased_at.is_(None), RETENTIONS.c.held_by.is_(None))
    async with store.single.connect() as connection:
        roots = (await connection.scalars(select(RETENTIONS.c.root).where(*waiting, RETENTIONS.c.listed_at <= since))).all()
    return [root for root in roots if await _erase_one(store, profile, root)]


async def _erase_one(store: Store, profile: Profile, root: str) -> bool:
    by = system_actor(profile.name)
    family = select(REFERRALS).where(REFERRALS.c.root == root).order_by(REFERRALS.c.reference).with_for_update()
    try:
        async with store.transaction(by) as connection:
            cases = [case_of(row) for row in (await connection.execute(family)).all()]
            until = keep_until([case.referral for case in cases], profile)
            if await _child_has_open_case(connection, cases):
                return False  # it stays on the list: the next night asks again
            if until is None or until > store.time.now():
                await connection.execute(delete(RETENTIONS).where(RETENTIONS.c.root == root, RETENTIONS.c.held_by.is_(None)))
                return False
            await erase_within(connection, store, root, ErasePeople(why="retention"), by)
    except Refusal as refusal:
        log.warning("not erased", reference=root, reason=type(refusal).__name__)
        return False
    return True


async def _child_has_open_case(connection: AsyncConnection, cases: Sequence[Case]) -> bool:
    """Whether somebody has confirmed that a child of these has another case, which is open."""
    others = {
        each.reference
        for case in cases
        for same in (await joined(connection, case.hub, case.reference)).values()
        for each in same
    }
    query = select(REFERRALS.c.reference).where(REFERRALS.c.reference.in_(sorted(others)), REFERRALS.c.is_open).limit(1)
    return bool(others) and await connection.scalar(query) is not None


async def hold(store: Store, root: str, by: str | None, why: Why | None) -> None:
    """Have a contact kept beyond its time, or (by nobody) no longer. Raises NotFound for one that is not on the list."""
    change = update(RETENTIONS).where(RETENTIONS.c.root == root, RETENTIONS.c.erased_at.is_(None))
    async with store.single.connect() as connection:
        done = await connection.execute(change.values(held_by=by, held_why=why))
    if not done.rowcount:
        raise NotFound(f"{root} is not on the list of what is about to be erased: see `mash retention list`")


async def listed(store: Store) -> Sequence[Row[Any]]:
    """What is about to be erased, the first to go first."""
    query = select(RETENTIONS).where(RETENTIONS.c.erased_at.is_(None)).order_by(RETENTIONS.c.listed_at, RETENTIONS.c.root)
    async with store.single.connect() as connection:
        return (await connection.execute(query)).all()
