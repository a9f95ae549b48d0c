"""What people read: as far as they reach, which the database holds them to, and each look at a case written down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, Select, bindparam, func, insert, literal, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.config.permissions import may, may_read_words, reach
from mash.flows.store.apply import data_key
from mash.flows.store.keys import unseal
from mash.flows.store.log import events_of
from mash.flows.store.reads.queries import Case, case_of, takes_part
from mash.flows.store.store import Store
from mash.flows.store.tables import ACCESSES, EVENTS, ITEMS, NOTICES, REFERRALS
from mash.states.acts.sharing import SharingBasisRecorded
from mash.states.entitled import open_to
from mash.states.errors import NotFound
from mash.states.firewall import AGENCIES_OWN, product, view
from mash.states.log import RECORDED, Recorded
from mash.states.messages import Event
from mash.states.profile import Gathering, Profile
from mash.states.referral import Referral
from mash.states.values import Actor

_CASE = select(REFERRALS).where(REFERRALS.c.reference == bindparam("of"))
_ROOT = select(REFERRALS.c.root).where(REFERRALS.c.reference == bindparam("of")).scalar_subquery()
_FAMILY = select(REFERRALS).where(REFERRALS.c.root == _ROOT).order_by(REFERRALS.c.reference)
# Inline: asked for the number of its row, the database would refuse it to those who may not read rows.
_LOOKED = insert(ACCESSES).inline()
WHY = {"hub": "works at the hub", "own": "made the referral"}
"""What lets somebody look, by how far their role reaches."""
GLASS = "broke the glass"
REDACTED = "redacted"
"""The kind of an item that stands for another one, as others may read it."""


async def look_at(store: Store, reference: str, by: Actor, action: str, *, holds: str = "") -> Case:
    """A case that somebody looks at; who they are, and what let them, is written down with it: how far they reach, or else what
    they hold. Raises NotFound for one that they do not reach: whether it exists is not theirs to know."""
    return (await _looked_at(store, _CASE, reference, by, action, holds))[0]


async def look_at_family(store: Store, reference: str, by: Actor, action: str, *, holds: str = "") -> list[Case]:
    """A contact's referral and the linked ones it was split into, by one of them; each is looked at as by `look_at`."""
    return await _looked_at(store, _FAMILY, reference, by, action, holds)


async def _looked_at(store: Store, query: Select[Any], reference: str, by: Actor, action: str, holds: str) -> list[Case]:
    async with store.transaction(by, of_system=bool(holds)) as connection:
        cases = [case_of(row) for row in (await connection.execute(query, {"of": reference})).all()]
        if not cases:
            raise NotFound("there is no such referral at this hub, or you take no part in it")
        for case in cases:
            why = holds or WHY.get(reach(by.role)) or await _part(connection, case.reference, by)
            await note_access(connection, store, case.reference, by, action, why)
    return cases


async def note_access(
    connection: AsyncConnection,
    store: Store,
    reference: str | None,
    by: Actor,
    action: str,
    why: str,
    *,
    about: str | None = None,
) -> None:
    """Write down that somebody looks at a case, or at what a person (`about`) looked at, within the transaction in which they
    do."""
    who = {"person": by.id, "role": by.role, "agency": by.agency, "hub": by.hub}
    looked = {"reference": reference, "about": about, "at": store.time.now(), "action": action, "why": why}
    await connection.execute(_LOOKED, {**who, **looked})


async def _part(connection: AsyncConnection, reference: str, by: Actor) -> str:
    """Why a partner reaches a case."""
    return f"{by.agency} takes part" if await takes_part(connection, reference, by) else GLASS


async def offered(connection: AsyncConnection, store: Store, reference: str, referral: Referral, by: Actor) -> list[str]:
    """The commands that somebody may give now about a case that they reach: nothing that would be refused for who they are."""
    if reach(by.role) == "involved" and not await takes_part(connection, reference, by):
        return []
    profile = await store.profile(connection, referral.profile)
    return [kind for kind in open_to(referral, profile, by) if kind != "break_glass" and may(by.role, kind)]


async def possible(store: Store, case: Case, by: Actor) -> list[str]:
    """`offered`, of a case that was looked at."""
    async with store.transaction(by) as connection:
        return await offered(connection, store, case.reference, case.referral, by)


async def read_story(store: Store, case: Case, by: Actor) -> list[Recorded]:
    """The events of a case, in order."""
    async with store.transaction(by) as connection:
        return await events_of(connection, case.reference)


