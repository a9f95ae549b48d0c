"""Backups: a dump of the database, encrypted on its way to the disk, and proven by restoring it and verifying every chain."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import SecretStr
from sqlalchemy import make_url, text

from mash.config.errors import SettingsError
from mash.config.settings import Settings
from mash.flows.installation.cluster import start_cluster
from mash.flows.installation.copies import BackupFailed, count_rows, make_room, skip_references, snapshot
from mash.flows.installation.dump import dumping, restoring
from mash.flows.installation.envelope import Beginning, decrypt, encrypt
from mash.flows.installation.processes import end_processes
from mash.flows.installation.signature import Opening, Signer, Signing, Statement, check_statement
from mash.flows.store.checkpoints import make_checkpoint, signing_key
from mash.flows.store.elsewhere import newest, write_checkpoint
from mash.flows.store.held_against import restored_in_words
from mash.flows.store.log import verify
from mash.flows.store.mending import contradictions
from mash.flows.store.nights import record_backup
from mash.flows.store.schema import as_owner, upgrade
from mash.flows.store.store import Store, as_json, open_store

DUMP = b"PGDMP"
"""How a dump in PostgreSQL's custom format begins."""


LATER = "that it was restored stands in the next checkpoint, with which a new epoch begins (MASH_SIGNING_KEY is not here)"
_RESTORED = text("INSERT INTO restoration (at, document) VALUES (now(), :document)")
_NO_PROOF = (
    "the backup does not prove itself, and was not kept. Where `mash log verify` says the same, the database itself is broken:"
    " see docs/run/recovery.md; `mash backup --no-verify` copies it as it is"
)


@dataclass(frozen=True)
class Backup:
    """A backup that was made."""

    path: Path
    size: int
    """Bytes."""
    at: datetime
    """The moment of the database that it holds."""
    counts: dict[str, int]
    """Rows by table."""
    seconds: float
    verified_in: float | None
    """Seconds; None: it was not verified."""


@dataclass(frozen=True)
class Restored:
    """What a restored database holds."""

    counts: dict[str, int]
    """Rows by table, as they were in the backup."""
    wrong: list[str]
    """What does not prove itself, a sentence each."""
    next_number: int | None = None
    """The number of the next reference; None: it was restored to be checked only."""
    epoch: str | None = None
    """What the checkpoint says with which a new epoch begins."""


def make_backup(settings: Settings, place: Path, to: list[Any], by: list[Any]) -> Backup:
    """Write a backup to `place`, or under its time into that folder, signed by the installation's key. With identities `by` it
    has its name once it is proven.

    Raises SettingsError without a key to sign by; BackupFailed, and leaves no file, when anything is wrong.
    """
    began, key = time.monotonic(), signing_key(settings)
    with the_database(settings, new=False) as owner_url, ExitStack() as held:
        moment = held.enter_context(snapshot(owner_url))
        path = place / f"mash-{moment.at:%Y-%m-%dT%H%M%SZ}.dump.age" if place.is_dir() else place
        with _named_when_whole(path) as unfinished:
            with unfinished.open("wb") as file, dumping(owner_url, moment.server, moment.name) as dump:
                encrypt(Signing(dump, key, moment), file, to)
                os.fsync(file.fileno())
            held.close()  # a moment that is held keeps PostgreSQL from tidying up: no longer than it is read
            copied = time.monotonic()
            if by:
                _prove(settings, unfinished, by, moment.counts, key.public_key())
            size, verified_in = unfinished.stat().st_size, time.monotonic() - copied if by else None
        with as_owner(owner_url) as owner:
            record_backup(owner)
    return Backup(path, size, moment.at, moment.counts, copied - began, verified_in)


