"""What the software reads by itself, of every hub: the worker, the watchdog, the monitors."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.store import Store
from mash.flows.store.tables import NOTICES, PARTICIPANTS, RECEIPTS, REFERRALS, REPAIRS
from mash.states.errors import NotFound
from mash.states.referral import Referral
from mash.states.values import Actor


@dataclass(frozen=True)
class Case:
    """A referral as it is now, with who submitted it and which flow run carries it."""

    reference: str
    root: str
    caller: str
    hub: str
    referral: Referral
    flow_run_id: UUID | None
    shown: int


_CASE = select(REFERRALS).where(REFERRALS.c.reference == bindparam("of"))


async def read_case(store: Store, reference: str) -> Case:
    """One referral, as the software itself reads it; people look at one by `reading.look_at`. Raises NotFound."""
    async with store.single.connect() as connection:
        row = (await connection.execute(_CASE, {"of": reference})).one_or_none()
    if row is None:
        raise NotFound("there is no such referral")
    return case_of(row)


async def takes_part(connection: AsyncConnection, reference: str, by: Actor) -> bool:
    """Whether a partner's agency or service has a part in a case: not whoever only reads it, by breaking the glass."""
    parts = select(PARTICIPANTS.c.id).where(
        PARTICIPANTS.c.reference == reference, PARTICIPANTS.c.party.in_((by.agency, by.role)), PARTICIPANTS.c.person == ""
    )
    return (await connection.execute(parts.limit(1))).first() is not None


async def glass_broken(connection: AsyncConnection, by: Actor, now: datetime) -> int:
    """How many cases somebody reads now because they broke the glass."""
    broken = select(func.count(func.distinct(PARTICIPANTS.c.reference))).where(
        PARTICIPANTS.c.hub == by.hub, PARTICIPANTS.c.person == by.id, PARTICIPANTS.c.until > now
    )
    return int(await connection.scalar(broken) or 0)


def case_of(row: Row[Any]) -> Case:
    """The case that a row of `referral` is."""
    return Case(row.reference, row.root, row.caller, row.hub, Referral.model_validate_json(row.state), row.flow_run_id, row.shown)


async def conservation(store: Store) -> dict[str, int]:
    """The counts of this moment."""
    async with store.single.connect() as connection:
        return await counts(connection)


async def counts(connection: AsyncConnection) -> dict[str, int]:
    """Contacts in, counted from the receipts; outcomes and open, counted from the referrals; they must agree."""
    contacts = select(func.count()).where(RECEIPTS.c.purpose == "submission", RECEIPTS.c.status < 300)
    # A contact is one, whatever number of linked referrals it was split into.
    referrals = select(func.count()).where(REFERRALS.c.reference == REFERRALS.c.root)
    still_open = select(func.count(func.distinct(REFERRALS.c.root))).where(REFERRALS.c.is_open)
    # In one statement: what comes in between two would look like a loss.
    at_once = select(
        contacts.scalar_subquery().label("contacts"),
        referrals.scalar_subquery().label("referrals"),
        still_open.scalar_subquery().label("open"),
    )
    row = (await connection.execute(at_once)).one()
    return {"contacts": row.contacts, "outcomes": row.referrals - row.open, "open": row.open}


async def open_by_stage(store: Store) -> list[tuple[str, str, str, int]]:
    """How many referrals are open: hub, stage, rating, number."""
    by = (REFERRALS.c.hub, REFERRALS.c.stage, func.coalesce(REFERRALS.c.rating, "unrated").label("rated"))
    query = select(*by, func.count().label("n")).where(REFERRALS.c.is_open).group_by(*by)
    async with store.single.connect() as connection:
        return [(row.hub, row.stage, row.rated, row.n) for row in (await connection.execute(query)).all()]


