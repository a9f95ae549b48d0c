"""Sessions of staff: begun by signing in, looked up with every request, and over at once when they are ended. Wall time."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Row, RowMapping, bindparam, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.seals import SESSION, is_ours, seal_of
from mash.flows.store.store import Store, as_json
from mash.flows.store.tables import FAILURES, ONE_TIME_CODES, SESSIONS, SIGN_INS
from mash.flows.store.trouble import report_planted
from mash.flows.store.turns import one_at_a_time
from mash.states.values import Actor

PREFIX = "mash-session-"
SHOWN = 12
"""So many digits of a session's hash stand in logs: enough to find it with `mash session list`."""
RETENTION = timedelta(days=30)
"""Who was signed in is kept for so long after it is over."""
SEEN_EVERY = timedelta(minutes=1)
"""A session's last use is written down no more often than this."""
TO_SIGN_IN = timedelta(minutes=10)
"""How long somebody may take at the identity provider."""
FAILURES_COUNT_FOR = timedelta(minutes=15)
How = Literal["single_sign_on", "local", "command_line"]


@dataclass(frozen=True)
class Session:
    """Somebody who is signed in: whom they act as, and what else they may act as."""

    hash: str
    actor: Actor
    positions: tuple[Actor, ...]
    how: str


def hash_of(secret: str) -> str:
    """The stored form of a secret; it is random and long, so a plain hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def begin_session(
    store: Store, positions: Sequence[Actor], how: How, *, hours: float = 12, idle_minutes: float | None = None
) -> str:
    """Begin a session of somebody, who acts in the first of their positions; returns its secret, which is kept nowhere. It ends
    after `hours`, and earlier when it is not used for `idle_minutes`."""
    secret, now, acts = PREFIX + secrets.token_urlsafe(32), datetime.now(UTC), positions[0]
    row = {
        "hash": hash_of(secret),
        "person": acts.id,
        **_position(acts),
        "positions": as_json([_position(each) for each in positions]),
        "how": how,
        "started_at": now,
        "seen_at": now,
        "idle_seconds": int((idle_minutes * 60) if idle_minutes else hours * 3600),
        "ends_at": now + timedelta(hours=hours),
        "ended_at": None,
    }
    row["seal"] = seal_of(store.keyring.rows, SESSION, row)
    async with store.single.connect() as connection:
        await connection.execute(delete(SESSIONS).where(SESSIONS.c.ends_at < now - RETENTION))
        await connection.execute(insert(SESSIONS).values(**row))
    return secret


def _position(actor: Actor) -> dict[str, str]:
    return {"role": actor.role, "agency": actor.agency, "hub": actor.hub}


_ALIVE = select(SESSIONS).where(
    SESSIONS.c.hash == bindparam("of"),
    SESSIONS.c.ended_at.is_(None),
    SESSIONS.c.ends_at > bindparam("now"),
    SESSIONS.c.seen_at + SESSIONS.c.idle_seconds * text("interval '1 second'") > bindparam("now"),
)
_SEEN = update(SESSIONS).where(SESSIONS.c.hash == bindparam("of"))


async def _alive(store: Store, connection: AsyncConnection, of: str) -> RowMapping | None:
    """The session of this hash, unless it is over, or we did not write it as it is."""
    row = (await connection.execute(_ALIVE, {"of": of, "now": datetime.now(UTC)})).mappings().one_or_none()
    if row is None or is_ours(store.keyring.rows, SESSION, row):
        return row
    await report_planted(store, "session", row["hash"][:SHOWN], row["hub"])
    return None


async def find_session(store: Store, secret: str, *, used: bool = True) -> Session | None:
    """The session of a secret; None when there is none, it was ended, it is over, was not used for too long, or somebody else
    wrote it into the database. What a page asks for to keep itself up to date is no use (`used`): nobody may sit before it."""
    now = datetime.now(UTC)
    async with store.single.connect() as connection:
        row = await _alive(store, connection, hash_of(secret))
        if row is None:
            return None
        if used and now - row["seen_at"] > SEEN_EVERY:
            await connection.execute(_SEEN.values(seen_at=now), {"of": row["hash"]})
    positions = tuple(Actor(id=row["person"], **position) for position in json.loads(row["positions"]))
    acts = Actor(id=row["person"], role=row["role"], agency=row["agency"], hub=row["hub"])
    return Session(row["hash"], acts, positions, row["how"])


async def still_stands(store: Store, session: Session) -> bool:
    """Whether a session that was found goes on. To ask is no use of it."""
    async with store.single.connect() as connection:
        return await _alive(store, connection, session.hash) is not None


async def take_position(store: Store, session: Session, place: int) -> None:
    """Act from now on in another of one's positions."""
    async with store.engine.begin() as connection:
        # Locked: another window may take another one at this moment.
        await connection.execute(select(SESSIONS.c.hash).where(SESSIONS.c.hash == session.hash).with_for_update())
        row = await _alive(store, connection, session.hash)
        if row is None:
            return
        taken = {**row, **_position(session.positions[place])}
        changed = {**_position(session.positions[place]), "seal": seal_of(store.keyring.rows, SESSION, taken)}
        await connection.execute(_SEEN.values(**changed), {"of": session.hash})


