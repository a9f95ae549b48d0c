"""The embedded cluster with our roles and databases."""

from __future__ import annotations

from pathlib import Path

import psycopg

from mash.flows.installation.postmaster import LOCK, Cluster, start_postmaster
from mash.flows.installation.processes import one_at_a_time

ROLES = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mash_owner') THEN CREATE ROLE mash_owner LOGIN; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mash_app') THEN
        CREATE ROLE mash_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mash_system') THEN
        CREATE ROLE mash_system LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mash_prefect') THEN CREATE ROLE mash_prefect LOGIN; END IF;
END $$
"""
TAKEN_BACK = (
    "^(lo_|lowrite|loread|pg_(try_)?advisory(_xact)?_lock|pg_logical_emit_message|pg_export_snapshot"
    "|pg_(terminate|cancel)_backend)"
)
"""Names of PostgreSQL's functions that not every role may use with us."""
NOT_FOR_EVERYBODY = f"""
DO $$ DECLARE each record; BEGIN
    FOR each IN SELECT p.oid::regprocedure AS named FROM pg_proc p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname ~
            '{TAKEN_BACK}'
            AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) WHERE grantee = 0)
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', each.named);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO mash_owner', each.named);
    END LOOP;
    FOR each IN SELECT p.oid::regprocedure AS named FROM pg_proc p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname ~ '^pg_(try_)?advisory(_xact)?_lock'
            AND NOT has_function_privilege('mash_system', p.oid, 'EXECUTE')
    LOOP EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO mash_system', each.named); END LOOP;
END $$
"""  # noqa: S608  a constant of ours
"""What PostgreSQL lets every role do, and our roles have no need of: large objects, which their maker alone may copy, so that no
backup would succeed; locks that the software waits for; ending others' connections; what fills the log of changes, or holds up
its tidying. As a superuser, in our database."""
LIMITS = """
ALTER ROLE mash_app SET temp_file_limit = '1GB';
ALTER ROLE mash_app SET statement_timeout = '10s';
ALTER ROLE mash_app CONNECTION LIMIT 150
"""
"""How much of the server whoever has got hold of the application's connection may use: others have the rest. What sorts, and
how many connect, is the superuser's to say; how long a statement takes, each transaction says anew (`flows/store/acting.py`)."""
DATABASES = {"mash": ("mash_owner", "mash_app", "mash_system"), "prefect": ("mash_prefect",)}
"""Each database's owner, and who else may connect: Prefect's server has no business in ours, nor we in its."""


def start_cluster(data_dir: Path) -> Cluster:
    """The cluster in `data_dir`, started, with the roles and databases that were missing. Raises ClusterNotStarted."""
    cluster = start_postmaster(data_dir)
    try:
        provide_roles(data_dir, cluster.socket)
    except BaseException:
        cluster.stop()
        raise
    return cluster


def provide_roles(data_dir: Path, socket: Path) -> None:
    """Make the roles and databases that are missing in the cluster that runs there."""
    with one_at_a_time(data_dir.resolve() / LOCK):
        with psycopg.connect(host=str(socket), user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(ROLES)
            for name, (owner, *guests) in DATABASES.items():
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                    connection.execute(f"CREATE DATABASE {name} OWNER {owner}".encode())
                connection.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC".encode())
                for guest in guests:
                    connection.execute(f"GRANT CONNECT ON DATABASE {name} TO {guest}".encode())
            connection.execute(LIMITS.encode())
        with psycopg.connect(host=str(socket), user="postgres", dbname="mash", autocommit=True) as connection:
            connection.execute(NOT_FOR_EVERYBODY)
        with psycopg.connect(host=str(socket), user="postgres", dbname="prefect", autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
