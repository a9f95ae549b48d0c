"""Backups: a dump of the database, encrypted on its way to the disk, and proven by restoring it and verifying every chain."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import make_url

from mash.config.settings import Settings, SettingsError
from mash.flows.installation.cluster import start_cluster
from mash.flows.installation.copies import BackupFailed, count_rows, make_room, skip_references, snapshot
from mash.flows.installation.dump import dumping, restoring
from mash.flows.installation.envelope import Beginning, decrypt, encrypt
from mash.flows.store.log import verify
from mash.flows.store.nights import record_backup
from mash.flows.store.schema import as_owner, upgrade
from mash.flows.store.store import open_store

DUMP = b"PGDMP"
"""How a dump in PostgreSQL's custom format begins."""


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


def make_backup(settings: Settings, place: Path, to: list[Any], by: list[Any]) -> Backup:
    """Write a backup to `place`, or under its time into that folder. With identities `by` it has its name once it is proven.

    Raises BackupFailed, and leaves no file, when anything is wrong.
    """
    began = time.monotonic()
    with the_database(settings, new=False) as owner_url, ExitStack() as held:
        moment = held.enter_context(snapshot(owner_url))
        path = place / f"mash-{moment.at:%Y-%m-%dT%H%M%SZ}.dump.age" if place.is_dir() else place
        with _named_when_whole(path) as unfinished:
            with unfinished.open("wb") as file, dumping(owner_url, moment.server, moment.name) as dump:
                encrypt(dump, file, to)
                os.fsync(file.fileno())
            held.close()  # a moment that is held keeps PostgreSQL from tidying up: no longer than it is read
            copied = time.monotonic()
            if by:
                _prove(settings, unfinished, by, moment.counts)
            size, verified_in = unfinished.stat().st_size, time.monotonic() - copied if by else None
        with as_owner(owner_url) as owner:
            record_backup(owner)
    return Backup(path, size, moment.at, moment.counts, copied - began, verified_in)


def check_backup(settings: Settings, path: Path, by: list[Any]) -> Restored:
    """Restore a backup into a fresh PostgreSQL, which is then removed, and verify every chain. Raises BackupFailed when it does
    not open."""
    _authenticate(path, by)
    folder = Path(tempfile.mkdtemp(prefix="mash-check-"))
    try:
        cluster = start_cluster(folder)
        try:
            return Restored(_fill(cluster.owner_url, path, by), _wrong(settings, cluster.owner_url))
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def restore_backup(settings: Settings, path: Path, by: list[Any]) -> Restored:
    """Restore a backup into this installation's database, which must be empty, bring its tables up to date, and verify.

    Raises BackupFailed, with nothing restored, when the file does not open or the database is not empty.
    """
    _authenticate(path, by)
    with the_database(settings, new=True) as owner_url:
        counts = _fill(owner_url, path, by)
        # Before the chains are verified, which takes a while: whoever is in a hurry ends that, and starts the hub.
        number = skip_references(owner_url)
        return Restored(counts, _wrong(settings, owner_url), number)


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
        decrypt(file, target, by)
    counts = count_rows(owner_url)
    upgrade(owner_url)
    return counts


def _wrong(settings: Settings, owner_url: str) -> list[str]:
    """What does not prove itself in a restored database."""
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

    async def verified() -> list[str]:
        try:
            store = await open_store(here, pool_size=2)
        except SettingsError as not_its_key:
            return [str(not_its_key)]
        try:
            return [sentence async for sentence in verify(store)]
        finally:
            await store.close()

    return asyncio.run(verified())


def _prove(settings: Settings, path: Path, by: list[Any], expected: dict[str, int]) -> None:
    restored = check_backup(settings, path, by)
    wrong = [
        f"{table}: {expected.get(table, 0)} rows were copied, {restored.counts.get(table, 0)} came back"
        for table in sorted(expected | restored.counts)
        if expected.get(table) != restored.counts.get(table)
    ] + restored.wrong
    if wrong:
        raise BackupFailed("\n".join([*wrong, _NO_PROOF]))


def _authenticate(path: Path, by: list[Any]) -> None:
    """Read a backup to its end before anything is done with it: only then is it known to be whole and unchanged."""
    beginning = Beginning(len(DUMP))
    try:
        with path.open("rb") as file:
            decrypt(file, beginning, by)
    except BackupFailed as failed:
        raise BackupFailed(f"{path}: {failed}; nothing was restored") from None
    except OSError as failed:
        raise BackupFailed(f"{path} cannot be read: {failed.strerror}") from None
    if beginning.content != DUMP:
        raise BackupFailed(f"{path} was opened, but is no backup of a database; nothing was restored")


@contextmanager
def _named_when_whole(path: Path) -> Iterator[Path]:
    """A file beside its place, closed to others, that is moved there at the end: what has the name is whole."""
    if path.exists():
        raise BackupFailed(f"{path} exists: a backup is not overwritten")
    try:
        descriptor, made = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as failed:
        raise BackupFailed(f"nothing can be written to {path.parent}: {failed.strerror}") from None
    os.close(descriptor)
    unfinished = Path(made)
    try:
        yield unfinished
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the name too outlives a power cut
    finally:
        os.close(folder)
