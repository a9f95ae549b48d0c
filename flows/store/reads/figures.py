"""What managers' figures are reckoned from: referrals as they are stored, and when alerts and decisions were made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, NotRequired

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import func, or_, select, text
from typing_extensions import TypedDict

from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS
from mash.states.referral import Referral
from mash.states.values import Actor

AT_A_TIME = 500
"""States in memory at once, of some kilobytes each."""


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


async def states(store: Store, by: Actor, since: datetime) -> AsyncIterator[list[tuple[str, str]]]:
    """The contact and the stored state of each referral that came in since then or still waits for something, some hundreds at a
    time; somebody sees their own hub's.

    As text: to read tens of thousands takes seconds, which whoever asks spends elsewhere than on the event loop."""
    query = select(REFERRALS.c.root, REFERRALS.c.state).where(
        REFERRALS.c.hub == by.hub, or_(REFERRALS.c.received_at >= since, ~REFERRALS.c.finished)
    )
    async with store.transaction(by) as connection:
        async for rows in (await connection.stream(query)).partitions(AT_A_TIME):
            yield [(root, state) for root, state in rows]


class Came(NamedTuple):
    """When a contact came in, whether it is a referral (not advice, nor a request for information), and whether its people are
    erased."""

    at: datetime
    referral: bool
    erased: bool = False


def came_of(referral: Seen) -> Came:
    """When a contact came in, by the state of a referral of it."""
    return Came(datetime.fromisoformat(referral["received_at"]), referral["contact"] == "referral", referral["erased"])


_CAME = text("""
    SELECT reference, received_at, said ->> 'contact' = 'referral' AS referral, said ->> 'erased' = 'true' AS erased
    FROM (SELECT reference, received_at, CAST(state AS json) AS said FROM referral
        WHERE hub = :hub AND reference = ANY(:references) OFFSET 0) found""")


async def came_in(store: Store, by: Actor, references: set[str]) -> dict[str, Came]:
    """When those of these came in that are of somebody's own hub."""
    async with store.transaction(by) as connection:
        rows = await connection.execute(_CAME, {"hub": by.hub, "references": list(references)})
        return {row.reference: Came(row.received_at, row.referral, bool(row.erased)) for row in rows}


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


# A turn goes from the first rung to the acknowledgement; a renewed alert begins another.
_TURNS = text("""
    WITH said AS (
        SELECT reference, sequence, kind, at, CAST(canonical AS json) #>> '{event,id}' AS clock FROM event
        WHERE hub = :hub AND at >= :begun AND kind IN ('clock_escalated', 'alert_acknowledged')
    ), turns AS (
        SELECT reference, clock, kind, at, count(*) FILTER (WHERE kind = 'alert_acknowledged') OVER (
            PARTITION BY reference, clock ORDER BY sequence ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS turn
        FROM said
    )
    SELECT max(at) - min(at) FROM turns GROUP BY reference, clock, turn
    HAVING count(*) > 1 AND bool_or(kind = 'alert_acknowledged') AND max(at) >= :since""")
LONGEST_CALL = timedelta(days=28)
"""An alert that was raised so long before the time that is asked about counts from then."""


async def acknowledged_after(store: Store, by: Actor, since: datetime) -> list[timedelta]:
    """How long somebody was called, rung after rung, until an alert was acknowledged: of those acknowledged since then."""
    async with store.transaction(by) as connection:
        asked = {"hub": by.hub, "begun": since - LONGEST_CALL, "since": since}
        return list((await connection.scalars(_TURNS, asked)).all())


class SecondLook(NamedTuple):
    """A decision that went to a second person because contacts about one child add up: how it ended, and how long after it was
    proposed. None where it waits to be signed off."""

    ended: Literal["as_proposed", "otherwise"] | None
    took: timedelta | None


# It ends when it is signed off or sent back, or when what is decided meanwhile protects the child.
_SECOND_LOOKS = text("""
    WITH proposed AS MATERIALIZED (
        SELECT reference, sequence, at FROM event WHERE hub = :hub AND at >= :since AND kind = 'decision_proposed'
            AND CAST(canonical AS json) #>> '{event,adding_up}' IS NOT NULL
    )
    SELECT ended.kind, ended.at - p.at AS took FROM proposed p LEFT JOIN LATERAL (
        SELECT kind, at FROM event e WHERE e.reference = p.reference AND e.sequence > p.sequence
            AND (kind IN ('decision_recorded', 'sign_off_refused') OR (kind = 'strategy_discussion_held'
                AND CAST(canonical AS json) #>> '{event,outcome}' = 'section_47'))
        ORDER BY sequence LIMIT 1) ended ON true""")


async def second_looks(store: Store, by: Actor, since: datetime) -> list[SecondLook]:
    """What became of the decisions on contacts that add up which were proposed since then."""
    async with store.transaction(by) as connection:
        rows = (await connection.execute(_SECOND_LOOKS, {"hub": by.hub, "since": since})).all()
    return [
        SecondLook(None if row.kind is None else "as_proposed" if row.kind == "decision_recorded" else "otherwise", row.took)
        for row in rows
    ]
