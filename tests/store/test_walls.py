"""Whoever has got hold of the application's own connection to the database sees with nobody else's eyes, and writes no case."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from acting import BASIS, DUTY, POLICE, SCHOOL, START, set_time, submit
from hub import eventually
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mash.api.self_test.walls import be
from mash.flows.installation.postmaster import Cluster
from mash.flows.store.acting import Signer, signer_of
from mash.flows.store.apply import act, apply, receive
from mash.flows.store.store import Store, as_json
from mash.flows.store.writes import Item, Writes
from mash.states.acts.checks import AnswerCheck
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.information import ReleaseInformation
from mash.states.acts.rating import RateReferral
from mash.states.acts.upkeep import AddNote
from mash.states.errors import NotYours
from mash.states.log import Recorded
from mash.states.values import Actor, Subject

HOUSING = Actor(id="h.officer", role="agency", agency="housing", hub="merton")
SANDWELL = Actor(id="d.manager", role="duty_manager", agency="social_care", hub="sandwell")


@pytest.fixture
async def reference(store: Store) -> str:
    """A case of Merton's: rated, the agencies asked, the police have answered in words."""
    set_time(store, START)
    reference = await submit(store)
    await act(store, reference, BASIS, DUTY)
    await act(store, reference, RateReferral(rating="amber"), DUTY)
    await act(store, reference, AnswerCheck(agency="police", known=True), POLICE, words="Known to officers.")
    return reference


@pytest.fixture
def application(cluster: Cluster) -> Iterator[psycopg.Connection]:
    """The application's own connection, at which somebody types what they like."""
    with psycopg.connect(host=str(cluster.socket), user="mash_app", dbname="mash") as connection:
        yield connection


def cases(connection: psycopg.Connection) -> int:
    ((number,),) = connection.execute("SELECT count(*) FROM referral").fetchall()
    return int(number)


def token(connection: psycopg.Connection) -> str:
    ((found,),) = connection.execute("SELECT current_setting('mash.who', true)").fetchall()
    return str(found)


def set_token(connection: psycopg.Connection, found: str) -> None:
    connection.execute("SELECT set_config('mash.who', %s, true)", (found,))


# --- whose eyes it has --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["event", "referral_key", "notice", "personal_item"])
async def test_what_a_partner_reads_of_one_case_reads_no_other_of_the_hub(store: Store, reference: str, table: str) -> None:
    for _ in range(20):
        await submit(store)
    read = text("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'referral'")
    async with store.transaction(POLICE, of_one_case=True) as connection:
        before = await connection.scalar(read) or 0
        rows = (await connection.execute(text(f"SELECT reference FROM {table} WHERE reference = :of"), {"of": reference})).all()
        after = await connection.scalar(read) or 0
    assert rows and after - before <= len(rows)


async def test_what_is_written_to_one_case_reads_no_table_from_end_to_end(store: Store, reference: str) -> None:
    for _ in range(20):
        await submit(store)
    tables = ("referral", "event", "notice", "known_person", "known_key", "personal_item", "participant")
    read = text("SELECT sum(seq_tup_read) FROM pg_stat_xact_user_tables WHERE CAST(relname AS text) = ANY (:tables)")
    async with store.transaction(DUTY, of_one_case=True) as connection:
        before = await connection.scalar(read, {"tables": list(tables)}) or 0
        await apply(connection, store, reference, AddNote(), DUTY, words="She rang again.")
        after = await connection.scalar(read, {"tables": list(tables)}) or 0
    assert after == before


@pytest.mark.parametrize(
    "query",
    [
        "WITH other AS (SELECT set_config('mash.hub', 'merton', true)) SELECT count(r) FROM other, referral r",
        "WITH other AS (SELECT set_config('mash.who', replace(current_setting('mash.who'), 'sandwell', 'merton'), true))"
        " SELECT count(r) FROM other, referral r",
        'SELECT count(r) FROM (SELECT set_config(\'mash.who\', \'{"hub": "merton", "reach": "hub"}\', true)) o, referral r',
    ],
)
async def test_a_query_that_sets_whose_eyes_it_has_sees_nothing_of_another_hub(
    store: Store, reference: str, application: psycopg.Connection, query: str
) -> None:
    be(application, SANDWELL, START, store.caller_key)
    assert application.execute(query.encode()).fetchone() == (0,)
    assert cases(application) == 0
    be(application, DUTY, START, store.caller_key)
    assert cases(application) == 1, "which whoever works there does"


