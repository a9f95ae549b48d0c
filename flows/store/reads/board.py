"""The board: which cases are open, in which order, how many, and whether anything has happened to them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Text,
    and_,
    any_,
    false,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)

from mash.config.permissions import may
from mash.flows.store.reads.case import Case, case_of, case_read_by, rightly_shown
from mash.flows.store.reads.participants import reached
from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS
from mash.states.acts.informing import owed
from mash.states.clocks import LONDON, day_of
from mash.states.values import Actor

SOON = timedelta(hours=1)
AHEAD = 5
"""Cases of which one is the next: a part that is not ours lets nobody in."""
_ORDER = (REFERRALS.c.due_at, REFERRALS.c.reference)


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
    query = _of(by, stage, rating)
    if late is not None:
        query = query.where(REFERRALS.c.due_at < now if late else REFERRALS.c.due_at >= now)
    if worker:
        query = query.where(_in_hands(f"login:{worker}"))
    if after:
        last = select(REFERRALS.c.due_at).where(REFERRALS.c.reference == after).scalar_subquery()
        query = query.where(tuple_(REFERRALS.c.due_at, REFERRALS.c.reference) > tuple_(last, literal(after)))
    return await _read(store, by, query.order_by(REFERRALS.c.due_at, REFERRALS.c.reference).limit(limit))


@dataclass(frozen=True)
class Chosen:
    """Which of the open cases somebody looks at: whose ('mine', 'team', or all), of a stage, a rating ('unrated' too), with an
    agency that is to answer; late or in time; with those that are due later."""

    whose: str = ""
    stage: str = ""
    rating: str = ""
    agency: str = ""
    late: bool | None = None
    later: bool = False
    only: frozenset[str] | None = None
    """These alone, by reference."""

    def query(self, by: Actor, now: datetime) -> Select[Any]:
        """The cases that are meant, but for those due later."""
        query = _of(by, self.stage or None, self.rating or None)
        if self.late is not None:
            query = query.where(REFERRALS.c.due_at < now if self.late else REFERRALS.c.due_at >= now)
        if self.agency:
            query = query.where(_in_hands(f"agency:{self.agency}"))
        if self.only is not None:
            # One value, however many they are: a thousand of their own take longer to be written than to be found.
            query = query.where(REFERRALS.c.reference == any_(literal(sorted(self.only), ARRAY(Text))))
        return query.where(hands_of(by)[self.whose]) if self.whose in hands_of(by) else query


def hands_of(by: Actor) -> dict[str, ColumnElement[bool]]:
    """What is somebody's own, and their team's: what somebody of their role has or is to act on next, and where their agency is
    to answer."""
    mine = f"login:{by.id}"
    return {"mine": _in_hands(mine), "team": _in_hands(mine, f"role:{by.role}", f"agency:{by.agency}")}


def _in_hands(*any_of: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = REFERRALS.c.hands.overlap([*any_of])
    return found


def _of(by: Actor, stage: str | None, rating: str | None) -> Select[Any]:
    query = select(REFERRALS).where(REFERRALS.c.is_open, REFERRALS.c.hub == by.hub)
    if stage:
        query = query.where(REFERRALS.c.stage == stage)
    if rating:
        query = query.where(REFERRALS.c.rating.is_(None) if rating == "unrated" else REFERRALS.c.rating == rating)
    return query


async def _read(store: Store, by: Actor, query: Select[Any]) -> list[Case]:
    async with store.transaction(by) as connection:
        cases = [case_read_by(store, row, by) for row in (await connection.execute(query)).all()]
        await store.read_rules(connection, (case.referral for case in cases))
        return await rightly_shown(connection, store, cases, by)


def tomorrow(now: datetime) -> datetime:
    """When the day ends at the hub."""
    begins = datetime.combine(day_of(now) + timedelta(days=1), datetime.min.time(), LONDON)
    return begins.astimezone(now.tzinfo)


async def in_order(store: Store, by: Actor, chosen: Chosen, limit: int, after: str = "") -> tuple[list[Case], list[Case]]:
    """The cases of a board: those in immediate danger, and the others that are due today, or `later` too; each the latest first,
    as many as `limit` in all. `after` is the last reference of the page before."""
    last = await _place_of(store, by, after) if after else None
    in_danger, others = _beyond(chosen.query(by, store.time.now()), last)
    if not chosen.later:
        others = others.where(REFERRALS.c.due_at < tomorrow(store.time.now()))
    first = await _read(store, by, in_danger.order_by(*_ORDER).limit(limit))
    rest = await _read(store, by, others.order_by(*_ORDER).limit(limit - len(first))) if len(first) < limit else []
    return first, rest


async def next_of_board(store: Store, by: Actor, after: Case) -> str | None:
    """The reference of the case that stands after one on somebody's board of all that they reach; the first of all after one that
    is closed; None after the last."""
    r = after.referral
    place = Place(r.in_danger, r.due_at, after.reference) if r.open else None
    parts = _beyond(Chosen(later=True).query(by, store.time.now()).with_only_columns(REFERRALS.c.reference), place)
    first, then = (part.order_by(*_ORDER).limit(AHEAD).subquery() for part in parts)
    query = union_all(*(select(literal(number).label("part"), each.c.reference) for number, each in enumerate((first, then))))
    async with store.transaction(by) as connection:
        # Each part comes in its order; the parts are kept apart.
        rows = sorted((await connection.execute(query)).all(), key=lambda row: row.part)
        references = [row.reference for row in rows]
        theirs = await reached(connection, store, references, by)
    return next((reference for reference in references if reference in theirs and reference != after.reference), None)


@dataclass(frozen=True)
class Place:
    """Where a case stands in the order of a board."""

    danger: bool
    due_at: datetime | None
    reference: str


async def _place_of(store: Store, by: Actor, reference: str) -> Place | None:
    """Where a case stands; None for one that somebody does not reach."""
    query = select(REFERRALS.c.danger, REFERRALS.c.due_at, REFERRALS.c.reference).where(REFERRALS.c.reference == reference)
    async with store.transaction(by) as connection:
        row = (await connection.execute(query)).one_or_none()
    return Place(*row) if row else None


def _beyond(query: Select[Any], last: Place | None) -> tuple[Select[Any], Select[Any]]:
    """Of some cases those in immediate danger and the others, from the first on or after a place: in each group what is due after
    it; what has no clock running comes last."""
    in_danger, others = query.where(REFERRALS.c.danger), query.where(~REFERRALS.c.danger)
    if last is None:
        return in_danger, others
    due, reference = REFERRALS.c.due_at, REFERRALS.c.reference
    if last.due_at is None:
        after = and_(due.is_(None), reference > last.reference)
    else:
        after = or_(tuple_(due, reference) > tuple_(literal(last.due_at), literal(last.reference)), due.is_(None))
    return (in_danger.where(after), others) if last.danger else (in_danger.where(false()), others.where(after))


@dataclass(frozen=True)
class Groups:
    """How many open cases somebody reaches, how many are their own and their team's; and of those chosen how many stand in each
    group, and when the first of the later ones is due."""

    all: int
    mine: int
    team: int
    danger: int
    late: int
    hour: int
    today: int
    later: int
    first_later: datetime | None
    mark: str
    """As `mark_of` has it."""


async def board_groups(store: Store, by: Actor, chosen: Chosen) -> Groups:
    """The groups of a board."""
    now, n = store.time.now(), func.count()
    due, danger, day_ends = REFERRALS.c.due_at, REFERRALS.c.danger, tomorrow(now)
    of_those = and_(*chosen.query(by, now)._where_criteria)
    later = or_(due >= day_ends, due.is_(None))
    groups = {
        "danger": danger,
        "late": ~danger & (due < now),
        "hour": ~danger & (due >= now) & (due <= now + SOON),
        "today": ~danger & (due > now + SOON) & (due < day_ends),
        "later": ~danger & later,
    }
    whose = {name: n.filter(hands).label(name) for name, hands in hands_of(by).items()}
    query = select(
        n.label("all"),
        func.concat(n, "-", func.coalesce(func.sum(version_for(by)), 0)).label("mark"),
        *whose.values(),
        *(n.filter(of_those, which).label(name) for name, which in groups.items()),
        func.min(due).filter(of_those, ~danger, due >= day_ends).label("first_later"),
    ).where(REFERRALS.c.is_open, REFERRALS.c.hub == by.hub)
    async with store.transaction(by) as connection:
        row = (await connection.execute(query)).one()
    return Groups(**row._mapping)


@dataclass(frozen=True)
class Waiting:
    """Closed referrals for which something is still to be done, by reference, those due soonest first: a referrer whom a person
    has to tell, as it is not safe to write to them; something offered to somebody outside who has not accepted it."""

    to_inform: tuple[str, ...] = ()
    to_be_accepted: tuple[str, ...] = ()


async def closed_and_waiting(store: Store, by: Actor) -> Waiting:
    """What of a hub's closed referrals still waits. Open ones are on the board anyway."""
    waiting = (REFERRALS.c.hub == by.hub, ~REFERRALS.c.is_open, ~REFERRALS.c.finished)
    async with store.transaction(by) as connection:
        rows = (await connection.execute(select(REFERRALS).where(*waiting).order_by(REFERRALS.c.due_at))).all()
    cases = [case_of(row) for row in rows]
    return Waiting(
        tuple(case.reference for case in cases if case.referral.by_person and owed(case.referral)),
        tuple(case.reference for case in cases if case.referral.offered),
    )


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


def version_for(by: Actor) -> ColumnElement[int]:
    """The version of a case after the last event of which somebody may hear."""
    return REFERRALS.c.version if may(by.role, "find_people") else REFERRALS.c.for_all


async def mark_of(store: Store, by: Actor, reference: str = "") -> str:
    """What is another word once something has happened: to a case, or to any open one that somebody reaches."""
    which = REFERRALS.c.reference == reference if reference else REFERRALS.c.is_open
    query = select(func.count(), func.coalesce(func.sum(version_for(by)), 0)).where(which, REFERRALS.c.hub == by.hub)
    async with store.transaction(by) as connection:
        row = (await connection.execute(query)).one()
    return f"{row[0]}-{row[1]}"
