"""What boards, cases, the worker and the watchdog read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, bindparam, func, insert, literal, or_, select, tuple_, update

from mash.flows.store.apply import data_key
from mash.flows.store.keys import unseal
from mash.flows.store.store import Store
from mash.flows.store.tables import API_KEYS, EVENTS, ITEMS, NOTICES, RECEIPTS, REFERRALS, REPAIRS
from mash.states.commands import Actor
from mash.states.errors import NotFound
from mash.states.firewall import product, view
from mash.states.profile import Gathering, Profile
from mash.states.referral import Referral


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


async def read_case(store: Store, reference: str, hub: str | None = None) -> Case:
    """One referral. Raises NotFound, also for a referral of another hub than `hub`."""
    async with store.single.connect() as connection:
        row = (await connection.execute(_CASE, {"of": reference})).one_or_none()
    if row is None or (hub is not None and row.hub != hub):
        raise NotFound("there is no such referral at this hub")
    return _case(row)


def _case(row: Row[Any]) -> Case:
    return Case(row.reference, row.root, row.caller, row.hub, Referral.model_validate_json(row.state), row.flow_run_id, row.shown)


async def open_cases(
    store: Store,
    hub: str,
    *,
    stage: str | None = None,
    rating: str | None = None,
    late: bool | None = None,
    limit: int = 100,
    after: str = "",
) -> list[Case]:
    """The hub's open referrals, those due soonest first; `after` is the reference that the page before ended with."""
    now = store.time.now()
    query = select(REFERRALS).where(REFERRALS.c.is_open, REFERRALS.c.hub == hub)
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
    async with store.single.connect() as connection:
        return [_case(row) for row in (await connection.execute(query)).all()]


async def family(store: Store, root: str) -> list[Case]:
    """A contact's referral and the linked ones it was split into."""
    async with store.single.connect() as connection:
        query = select(REFERRALS).where(REFERRALS.c.root == root).order_by(REFERRALS.c.reference)
        return [_case(row) for row in (await connection.execute(query)).all()]


async def read_items(store: Store, case: Case, by: Actor) -> list[dict[str, Any]]:
    """The personal items of a case as far as an actor may read them: the hub's own and the referrer's words, what the actor's
    agency holds, and what others released (perhaps redacted); of the rest only a signpost that it exists."""
    rows, key = await _items(store, case.reference, by)
    contents = {str(row.id): row.sealed for row in rows}
    items = []
    for row in rows:
        if row.kind == "redacted" and row.owner_agency != by.agency:
            continue  # it is read in the place of the item that it is a version of
        iid = str(row.id)
        shown = view(case.referral, iid, row.kind, row.owner_agency, by.agency)
        readable = {"whole": iid, "redacted": _version(case.referral, iid), "signpost": ""}[shown]
        sealed = contents.get(readable)
        items.append(
            {
                "item": iid,
                "kind": row.kind,
                "subject": row.subject,
                "agency": row.owner_agency,
                "at": row.created_at,
                "view": shown,
                "content": unseal(key, sealed, case.reference).decode() if sealed else None,
            }
        )
    return items


def _version(referral: Referral, item: str) -> str:
    held = referral.held.get(item)
    return held.redacted or "" if held else ""


async def information_product(store: Store, case: Case, by: Actor) -> list[dict[str, Any]]:
    """What the agencies released about a case, in the versions that they released; for the rest, signposts."""
    rows, key = await _items(store, case.reference, by)
    sealed = {str(row.id): row.sealed for row in rows}
    return [
        {
            "agency": line.agency,
            "at": line.at,
            "content": unseal(key, sealed[line.item], case.reference).decode() if line.item else None,
            "signpost": None if line.item else "this agency holds information that it has not released: ask the agency",
        }
        for line in product(case.referral)
    ]


async def _items(store: Store, reference: str, by: Actor) -> tuple[Sequence[Row[Any]], AESGCM]:
    async with store.transaction(by) as connection:
        key = AESGCM(await data_key(connection, store, reference))
        query = select(ITEMS).where(ITEMS.c.reference == reference).order_by(ITEMS.c.created_at, ITEMS.c.id)
        return (await connection.execute(query)).all(), key


