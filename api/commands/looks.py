"""What `mash doctor` looks at: what is set, what is missing, and what can be reached, for each part."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import httpx
import psycopg
from sqlalchemy import make_url

from mash.config.channels import read_channels
from mash.config.errors import SettingsError
from mash.config.profile import load_profile
from mash.config.settings import Settings
from mash.config.sign_on import read_accounts, read_sign_on
from mash.config.toml_lines import WrongFile
from mash.flows.installation.cluster import TAKEN_BACK
from mash.flows.installation.parts import NEEDED
from mash.flows.installation.places import room
from mash.flows.installation.processes import check_port
from mash.flows.store.edition import EDITION
from mash.flows.store.keys import Keyring, NoKeyHere, master_source
from mash.flows.store.reads.health import FOR_PAPER, LATE, look_is_late

Mark = Literal["ok", "note", "wrong"]
PATIENCE = 20
"""Seconds for whatever is asked to answer."""
CONNECTIONS = 60
"""Of PostgreSQL, that one API, one worker, Prefect's server and a few commands have together at most."""
LITTLE_ROOM = 2_000_000_000
"""Bytes."""


@dataclass(frozen=True)
class Found:
    """One thing that was looked at: whether it is right, and what it is, or what to do."""

    mark: Mark
    what: str


Look = Callable[[Settings], Iterator[Found]]


def looked(look: Look, settings: Settings) -> Iterator[Found]:
    """What a look finds; what cannot be read says itself what is wrong."""
    try:
        yield from look(settings)
    except (SettingsError, WrongFile) as error:
        yield Found("wrong", str(error))


def _secrets(part: str) -> Look:
    """That a part has what it needs, wherever that comes from."""
    chosen = ("mail_url", "pulse_url", "notify_token")
    needed = [name for name in NEEDED[part] if name not in chosen and not name.endswith("database_url")]

    def look(settings: Settings) -> Iterator[Found]:
        for name in needed:
            variable = f"MASH_{name.upper()}"
            there = getattr(settings, name) is not None or (name == "master_key" and settings.master_key_command)
            whence = next((each for each in (variable, f"{variable}_FILE", f"{variable}_COMMAND") if each in os.environ), "")
            from_data = f"the file keys/{name} in {settings.data_dir}"
            yield (
                Found("ok", f"{variable} is set, by {whence or from_data}") if there else Found("wrong", f"{variable} is missing")
            )

    return look


def _where(settings: Settings) -> Iterator[Found]:
    yield Found("ok", f"MASH_DATA_DIR is {settings.data_dir.resolve()}")
    free, _ = room(settings)
    yield Found("wrong" if free < LITTLE_ROOM else "ok", f"its disk has {free / 1e9:,.1f} GB free")


def _database(name: str, *, superuser_is_wrong: bool = True) -> Look:
    """That a role reaches its database, and is no more than it should be."""

    def look(settings: Settings) -> Iterator[Found]:
        variable, address = f"MASH_{name.upper()}", getattr(settings, name)
        if address is None:
            yield Found("wrong", f"{variable} is missing; only `mash up` makes a database of its own")
            return
        try:
            with _connected(address.get_secret_value()) as connection:
                yield from _role(connection, variable, superuser_is_wrong)
                yield from TABLES.get(name, _nothing)(connection, variable)
        except psycopg.Error as error:
            first = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
            yield Found("wrong", f"{variable}: the database is not reached: {first}")

    return look


def _connected(address: str) -> psycopg.Connection:
    # As libpq takes it: our addresses name the driver of SQLAlchemy too.
    plain = make_url(address).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, connect_timeout=PATIENCE, autocommit=True)