async def end_sessions(store: Store, *, hash_: str | None = None, person: str | None = None) -> int:
    """End one session, or all of a person, wherever they are signed in; returns how many were ended. What has ended has no seal:
    nobody who takes the end out of the database goes on."""
    which = SESSIONS.c.hash == hash_ if hash_ else SESSIONS.c.person == person
    over = update(SESSIONS).where(which, SESSIONS.c.ended_at.is_(None)).values(ended_at=datetime.now(UTC), seal=None)
    async with store.single.connect() as connection:
        return (await connection.execute(over)).rowcount


async def sessions_of(store: Store, person: str | None = None) -> Sequence[Row[Any]]:
    """The sessions that are not over, of a person or all, the latest first."""
    now = datetime.now(UTC)
    used = SESSIONS.c.seen_at + SESSIONS.c.idle_seconds * text("interval '1 second'") > now
    alive = (SESSIONS.c.ended_at.is_(None), SESSIONS.c.ends_at > now, used)
    query = select(SESSIONS).where(*alive).order_by(SESSIONS.c.started_at.desc())
    async with store.single.connect() as connection:
        return (await connection.execute(query.where(SESSIONS.c.person == person) if person else query)).all()


# --- on the way to a session --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SignIn:
    """Somebody is at the identity provider: what they come back with is compared with this, once."""

    state: str
    browser: str
    """The hash of what their browser holds: nobody else's browser can finish it."""
    nonce: str
    verifier: str
    onward: str


async def keep_sign_in(store: Store, going: SignIn) -> None:
    """Remember somebody who goes to the identity provider; who never came back is forgotten."""
    now = datetime.now(UTC)
    async with store.single.connect() as connection:
        await connection.execute(delete(SIGN_INS).where(SIGN_INS.c.at < now - TO_SIGN_IN))
        await connection.execute(insert(SIGN_INS).values(**vars(going), at=now))


async def take_sign_in(store: Store, state: str, browser: str) -> SignIn | None:
    """Who comes back from the identity provider; None for whoever did not leave, took too long, or has been here before."""
    since = datetime.now(UTC) - TO_SIGN_IN
    gone = delete(SIGN_INS).where(SIGN_INS.c.state == state, SIGN_INS.c.browser == browser, SIGN_INS.c.at > since)
    fields = (SIGN_INS.c[name] for name in SignIn.__dataclass_fields__)
    async with store.single.connect() as connection:
        row = (await connection.execute(gone.returning(*fields))).one_or_none()
    return SignIn(**row._mapping) if row else None


@dataclass(frozen=True)
class Attempt:
    """Somebody tries to sign in: their login and their address, as they are known again, and when."""

    names: tuple[str, ...]
    at: datetime


async def begin_attempt(store: Store, most: Mapping[str, int]) -> Attempt | None:
    """Count an attempt to sign in by a login, from an address, as failed; None where more than so many of one of them have failed
    lately. It is counted before it is looked at: of many that come at once, no more are looked at than of as many one after
    another. Neither login nor address is kept, but what they are known again by."""
    now = datetime.now(UTC)
    limits = {store.keyring.fingerprint(each.encode()): limit for each, limit in most.items()}
    # In order: two that wait for one another's would wait for ever.
    names = tuple(sorted(limits))
    counted = select(FAILURES.c.who, func.count()).where(FAILURES.c.who.in_(names), FAILURES.c.at > now - FAILURES_COUNT_FOR)
    async with store.engine.begin() as connection:
        for name in names:
            await one_at_a_time(connection, name)
        await connection.execute(delete(FAILURES).where(FAILURES.c.at < now - FAILURES_COUNT_FOR))
        lately = (await connection.execute(counted.group_by(FAILURES.c.who))).all()
        if any(number >= limits[name] for name, number in lately):
            return None
        await connection.execute(insert(FAILURES), [{"who": name, "at": now} for name in names])
    return Attempt(names, now)


async def has_succeeded(store: Store, attempt: Attempt) -> None:
    """An attempt has not failed after all."""
    async with store.single.connect() as connection:
        await connection.execute(delete(FAILURES).where(FAILURES.c.who.in_(attempt.names), FAILURES.c.at == attempt.at))


async def use_code(store: Store, login: str, step: int) -> bool:
    """Whether a one-time code of this time step is used for the first time."""
    row = {"who": store.keyring.fingerprint(login.encode()), "step": step}
    first = upsert(ONE_TIME_CODES).values(**row)
    newer = first.on_conflict_do_update(index_elements=["who"], set_={"step": step}, where=ONE_TIME_CODES.c.step < step)
    async with store.single.connect() as connection:
        return (await connection.execute(newer)).rowcount == 1
