"""Whoever owns the database can write a session, an API key or a part in a case. It lets nobody in, and it is found."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from acting import BASIS, DUTY, MANAGER, POLICE, START, set_time, submit
from sqlalchemy import select
from structlog.testing import capture_logs

from mash.config.settings import Settings
from mash.flows.store.api_keys import NewKey, find_api_key, make_api_key, revoke_api_key, rotate_api_key
from mash.flows.store.apply import act
from mash.flows.store.reads.board import open_cases
from mash.flows.store.reads.checks import checks_of
from mash.flows.store.reads.items import read_items
from mash.flows.store.reads.look import look_at
from mash.flows.store.sessions import (
    begin_session,
    end_sessions,
    find_session,
    hash_of,
    still_stands,
    take_position,
)
from mash.flows.store.store import Store, open_store
from mash.flows.store.tables import NOTICES
from mash.states.acts.checks import AnswerCheck
from mash.states.acts.information import BreakGlass, ReleaseInformation
from mash.states.acts.rating import RateReferral
from mash.states.errors import NotFound, NotYours
from mash.states.values import Actor

HOUSING = Actor(id="h.officer", role="agency", agency="housing", hub="merton")
SECRET = "mash-session-made-up-by-whoever-owns-the-database"
GOVERNOR = "'i.governor', 'information_governance', 'social_care', 'merton'"
PLANTED = f"""
    INSERT INTO session (hash, person, role, agency, hub, positions, how, started_at, seen_at, idle_seconds, ends_at, seal)
    VALUES (%s, {GOVERNOR}, '[]', 'local', now(), now(), 86400, now() + interval '1 day', %s)"""
SYSTEM_NOTICES = select(NOTICES.c.role, NOTICES.c.facts).where(NOTICES.c.kind == "system")


async def notices_to_administrators(store: Store) -> list[str]:
    """What administrators were told."""
    async with store.single.connect() as connection:
        return [row.facts for row in (await connection.execute(SYSTEM_NOTICES)).all() if row.role == "administrator"]


# --- sessions -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seal", ["none", "made up", "somebody else's"])
async def test_a_session_that_is_written_into_the_database_lets_nobody_in(
    store: Store, owner_connection: psycopg.Connection, seal: str
) -> None:
    theirs = await begin_session(store, [DUTY], "local")
    ((sealed,),) = owner_connection.execute("SELECT seal FROM session").fetchall()
    put = {"none": None, "made up": "0" * 64, "somebody else's": sealed}[seal]
    owner_connection.execute(PLANTED.encode(), (hash_of(SECRET), put))
    assert await find_session(store, SECRET) is None
    assert (session := await find_session(store, theirs)) and session.actor == DUTY


async def test_it_is_in_the_log_and_administrators_are_told_though_the_row_is_taken_out_again(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    owner_connection.execute(PLANTED.encode(), (hash_of(SECRET), None))
    with capture_logs() as lines:
        for _ in range(3):
            assert await find_session(store, SECRET) is None
    owner_connection.execute("DELETE FROM session")
    owner_connection.execute("DELETE FROM access")
    assert [line["row"] for line in lines] == [hash_of(SECRET)[:12]] * 3, "each time, and where no database keeps it"
    assert SECRET not in str(lines)
    (once,) = await notices_to_administrators(store)
    assert "somebody has written into the database" in once and hash_of(SECRET)[:12] in once


@pytest.mark.parametrize(
    "change",
    [
        "role = 'information_governance'",
        "hub = 'sandwell'",
        "agency = 'police'",
        "person = 's.manager'",
        "positions = replace(positions, 'duty_manager', 'service_manager')",
        "ends_at = ends_at + interval '1 year'",
        "idle_seconds = 99999999",
        "seal = NULL",
    ],
)
async def test_a_session_that_is_changed_in_the_database_is_over(
    store: Store, owner_connection: psycopg.Connection, change: str
) -> None:
    secret = await begin_session(store, [DUTY], "local")
    session = await find_session(store, secret)
    assert session and await still_stands(store, session)
    owner_connection.execute(f"UPDATE session SET {change}".encode())
    assert await find_session(store, secret) is None and not await still_stands(store, session)
    await take_position(store, session, 0)
    assert await find_session(store, secret) is None, "and nothing that is done with it seals it again"


async def test_whoever_was_signed_out_is_not_signed_in_again_by_taking_that_out_of_the_database(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    secret = await begin_session(store, [DUTY], "local")
    await end_sessions(store, person=DUTY.id)
    owner_connection.execute("UPDATE session SET ended_at = NULL")
    assert await find_session(store, secret) is None


async def test_somebody_who_takes_another_of_their_positions_goes_on_in_it(store: Store) -> None:
    secret = await begin_session(store, [DUTY, MANAGER.model_copy(update={"id": DUTY.id})], "local")
    session = await find_session(store, secret)
    assert session
    await take_position(store, session, 1)
    session = await find_session(store, secret)
    assert session and session.actor.role == MANAGER.role
    assert await notices_to_administrators(store) == []


# --- API keys -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "caller = 'another-school'",
        "hub = 'sandwell'",
        "agency = 'police'",
        "scopes = ARRAY['submit', 'read_status', 'disagree']",
        "expires_at = expires_at + interval '10 years'",
        "hash = encode(sha256('mash_made_up'), 'hex')",
    ],
)
async def test_an_api_key_that_is_changed_in_the_database_is_not_valid(
    store: Store, owner_connection: psycopg.Connection, change: str
) -> None:
    key = await make_api_key(store, NewKey("school", "merton", "education", ("submit",)))
    assert await find_api_key(store, key)
    owner_connection.execute(f"UPDATE api_key SET {change}".encode())
    assert await find_api_key(store, "mash_made_up" if "hash" in change else key) is None
    assert len(await notices_to_administrators(store)) == 1


async def test_a_key_that_was_revoked_is_not_valid_again_by_taking_that_out_of_the_database(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    key = await make_api_key(store, NewKey("school", "merton", "education"))
    await revoke_api_key(store, key.split("_")[1])
    owner_connection.execute("UPDATE api_key SET revoked_at = NULL")
    assert await find_api_key(store, key) is None


async def test_a_key_that_is_replaced_goes_on_for_its_days(store: Store) -> None:
    key = await make_api_key(store, NewKey("school", "merton", "education"))
    new = await rotate_api_key(store, key.split("_")[1], 365, 7)
    old, found = await find_api_key(store, key), await find_api_key(store, new)
    assert old and found and old.expires_at < found.expires_at
    assert await notices_to_administrators(store) == []


# --- parts in a case ----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def reference(store: Store) -> str:
    """A case of Merton's in which the agencies that were asked have a part: not housing."""
    set_time(store, START)
    reference = await submit(store)
    await act(store, reference, BASIS, DUTY)
    await act(store, reference, RateReferral(rating="amber"), DUTY)
    return reference