def _role(connection: psycopg.Connection, variable: str, superuser_is_wrong: bool) -> Iterator[Found]:
    which = "SELECT current_user, current_setting('server_version'), rolsuper OR rolbypassrls"
    asked = f"{which} FROM pg_roles WHERE rolname = current_user"
    role, version, unbound = connection.execute(asked.encode()).fetchone() or ("", "", False)
    yield Found("ok", f"{variable}: reached as {role}, PostgreSQL {version}")
    if unbound and superuser_is_wrong:
        yield Found("wrong", f"{variable}: {role} is bound by no policy (superuser or BYPASSRLS): use a role that owns nothing")


def _nothing(connection: psycopg.Connection, variable: str) -> Iterator[Found]:
    yield from ()


def _tables(connection: psycopg.Connection, variable: str) -> Iterator[Found]:
    from mash.flows.store.schema import newest

    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except psycopg.errors.Error:
        row = None
    found = row[0] if row else "none"
    right = found == newest()
    yield Found("ok" if right else "wrong", f"tables of revision {found}{'' if right else ': run `mash db upgrade`'}")


def _bound(connection: psycopg.Connection, variable: str) -> Iterator[Found]:
    yield from _tables(connection, variable)
    asked = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ %s"
    held = connection.execute(f"{asked} AND has_function_privilege(oid, 'EXECUTE')".encode(), (TAKEN_BACK,)).fetchone() or (0,)
    made = connection.execute("SELECT has_database_privilege(current_database(), 'TEMPORARY')").fetchone() or (False,)
    if held[0] or made[0]:
        yield Found(
            "wrong",
            f"{variable}: this role may do what none of ours needs (large objects, locks by number, temporary tables): as"
            " PostgreSQL's superuser, run what `mash init` writes into roles.sql for the database mash, and"
            " REVOKE TEMPORARY ON DATABASE mash FROM PUBLIC",
        )
    else:
        yield Found("ok", f"{variable}: what every role may do by default is taken back")


def _connections(connection: psycopg.Connection, variable: str) -> Iterator[Found]:
    yield from _tables(connection, variable)
    row = connection.execute("SELECT current_setting('max_connections')::int").fetchone()
    most = row[0] if row else 0
    enough = most >= CONNECTIONS
    yield Found(
        "ok" if enough else "wrong", f"max_connections is {most}; {CONNECTIONS} are needed for one of each part, 100 for two"
    )


def _trigrams(connection: psycopg.Connection, variable: str) -> Iterator[Found]:
    there = connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'").fetchone()
    yield (
        Found("ok", "pg_trgm is there")
        if there
        else Found("wrong", f"{variable}: run CREATE EXTENSION pg_trgm there, as a superuser")
    )


TABLES: dict[str, Callable[[psycopg.Connection, str], Iterator[Found]]] = {
    "database_url": _bound,
    "system_database_url": _connections,
    "prefect_database_url": _trigrams,
}
"""What is looked at further in a database."""


def _keys_fit(settings: Settings) -> Iterator[Found]:
    """That the master key is the one of the database."""
    keyring = Keyring(master_source(settings))
    if settings.system_database_url is None:
        return
    try:
        with _connected(settings.system_database_url.get_secret_value()) as connection:
            rows = connection.execute("SELECT name, wrapped FROM secret").fetchall()
    except psycopg.Error:
        return  # said where the database is looked at
    try:
        for name, wrapped in rows:
            keyring.unwrap(wrapped, name)
    except NoKeyHere:
        yield Found("wrong", "MASH_MASTER_KEY is not the one of this database: its people cannot be read with it")
    else:
        yield Found(
            "ok", "the master key is the one of this database" if rows else "the master key can be used; nothing is kept yet"
        )


