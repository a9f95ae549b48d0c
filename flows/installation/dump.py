"""PostgreSQL's own programs for copying a database: which of them fit a server, and running them with the password unseen."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import IO, Any

from psycopg import pq
from sqlalchemy import make_url

from mash.flows.installation.copies import BackupFailed
from mash.flows.installation.places import wheel_programs
from mash.flows.installation.processes import ends_with_parent

ANY_NEWER = 17
"""From this server version on a newer program does as well. An older server refuses what a newer pg_restore says first (SET
transaction_timeout), and its own cannot read what a newer pg_dump wrote: a copy could not be restored where it came from."""
SYSTEM_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
"""Where Debian and Red Hat keep the programs of each version."""


def program(name: str, server: int) -> Path:
    """The program of this name that fits a server of this major version. Raises BackupFailed when there is none."""
    places = [wheel_programs(), *(place for pattern in SYSTEM_PLACES for place in Path("/").glob(pattern[1:]))]
    candidates = [place / name for place in places if (place / name).is_file()]
    if on_path := shutil.which(name):
        candidates.append(Path(on_path))
    by_version: dict[int, Path] = {}
    for candidate in candidates:
        by_version.setdefault(_version(candidate), candidate)
    fitting = [version for version in by_version if version == server or (version > server and server >= ANY_NEWER)]
    if not fitting:
        there = ", ".join(str(version) for version in sorted(by_version))
        raise BackupFailed(f"a PostgreSQL {server} needs its own {name} (found: {there}): install postgresql-client-{server}")
    return by_version[min(fitting)]


def _version(candidate: Path) -> int:
    output = subprocess.run([str(candidate), "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r" (\d+)", output)
    return int(found[1]) if found else 0


@contextmanager
def dumping(owner_url: str, server: int, snapshot: str) -> Iterator[IO[bytes]]:
    """What pg_dump reads of the database, at a moment that somebody holds. Raises BackupFailed when that is not all of it."""
    # Nothing of ours is a large object: one that somebody has made cannot be read by us. And what is changed of PostgreSQL's own
    # functions (`cluster.NOT_FOR_EVERYBODY`) is a superuser's to restore.
    ours = ("--no-blobs", "--exclude-schema=pg_catalog")
    options = ("--format=custom", "--no-password", f"--snapshot={snapshot}", *ours)
    with _running([str(program("pg_dump", server)), *options], owner_url) as child:
        assert child.stdout
        yield child.stdout


@contextmanager
def restoring(owner_url: str, server: int) -> Iterator[IO[bytes]]:
    """Where a dump is written to be restored, in one transaction: all of it, or BackupFailed and nothing."""
    # Everything belongs to whom we connect as, whatever the owner's name was where the dump was made.
    options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-password")
    database = f"--dbname={make_url(owner_url).database}"
    with _running([str(program("pg_restore", server)), *options, database], owner_url) as child:
        assert child.stdin
        yield child.stdin


@contextmanager
def _running(command: list[str], url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A child that reaches the database; ended at once when the work with it fails, so that it never takes half for all."""
    pipe = subprocess.PIPE
    child = subprocess.Popen(
        command,
        env=_environment(url),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        preexec_fn=ends_with_parent(signal.SIGTERM),
    )
    complaints: list[bytes] = []
    # Read beside the work: a child that complains at length would wait for its reader, and we for it.
    listening = Thread(target=lambda: complaints.append(child.stderr.read() if child.stderr else b""))
    listening.start()
    try:
        yield child
        _close(child)
    except BrokenPipeError:
        pass  # it ended before it was told all: its exit code says whether it had enough
    except BaseException:
        child.kill()
        raise
    finally:
        code = child.wait()
        listening.join()
        _close(child)
    if code:
        raise BackupFailed(_complaint(command[0], code, b"".join(complaints)))


def _close(child: subprocess.Popen[bytes]) -> None:
    for stream in (child.stdin, child.stdout, child.stderr):
        if stream and not (stream is child.stderr and child.returncode is None):
            try:
                stream.close()
            except BrokenPipeError:
                continue


def _complaint(command: str, code: int, output: bytes) -> str:
    """What a program says went wrong, without the details and contexts below it: they show rows."""
    name = Path(command).name
    wrong = [line for line in output.decode(errors="replace").splitlines() if line.startswith(f"{name}: error:")]
    if wrong and "unsupported version" in wrong[0]:
        return f"{wrong[0]}: the backup is of a newer PostgreSQL than this one; restore it into one as new as that"
    return wrong[0] if wrong else f"{name} ended with code {code}"


def _environment(url: str) -> dict[str, str]:
    """How libpq reaches the database, in the child's environment only: arguments are for everybody to see."""
    address = make_url(url)
    parameters: dict[str, Any] = {
        "host": address.host,
        "port": address.port,
        "user": address.username,
        "password": address.password,
        "dbname": address.database,
        **address.query,
    }
    environment = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    for option in pq.Conninfo.get_defaults():
        value = parameters.get(option.keyword.decode())
        if option.envvar and value is not None:
            environment[option.envvar.decode()] = ",".join(value) if isinstance(value, tuple) else str(value)
    return {"PATH": os.defpath, "LC_ALL": "C", "PGAPPNAME": "mash backup", **environment}
