"""The connection to the database: opened once, handed to whoever reads or writes. Every transaction names its actor."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Hashable, Iterable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from pydantic import SecretStr
from sqlalchemy import bindparam, delete, event, make_url, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from mash.config.errors import SettingsError
from mash.config.permissions import reach
from mash.config.profile import load_profile, stored_profile
from mash.config.settings import Settings
from mash.flows.store.acting import begin_as, provide_caller_key
from mash.flows.store.away import opening
from mash.flows.store.keys import Keyring, NoKeyHere, master_source
from mash.flows.store.schema import check_tables
from mash.flows.store.seals import seal_rows_of_before
from mash.flows.store.system_notices import system_notice
from mash.flows.store.tables import ANCHOR, KEYS, MASTERS, NOTICES, PROFILES, SECRETS
from mash.flows.store.time import HubTime
from mash.notifications.notices import ADMINISTRATOR
from mash.states.errors import NotFound
from mash.states.profile import Profile
from mash.states.referral import Referral
from mash.states.values import SYSTEM, Actor

RECEIPTS_KEY = "receipts"
HELD_UP = 30.0
"""Seconds after which the database ends a transaction whose process says nothing: one that is paused in the middle of it (a
machine that is moved, a debugger) would hold up for ever whoever needs the same referral or notice."""

LONGEST, LONGEST_OF_SYSTEM = "10s", "120s"
"""After so long the database ends a statement of people's, and one of the software's (which signs every event of a night at
once)."""
CLIENT_GONE = "2s"
"""So often it looks whether whoever asked is still there: nobody waits for the answer to a statement whose client has gone."""


@dataclass(frozen=True)
class _Look:
    """What one person reads in one transaction. Nothing is changed in it: what was found once is remembered."""

    by: Actor
    connection: AsyncConnection
    found: dict[Hashable, Any] = field(default_factory=dict)


_look: ContextVar[_Look | None] = ContextVar("_look", default=None)


def system_actor(hub: str) -> Actor:
    """The actor of what the software does by itself."""
    return Actor(id=SYSTEM, role=SYSTEM, agency=SYSTEM, hub=hub)


class Store:
    """The database, its keys, its time, and the profiles it has seen.

    People act through `people`, a role that the database lets see one hub and what they may reach of it; `engine` is for what the
    software does by itself."""

    def __init__(
        self,
        engine: AsyncEngine,
        people: AsyncEngine,
        keyring: Keyring,
        time: HubTime,
        hubs: dict[str, Profile],
        caller_key: bytes,
    ) -> None:
        self.engine, self.people, self.keyring, self.time, self.hubs = engine, people, keyring, time, hubs
        self.caller_key = caller_key
        """Signs who acts in each transaction: `acting`."""
        self.single = engine.execution_options(isolation_level="AUTOCOMMIT")
        """For a single statement: without the BEGIN and COMMIT around it, which cost more than it does."""
        self._profiles = {profile.digest: profile for profile in hubs.values()}

    @asynccontextmanager
    async def one_look(self, by: Actor, *, of_one_case: bool = False) -> AsyncIterator[None]:
        """Whatever this task reads within it as `by` is read in one transaction: the database is told but once who looks."""
        async with self.transaction(by, of_one_case=of_one_case) as connection:
            before = _look.set(_Look(by, connection))
            try:
                yield
            finally:
                _look.reset(before)

    def found(self, connection: AsyncConnection) -> dict[Hashable, Any]:
        """What `one_look` on this connection has found already; a dictionary of its own anywhere else."""
        look = _look.get()
        return look.found if look and look.connection is connection else {}

    @asynccontextmanager
    async def transaction(
        self, by: Actor, *, of_system: bool = False, of_one_case: bool = False
    ) -> AsyncIterator[AsyncConnection]:
        """A transaction in which the database knows who acts, and shows them what they may reach; or, `of_system`, all: for what
        the software does because of them. The setting is local to it: a plain SET leaks to the pool's next user. Statements
        `of_one_case` are planned once for a connection; those that range over many have to be planned for their values. Within
        `one_look` of the same person it is that one."""
        look = _look.get()
        if look and look.by == by and not of_system:
            yield look.connection
            return
        is_of_system = of_system or by.role == SYSTEM
        who = {"actor": by.id, "agency": by.agency, "hub": by.hub, "role": by.role}
        async with (self.engine if is_of_system else self.people).begin() as connection:
            as_it_is = as_json({**who, "reach": reach(by.role), "now": self.time.now().isoformat()})
            longest = LONGEST_OF_SYSTEM if is_of_system else LONGEST
            await begin_as(connection, self.caller_key, as_it_is, longest, of_one_case=of_one_case)
            yield connection

    def hub(self, name: str) -> Profile:
        """The profile in force of a hub. Raises NotFound for one this installation does not serve."""
        if name not in self.hubs:
            raise NotFound(
                f"this installation does not serve a hub '{name}'; it serves: {', '.join(self.hubs)}. Where that is a"
                " mistake, tell your administrator: MASH_HUBS names them"
            )
        return self.hubs[name]

    def hubs_beside(self, name: str) -> tuple[str, ...]:
        """The other hubs that this installation serves."""
        return tuple(hub for hub in self.hubs if hub != name)

    async def profile(self, connection: AsyncConnection, digest: str) -> Profile:
        """A profile by its digest, as it was stored when a referral started with it."""
        if digest not in self._profiles:
            document = await connection.scalar(select(PROFILES.c.document).where(PROFILES.c.digest == digest))
            if document is None:
                raise NotFound(f"no profile with digest {digest[:12]} is stored")
            if hashlib.sha256(document.encode()).hexdigest() != digest:
                raise NotFound(f"the stored profile {digest[:12]} was changed: it is put back within minutes, or see the repairs")
            self._profiles[digest] = stored_profile(document)
        return self._profiles[digest]

    def rules(self, referral: Referral) -> Profile | None:
        """The profile that a case goes by, where it was read here; else the one in force at its hub, if that is served."""
        return self._profiles.get(referral.profile) or self.hubs.get(referral.hub)

    async def read_rules(self, connection: AsyncConnection, referrals: Iterable[Referral]) -> None:
        """Read the profiles that these cases go by, so that `rules` knows them. One that was changed is left: a board is shown
        all the same, and the profile is put back within minutes."""
        for digest in {referral.profile for referral in referrals}:
            with suppress(NotFound):
                await self.profile(connection, digest)

    @cached_property
    def listen_url(self) -> str:
        """The address for connections of their own (LISTEN, advisory locks), as asyncpg takes it."""
        return self.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)

    async def close(self) -> None:
        """Close the pools."""
        await self.engine.dispose()
        await self.people.dispose()


async def open_store(settings: Settings, *, pool_size: int = 10) -> Store:
    """Connect, store the profiles in force, and read the time anchor (the first process to come sets it). Raises SettingsError
    for what has to be mended first, and NotYet where waiting helps: each says what to do."""
    if settings.database_url is None or settings.system_database_url is None:
        raise SettingsError("MASH_DATABASE_URL and MASH_SYSTEM_DATABASE_URL are needed; `mash up` makes them for you")
    keyring = Keyring(master_source(settings))
    engine = _engine(settings.system_database_url, pool_size, LONGEST_OF_SYSTEM)
    people = _engine(settings.database_url, pool_size, LONGEST)
    hubs = {name: load_profile(name, settings.profiles_dir) for name in settings.hub_names}
    wall = datetime.now(UTC)
    simulated = datetime.fromisoformat(settings.time_start).astimezone(UTC) if settings.time_start else wall
    async with opening(), engine.begin() as connection:
        await check_tables(connection)
        in_force = [{"digest": p.digest, "hub": p.name, "document": p.canonical, "stored_at": wall} for p in hubs.values()]
        await connection.execute(insert(PROFILES).values(in_force).on_conflict_do_nothing())
        await connection.execute(
            insert(ANCHOR).values(id=1, wall=wall, simulated=simulated, rate=settings.time_rate).on_conflict_do_nothing()
        )
        anchor = (await connection.execute(select(ANCHOR))).one()
        # Undone where it turns out not to be this database's.
        await connection.execute(insert(MASTERS).values(name=keyring.current.name).on_conflict_do_nothing())
        keyring.receipts = await _secret(connection, keyring, RECEIPTS_KEY, keyring.first_receipts_key())
        keyring.rows = await _secret(connection, keyring, "rows", os.urandom(32))
        keyring.near_misses = await _secret(connection, keyring, "near misses", os.urandom(32))
        of_before = await _unsealed(connection, keyring)
        keyring.search = await _secret(connection, keyring, SEARCH, of_before or os.urandom(32))
        time = HubTime(wall=anchor.wall, simulated=anchor.simulated, rate=anchor.rate)
        if of_before:
            await _seal_rows_of_before(connection, keyring.rows, settings.hub_names[0], time)
        caller_key = await provide_caller_key(connection)
    return Store(engine, people, keyring, time, hubs, caller_key)


SEARCH, SEARCH_OF_BEFORE = "search, sealed", "search"
"""The key of the search: what it was called while rows had no seals, and is since."""
SEALED = "rows that let somebody in were sealed"


async def _unsealed(connection: AsyncConnection, keyring: Keyring) -> bytes | None:
    """The key of the search where it is still that of a release without seals, whose rows are to be sealed: once, as it is gone
    with this. Nobody else makes it: it is wrapped under its name of then."""
    query = select(SECRETS.c.wrapped).where(SECRETS.c.name == SEARCH_OF_BEFORE).with_for_update()
    wrapped = await connection.scalar(query)
    if wrapped is None:
        return None
    await connection.execute(delete(SECRETS).where(SECRETS.c.name == SEARCH_OF_BEFORE))
    return _opened(keyring, wrapped, SEARCH_OF_BEFORE)


async def _seal_rows_of_before(connection: AsyncConnection, key: bytes, hub: str, time: HubTime) -> None:
    """Seal what an earlier release has written, and have the administrators of a hub told: it is done once, at an upgrade."""
    if sealed := await seal_rows_of_before(connection, key):
        detail = f"{sealed}. This is done once, with the upgrade to 0.3 or the restore of an older backup: if there was none, see"
        row = system_notice(hub, ADMINISTRATOR, SEALED, f"{detail} docs/run/security.md, Seals.", time.now())
        await connection.execute(insert(NOTICES).values(row))


async def _secret(connection: AsyncConnection, keyring: Keyring, name: str, fresh: bytes) -> bytes:
    """A key of the installation, kept wrapped by the master key; made the first time. Raises SettingsError for a master key that
    is not this database's: what it wrapped could not be opened, and what is kept could not be read."""
    made = {"name": name, "wrapped": keyring.wrap(fresh, name), "master": keyring.current.name}
    await connection.execute(insert(SECRETS).values(**made).on_conflict_do_nothing())
    return _opened(keyring, await connection.scalar(select(SECRETS.c.wrapped).where(SECRETS.c.name == name)), name)