def check_backup(settings: Settings, path: Path, by: list[Any], signer: Signer) -> Restored:
    """Restore a backup into a fresh PostgreSQL, which is then removed, and verify every chain. Raises BackupFailed when it does
    not open, or is not signed by whom it must be."""
    _authenticate(path, by, signer)
    # Named before it is made: whenever we are told to stop, it is known what to remove.
    folder = Path(tempfile.gettempdir()).resolve() / f"mash-check-{secrets.token_hex(8)}"
    try:
        folder.mkdir(mode=0o700)
        cluster = start_cluster(folder)
        try:
            return Restored(_fill(cluster.owner_url, path, by), _wrong(settings, cluster.owner_url))
        finally:
            cluster.stop()
    finally:
        end_processes(folder / "postgres")  # a server that was being started when we were told to stop
        _remove(folder)


def _remove(folder: Path) -> None:
    """Raises BackupFailed where a restored database would be left lying about."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as failed:
        raise BackupFailed(f"{folder} holds a restored database and could not be removed: {failed.strerror}. Remove it") from None


def restore_backup(settings: Settings, path: Path, by: list[Any], signer: Signer) -> Restored:
    """Restore a backup into this installation's database, which must be empty, bring its tables up to date, and verify. That it
    was restored, and from what, is written down for the next checkpoint, with which a new epoch begins.

    Raises BackupFailed, with nothing restored, when the file does not open, is not signed by whom it must be, or the database is
    not empty.
    """
    statement = _authenticate(path, by, signer)
    with the_database(settings, new=True) as owner_url:
        counts = _fill(owner_url, path, by)
        # Before the chains are verified, which takes a while: whoever is in a hurry ends that, and starts the hub.
        number = skip_references(owner_url)
        with as_owner(owner_url) as connection:
            connection.execute(_RESTORED, {"document": as_json(_restoration(path, statement, signer))})
            connection.commit()
        epoch = _as_owner(settings, owner_url, partial(_begin_epoch, settings)) if settings.signing_key else LATER
        return Restored(counts, _wrong(settings, owner_url), number, epoch)


async def _begin_epoch(settings: Settings, store: Store) -> str:
    """Sign the first checkpoint of a restored database, and keep it where they are kept elsewhere; says what it says."""
    key = signing_key(settings)
    signed = await make_checkpoint(store, key, newest(settings.checkpoint_dir, key.public_key()))
    sentence = restored_in_words(signed)
    if settings.checkpoint_dir:
        try:
            write_checkpoint(settings.checkpoint_dir, signed)
        except OSError as failed:
            sentence += (
                f". It could not be written to {settings.checkpoint_dir} ({failed.strerror}): `mash checkpoint export` does"
            )
    return sentence


def _restoration(path: Path, statement: Statement | None, signer: Signer) -> dict[str, Any]:
    """What the next checkpoint says of a restore."""
    by = base64.b64encode(signer.key.public_bytes_raw()).decode() if signer.key and signer.holds(statement) else None
    stated = statement.contents if statement else {}
    return {
        "how": "mash restore",
        "at": datetime.now(UTC).isoformat(),
        "file": path.name,
        "backup_at": stated.get("at"),
        "checkpoint": stated.get("checkpoint"),
        "signed_by": by,
    }


@contextmanager
def the_database(settings: Settings, *, new: bool) -> Iterator[str]:
    """The address of the owner of this installation's database; if that is in the embedded PostgreSQL, it runs meanwhile, made
    where `new` and there is none. Raises SettingsError or BackupFailed when it cannot be told which database is meant."""
    address = settings.owner_database_url
    if address is not None and not _embedded(settings, address):
        yield address.get_secret_value()
        return
    if settings.database_url is not None and not _embedded(settings, settings.database_url):
        raise SettingsError(
            "MASH_OWNER_DATABASE_URL is needed beside MASH_DATABASE_URL: backups are made and restored as the owner"
        )
    if not new and not (settings.data_dir / "postgres" / "PG_VERSION").exists():
        raise BackupFailed(f"there is nothing to back up: no MASH_OWNER_DATABASE_URL, and no database in {settings.data_dir}")
    cluster = start_cluster(settings.data_dir)
    try:
        yield cluster.owner_url
    finally:
        cluster.stop()


def _embedded(settings: Settings, owner_url: SecretStr) -> bool:
    """Whether this is an address of the embedded PostgreSQL, as `mash up` kept it. Its socket may be elsewhere by now."""
    host = Path(str(make_url(owner_url.get_secret_value()).query.get("host", "")))
    of_its_own = host.parent == Path(tempfile.gettempdir()) and host.name.startswith("mash-")
    return of_its_own or host == settings.data_dir.resolve() / "postgres"


def _fill(owner_url: str, path: Path, by: list[Any]) -> dict[str, int]:
    """Restore into an empty database and bring its tables up to date; returns the rows of each as they were in the backup."""
    server = make_room(owner_url)
    with path.open("rb") as file, restoring(owner_url, server) as target:
        opening = Opening(target)
        decrypt(file, opening, by)
        opening.end()
    counts = count_rows(owner_url)
    upgrade(owner_url)
    return counts


async def _prove_itself(store: Store) -> str:
    wrong = [sentence async for sentence in verify(store)]
    return "\n".join(wrong + [sentence async for sentence in contradictions(store) if sentence not in wrong])


def _wrong(settings: Settings, owner_url: str) -> list[str]:
    """What does not prove itself in a restored database."""
    return _as_owner(settings, owner_url, _prove_itself).splitlines()


def _as_owner(settings: Settings, owner_url: str, work: Callable[[Store], Awaitable[str]]) -> str:
    """What comes of some work with a restored database; or why it cannot be opened."""
    # As the owner, who sees every row whatever the application may see. And of the settings only what the log is read with: no
    # other address may lead the proof to the database that it is compared with.
    here = Settings(
        data_dir=settings.data_dir,
        database_url=SecretStr(owner_url),
        system_database_url=SecretStr(owner_url),
        master_key=settings.master_key,
        master_key_file=settings.master_key_file,
        master_key_command=settings.master_key_command,
        hubs=settings.hubs,
        profiles_dir=settings.profiles_dir,
    )

    async def run() -> str:
        try:
            store = await open_store(here, pool_size=2)
        except SettingsError as not_its_key:
            return str(not_its_key)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())


def _prove(settings: Settings, path: Path, by: list[Any], expected: dict[str, int], key: Ed25519PublicKey) -> None:
    restored = check_backup(settings, path, by, Signer(key))
    wrong = [
        f"{table}: {expected.get(table, 0)} rows were copied, {restored.counts.get(table, 0)} came back"
        for table in sorted(expected | restored.counts)
        if expected.get(table) != restored.counts.get(table)
    ] + restored.wrong
    if wrong:
        raise BackupFailed("\n".join([*wrong, _NO_PROOF]))


def _authenticate(path: Path, by: list[Any], signer: Signer) -> Statement | None:
    """Read a backup to its end before anything is done with it: only then is it known to be whole and unchanged, and whose."""
    beginning = Beginning(len(DUMP))
    opening = Opening(beginning)
    try:
        with path.open("rb") as file:
            decrypt(file, opening, by)
        statement = opening.end()
    except BackupFailed as failed:
        raise BackupFailed(f"{path}: {failed}; nothing was restored") from None
    except OSError as failed:
        raise BackupFailed(f"{path} cannot be read: {failed.strerror}") from None
    if beginning.content != DUMP:
        raise BackupFailed(f"{path} was opened, but is no backup of a database; nothing was restored")
    if not signer.anybody and (wrong := check_statement(statement, signer.key)):
        raise BackupFailed(
            f"{path}: {wrong}; nothing was restored. A backup of before they were signed, whose way you know, is restored with"
            " --though-it-may-be-forged"
        )
    return statement


@contextmanager
def _named_when_whole(path: Path) -> Iterator[Path]:
    """A file beside its place, closed to others, that is moved there at the end: what has the name is whole."""
    if path.exists():
        raise BackupFailed(f"{path} exists: a backup is not overwritten")
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        try:
            unfinished.touch(mode=0o600, exist_ok=False)
        except OSError as failed:
            raise BackupFailed(f"nothing can be written to {path.parent}: {failed.strerror}") from None
        yield unfinished
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the name too outlives a power cut
    finally:
        os.close(folder)
