"""What audits found: draws with their cases, one case with what was found of it, and how much of what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.keys import KeyDestroyed, unseal
from mash.flows.store.log import events_of
from mash.flows.store.reads.case import Case, split_from
from mash.flows.store.reads.look import look_at
from mash.flows.store.store import Store, data_key
from mash.flows.store.tables import AUDIT_DRAWS, AUDIT_RESULTS, REFERRALS
from mash.states.auditing import QUESTIONS, Grade, Judgement, Question, Rule, decided_by
from mash.states.errors import NotFound, NotYours
from mash.states.own_case import own_case_of
from mash.states.values import Actor

MOST_DRAWS = 20
"""Samples that are listed at once."""
WhyClosed = Literal["all_audited", "enough_was_learnt", "drawn_by_mistake", "cannot_be_audited"]
_COUNTED = text("SELECT rule, quarter, question, answer, many FROM audits_counted()")
_DRAWN = text("SELECT rule, quarter, drawn, not_audited FROM audits_drawn()")
_ERASED = text("""
    SELECT reference FROM referral WHERE reference = ANY(:these) AND CAST(state AS json) ->> 'erased' = 'true'""")


@dataclass(frozen=True)
class Draw:
    """A sample that was drawn, and kept."""

    id: int
    at: datetime
    drawn_by: str
    role: str
    rule: Rule
    seed: int
    since: date
    until: date
    size: int
    population: int
    erased: int
    drawn: tuple[str, ...]
    closed_at: datetime | None
    closed_by: str | None
    closed_why: WhyClosed | None


def draw_of(row: Row[Any]) -> Draw:
    """The draw that a row is."""
    known = {name: getattr(row, name) for name in Draw.__dataclass_fields__}
    return Draw(**{**known, "drawn": tuple(row.drawn)})


@dataclass(frozen=True)
class Audited:
    """What was found of a case, as one version says it."""

    reference: str
    version: int
    at: datetime
    person: str
    judgement: Judgement
    grade: Grade
    words: str | None = None
    """What the auditor wrote, where it was asked for and its people are not erased."""


@dataclass(frozen=True)
class Sample:
    """A draw, and what was found last of each of its cases that is audited."""

    draw: Draw
    found: dict[str, Audited]
    erased: frozenset[str]
    """Of its cases that are not audited, those whose people are erased: nobody can audit them any more."""


@dataclass(frozen=True)
class ToAudit:
    """A case that was drawn, as whoever audits it is shown it: a linked referral with what was before it went its own way."""

    case: Case
    first_rating: str | None
    """Of the contact: of a linked referral too, before it went its own way."""
    decided_by: str | None
    """The role of whoever decided; None where nobody did by a decision that still stands."""
    before: list[Audited]
    """Every version of what was found of it, the last one first."""


class Count(NamedTuple):
    """How often an answer was given, of the cases drawn by a rule within a quarter (its first day). `question` may be `grade`."""

    rule: Rule
    quarter: date
    question: Question | Literal["grade"]
    answer: str
    many: int


class Drawn(NamedTuple):
    """How many cases were drawn by a rule within a quarter (its first day), and how many of them are not audited though they
    could be. What was drawn by mistake is in neither."""

    rule: Rule
    quarter: date
    drawn: int
    not_audited: int


@dataclass(frozen=True)
class Counts:
    """What audits found at a hub, in numbers: nobody's case."""

    answers: list[Count]
    drawn: list[Drawn]


async def samples(store: Store, by: Actor, before: int | None = None) -> list[Sample]:
    """The draws of somebody's hub, the latest first; MOST_DRAWS, and one more where there are more. `before`: only those before
    the one of this number."""
    draws = select(AUDIT_DRAWS).where(AUDIT_DRAWS.c.hub == by.hub).order_by(AUDIT_DRAWS.c.id.desc()).limit(MOST_DRAWS + 1)
    if before is not None:
        draws = draws.where(AUDIT_DRAWS.c.id < before)
    async with store.transaction(by) as connection:
        found = [draw_of(row) for row in (await connection.execute(draws)).all()]
        results = select(AUDIT_RESULTS).where(AUDIT_RESULTS.c.draw.in_([each.id for each in found]))
        last: dict[int, dict[str, Audited]] = {}
        for row in (await connection.execute(results.order_by(AUDIT_RESULTS.c.version))).all():
            last.setdefault(row.draw, {})[row.reference] = _audited(row)
        left = sorted({name for each in found for name in each.drawn if name not in last.get(each.id, {})})
        gone = frozenset((await connection.scalars(_ERASED, {"these": left})).all()) if left else frozenset()
    return [Sample(each, audited := last.get(each.id, {}), gone & {*each.drawn} - {*audited}) for each in found]


