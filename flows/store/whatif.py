"""A hub's contacts of some time, reckoned by other rules: read from the logs, and played in processes beside this one."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import os
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from multiprocessing import get_context
from typing import NamedTuple, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.config.instead import instead_of
from mash.config.profile import stored_profile
from mash.config.toml_lines import WrongFile
from mash.flows.store.store import Store
from mash.flows.store.tables import PROFILES
from mash.states.again import FOLLOWS
from mash.states.profile import Profile
from mash.states.referral import Clock
from mash.states.values import Actor
from mash.states.whatif import Coverage, Limits, Stop, acts_of, cover, reckon, without_reminders

AT_A_TIME = 50
"""Contacts that a process plays before it says what they came to: a tenth of a second, which it goes on where nobody waits any
more."""
PROCESSES = 2
NICE = 10
"""How far behind everything else they stand: a referral that comes in meanwhile waits for none of them."""
UNREADABLE = Stop("", "an event of its log, or its clocks, cannot be read: `mash log verify` says which")
Counted = TypeVar("Counted", Limits, Coverage)
_CLOCKS = TypeAdapter(dict[str, Clock])


class NotReckoned(Exception):
    """The processes ended before they were done; says what its operator can look at."""


class Case(NamedTuple):
    """A case as it is stored: its reference, its contact's, the clocks of its state, and the events that say what was done."""

    reference: str
    root: str
    clocks: str
    events: list[tuple[str, str]]


@dataclass(frozen=True)
class Rules:
    """By which rules is reckoned, up to when: by `other`, a profile as it is stored; or with `settings` in place of the same
    ones in `profiles`, those that the hub's cases went by, as they are stored, by digest."""

    until: datetime
    other: str = ""
    settings: tuple[str, ...] = ()
    profiles: Mapping[str, str] = field(default_factory=dict)


class _Playing:
    """What a process that plays goes by."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._other = without_reminders(stored_profile(rules.other)) if rules.other else None
        self._by_digest = dict[str, Profile]()
        self._unset = set[str]()

    def instead(self, digest: str) -> Profile:
        """By which profile is reckoned what went by the one of this digest. Raises LookupError for one that is not stored."""
        if self._other:
            return self._other
        if digest not in self._by_digest:
            profile = stored_profile(self.rules.profiles[digest])
            try:
                profile = instead_of(profile, self.rules.settings)
            except WrongFile:  # an earlier one has no such rating or agency, or allows no such value
                self._unset.add(digest)
            self._by_digest[digest] = without_reminders(profile)
        return self._by_digest[digest]

    def unset(self, digests: Iterable[str]) -> bool:
        """Whether one of these profiles has no such limit, and is gone by as it is."""
        return not self._unset.isdisjoint(digests)


_playing: list[_Playing] = []


def _begin(rules: Rules) -> None:
    """A process that plays reads its rules once. What it makes is short-lived: looking for cycles in it costs a tenth of all."""
    os.nice(NICE)
    _playing.append(_Playing(rules))
    gc.freeze()
    gc.set_threshold(500_000)


def _families(cases: Iterable[Case]) -> list[list[Case]]:
    return [list(family) for _, family in groupby(cases, key=lambda case: case.root)]


def reckon_some(cases: list[Case]) -> Limits:
    """What some contacts come to by other limits. One of which something cannot be read is not reckoned."""
    (playing,), whole = _playing, Limits()
    for family in _families(cases):
        limits = Limits()
        try:
            logs = {case.reference: acts_of(case.events) for case in family}
            were = {case.reference: _CLOCKS.validate_json(case.clocks).values() for case in family}
            reckon(logs, were, playing.instead, playing.rules.until, limits)
            limits.unset += playing.unset(each.profile for log in logs.values() for each in log)
        except ValueError:
            limits = Limits(contacts=1)
            limits.not_reckoned[UNREADABLE] += 1
        whole.add(limits)
    return whole


def cover_some(cases: list[Case]) -> Coverage:
    """How many of some contacts another profile has a place for. One of which something cannot be read is not covered."""
    (playing,), whole = _playing, Coverage()
    for family in _families(cases):
        coverage = Coverage()
        try:
            logs = {case.reference: acts_of(case.events) for case in family}
            cover(logs, playing.instead(""), playing.rules.until, coverage)
        except ValueError:
            coverage = Coverage(contacts=1)
            coverage.first[UNREADABLE] += 1
        whole.add(coverage)
    return whole


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
    pool = ProcessPoolExecutor(PROCESSES, get_context("spawn"), _begin, (rules,))
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
# A list for each case: to take row by row what PostgreSQL can gather costs as much as reading it.
_EVENTS = text("""
    SELECT reference, array_agg(kind ORDER BY sequence) AS kinds, array_agg(canonical ORDER BY sequence) AS texts FROM event
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
    asked = {"references": [row.reference for row in rows], "follows": sorted(FOLLOWS)}
    found = (await connection.execute(_EVENTS, asked)).all()
    events = {row.reference: list(zip(row.kinds, row.texts, strict=True)) for row in found}
    return [Case(row.reference, row.root, row.clocks, events.get(row.reference, [])) for row in rows]