async def read_items(store: Store, case: Case, by: Actor) -> list[dict[str, Any]]:
    """The personal items of a case as far as somebody may read them: what was said, what their agency holds, and what others
    released (perhaps redacted); of the rest only a signpost that it exists."""
    rows, key = await _items(store, case.reference, by)
    sealed = {str(row.id): row for row in rows}

    def line(item: str, shown: str, kind: str, row: Row[Any] | None, agency: str, at: datetime) -> dict[str, Any]:
        content = unseal(key, row.sealed, case.reference).decode() if row else None
        subject = sealed[item].subject if item in sealed else None
        return {"item": item, "kind": kind, "subject": subject, "agency": agency, "at": at, "view": shown, "content": content}

    lines = []
    for row in rows:
        if row.kind not in (*AGENCIES_OWN, REDACTED):
            theirs = row.created_by == by.id or may_read_words(by.role, row.kind)
            shown = "whole" if theirs else "signpost"
            lines.append(line(str(row.id), shown, row.kind, row if theirs else None, row.owner_agency, row.created_at))
    for held in case.referral.held.values():
        shown = view(held, by.agency)
        original = sealed.get(held.item)
        readable = {"whole": held.item, "redacted": held.redacted or "", "signpost": ""}[shown]
        if readable not in sealed:  # released, but not to whoever only looks in through the broken glass
            shown = "signpost"
        kind = original.kind if original else HELD
        lines.append(line(held.item, shown, kind, sealed.get(readable), held.agency, held.at))
    return sorted(lines, key=lambda line: (line["at"], line["item"]))


MEETING_AHEAD = ("agency_checks", "mash_meeting")
HELD = "held_by_agency"
"""What an item is to those who may not see what it is."""


async def information_product(store: Store, case: Case, by: Actor) -> list[dict[str, Any]]:
    """What the agencies released about a case, in the versions that they released; for the rest, signposts."""
    rows, key = await _items(store, case.reference, by)
    sealed = {str(row.id): row.sealed for row in rows}
    return [
        {
            "agency": line.agency,
            "at": line.at,
            "content": unseal(key, sealed[line.item], case.reference).decode() if line.item in sealed else None,
            "signpost": None if line.item in sealed else "this agency holds information that it has not released: ask the agency",
        }
        for line in product(case.referral)
    ]


async def _items(store: Store, reference: str, by: Actor) -> tuple[Sequence[Row[Any]], AESGCM]:
    """The items that the database shows somebody, and the key that opens them."""
    async with store.transaction(by) as connection:
        key = AESGCM(await data_key(connection, store, reference))
        query = select(ITEMS).where(ITEMS.c.reference == reference).order_by(ITEMS.c.created_at, ITEMS.c.id)
        return (await connection.execute(query)).all(), key


@dataclass(frozen=True)
class Kept:
    """An item in plain."""

    id: str
    kind: str
    subject: str | None
    agency: str
    at: datetime
    content: bytes


async def read_everything(connection: AsyncConnection, store: Store, case: Case) -> list[Kept]:
    """Every item of a case in plain, whoever it belongs to: for what the law asks to be answered from all of it."""
    key = AESGCM(await data_key(connection, store, case.reference))
    query = select(ITEMS).where(ITEMS.c.reference == case.reference).order_by(ITEMS.c.created_at, ITEMS.c.id)
    return [
        Kept(str(row.id), row.kind, row.subject, row.owner_agency, row.created_at, unseal(key, row.sealed, case.reference))
        for row in (await connection.execute(query)).all()
    ]


async def read_notices(store: Store, case: Case, by: Actor) -> Sequence[Row[Any]]:
    """The notices of a case, oldest first."""
    query = select(NOTICES).where(NOTICES.c.reference == case.reference).order_by(NOTICES.c.id)
    async with store.transaction(by) as connection:
        return (await connection.execute(query)).all()


async def open_cases(
    store: Store,
    by: Actor,
    *,
    stage: str | None = None,
    rating: str | None = None,
    late: bool | None = None,
    limit: int = 100,
    after: str = "",
) -> list[Case]:
    """The open referrals that somebody reaches, those due soonest first; `after` is the last reference of the page before."""
    now = store.time.now()
    query = select(REFERRALS).where(REFERRALS.c.is_open, REFERRALS.c.hub == by.hub)
    if stage:
        query = query.where(REFERRALS.c.stage == stage)
    if rating:
        query = query.where(REFERRALS.c.rating.is_(None) if rating == "unrated" else REFERRALS.c.rating == rating)
    if late is not None:
        query = query.where(REFERRALS.c.due_at < now if late else REFERRALS.c.due_at >= now)
    if after:
        last = select(REFERRALS.c.due_at).where(REFERRALS.c.reference == after).scalar_subquery()
        query = query.where(tuple_(REFERRALS.c.due_at, REFERRALS.c.reference) > tuple_(last, literal(after)))
    query = query.order_by(REFERRALS.c.due_at, REFERRALS.c.reference).limit(limit)
    async with store.transaction(by) as connection:
        return [case_of(row) for row in (await connection.execute(query)).all()]


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
    query = select(func.count(), func.coalesce(func.sum(REFERRALS.c.version), 0)).where(which, REFERRALS.c.hub == by.hub)
    async with store.transaction(by) as connection:
        row = (await connection.execute(query)).one()
    return f"{row[0]}-{row[1]}"


