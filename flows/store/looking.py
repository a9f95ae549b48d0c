"""Looking through the hub's other contacts for the people of one, by the software itself: once it is received and answered, and
again whenever what is known of them changes. Nobody waits for it, and it merges nobody."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row, bindparam, delete, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.append import append, lock
from mash.flows.store.identities import Joined, children_of, joined
from mash.flows.store.reads.known import Match as Alike
from mash.flows.store.reads.known import likely_known
from mash.flows.store.store import Store, system_actor
from mash.flows.store.tables import REFERRALS, TO_LOOK
from mash.flows.store.trouble import tell_administrators
from mash.states.accumulation import LIGHT, contact_of
from mash.states.acts.contact import ConcludeConsultation
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.known import RecordKnown
from mash.states.errors import Incomplete
from mash.states.messages import Command, StaffCommand
from mash.states.profile import PROFESSIONAL
from mash.states.referral import Referral
from mash.states.values import Match

log = structlog.stdlib.get_logger("mash.looking")
MOST_MATCHES = 40
"""Of a contact that stand in its log, the likest: nobody reads more, and so many are a name that many bear."""
PATIENCE = 5.0
"""Seconds that a look may take: it is one of many."""
AGAIN = timedelta(seconds=2)
"""After so long a look that failed is tried again, the next time that the worker asks; after each further one twice as long,
LONGEST at most."""
LONGEST = timedelta(minutes=2)
TELL_EVERY = timedelta(minutes=30)
NOT_LOOKED = "whether the people of a contact are known could not be looked up"
# Ours as long as a look may take: another worker takes the next.
_TAKE_NEXT = text("""
    UPDATE to_look SET next_try_at = clock_timestamp() + :lease WHERE reference = (
        SELECT reference FROM to_look WHERE next_try_at <= now() ORDER BY tries, since DESC LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING reference, hub, since, tries""")
_TAKEN_BACK = text("SELECT EXISTS (SELECT FROM event WHERE reference = :of AND kind = 'identity_withdrawn')")
_FACTS = select(REFERRALS.c.reference, REFERRALS.c.received_at, REFERRALS.c.is_open, REFERRALS.c.state).where(
    REFERRALS.c.reference.in_(bindparam("these", expanding=True))
)
_STATE = select(REFERRALS.c.state).where(REFERRALS.c.reference == bindparam("of"), REFERRALS.c.hub == bindparam("hub"))
_WITHDRAW = text("""
    UPDATE notice SET status = 'withdrawn', next_try_at = NULL
    WHERE reference = :of AND kind = 'look_at_case' AND status = 'queued'""")


async def look_next(store: Store) -> bool:
    """Look through the contacts for the people of one that waits, the first to come first; whether there was one. One that fails
    is tried again, and the administrators hear."""
    async with store.single.connect() as connection:
        waiting = (await connection.execute(_TAKE_NEXT, {"lease": timedelta(seconds=2 * PATIENCE)})).one_or_none()
    if waiting is None:
        return False
    try:
        async with asyncio.timeout(PATIENCE):
            await look(store, waiting.hub, waiting.reference)
    except Exception as error:
        await _failed(store, waiting, type(error).__name__)
        return True
    # What happened to it meanwhile is looked at by itself.
    done = delete(TO_LOOK).where(TO_LOOK.c.reference == waiting.reference, TO_LOOK.c.since == waiting.since)
    async with store.single.connect() as connection:
        await connection.execute(done)
    return True


async def _failed(store: Store, waiting: Row[Any, Any, Any, Any], why: str) -> None:
    log.warning("not yet looked whether known, trying again", reference=waiting.reference, error=why)
    rest = min(AGAIN * 2 ** min(waiting.tries, 10), LONGEST)
    again = update(TO_LOOK).where(TO_LOOK.c.reference == waiting.reference, TO_LOOK.c.since == waiting.since)
    async with store.single.connect() as connection:
        await connection.execute(again.values(tries=waiting.tries + 1, next_try_at=datetime.now(UTC) + rest))
    if not waiting.tries:
        return  # somebody was at the same rows, most likely: the next try is in a moment
    detail = f"{waiting.reference}: {why}. It is tried again by itself; its case says that nobody has looked yet."
    await tell_administrators(store, waiting.hub, NOT_LOOKED, detail, at_most_every=TELL_EVERY)


async def look(store: Store, hub: str, reference: str) -> None:
    """Look through the hub's other contacts for the people of this one, and write down what was found where it is something else
    than before. The open cases that it is something else for are looked at next."""
    by = system_actor(hub)
    async with store.transaction(by) as connection:
        row = next(iter(await lock(connection, [reference])), None)
        if row is None:
            return  # its row was removed: the next derivation puts it back, and it is looked at with that
        before = Referral.model_validate_json(row.state)
        alike = [] if before.erased else await likely_known(connection, store, reference)
        same = await joined(connection, hub, reference)
        these = {each.reference for each in alike} | {each.reference for some in same.values() for each in some}
        facts = {each.reference: each for each in await _states(connection, these)}
        alike = list(_standing(alike, facts.values()))
        apart = await _confirmed_as_others(connection, reference, before, alike)
        alike = _with_their_households(alike, same)
        matches = tuple(_matches(alike, same, facts, apart))
        known = {match.pair for match in matches}
        possible = Counter(
            each.subject
            for each in alike
            if each.subject and each.grade == "possible" and (each.subject, each.reference, each.other) not in known
        )
        found = RecordKnown(matches=matches, possible=dict(sorted(possible.items())))
        applied = await append(connection, store, row, found, by)
        news = {_sense(match) for match in applied.referral.matches} ^ {_sense(match) for match in before.matches}
        # A part of a contact has its matches from the whole, of which the others have not heard yet that it went on by itself.
        carried = {match.reference for match in applied.referral.matches if before.parent}
        told = {sense[1] for sense in news} | carried
        others = set(await _otherwise(connection, reference, applied.referral, told))
        others |= set(await _mistaken(connection, hub, await _not_as_before(connection, reference, before)))
        if len(applied.referral.matches) < len(before.matches):
            await connection.execute(_WITHDRAW, {"of": reference})  # what it was sent for may not be so; what is, is on the case
    if others:  # one by one, once nothing is locked any more: who acts on several of these at once must not wait for each other
        async with store.single.connect() as connection:
            await have_looked_at(connection, others)


def ends_lightly(command: StaffCommand | Command) -> bool:
    """Whether a command would do nothing more for a child."""
    if isinstance(command, RecordDecision):
        return bool({*command.outcomes.values()} & {*LIGHT})
    return isinstance(command, ConcludeConsultation) and command.outcome == "advice"


async def look_first(store: Store, hub: str, reference: str) -> None:
    """Look now, where nobody has looked yet and nothing more is to be done for a child: what adds up would not be seen. Raises
    Incomplete where that cannot be done; whatever protects does not ask for it."""
    referral = await _as_it_stands(store, hub, reference)
    if referral and not referral.looked:
        await _look_now(store, hub, reference)


async def look_at_closed(store: Store, hub: str, reference: str) -> None:
    """Look now at a case that is closed, before something is done that goes by whom people have confirmed: it is told neither of
    that nor of what they take back. Raises Incomplete where that cannot be done."""
    referral = await _as_it_stands(store, hub, reference)
    if referral and not referral.open:
        await _look_now(store, hub, reference)


async def _as_it_stands(store: Store, hub: str, reference: str) -> Referral | None:
    async with store.single.connect() as connection:
        row = (await connection.execute(_STATE, {"of": reference, "hub": hub})).one_or_none()
    return Referral.model_validate_json(row.state) if row else None


async def _look_now(store: Store, hub: str, reference: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            await look(store, hub, reference)
    except Exception as error:
        log.warning("could not look before an act", reference=reference, error=type(error).__name__)
        raise Incomplete(
            "whether the child is known could not be looked up yet: try again in a moment; what protects a child is not held up"
        ) from None


async def _not_as_before(connection: AsyncConnection, reference: str, before: Referral) -> list[str]:
    """This case, where somebody was entered in error in it, or was confirmed and taken back; and the one that it has just been
    split from. What others know of those may not be so any more, and they may be known here no more."""
    split = [before.parent] if before.parent and not before.looked else []
    return [*split, *([reference] if before.removed or await connection.scalar(_TAKEN_BACK, {"of": reference}) else [])]


async def _mistaken(connection: AsyncConnection, hub: str, about: list[str]) -> list[str]:
    """The open cases that take somebody to stand in one of these who does not, or to be confirmed who is not. One that has looked
    is mistaken no more: two that look for one another come to an end."""
    found = []
    for row in await _states(connection, about):
        here = Referral.model_validate_json(row.state)
        confirmed = {match.pair for match in here.matches if match.likeness == "confirmed"}
        for other in await _naming(connection, hub, [row.reference]):
            theirs = [m for m in Referral.model_validate_json(other.state).matches if m.other and m.reference == row.reference]
            if any(
                m.other not in here.subjects
                or (m.likeness == "confirmed" and (m.other, other.reference, m.subject) not in confirmed)
                for m in theirs
            ):
                found.append(other.reference)
    return found


async def _naming(connection: AsyncConnection, hub: str, references: Iterable[str]) -> Sequence[Row[Any, Any]]:
    """The open cases whose state names one of these."""
    named = or_(*(REFERRALS.c.state.contains(reference, autoescape=True) for reference in references))
    query = select(REFERRALS.c.reference, REFERRALS.c.state).where(REFERRALS.c.hub == hub, REFERRALS.c.is_open, named)
    return (await connection.execute(query)).all()


def _standing(alike: Iterable[Alike], there: Iterable[Row[Any, Any, Any, Any]]) -> Iterable[Alike]:
    """Those who have not gone on in a linked referral since, where they are found too."""
    stand = {(row.reference, sid) for row in there for sid in Referral.model_validate_json(row.state).subjects}
    return (each for each in alike if each.other is None or (each.reference, each.other) in stand)


def _sense(match: Match) -> tuple[str, str, str | None, str]:
    return *match.pair, match.likeness


async def _confirmed_as_others(
    connection: AsyncConnection, reference: str, before: Referral, alike: Iterable[Alike]
) -> set[tuple[str, str, str | None]]:
    """The pairs of which each was confirmed to be another child."""
    mine = await children_of(connection, [(reference, subject) for subject in before.identities])
    theirs = await children_of(connection, {(each.reference, each.other) for each in alike if each.other} if mine else ())
    return {
        (each.subject, each.reference, each.other)
        for each in alike
        if each.subject
        and each.other
        and (own := mine.get((reference, each.subject))) is not None
        and theirs.get((each.reference, each.other), own) != own
    }


def _with_their_households(alike: Sequence[Alike], same: dict[str, list[Joined]]) -> list[Alike]:
    """Once somebody has confirmed a child of a contact, whoever else of it is possibly the same is likely so, unless name and
    birthday both speak against it: brothers and sisters are told of together."""
    confirmed = {(subject, each.reference) for subject, some in same.items() for each in some}

    def raised(each: Alike) -> Alike:
        told = any(reference == each.reference and subject != each.subject for subject, reference in confirmed)
        against = {"other_name", "other_birthday"} <= {*each.why}
        if each.grade == "possible" and told and not against:
            return replace(each, grade="likely", why=(*each.why, "household_confirmed"))
        return each

    return [raised(each) for each in alike]


def _matches(
    alike: Iterable[Alike],
    same: dict[str, list[Joined]],
    facts: dict[str, Row[Any, Any, Any, Any]],
    apart: set[tuple[str, str, str | None]],
) -> Iterable[Match]:
    """What is confirmed first, then what is likely, the likest first."""
    confirmed = {(subject, each.reference, each.subject) for subject, some in same.items() for each in some}
    why = {(each.subject, each.reference, each.other): each.why for each in alike}

    def match(subject: str, reference: str, other: str | None, **more: object) -> Match:
        there = facts[reference]
        concerns = PROFESSIONAL in Referral.model_validate_json(there.state).categories
        return Match.model_validate(
            {"subject": subject, "reference": reference, "other": other, "received_at": there.received_at, **more}
            | ({"concerns_a_professional": True} if concerns else {})
        )

    for subject, reference, other in sorted(confirmed):
        yield match(subject, reference, other, likeness="confirmed", why=why.get((subject, reference, other), ()))
    seen: set[tuple[str, str, str | None]] = {(s, contact_of(reference), other) for s, reference, other in confirmed}
    for each in alike:
        if each.subject is None or each.grade != "likely":
            continue
        pair = (each.subject, contact_of(each.reference), each.other)
        if pair not in seen and len(seen) < MOST_MATCHES:
            seen.add(pair)
            # Shown all the same: two who were confirmed apart may be one, and only a person can tell.
            as_another = ("confirmed_as_another",) if (each.subject, each.reference, each.other) in apart else ()
            yield match(each.subject, each.reference, each.other, likeness="likely", why=(*each.why, *as_another))


async def _otherwise(connection: AsyncConnection, reference: str, referral: Referral, others: Iterable[str]) -> list[str]:
    """Those of the other contacts that have it otherwise than this one whether they are about one child."""
    mine = {(match.reference, match.subject, match.other, match.likeness) for match in referral.matches}
    found = []
    for row in await _states(connection, others):
        theirs = Referral.model_validate_json(row.state).matches
        known = {(row.reference, m.other, m.subject, m.likeness) for m in theirs if m.reference == reference}
        if known != {each for each in mine if each[0] == row.reference}:
            found.append(row.reference)
    return found


async def _states(connection: AsyncConnection, references: Iterable[str]) -> Sequence[Row[Any, Any, Any, Any]]:
    these = sorted(set(references))
    return (await connection.execute(_FACTS, {"these": these})).all() if these else ()


async def have_looked_at(connection: AsyncConnection, references: Iterable[str]) -> None:
    """Have these looked at next, where they are open: for a closed case nothing hangs on it."""
    open_ones = select(REFERRALS.c.reference, REFERRALS.c.hub).where(
        REFERRALS.c.reference.in_(sorted(references)), REFERRALS.c.is_open
    )
    now = datetime.now(UTC)
    for row in (await connection.execute(open_ones)).all():
        new = {"reference": row.reference, "hub": row.hub, "since": now, "tries": 0, "next_try_at": now}
        await connection.execute(
            insert(TO_LOOK)
            .values(**new)
            .on_conflict_do_update(index_elements=["reference"], set_={"since": now, "tries": 0, "next_try_at": now})
        )


async def look_again_at_those_who_know(connection: AsyncConnection, hub: str, references: list[str]) -> None:
    """Have the open cases looked at that know of these: their people are about to be erased. They themselves are closed, and need
    not know of whoever came later."""
    knowing = {row.reference for row in await _naming(connection, hub, references)}
    await have_looked_at(connection, knowing - set(references))
