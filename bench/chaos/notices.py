"""What is wrong with who was told: whether each notice was delivered, arrived, and no oftener than the ledger says."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, select

from mash.bench.chaos.evidence import Evidence, Wrong, events_of
from mash.bench.chaos.post import Messages
from mash.flows.store.reads.items import referrer_address
from mash.flows.store.store import Store
from mash.flows.store.tables import DELIVERIES, NOTICES
from mash.notifications.notices import REFERRER
from mash.notifications.wording import UNADDRESSED, lateness, message_for
from mash.states.acts.informing import ReferrerTold


async def undelivered(e: Evidence) -> Wrong:
    query = select(NOTICES.c.id, NOTICES.c.kind, NOTICES.c.status).where(NOTICES.c.status.not_in(("delivered", "withdrawn")))
    async with e.store.single.connect() as connection:
        rows = (await connection.execute(query)).all()
    return [f"notice {row.id} ({row.kind}) is {row.status}" for row in rows]


async def unrecorded_messages(e: Evidence) -> Wrong:
    """Where the referrer got a message, the referral's log says so: its clock has stopped."""
    kinds = ("acknowledgement", "outcome")
    query = select(NOTICES.c.reference, NOTICES.c.kind).where(NOTICES.c.status == "delivered", NOTICES.c.kind.in_(kinds))
    async with e.store.single.connect() as connection:
        delivered = (await connection.execute(query)).all()
    entries = Counter((r.reference, r.event.what) for r in await events_of(e.store, ReferrerTold))
    missing = [(row.reference, row.kind) for row in delivered if not entries[row.reference, row.kind]]
    return [f"{reference}: the {kind} was delivered, and the log does not say so" for reference, kind in missing] + [
        f"{reference}: the log says {n} times that the {kind} was told" for (reference, kind), n in entries.items() if n > 1
    ]


async def misdelivered(e: Evidence) -> Wrong:
    """Every notice arrived, and no oftener than the ledger has tries. Notices of one title to one address are counted together:
    nobody could tell them apart."""
    async with e.store.single.connect() as connection:
        rows = (await connection.execute(select(NOTICES))).all()
        tried = Counter((await connection.scalars(select(DELIVERIES.c.notice))).all())
    notices: Counter[tuple[str, str, str]] = Counter()
    tries: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        what = (await _address(e.store, row), *_title(row))
        notices[what] += row.status == "delivered"
        tries[what] += tried[row.id]
    arrivals, doubtful = _counted(e.mail.messages, notices), _counted(e.mail.doubtful, notices)
    wrong = [
        f"'{begin}...{end}' to {address.split('@')[0]}: {n} notices were delivered, {arrivals[address, begin, end]} arrived"
        for (address, begin, end), n in notices.items()
        if arrivals[address, begin, end] < n
    ]
    return wrong + [
        f"'{begin}...{end}' to {address.split('@')[0]}: it arrived oftener than the {n} times that the ledger has"
        for (address, begin, end), n in tries.items()
        if arrivals[address, begin, end] + doubtful[address, begin, end] > n
    ]


async def _address(store: Store, row: Row[Any]) -> str:
    if row.role != REFERRER:
        return f"{row.role}@example.org"
    return await referrer_address(store, row.reference) or ""


def _title(row: Row[Any]) -> tuple[str, str]:
    """How a notice's title begins and ends: what is between says how late it is, which depends on when it was sent."""
    facts, at = json.loads(row.facts), datetime.now(UTC)
    title = message_for(row.kind, row.reference, facts, at, "", **UNADDRESSED).title
    if "due_at" not in facts:
        return title, ""
    begin, _, end = title.partition(lateness(datetime.fromisoformat(facts["due_at"]), at))
    return begin, end


def _counted(messages: Messages, notices: Counter[tuple[str, str, str]]) -> Counter[tuple[str, str, str]]:
    """How often each notice is among the messages."""
    lines = Counter((to, line) for to, titles in list(messages) for line in titles)
    timed: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    count: Counter[tuple[str, str, str]] = Counter()
    for what in notices:
        if what[2]:
            timed[what[0]].append(what)
        else:
            count[what] += lines[what[0], what[1]]
    for (to, line), n in lines.items():
        for what in timed[to]:
            if line.startswith(what[1]) and line.endswith(what[2]):
                count[what] += n
    return count


async def needless_tries(e: Evidence) -> Wrong:
    """A notice is tried again only as long as no try of it has been recorded as delivered."""
    query = select(DELIVERIES).order_by(DELIVERIES.c.notice, DELIVERIES.c.id)
    async with e.store.single.connect() as connection:
        rows = (await connection.execute(query)).all()
    done: dict[int, datetime] = {}
    truly = [row for row in rows if all(e.began <= at <= datetime.now(UTC) for at in (row.started_at, row.finished_at) if at)]
    for row in truly:
        if row.finished_at and " ok" in (row.result or ""):
            done[row.notice] = min(row.finished_at, done.get(row.notice, row.finished_at))
    again = [row for row in truly if row.notice in done and row.started_at > done[row.notice]]
    return [f"notice {row.notice} was tried again after it had been delivered" for row in again]
