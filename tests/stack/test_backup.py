"""Backups: they come back whole, to whom they were made out, and one that is not what it should be is refused."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psutil
import psycopg
import pytest
from acting import DUTY, SCHOOL, START, submit
from alembic import command
from alembic.config import Config
from commands import Done, mash, mash_here
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hub import PATIENCE, eventually
from psycopg import errors, sql
from pydantic import SecretStr
from sqlalchemy import create_engine

from mash.api.self_test.walls import be
from mash.config.settings import Settings
from mash.flows.installation.copies import BackupFailed
from mash.flows.installation.dump import program
from mash.flows.installation.envelope import decrypt, encrypt, identities, recipients
from mash.flows.installation.postmaster import Cluster
from mash.flows.installation.signature import MAGIC, PURPOSE, SIZE
from mash.flows.store.apply import act
from mash.flows.store.reads.case import read_case
from mash.flows.store.reads.items import read_items
from mash.flows.store.receipts import Answer, answer_once
from mash.flows.store.schema import MIGRATIONS
from mash.flows.store.store import Store, open_store
from mash.states.acts.rating import RateReferral
from mash.states.acts.upkeep import AddNote

CANARY = "Peregrine Mossbottom"
PASSWORD = "not-to-be-seen-in-a-process-list"


@dataclass
class Place:
    """Where a test keeps its backups, and how the `mash` command is told of the installation."""

    folder: Path
    backups: Path
    identity: Path
    environment: dict[str, str]
    cluster: Cluster

    def backup(self, *options: str, **environment: str) -> Done:
        return mash_here("backup", str(self.backups), *options, **{**self.environment, **environment})

    def made(self, *options: str) -> Path:
        """A backup that was made."""
        done = self.backup("--identity", str(self.identity), *options)
        assert done.returncode == 0, done.stderr
        return self.backups / Path(done.stdout.partition(": ")[0]).name

    def restore(self, file: Path, *options: str, identity: Path | None = None, database: str = "other") -> Done:
        """Restore into another database of the same PostgreSQL."""
        options_of = ("--identity", str(identity or self.identity), *options)
        return mash_here(
            "restore", str(file), *options_of, **{**self.environment, "MASH_OWNER_DATABASE_URL": self.address(database)}
        )

    def address(self, database: str) -> str:
        return f"postgresql+psycopg://mash_owner:{PASSWORD}@/{database}?host={self.cluster.socket}"

    def connect(self, database: str, role: str = "mash_owner") -> psycopg.Connection:
        return psycopg.connect(host=str(self.cluster.socket), user=role, dbname=database, autocommit=True)

    def left(self) -> list[str]:
        """What lies among the backups, and in the temporary folder."""
        return [path.name for path in (*self.backups.iterdir(), *Path(self.environment["TMPDIR"]).iterdir())]


@pytest.fixture
def place(cluster: Cluster, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Two databases beside ours, empty; an identity; and folders that the cluster's own user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="mash-backups-"))
    folder.chmod(0o755)
    identity, backups, temporary = folder / "identity", folder / "backups", folder / "tmp"
    for made in (backups, temporary):
        made.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    recipient = mash_here("backup-key", str(identity)).stdout.splitlines()[0].removeprefix("MASH_BACKUP_RECIPIENT=")
    assert settings.master_key
    environment = {
        "MASH_DATA_DIR": str(settings.data_dir),
        "MASH_HUBS": "merton",
        "MASH_MASTER_KEY": settings.master_key.get_secret_value(),
        "MASH_BACKUP_RECIPIENT": recipient,
        "MASH_SIGNING_KEY": base64.b64encode(bytes(range(32))).decode(),
        "TMPDIR": str(temporary),
    }
    made_here = Place(folder, backups, identity, environment, cluster)
    environment["MASH_OWNER_DATABASE_URL"] = made_here.address("mash")
    with made_here.connect("postgres", "postgres") as superuser:
        for name in ("other", "older"):
            superuser.execute(f"CREATE DATABASE {name} OWNER mash_owner".encode())
        yield made_here
        for name in ("other", "older"):
            superuser.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
    shutil.rmtree(folder)


async def accepted(store: Store) -> str:
    """A referral that was submitted and answered, with a note; its reference."""
    key = str(uuid4())

    async def work(_: object) -> Answer:
        return Answer(201, {}, await submit(store, words=CANARY))

    answer = await answer_once(store, SCHOOL, key, "submission", {}, work, lambda refusal: Answer(422, {}))
    await act(store, str(answer.reference), AddNote(), DUTY, words=f"{CANARY} rang")
    return str(answer.reference)


@pytest.fixture
async def referrals(store: Store) -> list[str]:
    """Three referrals; one is rated."""
    references = [await accepted(store) for _ in range(3)]
    await act(store, references[0], RateReferral(rating="blue"), DUTY)
    return references


def rows(connection: psycopg.Connection, table: str) -> list[str]:
    found = connection.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table))).fetchall()
    return sorted(text for (text,) in found)


def tables(connection: psycopg.Connection) -> list[str]:
    found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
    return [name for (name,) in found]


def policies(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        "SELECT tablename, policyname, roles, cmd, qual, with_check FROM pg_policies ORDER BY 1, 2"
    ).fetchall()


# --- the round trip -----------------------------------------------------------------------------------------------------------


def test_a_backup_comes_back_whole_with_every_row_grant_and_policy(place: Place, referrals: list[str]) -> None:
    with place.connect("mash") as ours, place.connect("other") as other:
        done = place.backup("--identity", str(place.identity))
        assert done.returncode == 0, done.stderr
        assert "3 referrals, " in done.stdout and "every chain verifies" in done.stdout
        assert "The master key is not in it" in done.stdout
        (file,) = place.backups.iterdir()
        assert re.fullmatch(r"mash-\d{4}-\d\d-\d\dT\d{6}Z\.dump\.age", file.name)
        assert file.stat().st_mode & 0o777 == 0o600

        other.close()
        restored = place.restore(file)
        assert restored.returncode == 0, restored.stderr
        assert "restored 3 referrals, " in restored.stdout and "every chain verifies" in restored.stdout
        with place.connect("other") as other:
            assert tables(other) == tables(ours)
            for table in set(tables(ours)) - {"restoration", "checkpoint", "anchored", "night"}:
                assert rows(other, table) == rows(ours, table), table
            ((number, document),) = other.execute("SELECT number, document FROM checkpoint").fetchall()
            assert json.loads(document)["restored"]["from"][0]["file"] == file.name
            assert (
                f"checkpoint {number} of " in restored.stdout and "begins epoch 2: this database was restored" in restored.stdout
            )
            assert policies(other) == policies(ours) != []
    with place.connect("other", "mash_app") as application:
        for forbidden in ("UPDATE event SET kind = 'other'", "DELETE FROM event", "TRUNCATE event", "DROP TABLE event"):
            with pytest.raises(errors.InsufficientPrivilege):
                application.execute(forbidden.encode())
        assert rows(application, "referral") == [], "whoever does not say who they are sees nothing there either"
        with place.connect("other") as owner:
            ((key,),) = owner.execute("SELECT key FROM caller_key").fetchall()
        with application.transaction():
            be(application, DUTY, START, bytes(key))
            assert len(rows(application, "referral")) == 3


def test_what_somebody_has_left_in_the_database_stops_no_backup(place: Place, referrals: list[str]) -> None:
    with place.connect("mash", "postgres") as superuser:
        ((number,),) = superuser.execute("SELECT lo_create(0)").fetchall()
        superuser.execute(sql.SQL("ALTER LARGE OBJECT {} OWNER TO mash_app").format(sql.Literal(number)))
    try:
        assert place.restore(place.made()).returncode == 0
    finally:
        with place.connect("mash", "postgres") as superuser:
            superuser.execute("SELECT lo_unlink(%s)", (number,))


@pytest.mark.nightly
async def test_the_people_come_back_for_who_has_the_master_key(place: Place, referrals: list[str], settings: Settings) -> None:
    file = await asyncio.to_thread(lambda: made_by_a_process(place))
    done = await asyncio.to_thread(
        lambda: mash(
            *("restore", str(file), "--identity", str(place.identity)),
            **{**place.environment, "MASH_OWNER_DATABASE_URL": place.address("other")},
        )
    )
    assert done.returncode == 0, done.stderr
    application = SecretStr(f"postgresql+asyncpg://mash_app@/other?host={place.cluster.socket}")
    there = settings.model_copy(update={"database_url": application, "hubs": "merton"})
    opened = await open_store(there)
    try:
        items = await read_items(opened, await read_case(opened, referrals[0]), DUTY)
        assert CANARY in str(items)
        last = int(referrals[-1][-6:])
        assert int((await submit(opened))[-6:]) == last + 1001, "none that may have been given out since is given out again"
    finally:
        await opened.close()


def made_by_a_process(place: Place, *options: str) -> Path:
    """The same as `made`, by a process of its own: for tests that go on meanwhile."""
    done = mash("backup", str(place.backups), "--identity", str(place.identity), *options, **place.environment)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.partition(": ")[0])


@pytest.mark.nightly
async def test_a_backup_that_is_made_while_referrals_keep_coming_is_of_one_moment(place: Place, store: Store) -> None:
    before = [await accepted(store) for _ in range(3)]
    making = asyncio.create_task(asyncio.to_thread(lambda: made_by_a_process(place)))
    meanwhile = 0
    while not making.done():
        await accepted(store)
        meanwhile += 1
    checked = await asyncio.to_thread(
        lambda: mash("restore", "--check", str(making.result()), "--identity", str(place.identity), **place.environment)
    )
    assert "every chain verifies" in checked.stdout, checked.stderr
    held = int(checked.stdout.split("holds ")[1].split()[0])
    assert len(before) < held < len(before) + meanwhile


@pytest.mark.nightly
def test_a_backup_of_an_older_release_opens_in_this_one(place: Place, referrals: list[str]) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    engine = create_engine(place.address("older"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.commit()
    engine.dispose()
    with place.connect("mash") as ours, place.connect("older") as older:
        assert "rota" not in tables(older)
        for table in set(tables(older)) - {"alembic_version", "wake_up", "notice", "delivery", "repair"}:
            copy(ours, older, table)
        older.execute("SELECT setval('referral_number', 3)")
    file = place.backups / "older"
    done = mash_here(
        *("backup", str(file), "--identity", str(place.identity)),
        **{**place.environment, "MASH_OWNER_DATABASE_URL": place.address("older")},
    )
    assert done.returncode == 0, done.stderr
    assert "every chain verifies" in place.restore(file).stdout
    with place.connect("other") as other:
        assert {"rota", "pulse"} <= set(tables(other))
        assert rows(other, "event")


def copy(source: psycopg.Connection, target: psycopg.Connection, table: str) -> None:
    """Copy the columns that the target has."""
    found = target.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", (table,)).fetchall()
    names = sql.SQL(", ").join(sql.Identifier(name) for (name,) in found)
    out = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(names, sql.Identifier(table))
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    with source.cursor().copy(out) as reading, target.cursor().copy(into) as writing:
        for data in reading:
            writing.write(data)


# --- who can open it, and what is seen ------------------------------------------------------------------------------------------


def test_an_identity_is_its_owners_alone_and_is_not_overwritten(place: Place) -> None:
    assert place.identity.stat().st_mode & 0o777 == 0o600
    before = place.identity.read_text()
    again = mash_here("backup-key", str(place.identity))
    assert (again.returncode, place.identity.read_text()) == (1, before)
    assert "cannot be made: File exists" in again.stderr
    place.identity.chmod(0o644)
    refused = place.backup("--identity", str(place.identity))
    assert refused.returncode == 2 and "can be read by others; run: chmod 600" in refused.stderr


def test_another_identity_does_not_open_a_backup(place: Place, referrals: list[str]) -> None:
    file = place.made("--no-verify")
    stranger = place.folder / "stranger"
    mash_here("backup-key", str(stranger))
    refused = place.restore(file, identity=stranger)
    assert refused.returncode == 1
    assert (
        "this identity does not open it: it was made for another recipient, or its beginning was changed; nothing was"
        in refused.stderr
    )
    with place.connect("other") as other:
        assert tables(other) == []


def test_a_machine_without_the_identity_makes_backups_that_are_checked_elsewhere(place: Place, referrals: list[str]) -> None:
    refused = place.backup()
    assert refused.returncode == 2 and "this machine has no identity" in refused.stderr and "--no-verify" in refused.stderr
    assert place.left() == []
    assert "NOT verified: run `mash restore --check`" in place.backup("--no-verify").stdout
    (file,) = place.backups.iterdir()
    checked = place.restore(file, "--check")
    assert checked.returncode == 0 and checked.stdout.endswith("receipts\nevery chain verifies\n")
    with place.connect("other") as other:
        assert tables(other) == []
    assert place.left() == [file.name]


def test_each_of_several_recipients_can_open_it(place: Place, referrals: list[str]) -> None:
    second = place.folder / "second"
    recipient = mash_here("backup-key", str(second)).stdout.splitlines()[0].removeprefix("MASH_BACKUP_RECIPIENT=")
    both = f"{place.environment['MASH_BACKUP_RECIPIENT']}, {recipient}"
    done = place.backup("--no-verify", MASH_BACKUP_RECIPIENT=both)
    assert done.returncode == 0, done.stderr
    (file,) = place.backups.iterdir()
    assert place.restore(file, identity=second).returncode == 0


@pytest.mark.parametrize("wrong", ["", "age1nonsense", "AGE-SECRET-KEY-1QQQQQQQQ"])
def test_a_recipient_that_is_none_stops_the_backup_and_is_not_repeated(place: Place, wrong: str) -> None:
    done = place.backup("--no-verify", MASH_BACKUP_RECIPIENT=wrong)
    assert done.returncode == 2 and "MASH_BACKUP_RECIPIENT" in done.stderr
    assert not wrong or wrong not in done.stderr


def test_while_and_after_a_backup_is_made_nothing_of_it_is_readable_nor_the_databases_password(
    place: Place, referrals: list[str]
) -> None:
    plain = [word.encode() for word in (*CANARY.split(), "MASH-", SCHOOL.id, "referral_rated")]
    seen, arguments = set[bytes](), set[str]()

    def look() -> None:
        for path in (*place.backups.iterdir(), *Path(place.environment["TMPDIR"]).rglob("*")):
            try:
                seen.update(word for word in plain if word in path.read_bytes())
            except (FileNotFoundError, IsADirectoryError):
                continue
        arguments.update(" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))

    def reading(watcher: psycopg.Connection) -> bool:
        query = "SELECT FROM pg_stat_activity WHERE application_name = 'mash backup' AND wait_event_type = 'Lock'"
        return watcher.execute(query).fetchone() is not None

    command = [sys.executable, "-m", "mash.api.commands.mash", "backup", str(place.backups), "--no-verify"]
    # Rows are counted in our own schema only, and pg_dump reads all: it waits for this one table, and can be looked at.
    with place.connect("mash", "postgres") as holder, place.connect("mash") as watcher:
        holder.execute("CREATE SCHEMA held")
        holder.execute("CREATE TABLE held.up ()")
        holder.execute("ALTER SCHEMA held OWNER TO mash_owner")
        holder.execute("ALTER TABLE held.up OWNER TO mash_owner")
        holder.execute("BEGIN")
        holder.execute("LOCK TABLE held.up IN ACCESS EXCLUSIVE MODE")
        try:
            with subprocess.Popen(command, env={**os.environ, **place.environment}, stdout=subprocess.DEVNULL) as making:
                try:
                    eventually(lambda: reading(watcher))
                    look()
                finally:
                    holder.execute("COMMIT")
                while making.poll() is None:
                    look()
        finally:
            holder.execute("DROP SCHEMA held CASCADE")
    look()
    assert making.returncode == 0
    assert any("pg_dump" in line for line in arguments), "it was looked at while it ran"
    assert not [line for line in arguments if PASSWORD in line]
    assert seen == set()
    assert len(place.left()) == 1


def test_after_a_restore_checkpoints_go_on_and_say_what_was_left_behind(place: Place, referrals: list[str]) -> None:
    elsewhere = place.folder / "checkpoints"
    place.environment["MASH_CHECKPOINT_DIR"] = str(elsewhere)

    def mash_of(database: str, *arguments: str) -> Done:
        addresses = {
            f"MASH_{name}DATABASE_URL": f"postgresql+psycopg://{role}@/{database}?host={place.cluster.socket}"
            for name, role in (("", "mash_app"), ("SYSTEM_", "mash_system"), ("OWNER_", "mash_owner"))
        }
        return mash_here(*arguments, **{**place.environment, **addresses})

    assert "checkpoint 1:" in mash_of("mash", "checkpoint", "make").stdout
    file = place.made("--no-verify")
    note = "INSERT INTO repair (what, at) VALUES ('something', now())"
    with place.connect("mash") as ours:
        ours.execute(note.encode())
    assert "checkpoint 2:" in mash_of("mash", "checkpoint", "make").stdout
    restored = place.restore(file)
    assert restored.returncode == 0, restored.stderr
    assert "checkpoint 3 of" in restored.stdout and "begins epoch 2: this database was restored" in restored.stdout
    assert "it had checkpoint 1; the last checkpoint known was 2" in restored.stdout
    assert "checkpoint 4:" in mash_of("other", "checkpoint", "make").stdout
    proved = mash_of("other", "log", "verify", "--against", str(elsewhere))
    assert "checkpoint 2 of" in proved.stdout and "is of the time that the restore left behind" in proved.stdout
    # These referrals came in without a worker, and one by one: what is left to say is of their counts alone.
    assert proved.returncode == 0, proved.stdout
    assert len(list(elsewhere.iterdir())) == 4


# --- who made it --------------------------------------------------------------------------------------------------------------


def anew(place: Place, file: Path, change: Callable[[bytes], bytes]) -> Path:
    """A backup as somebody makes it who knows the recipient: of another content."""
    plain, forged = io.BytesIO(), place.folder / "forged"
    by = identities(place.identity.read_text())
    with file.open("rb") as reading:
        decrypt(reading, plain, by)
    with forged.open("wb") as writing:
        encrypt(io.BytesIO(change(plain.getvalue())), writing, recipients(place.environment["MASH_BACKUP_RECIPIENT"]))
    return forged


def signed_by_another(content: bytes) -> bytes:
    """The dump, signed by a key of one's own."""
    dump, tail = content[:-SIZE], json.loads(content[-SIZE + len(MAGIC) :])
    signature = Ed25519PrivateKey.generate().sign(PURPOSE + tail["document"].encode())
    anew = json.dumps({"document": tail["document"], "signature": base64.b64encode(signature).decode()})
    return dump + (MAGIC + anew.encode()).ljust(SIZE)


