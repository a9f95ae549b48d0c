"""The one write path: what is stored is what the log says, once, by whom, and words are never in the clear."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from acting import BASIS, DUTY, MANAGER, POLICE, START, set_time, submit
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Text, create_engine, select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from mash.config.errors import SettingsError
from mash.config.settings import Settings
from mash.flows.installation.postmaster import Cluster
from mash.flows.store.apply import Applied, act, fire_due
from mash.flows.store.keys import KeyDestroyed, unseal
from mash.flows.store.log import fold, read_log, verify
from mash.flows.store.looking import look_next
from mash.flows.store.reads.board import open_cases
from mash.flows.store.reads.case import read_case
from mash.flows.store.reads.items import read_items
from mash.flows.store.reads.look import look_at_family
from mash.flows.store.reads.notices import notices_of
from mash.flows.store.runs import behind, record_shown
from mash.flows.store.store import Store, data_key, open_store
from mash.flows.store.tables import ITEMS, REFERRALS
from mash.states.acts.checks import AnswerCheck
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.protection import CallStrategyDiscussion
from mash.states.acts.rating import RateReferral
from mash.states.acts.upkeep import AddNote
from mash.states.errors import ImpossibleMove, NotFound, ReasonNeeded, VersionConflict
from mash.states.messages import Command
from mash.states.values import Actor

CANARY = "Zaphod-Beeblebrox-canary"


async def decided(store: Store, outcomes: dict[str, Any]) -> Applied:
    """A contact rated blue and decided."""
    reference = await submit(store, *outcomes)
    await act(store, reference, RateReferral(rating="blue"), DUTY)
    return await act(store, reference, RecordDecision(outcomes=outcomes, primary_need="N4"), MANAGER, words="for the best")


async def stored_matches_log(store: Store, reference: str) -> bool:
    """Whether the stored row, its columns and its state are the fold of the log."""
    state = fold(await read_log(store, reference))
    async with store.engine.connect() as connection:
        row = (await connection.execute(select(REFERRALS).where(REFERRALS.c.reference == reference))).one()
    columns = (row.version, row.stage, row.rating, row.is_open, row.finished, row.due_at, row.next_at)
    expected = (state.version, state.stage, state.rating, state.open, state.finished, state.due_at, state.next_at)
    return (await read_case(store, reference)).referral == state and columns == expected


async def test_what_is_stored_is_the_fold_of_the_log_after_every_command(store: Store) -> None:
    reference = await submit(store)
    acts: list[tuple[Command, Actor, str | None]] = [
        (RateReferral(rating="amber"), DUTY, None),
        (BASIS, DUTY, None),
        (AnswerCheck(agency="police", known=True, relevant=True), POLICE, "known to us"),
        (CallStrategyDiscussion(), DUTY, None),
        (AddNote(), DUTY, "mother rang"),
    ]
    assert await stored_matches_log(store, reference)
    for command, by, words in acts:
        await act(store, reference, command, by, words=words)
        assert await stored_matches_log(store, reference)


async def test_the_log_says_who_did_what_when_and_under_which_profile(store: Store) -> None:
    set_time(store, START)
    reference = await submit(store)
    await act(store, reference, RateReferral(rating="amber"), DUTY)
    rated = next(r for r in await read_log(store, reference) if r.event.kind == "referral_rated")
    assert (rated.by, rated.at, rated.profile) == (DUTY, START, store.hub("merton").digest)


async def test_references_are_unique_and_carry_the_year(store: Store) -> None:
    set_time(store, START)
    references = await asyncio.gather(*(submit(store) for _ in range(6)))
    assert len(set(references)) == 6 and all(reference.startswith("MASH-26-") for reference in references)


async def test_a_refused_command_leaves_no_trace_in_any_table(store: Store, owner_connection: psycopg.Connection) -> None:
    reference = await submit(store)
    await look_next(store)
    before = everything(owner_connection)
    with pytest.raises(ImpossibleMove):
        await act(store, reference, RecordDecision(outcomes={"s1": "advice"}), MANAGER, words="words of a refused command")
    with pytest.raises(ReasonNeeded):
        await act(store, reference, AddNote(), DUTY)
    assert everything(owner_connection) == before


async def test_of_two_who_saw_the_same_version_one_acts_and_the_other_looks_again(store: Store) -> None:
    reference = await submit(store)
    seen = (await read_case(store, reference)).referral.version
    tries = [act(store, reference, RateReferral(rating=rating), DUTY, seen=seen) for rating in ("red", "amber", "green", "blue")]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, Applied) for result in results) == 1
    conflicts = [result for result in results if isinstance(result, VersionConflict)]
    assert len(conflicts) == 3
    assert {conflict.facts["version"] for conflict in conflicts} == {(await read_case(store, reference)).referral.version}
    assert [wrong async for wrong in verify(store)] == []


async def test_many_who_write_at_once_without_looking_all_stand_in_the_log(store: Store) -> None:
    reference = await submit(store)
    await asyncio.gather(*(act(store, reference, AddNote(), DUTY, words=f"note {n}") for n in range(20)))
    kinds = [recorded.event.kind for recorded in await read_log(store, reference)]
    assert kinds.count("note_added") == 20
    assert await stored_matches_log(store, reference)
    assert [wrong async for wrong in verify(store)] == []


async def test_another_hub_cannot_tell_that_a_referral_exists(store: Store) -> None:
    reference = await submit(store)
    stranger = DUTY.model_copy(update={"hub": "sandwell"})
    for unknown in (reference, "MASH-26-999999"):
        with pytest.raises(NotFound) as refusal:
            await act(store, unknown, AddNote(), stranger, words="hello")
        assert refusal.value.reason == "there is no such referral at this hub"


# --- words ----------------------------------------------------------------------------------------------------------------


def everything(connection: psycopg.Connection) -> dict[str, list[str]]:
    """Every row of every table, as text (bytes in hexadecimal)."""
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
    rows = {name: connection.execute(f'SELECT t::text FROM "{name}" t ORDER BY 1'.encode()) for (name,) in tables}
    return {name: [line for (line,) in found.fetchall()] for name, found in rows.items()}


def where_found(connection: psycopg.Connection, words: str) -> Iterator[str]:
    for name, rows in everything(connection).items():
        if any(words in row or words.encode().hex() in row for row in rows):
            yield name


async def test_words_and_names_are_in_no_table_in_the_clear(store: Store, owner_connection: psycopg.Connection) -> None:
    reference = await submit(store, "s1", "s2", words=CANARY)
    await act(store, reference, RateReferral(rating="amber"), DUTY, words=f"{CANARY} rated")
    await act(store, reference, BASIS, DUTY, words=f"{CANARY} shared")
    await act(store, reference, AnswerCheck(agency="police", known=True), POLICE, words=f"{CANARY} answered")
    await act(store, reference, AddNote(), DUTY, words=f"{CANARY} noted")
    assert list(where_found(owner_connection, reference)), "the search itself must find what is there"
    assert list(where_found(owner_connection, CANARY)) == []
    stored = await read_items(store, await read_case(store, reference), DUTY)
    assert f"{CANARY} noted" in [item["content"] for item in stored]


async def test_an_agency_keeps_its_words_and_the_hub_sees_only_that_they_exist(store: Store) -> None:
    reference = await submit(store)
    await act(store, reference, RateReferral(rating="amber"), DUTY)
    await act(store, reference, BASIS, DUTY)
    await act(store, reference, AnswerCheck(agency="police", known=True), POLICE, words="intelligence")
    theirs = {
        by.agency: [
            i["content"]
            for i in await read_items(store, await read_case(store, reference), by)
            if i["kind"] in ("answer_check", "held_by_agency")
        ]
        for by in (DUTY, POLICE)
    }
    assert theirs == {"social_care": [None], "police": ["intelligence"]}


async def test_words_do_not_open_under_another_referral(store: Store, owner_connection: psycopg.Connection) -> None:
    mine, other = await submit(store), await submit(store)
    owner_connection.execute("UPDATE personal_item SET reference = %s WHERE reference = %s", (other, mine))
    with pytest.raises(KeyDestroyed):
        await read_items(store, await read_case(store, other), DUTY)


async def test_another_master_key_opens_nothing_and_wraps_nothing_that_could_not_be_opened(
    store: Store, settings: Settings
) -> None:
    foreign = settings.model_copy(update={"master_key": type(settings.master_key)("A" * 43 + "=")})
    with pytest.raises(SettingsError, match="not the one of this database"):
        await open_store(foreign)


# --- splits ---------------------------------------------------------------------------------------------------------------


async def test_a_split_takes_what_concerns_its_subjects_along_under_a_key_of_its_own(store: Store) -> None:
    done = await decided(store, {"s1": "no_further_action", "s2": "early_help", "s3": "early_help"})
    parent, child = await look_at_family(store, done.reference, DUTY, "read_case")
    assert (parent.referral.subjects.keys(), child.referral.subjects.keys()) == ({"s2", "s3"}, {"s1"})
    assert child.referral.parent == parent.reference and child.caller == parent.caller
    moved = await read_items(store, await read_case(store, child.reference), DUTY)
    assert {item["subject"] for item in moved} == {None, "s1"}
    assert {"a concern", '{"name": "a concern s1"}'} <= {item["content"] for item in moved}
    async with store.engine.connect() as connection:
        keys = [await data_key(connection, store, reference) for reference in (parent.reference, child.reference)]
        sealed = (await connection.scalars(select(ITEMS.c.sealed).where(ITEMS.c.reference == child.reference))).all()
    assert keys[0] != keys[1]
    with pytest.raises(KeyDestroyed):
        unseal(AESGCM(keys[0]), sealed[0], child.reference)
    assert [wrong async for wrong in verify(store)] == []
    assert await stored_matches_log(store, child.reference) and await stored_matches_log(store, parent.reference)


# --- clocks, wake-ups, notices ----------------------------------------------------------------------------------------------


def kinds_since(log: list[Any], sequence: int) -> list[str]:
    return [recorded.event.kind for recorded in log if recorded.sequence > sequence]


async def test_clocks_fire_once_however_many_look_at_the_same_time(store: Store) -> None:
    set_time(store, START)
    references = [await submit(store) for _ in range(5)]
    before = {reference: (await read_case(store, reference)).referral for reference in references}
    set_time(store, START + timedelta(minutes=61))
    await asyncio.gather(*(fire_due(store) for _ in range(4)))
    for reference in references:
        breaches = [
            r.event.kind for r in await read_log(store, reference) if r.event.kind in ("clock_breached", "clock_escalated")
        ]
        assert breaches == ["clock_breached", "clock_escalated"], before[reference].due_at
        assert await stored_matches_log(store, reference)
    assert await fire_due(store) == 0
    assert [wrong async for wrong in verify(store)] == []


async def test_nothing_fires_before_its_time_and_one_referral_can_be_fired_alone(store: Store) -> None:
    set_time(store, START)
    one, other = await submit(store), await submit(store)
    assert await fire_due(store) == 0
    set_time(store, START + timedelta(minutes=30))
    assert await fire_due(store, reference=one) == 1
    assert kinds_since(await read_log(store, one), 4)[-1] == "clock_warned"
    assert "clock_warned" not in kinds_since(await read_log(store, other), 0)


async def test_a_command_that_changes_nothing_adds_nothing(store: Store, owner_connection: psycopg.Connection) -> None:
    await submit(store)
    before = everything(owner_connection)
    await fire_due(store)
    assert everything(owner_connection) == before


async def test_every_write_leaves_the_run_behind_until_it_has_dealt_with_it_and_the_most_urgent_come_first(store: Store) -> None:
    calm, unrated, _ = [await submit(store) for _ in range(3)]
    for reference, _, version in await behind(store, 100):
        await record_shown(store, reference, version, told=True)
    assert await behind(store, 100) == []
    await act(store, calm, RateReferral(rating="green"), DUTY)
    await act(store, unrated, AddNote(), DUTY, words="hurry")
    found = await behind(store, 100)
    assert [reference for reference, _, _ in found] == [unrated, calm]
    await record_shown(store, unrated, found[0][2] - 1, told=True)
    assert [reference for reference, _, _ in await behind(store, 100)] == [unrated, calm], "not all of it is dealt with"
    await record_shown(store, unrated, found[0][2], told=True)
    assert [reference for reference, _, _ in await behind(store, 1)] == [calm]


async def test_the_notices_of_a_command_are_queued_with_it(store: Store) -> None:
    reference = await submit(store)
    assert [notice.status for notice in await notices_of(store, reference)][:1] == ["queued"]


# --- the database's own rules -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET canonical = canonical",
        "DELETE FROM event",
        "TRUNCATE event",
        "DELETE FROM referral",
        "DELETE FROM personal_item",
        "DELETE FROM receipt",
        "UPDATE receipt SET status = 200",
        "DELETE FROM notice",
        "DELETE FROM delivery",
        "UPDATE time_anchor SET rate = 2",
        "UPDATE api_key SET hash = 'x'",
        "UPDATE profile_version SET document = 'x'",
        "ALTER TABLE event ADD COLUMN x text",
        "DROP TABLE event",
        "CREATE TABLE mine (x text)",
        "CREATE RULE r AS ON DELETE TO event DO INSTEAD NOTHING",
        "SET ROLE mash_owner",
    ],
)
async def test_the_application_may_not(store: Store, statement: str) -> None:
    await submit(store)
    with pytest.raises(Exception, match=r"permission denied|must be owner"):
        async with store.engine.begin() as connection:
            await connection.execute(text(statement))


def test_the_application_owns_nothing_and_is_nobody_special(cluster: Cluster) -> None:
    with psycopg.connect(host=str(cluster.socket), user="mash_app", dbname="mash") as connection:
        owned = connection.execute("SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) = 'mash_app'").fetchall()
        special = connection.execute(
            "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls OR rolreplication FROM pg_roles"
            " WHERE rolname = 'mash_app'"
        ).fetchone()
        member = connection.execute("SELECT count(*) FROM pg_auth_members WHERE member = 'mash_app'::regrole").fetchone()
    assert (owned, special, member) == ([], (False,), (0,))


async def test_the_database_knows_who_acts_only_within_the_transaction(settings: Settings, empty_database: None) -> None:
    asked = text("SELECT acting('actor'), acting('agency')")
    store = await open_store(settings, pool_size=1)
    try:
        async with store.transaction(DUTY) as connection:
            assert (await connection.execute(asked)).one() == ("d.manager", "social_care")
        async with store.engine.connect() as connection:
            assert (await connection.execute(asked)).one() == (None, None)
        with pytest.raises(RuntimeError):
            async with store.transaction(DUTY):
                raise RuntimeError
        async with store.engine.connect() as connection:
            assert (await connection.execute(asked)).one() == (None, None)
    finally:
        await store.close()


def test_the_models_are_the_tables_that_the_migrations_make(cluster: Cluster) -> None:
    def differs(_context: Any, _inspected: Any, _column: Any, there: Any, model: Any) -> bool | None:
        # SQLModel's strings are VARCHAR without a length, which in PostgreSQL is text.
        return False if isinstance(there, Text) and isinstance(model, AutoString) else None

    engine = create_engine(cluster.owner_url)
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": differs})
            found = compare_metadata(context, SQLModel.metadata)
    finally:
        engine.dispose()
    # Indexes are the migration's alone: the models are for reading and writing.
    assert [difference for difference in found if difference[0] != "remove_index"] == []


async def test_pages_of_open_cases_hold_each_once_the_soonest_due_first(store: Store) -> None:
    references = [await submit(store) for _ in range(5)]
    await act(store, references[3], RateReferral(rating="red"), DUTY)
    await act(store, references[1], RateReferral(rating="green"), DUTY)
    pages, after = list[list[str]](), ""
    while page := await open_cases(store, DUTY, limit=2, after=after):
        pages.append([case.reference for case in page])
        after = pages[-1][-1]
    assert [len(page) for page in pages] == [2, 2, 1]
    whole = [case.reference for case in await open_cases(store, DUTY)]
    assert [reference for page in pages for reference in page] == whole and sorted(whole) == sorted(references)


async def test_a_process_that_stops_in_the_middle_holds_up_nobody_for_ever(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mash.flows.store.store.HELD_UP", 0.3)
    reference = await submit(store)
    paused = await open_store(settings, pool_size=1)
    try:
        async with paused.engine.connect() as connection:
            await connection.execute(select(REFERRALS).where(REFERRALS.c.reference == reference).with_for_update())
            applied = await asyncio.wait_for(act(store, reference, RateReferral(rating="red"), DUTY), 30)
            with pytest.raises(DBAPIError, match="closed"):
                await connection.execute(select(REFERRALS.c.version))
        async with paused.engine.connect() as connection:
            query = select(REFERRALS.c.version).where(REFERRALS.c.reference == reference)
            assert await connection.scalar(query) == applied.referral.version, "and it goes on when it goes on"
    finally:
        await paused.close()
