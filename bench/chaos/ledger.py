"""What is wrong with what was accepted: whether it is there, once, in chains that verify, and no clock was slept through."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta

from sqlalchemy import select

from mash.bench.chaos.evidence import Evidence, Wrong, events_of
from mash.flows.store.log import verify
from mash.flows.store.reads.counts import conservation
from mash.flows.store.store import Store
from mash.flows.store.tables import EVENTS, NOTICES, REFERRALS
from mash.notifications.notices import REFERRER, URGENT
from mash.states.course import ClockBreached, ClockEscalated
from mash.states.log import RECORDED
from mash.states.values import SYSTEM

OVERDUE = timedelta(seconds=5)
"""Wall time within which a clock that is due has fired."""


async def lost_submissions(e: Evidence) -> Wrong:
    async with e.store.single.connect() as connection:
        there = set((await connection.scalars(select(REFERRALS.c.reference))).all())
    return [f"{reference} was accepted and is not in the database" for reference in sorted(set(e.accepted.submissions) - there)]


async def lost_commands(e: Evidence) -> Wrong:
    """What people did is in the logs where the answers said it was, and nothing beside it."""
    logged, told = await _by_people(e.store)
    claimed: Counter[tuple[str, int]] = Counter()
    wrong = []
    for done in e.accepted.commands:
        last = done.version if done.finds else (*told[done.reference], 0)[done.version - 1]
        first = last - len(done.events) + 1
        places = [(done.reference, first + at) for at in range(len(done.events))]
        claimed.update(places)
        if tuple(logged.get(place) for place in places) != done.events:
            wrong.append(f"{done.reference}: {done.kind} was accepted as events {first} to {done.version}, which the log has not")
    wrong += [f"{name}: event {number} was the answer to two commands" for (name, number), n in claimed.items() if n > 1]
    for (name, number), kind in logged.items():
        if (name, number) not in claimed and name not in e.accepted.unanswered:
            wrong.append(f"{name}: event {number} ({kind}) belongs to no command that was accepted")
    return wrong


async def _by_people(store: Store) -> tuple[dict[tuple[str, int], str], dict[str, list[int]]]:
    """The events that staff caused: (reference, number) and kind; and by reference the numbers of those that everybody may hear
    of, in order."""
    async with store.single.connect() as connection:
        texts = (await connection.scalars(select(EVENTS.c.canonical))).all()
    events = [RECORDED.validate_json(text) for text in texts]
    told = defaultdict[str, list[int]](list)
    for recorded in sorted(events, key=lambda each: each.sequence):
        if not recorded.event.of_child:
            told[recorded.reference].append(recorded.sequence)
    return {(r.reference, r.sequence): r.event.kind for r in events if r.by.role not in (SYSTEM, REFERRER)}, told


async def second_decisions(e: Evidence) -> Wrong:
    query = select(EVENTS.c.reference).where(EVENTS.c.kind == "decision_recorded")
    async with e.store.single.connect() as connection:
        decided = Counter((await connection.scalars(query)).all())
    return [f"{reference}: {n} decisions were recorded" for reference, n in decided.items() if n > 1]


async def second_breaches(e: Evidence) -> Wrong:
    breached = Counter((r.reference, r.event.id, r.event.due_at) for r in await events_of(e.store, ClockBreached))
    return [
        f"{reference}: clock {clock} was breached {n} times at {due}" for (reference, clock, due), n in breached.items() if n > 1
    ]


async def missing_alerts(e: Evidence) -> Wrong:
    """Every rung of a ladder that was climbed has its notice."""
    climbed = Counter((r.reference, r.event.id) for r in await events_of(e.store, ClockEscalated))
    query = select(NOTICES.c.reference, NOTICES.c.clock).where(NOTICES.c.kind.in_(URGENT))
    async with e.store.single.connect() as connection:
        alerts = Counter((row.reference, row.clock) for row in (await connection.execute(query)).all())
    return [
        f"{name}: clock {clock} escalated {n} times, with {alerts[name, clock]} alerts"
        for (name, clock), n in climbed.items()
        if alerts[name, clock] < n  # what is handed over at a change of shift comes on top
    ]


async def broken_chains(e: Evidence) -> Wrong:
    return [sentence async for sentence in verify(e.store)]


async def uncounted_contacts(e: Evidence) -> Wrong:
    count = await conservation(e.store)
    if count["contacts"] == count["outcomes"] + count["open"]:
        return []
    return [f"{count['contacts']} contacts came in, {count['outcomes']} have outcomes and {count['open']} are open"]


async def silent_clocks(e: Evidence) -> Wrong:
    late = e.store.time.now() - OVERDUE * e.store.time.rate
    async with e.store.single.connect() as connection:
        query = select(REFERRALS.c.reference, REFERRALS.c.next_at).where(REFERRALS.c.next_at < late)
        due = (await connection.execute(query)).all()
    return [f"{row.reference}: a clock came due at {row.next_at} and has not fired" for row in due]