FORGERIES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "nobody signed it": (lambda content: content[:-SIZE], "nobody signed it"),
    "another key signed it": (signed_by_another, "its signature does not hold"),
    "another dump under its signature": (lambda content: content[:-SIZE] + b"more" + content[-SIZE:], "its dump was exchanged"),
    "a signature that cannot be read": (lambda content: content[:-SIZE] + MAGIC.ljust(SIZE), "cannot be read"),
}


def test_a_backup_that_nobody_signed_is_restored_only_by_whoever_says_that_it_may_be_forged(
    place: Place, referrals: list[str]
) -> None:
    file = place.made("--no-verify")
    for name, (forge, sentence) in FORGERIES.items():
        refused = place.restore(anew(place, file, forge))
        assert refused.returncode == 1 and sentence in refused.stderr and "nothing was restored" in refused.stderr, name
    with place.connect("other") as other:
        assert tables(other) == []
    unsigned = anew(place, file, FORGERIES["nobody signed it"][0])
    taken = place.restore(unsigned, "--though-it-may-be-forged")
    assert taken.returncode == 0, taken.stderr
    assert "WARNING: who made this backup was not asked for" in taken.stdout and "every chain verifies" in taken.stdout
    assert "from the backup of an unknown time, which nobody signed" in taken.stdout