async def tally(store: Store) -> dict[str, Any]:
    """What became of the clocks, the notices by role, and the outcomes: what the demonstration reports."""
    async with store.single.connect() as connection:
        states = (await connection.execute(select(REFERRALS.c.state, REFERRALS.c.hub))).all()
        notices = (
            await connection.execute(
                select(NOTICES.c.status, NOTICES.c.kind, NOTICES.c.role, func.count().label("n")).group_by(
                    NOTICES.c.status, NOTICES.c.kind, NOTICES.c.role
                )
            )
        ).all()
    clocks: Counter[tuple[str, str, str]] = Counter()
    outcomes: Counter[tuple[str, str]] = Counter()
    for row in states:
        referral = Referral.model_validate_json(row.state)
        rating = referral.first_rating or "unrated"
        for clock in referral.clocks.values():
            clocks[row.hub, rating, clock.verdict] += 1
        for subject in referral.subjects.values():
            outcomes[row.hub, subject.outcome or "open"] += 1
    return {"clocks": clocks, "outcomes": outcomes, "notices": notices}


async def behind(store: Store, limit: int) -> list[tuple[str, int, int]]:
    """Referrals whose run has not dealt with all that happened, the most urgent first: how urgent they are, and their version."""
    query = (
        select(REFERRALS.c.reference, REFERRALS.c.urgency, REFERRALS.c.version)
        .where(REFERRALS.c.shown < REFERRALS.c.version)
        .order_by(REFERRALS.c.urgency.desc(), REFERRALS.c.reference)
        .limit(limit)
    )
    async with store.single.connect() as connection:
        return [(row.reference, row.urgency, row.version) for row in (await connection.execute(query)).all()]


async def urgencies(store: Store, references: list[str]) -> list[tuple[str, int]]:
    """How urgent these referrals are, in the order given, for those that there are."""
    query = select(REFERRALS.c.reference, REFERRALS.c.urgency).where(REFERRALS.c.reference.in_(references))
    async with store.single.connect() as connection:
        found = {row.reference: row.urgency for row in (await connection.execute(query)).all()} if references else {}
    return [(name, found[name]) for name in references if name in found]


async def record_shown(store: Store, reference: str, version: int) -> None:
    """The run has dealt with so many of the referral's events."""
    async with store.single.connect() as connection:
        await connection.execute(
            update(REFERRALS).where(REFERRALS.c.reference == reference, REFERRALS.c.shown < version).values(shown=version)
        )


async def set_flow_run(store: Store, reference: str, run: UUID) -> None:
    """Remember which flow run carries a referral."""
    async with store.single.connect() as connection:
        await connection.execute(update(REFERRALS).where(REFERRALS.c.reference == reference).values(flow_run_id=run))


async def unfinished(store: Store, after: str = "", limit: int | None = None) -> list[Case]:
    """Referrals that are open, or whose referrer is still to be told, by reference."""
    query = (
        select(REFERRALS).where(~REFERRALS.c.finished, REFERRALS.c.reference > after).order_by(REFERRALS.c.reference).limit(limit)
    )
    async with store.single.connect() as connection:
        return [case_of(row) for row in (await connection.execute(query)).all()]


async def finished_among(store: Store, references: list[str]) -> list[str]:
    """Those of these referrals that wait for nothing any more."""
    query = select(REFERRALS.c.reference).where(REFERRALS.c.finished, REFERRALS.c.reference.in_(references))
    async with store.single.connect() as connection:
        return list((await connection.scalars(query)).all())


async def record_repair(store: Store, reference: str | None, what: str) -> None:
    """Write down what was wrong and set right."""
    async with store.engine.begin() as connection:
        await connection.execute(insert(REPAIRS).values(reference=reference, what=what, at=store.time.now()))


async def notices_of(store: Store, reference: str) -> list[Row[Any]]:
    """The notices of a referral, oldest first."""
    async with store.single.connect() as connection:
        return list(
            (await connection.execute(select(NOTICES).where(NOTICES.c.reference == reference).order_by(NOTICES.c.id))).all()
        )
