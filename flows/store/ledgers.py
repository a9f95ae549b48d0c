"""What a checkpoint signs of the tables that no log implies: ledgers row by row, what is in force, and whose each item is.

A digest is reckoned by the database, of each row as JSON: what is never changed in it, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Select,
    Table,
    Text,
    and_,
    cast,
    column,
    func,
    literal,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.sessions import RETENTION
from mash.flows.store.store import Store, as_json
from mash.flows.store.tables import (
    ANCHOR,
    API_KEYS,
    AUDIT_DRAWS,
    AUDIT_RESULTS,
    DELIVERIES,
    EVENTS,
    ITEMS,
    NEAR_MISSES,
    NOTICES,
    PROFILES,
    RECEIPTS,
    REPAIRS,
    RETENTIONS,
    ROTAS,
    SESSIONS,
)

CHUNK = 200
"""Rows of a ledger that share a digest: what was changed is named that closely."""
UNFINISHED = timedelta(minutes=10)
"""A try to deliver that has had no result for so long was cut off: its row stays as it is (wall time)."""
TRIES = 20
"""How often a ledger's lock is asked for, two seconds each, while somebody writes."""
MARGIN = timedelta(minutes=2)
"""What was begun when a checkpoint was signed, and was not in it, is no older than this; wall time."""

_FOUND = ("rating_right", "decision_right", "decision_timely", "child_heard", "basis_right", "should_have", "grade")
LEDGERS: dict[str, tuple[Table, tuple[str, ...]]] = {
    "receipt": (
        RECEIPTS,
        ("id", "caller", "key", "purpose", "fingerprint", "status", "answer", "reference", "at", "hub"),
    ),
    "notice": (NOTICES, ("id", "reference", "hub", "kind", "role", "clock", "facts", "created_at", "urgency")),
    "delivery": (DELIVERIES, ("id", "notice", "started_at", "finished_at", "channels", "result")),
    "repair": (REPAIRS, ("id", "reference", "what", "at", "was")),
    "rota": (ROTAS, ("id", "hub", "document", "stored_at", "stored_by")),
    "audit_draw": (
        AUDIT_DRAWS,
        ("id", "hub", "at", "drawn_by", "role", "rule", "seed", "since", "until", "size", "population", "erased", "drawn"),
    ),
    "audit_result": (AUDIT_RESULTS, ("id", "hub", "draw", "reference", "version", "at", "person", "role", *_FOUND, "sealed")),
    "near_miss": (NEAR_MISSES, ("id", "hub", "day", "kind", "reference", "sealed")),
}
"""The tables to which rows are only ever added, and what of a row never changes."""


@dataclass(frozen=True)
class Standing:
    """A table of which some rows are in force: they are signed each time, all of them."""

    table: Table
    key: str
    columns: tuple[str, ...]
    since: str = ""
    """The column that says since when a row is in force, where that may be dated back."""
    until: str = ""
    """The column that says until when: that may come earlier, and never later."""
    ended: str = ""
    """The column that says when it was ended: it stays so."""
    may_go: timedelta | None = None
    """After so long a row may be removed; None: it stays."""


STANDING = {
    "api_key": Standing(
        API_KEYS, "id", ("hash", "caller", "hub", "agency", "scopes", "created_at"), "created_at", "expires_at", "revoked_at"
    ),
    "session": Standing(
        SESSIONS,
        "hash",
        ("person", "positions", "how", "started_at", "idle_seconds"),
        "started_at",
        "ends_at",
        "ended_at",
        RETENTION,
    ),
    "retention": Standing(
        RETENTIONS, "root", ("hub", "due_at", "listed_at"), "listed_at", ended="erased_at", may_go=timedelta(0)
    ),
    "time_anchor": Standing(ANCHOR, "id", ("wall", "simulated", "rate")),
}


def row_text(table: Table, columns: Iterable[str]) -> Any:
    """A row of a table as text that is the same everywhere: instants are seconds."""

    def part(of: Column[Any]) -> Any:
        return func.extract("epoch", of) if isinstance(of.type, DateTime) else of

    return cast(func.jsonb_build_array(*(part(table.c[name]) for name in columns)), Text)


