"""Attacks by whoever has got hold of the application's own connection to the database, and types what they like."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mash.api.client import person
from mash.api.self_test.attack import attack, hold
from mash.api.self_test.scene import Scene
from mash.config.permissions import reach
from mash.flows.store.acting import Signer, begin_as
from mash.flows.store.store import LONGEST, Store
from mash.states.values import Actor

HELD = "SELECT count(*) FROM personal_item WHERE kind = 'answer_check' AND owner_agency = 'police'"


def be(connection: psycopg.Connection, by: Actor, at: datetime, key: bytes) -> Signer:
    """Say who acts and when, signed by this key, as every transaction of the application does; returns what signs in it."""
    ((here,),) = connection.execute("SELECT this_transaction()").fetchall()
    signer = Signer(key, here)
    who = {"actor": by.id, "agency": by.agency, "hub": by.hub, "role": by.role, "reach": reach(by.role), "now": str(at)}
    signed = json.dumps(who)
    connection.execute("SELECT set_config('mash.who', %s, true)", (signer.sign("who", signed) + signed,))
    return signer


@contextmanager
def _as(scene: Scene, by: Actor | None) -> Iterator[psycopg.Connection]:
    """The application's connection, within a transaction of somebody's that comes to nothing."""
    with scene.on.connection("mash_app") as connection, connection.transaction(force_rollback=True):
        if by:
            be(connection, by, _now(scene), _key(scene))
        yield connection


def _key(scene: Scene) -> bytes:
    """What the application signs by, which its connection cannot read."""
    ((key,),) = scene.on.sql("SELECT key FROM caller_key")
    return bytes(key)


def _now(scene: Scene) -> datetime:
    ((now,),) = scene.on.sql("SELECT now()")
    assert isinstance(now, datetime)
    return now


def _count(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else -1


def _denied(scene: Scene, by: Actor, *statements: str) -> str:
    """None of these may be carried out."""
    for statement in statements:
        with _as(scene, by) as connection:
            try:
                connection.execute(statement.encode())
            except psycopg.errors.InsufficientPrivilege as wrong:
                line = str(wrong).splitlines()[0]
                continue
            hold(False, f"carried out: {statement}")
    return line


DUTY = person("duty_manager")


@attack("ask the database without saying who asks")
def nobody(scene: Scene) -> str:
    with _as(scene, None) as connection:
        for table in ("referral", "event", "personal_item", "referral_key", "notice", "known_person", "access"):
            try:
                hold(_count(connection, f"SELECT count(*) FROM {table}") == 0, f"rows of {table}")  # noqa: S608  table names of ours
            except psycopg.errors.InsufficientPrivilege:
                connection.execute("ROLLBACK")
    return "no row of any table"


@attack("ask the database for another hub's cases")
def another_hubs_rows(scene: Scene) -> str:
    with _as(scene, person("duty_manager", hub="merton")) as connection:
        own = "SELECT count(*) FROM referral"
        hold(_count(connection, own) > 0, "not even one's own: nothing is shown")
        for table in ("referral", "event", "personal_item", "referral_key", "notice"):
            hold(_count(connection, f"SELECT count(*) FROM {table} WHERE hub <> 'merton'") == 0, f"rows of {table}")  # noqa: S608  table names of ours
    return "no row that is not its own"


@attack("ask the database for what another agency holds")
def another_agencys_rows(scene: Scene) -> str:
    with _as(scene, person("agency", "police")) as connection:
        hold(_count(connection, HELD) > 0, "not even their own: nothing is shown")
    for by in (DUTY, person("service_manager"), person("agency", "health")):
        with _as(scene, by) as connection:
            hold(_count(connection, HELD) == 0, f"{by.role} of {by.agency} sees it")
    return "no row before it is released"


@attack("change or delete an event in the database")
def change(scene: Scene) -> str:
    return _denied(
        scene, DUTY, "UPDATE event SET canonical = '{}'", "DELETE FROM event", "TRUNCATE event", "DELETE FROM referral"
    )


@attack("say in a query to be of another hub")
def another_hub_by_a_variable(scene: Scene) -> str:
    merton = "(SELECT set_config('mash.{}', {}, true)) AS other"
    changed = "replace(current_setting('mash.who'), 'sandwell', 'merton')"
    for variable in (merton.format("hub", "'merton'"), merton.format("who", changed)):
        with _as(scene, DUTY) as connection:
            elsewhere = f"SELECT count(*) FROM {variable}, LATERAL (SELECT * FROM referral OFFSET 0) r WHERE hub = 'merton'"  # noqa: S608  constants of ours
            hold(_count(connection, elsewhere) == 0, "its cases")
            hold(_count(connection, "SELECT count(*) FROM referral WHERE hub = 'merton'") == 0, "its cases, from then on")
    return "no row: what is believed is what was signed"


@attack("say again who acts, as it was signed before: in another transaction, and on another connection")
def signed_before(scene: Scene) -> str:
    with scene.on.connection("mash_app") as one, scene.on.connection("mash_app") as other:
        with one.transaction():
            be(one, DUTY, _now(scene), _key(scene))
            signed = one.execute("SELECT current_setting('mash.who')").fetchone()
            hold(_count(one, "SELECT count(*) FROM referral") > 0, "not even then: nothing is shown")
        for connection in (one, other):
            with connection.transaction():
                connection.execute("SELECT set_config('mash.who', %s, true)", signed)
                hold(_count(connection, "SELECT count(*) FROM referral") == 0, "the cases")
    return "no row"


@attack("read what signs who acts, or have something signed")
def sign(scene: Scene) -> str:
    return _denied(
        scene, DUTY, "SELECT key FROM caller_key", "SELECT signed_here('who', '{}')", "UPDATE caller_key SET key = ''",
        "CREATE OR REPLACE FUNCTION acting(part text) RETURNS text LANGUAGE sql AS 'SELECT part'",
    )  # fmt: skip


@attack("look in the database for whom another hub knows, or be asked for more questions than one has")
def across(scene: Scene) -> str:
    return _denied(
        scene, DUTY, "SELECT contacts_alike('merton', '', ARRAY[1], 10, 10)", "SELECT count(*) FROM known_key",
        """SELECT may_ask_again('{"an_hour": 1000, "a_day": 1000}', 'unsigned')""",
    )  # fmt: skip


@attack("write an event, a part in a case, a release, a deadline or an alert")
def forge(scene: Scene) -> str:
    return _denied(
        scene,
        DUTY,
        "INSERT INTO event SELECT reference, sequence + 1000, kind, at, canonical, hash, hub FROM event LIMIT 1",
        "INSERT INTO participant (reference, party, hub, person) SELECT reference, 'housing', hub, '' FROM referral",
        "UPDATE personal_item SET release_state = 'released'",
        "UPDATE referral SET next_at = '2030-01-01', due_at = '2030-01-01'",
        "INSERT INTO notice (reference, hub, kind, role, facts, created_at, status, tries)"
        " SELECT reference, hub, 'immediate_danger', 'service_manager', '{}', now(), 'queued', 0 FROM referral",
    )


@attack("have rows written that the application has not signed")
def unsigned(scene: Scene) -> str:
    rows = json.dumps({"events": [], "changed": [{"reference": scene.case, "next_at": "2030-01-01"}], "released": []})
    with _as(scene, DUTY) as connection:
        for signature in ("", "0" * 64):
            try:
                with connection.transaction():
                    connection.execute("SELECT write_referrals(%s, %s)", (rows, signature))
            except psycopg.errors.InsufficientPrivilege as wrong:
                line = str(wrong).splitlines()[0]
                continue
            hold(False, "they were written")
    return line


@attack("leave in the database what stops backups, or hold up whoever works with it")
def leave_behind(scene: Scene) -> str:
    return _denied(
        scene, DUTY, "SELECT lo_create(0)", "SELECT lo_from_bytea(0, 'x')", "SELECT pg_advisory_lock(7052601)",
        "CREATE TEMPORARY TABLE mine (a int)", "LOCK TABLE referral IN ACCESS EXCLUSIVE MODE", "SELECT pg_export_snapshot()",
    )  # fmt: skip


@attack("leave a query running for ever, having set aside before how long one may run")
def endless(scene: Scene) -> str:
    return scene.on.stored(_endless)


async def _endless(store: Store) -> str:
    async with store.transaction(DUTY) as connection:
        await connection.execute(text("SELECT set_config('statement_timeout', '0', false)"))
    async with store.transaction(DUTY) as connection:
        limit = await connection.scalar(text("SHOW statement_timeout"))
    hold(limit == LONGEST, f"the next transaction's statements may run for {limit}")
    try:
        async with store.people.begin() as connection:
            # Begun as any transaction of the application's, with a limit for which a self-test has the time.
            await begin_as(connection, store.caller_key, "{}", "500ms")
            await connection.execute(text("SELECT pg_sleep(30)"))
    except DBAPIError as wrong:
        hold("statement timeout" in str(wrong), str(wrong))
        return f"the next transaction has its {limit} for a statement again; whatever takes longer is ended"
    hold(False, "it ran to its end")
    return ""


@attack("delete who looked at a case")
def unlook(scene: Scene) -> str:
    return _denied(scene, DUTY, "DELETE FROM access", "UPDATE access SET person = 'nobody'", "TRUNCATE access")


@attack("switch the database's walls off")
def switch_off(scene: Scene) -> str:
    return _denied(
        scene, DUTY, "ALTER TABLE referral DISABLE ROW LEVEL SECURITY", "DROP POLICY reached ON referral",
        "CREATE POLICY open ON referral USING (true)", "ALTER ROLE mash_app BYPASSRLS", "CREATE TABLE mine (a int)",
    )  # fmt: skip


@attack("become the database's owner, or the software")
def become(scene: Scene) -> str:
    return _denied(scene, DUTY, "SET ROLE mash_owner", "SET ROLE mash_system", "SET SESSION AUTHORIZATION mash_system")


@attack("read sessions and API keys, or make one")
def credentials(scene: Scene) -> str:
    return _denied(scene, DUTY, "SELECT * FROM session", "SELECT * FROM api_key", "INSERT INTO session DEFAULT VALUES")


@attack("leave the database: its files, its programs")
def leave(scene: Scene) -> str:
    return _denied(
        scene, DUTY, "COPY (SELECT 1) TO PROGRAM 'true'", "SELECT pg_read_file('/etc/passwd')", "SELECT lo_import('/etc/passwd')"
    )


@attack("read Prefect's database, as the application")
def prefects(scene: Scene) -> str:
    assert scene.on.stack.cluster
    try:
        with psycopg.connect(host=str(scene.on.stack.cluster.socket), user="mash_app", dbname="prefect") as connection:
            connection.execute("SELECT count(*) FROM flow_run")
    except (psycopg.errors.InsufficientPrivilege, psycopg.OperationalError) as wrong:
        hold("permission denied" in str(wrong), str(wrong))
        return "permission denied"
    hold(False, "its runs")
    return ""