def test_where_the_signing_key_is_not_its_public_half_tells_whose_backup_it_is(place: Place, referrals: list[str]) -> None:
    file = place.made("--no-verify")
    public = mash_here("checkpoint", "key", **place.environment).stdout.strip()
    other = base64.b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()
    del place.environment["MASH_SIGNING_KEY"]
    refused = place.restore(file, "--check")
    assert refused.returncode == 1 and "say --key, as `mash checkpoint key` printed it" in refused.stderr
    assert "its signature does not hold" in place.restore(file, "--check", "--key", other).stderr
    taken = place.restore(file, "--key", public)
    assert taken.returncode == 0 and "stands in the next checkpoint" in taken.stdout, taken.stderr
    with place.connect("other") as restored:
        ((document,),) = restored.execute("SELECT document FROM restoration").fetchall()
    assert json.loads(document)["signed_by"] == public
    assert "MASH_SIGNING_KEY is needed" in place.backup("--no-verify").stderr


def test_a_backup_opens_by_hand_as_it_did(place: Place, referrals: list[str]) -> None:
    plain = io.BytesIO()
    with place.made("--no-verify").open("rb") as file:
        decrypt(file, plain, identities(place.identity.read_text()))
    command = [str(program("pg_restore", 18)), "--single-transaction", "--no-owner", "-d", "other"]
    options = ["-h", str(place.cluster.socket), "-U", "mash_owner"]
    subprocess.run([*command, *options], input=plain.getvalue(), check=True)
    with place.connect("other") as other:
        assert len(rows(other, "referral")) == 3


