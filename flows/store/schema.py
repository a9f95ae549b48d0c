"""Bringing the database's tables up to date, as their owner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.config.errors import NotYet, SettingsError

MIGRATIONS = Path(__file__).parent / "migrations"
# One installation at a time migrates a database; the number is arbitrary and ours.
MIGRATION_LOCK = 7_052_601


def upgrade(owner_url: str) -> str:
    """Run the migrations that are missing; returns the revision reached. `owner_url` connects as the tables' owner."""
    with as_owner(owner_url) as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
        connection.commit()
        if (revision := _revision(connection)) != newest():
            _migrate(connection)
            revision = _revision(connection)
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": MIGRATION_LOCK})
        connection.commit()
        return revision


@contextmanager
def as_owner(owner_url: str) -> Iterator[Connection]:
    """A connection as the tables' owner, closed with all it held: for what changes or copies the database itself. Raises
    SettingsError where the login is refused, and NotYet where nobody answers."""
    engine = create_engine(make_url(owner_url).set(drivername="postgresql+psycopg"), hide_parameters=True)
    try:
        with _connected(engine) as connection:
            yield connection
    finally:
        engine.dispose()


def _connected(engine: Engine) -> Connection:
    try:
        return engine.connect()
    except OperationalError as error:
        # libpq gives no code for it. What it says names the role and the place, and no value.
        lines = str(error.orig).strip().splitlines()
        why = next((line for line in lines if "failed: " in line), lines[-1]).rpartition("failed: ")[2]
        if "FATAL" in why and "the database system is" not in why and "too many" not in why:
            raise SettingsError(f"the database refuses its owner: {why}: correct MASH_OWNER_DATABASE_URL") from None
        raise NotYet(f"the database cannot be reached by its owner: {why}") from None


def _revision(connection: Connection) -> str:
    """The revision that the tables have; empty before the first."""
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return ""
    return str(connection.scalar(text("SELECT version_num FROM alembic_version")))


async def check_tables(connection: AsyncConnection) -> None:
    """Raises SettingsError where the tables are missing, or of an older release: nothing can be kept there."""
    try:
        found = str(await connection.scalar(text("SELECT version_num FROM alembic_version")))
    except ProgrammingError:  # there are none, or so old that they are not ours to read
        found = ""
    if found < newest():
        has = f"has the tables of an older release ({found})" if found else "has no tables of this release"
        raise SettingsError(f"the database {has}: run `mash db upgrade`, as the owner (MASH_OWNER_DATABASE_URL)")


async def newer_tables(connection: AsyncConnection) -> str:
    """The revision of the tables, where they are of a newer release than this; else empty."""
    found = str(await connection.scalar(text("SELECT version_num FROM alembic_version")))
    return found if found > newest() else ""


@cache
def newest() -> str:
    """The revision of the newest migration, by its file's name."""
    return max(path.stem[1:5] for path in (MIGRATIONS / "versions").glob("v[0-9]*.py"))


def _migrate(connection: Connection) -> None:
    # Imported only where there is something to do: half a second of every start otherwise.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()
