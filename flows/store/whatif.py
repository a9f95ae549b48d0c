"""A hub's contacts of some time, reckoned by other rules: read from the logs, and played in processes beside this one."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from multiprocessing import get_context
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.config.profile import stored_profile
from mash.flows.store.store import Store
from mash.flows.store.tables import PROFILES
from mash.states.again import FOLLOWS
from mash.states.profile import Profile
from mash.states.referral import Clock
from mash.states.values import Actor
from mash.states.whatif import Coverage, Limits, acts_of, cover, reckon, without_reminders

AT_A_TIME = 200
"""Contacts that a process plays before it says what they came to."""
PROCESSES = 2
Counted = TypeVar("Counted", Limits, Coverage)


class Case(NamedTuple):
    """A case as it is stored: its reference, its contact's, its state, and the events that say what was done."""

    reference: str
    root: str
    state: str
    events: list[tuple[str, str]]


class Ran(BaseModel):
    """As much of a stored state as says what was late."""

    model_config = ConfigDict(extra="ignore")

    clocks: dict[str, Clock]


@dataclass(frozen=True)
class Rules:
    """By which profile is reckoned what went by which, as they are stored, by digest; `else_` is what goes by any other."""

    instead: Mapping[str, str]
    else_: str
    until: datetime


_played_by: dict[str, Profile] = {}
_else: list[Profile] = []
_until: list[datetime] = []


def _begin(rules: Rules) -> None:
    """A process that plays reads its rules once. What it makes is short-lived: looking for cycles in it costs a tenth of all."""
    _played_by.update({digest: without_reminders(stored_profile(document)) for digest, document in rules.instead.items()})
    _else.append(without_reminders(stored_profile(rules.else_)))
    _until.append(rules.until)
    gc.freeze()
    gc.set_threshold(500_000)


def _instead(digest: str) -> Profile:
    return _played_by.get(digest, _else[0])


def _families(cases: Iterable[Case]) -> list[list[Case]]:
    return [list(family) for _, family in groupby(cases, key=lambda case: case.root)]


def reckon_some(cases: list[Case]) -> Limits:
    """What some contacts come to by other limits."""
    limits = Limits()
    for family in _families(cases):
        were = {case.reference: Ran.model_validate_json(case.state).clocks.values() for case in family}
        reckon({case.reference: acts_of(case.events) for case in family}, were, _instead, _until[0], limits)
    return limits


def cover_some(cases: list[Case]) -> Coverage:
    """How many of some contacts another profile has a place for."""
    coverage = Coverage()
    for family in _families(cases):
        cover({case.reference: acts_of(case.events) for case in family}, _else[0], _until[0], coverage)
    return coverage


async def limits_of(store: Store, by: Actor, since: datetime, instead: Mapping[str, Profile], other: Profile) -> Limits:
    """What somebody's own hub's contacts since then would have been by other limits: `instead` by the digest of what a case went
    by, `other` for any other."""
    rules = Rules({digest: each.canonical for digest, each in instead.items()}, other.canonical, store.time.now())
    return await played(cases_of(store, by, since), rules, Limits())


async def coverage_of(store: Store, by: Actor, since: datetime, other: Profile) -> Coverage:
    """How many of somebody's own hub's contacts since then another profile has a place for."""
    return await played(cases_of(store, by, since), Rules({}, other.canonical, store.time.now()), Coverage())


async def played(cases: AsyncIterator[list[Case]], rules: Rules, whole: Counted) -> Counted:
    """Have cases played, some hundreds at a time, while the next are read."""
    work = reckon_some if isinstance(whole, Limits) else cover_some
    loop, waiting = asyncio.get_running_loop(), set[asyncio.Future[Counted]]()
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), _begin, (rules,)) as pool:
        async for some in cases:
            waiting.add(loop.run_in_executor(pool, work, some))
            if len(waiting) > PROCESSES:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for each in done:
                    whole.add(each.result())
        for remaining in asyncio.as_completed(waiting):
            whole.add(await remaining)
    return whole


async def profiles_since(store: Store, by: Actor) -> dict[str, Profile]:
    """The profiles that somebody's own hub has gone by, by digest."""
    async with store.engine.connect() as connection:
        rows = (await connection.execute(select(PROFILES.c.digest).where(PROFILES.c.hub == by.hub))).scalars().all()
        return {digest: await store.profile(connection, digest) for digest in rows}


_ROOTS = text("""
    SELECT root FROM referral WHERE hub = :hub AND reference = root AND received_at >= :since AND root > :after
    ORDER BY root LIMIT :number""")
_CASES = text("SELECT reference, root, state FROM referral WHERE hub = :hub AND root = ANY(:roots) ORDER BY root, reference")
# The first event of an act names it, near the beginning of its text; of those that only follow, no other is needed.
_EVENTS = text("""
    SELECT reference, kind, canonical FROM event
    WHERE reference = ANY(:references) AND (kind <> ALL(:follows) OR position('"act":"' IN canonical) > 0)
    ORDER BY reference, sequence""")


async def cases_of(store: Store, by: Actor, since: datetime) -> AsyncIterator[list[Case]]:
    """The cases of somebody's own hub of the contacts that came in since then, whole contacts, some hundreds at a time."""
    after = ""
    async with store.transaction(by) as connection:
        while True:
            asked = {"hub": by.hub, "since": since, "after": after, "number": AT_A_TIME}
            roots = (await connection.scalars(_ROOTS, asked)).all()
            if not roots:
                return
            yield await _read(connection, by.hub, list(roots))
            after = roots[-1]


async def _read(connection: AsyncConnection, hub: str, roots: list[str]) -> list[Case]:
    rows = (await connection.execute(_CASES, {"hub": hub, "roots": roots})).all()
    events: dict[str, list[tuple[str, str]]] = {row.reference: [] for row in rows}
    asked = {"references": [*events], "follows": sorted(FOLLOWS)}
    for row in (await connection.execute(_EVENTS, asked)).all():
        events[row.reference].append((row.kind, row.canonical))
    return [Case(row.reference, row.root, row.state, events[row.reference]) for row in rows]