def digest_of(rows: Any, *order: Any) -> Any:
    """The digest of some rows, in their order."""
    joined = func.string_agg(rows, aggregate_order_by(literal_column("E'\\n'"), *order))
    return func.encode(func.sha256(func.convert_to(joined, "UTF8")), "hex")


# --- ledgers ------------------------------------------------------------------------------------------------------------------


async def settled(store: Store) -> dict[str, int]:
    """The last row of each ledger below which none is yet to come. Raises DBAPIError where somebody writes without an end."""
    last = {}
    for name in LEDGERS:
        for again in range(TRIES):
            try:
                async with store.single.connect() as connection:
                    last[name] = int(await connection.scalar(text("SELECT settled(:of)"), {"of": name}) or 0)
                break
            except DBAPIError:
                if again == TRIES - 1:
                    raise
    return last


async def sign_ledgers(
    connection: AsyncConnection, last: dict[str, int], before: dict[str, list[list[Any]]], wall: datetime
) -> dict[str, list[list[Any]]]:
    """The rows of each ledger since the last checkpoint, some at a time: after which, up to which, how many, their digest."""
    signed = {}
    for name in LEDGERS:
        to = last[name]
        if name == "delivery":
            open_ = select(func.min(DELIVERIES.c.id)).where(
                DELIVERIES.c.finished_at.is_(None), DELIVERIES.c.started_at > wall - UNFINISHED
            )
            first_open = await connection.scalar(open_)
            to = min(to, first_open - 1) if first_open else to
        after = before[name][-1][1] if before.get(name) else 0
        signed[name] = await chunks(connection, name, after, to)
    return signed