async def test_what_was_signed_for_a_transaction_is_worth_nothing_in_the_next_or_on_another_connection(
    store: Store, reference: str, application: psycopg.Connection, cluster: Cluster
) -> None:
    be(application, DUTY, START, store.caller_key)
    signed = token(application)
    assert cases(application) == 1
    application.commit()
    assert token(application) == "" and cases(application) == 0
    set_token(application, signed)
    assert cases(application) == 0
    with psycopg.connect(host=str(cluster.socket), user="mash_app", dbname="mash") as another:
        set_token(another, signed)
        assert cases(another) == 0


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(begin=st.integers(0, 250), end=st.integers(0, 250), put=TEXT)
def test_no_change_of_what_was_signed_is_believed(
    store: Store, reference: str, application: psycopg.Connection, begin: int, end: int, put: str
) -> None:
    application.rollback()
    be(application, SANDWELL, START, store.caller_key)
    signed = token(application)
    changed = signed[:begin] + put + signed[end:]
    assume(changed != signed)
    set_token(application, changed)
    assert application.execute("SELECT acting('hub')").fetchone() == (None,)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT key FROM caller_key",
        "SELECT signed_here('who', '{}')",
        "SELECT unfounded('{}')",
        "SELECT end_alerts('{}')",
        "UPDATE caller_key SET key = ''",
        "DELETE FROM caller_key",
        "CREATE OR REPLACE FUNCTION acting(part text) RETURNS text LANGUAGE sql AS 'SELECT part'",
        "CREATE FUNCTION pg_temp.acting(part text) RETURNS text LANGUAGE sql AS 'SELECT part'",
        "ALTER FUNCTION acting SECURITY INVOKER",
    ],
)
async def test_what_signs_is_out_of_the_applications_reach(store: Store, application: psycopg.Connection, statement: str) -> None:
    be(application, DUTY, START, store.caller_key)
    with pytest.raises(InsufficientPrivilege):
        application.execute(statement.encode())


OF_NOBODY = {"alembic_version", "profile_version", "time_anchor"}
"""What everybody may read: it says nothing of anybody, nor of any hub's work."""


def test_every_table_that_the_application_reads_or_writes_shows_rows_by_a_policy(cluster: Cluster) -> None:
    open_to_all = """
        SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relrowsecurity
            AND has_table_privilege('mash_app', oid, 'SELECT, INSERT, UPDATE, DELETE')"""
    with psycopg.connect(host=str(cluster.socket), user="postgres", dbname="mash") as superuser:
        assert {name for (name,) in superuser.execute(open_to_all).fetchall()} <= OF_NOBODY


# --- what it writes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO event SELECT reference, sequence + 1, kind, at, canonical, hash, hub FROM event",
        "INSERT INTO participant (reference, party, hub, person) SELECT reference, 'housing', hub, '' FROM referral",
        "UPDATE participant SET party = 'housing'",
        "UPDATE referral SET next_at = '2030-01-01', due_at = '2030-01-01'",
        "UPDATE referral SET reference = reference",
        "UPDATE referral SET caller = 'school-2'",
        "UPDATE personal_item SET release_state = 'released'",
        "INSERT INTO personal_item SELECT * FROM personal_item",
        "INSERT INTO referral_key (reference, hub) VALUES ('MASH-26-999999', 'merton')",
        "INSERT INTO known_person (reference, hub, tokens) VALUES ('MASH-26-999999', 'merton', '{}')",
        "INSERT INTO notice (reference, hub, kind, role, facts, created_at, status, tries)"
        " SELECT reference, hub, 'immediate_danger', 'service_manager', '{}', now(), 'queued', 0 FROM referral",
        "UPDATE notice SET over = true",
        "LOCK TABLE referral IN ACCESS EXCLUSIVE MODE",
        "LOCK TABLE event IN SHARE MODE",
    ],
)
async def test_the_applications_role_writes_nothing_of_a_case_by_itself(
    store: Store, reference: str, application: psycopg.Connection, statement: str
) -> None:
    be(application, DUTY, START, store.caller_key)
    with pytest.raises(InsufficientPrivilege):
        application.execute(statement.encode())