def _still_to_do(settings: Settings) -> Iterator[Found]:
    """What the worker still has to do, and whether that is late: states of before an upgrade, and contacts to be looked at."""
    if settings.system_database_url is None:
        return
    of_before = "SELECT count(*) FROM referral WHERE made < %s"
    late = "SELECT count(*), max(clock_timestamp() - since) FROM to_look WHERE since < clock_timestamp() - %s"
    try:
        with _connected(settings.system_database_url.get_secret_value()) as connection:
            (states,) = connection.execute(of_before.encode(), (EDITION,)).fetchone() or (0,)
            contacts, waited = connection.execute(late.encode(), (LATE,)).fetchone() or (0, None)
    except psycopg.Error:
        return  # said where the database is looked at
    yield (
        Found("note", f"{_cases(states)} made anew after an upgrade: the worker does it while people work")
        if states
        else Found("ok", "the states of all cases are of this release")
    )
    yield Found("wrong", look_is_late(contacts, waited)) if waited else Found("ok", "no contact waits long to be looked at")


def _cases(number: int) -> str:
    return "1 case waits to have its state" if number == 1 else f"{number} cases wait to have their states"


def _signing(settings: Settings) -> Iterator[Found]:
    from mash.flows.store.checkpoints import public_key, signing_key

    yield Found("ok", f"checkpoints are signed; what checks them: {public_key(signing_key(settings))}")
    if settings.checkpoint_dir is None:
        yield Found(
            "note", "MASH_CHECKPOINT_DIR is not set: checkpoints are kept in the database alone, whose owner could remove them"
        )


def _hubs(settings: Settings) -> Iterator[Found]:
    for hub in settings.hub_names:
        load_profile(hub, settings.profiles_dir)
    served = ", ".join(settings.hub_names)
    yield (
        Found("ok", f"serves {served}")
        if settings.hubs
        else Found("note", f"MASH_HUBS is not set: every profile is served: {served}")
    )


def _people(settings: Settings) -> Iterator[Found]:
    provider = read_sign_on(settings)
    read_accounts(settings)
    if provider is None and not settings.local_accounts:
        yield Found(
            "wrong", "nobody can sign in: MASH_SIGN_ON_FILE (your OpenID provider), or MASH_LOCAL_ACCOUNTS=true for small hubs"
        )
    if settings.local_accounts:
        yield Found("ok", "staff sign in by local accounts")
    if provider is not None:
        yield from _provider(provider.issuer)
    secure = settings.base_url.startswith("https:")
    yield Found(
        "ok" if secure else "wrong",
        f"people reach it at {settings.base_url}{'' if secure else ': MASH_PUBLIC_URL has to be https'}",
    )


def _provider(issuer: str) -> Iterator[Found]:
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        answer = httpx.get(address, timeout=PATIENCE)
        issued = answer.json().get("issuer") if answer.is_success else None
    except (httpx.HTTPError, ValueError) as error:
        yield Found("wrong", f"the OpenID provider is not reached at {address} ({type(error).__name__})")
        return
    if issued == issuer:
        yield Found("ok", f"the OpenID provider answers at {address}")
    else:
        yield Found(
            "wrong",
            f"{address} answers {answer.status_code}, and is not of the issuer {issuer}: correct issuer in MASH_SIGN_ON_FILE",
        )


def _api_itself(settings: Settings) -> Iterator[Found]:
    """Whether it runs, and what it says of itself; or whether it could."""
    try:
        answer = httpx.get(f"http://{settings.api_host}:{settings.api_port}/health", timeout=PATIENCE, trust_env=False)
        health = answer.json()
        yield Found(
            "ok" if health["ready"] else "wrong",
            f"the API answers at {settings.api_host}:{settings.api_port}: {health['status']}",
        )
        for sentence in health["wrong"]:
            yield Found("wrong", f"it says: {sentence}")
    except httpx.ConnectError:
        check_port(settings.api_host, settings.api_port, "MASH_API_PORT")
        yield Found("note", f"the API does not run; {settings.api_host}:{settings.api_port} is free for it")
    except (httpx.HTTPError, ValueError, KeyError):
        yield Found(
            "wrong", f"something else answers at {settings.api_host}:{settings.api_port}: choose another by MASH_API_PORT"
        )


