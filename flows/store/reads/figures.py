"""What managers' figures are reckoned from: referrals as they are stored, and when alerts and decisions were made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, NotRequired

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import TypedDict

from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS
from mash.states.referral import Referral
from mash.states.values import Actor


class SeenClock(TypedDict):
    """As much of a clock as figures take."""

    id: str
    kind: str
    started_at: str
    due_at: str
    breached_at: str | None
    rung: int
    acknowledged_by: str | None
    ended_at: str | None
    met: bool | None
    missed: NotRequired[list[str]]


class SeenSubject(TypedDict):
    """As much of a subject."""

    cohort: str
    outcome: str | None


class SeenMatch(TypedDict):
    """As much of another contact that may be about one of its subjects; `other` is None for somebody of the household."""

    subject: str
    reference: str
    other: str | None
    likeness: str


class Seen(TypedDict):
    """As much of a referral. Its moments are as they are written: to read all of it, and moments as Pydantic makes them, takes
    three times as long."""

    hub: str
    contact: str
    source: str
    source_agency: str
    categories: list[str]
    received_at: str
    parent: str | None
    splits: int
    reopened: bool
    erased: bool
    primary_need: str | None
    rating: str | None
    first_rating: str | None
    stage_since: str
    decided_at: str | None
    outcomes: dict[str, str]
    links: dict[str, str]
    linked_subjects: NotRequired[dict[str, list[str]]]
    matches: list[SeenMatch]
    subjects: dict[str, SeenSubject]
    clocks: dict[str, SeenClock]


_SEEN = TypeAdapter(Seen)


def closed_at(referral: Seen) -> datetime | None:
    """When each of its subjects had an outcome; None while one has none."""
    is_open = any(subject["outcome"] is None for subject in referral["subjects"].values())
    return None if is_open else datetime.fromisoformat(referral["stage_since"])


def decided_at(referral: Seen) -> datetime | None:
    """When it was decided what is done; of what ended without a decision, when it ended. None where it waits for one."""
    return datetime.fromisoformat(at) if (at := referral["decided_at"]) else closed_at(referral)


def seen(state: str) -> Seen:
    """A stored state."""
    try:
        return _SEEN.validate_json(state)
    except ValidationError:
        # It was stored before there was some field: a referral knows what it is then.
        return _SEEN.validate_python(Referral.model_validate_json(state).model_dump(mode="json"))


class Came(NamedTuple):
    """When a contact came in, whether it is a referral (not advice, nor a request for information), and whether its people are
    erased."""

    at: datetime
    referral: bool
    erased: bool = False


def came_of(referral: Seen) -> Came:
    """When a contact came in, by the state of a referral of it."""
    return Came(datetime.fromisoformat(referral["received_at"]), referral["contact"] == "referral", referral["erased"])


def came_as(at: datetime, counted_as: str) -> Came:
    """When a contact came in, and what the database counts it as."""
    return Came(at, counted_as == "referral", counted_as == "nobody")


_CAME = text("""
    SELECT reference, received_at, coalesce(counted_as, counted_as(state)) AS counted_as FROM referral
    WHERE hub = :hub AND reference = ANY(:references)""")


async def came_in(store: Store, by: Actor, references: set[str]) -> dict[str, Came]:
    """When those of these came in that are of somebody's own hub."""
    async with store.transaction(by) as connection:
        rows = await connection.execute(_CAME, {"hub": by.hub, "references": list(references)})
        return {row.reference: came_as(row.received_at, row.counted_as) for row in rows}


_ERASED = text("SELECT reference FROM referral WHERE hub = :hub AND received_at >= :since AND counted_as = 'nobody'")


async def erased_since(store: Store, by: Actor, since: datetime) -> Sequence[str]:
    """The contacts of somebody's own hub that came in since then, and whose people are erased."""
    async with store.transaction(by) as connection:
        return (await connection.scalars(_ERASED, {"hub": by.hub, "since": since})).all()