_MINE = text("""
    SELECT * FROM referral WHERE is_open AND hub = :hub AND CAST(state AS jsonb) -> 'checks' ? CAST(:agency AS text)
      AND CAST(state AS jsonb) #>> ARRAY['checks', CAST(:agency AS text), 'answered_at'] IS NULL
    ORDER BY due_at, reference LIMIT 200""")


async def checks_of(store: Store, by: Actor) -> list[Case]:
    """The open cases in which somebody's agency is asked and has not answered, those due soonest first."""
    async with store.transaction(by) as connection:
        return [case_of(row) for row in (await connection.execute(_MINE, {"hub": by.hub, "agency": by.agency})).all()]


_HELD = text("""
    SELECT reference FROM referral, jsonb_each(CAST(state AS jsonb) -> 'held') held
    WHERE is_open AND hub = :hub AND held.value ->> 'agency' = :agency AND NOT CAST(held.value ->> 'released' AS boolean)
    GROUP BY reference ORDER BY reference LIMIT 200""")


async def holding(store: Store, by: Actor) -> list[str]:
    """The open cases beside which somebody's agency holds what it has not released."""
    async with store.transaction(by) as connection:
        return list((await connection.scalars(_HELD, {"hub": by.hub, "agency": by.agency})).all())


async def bases(store: Store, by: Actor, references: list[str]) -> dict[str, SharingBasisRecorded]:
    """The latest recorded reason to share information, of each of these cases that has one."""
    query = (
        select(EVENTS.c.reference, EVENTS.c.canonical)
        .where(EVENTS.c.reference.in_(references), EVENTS.c.kind == "sharing_basis_recorded")
        .order_by(EVENTS.c.reference, EVENTS.c.sequence)
    )
    async with store.transaction(by) as connection:
        rows = (await connection.execute(query)).all()
    return {row.reference: event for row in rows if isinstance(event := _event(row.canonical), SharingBasisRecorded)}


def _event(canonical: str) -> Event:
    return RECORDED.validate_json(canonical).event


async def convened(store: Store, by: Actor, since: datetime, until: datetime) -> list[Case]:
    """The open cases whose meeting is convened within this time, in its order."""
    query = select(REFERRALS).where(REFERRALS.c.hub == by.hub, REFERRALS.c.is_open, REFERRALS.c.stage.in_(MEETING_AHEAD))
    async with store.transaction(by) as connection:
        cases = [case_of(row) for row in (await connection.execute(query)).all()]
    chosen = [(when, case.reference, case) for case in cases if (when := case.referral.meeting_at) and since <= when < until]
    return [case for *_, case in sorted(chosen, key=lambda each: each[:2])]


async def agenda(store: Store, by: Actor, profile: Profile, gathering: Gathering, at: datetime) -> list[Case]:
    """What a gathering at `at` discusses: what came in since the last one and belongs on its agenda, and what was convened
    for it; most urgent first."""
    since = profile.calendar.last_time(gathering.at, gathering.days, at)
    async with store.transaction(by) as connection:
        # What is closed again on the day is reviewed all the same.
        recent = or_(REFERRALS.c.is_open, REFERRALS.c.received_at > since)
        query = select(REFERRALS).where(REFERRALS.c.hub == by.hub, recent).order_by(REFERRALS.c.received_at)
        cases = [case_of(row) for row in (await connection.execute(query)).all()]
    chosen = [case for case in cases if _on_agenda(case.referral, profile, gathering, since, at)]
    return sorted(chosen, key=lambda case: profile.place(case.referral.rating))


def _on_agenda(referral: Referral, profile: Profile, gathering: Gathering, since: datetime, at: datetime) -> bool:
    if referral.meeting_at is not None and not referral.meeting_held and since < referral.meeting_at <= at:
        return True
    # What came in unrated counts as the most urgent; what was rated only after a gathering is new to the next one.
    came_in = max(referral.received_at, referral.rated_at or referral.received_at)
    fresh = since < came_in <= at or since < referral.received_at <= at
    return fresh and gathering.discusses(referral.rating or profile.unrated, frozenset(referral.categories))


async def disagreements(store: Store, by: Actor) -> list[dict[str, Any]]:
    """Every disagreement of somebody's hub: about what, from whom, where it stands and how it was determined."""
    async with store.transaction(by) as connection:
        disputed = select(EVENTS.c.reference).where(EVENTS.c.kind == "disagreement_raised")
        query = select(REFERRALS).where(REFERRALS.c.hub == by.hub, REFERRALS.c.reference.in_(disputed))
        cases = [case_of(row) for row in (await connection.execute(query)).all()]
    return [
        {"reference": case.reference, "disagreement": did, **found.model_dump()}
        for case in cases
        for did, found in case.referral.disagreements.items()
    ]
