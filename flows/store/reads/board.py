"""The board: which cases are open, how many, and whether anything has happened to them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, func, literal, literal_column, or_, select, text, tuple_

from mash.config.permissions import may
from mash.flows.store.reads.case import Case, case_of, case_read_by, rightly_shown
from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS
from mash.states.acts.informing import owed
from mash.states.values import Actor

WORKER: ColumnElement[Any] = literal_column("CAST(referral.state AS jsonb) #>> '{worker,login}'", Text)
"""Who has a case: as the index of the table has it (v0035)."""
# What was only told by telephone is still to be confirmed by the agency itself.
CHECK_OF = text("""
    EXISTS (SELECT 1 FROM jsonb_each(CAST(referral.state AS jsonb) -> 'checks') asked
    WHERE asked.value ->> 'allocated_to' = :login AND (asked.value ->> 'answered_at' IS NULL
      OR (asked.value ->> 'told' IS NOT NULL AND asked.value ->> 'confirmed_at' IS NULL)))""")
"""Whether a check of the case is allocated to somebody who is still to answer it."""


async def open_cases(
    store: Store,
    by: Actor,
    *,
    stage: str | None = None,
    rating: str | None = None,
    late: bool | None = None,
    worker: str | None = None,
    limit: int = 100,
    after: str = "",
) -> list[Case]:
    """The open referrals that somebody reaches, those due soonest first; `worker` is who has them or is to answer a check of
    them, by login, `after` the last reference of the page before."""
    now = store.time.now()
    query = select(REFERRALS).where(REFERRALS.c.is_open, REFERRALS.c.hub == by.hub)
    if stage:
        query = query.where(REFERRALS.c.stage == stage)
    if rating:
        query = query.where(REFERRALS.c.rating.is_(None) if rating == "unrated" else REFERRALS.c.rating == rating)
    if late is not None:
        query = query.where(REFERRALS.c.due_at < now if late else REFERRALS.c.due_at >= now)
    if worker:
        query = query.where(or_(WORKER.in_((worker,)), CHECK_OF.bindparams(login=worker)))
    if after:
        last = select(REFERRALS.c.due_at).where(REFERRALS.c.reference == after).scalar_subquery()
        query = query.where(tuple_(REFERRALS.c.due_at, REFERRALS.c.reference) > tuple_(last, literal(after)))
    query = query.order_by(REFERRALS.c.due_at, REFERRALS.c.reference).limit(limit)
    async with store.transaction(by) as connection:
        cases = [case_read_by(store, row, by) for row in (await connection.execute(query)).all()]
        await store.read_rules(connection, (case.referral for case in cases))
        return await rightly_shown(connection, store, cases, by)


async def to_inform(store: Store, by: Actor) -> list[str]:
    """Closed referrals whose referrer a person has to tell, because it is not safe to write to them: those due soonest first.
    Open ones are on the board anyway."""
    return [case.reference for case in await _closed_and_waiting(store, by) if case.referral.by_person and owed(case.referral)]


async def to_be_accepted(store: Store, by: Actor) -> list[str]:
    """Closed referrals of which something was offered to somebody outside who has not accepted it: those due soonest first."""
    return [case.reference for case in await _closed_and_waiting(store, by) if case.referral.offered]


async def _closed_and_waiting(store: Store, by: Actor) -> list[Case]:
    waiting = (REFERRALS.c.hub == by.hub, ~REFERRALS.c.is_open, ~REFERRALS.c.finished)
    async with store.transaction(by) as connection:
        rows = (await connection.execute(select(REFERRALS).where(*waiting).order_by(REFERRALS.c.due_at))).all()
    return [case_of(row) for row in rows]


@dataclass(frozen=True)
class Counts:
    """How many cases somebody has open: all, the late ones, and by rating ('unrated' too) and stage."""

    open: int
    late: int
    rating: dict[str, int]
    stage: dict[str, int]


async def board_counts(store: Store, by: Actor) -> Counts:
    """How many cases are open that somebody reaches."""
    late = func.count().filter(REFERRALS.c.due_at < store.time.now())
    groups = (func.coalesce(REFERRALS.c.rating, "unrated").label("rating"), REFERRALS.c.stage)
    query = select(*groups, func.count().label("n"), late.label("late")).where(REFERRALS.c.is_open, REFERRALS.c.hub == by.hub)
    async with store.transaction(by) as connection:
        rows = (await connection.execute(query.group_by(*groups))).all()
    rating, stage = Counter[str](), Counter[str]()
    for row in rows:
        rating[row.rating] += row.n
        stage[row.stage] += row.n
    return Counts(rating.total(), sum(row.late for row in rows), dict(rating), dict(stage))


async def mark_of(store: Store, by: Actor, reference: str = "") -> str:
    """What is another word once something has happened: to a case, or to any open one that somebody reaches."""
    which = REFERRALS.c.reference == reference if reference else REFERRALS.c.is_open
    version = REFERRALS.c.version if may(by.role, "find_people") else REFERRALS.c.for_all
    query = select(func.count(), func.coalesce(func.sum(version), 0)).where(which, REFERRALS.c.hub == by.hub)
    async with store.transaction(by) as connection:
        row = (await connection.execute(query)).one()
    return f"{row[0]}-{row[1]}"