async def test_a_partner_is_not_shown_who_else_has_a_part_in_which_case(
    store: Store, reference: str, application: psycopg.Connection
) -> None:
    parties = "SELECT DISTINCT party FROM participant"
    be(application, HOUSING, START, store.caller_key)
    assert application.execute(parties).fetchall() == []
    be(application, POLICE, START, store.caller_key)
    assert application.execute(parties).fetchall() == [("police",)]


async def test_it_locks_a_case_that_whoever_acts_reaches_and_no_other(
    store: Store, reference: str, application: psycopg.Connection
) -> None:
    lock = "SELECT reference FROM referral FOR UPDATE"
    be(application, HOUSING, START, store.caller_key)
    assert application.execute(lock).fetchall() == []
    be(application, DUTY, START, store.caller_key)
    assert application.execute(lock).fetchall() == [(reference,)]


async def test_no_answer_is_written_down_about_a_case_that_whoever_acts_does_not_reach(
    store: Store, reference: str, application: psycopg.Connection
) -> None:
    receipt = "INSERT INTO receipt VALUES ('h.officer', 'k', 'command', 'f', 200, '{}', %s, now(), 'merton')"
    be(application, HOUSING, START, store.caller_key)
    with pytest.raises(InsufficientPrivilege):
        application.execute(receipt, (reference,))


async def test_rows_that_the_program_has_not_signed_are_not_written(
    store: Store, reference: str, application: psycopg.Connection
) -> None:
    rows = await rows_of(store, reference, AddNote(), DUTY, words="A note.")
    signer = be(application, DUTY, START, store.caller_key)
    statement = "SELECT write_referrals(%s, %s)"
    for signature in ("", Signer(b"another", signer.here).sign("write", rows), signer.sign("who", rows)):
        with pytest.raises(InsufficientPrivilege, match="not signed"), application.transaction():
            application.execute(statement, (rows, signature))
    application.execute(statement, (rows, signer.sign("write", rows)))


async def rows_of(store: Store, reference: str, command: Any, by: Actor, **words: str) -> str:
    """What the program would tell the database for a command."""
    found: list[str] = []
    plain = Writes.flush

    async def listen(self: Writes, connection: Any) -> None:
        found.append(as_json({name: rows for name, rows in vars(self).items() if name != "rows_key"} | {"urgent": []}))

    Writes.flush = listen  # type: ignore[method-assign]  # nothing is written
    try:
        async with store.transaction(by) as connection:
            if isinstance(command, ReceiveContact):
                await receive(connection, store, command, [Item("concern", b"words")], by)
            else:
                await apply(connection, store, reference, command, by, **words)
    finally:
        Writes.flush = plain  # type: ignore[method-assign]
    return found[0]


def with_event(rows: dict[str, Any], **changes: Any) -> None:
    """Change what the last event says, and what follows from that: its hash, and the head of the log."""
    event = rows["events"][-1]
    content = json.loads(event["canonical"])
    for place, value in changes.items():
        *path, last = place.split("__")
        into = content
        for step in path:
            into = into[step]
        into[last] = value
    event["canonical"] = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    event["hash"] = Recorded.digest(event["canonical"])
    for name in ("at", "sequence", "reference"):
        event[name] = content[name]
    for row in (*rows["changed"], *rows["begun"]):
        row["head_hash"] = event["hash"]


def join(rows: dict[str, Any], party: str, person: str = "", until: str | None = None) -> None:
    """Let somebody have a part in the case."""
    case = rows["changed"][0]["reference"]
    rows["parties"].append({"reference": case, "party": party, "hub": "merton", "person": person, "until": until})


