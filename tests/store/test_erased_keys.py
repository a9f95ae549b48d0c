"""A destroyed key is in no file of the database any more, and whoever destroys one is told where it still is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import pytest
from acting import submit, turned_away
from commands import mash_here

from mash.config.settings import Settings
from mash.flows.carrying.night import keep_to_retention
from mash.flows.installation.postmaster import Cluster
from mash.flows.installation.secret_files import new_master
from mash.flows.store.erasure import erase, rewrite_keys
from mash.flows.store.log import verify
from mash.flows.store.mending import contradictions
from mash.flows.store.rotation import retire_older, wrap_anew
from mash.flows.store.store import Store, open_store
from mash.states.acts.closing import ErasePeople
from mash.states.values import Actor

GOVERNOR = Actor(id="cli:governor", role="administrator", agency="system", hub="merton")
MISTAKE = ErasePeople(why="recorded_by_mistake")


def file_of(cluster: Cluster, table: str) -> bytes:
    """The table's file, as it lies on the disk."""
    with psycopg.connect(host=str(cluster.socket), user="postgres", dbname="mash", autocommit=True) as superuser:
        superuser.execute("CHECKPOINT")
        ((path, folder),) = superuser.execute(
            "SELECT pg_relation_filepath(%s), current_setting('data_directory')", (table,)
        ).fetchall()
    return (Path(folder) / path).read_bytes()


def wrapped(owner: psycopg.Connection, reference: str) -> bytes:
    ((key,),) = owner.execute("SELECT wrapped FROM referral_key WHERE reference = %s", (reference,)).fetchall()
    return bytes(key)


async def test_a_destroyed_key_is_in_no_file_of_the_table(
    store: Store, cluster: Cluster, owner_connection: psycopg.Connection
) -> None:
    reference, other = await turned_away(store), await submit(store)
    key, others = wrapped(owner_connection, reference), wrapped(owner_connection, other)
    assert key in file_of(cluster, "referral_key")
    await erase(store, reference, MISTAKE, GOVERNOR)
    assert key in file_of(cluster, "referral_key"), "an UPDATE leaves it there: that is what was attacked"
    horizon = await rewrite_keys(store)
    assert horizon.rewritten and not horizon.archived
    assert key not in file_of(cluster, "referral_key") and others in file_of(cluster, "referral_key")
    assert [s async for s in verify(store)] == [] and [s async for s in contradictions(store)] == []


async def test_while_somebody_uses_the_table_nobody_waits_long_and_the_night_is_left_to_do_it(
    store: Store, cluster: Cluster, owner_connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mash.flows.store.erasure.TRIES", 1)
    reference = await turned_away(store)
    await erase(store, reference, MISTAKE, GOVERNOR)
    with owner_connection.transaction():
        owner_connection.execute("SELECT count(*) FROM referral_key")
        horizon = await rewrite_keys(store)
    assert not horizon.rewritten and "written anew tonight" in horizon.sentences[0]
    key = file_of(cluster, "referral_key")
    await keep_to_retention(store)
    assert len(file_of(cluster, "referral_key")) == len(key) and file_of(cluster, "referral_key") != key


async def test_what_a_retired_master_key_wrapped_leaves_the_files_with_it(
    settings: Settings, empty_database: None, cluster: Cluster, owner_connection: psycopg.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "master"
    path.touch(mode=0o600)
    assert settings.master_key
    path.write_text(settings.master_key.get_secret_value())
    there = settings.model_copy(update={"master_key": None, "master_key_file": path})
    before = await open_store(there)
    key = wrapped(owner_connection, await submit(before))
    await before.close()
    path.write_text(f"{new_master()}\n{path.read_text()}")
    rotating = await open_store(there)
    await wrap_anew(rotating)
    assert key in file_of(cluster, "referral_key")
    await retire_older(rotating)
    await rotating.close()
    assert key not in file_of(cluster, "referral_key")


def test_whoever_erases_is_told_where_the_keys_still_are(
    settings: Settings, empty_database: None, cluster: Cluster, owner_connection: psycopg.Connection
) -> None:
    async def concluded() -> str:
        store = await open_store(settings)
        try:
            return await turned_away(store)
        finally:
            await store.close()

    reference = asyncio.run(concluded())
    key = wrapped(owner_connection, reference)
    names = ("database_url", "system_database_url", "owner_database_url", "master_key", "token_key")
    environment = {f"MASH_{name.upper()}": getattr(settings, name).get_secret_value() for name in names}
    environment |= {"MASH_HUBS": settings.hubs, "MASH_DATA_DIR": str(settings.data_dir)}
    done = mash_here("erase", reference, "--why", "right_to_erasure", "--yes", **environment)
    assert done.returncode == 0, done.stderr
    assert f"erased: {reference}" in done.stdout and "the files of this database hold the keys no more" in done.stdout
    assert "backups made before" in done.stdout and "archives" not in done.stdout
    assert key not in file_of(cluster, "referral_key")