async def open_case(store: Store, draw_id: int, reference: str, by: Actor) -> ToAudit:
    """A case that was drawn, opened by whoever audits it, with every version of what was found; it is a look at the case. Raises
    NotFound for one that was not drawn, NotYours for whoever would audit their own."""
    async with store.transaction(by) as connection:
        row = (await connection.execute(select(AUDIT_DRAWS).where(AUDIT_DRAWS.c.id == draw_id))).one_or_none()
        if row is None or reference not in row.drawn:
            raise NotFound("this case was not drawn: nobody chooses what they audit")
        await refuse_own(connection, reference, by)
    case = await look_at(store, reference, by, "audit_case")
    async with store.transaction(by) as connection:
        of_draw = select(AUDIT_RESULTS).where(AUDIT_RESULTS.c.draw == draw_id, AUDIT_RESULTS.c.reference == reference)
        rows = (await connection.execute(of_draw.order_by(AUDIT_RESULTS.c.version.desc()))).all()
        found = await with_words(connection, store, reference, rows)
        above = (await split_from(connection, {reference: case.referral})).get(reference, [])
    first = above[-1] if above else case.referral
    return ToAudit(case, first.first_rating, decided_by(case.referral, above), found)


async def refuse_own(connection: AsyncConnection, reference: str, by: Actor) -> None:
    """Nobody audits their own case. Raises NotYours."""
    if by.id.lower() in await of_their_own(connection, reference):
        raise NotYours("you decided something of this case, or had it: somebody else audits it")


async def of_their_own(connection: AsyncConnection, reference: str) -> frozenset[str]:
    """Whose own case this is, with those that its contact was split into, by login in small letters."""
    root = select(REFERRALS.c.root).where(REFERRALS.c.reference == reference).scalar_subquery()
    family = (await connection.scalars(select(REFERRALS.c.reference).where(REFERRALS.c.root == root))).all()
    return frozenset().union(*[own_case_of(await events_of(connection, each)) for each in family])


def bound_to(reference: str, of: int, version: int) -> str:
    """What the words of an audit are bound to: a row that is copied to another case, draw or version does not open."""
    return f"{reference} audit {of} {version}"


async def with_words(connection: AsyncConnection, store: Store, reference: str, rows: Sequence[Row[Any]]) -> list[Audited]:
    """What was found of a case, with what was written, unless its people are erased."""
    try:
        key = AESGCM(await data_key(connection, store, reference))
    except KeyDestroyed:
        return [_audited(row) for row in rows]
    return [
        _audited(row, unseal(key, row.sealed, bound_to(reference, row.draw, row.version)).decode() if row.sealed else None)
        for row in rows
    ]


async def audited_words(connection: AsyncConnection, store: Store, reference: str) -> list[tuple[str, datetime, str]]:
    """What auditors wrote of a case, every version of it: an id, when, and the words; for whoever may read all of a case."""
    of_case = select(AUDIT_RESULTS).where(AUDIT_RESULTS.c.reference == reference).order_by(AUDIT_RESULTS.c.id)
    rows = (await connection.execute(of_case)).all()
    found = await with_words(connection, store, reference, rows) if rows else []
    return [(f"audit {row.draw} {row.version}", row.at, each.words) for row, each in zip(rows, found, strict=True) if each.words]


def _audited(row: Row[Any], words: str | None = None) -> Audited:
    answers = {name: getattr(row, name) for name in QUESTIONS}
    judgement = Judgement.model_construct(**answers, should_have=tuple(row.should_have))
    return Audited(row.reference, row.version, row.at, row.person, judgement, row.grade, words)


async def counted(store: Store, by: Actor, *, of_system: bool = False) -> Counts:
    """How many cases were drawn at somebody's hub, and how often each answer was given, by rule and quarter."""
    async with store.transaction(by, of_system=of_system) as connection:
        answers = [Count(*row) for row in (await connection.execute(_COUNTED)).all()]
        return Counts(answers, [Drawn(*row) for row in (await connection.execute(_DRAWN)).all()])
