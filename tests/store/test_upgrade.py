"""An upgrade of a database that has been used: what was in it goes on."""

from __future__ import annotations

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import create_engine, make_url

from mash.flows.cluster import Cluster
from mash.flows.store.schema import MIGRATIONS, upgrade


def test_a_key_made_long_before_keys_had_an_end_goes_on_for_a_year(cluster: Cluster) -> None:
    def connect(database: str, user: str) -> psycopg.Connection:
        return psycopg.connect(host=str(cluster.socket), user=user, dbname=database, autocommit=True)

    with connect("postgres", "postgres") as superuser:
        superuser.execute(sql.SQL("CREATE DATABASE used OWNER mash_owner"))
    try:
        address = make_url(cluster.owner_url).set(drivername="postgresql+psycopg", database="used")
        engine = create_engine(address)
        with engine.connect() as connection:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.set_main_option("path_separator", "os")
            config.attributes["connection"] = connection
            command.upgrade(config, "0005")
            connection.commit()
        engine.dispose()
        with connect("used", "mash_owner") as owner:
            owner.execute("INSERT INTO api_key VALUES ('h', 'school', 'sandwell', 'education', now() - interval '3 years', NULL)")
        upgrade(address.render_as_string())
        with connect("used", "mash_owner") as owner:
            kept = owner.execute("SELECT expires_at > now() + interval '11 months', scopes FROM api_key").fetchall()
        assert kept == [(True, ["submit", "read_status", "disagree"])]
    finally:
        with connect("postgres", "postgres") as superuser:
            superuser.execute(sql.SQL("DROP DATABASE used WITH (FORCE)"))
