"""What backups need of the database: one moment to copy, what was there at it, and an empty place to restore into."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, table, text
from sqlalchemy.exc import DBAPIError

from mash.flows.store.schema import as_owner

SKIPPED = 1_000
"""References left out after a restore: those given out since the backup are in letters and in other systems, and must not come to
mean another child."""
_TABLES = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename IS NOT NULL AND pid <> pg_backend_pid()"
)
_DROP_ALL = text("""
DO $$ DECLARE found record; BEGIN
    FOR found IN
        SELECT c.oid::regclass AS named, CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind
        FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'S', 'v') AND NOT EXISTS (
            SELECT FROM pg_depend d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i', 'e'))
    LOOP EXECUTE format('DROP %s IF EXISTS %s CASCADE', found.kind, found.named); END LOOP;
    FOR found IN
        SELECT p.oid::regprocedure AS named FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    LOOP EXECUTE format('DROP ROUTINE IF EXISTS %s CASCADE', found.named); END LOOP;
END $$
""")


class BackupFailed(RuntimeError):
    """A backup that was not made, does not open or proves nothing, or a restore that was refused; says why and how to go on."""


@dataclass(frozen=True)
class Snapshot:
    """A moment of the database that another connection can read too, as long as it is held."""

    name: str
    at: datetime
    server: int
    """The server's major version."""
    counts: dict[str, int]
    """Rows by table."""
    checkpoint: dict[str, Any] | None = None
    """The last checkpoint then: its number, and when it was signed."""


@contextmanager
def snapshot(owner_url: str) -> Iterator[Snapshot]:
    """Hold a moment of the database. Raises BackupFailed when there is nothing in it to copy."""
    with _connected(owner_url) as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        row = connection.execute(
            text("SELECT pg_export_snapshot() AS name, now() AS at, current_setting('server_version_num')::int / 10000 AS server")
        ).one()
        counts = _counts(connection)
        if "referral" not in counts:
            raise BackupFailed("there is nothing to back up: the database has no tables of ours")
        yield Snapshot(row.name, row.at, row.server, counts, _last_checkpoint(connection) if "checkpoint" in counts else None)


def _last_checkpoint(connection: Connection) -> dict[str, Any] | None:
    last = connection.execute(text("SELECT number, at FROM checkpoint ORDER BY number DESC LIMIT 1")).one_or_none()
    return {"number": last.number, "at": last.at.isoformat()} if last else None


def count_rows(owner_url: str) -> dict[str, int]:
    """The rows of each table."""
    with _connected(owner_url) as connection:
        return _counts(connection)


def make_room(owner_url: str) -> int:
    """Remove the empty tables of a database that is restored into; returns the server's major version.

    Raises BackupFailed, and removes nothing, when something was accepted here, or somebody else is connected.
    """
    with _connected(owner_url) as connection:
        if others := connection.scalar(_OTHERS):
            raise BackupFailed(
                f"{others} other connections to this database are open: stop the API and the workers (or `mash up`), then restore"
            )
        log_tables = [name for name in ("referral", "event", "receipt") if name in _locked(connection)]
        if any(connection.scalar(select(func.count()).select_from(table(name))) for name in log_tables):
            raise BackupFailed(
                "this database has referrals: a backup is restored into an empty database only, so that nothing is overwritten."
                " Restore beside it: into a new database (MASH_OWNER_DATABASE_URL) or another MASH_DATA_DIR"
            )
        connection.execute(_DROP_ALL)
        connection.commit()
        return int(connection.scalar(text("SELECT current_setting('server_version_num')::int / 10000")) or 0)


def skip_references(owner_url: str) -> int:
    """Leave out SKIPPED references; returns the number that the next one has."""
    with _connected(owner_url) as connection:
        query = "SELECT setval('referral_number', last_value + :skipped) FROM referral_number"
        last = connection.scalar(text(query), {"skipped": SKIPPED})
        connection.commit()
        return int(last or 0) + 1


def _locked(connection: Connection) -> list[str]:
    """The tables, which nobody can write to until the transaction ends: what came in after a look would be dropped with them."""
    names = list(connection.scalars(_TABLES))
    if names:
        connection.execute(text(f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE"))
    return names


def _counts(connection: Connection) -> dict[str, int]:
    names = connection.scalars(_TABLES).all()
    return {name: int(connection.scalar(select(func.count()).select_from(table(name))) or 0) for name in names}


@contextmanager
def _connected(owner_url: str) -> Iterator[Connection]:
    try:
        with as_owner(owner_url) as connection:
            yield connection
    except DBAPIError as failed:
        # The first line: the details below it show rows.
        raise BackupFailed(f"PostgreSQL says: {str(failed.orig).strip().splitlines()[0]}") from None