# --- what is refused ------------------------------------------------------------------------------------------------------------


def flipped(at: float) -> Callable[[bytes], bytes]:
    """One bit of one byte is another, so far into the file."""

    def damage(content: bytes) -> bytes:
        index = int(len(content) * at)
        return content[:index] + bytes([content[index] ^ 1]) + content[index + 1 :]

    return damage


DAMAGES = {
    "a byte near the beginning": flipped(0.0),
    "a byte of the recipient's part": flipped(0.003),
    "a byte in the middle": flipped(0.5),
    "a byte at the end": flipped(0.99999),
    "the last byte is missing": lambda content: content[:-1],
    "half of it is missing": lambda content: content[: len(content) // 2],
    "nothing is left": lambda content: b"",
    "a byte too many": lambda content: content + b"x",
    "something else": lambda content: b"not a backup" * 100,
}


def test_a_file_that_was_changed_or_cut_off_anywhere_is_refused_and_nothing_restored(place: Place, referrals: list[str]) -> None:
    file = place.made("--no-verify")
    for name, damage in DAMAGES.items():
        damaged = place.folder / "damaged"
        damaged.write_bytes(damage(file.read_bytes()))
        for options in ((), ("--check",)):
            refused = place.restore(damaged, *options)
            assert refused.returncode == 1, name
            assert "was changed" in refused.stderr and "nothing was restored" in refused.stderr, (name, refused.stderr)
    with place.connect("other") as other:
        assert tables(other) == []


def test_a_database_that_has_referrals_is_not_restored_over(place: Place, referrals: list[str]) -> None:
    file = place.made("--no-verify")
    assert place.restore(file).returncode == 0
    with place.connect("other") as other:
        before = rows(other, "event")
    refused = place.restore(file)
    assert refused.returncode == 1
    assert "this database has referrals" in refused.stderr and "MASH_DATA_DIR" in refused.stderr
    with place.connect("other") as other:
        assert rows(other, "event") == before


def test_a_database_that_somebody_uses_is_not_restored_into(place: Place, referrals: list[str]) -> None:
    file = place.made("--no-verify")
    with place.connect("other", "mash_app"):
        refused = place.restore(file)
    assert refused.returncode == 1 and "1 other connections" in refused.stderr and "stop the API" in refused.stderr


def test_a_broken_chain_is_found_when_the_backup_is_made(
    place: Place, referrals: list[str], owner_connection: psycopg.Connection
) -> None:
    owner_connection.execute("UPDATE event SET canonical = replace(canonical, 'blue', 'red') WHERE kind = 'referral_rated'")
    done = place.backup("--identity", str(place.identity))
    assert done.returncode == 1
    assert f"{referrals[0]}: event " in done.stderr and "was changed" in done.stderr and "was not kept" in done.stderr
    assert place.left() == []
    # What there is can still be saved, and says what is wrong with it wherever it is restored.
    file = place.made("--no-verify")
    restored = place.restore(file)
    assert restored.returncode == 1 and "was changed" in restored.stdout and "1 chain is broken" in restored.stdout


def test_with_another_master_key_a_backup_is_not_believed(place: Place, referrals: list[str]) -> None:
    environment = {"MASH_MASTER_KEY": "A" * 43 + "="}
    done = place.backup("--identity", str(place.identity), **environment)
    assert done.returncode == 1 and "is not the one of this database" in done.stderr
    assert place.left() == []


def test_a_backup_is_not_overwritten(place: Place, referrals: list[str]) -> None:
    file = place.made("--no-verify")
    before = file.read_bytes()
    done = mash_here("backup", str(file), "--no-verify", **place.environment)
    assert done.returncode == 1 and "a backup is not overwritten" in done.stderr
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "seen",
    [
        "mash-check-*",
        "mash-check-*/postgres.new/base",
        "mash-check-*/postgres.new/base/1/*",
        "mash-check-*/postgres/postmaster.pid",
        "mash-check-*/postgres/base/*5",
    ],
)
def test_a_backup_that_is_told_to_stop_leaves_nothing_behind(place: Place, referrals: list[str], seen: str) -> None:
    command = [sys.executable, "-m", "mash.api.commands.mash", "backup", str(place.backups), "--identity", str(place.identity)]
    with subprocess.Popen(command, env={**os.environ, **place.environment}, stdout=subprocess.DEVNULL) as making:
        deadline = time.monotonic() + PATIENCE
        while not any(Path(place.environment["TMPDIR"]).glob(seen)):
            assert making.poll() is None and time.monotonic() < deadline
            time.sleep(0.001)
        making.send_signal(signal.SIGTERM)
        making.send_signal(signal.SIGTERM)  # and again: nobody hurries it so that it leaves something
    assert making.returncode == 143
    assert place.left() == []