JOIN = "INSERT INTO participant (reference, party, hub, person, seal) VALUES (%s, 'housing', 'merton', '', %s)"


@pytest.mark.parametrize("copied", [False, True])
async def test_a_part_in_a_case_that_is_written_into_the_database_opens_it_to_nobody(
    store: Store, reference: str, owner_connection: psycopg.Connection, copied: bool
) -> None:
    seals = owner_connection.execute("SELECT seal FROM participant WHERE party = 'police'").fetchall()
    owner_connection.execute(JOIN, (reference, seals[0][0] if copied else None))
    with capture_logs() as lines, pytest.raises(NotFound):
        await look_at(store, reference, HOUSING, "read_case")
    assert lines[0]["row"] == f"{reference}, housing" and len(await notices_to_administrators(store)) == 1
    assert await open_cases(store, HOUSING) == [] == await checks_of(store, HOUSING)
    with pytest.raises(NotYours):
        await act(store, reference, BASIS, HOUSING, of_system=True)
    assert (await look_at(store, reference, POLICE, "read_case")).reference == reference
    assert [case.reference for case in await open_cases(store, POLICE)] == [reference]


async def test_a_part_of_one_case_is_none_of_another(store: Store, reference: str, owner_connection: psycopg.Connection) -> None:
    other = await submit(store)
    owner_connection.execute("UPDATE participant SET reference = %s WHERE party = 'police'", (other,))
    for case in (reference, other):
        with pytest.raises(NotFound):
            await look_at(store, case, POLICE, "read_case")


async def test_whoever_broke_the_glass_reads_for_no_longer_than_was_written_down(
    store: Store, reference: str, owner_connection: psycopg.Connection
) -> None:
    await act(store, reference, BreakGlass(), HOUSING, words="She stands in front of me.", of_system=True)
    assert await look_at(store, reference, HOUSING, "read_case")
    owner_connection.execute("UPDATE participant SET until = until + interval '1 year' WHERE person <> ''")
    set_time(store, START + timedelta(minutes=1))
    with pytest.raises(NotFound):
        await look_at(store, reference, HOUSING, "read_case")


async def test_a_part_that_is_written_beside_a_broken_glass_shows_nothing_of_what_was_released(
    store: Store, reference: str, owner_connection: psycopg.Connection
) -> None:
    await act(store, reference, AnswerCheck(agency="police", known=True), POLICE, words="Known to officers.")
    ((held,),) = owner_connection.execute("SELECT id::text FROM personal_item WHERE kind = 'answer_check'").fetchall()
    release = ReleaseInformation(item=held, necessity="to_protect_a_child", proportionality="whole")
    await act(store, reference, release, POLICE, words="The meeting must know.")
    await act(store, reference, BreakGlass(), HOUSING, words="She stands in front of me.", of_system=True)
    owner_connection.execute(JOIN, (reference, None))
    case = await look_at(store, reference, HOUSING, "read_case")
    assert "Known to officers." not in str(await read_items(store, case, HOUSING))
    assert "Known to officers." in str(await read_items(store, case, DUTY))


# --- from one start to the next -----------------------------------------------------------------------------------------------


async def test_what_is_written_while_nobody_runs_the_program_is_not_sealed_when_it_starts(
    store: Store, settings: Settings, owner_connection: psycopg.Connection
) -> None:
    owner_connection.execute(PLANTED.encode(), (hash_of(SECRET), None))
    # As though rows had never been sealed.
    owner_connection.execute("DELETE FROM sealing")
    owner_connection.execute("UPDATE secret SET name = 'search' WHERE name = 'search, sealed'")
    owner_connection.execute("DELETE FROM secret WHERE name = 'rows'")
    with pytest.raises(Exception, match="MASH_MASTER_KEY is not the one"):
        await open_store(settings)
    owner_connection.execute("DELETE FROM secret WHERE name = 'search'")
    again = await open_store(settings)
    try:
        assert await find_session(again, SECRET) is None
    finally:
        await again.close()