def _alerts(settings: Settings) -> Iterator[Found]:
    channels = read_channels(settings.channels_file)
    if settings.channels_file is None:
        yield Found("wrong", "MASH_CHANNELS_FILE is not set: nobody is alerted of anything")
    for hub in settings.hub_names if settings.channels_file else ():
        if not channels.of_role(hub, "administrator"):
            yield Found(
                "wrong",
                f"nobody is told at {hub} when the system is in trouble: no channel of administrator in MASH_CHANNELS_FILE",
            )
    if settings.mail_url is None:
        yield Found("wrong", "MASH_MAIL_URL is not set: referrers are not written to")
    if settings.pulse_url is None:
        yield Found("note", "MASH_PULSE_URL is not set: no outside monitor notices when all of it stops")
    yield Found("note", "send a test by every channel: mash notify test ROLE --hub HUB")


def _prefect(settings: Settings) -> Iterator[Found]:
    """Whether Prefect's server is there, and takes our login."""
    login = settings.prefect_auth_string
    auth = httpx.BasicAuth(*login.get_secret_value().split(":", 1)) if login and ":" in login.get_secret_value() else None
    if login and auth is None:
        yield Found("wrong", "MASH_PREFECT_AUTH_STRING: expected 'user:password'")
    try:
        answer = httpx.get(f"{settings.prefect_api_url}/admin/version", auth=auth, timeout=PATIENCE, trust_env=False)
    except httpx.HTTPError:
        yield Found("note", f"Prefect's server does not answer at {settings.prefect_api_url}")
        return
    if answer.status_code == 200:
        yield Found("ok", f"Prefect's server answers at {settings.prefect_api_url}, and takes the login")
    elif answer.status_code in (401, 403):
        yield Found("wrong", "Prefect's server refuses the login: MASH_PREFECT_AUTH_STRING has to be the server's own")
    else:
        yield Found("wrong", f"something else answers at {settings.prefect_api_url} ({answer.status_code})")


def _backups(settings: Settings) -> Iterator[Found]:
    if settings.backup_recipient:
        from mash.flows.installation.envelope import recipients

        yield Found("ok", f"backups are encrypted to {len(recipients(settings.backup_recipient))} recipients")
    else:
        yield Found("wrong", "MASH_BACKUP_RECIPIENT is missing: `mash backup-key` makes one, on another machine")


def _paper(settings: Settings) -> Iterator[Found]:
    """Whether the list of open cases for paper is made, can be opened by somebody, and is of this hour."""
    from mash.flows.installation.paper import newest, sealed_to

    if (folder := settings.paper_dir) is None:
        yield Found("note", "MASH_PAPER_DIR is not set: when all is down, nobody has a list of the open cases")
        return
    yield Found("ok", f"the list of open cases for paper is encrypted to {len(sealed_to(settings))} recipients")
    if not os.access(folder, os.W_OK | os.X_OK):
        yield Found("wrong", f"MASH_PAPER_DIR: nothing can be written to {folder}: make it, and let this user write there")
        return
    for hub in settings.hub_names:
        if (age := newest(folder, hub)) is None:
            yield Found("wrong", f"there is no list of open cases for paper of {hub} yet: a worker makes one when it starts")
        else:
            mark: Mark = "wrong" if age > FOR_PAPER else "ok"
            yield Found(mark, f"the newest list of open cases for paper of {hub} is {age.total_seconds() / 60:.0f} min old")


LOOKS: dict[str, tuple[Look, ...]] = {
    "api": (
        _where, _secrets("api"), _database("database_url"), _database("system_database_url"), _keys_fit, _hubs, _people,
        _api_itself ),
    "worker": (
        _where, _secrets("worker"), _database("database_url"), _database("system_database_url"), _keys_fit, _still_to_do,
        _signing, _hubs, _alerts, _prefect, _paper,
    ),
    "prefect": (_database("prefect_database_url", superuser_is_wrong=False), _prefect),
    "owner": (_database("owner_database_url", superuser_is_wrong=False), _backups),
}  # fmt: skip
"""What is looked at for each part. The owner's are migrations and backups."""