def _opened(keyring: Keyring, wrapped: bytes | None, name: str) -> bytes:
    try:
        return keyring.unwrap(wrapped, name)
    except NoKeyHere:
        raise SettingsError("MASH_MASTER_KEY is not the one of this database: its people cannot be read with it") from None


# Built once, like every statement of each request.
_NEWEST = select(SECRETS.c.master).where(SECRETS.c.name == RECEIPTS_KEY)
_WRAPPED = select(KEYS.c.wrapped).where(KEYS.c.reference == bindparam("of"))


async def keep_up(store: Store) -> None:
    """Wrap by the newest master key from now on: the database says that there is one, when another part has rotated it. Where it
    cannot be read here, what wraps goes on."""
    async with store.single.connect() as connection:
        newest = await connection.scalar(_NEWEST)
    if newest != store.keyring.current.name:
        with suppress(SettingsError):
            await asyncio.to_thread(store.keyring.read_again)


async def data_key(connection: AsyncConnection, store: Store, reference: str) -> bytes:
    """The referral's key. Raises KeyDestroyed once it has been destroyed, and NoKeyHere where it is another master key's."""
    return store.keyring.unwrap(await connection.scalar(_WRAPPED, {"of": reference}), reference)


def _engine(url: SecretStr, pool_size: int, longest: str) -> AsyncEngine:
    # asyncpg: with psycopg a submission takes a fifth longer, most of it in waiting for each answer by itself.
    address = make_url(url.get_secret_value()).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(
        address,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,
        pool_pre_ping=False,
        connect_args={
            "server_settings": {
                "idle_in_transaction_session_timeout": f"{HELD_UP * 1000:.0f}",
                "statement_timeout": longest,
                "client_connection_check_interval": CLIENT_GONE,
            }
        },
    )
    event.listen(engine.sync_engine, "checkout", _only_living)
    return engine


def _only_living(connection: DBAPIConnection, *_: object) -> None:
    """Hand out no connection whose other end is gone: after PostgreSQL was restarted the first to come would fail. This asks
    nothing of the server."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def as_json(value: object) -> str:
    """JSON as it is stored: compact, sorted, and ASCII: half a character or a zero byte is escaped, and breaks nothing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
