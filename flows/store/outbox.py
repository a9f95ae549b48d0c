"""The notices that wait to be sent: routed, claimed, handed over. Every try is in the ledger before the message goes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, bindparam, func, insert, or_, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.config.channels import Channel
from mash.flows.store.store import Store, as_json
from mash.flows.store.tables import DELIVERIES, NOTICES
from mash.notifications.digest import ALONE
from mash.notifications.notices import RED, REFERRER, URGENT
from mash.notifications.routing import Recipient, Step

LEASE = timedelta(seconds=60)
"""A try that has not been recorded by then was cut off, and is made again (wall time)."""
MOST_FOLDED = 500
LONGEST_WAIT = timedelta(minutes=12)
"""A notice that would wait longer was put off by a clock that was wrong then, and its turn is now."""
LOOK_AGAIN = timedelta(minutes=5)
"""After so long (as the domain's time runs) a notice whose channels are quiet or have had their fill is looked at again."""
HOUR = timedelta(hours=1)
HANDED_OVER_WITHIN = timedelta(hours=24)
"""An older alert has been renewed, and the newer one is handed over."""

Entry = Row[Any]
"""A notice as its row in the outbox is."""
Route = Callable[[Entry], Awaitable[tuple[Recipient, ...]]]
"""Finds out to whom a notice goes now; one that has a person already goes to them, or to whoever has taken their place."""


@dataclass(frozen=True)
class Claimed:
    """A notice that is this worker's to send now, to one recipient, by the channels of one step."""

    id: int
    reference: str | None
    hub: str
    kind: str
    role: str
    clock: str | None
    facts: dict[str, Any]
    urgency: int
    created_at: datetime
    tries: int
    """Which round of tries by all of its channels this is, from 1."""
    person: str | None
    step: int
    channels: tuple[tuple[str, Channel], ...]
    deliveries: tuple[int, ...]
    """The tries in the ledger, one for each channel; one without any where there is no channel."""
    next_after: timedelta | None
    """How long after the notice came about its next channels are used, when nobody has acknowledged."""
    more: bool
    """Whether there are further channels to turn to when these fail."""
    arrived: bool
    """Whether an earlier step of it has arrived."""
    again: bool
    """Whether an earlier try was cut off, so that the message may have gone."""

    @property
    def labels(self) -> tuple[str, ...]:
        """What the ledger calls the channels."""
        return tuple(label for label, _ in self.channels)


# Built once, like every statement that is asked all the time. A queued notice, or one that has arrived and waits for an
# acknowledgement: its next channels are due.
_QUEUED = and_(NOTICES.c.status == "queued", ~NOTICES.c.next_try_at.between(bindparam("wall"), bindparam("longest")))
_STEP = NOTICES.c.step_at <= bindparam("now")
# In the order of an index, or PostgreSQL may read all that was ever sent for one row that it hopes to find soon.
_ANY = text("""
    SELECT EXISTS (SELECT FROM (SELECT next_try_at FROM notice WHERE status = 'queued' ORDER BY urgency, id) queued
            WHERE NOT queued.next_try_at BETWEEN :wall AND :longest)
        OR (SELECT min(step_at) FROM notice WHERE step_at IS NOT NULL) <= :now""")
_WAITING = select(NOTICES).where(or_(_QUEUED, _STEP)).order_by(NOTICES.c.urgency, NOTICES.c.id).with_for_update(skip_locked=True)


def _as_of(wall: datetime, now: datetime) -> dict[str, datetime]:
    return {"wall": wall, "longest": wall + LONGEST_WAIT, "now": now}


async def anything_waits(store: Store) -> bool:
    """Whether it is the turn of any notice, by one question; to claim where there is none takes three."""
    async with store.single.connect() as connection:
        return bool(await connection.scalar(_ANY, _as_of(datetime.now(UTC), store.time.now())))


async def claim(store: Store, route: Route, limit: int = 20) -> list[Claimed]:
    """Take notices whose turn it is, urgent ones first, with all that can be folded with them; write the tries into the
    ledger."""
    wall, now = datetime.now(UTC), store.time.now()
    as_of = _as_of(wall, now)
    async with store.engine.begin() as connection:
        rows = list((await connection.execute(_WAITING.limit(limit), as_of)).all())
        if len(rows) == limit:
            # While urgent ones keep coming, what has waited longest has its turn too, or an ordinary notice would never go.
            oldest = _WAITING.order_by(None).order_by(NOTICES.c.id).where(NOTICES.c.id.not_in([row.id for row in rows]))
            rows += (await connection.execute(oldest.limit(limit), as_of)).all()
        if recipients := {(row.hub, row.role) for row in rows if row.role != REFERRER and row.kind not in ALONE}:
            for_them = _WAITING.where(
                tuple_(NOTICES.c.hub, NOTICES.c.role).in_(recipients),
                NOTICES.c.kind.not_in(ALONE),
                NOTICES.c.id.not_in([row.id for row in rows]),
            )
            rows += (await connection.execute(for_them.limit(MOST_FOLDED), as_of)).all()
        if not rows:
            return []
        return await _Claiming(store, connection, route, wall, now).take(rows)


class _Claiming:
    """One claim: what is decided for each notice, and then written at once."""

    def __init__(self, store: Store, connection: AsyncConnection, route: Route, wall: datetime, now: datetime) -> None:
        self.store, self.connection, self.route, self.wall, self.now = store, connection, route, wall, now
        self.changes: list[dict[str, Any]] = []
        self.copies: list[dict[str, Any]] = []
        self.sent: dict[str, int] = {}

    async def take(self, rows: list[Entry]) -> list[Claimed]:
        """Choose a recipient and channels for each notice, and write the tries into the ledger."""
        cut_off = await self._cut_off([row.id for row in rows if row.tries or row.step])
        chosen = [(row, found) for row in rows if (found := await self._choose(row))]
        labels = [(row.id, label) for row, (_, _, step) in chosen for label in _labels(row, step)]
        ids = iter(await self._ledger(labels))
        await self._write()
        return [
            Claimed(
                id=row.id, reference=row.reference, hub=row.hub, kind=row.kind, role=row.role, clock=row.clock,
                facts=json.loads(row.facts), urgency=row.urgency, created_at=row.created_at, tries=row.tries + 1,
                person=recipient.person, step=place, channels=step.channels,
                deliveries=tuple(next(ids) for _ in _labels(row, step)),
                next_after=recipient.steps[place + 1].after if place + 1 < len(recipient.steps) else None,
                more=place + 1 < len(recipient.steps), arrived=row.delivered_at is not None, again=row.id in cut_off,
            )
            for row, (recipient, place, step) in chosen
        ]  # fmt: skip

    async def _cut_off(self, tried: list[int]) -> frozenset[int]:
        """Those of the notices that were tried of which a try has no result."""
        if not tried:
            return frozenset()
        query = select(DELIVERIES.c.notice).where(DELIVERIES.c.notice.in_(tried), DELIVERIES.c.finished_at.is_(None))
        return frozenset((await self.connection.scalars(query)).all())

    async def _choose(self, row: Entry) -> tuple[Recipient, int, Step] | None:
        """To whom this notice goes now and by which channels; None when it is to wait, or is withdrawn as nobody's any more."""
        to = await self.route(row)
        if not to:
            self.changes.append({"id": row.id, "status": "withdrawn", "person": row.person, "step": row.step, "tries": row.tries})
            return None
        recipient, *others = to
        if row.person is None and not (row.tries or row.step):
            self.copies += [_copy(row, other.person, self.wall) for other in others]
        red = row.urgency <= RED
        start = row.step if row.step < len(recipient.steps) else 0
        found = recipient.step(start, self.now, red) if recipient.steps else (0, Step(after=timedelta(0), channels=()))
        if found is None or (not red and await self._had_their_fill(found[1])):
            again = self.wall + min(LOOK_AGAIN / self.store.time.rate, LONGEST_WAIT / 2)
            self._change(row, recipient, row.step, row.tries, again)
            return None
        self._change(row, recipient, found[0], row.tries + 1, self.wall + LEASE)
        return recipient, *found

    def _change(self, row: Entry, recipient: Recipient, step: int, tries: int, again: datetime) -> None:
        changed = {"person": recipient.person, "step": step, "tries": tries, "next_try_at": again}
        self.changes.append({"id": row.id, "status": "queued", **changed})

    async def _had_their_fill(self, step: Step) -> bool:
        """Whether a channel of the step has had as many messages within the hour as it may get."""
        return any([c.per_hour is not None and await self._lately(label) >= c.per_hour for label, c in step.channels])

    async def _lately(self, label: str) -> int:
        if label not in self.sent:
            since = self.wall - HOUR / self.store.time.rate
            # Notices that were folded share the instant at which their message was recorded.
            query = select(func.count(func.distinct(DELIVERIES.c.finished_at))).where(
                DELIVERIES.c.channels == label, DELIVERIES.c.started_at > since
            )
            self.sent[label] = await self.connection.scalar(query) or 0
        return self.sent[label]

    async def _ledger(self, labels: list[tuple[int, str]]) -> list[int]:
        if not labels:
            return []
        tries = insert(DELIVERIES).returning(DELIVERIES.c.id, sort_by_parameter_order=True)
        rows = [{"notice": nid, "started_at": self.wall, "channels": label, "result": None} for nid, label in labels]
        return list((await self.connection.execute(tries, rows)).scalars().all())

    async def _write(self) -> None:
        await self.connection.execute(_CHANGE, {"changes": as_json(self.changes)})
        if self.copies:
            await self.connection.execute(insert(NOTICES), self.copies)


_CHANGE = text("""
    UPDATE notice n SET status = c.status, person = c.person, step = c.step, tries = c.tries,
        next_try_at = c.next_try_at, step_at = NULL
    FROM json_populate_recordset(NULL::notice, CAST(:changes AS json)) c WHERE n.id = c.id""")


def _labels(row: Entry, step: Step) -> list[str]:
    return [label for label, _ in step.channels] or [f"{row.role}: none"]


def _copy(row: Entry, person: str | None, wall: datetime) -> dict[str, Any]:
    """The same notice, to somebody else who is on duty too."""
    columns = ("reference", "hub", "kind", "role", "clock", "facts", "created_at", "urgency")
    waits = {"status": "queued", "tries": 0, "next_try_at": wall, "person": person}
    return {**{name: getattr(row, name) for name in columns}, **waits}


def to_avoid(row: Entry) -> frozenset[str]:
    """The servers that a notice is about: it goes by others, if there are any."""
    return frozenset(json.loads(row.facts).get("avoid", ()))


async def hand_over(store: Store, holders: Callable[[str, str, bool], Collection[tuple[str, str | None]]]) -> int:
    """Have the alerts that nobody has acknowledged told to whoever has come on duty since: `holders` says, of a hub and
    the role that was told, and whether the alert is the day team's, which role and people have its alerts now. Returns how many
    alerts were passed on."""
    recent = NOTICES.c.created_at > store.time.now() - HANDED_OVER_WITHIN
    open_ = select(NOTICES).where(NOTICES.c.kind.in_(URGENT), ~NOTICES.c.over, recent)
    async with store.engine.begin() as connection:
        rows = (await connection.execute(open_.order_by(NOTICES.c.id))).all()
        alerts = {(row.reference, row.clock, row.role, row.person) for row in rows}
        passed: dict[tuple[Any, ...], dict[str, Any]] = {}
        for row in (row for row in rows if row.status == "delivered"):
            for role, person in holders(row.hub, row.role, json.loads(row.facts).get("by_day", False)):
                alert = (row.reference, row.clock, role, person)
                if alert not in alerts:
                    passed[alert] = _copy(row, person, datetime.now(UTC)) | {"role": role, "created_at": store.time.now()}
        if passed:
            await connection.execute(insert(NOTICES), list(passed.values()))
    return len(passed)


async def take_over(store: Store) -> None:
    """What a worker that is dead was sending is sent now: its tries have no result."""
    wall = datetime.now(UTC)
    cut_off = select(DELIVERIES.c.id).where(
        DELIVERIES.c.notice == NOTICES.c.id, DELIVERIES.c.finished_at.is_(None), DELIVERIES.c.started_at > wall - LEASE
    )
    async with store.single.connect() as connection:
        await connection.execute(
            update(NOTICES)
            .where(NOTICES.c.status == "queued", NOTICES.c.next_try_at > wall, cut_off.exists())
            .values(next_try_at=wall)
        )