LATER = "2030-01-01T00:00:00+00:00"
YESTERDAY = (START - timedelta(days=1)).isoformat()
NOTE, RATE = AddNote(), RateReferral(rating="red")
RECEIVE = ReceiveContact(contact="referral", source="1A", source_agency="school", subjects=(Subject(id="s1", cohort="child"),))
NOT_THEIR_OWN = "words that no event names"
LIES: dict[str, tuple[Any, Actor, Callable[[dict[str, Any]], Any], str]] = {
    "by somebody else": (NOTE, DUTY, lambda r: with_event(r, by__id="s.manager"), "whoever acts"),
    "in another role": (NOTE, DUTY, lambda r: with_event(r, by__role="service_manager"), "whoever acts"),
    "dated before": (NOTE, DUTY, lambda r: with_event(r, at=YESTERDAY), "here and now"),
    "dated ahead": (NOTE, DUTY, lambda r: with_event(r, at=LATER), "here and now"),
    "leaving one out": (NOTE, DUTY, lambda r: with_event(r, sequence=99), "does not follow"),
    "after another one": (NOTE, DUTY, lambda r: with_event(r, previous="0" * 64), "does not follow"),
    "of another case": (NOTE, DUTY, lambda r: r["events"][0].update(reference="MASH-26-000099"), "does not follow"),
    "hashed otherwise": (NOTE, DUTY, lambda r: r["events"][0].update(hash="0" * 64), "does not follow"),
    "without an event": (NOTE, DUTY, lambda r: r["events"].clear(), "does not follow"),
    "never due": (RATE, DUTY, lambda r: r["changed"][0].update(next_at=LATER), "its clocks"),
    "due later": (RATE, DUTY, lambda r: r["changed"][0].update(due_at=LATER), "its clocks"),
    "closed": (RATE, DUTY, lambda r: r["changed"][0].update(is_open=False), "a state"),
    "finished": (RATE, DUTY, lambda r: r["changed"][0].update(finished=True), "a state"),
    "rated otherwise": (RATE, DUTY, lambda r: r["changed"][0].update(rating="green"), "a state"),
    "at another stage": (RATE, DUTY, lambda r: r["changed"][0].update(stage="decision"), "a state"),
    "with a partner who is not asked": (
        NOTE,
        DUTY,
        lambda r: r["parties"].append(
            {"reference": r["changed"][0]["reference"], "party": "housing", "hub": "merton", "person": ""}
        ),
        "no part",
    ),
    "with somebody who broke no glass": (
        NOTE,
        DUTY,
        lambda r: r["parties"].append(
            {
                "reference": r["changed"][0]["reference"],
                "party": "social_care",
                "hub": "merton",
                "person": "d.manager",
                "until": LATER,
            }
        ),
        "no part",
    ),
    "words of another agency": (NOTE, DUTY, lambda r: r["items"][0].update(owner_agency="police"), NOT_THEIR_OWN),
    "words of somebody else": (NOTE, DUTY, lambda r: r["items"][0].update(created_by="s.manager"), NOT_THEIR_OWN),
    "words that are released": (NOTE, DUTY, lambda r: r["items"][0].update(release_state="released"), NOT_THEIR_OWN),
    "a redacted version that no event names": (
        NOTE,
        DUTY,
        lambda r: r["items"][0].update(id=str(uuid4()), kind="redacted"),
        NOT_THEIR_OWN,
    ),
    "an alert about another case": (RATE, DUTY, lambda r: r["notices"][0].update(reference="MASH-26-000099"), "a notice"),
    "an alert about the system": (RATE, DUTY, lambda r: r["notices"][0].update(kind="system"), "a notice"),
    "an alert at another hub": (RATE, DUTY, lambda r: r["notices"][0].update(hub="sandwell"), "a notice"),
    "a contact of somebody else": (RECEIVE, SCHOOL, lambda r: r["begun"][0].update(caller="school-2"), "nobody made"),
    "a contact beside another one": (RECEIVE, SCHOOL, lambda r: r["begun"][0].update(root="MASH-26-000001"), "nobody made"),
    "a key of another case": (RECEIVE, SCHOOL, lambda r: r["keys"][0].update(reference="MASH-26-000001"), "a key or a name"),
}


@pytest.mark.parametrize("lie", LIES)
async def test_the_database_compares_what_it_is_told_with_the_log(store: Store, reference: str, lie: str) -> None:
    command, by, change, refused = LIES[lie]
    if command is RATE:
        reference = await submit(store)
        await act(store, reference, BASIS, DUTY)
    rows = json.loads(await rows_of(store, reference, command, by, **({} if command is RECEIVE else {"words": "Words."})))
    change(rows)
    with pytest.raises(DBAPIError, match=refused):
        await write(store, rows, by)