async def chunks(connection: AsyncConnection, name: str, after: int, to: int) -> list[list[Any]]:
    """The rows of a ledger with these numbers, in chunks."""
    table, columns = LEDGERS[name]
    numbered = (
        select(
            table.c.id,
            row_text(table, columns).label("row"),
            ((func.row_number().over(order_by=table.c.id) - 1) // CHUNK).label("chunk"),
        )
        .where(table.c.id > after, table.c.id <= to)
        .subquery()
    )
    query = (
        select(func.max(numbered.c.id), func.count(), digest_of(numbered.c.row, numbered.c.id))
        .group_by(numbered.c.chunk)
        .order_by(numbered.c.chunk)
    )
    found, begin = list[list[Any]](), after
    for last, count, digest in (await connection.execute(query)).all():
        found.append([begin, last, count, digest])
        begin = last
    if found:
        found[-1][1] = to
    elif to > after:
        found.append([after, to, 0, ""])
    return found


async def verify_ledger(connection: AsyncConnection, name: str, signed: Sequence[list[Any]], at: str) -> list[str]:
    """Which rows of a ledger are not as they were signed, a sentence for each chunk."""
    table, columns = LEDGERS[name]
    wrong = []
    for after, to, count, digest in signed:
        rows = select(table.c.id, row_text(table, columns).label("row")).where(table.c.id > after, table.c.id <= to).subquery()
        found, now = (await connection.execute(select(func.count(), digest_of(rows.c.row, rows.c.id)))).one()
        if (found, now or "") != (count, digest):
            what = f"{count} were signed, {found} are there" if found != count else "one of them was changed"
            wrong.append(f"the rows {after + 1} to {to} of {name} are not as they were signed on {at[:10]}: {what}")
    return wrong


# --- what is in force ---------------------------------------------------------------------------------------------------------


def _in_force(standing: Standing, at: datetime) -> Any:
    table = standing.table
    parts: list[ColumnElement[bool]] = [table.c[standing.ended].is_(None)] if standing.ended else []
    parts += [table.c[standing.until] > at] if standing.until else []
    return and_(true(), *parts)


def _rows(standing: Standing, which: Any) -> Select[Any]:
    table = standing.table
    digest = func.left(func.encode(func.sha256(func.convert_to(row_text(table, standing.columns), "UTF8")), "hex"), 16)
    until = func.extract("epoch", table.c[standing.until]) if standing.until else literal(None)
    return select(
        func.left(cast(table.c[standing.key], Text), 20).label("key"), digest.label("digest"), until.label("until")
    ).where(which)


async def sign_standing(connection: AsyncConnection, wall: datetime) -> dict[str, dict[str, list[Any]]]:
    """What is in force now, by its key: a digest of what never changes of it, and until when it is."""
    signed = {}
    for name, standing in STANDING.items():
        rows = (await connection.execute(_rows(standing, _in_force(standing, wall)))).all()
        signed[name] = {row.key: [row.digest, str(row.until) if row.until is not None else None] for row in rows}
    return signed


async def verify_standing(
    connection: AsyncConnection, name: str, signed: dict[str, list[Any]], at: datetime, now: datetime
) -> list[str]:
    """What is not as it was signed of what is in force: changed, gone on with, dated back. `at` is when that was signed, on the
    wall, and `now` the wall's time."""
    standing = STANDING[name]
    table, wrong = standing.table, list[str]()
    key = func.left(cast(table.c[standing.key], Text), 20)
    there = {row.key: row for row in (await connection.execute(_rows(standing, key.in_(list(signed))))).all()}
    for each, (digest, until) in signed.items():
        row = there.get(each)
        if row is None:
            if standing.may_go is None or now - at < standing.may_go:
                wrong.append(f"{name} {each}: it was in force on {at:%Y-%m-%d}, and was removed")
        elif row.digest != digest:
            wrong.append(f"{name} {each}: it was changed after it was signed on {at:%Y-%m-%d}")
        elif until is not None and row.until is not None and float(row.until) > float(until) + 1:
            wrong.append(f"{name} {each}: it is in force for longer than was signed on {at:%Y-%m-%d}")
    if standing.since:
        wrong += await _dated_back(connection, name, standing, signed, at)
    return wrong


async def _dated_back(
    connection: AsyncConnection, name: str, standing: Standing, signed: dict[str, list[Any]], at: datetime
) -> list[str]:
    since = standing.table.c[standing.since]
    query = _rows(standing, and_(_in_force(standing, at), since < at - MARGIN))
    rows = (await connection.execute(query)).all()
    return [
        f"{name} {row.key}: it is in force, and was not when that was signed on {at:%Y-%m-%d}: written later, or dated back"
        for row in rows
        if row.key not in signed
    ]


# --- items, profiles ----------------------------------------------------------------------------------------------------------

_ITEM = ("id", "kind", "subject", "owner_agency", "sensitivity", "created_at", "created_by", "hub")


async def sign_items(connection: AsyncConnection, versions: dict[str, int]) -> dict[str, list[Any]]:
    """Of each case up to a version: how many items there are beside it, and a digest of whose they are and of what kind. What is
    in them is proven by its digest in the log."""
    asked = text("SELECT * FROM json_to_recordset(CAST(:versions AS json)) AS v (reference text, sequence integer)")
    upto = asked.columns(column("reference", Text), column("sequence", BigInteger)).subquery("upto")
    digest = digest_of(row_text(ITEMS, _ITEM), ITEMS.c.created_at, ITEMS.c.id)
    query = (
        select(ITEMS.c.reference, upto.c.sequence, func.count(), digest)
        .join(upto, upto.c.reference == ITEMS.c.reference)
        .join(EVENTS, and_(EVENTS.c.reference == upto.c.reference, EVENTS.c.sequence == upto.c.sequence))
        .where(ITEMS.c.created_at <= EVENTS.c.at)
        .group_by(ITEMS.c.reference, upto.c.sequence)
    )
    rows = [{"reference": reference, "sequence": version} for reference, version in versions.items()]
    found = (await connection.execute(query, {"versions": as_json(rows)})).all()
    return {row[0]: [row[1], row[2], row[3]] for row in found}


async def sign_profiles(connection: AsyncConnection, since: datetime | None) -> dict[str, str]:
    """The profiles that were stored since, whole, by digest: one that is changed later is put back from here."""
    query = select(PROFILES.c.digest, PROFILES.c.document)
    if since is not None:
        query = query.where(PROFILES.c.stored_at > since - MARGIN)
    return {row.digest: row.document for row in (await connection.execute(query)).all()}
