"""What is stored beside the logs is held against what they say: what somebody changed is put back, written down and told."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from acting import BASIS, DUTY, MANAGER, POLICE, SCHOOL, submit, turned_away

from mash.flows.store.apply import act, fire_due, receive
from mash.flows.store.erasure import erase
from mash.flows.store.log import verify
from mash.flows.store.mending import PUT_BACK, Found, Mender, contradictions
from mash.flows.store.profiles import put_back_profiles
from mash.flows.store.reads.case import read_case
from mash.flows.store.reads.look import look_at
from mash.flows.store.reads.search import find
from mash.flows.store.store import Store, open_store
from mash.flows.store.writes import Item
from mash.states.acts.checks import AnswerCheck
from mash.states.acts.closing import ErasePeople
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.information import BreakGlass, ContributeInformation, ReleaseInformation
from mash.states.acts.rating import RateReferral
from mash.states.errors import NotFound
from mash.states.values import Actor, Subject

NIGHT = Actor(id="n.night", role="agency", agency="probation", hub="merton")
GOVERNOR = Actor(id="cli:governor", role="administrator", agency="system", hub="merton")


async def case(store: Store, rating: str = "red") -> str:
    """A rated case; the police have put something beside it, and released it in other words."""
    reference = await submit(store, "s1", words="Orla Quince")
    await act(store, reference, BASIS, DUTY)
    await act(store, reference, RateReferral(rating=rating), DUTY, words="as it is")
    await act(store, reference, ContributeInformation(sensitive=True), POLICE, words="known to officers")
    (item,) = (await read_case(store, reference)).referral.held
    release = ReleaseInformation(item=item, necessity="to_protect_a_child", proportionality="gist")
    await act(store, reference, release, POLICE, words="needed", redacted="known")
    return reference


async def contradicted(store: Store) -> list[str]:
    return [sentence async for sentence in contradictions(store)]


async def repairs(store: Store) -> list[tuple[str, str]]:
    async with store.single.connect() as connection:
        rows = await connection.exec_driver_sql("SELECT what, was FROM repair ORDER BY id")
        return [(row.what, row.was) for row in rows]


async def noticed(store: Store) -> set[tuple[str, str]]:
    async with store.single.connect() as connection:
        rows = await connection.exec_driver_sql("SELECT role, facts FROM notice WHERE kind = 'system'")
        return {(row.role, json.loads(row.facts)["what"]) for row in rows}


def rows(owner: psycopg.Connection, table: str) -> list[tuple[str, ...]]:
    return owner.execute(f"SELECT t::text FROM {table} t ORDER BY 1".encode()).fetchall()


async def test_nothing_is_said_of_an_installation_that_nobody_changed(store: Store) -> None:
    reference = await case(store)
    split = await submit(store, "s1", "s2", words="Bea Tarn")
    await act(store, split, RateReferral(rating="blue"), DUTY, words="low")
    outcomes = {"s1": "advice", "s2": "early_help"}
    await act(store, split, RecordDecision(outcomes=outcomes, primary_need="N4"), MANAGER, words="as agreed")
    await act(store, reference, BreakGlass(), NIGHT, words="now", of_system=True)
    gone = await turned_away(store)
    await erase(store, gone, ErasePeople(why="recorded_by_mistake"), GOVERNOR)
    assert await contradicted(store) == []
    assert await Mender(store).look_at_urgent() == [] and await Mender(store).look_at_all() == []
    assert await repairs(store) == []


ROW_CHANGES = {
    "its clocks moved to 2030": "next_at = '2030-01-01', due_at = '2030-01-01'",
    "its clocks moved to 2030, in its state too": (
        "next_at = '2030-01-01', due_at = '2030-01-01',"
        " state = regexp_replace(state, '\"due_at\":\"20\\d\\d', '\"due_at\":\"2030', 'g')"
    ),
    "its clocks taken away": "next_at = NULL, due_at = NULL, state = (state::jsonb - 'clocks')::text",
    "its rating on the board": "rating = 'green'",
    "its rating everywhere": 'rating = \'green\', state = replace(state, \'"rating":"red"\', \'"rating":"green"\')',
    "its place on the board": "is_open = false, finished = true",
    "its stage": "stage = 'no_further_action'",
    "immediate danger": "state = jsonb_set(state::jsonb, '{immediate_danger}', 'true')::text",
    "a finding released": "state = replace(state, '\"released\":true', '\"released\":false')",
    "who it belongs to": "hub = 'sandwell'",
    "who submitted it": "caller = 'somebody-else'",
    "how urgent it is": "urgency = -9",
    "how far its run is": "shown = 1000000",
    "how far its story is": "told = 1000000",
    "its version": "version = version + 90",
    "its last hash": "head_hash = repeat('0', 64)",
    "a state that cannot be read": "state = '{}'",
    "its root": "root = 'MASH-26-999999'",
    "when it came": "received_at = received_at - interval '1 year'",
}


@pytest.mark.parametrize("change", ROW_CHANGES.values(), ids=ROW_CHANGES.keys())
async def test_what_the_board_reads_is_put_back_as_the_log_says_and_what_stood_there_is_written_down(
    store: Store, owner_connection: psycopg.Connection, change: str
) -> None:
    reference, other = await case(store), await case(store)
    mender = Mender(store)
    await mender.look_at_urgent()
    before = rows(owner_connection, "referral")
    owner_connection.execute(f"UPDATE referral SET {change} WHERE reference = %s".encode(), (reference,))
    assert any(sentence.startswith(f"{reference}: ") for sentence in await contradicted(store))
    (found,) = await mender.look_at_urgent()
    assert (found.reference, found.wrong) == (reference, []) and found.mended
    assert [json.loads(row[0]) for row in _as_json(owner_connection)] and rows(owner_connection, "referral") == before
    ((what, was),) = await repairs(store)
    assert what.startswith("referral: ") and what.endswith(": put back") and json.loads(was)
    assert {("administrator", PUT_BACK), ("information_governance", PUT_BACK)} <= await noticed(store)
    assert await contradicted(store) == [] and await mender.look_at_urgent() == []
    assert other not in what


def _as_json(owner: psycopg.Connection) -> list[tuple[str]]:
    return owner.execute("SELECT state FROM referral").fetchall()


async def test_what_an_agency_found_is_put_back_as_its_answer_in_the_log_says(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    reference = await submit(store)
    await act(store, reference, RateReferral(rating="amber"), DUTY, words="as it is")
    await act(store, reference, BASIS, DUTY)
    answer = AnswerCheck(agency="police", known=True, relevant=True, recommendation="section_47", sensitive=True)
    await act(store, reference, answer, POLICE, words="known to officers")
    owner_connection.execute("UPDATE referral SET state = jsonb_set(state::jsonb, '{checks,police,known}', 'false')::text")
    (found,) = await Mender(store).look_at_urgent()
    assert found.mended == ["the state (checks)"]
    assert (await read_case(store, reference)).referral.checks["police"].known


async def test_a_clock_that_was_moved_to_2030_fires_after_all(store: Store, owner_connection: psycopg.Connection) -> None:
    reference = await case(store)
    mender = Mender(store)
    await mender.look_at_urgent()
    owner_connection.execute("UPDATE referral SET next_at = '2030-01-01', due_at = '2030-01-01'")
    at = store.time.now() + timedelta(days=7)
    store.time = type(store.time)(wall=at, simulated=at, rate=0.0)
    assert await fire_due(store) == 0, "this is what was attacked"
    (found,) = await mender.look_at_urgent()
    assert "next_at was 2030-01-01 00:00:00, and the log says 20" in found.mended[0]
    assert await fire_due(store) == 1
    assert (await read_case(store, reference)).referral.alerts


async def test_a_red_case_is_known_by_its_log_also_once_its_row_says_that_it_is_green_and_over(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    mender = Mender(store)
    await mender.look_at_urgent()
    reference = await case(store)  # it came, and was hidden, between two looks
    owner_connection.execute("UPDATE referral SET rating = 'green', is_open = false, finished = true, next_at = NULL")
    (found,) = await mender.look_at_urgent()
    assert found.reference == reference and mender.urgent == {reference}
    assert (await read_case(store, reference)).referral.next_at


async def test_immediate_danger_is_looked_at_every_time_and_what_is_not_urgent_at_night(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    children = (Subject(id="s1", cohort="child"),)
    contact = ReceiveContact(contact="referral", source="1A", source_agency="school", subjects=children, immediate_danger=True)
    async with store.transaction(SCHOOL) as connection:
        danger = (await receive(connection, store, contact, [Item("concern", b"now")], SCHOOL)).reference
    calm = await case(store, "green")
    mender = Mender(store)
    await mender.look_at_urgent()
    mender.since = datetime.now(UTC) + timedelta(hours=1)  # nothing has happened lately
    owner_connection.execute("UPDATE referral SET next_at = '2030-01-01'")
    assert [found.reference for found in await mender.look_at_urgent()] == [danger]
    assert [found.reference for found in await mender.look_at_all()] == [calm]


async def test_a_referral_whose_row_is_gone_is_made_anew_from_its_log(store: Store, owner_connection: psycopg.Connection) -> None:
    reference = await case(store)
    mender = Mender(store)
    await mender.look_at_urgent()
    owner_connection.execute("DELETE FROM referral WHERE reference = %s", (reference,))
    (found,) = await mender.look_at_urgent()
    assert found.mended == ["the referral was gone"]
    assert await contradicted(store) == [] and [s async for s in verify(store)] == []
    assert (await read_case(store, reference)).referral.rating == "red"


async def test_whose_a_case_is_that_was_split_off_is_told_by_the_log_of_the_first(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    reference = await submit(store, "s1", "s2")
    await act(store, reference, RateReferral(rating="blue"), DUTY, words="low")
    outcomes = {"s1": "advice", "s2": "early_help"}
    await act(store, reference, RecordDecision(outcomes=outcomes, primary_need="N4"), MANAGER, words="as agreed")
    before = rows(owner_connection, "referral")
    owner_connection.execute("UPDATE referral SET caller = 'somebody-else', root = reference")
    assert len(await Mender(store).look_at_all()) == 2
    assert rows(owner_connection, "referral") == before


CHANGES_BESIDE = {
    "another agency takes part": "INSERT INTO participant (reference, party, hub) VALUES (%s, 'housing_scam', 'merton')",
    "an agency takes no part": "DELETE FROM participant WHERE reference = %s AND party = 'police'",
    "an agency takes part for a time": "UPDATE participant SET until = now() WHERE reference = %s AND party = 'police'",
    "somebody reads for ever": "UPDATE participant SET until = '2099-01-01' WHERE reference = %s AND person <> ''",
    "somebody reads as if they had broken the glass": (
        "INSERT INTO participant (reference, party, hub, person, until)"
        " VALUES (%s, 'police', 'merton', 'p.curious', '2099-01-01')"
    ),
    "what the police hold is released": (
        "UPDATE personal_item SET release_state = 'released' WHERE reference = %s AND kind = 'contribute_information'"
    ),
    "what the police released is held": (
        "UPDATE personal_item SET release_state = 'held' WHERE reference = %s AND kind = 'redacted'"
    ),
    "what the police hold is somebody else's": (
        "UPDATE personal_item SET owner_agency = 'health' WHERE reference = %s AND kind = 'contribute_information'"
    ),
    "what the police hold is the hub's to read": (
        "UPDATE personal_item SET kind = 'add_note' WHERE reference = %s AND kind = 'contribute_information'"
    ),
    "what is sensitive is not": (
        "UPDATE personal_item SET sensitivity = 'not_sensitive' WHERE reference = %s AND kind = 'contribute_information'"
    ),
    "who wrote it": "UPDATE personal_item SET created_by = 'n.obody' WHERE reference = %s AND kind = 'rate_referral'",
    "when it was written": "UPDATE personal_item SET created_at = '2020-01-01' WHERE reference = %s AND kind = 'rate_referral'",
    "an event at another hub": "UPDATE event SET hub = 'sandwell' WHERE reference = %s AND sequence = 2",
    "an event of another kind": "UPDATE event SET kind = 'note_added' WHERE reference = %s AND kind = 'referral_rated'",
    "an event at another time": "UPDATE event SET at = '2020-01-01' WHERE reference = %s AND sequence = 3",
    "nobody finds the child": "DELETE FROM known_person WHERE reference = %s",
    "the child is found by another name": "UPDATE known_person SET tokens = ARRAY[1, 2, 3]::bigint[] WHERE reference = %s",
    "the key is another hub's": "UPDATE referral_key SET hub = 'sandwell' WHERE reference = %s",
}


@pytest.mark.parametrize("change", CHANGES_BESIDE.values(), ids=CHANGES_BESIDE.keys())
async def test_what_stands_beside_a_case_is_put_back_as_the_log_says(
    store: Store, owner_connection: psycopg.Connection, change: str
) -> None:
    reference = await case(store)
    await act(store, reference, BreakGlass(), NIGHT, words="met at night", of_system=True)
    mender = Mender(store)
    await mender.look_at_urgent()
    tables = ("participant", "personal_item", "event", "known_person", "referral_key")
    before = {table: _without_number(owner_connection, table) for table in tables}
    assert owner_connection.execute(change.encode(), (reference,)).rowcount > 0
    assert any(sentence.startswith(f"{reference}: ") for sentence in await contradicted(store))
    (found,) = await mender.look_at_urgent()
    assert found.mended and not found.wrong
    assert {table: _without_number(owner_connection, table) for table in tables} == before
    assert len(await repairs(store)) == len(found.mended) and await contradicted(store) == []


def _without_number(owner: psycopg.Connection, table: str) -> list[tuple[object, ...]]:
    """The rows of a table without their own numbers."""
    own = "'id'" if table in ("participant", "known_person") else "''"
    return owner.execute(f"SELECT (to_jsonb(t) - {own})::text FROM {table} t ORDER BY 1".encode()).fetchall()


async def test_a_key_that_came_back_after_an_erasure_is_destroyed_again(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    reference = await turned_away(store)
    before = owner_connection.execute("SELECT wrapped, master FROM referral_key").fetchall()[0]
    await erase(store, reference, ErasePeople(why="right_to_erasure"), GOVERNOR)
    owner_connection.execute("UPDATE referral_key SET wrapped = %s, master = %s", before)
    (found,) = await Mender(store).look_at_all()
    assert found.mended == ["its people were erased, and their key was there again"]
    assert owner_connection.execute("SELECT wrapped FROM referral_key").fetchall() == [(None,)]
    ((_, was),) = await repairs(store)
    assert was == "{}", "the key is written down nowhere"


async def test_what_no_event_speaks_of_is_told_and_nobody_decides_for_them(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    reference = await case(store)
    owner_connection.execute(
        "INSERT INTO personal_item SELECT %s, reference, 'concern', subject, owner_agency, sensitivity, release_state,"
        " created_at, created_by, sealed, hub FROM personal_item WHERE reference = %s AND kind = 'contribute_information'",
        (uuid4(), reference),
    )
    (found,) = await Mender(store).look_at_urgent()
    assert found == Found(reference, "merton", [], ["an item (concern) stands there that no event speaks of"])
    assert await repairs(store) == []
    await Mender(store).look_at_urgent()
    assert len([what for role, what in await noticed(store) if role == "administrator"]) == 1, "it is told once a day"


async def test_what_is_left_of_a_log_that_was_cut_off_stays_as_evidence(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    reference = await case(store)
    owner_connection.execute("DELETE FROM event WHERE reference = %s AND sequence > 5", (reference,))
    before = rows(owner_connection, "referral")
    (found,) = await Mender(store).look_at_urgent()
    assert "the log was cut off after event 5" in found.wrong[0]
    assert rows(owner_connection, "referral") == before
    owner_connection.execute("UPDATE referral SET next_at = '2030-01-01'")
    await Mender(store).look_at_urgent()
    assert rows(owner_connection, "referral") == before, "and its clocks go on as it says itself"


async def test_a_log_that_does_not_prove_itself_is_told_and_nothing_is_made_of_it(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    reference = await case(store)
    owner_connection.execute("UPDATE event SET canonical = replace(canonical, 'red', 'green') WHERE kind = 'referral_rated'")
    before = rows(owner_connection, "referral")
    (found,) = await Mender(store).look_at_urgent()
    assert (found.reference, found.mended) == (reference, []) and "was changed" in found.wrong[0]
    assert rows(owner_connection, "referral") == before


async def test_a_profile_that_was_changed_under_its_digest_goes_by_nothing_and_is_put_back(
    store: Store, settings: object, owner_connection: psycopg.Connection
) -> None:
    reference = await case(store)
    before = rows(owner_connection, "profile_version")
    owner_connection.execute("UPDATE profile_version SET document = replace(document, '\"4 h\"', '\"4000 h\"')")
    owner_connection.execute("UPDATE profile_version SET document = document || ' '")
    assert any("of merton was changed after it was stored" in sentence for sentence in await contradicted(store))
    assert len(await put_back_profiles(store)) == 2
    assert rows(owner_connection, "profile_version") == before
    assert all(hashlib.sha256(json.loads(was)["document"].encode()).hexdigest() for _, was in await repairs(store))
    assert await contradicted(store) == [] and (await look_at(store, reference, DUTY, "read_case")).reference == reference


async def test_a_profile_that_is_in_force_no_more_is_put_back_from_a_signed_checkpoint(
    store: Store, settings: object, owner_connection: psycopg.Connection
) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from mash.flows.store.checkpoints import make_checkpoint

    await case(store)
    await make_checkpoint(store, Ed25519PrivateKey.generate())
    digest = store.hubs["merton"].digest
    owner_connection.execute("UPDATE profile_version SET document = document || ' ' WHERE digest = %s", (digest,))
    there = await open_store(settings)  # type: ignore[arg-type]
    try:
        await there.engine.dispose()
        changed = store.hubs["merton"].model_copy(update={"title": "Another"})
        there.hubs = {"merton": changed}
        there._profiles = {}
        with pytest.raises(NotFound, match="was changed"):
            await act(there, (await case_of(there)), RateReferral(rating="green"), DUTY, words="x")
        assert len(await put_back_profiles(there)) == 1
        assert await contradicted(there) == []
    finally:
        await there.close()


async def case_of(store: Store) -> str:
    async with store.single.connect() as connection:
        return str((await connection.exec_driver_sql("SELECT reference FROM referral")).scalar_one())


async def test_a_name_is_found_again_once_its_numbers_are_put_back(store: Store, owner_connection: psycopg.Connection) -> None:
    reference = await case(store)
    owner_connection.execute("UPDATE known_person SET tokens = ARRAY[1]::bigint[]")
    await Mender(store).look_at_urgent()
    assert [row.reference for row in await find(store, "Orla Quince", "", DUTY)] == [reference]


ALERT_CHANGES = {
    "withdrawn": "UPDATE notice SET status = 'withdrawn', over = true, next_try_at = NULL",
    "taken for delivered": "UPDATE notice SET status = 'delivered', delivered_at = now(), next_try_at = NULL",
    "over": "UPDATE notice SET over = true",
    "removed": "DELETE FROM notice",
}


@pytest.mark.parametrize("change", ALERT_CHANGES.values(), ids=ALERT_CHANGES.keys())
async def test_an_alert_that_somebody_kept_from_going_out_goes_out(
    store: Store, owner_connection: psycopg.Connection, change: str
) -> None:
    reference = await case(store)
    at = store.time.now() + timedelta(days=7)
    store.time = type(store.time)(wall=at, simulated=at, rate=0.0)
    assert await fire_due(store) == 1
    mender = Mender(store)
    assert await mender.look_at_urgent() == []
    which = f" WHERE reference = '{reference}' AND kind IN ('escalation', 'immediate_danger')"
    assert owner_connection.execute((change + which).encode()).rowcount > 0
    (found,) = await mender.look_at_urgent()
    assert all(sentence.startswith("the alert to ") for sentence in found.mended) and not found.wrong
    waiting = owner_connection.execute(("SELECT status, over FROM notice" + which).encode()).fetchall()
    assert set(waiting) == {("queued", False)} and await mender.look_at_urgent() == []
