"""After a disaster: back to the moment before it, or to a backup on a new machine, and the work goes on."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
import subprocess
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from acting import submit
from commands import mash, mash_here
from hub import eventually, running_hub, temporary_hub
from pydantic import SecretStr

from mash.config.settings import Settings
from mash.flows.installation.cluster import start_cluster
from mash.flows.installation.places import wheel_programs
from mash.flows.installation.postmaster import Cluster
from mash.flows.store.reads.case import read_case
from mash.flows.store.schema import upgrade
from mash.flows.store.store import open_store
from mash.states.errors import NotFound

PAGE = Path(__file__).parents[2] / "docs" / "run" / "recovery.md"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the cluster's own user can enter."""
    made = Path(tempfile.mkdtemp(prefix="mash-recovery-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def connect(cluster: Cluster, role: str, database: str) -> psycopg.Connection:
    return psycopg.connect(host=str(cluster.socket), user=role, dbname=database, autocommit=True)


def notices(kind: str, folder: Path) -> list[str]:
    """What the documentation tells people to write, of this kind, for a folder of ours."""
    blocks = re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [textwrap.dedent(block).replace("/srv/", f"{folder}/") for block in blocks]


def archiving(folder: Path) -> Cluster:
    """A cluster that archives its log."""
    cluster = start_cluster(folder / "first")
    cluster.stop()
    (folder / "archive").mkdir()
    own_as(folder / "archive", cluster.data)
    with (cluster.data / "postgresql.conf").open("a") as file:
        file.write(next(block for block in notices("ini", folder) if "archive_mode" in block))
    return start_cluster(folder / "first")


def own_as(path: Path, model: Path) -> None:
    """Give a folder and what is in it to whom another belongs."""
    for each in (path, *path.rglob("*")):
        shutil.chown(each, model.stat().st_uid, model.stat().st_gid)


def installation(cluster: Cluster, folder: Path) -> Settings:
    key = folder / "master_key"
    if not key.exists():
        key.write_text(base64.b64encode(os.urandom(32)).decode())
    return Settings(
        data_dir=folder,
        database_url=SecretStr(cluster.app_url),
        system_database_url=SecretStr(cluster.system_url),
        owner_database_url=SecretStr(cluster.owner_url),
        master_key=SecretStr(key.read_text()),
        hubs="merton",
    )


async def submitted(settings: Settings) -> str:
    store = await open_store(settings)
    try:
        return await submit(store)
    finally:
        await store.close()


def test_a_database_is_brought_back_to_the_moment_before_a_disaster(folder: Path) -> None:
    first = archiving(folder)
    try:
        upgrade(first.owner_url)
        settings = installation(first, folder)
        in_the_base = asyncio.run(submitted(settings))
        base = folder / "again" / "postgres"
        copy = [str(wheel_programs() / "pg_basebackup"), "-h", str(first.socket), "-U", "postgres", "-D", str(base), "-c", "fast"]
        subprocess.run(copy, check=True)
        in_the_archive = asyncio.run(submitted(settings))
        with connect(first, "mash_owner", "mash") as owner:
            moment = owner.execute("SELECT clock_timestamp()::text").fetchone()
            time.sleep(0.05)
            for table in ("event", "personal_item", "referral_key", "referral"):
                owner.execute(f"DELETE FROM {table}".encode())
        too_late = asyncio.run(submitted(settings))
    finally:
        first.stop()  # what is written last is archived when it stops

    assert moment
    settings_of_it = next(block for block in notices("ini", folder) if "recovery_target_time" in block)
    with (base / "postgresql.auto.conf").open("a") as file:
        file.write(re.sub(r"recovery_target_time = '.*'", f"recovery_target_time = '{moment[0]}'", settings_of_it))
    (base / "recovery.signal").touch()
    own_as(base, first.data)
    again = start_cluster(folder / "again")
    try:
        settings = installation(again, folder)
        environment = {
            "MASH_DATABASE_URL": again.app_url,
            "MASH_SYSTEM_DATABASE_URL": again.system_url,
            "MASH_MASTER_KEY_FILE": str(folder / "master_key"),
        }
        (folder / "master_key").chmod(0o600)
        with connect(again, "mash_owner", "mash") as owner:
            for statement in notices("sql", folder):
                owner.execute(statement.encode())
        proof = mash_here("log", "verify", MASH_DATA_DIR=str(folder), MASH_HUBS="merton", **environment)
        assert (proof.returncode, proof.stdout) == (0, "every chain verifies\n"), proof.stderr
        asyncio.run(holds(settings, {in_the_base, in_the_archive}, too_late))
    finally:
        again.stop()


async def holds(settings: Settings, there: set[str], gone: str) -> None:
    store = await open_store(settings)
    try:
        assert {(await read_case(store, reference)).reference for reference in there} == there
        with pytest.raises(NotFound):
            await read_case(store, gone)
        assert int((await submit(store))[-6:]) > int(gone[-6:]) + 900, (
            "it takes referrals again, and gives out no reference twice"
        )
    finally:
        await store.close()


def test_on_a_new_machine_a_backup_and_the_keys_are_all_that_is_needed(folder: Path) -> None:
    identity = folder / "identity"
    recipient = mash_here("backup-key", str(identity)).stdout.splitlines()[0].removeprefix("MASH_BACKUP_RECIPIENT=")
    new = folder / "new"
    new.mkdir()
    with temporary_hub() as old:
        waiting, rated = old.referral(), old.referral()
        old.rate(rated, "green")
        old.awaits(rated, "Awaiting agency checks")
        where = {"MASH_DATA_DIR": str(old.settings.data_dir), "MASH_BACKUP_RECIPIENT": recipient}
        done = mash("backup", str(folder / "backup.age"), "--identity", str(identity), **where)
        assert done.returncode == 0, done.stderr
        (new / "keys").mkdir(mode=0o700)
        for name in ("master_key", "token_key", "signing_key"):
            shutil.copy(old.settings.data_dir / "keys" / name, new / "keys" / name)
        key = old.key

    restored = mash("restore", str(folder / "backup.age"), "--identity", str(identity), MASH_DATA_DIR=str(new))
    assert restored.returncode == 0, restored.stderr
    assert "restored 2 referrals, " in restored.stdout and restored.stdout.endswith("every chain verifies\n")
    with running_hub(new) as hub:
        # Prefect's database is new, and knew of no run.
        hub.awaits(waiting, "Awaiting triage")
        hub.awaits(rated, "Awaiting agency checks")
        again = eventually(lambda: hub.sql("SELECT reference FROM repair WHERE what LIKE '%%forgotten%%'"))
        assert {waiting, rated} >= {reference for (reference,) in again}
        hub.give(waiting, "rate_referral", rating="green")
        hub.awaits(waiting, "Awaiting agency checks")
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "after"}
        answer = hub.http.post("/referrals", json={"concern": {"summary": "Worried."}}, headers=headers)
        assert answer.status_code == 201, "the school's key is in the backup too"
        assert int(answer.json()["reference"][-6:]) == 1003
