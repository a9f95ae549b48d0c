"""A hub's contacts of some time, reckoned by other rules: read from the logs, and played in processes beside this one."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import aclosing
from datetime import datetime
from multiprocessing import get_context
from typing import TypeVar

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.config.instead import instead_of
from mash.flows.store.playing import Case, Rules, begin, cover_some, reckon_some
from mash.flows.store.store import Store
from mash.flows.store.tables import PROFILES
from mash.states.again import FOLLOWS
from mash.states.profile import Profile
from mash.states.values import Actor
from mash.states.whatif import FIRED, Coverage, Limits

AT_A_TIME = 50
"""Contacts that a process plays before it says what they came to: a tenth of a second, which it goes on where nobody waits any
more."""
PROCESSES = 2
Counted = TypeVar("Counted", Limits, Coverage)


class NotReckoned(Exception):
    """The processes ended before they were done; says what its operator can look at."""


async def limits_of(store: Store, by: Actor, since: datetime, settings: Sequence[str]) -> Limits:
    """What somebody's own hub's contacts since then would have been with these settings in the rules that they went by. Raises
    WrongFile for a setting that the rules in force do not have, and NotReckoned."""
    await asyncio.to_thread(instead_of, store.hub(by.hub), settings)
    rules = Rules(store.time.now(), settings=tuple(settings), profiles=await _profiles(store, by))
    return await played(cases_of(store, by, since), rules, Limits())


async def limits_by(store: Store, by: Actor, since: datetime, other: Profile) -> Limits:
    """What they would have been by another profile, whatever they went by. Raises NotReckoned."""
    return await played(cases_of(store, by, since), Rules(store.time.now(), other.canonical), Limits())


async def coverage_of(store: Store, by: Actor, since: datetime, other: Profile) -> Coverage:
    """How many of somebody's own hub's contacts since then another profile has a place for. Raises NotReckoned."""
    return await played(cases_of(store, by, since), Rules(store.time.now(), other.canonical), Coverage())


async def played(cases: AsyncGenerator[list[Case]], rules: Rules, whole: Counted) -> Counted:
    """Have cases played, some at a time, while the next are read. Nothing here waits for a process in the event loop: they are
    started, and given work, by a thread, and what they were given is left to them where nobody waits for it any more. Raises
    NotReckoned."""
    work: Callable[[list[Case]], Counted] = reckon_some if isinstance(whole, Limits) else cover_some
    pool = ProcessPoolExecutor(PROCESSES, get_context("spawn"), begin, (rules,))
    waiting = set[asyncio.Future[Counted]]()
    try:
        async with aclosing(cases):
            async for some in cases:
                waiting.add(asyncio.wrap_future(await asyncio.to_thread(pool.submit, work, some)))
                if len(waiting) > 2 * PROCESSES:
                    done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                    for each in done:
                        whole.add(each.result())
        for remaining in asyncio.as_completed(waiting):
            whole.add(await remaining)
    except BrokenProcessPool:
        raise NotReckoned(
            "a process that reckons was ended: see whether the machine has memory to spare, and ask again"
        ) from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return whole


async def _profiles(store: Store, by: Actor) -> dict[str, str]:
    """The profiles that somebody's own hub has had, as they are stored, by digest; without what somebody has changed there."""
    async with store.single.connect() as connection:
        rows = (await connection.execute(select(PROFILES.c.digest, PROFILES.c.document).where(PROFILES.c.hub == by.hub))).all()
    return {row.digest: row.document for row in rows if hashlib.sha256(row.document.encode()).hexdigest() == row.digest}


_ROOTS = text("""
    SELECT root FROM referral WHERE hub = :hub AND reference = root AND received_at >= :since AND root > :after
    ORDER BY root LIMIT :number""")
_CASES = text("""
    SELECT reference, root, (state::json -> 'clocks')::text AS clocks FROM referral
    WHERE hub = :hub AND root = ANY(:roots) ORDER BY root, reference""")
# The first event of an act names it, near the beginning of its text; of those that only follow, no other is needed.
# A list for each case: to take row by row what PostgreSQL can gather costs as much as reading it. Of clocks that fired, half of
# the texts, no more is looked at than that they did.
_EVENTS = text("""
    SELECT reference, array_agg(kind ORDER BY sequence) AS kinds,
        array_agg(CASE WHEN position(:fired IN canonical) > 0 THEN :fired ELSE canonical END ORDER BY sequence) AS texts
    FROM event
    WHERE reference = ANY(:references) AND (kind <> ALL(:follows) OR position('"act":"' IN canonical) > 0)
    GROUP BY reference""")


async def cases_of(store: Store, by: Actor, since: datetime) -> AsyncGenerator[list[Case]]:
    """The cases of somebody's own hub of the contacts that came in since then, whole contacts, some at a time; each time in a
    transaction of its own, as none may stand open while they are reckoned."""
    after = ""
    while True:
        asked = {"hub": by.hub, "since": since, "after": after, "number": AT_A_TIME}
        async with store.transaction(by) as connection:
            roots = (await connection.scalars(_ROOTS, asked)).all()
            cases = await _read(connection, by.hub, list(roots)) if roots else []
        if not roots:
            return
        yield cases
        after = roots[-1]


async def _read(connection: AsyncConnection, hub: str, roots: list[str]) -> list[Case]:
    rows = (await connection.execute(_CASES, {"hub": hub, "roots": roots})).all()
    asked = {"references": [row.reference for row in rows], "follows": sorted(FOLLOWS), "fired": f'"act":"{FIRED}"'}
    found = (await connection.execute(_EVENTS, asked)).all()
    events = {row.reference: list(zip(row.kinds, row.texts, strict=True)) for row in found}
    return [Case(row.reference, row.root, row.clocks, events.get(row.reference, [])) for row in rows]
