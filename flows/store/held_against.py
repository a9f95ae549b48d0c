"""The database held against signed checkpoints: what was changed or removed since, what was written later than it says, and what
a restore left behind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.checkpoints import Signed, read_checkpoints, sign_accesses, wall_of
from mash.flows.store.ledgers import MARGIN, sign_items, verify_ledger, verify_standing
from mash.flows.store.store import Store, as_json
from mash.flows.store.tables import EVENTS, PROFILES

PAGE = 500
_SIGNED_TO = text("""
    SELECT e.reference, e.sequence, e.at FROM event e
    LEFT JOIN json_to_recordset(CAST(:covered AS json)) AS c (reference text, sequence integer) USING (reference)
    WHERE e.at < :before AND e.sequence > coalesce(c.sequence, 0) ORDER BY e.reference, e.sequence LIMIT 100""")


@dataclass
class Lineage:
    """Which of some checkpoints lead to what the database is now, and which a restore left behind."""

    ours: list[Signed]
    left: list[Signed]
    wrong: list[str] = field(default_factory=list)
    """Where the database is older than what is kept elsewhere, and nothing says that it was restored."""


async def lineage(store: Store, checkpoints: list[Signed]) -> Lineage:
    """Follow the checkpoints back from the last one that the database has."""
    own = await read_checkpoints(store)
    by_digest = {each.digest: each for each in (*checkpoints, *own)}
    ours, digest = dict[str, Signed](), own[-1].digest if own else ""
    while digest in by_digest and digest not in ours:
        ours[digest] = by_digest[digest]
        digest = ours[digest].contents["previous"]
    left = [each for each in checkpoints if each.digest not in ours]
    bases = {each.contents["previous"] for each in ours.values() if "restored" in each.contents}
    wrong = []
    for each in left:
        number = each.contents["number"]
        if not (_ancestors(each, by_digest) & bases):
            last = f"its last one is {own[-1].contents['number']}" if own else "it has none"
            wrong.append(
                f"checkpoint {number}, signed on {each.contents['at'][:10]}, is not in this database ({last}): it was rolled back"
                " to an older state, or the checkpoint was removed"
            )
    known = [each for each in checkpoints if each.digest in ours]
    return Lineage(known, [] if wrong else left, wrong)


def _ancestors(signed: Signed, by_digest: dict[str, Signed]) -> set[str]:
    found, digest = set[str](), signed.contents["previous"]
    while digest not in found:
        found.add(digest)
        if digest not in by_digest:
            break
        digest = by_digest[digest].contents["previous"]
    return found


async def verify_against(store: Store, checkpoints: list[Signed]) -> AsyncIterator[str]:
    """What the database no longer says as it was signed: which event was changed, removed or written later than it says; which
    rows of which ledger; whose an item is; what is in force. What a restore left behind is no contradiction: `between` has it."""
    line = await lineage(store, checkpoints)
    for sentence in line.wrong:
        yield sentence
    async with store.engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        # What the database no longer has of one that it does not know is told too, where it was not restored.
        for each in line.ours if not line.wrong else checkpoints:
            async for wrong in _verify_one(connection, each):
                yield wrong
        for wrong in await _verify_latest(connection, store, line.ours):
            yield wrong


async def _verify_one(connection: AsyncConnection, signed: Signed) -> AsyncIterator[str]:
    contents = signed.contents
    async for wrong in _verify_events(connection, contents["events"], contents["at"]):
        yield wrong
    accesses = contents["accesses"]
    if await sign_accesses(connection, accesses["after"], accesses["to"]) != accesses:
        span = f"{accesses['after'] + 1} to {accesses['to']}"
        yield f"the accesses {span} are not as they were signed on {contents['at'][:10]}"
    for name, chunks in contents.get("ledgers", {}).items():
        for wrong in await verify_ledger(connection, name, chunks, contents["at"]):
            yield wrong
    gone = set(contents.get("profiles", ()))
    gone -= set(await connection.scalars(select(PROFILES.c.digest).where(PROFILES.c.digest.in_(gone)))) if gone else set()
    for digest in sorted(gone):
        yield f"the profile {digest[:12]}, signed on {contents['at'][:10]}, was removed"


async def _verify_events(connection: AsyncConnection, events: dict[str, Any], at: str) -> AsyncIterator[str]:
    references = sorted(events)
    for place in range(0, len(references), PAGE):
        page = references[place : place + PAGE]
        query = select(EVENTS.c.reference, EVENTS.c.sequence, EVENTS.c.hash).where(EVENTS.c.reference.in_(page))
        found = defaultdict[str, dict[int, str]](dict)
        for row in (await connection.execute(query)).all():
            found[row.reference][row.sequence] = row.hash
        for reference in page:
            first, hashes = events[reference]
            for sentence in _compared(reference, first, hashes, found[reference], at):
                yield sentence


def _compared(reference: str, first: int, hashes: list[str], found: dict[int, str], at: str) -> list[str]:
    wrong = []
    for sequence, signed in enumerate(hashes, first):
        if sequence not in found:
            wrong.append(f"{reference}: event {sequence}, signed on {at[:10]}, was removed")
        elif found[sequence] != signed:
            known = "another event stands in its place: inserted, or exchanged" if found[sequence] in hashes else "was changed"
            wrong.append(f"{reference}: event {sequence}, signed on {at[:10]}: {known}")
            break  # what follows it hangs on it
    return wrong


async def _verify_latest(connection: AsyncConnection, store: Store, ours: list[Signed]) -> list[str]:
    """What is held against the latest that was signed of it alone: items, what is in force, and what was signed when."""
    if not ours:
        return []
    wrong = await _verify_dates(connection, store, ours)
    items: dict[str, tuple[list[Any], str]] = {}
    for each in ours:
        items |= {reference: (signed, each.contents["at"]) for reference, signed in each.contents.get("items", {}).items()}
    now = await sign_items(connection, {reference: signed[0] for reference, (signed, _) in items.items()})
    for reference, (signed, at) in sorted(items.items()):
        if now.get(reference) != signed:
            wrong.append(f"{reference}: its items, or whose they are, are not as they were signed on {at[:10]}")
    last = ours[-1].contents
    if (wall := wall_of(last)) is not None:
        for name, signed_rows in last["standing"].items():
            signed_at = datetime.fromisoformat(last["at"]) if name == "retention" else wall
            wrong += await verify_standing(connection, name, signed_rows, signed_at, datetime.now(UTC))
    return wrong


async def _verify_dates(connection: AsyncConnection, store: Store, ours: list[Signed]) -> list[str]:
    """Events that are older than a checkpoint, and not in it: they were written later than they say."""
    covered: dict[str, int] = {}
    wrong, margin = [], MARGIN * max(1.0, store.time.rate)
    before: datetime | None = None
    for each in ours:
        if before is not None:
            wrong += await _new_and_old(connection, each, before - margin)
        covered |= {reference: first + len(hashes) - 1 for reference, (first, hashes) in each.contents["events"].items()}
        before = datetime.fromisoformat(each.contents["at"])
    if before is not None:
        rows = [{"reference": reference, "sequence": sequence} for reference, sequence in covered.items()]
        for row in (await connection.execute(_SIGNED_TO, {"covered": as_json(rows), "before": before - margin})).all():
            wrong.append(_later(row.reference, row.sequence, row.at, before))
    return wrong


async def _new_and_old(connection: AsyncConnection, signed: Signed, before: datetime) -> list[str]:
    """The events of a checkpoint that should have been in the one before."""
    events = signed.contents["events"]
    query = select(EVENTS.c.reference, EVENTS.c.sequence, EVENTS.c.at).where(
        EVENTS.c.reference.in_(list(events)), EVENTS.c.at < before
    )
    return [
        _later(row.reference, row.sequence, row.at, before)
        for row in (await connection.execute(query)).all()
        if 0 <= row.sequence - events[row.reference][0] < len(events[row.reference][1])
    ]


def _later(reference: str, sequence: int, at: datetime, signed: datetime) -> str:
    return (
        f"{reference}: event {sequence} says {at:%Y-%m-%d %H:%M}, and is not in the checkpoint of {signed:%Y-%m-%d %H:%M}:"
        " it was written later than it says"
    )


async def between(store: Store, checkpoints: list[Signed]) -> list[str]:
    """What is to be known of restores, a sentence each: from what, when, and what was signed in the time between and is not here
    any more."""
    line = await lineage(store, checkpoints)
    sentences = [restored_in_words(each) for each in await read_checkpoints(store) if "restored" in each.contents]
    async with store.engine.connect() as connection:
        for each in line.left:
            sentences += await _left_behind(connection, each)
    return sentences


def restored_in_words(signed: Signed) -> str:
    """What a checkpoint that begins an epoch says of itself."""
    contents = signed.contents
    stated = contents["restored"]
    sources = (
        "; ".join(_source(each) for each in stated["from"]) or "by nobody who said so: it was found to be older than what is kept"
    )
    known = f"; the last checkpoint known was {stated['last_known']['number']}" if stated["last_known"] else ""
    here = f"checkpoint {stated['last_here']['number']}" if stated["last_here"] else "no checkpoint"
    return (
        f"checkpoint {contents['number']} of {contents['at'][:16]} begins epoch {contents['epoch']}: this database was restored"
        f" {sources}; it had {here}{known}"
    )


def _source(restored: dict[str, Any]) -> str:
    by = f", signed by {restored['signed_by'][:12]}…" if restored.get("signed_by") else ", which nobody signed"
    if restored.get("how") == "by hand":
        return f"on {restored['at'][:16]} by hand ({restored.get('why', 'no reason')})"
    return f"on {restored['at'][:16]} from the backup of {str(restored.get('backup_at') or 'an unknown time')[:16]}{by}"


async def _left_behind(connection: AsyncConnection, signed: Signed) -> list[str]:
    """What a checkpoint of the time before a restore holds that is not here any more."""
    contents = signed.contents
    gone = []
    for reference, (first, hashes) in sorted(contents["events"].items()):
        query = select(EVENTS.c.sequence, EVENTS.c.hash).where(EVENTS.c.reference == reference, EVENTS.c.sequence >= first)
        found = {row.sequence: row.hash for row in (await connection.execute(query)).all()}
        missing = [place for place, each in enumerate(hashes, first) if found.get(place) != each]
        if missing:
            gone.append(f"{reference}: events {missing[0]} to {missing[-1]}")
    head = f"checkpoint {contents['number']} of {contents['at'][:16]} is of the time that the restore left behind"
    return [f"{head}: not here any more are {'; '.join(gone)}" if gone else f"{head}: every event in it is here"]