def test_a_database_that_cannot_be_reached_or_holds_nothing_is_said_in_a_sentence(place: Place) -> None:
    nowhere = place.backup("--no-verify", MASH_OWNER_DATABASE_URL=f"postgresql://mash_owner:{PASSWORD}@127.0.0.1:1/mash")
    assert nowhere.returncode == 75 and "Connection refused" in nowhere.stderr
    assert PASSWORD not in nowhere.stderr
    empty = place.backup("--no-verify", MASH_OWNER_DATABASE_URL=place.address("other"))
    assert empty.returncode == 1 and "nothing to back up: the database has no tables" in empty.stderr


def test_which_database_is_meant_is_not_guessed(place: Place) -> None:
    del place.environment["MASH_OWNER_DATABASE_URL"]
    nothing = place.backup("--no-verify")
    assert nothing.returncode == 1 and "nothing to back up: no MASH_OWNER_DATABASE_URL" in nothing.stderr
    other = place.backup("--no-verify", MASH_DATABASE_URL="postgresql://mash_app@db.example.org/mash")
    assert other.returncode == 2 and "MASH_OWNER_DATABASE_URL is needed beside MASH_DATABASE_URL" in other.stderr
    assert not (Path(place.environment["MASH_DATA_DIR"]) / "postgres").exists()


def test_a_server_newer_than_every_program_is_said_in_a_sentence() -> None:
    assert program("pg_dump", 18).name == "pg_dump"
    with pytest.raises(BackupFailed, match=r"a PostgreSQL 99 needs its own pg_dump .*install postgresql-client-99"):
        program("pg_dump", 99)