async def agenda(store: Store, profile: Profile, gathering: Gathering, at: datetime) -> list[Case]:
    """What a gathering at `at` discusses: what came in since the last one and belongs on its agenda, and what was convened
    for it; most urgent first."""
    since = profile.calendar.last_time(gathering.at, gathering.days, at)
    async with store.single.connect() as connection:
        # What is closed again on the day is reviewed all the same.
        recent = or_(REFERRALS.c.is_open, REFERRALS.c.received_at > since)
        query = select(REFERRALS).where(REFERRALS.c.hub == profile.name, recent).order_by(REFERRALS.c.received_at)
        cases = [_case(row) for row in (await connection.execute(query)).all()]
    chosen = [case for case in cases if _on_agenda(case.referral, profile, gathering, since, at)]
    return sorted(chosen, key=lambda case: profile.place(case.referral.rating))


def _on_agenda(referral: Referral, profile: Profile, gathering: Gathering, since: datetime, at: datetime) -> bool:
    if referral.meeting_at is not None and not referral.meeting_held and since < referral.meeting_at <= at:
        return True
    # What came in unrated counts as the most urgent; what was rated only after a gathering is new to the next one.
    came_in = max(referral.received_at, referral.rated_at or referral.received_at)
    fresh = since < came_in <= at or since < referral.received_at <= at
    return fresh and gathering.discusses(referral.rating or profile.unrated, frozenset(referral.categories))


async def disagreements(store: Store, hub: str) -> list[dict[str, Any]]:
    """Every disagreement of a hub: about what, from whom, where it stands and how it was determined."""
    async with store.single.connect() as connection:
        disputed = select(EVENTS.c.reference).where(EVENTS.c.kind == "disagreement_raised")
        query = select(REFERRALS).where(REFERRALS.c.hub == hub, REFERRALS.c.reference.in_(disputed))
        cases = [_case(row) for row in (await connection.execute(query)).all()]
    return [
        {"reference": case.reference, "disagreement": did, **found.model_dump()}
        for case in cases
        for did, found in case.referral.disagreements.items()
    ]


async def conservation(store: Store) -> dict[str, int]:
    """Contacts in, counted from the receipts; outcomes and open, counted from the referrals; they must agree."""
    contacts = select(func.count()).where(RECEIPTS.c.purpose == "submission", RECEIPTS.c.status < 300)
    # A contact is one, whatever number of linked referrals it was split into.
    referrals = select(func.count()).where(REFERRALS.c.reference == REFERRALS.c.root)
    still_open = select(func.count(func.distinct(REFERRALS.c.root))).where(REFERRALS.c.is_open)
    # In one statement: what comes in between two would look like a loss.
    counts = select(
        contacts.scalar_subquery().label("contacts"),
        referrals.scalar_subquery().label("referrals"),
        still_open.scalar_subquery().label("open"),
    )
    async with store.single.connect() as connection:
        row = (await connection.execute(counts)).one()
    return {"contacts": row.contacts, "outcomes": row.referrals - row.open, "open": row.open}


async def open_by_stage(store: Store) -> list[tuple[str, str, str, int]]:
    """How many referrals are open: hub, stage, rating, number."""
    by = (REFERRALS.c.hub, REFERRALS.c.stage, func.coalesce(REFERRALS.c.rating, "unrated").label("rated"))
    query = select(*by, func.count().label("n")).where(REFERRALS.c.is_open).group_by(*by)
    async with store.single.connect() as connection:
        return [(row.hub, row.stage, row.rated, row.n) for row in (await connection.execute(query)).all()]


async def tally(store: Store) -> dict[str, Any]:
    """The clocks met and missed, the escalations by role, and the outcomes: what the demonstration and managers report."""
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
            verdict = "missed" if clock.breached_at else "met" if clock.met else "running" if clock.running else "stopped"
            clocks[row.hub, rating, verdict] += 1
        for subject in referral.subjects.values():
            outcomes[row.hub, subject.outcome or "open"] += 1
    return {"clocks": clocks, "outcomes": outcomes, "notices": notices}


_KEY_OF = select(API_KEYS).where(API_KEYS.c.hash == bindparam("of"), API_KEYS.c.revoked_at.is_(None))


async def find_api_key(store: Store, key_hash: str) -> Row[Any] | None:
    """The API key with this hash, unless it was revoked."""
    async with store.single.connect() as connection:
        return (await connection.execute(_KEY_OF, {"of": key_hash})).one_or_none()


async def add_api_key(store: Store, key_hash: str, caller: str, hub: str, agency: str) -> None:
    """Store a referrer system's key, hashed."""
    async with store.engine.begin() as connection:
        await connection.execute(
            insert(API_KEYS).values(
                hash=key_hash, caller=caller, hub=hub, agency=agency, created_at=store.time.now(), revoked_at=None
            )
        )


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
        return [_case(row) for row in (await connection.execute(query)).all()]


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