async def write(store: Store, rows: dict[str, Any], by: Actor) -> None:
    """Tell the database, signed as by the program."""
    async with store.transaction(by) as connection:
        document = as_json(rows)
        signed = {"document": document, "signature": signer_of(connection).sign("write", document)}
        await connection.execute(text("SELECT write_referrals(:document, :signature)"), signed)


async def test_nobody_writes_in_a_case_in_which_they_have_no_part(store: Store, reference: str) -> None:
    with pytest.raises(NotYours, match="ring it"):
        await act(store, reference, AddNote(), HOUSING, words="A note.", of_system=True)
    rows = json.loads(await rows_of(store, reference, AddNote(), DUTY, words="A note."))
    with_event(rows, by=HOUSING.model_dump())
    rows["items"][0].update(owner_agency="housing", created_by=HOUSING.id)
    with pytest.raises(DBAPIError, match="has no part"):
        await write(store, rows, HOUSING)


async def test_only_whoever_holds_something_releases_it_and_only_as_the_log_says(store: Store, reference: str) -> None:
    async with store.engine.connect() as connection:
        held = str(await connection.scalar(text("SELECT id FROM personal_item WHERE kind = 'answer_check'")))
    note = json.loads(await rows_of(store, reference, AddNote(), DUTY, words="A note."))
    for by in (DUTY, POLICE):
        with_event(note, by=by.model_dump())
        note["items"][0].update(owner_agency=by.agency, created_by=by.id)
        with pytest.raises(DBAPIError, match="a release"):
            await write(store, {**note, "released": [held]}, by)
    release = ReleaseInformation(item=held, necessity="to_protect_a_child", proportionality="whole")
    theirs = json.loads(await rows_of(store, reference, release, POLICE, words="The meeting must know."))
    assert theirs["released"] == [held]
    await write(store, theirs, POLICE)


# --- how long it takes --------------------------------------------------------------------------------------------------------


async def test_a_statement_of_anybody_is_ended_after_seconds_though_a_query_before_it_said_otherwise(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mash.flows.store.store.LONGEST", "200ms")
    async with store.transaction(DUTY) as connection:
        await connection.execute(text("SELECT set_config('statement_timeout', '0', false)"))
    with pytest.raises(DBAPIError, match="statement timeout"):
        async with store.transaction(DUTY) as connection:
            await connection.execute(text("SELECT pg_sleep(30)"))


async def test_a_statement_whose_client_has_gone_is_ended(store: Store, cluster: Cluster) -> None:
    connection = await store.people.connect()
    client = (await connection.get_raw_connection()).driver_connection
    assert client
    waiting = asyncio.ensure_future(client.execute("SELECT pg_sleep(9)"))
    alive = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(9)' AND state = 'active'"

    def going_on() -> bool:
        with psycopg.connect(host=str(cluster.socket), user="postgres", dbname="mash") as superuser:
            return superuser.execute(alive).fetchone() == (1,)

    await asyncio.to_thread(eventually, going_on, 8)
    client.terminate()
    await asyncio.gather(waiting, return_exceptions=True)
    await asyncio.to_thread(eventually, lambda: not going_on(), 6)
    await connection.invalidate()


# --- what PostgreSQL lets everybody do ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT lo_create(0)",
        "SELECT lo_creat(0)",
        "SELECT lo_from_bytea(0, 'x')",
        "SELECT pg_advisory_lock(7052601)",
        "SELECT pg_try_advisory_xact_lock(1, 2)",
        "SELECT pg_export_snapshot()",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
        "SELECT pg_cancel_backend(1)",
        "SELECT pg_logical_emit_message(false, 'x', 'y')",
        "CREATE TEMPORARY TABLE mine (x int)",
        "CREATE TABLE mine (x int)",
        "CREATE SCHEMA mine",
        "SET temp_file_limit = -1",
    ],
)
def test_the_application_leaves_nothing_behind_and_holds_nothing_up(application: psycopg.Connection, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        application.execute(statement.encode())


def test_no_transaction_of_theirs_outlives_its_connection(application: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        application.execute("PREPARE TRANSACTION 'mine'")
