"""Processes that end when they should: a child with its parent, PostgreSQL's server with whoever started it, none left behind."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import psutil

from mash.config.errors import SettingsError, ToMend


class ClusterNotStarted(ToMend):
    """PostgreSQL did not come up; says what failed and where its log is."""


class PartNotStarted(ToMend):
    """A part ended, and starting it again is no use; says why, in the part's own last words."""


PR_SET_PDEATHSIG = 1


def check_port(host: str, port: int, setting: str) -> None:
    """Raises SettingsError where somebody else listens at an address that a part is to listen at."""
    family, kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the part itself will: not refused by its own last life
        try:
            probe.bind(address)
        except OSError as taken:
            if taken.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
                raise
            raise SettingsError(f"{host}:{port} cannot be listened at ({_why(taken)}): choose another by {setting}") from None


def _why(taken: OSError) -> str:
    if taken.errno == errno.EADDRINUSE:
        return "another program listens there, perhaps another `mash up`"
    return "only root may, below 1024" if taken.errno == errno.EACCES else "this machine has no such address"


def ends_with_parent(how: signal.Signals) -> Callable[[], None] | None:
    """For Popen's `preexec_fn`: on Linux the child gets this signal when the thread that started it ends, even by kill -9."""
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()  # looked up here: loading a library after fork may hang

    def arm() -> None:
        prctl(PR_SET_PDEATHSIG, int(how))
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)

    return arm


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Hold a file's lock: of two processes that make or change the same thing at once, one waits."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def told_afterwards() -> Iterator[None]:
    """Start a child here, and give it its name here: who is told to stop meanwhile hears of it afterwards. Between its birth and
    its name nobody could end it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def pid_file(data: Path) -> list[str]:
    """The lines of postmaster.pid: pid, folder, start, port, socket folder, address, shared memory, status. Empty: none."""
    try:
        return [line.strip() for line in (data / "postmaster.pid").read_text().splitlines()]
    except FileNotFoundError:
        return []


def living_postmaster(data: Path) -> psutil.Process | None:
    """The living postmaster of this folder: a number in a file proves nothing, after a crash it may be anybody's."""
    lines = pid_file(data)
    return next((process for process in _processes(data) if lines and str(process.pid) == lines[0]), None)


def _processes(data: Path) -> list[psutil.Process]:
    """All server processes of this folder: each works in it."""
    return [
        process
        for process in psutil.process_iter(["name", "cwd", "status"])
        if process.info["name"] == "postgres"
        and process.info["cwd"] == str(data)
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def end_processes(data: Path) -> None:
    """End the server of this folder; what a killed postmaster left behind ends by itself, a moment later."""
    for how, seconds in ((signal.SIGINT, 60), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
        left = _processes(data)
        postmaster = living_postmaster(data)
        for process in [postmaster] if postmaster else left if how is signal.SIGKILL else []:
            _signal(process, how)
        if not psutil.wait_procs(left, seconds)[1] and not _processes(data):
            return
    raise ClusterNotStarted(f"server processes of {data} do not end")


def _signal(process: psutil.Process, how: signal.Signals) -> None:
    try:
        process.send_signal(how)
    except psutil.NoSuchProcess:
        return


def wait_until_ready(data: Path, pid: int, lives: Callable[[], bool], seconds: float = 600) -> None:
    """Wait for the status in postmaster.pid; recovery after a crash may take minutes. `pg_ctl -w` looks only every 0.1 s."""
    deadline = time.monotonic() + seconds
    while True:
        lines = pid_file(data)
        if len(lines) > 7 and lines[0] == str(pid) and lines[7] == "ready":
            return
        if not lives() or time.monotonic() > deadline:
            raise ClusterNotStarted(f"PostgreSQL did not start; see {data.parent / 'logs' / 'postgres.log'}")
        time.sleep(0.01)


def open_log(path: Path) -> BinaryIO:
    """A log, to be added to: for its owner and their group, also where an earlier release left it for everybody. It names nobody,
    and says where from and when somebody was refused."""
    path.parent.mkdir(parents=True, exist_ok=True)
    log = os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640), "ab")
    os.fchmod(log.fileno(), 0o640)
    return log
