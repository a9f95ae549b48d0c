"""What no log implies is signed: who changes it, dates it back or rolls it back is found out; a restore says that it is one."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from acting import BASIS, DUTY, SCHOOL, submit
from commands import Done, mash_here
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from mash.config.settings import Settings
from mash.flows.carrying.night import copy_checkpoints, keep_to_retention, take_checkpoint
from mash.flows.store.api_keys import NewKey, make_api_key, revoke_api_key
from mash.flows.store.apply import act
from mash.flows.store.checkpoints import Signed, check_signatures, make_checkpoint, read_checkpoints, state_restoration
from mash.flows.store.elsewhere import newest, read_folder
from mash.flows.store.held_against import between, verify_against
from mash.flows.store.log import read_log
from mash.flows.store.near_misses import record_near_miss
from mash.flows.store.receipts import Answer, answer_once, record_refused
from mash.flows.store.rotas import store_rota
from mash.flows.store.sessions import begin_session, end_sessions
from mash.flows.store.store import Store
from mash.flows.store.trouble import record_repair, tell_administrators
from mash.notifications.rota import Rota
from mash.states.acts.rating import RateReferral
from mash.states.log import Recorded

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNING = SecretStr(base64.b64encode(bytes(range(32))).decode())


async def checkpoint_of_a_night(store: Store, settings: Settings) -> Signed:
    """Sign one, and keep it elsewhere too."""
    signed = await take_checkpoint(store, settings)
    if settings.checkpoint_dir:
        await copy_checkpoints(store, settings.checkpoint_dir)
    return signed


async def held_against(store: Store, signed: list[Signed]) -> list[str]:
    return [sentence async for sentence in verify_against(store, signed)]


async def lived(store: Store) -> str:
    """An installation in which a little of everything has happened; the reference of its case."""

    async def work(_: object) -> Answer:
        return Answer(201, {}, await submit(store, words="Orla Quince"))

    answer = await answer_once(store, SCHOOL, "k-1", "submission", {}, work, lambda refusal: Answer(422, {}))
    await record_refused(store, SCHOOL, "k-2", "submission", {}, Answer(422, {}))
    await act(store, str(answer.reference), BASIS, DUTY)
    await store_rota(store, "merton", Rota(), "r.planner")
    await record_repair(store, None, "something")
    await tell_administrators(store, "merton", "something", "is wrong")
    await make_api_key(store, NewKey("school-1", "merton", "education"))
    await begin_session(store, [DUTY], "local")
    await record_near_miss(store, "nearly_closed", "Seen by luck.", "1", DUTY)
    async with store.single.connect() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO audit_draw (hub, at, drawn_by, role, rule, seed, since, until, size, population, erased, drawn)"
            " VALUES ('merton', now(), 'q.auditor', 'practice_manager', 'any_decision', 1, now(), now(), 1, 1, 0, '{R}')"
        )
        await connection.exec_driver_sql(
            "INSERT INTO audit_result (hub, draw, reference, version, at, person, role, rating_right, decision_right,"
            " decision_timely, child_heard, basis_right, should_have, grade) VALUES ('merton', 1, 'R', 1, now(), 'q.auditor',"
            " 'practice_manager', 'yes', 'yes', 'yes', 'no', 'yes', '{child_seen_or_heard}', 'not_right')"
        )
        await connection.exec_driver_sql(
            "INSERT INTO delivery (notice, started_at, finished_at, channels, result)"
            " SELECT id, now(), now(), 'd.manager: 1', 'taken' FROM notice"
        )
        await connection.exec_driver_sql(
            "INSERT INTO retention VALUES ('MASH-20-000001', 'merton', '2026-01-01', '2026-02-01', NULL, NULL, NULL)"
        )
    return str(answer.reference)


CHANGES = {
    "a refused receipt removed": ("DELETE FROM receipt WHERE status = 422", "of receipt"),
    "an answer changed": ("UPDATE receipt SET answer = '{}', status = 201 WHERE status = 422", "of receipt"),
    "a notice changed": ("UPDATE notice SET role = 'administrator' WHERE role <> 'administrator'", "of notice"),
    "a notice removed": ("DELETE FROM notice WHERE id = (SELECT min(id) FROM notice)", "of notice"),
    "a delivery that never was": ("UPDATE delivery SET result = 'failed'", "of delivery"),
    "a repair removed": ("DELETE FROM repair", "of repair"),
    "what an audit found": ("UPDATE audit_result SET grade = 'right'", "of audit_result"),
    "an audit removed": ("DELETE FROM audit_result", "of audit_result"),
    "which cases were drawn": ("UPDATE audit_draw SET population = 99", "of audit_draw"),
    "a near miss removed": ("DELETE FROM near_miss", "of near_miss"),
    "who was on duty": ("UPDATE rota SET document = document || ' '", "of rota"),
    "an item's kind": ("UPDATE personal_item SET kind = 'referrer' WHERE kind = 'concern'", "its items, or whose they are"),
    "an item's subject": ("UPDATE personal_item SET subject = 's9' WHERE kind = 'subject'", "its items, or whose they are"),
    "an item removed": ("DELETE FROM personal_item WHERE kind = 'subject'", "its items, or whose they are"),
    "an item that was always there": (
        "INSERT INTO personal_item SELECT gen_random_uuid(), reference, 'concern', subject, owner_agency, sensitivity,"
        " release_state, created_at, created_by, sealed, hub FROM personal_item WHERE kind = 'concern'",
        "its items, or whose they are",
    ),
    "a profile removed": ("DELETE FROM profile_version WHERE hub = 'sandwell'", "was removed"),
    "a key for another caller": ("UPDATE api_key SET caller = 'another'", "api_key"),
    "a key that never ends": ("UPDATE api_key SET expires_at = '2099-01-01'", "in force for longer"),
    "a key removed": ("DELETE FROM api_key", "was removed"),
    "a session of somebody else": ("UPDATE session SET person = 'a.dministrator'", "it was changed"),
    "a session that never ends": ("UPDATE session SET ends_at = '2099-01-01'", "in force for longer"),
    "a session removed": ("DELETE FROM session", "was removed"),
    "a session planted and dated back": (
        "INSERT INTO session SELECT repeat('f', 64), 'a.dministrator', 'administrator', agency, hub, positions, how,"
        " started_at - interval '1 hour', seen_at, idle_seconds, ends_at, NULL FROM session",
        "written later, or dated back",
    ),
    "an announcement dated back": ("UPDATE retention SET listed_at = '2020-01-01'", "it was changed"),
    "another time": ("UPDATE time_anchor SET simulated = '2020-01-01'", "time_anchor 1"),
    "a slower time": ("UPDATE time_anchor SET rate = 0.01", "time_anchor 1"),
}


@pytest.mark.parametrize(("change", "sentence"), CHANGES.values(), ids=CHANGES.keys())
async def test_what_was_signed_is_seen_to_be_changed(
    store: Store, owner_connection: psycopg.Connection, change: str, sentence: str
) -> None:
    await lived(store)
    signed = [await make_checkpoint(store, KEY)]
    assert await held_against(store, signed) == []
    assert owner_connection.execute(change.encode()).rowcount > 0
    assert any(sentence in wrong for wrong in await held_against(store, signed))


async def test_what_goes_on_by_right_is_no_contradiction(store: Store, owner_connection: psycopg.Connection) -> None:
    reference = await lived(store)
    signed = [await make_checkpoint(store, KEY)]
    await act(store, reference, RateReferral(rating="green"), DUTY, words="as it is")
    (name,) = owner_connection.execute("SELECT id FROM api_key").fetchone() or ("",)
    await revoke_api_key(store, name)
    await end_sessions(store, person=DUTY.id)
    await begin_session(store, [DUTY], "local")
    await record_refused(store, SCHOOL, "k-3", "submission", {}, Answer(422, {}))
    await tell_administrators(store, "merton", "something else", "is wrong")
    owner_connection.execute("UPDATE notice SET status = 'delivered', delivered_at = now()")
    await keep_to_retention(store)
    assert await held_against(store, signed) == []
    signed.append(await make_checkpoint(store, KEY))
    assert await held_against(store, signed) == []


async def test_what_is_in_force_again_after_it_was_ended_is_found(store: Store, owner_connection: psycopg.Connection) -> None:
    await lived(store)
    (name,) = owner_connection.execute("SELECT id FROM api_key").fetchone() or ("",)
    await revoke_api_key(store, name)
    await end_sessions(store, person=DUTY.id)
    owner_connection.execute("UPDATE api_key SET created_at = created_at - interval '1 day'")
    owner_connection.execute("UPDATE session SET started_at = started_at - interval '1 hour'")
    signed = [await make_checkpoint(store, KEY)]
    owner_connection.execute("UPDATE api_key SET revoked_at = NULL")
    owner_connection.execute("UPDATE session SET ended_at = NULL")
    wrong = await held_against(store, signed)
    assert len([sentence for sentence in wrong if "it is in force, and was not when that was signed" in sentence]) == 2


async def test_an_event_that_is_dated_before_a_checkpoint_and_was_written_after_it_is_found(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    reference = await submit(store)
    signed = [await make_checkpoint(store, KEY)]
    log = await read_log(store, reference)
    forged = log[-1].model_copy(
        update={
            "sequence": log[-1].sequence + 1,
            "previous": Recorded.digest(log[-1].canonical()),
            "at": datetime.now(UTC) - timedelta(hours=1),
        }
    )
    owner_connection.execute(
        "INSERT INTO event VALUES (%s, %s, %s, %s, %s, %s, 'merton')",
        (reference, forged.sequence, forged.event.kind, forged.at, forged.canonical(), Recorded.digest(forged.canonical())),
    )
    before_the_next = await held_against(store, signed)
    signed.append(await make_checkpoint(store, KEY))
    for wrong in (before_the_next, await held_against(store, signed)):
        assert len(wrong) == 1 and f"{reference}: event {forged.sequence} says" in wrong[0] and "written later" in wrong[0]


async def test_events_that_were_left_out_of_the_checkpoints_are_found(store: Store, owner_connection: psycopg.Connection) -> None:
    reference = await submit(store)
    owner_connection.execute("INSERT INTO anchored VALUES (%s, 1000)", (reference,))
    owner_connection.execute("UPDATE event SET at = at - interval '1 hour'")
    signed = [await make_checkpoint(store, KEY)]
    wrong = await held_against(store, signed)
    assert any(f"{reference}: event 1 says" in sentence for sentence in wrong)


# --- rolled back, and restored ------------------------------------------------------------------------------------------------


@pytest.fixture
def signing(settings: Settings, tmp_path: Path) -> Settings:
    """An installation that keeps its checkpoints elsewhere."""
    return settings.model_copy(update={"signing_key": SIGNING, "checkpoint_dir": tmp_path / "elsewhere"})


def proved(settings: Settings, *options: str) -> Done:
    """What `mash log verify` says."""
    names = ("database_url", "system_database_url", "owner_database_url", "master_key", "token_key", "signing_key")
    secrets = {f"MASH_{name.upper()}": getattr(settings, name).get_secret_value() for name in names}
    return mash_here("log", "verify", *options, **secrets, MASH_HUBS=settings.hubs, MASH_DATA_DIR=str(settings.data_dir))


TABLES = ("checkpoint", "anchored", "event", "referral", "receipt", "notice", "access", "personal_item", "referral_key")


def keep(owner: psycopg.Connection) -> None:
    for table in TABLES:
        owner.execute(f"DROP TABLE IF EXISTS kept_{table}".encode())
        owner.execute(f"CREATE TABLE kept_{table} AS TABLE {table}".encode())


def roll_back(owner: psycopg.Connection) -> None:
    """What an owner does who puts an older state in place."""
    for table in TABLES:
        owner.execute(f"DELETE FROM {table}".encode())
        # What the database reckons itself follows from the rest, and cannot be put in place.
        names = owner.execute(
            "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute"
            " WHERE attrelid = CAST(%s AS regclass) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
            (table,),
        ).fetchone()
        assert names is not None
        overriding = "OVERRIDING SYSTEM VALUE" if table in ("receipt", "notice", "access") else ""
        owner.execute(f"INSERT INTO {table} ({names[0]}) {overriding} SELECT {names[0]} FROM kept_{table}".encode())
        owner.execute(f"DROP TABLE kept_{table}".encode())


async def rolled_back(store: Store, settings: Settings, owner: psycopg.Connection) -> str:
    """A database of before its second and third checkpoint; the reference of a case that came between."""
    await submit(store)
    await checkpoint_of_a_night(store, settings)
    keep(owner)
    lost = await submit(store)
    await checkpoint_of_a_night(store, settings)
    await checkpoint_of_a_night(store, settings)
    roll_back(owner)
    return lost


async def test_an_older_state_in_place_of_the_newer_one_is_seen_against_what_was_kept_elsewhere(
    store: Store, signing: Settings, owner_connection: psycopg.Connection
) -> None:
    lost = await rolled_back(store, signing, owner_connection)
    assert await held_against(store, await read_checkpoints(store)) == [], "by itself it holds"
    assert signing.checkpoint_dir
    wrong = await held_against(store, read_folder(signing.checkpoint_dir))
    for number in (2, 3):
        assert any(f"checkpoint {number}, signed on" in each and "was rolled back to an older state" in each for each in wrong)
    assert any(f"{lost}: event 1, signed on" in each and "was removed" in each for each in wrong)


async def test_a_quiet_night_rolled_back_is_seen_too(
    store: Store, signing: Settings, owner_connection: psycopg.Connection
) -> None:
    await submit(store)
    await checkpoint_of_a_night(store, signing)
    await checkpoint_of_a_night(store, signing)
    owner_connection.execute("DELETE FROM checkpoint WHERE number = 2")
    assert signing.checkpoint_dir
    (wrong,) = await held_against(store, read_folder(signing.checkpoint_dir))
    assert "checkpoint 2, signed on" in wrong and "rolled back" in wrong


async def test_the_night_after_a_restore_goes_on_in_a_new_epoch_and_says_what_is_between(
    store: Store, signing: Settings, owner_connection: psycopg.Connection
) -> None:
    lost = await rolled_back(store, signing, owner_connection)
    backup = {"how": "mash restore", "at": "2026-11-28T09:00:00+00:00", "backup_at": "2026-11-27T02:00:00+00:00"}
    await state_restoration(store, {**backup, "signed_by": "abcdefghijklmnop"})
    signed = await checkpoint_of_a_night(store, signing)
    assert (signed.contents["epoch"], signed.contents["number"]) == (2, 4)
    stated = signed.contents["restored"]
    assert stated["from"][0]["backup_at"].startswith("2026-11-27")
    assert (stated["last_here"]["number"], stated["last_known"]["number"]) == (1, 3)
    following = await checkpoint_of_a_night(store, signing)
    assert (following.contents["epoch"], "restored" in following.contents) == (2, False)

    assert signing.checkpoint_dir
    elsewhere = read_folder(signing.checkpoint_dir)
    assert [each.contents["number"] for each in elsewhere] == [1, 2, 3, 4, 5]
    assert check_signatures(elsewhere, KEY.public_key()) == [] and await held_against(store, elsewhere) == []
    sentences = await between(store, elsewhere)
    assert "restored on 2026-11-28T09:00 from the backup of 2026-11-27T02:00, signed by abcdefghijkl" in sentences[0]
    assert any(f"not here any more are {lost}: events 1 to" in each for each in sentences)
    assert any("checkpoint 3 of" in each and "every event in it is here" in each for each in sentences)
    printed = await asyncio.to_thread(proved, signing, "--against", str(signing.checkpoint_dir))
    assert "begins epoch 2" in printed.stdout and lost in printed.stdout
    rows = owner_connection.execute("SELECT role FROM notice WHERE facts LIKE '%%this database was restored%%'").fetchall()
    assert {role for (role,) in rows} == {"administrator", "information_governance"}


async def test_a_database_that_was_put_back_without_a_word_is_found_by_the_next_night(
    store: Store, signing: Settings, owner_connection: psycopg.Connection
) -> None:
    await rolled_back(store, signing, owner_connection)
    signed = await checkpoint_of_a_night(store, signing)
    assert signed.contents["restored"]["from"] == [] and signed.contents["restored"]["last_known"]["number"] == 3
    assert signing.checkpoint_dir
    sentences = await between(store, read_folder(signing.checkpoint_dir))
    assert any("by nobody who said so" in sentence for sentence in sentences)


async def test_a_restore_without_the_files_of_before_does_not_write_over_them(
    store: Store, signing: Settings, owner_connection: psycopg.Connection
) -> None:
    await rolled_back(store, signing, owner_connection)
    folder = signing.checkpoint_dir
    assert folder
    await state_restoration(store, {"how": "by hand", "at": "2026-11-28T09:00:00+00:00", "why": "a lost disk", "by": "cli:root"})
    signed = await make_checkpoint(store, KEY)  # nothing is known here of what is kept elsewhere
    assert signed.contents["number"] == 2
    printed = await asyncio.to_thread(mash_export, signing, folder)
    assert "1 checkpoint was written" in printed.stdout
    assert sorted(path.name for path in folder.iterdir()) == [
        "checkpoint-000001.json",
        f"checkpoint-000002-{signed.digest[:12]}.json",
        "checkpoint-000002.json",
        "checkpoint-000003.json",
    ]
    assert check_signatures(read_folder(folder), KEY.public_key()) == []
    assert await held_against(store, read_folder(folder)) == []


def mash_export(settings: Settings, folder: Path) -> Done:
    names = ("database_url", "system_database_url", "owner_database_url", "master_key", "token_key", "signing_key")
    secrets = {f"MASH_{name.upper()}": getattr(settings, name).get_secret_value() for name in names}
    environment = {**secrets, "MASH_HUBS": settings.hubs, "MASH_DATA_DIR": str(settings.data_dir)}
    return mash_here("checkpoint", "export", str(folder), **environment)


async def test_what_else_lies_where_checkpoints_are_kept_stops_no_night(store: Store, signing: Settings) -> None:
    folder = signing.checkpoint_dir
    assert folder
    folder.mkdir()
    (folder / "checkpoint-999999.json").write_text("{nonsense")
    (folder / "checkpoint-.json").write_text('{"document": "{}", "signature": "x"}')
    await submit(store)
    forged = await make_checkpoint(store, Ed25519PrivateKey.generate())
    (folder / "checkpoint-000777.json").write_text(json.dumps({"document": forged.document, "signature": forged.signature}))
    signed = await checkpoint_of_a_night(store, signing)
    assert (signed.contents["number"], signed.contents["epoch"]) == (2, 1) and newest(folder, KEY.public_key()) == signed


async def test_nobody_else_can_say_that_it_was_restored(
    store: Store, signing: Settings, owner_connection: psycopg.Connection
) -> None:
    await rolled_back(store, signing, owner_connection)
    assert signing.checkpoint_dir
    forged = await make_checkpoint(store, Ed25519PrivateKey.generate(), newest(signing.checkpoint_dir, KEY.public_key()))
    assert "restored" in forged.contents
    wrong = check_signatures([*read_folder(signing.checkpoint_dir), forged], KEY.public_key())
    assert any("its signature does not hold" in sentence for sentence in wrong)


async def test_two_rows_of_checkpoints_of_which_neither_was_restored_are_found(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    await submit(store)
    first, second = await make_checkpoint(store, KEY), await make_checkpoint(store, KEY)
    owner_connection.execute("DELETE FROM checkpoint WHERE number = 2")
    await submit(store)
    beside = await make_checkpoint(store, KEY)
    wrong = check_signatures([first, second, beside], KEY.public_key())
    assert len(wrong) == 1 and "neither says that it was restored" in wrong[0]


async def test_a_checkpoint_of_before_ledgers_were_signed_is_followed_by_one_that_signs_them_all(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    await lived(store)
    old = (await make_checkpoint(store, KEY)).contents
    for newer in ("items", "ledgers", "standing", "profiles", "epoch", "wall"):
        del old[newer]
    document = json.dumps(old)
    owner_connection.execute(
        "UPDATE checkpoint SET document = %s, signature = %s",
        (document, base64.b64encode(KEY.sign(document.encode())).decode()),
    )
    signed = await make_checkpoint(store, KEY)
    assert signed.contents["items"] and signed.contents["ledgers"]["receipt"][0][2] == 2 and signed.contents["epoch"] == 1
    both = await read_checkpoints(store)
    assert check_signatures(both, KEY.public_key()) == [] and await held_against(store, both) == []