async def began_at(store: Store, by: Actor) -> datetime | None:
    """When the first contact came in that somebody's own hub has on record; None where there is none."""
    async with store.transaction(by) as connection:
        query = select(func.min(REFERRALS.c.received_at)).where(REFERRALS.c.hub == by.hub)
        first: datetime | None = await connection.scalar(query)
        return first


# The events say what may have been decided, by an index; its state, whether that still stands. OFFSET: or every state is read.
_DECIDED = text("""
    SELECT count(DISTINCT root) FROM (
        SELECT root, state FROM referral WHERE hub = :hub AND reference IN (
            SELECT reference FROM event WHERE hub = :hub AND at >= :since
                AND kind IN ('decision_recorded', 'consultation_concluded', 'strategy_discussion_held')) OFFSET 0) found
    WHERE CAST(CAST(state AS json) ->> 'decided_at' AS timestamptz) >= :since""")


async def decided(store: Store, by: Actor, since: datetime) -> int:
    """How many contacts were decided since then, whenever they came in. One that was split is one."""
    async with store.transaction(by) as connection:
        return int(await connection.scalar(_DECIDED, {"hub": by.hub, "since": since}))


class SecondLook(NamedTuple):
    """A decision that went to a second person because contacts about one child add up: how it ended, and how long after it was
    proposed. None where it waits to be signed off."""

    ended: Literal["as_proposed", "otherwise"] | None
    took: timedelta | None


class Called(NamedTuple):
    """What the logs of some cases say: of each alert that was acknowledged, when that was, and how long somebody had been called
    by then, rung after rung; of each second look, when it was proposed, and what became of it."""

    acknowledged: list[tuple[datetime, timedelta]]
    looks: list[tuple[datetime, SecondLook]]


# A turn goes from the first rung to the acknowledgement; a renewed alert begins another.
_TURNS = text("""
    WITH said AS (
        SELECT reference, sequence, kind, at, CAST(canonical AS json) #>> '{event,id}' AS clock FROM event
        WHERE hub = :hub AND reference = ANY(:references) AND kind IN ('clock_escalated', 'alert_acknowledged')
    ), turns AS (
        SELECT reference, clock, kind, at, count(*) FILTER (WHERE kind = 'alert_acknowledged') OVER (
            PARTITION BY reference, clock ORDER BY sequence ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS turn
        FROM said
    )
    SELECT max(at) AS at, max(at) - min(at) AS took FROM turns GROUP BY reference, clock, turn
    HAVING count(*) > 1 AND bool_or(kind = 'alert_acknowledged')""")

# It ends when it is signed off or sent back, or when what is decided meanwhile protects the child.
_SECOND_LOOKS = text("""
    WITH proposed AS MATERIALIZED (
        SELECT reference, sequence, at FROM event WHERE hub = :hub AND reference = ANY(:references) AND kind = 'decision_proposed'
            AND CAST(canonical AS json) #>> '{event,adding_up}' IS NOT NULL
    )
    SELECT p.at, ended.kind, ended.at - p.at AS took FROM proposed p LEFT JOIN LATERAL (
        SELECT kind, at FROM event e WHERE e.reference = p.reference AND e.sequence > p.sequence
            AND (kind IN ('decision_recorded', 'sign_off_refused') OR (kind = 'strategy_discussion_held'
                AND CAST(canonical AS json) #>> '{event,outcome}' = 'section_47'))
        ORDER BY sequence LIMIT 1) ended ON true""")


async def called(connection: AsyncConnection, hub: str, references: Sequence[str]) -> Called:
    """What the logs of these cases say of alerts and of second looks."""
    asked = {"hub": hub, "references": references}
    turns = (await connection.execute(_TURNS, asked)).all()
    rows = (await connection.execute(_SECOND_LOOKS, asked)).all()
    return Called(
        [(row.at, row.took) for row in turns],
        [(row.at, SecondLook(_ended(row.kind), row.took)) for row in rows],
    )


def _ended(kind: str | None) -> Literal["as_proposed", "otherwise"] | None:
    if kind is None:
        return None
    return "as_proposed" if kind == "decision_recorded" else "otherwise"
