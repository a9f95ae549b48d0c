"""An upgrade of a database that has been used: what was in it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import create_engine, make_url

from mash.flows.installation.postmaster import Cluster
from mash.flows.store.schema import MIGRATIONS, upgrade


@contextmanager
def upgraded(cluster: Cluster, since: str, *before: str) -> Iterator[psycopg.Connection]:
    """A database in which all this was done at a revision, after its upgrade: as its owner sees it."""

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
            command.upgrade(config, since)
            connection.commit()
        engine.dispose()
        with connect("used", "mash_owner") as owner:
            for statement in before:
                owner.execute(statement.encode())
        upgrade(address.render_as_string())
        with connect("used", "mash_owner") as owner:
            yield owner
    finally:
        with connect("postgres", "postgres") as superuser:
            superuser.execute(sql.SQL("DROP DATABASE used WITH (FORCE)"))


def test_a_key_made_long_before_keys_had_an_end_goes_on_for_a_year(cluster: Cluster) -> None:
    made = "INSERT INTO api_key VALUES ('h', 'school', 'sandwell', 'education', now() - interval '3 years', NULL)"
    with upgraded(cluster, "0005", made) as owner:
        row = owner.execute("SELECT expires_at > now() + interval '11 months', scopes FROM api_key").fetchall()
    assert row == [(True, ["submit", "read_status", "disagree"])]


def test_receipts_and_accesses_stay_and_another_hub_may_have_the_same_caller_and_key(cluster: Cluster) -> None:
    receipt = "INSERT INTO receipt VALUES ('school', 'k1', 'submission', 'f', 201, '{}', 'MASH-26-000001', now(), '%s')"
    access = "INSERT INTO access VALUES (DEFAULT, now(), 'd', 'r', 'a', 'sandwell', 'R', 'read_case', 'works at the hub')"
    with upgraded(cluster, "0009", receipt % "sandwell", access) as owner:
        owner.execute((receipt % "merton").encode())
        assert owner.execute("SELECT caller, key, hub FROM receipt ORDER BY hub").fetchall() == [
            ("school", "k1", "merton"),
            ("school", "k1", "sandwell"),
        ]
        assert owner.execute("SELECT reference, about FROM access").fetchall() == [("R", None)]


def test_what_follows_from_a_state_stays_and_is_reckoned_by_one_reading_from_then_on(cluster: Cluster) -> None:
    state = '{"version_for_all": 1, "immediate_danger": true, "worker": {"login": "ann", "role": "duty_manager"}, "clocks": {}}'
    columns = "reference, root, hub, caller, version, head_hash, state, stage, is_open, finished, received_at"
    made = f"""INSERT INTO referral ({columns})
        SELECT name, name, 'sandwell', 'school', 1, 'h', '{state}', 'triage', name = 'OPEN', false, now()
        FROM (VALUES ('CLOSED'), ('OPEN')) AS cases (name)"""
    reckoned = "SELECT reference, danger, hands, for_all FROM referral ORDER BY 1"
    expected = [("CLOSED", False, [], 1), ("OPEN", True, ["login:ann", "role:duty_manager"], 1)]
    with upgraded(cluster, "0049", made) as owner:
        assert owner.execute(reckoned).fetchall() == expected
        owner.execute("UPDATE referral SET danger = NOT danger, hands = '{}', for_all = 0")
        assert owner.execute(reckoned).fetchall() == expected
        owner.execute("UPDATE referral SET is_open = false")
        assert owner.execute(reckoned).fetchall() == [(name, False, [], 1) for name in ("CLOSED", "OPEN")]
