"""All the parts as child processes: for `mash up`, the demonstration, the tests and the benchmark."""

from __future__ import annotations

import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import SecretStr

from mash.config.behind import stand_behind
from mash.config.errors import TO_MEND, SettingsError
from mash.config.settings import Settings
from mash.flows.installation.parts import KEPT_OPEN, NEEDED, NICE, PARTS, PREFECT_SERVER, bare_environment, kind
from mash.flows.installation.postmaster import Cluster, start_postmaster
from mash.flows.installation.preparation import Preparation
from mash.flows.installation.processes import (
    ClusterNotStarted,
    PartNotStarted,
    check_port,
    ends_with_parent,
    open_log,
)
from mash.flows.installation.secret_files import elsewhere, provide_secrets, secrets_folder

EARLY = ("api",)
"""What begins to import before there is a database: people wait for it. It reads its settings when all is prepared, of which some
are written meanwhile."""
PORTS = range(20_000, 30_000)
"""From which a free port is taken: by default Linux gives out 32,768 and above, others 49,152 and above."""
TRIES = 100
"""Of these ports, before there is said to be none."""
LONGEST_START = 240.0
"""Seconds for which is waited until all parts are there: much longer than it takes, for a slow machine."""
LONGEST_WAIT = 30.0
"""Seconds between two starts of a part that keeps dying; one that lived longer than this begins again at one second."""


def free_port() -> int:
    """A TCP port on loopback that nobody listens on. Not one of those that the system gives out by itself: before it is listened
    on, which may be seconds later, it would give it to somebody else. Raises OSError where a hundred tries find none."""
    for port in secrets.SystemRandom().sample(PORTS, TRIES):
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"no free port was found between {PORTS.start} and {PORTS.stop}")


class Stack:
    """The database, Prefect's server, the worker and the API, started together and stopped together."""

    def __init__(self, settings: Settings, parts: Collection[str] = PARTS) -> None:
        if unknown := set(parts) - set(PARTS):
            raise ValueError(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
        self.settings, self.parts = settings, tuple(part for part in PARTS if part in parts)
        self.cluster: Cluster | None = None
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.logs = settings.data_dir / "logs"
        self.stopping = False
        self.prefect_migrated = False
        """Whether Prefect's tables are as its release wants them: its server need not look, which takes 10 MB and 0.3 s."""

    def __enter__(self) -> Self:
        try:
            self._check_ports()
            with Preparation(self.settings) as preparation, self._held() as held:
                self.logs.mkdir(parents=True, exist_ok=True)
                early = [part for part in self.parts if part in EARLY]
                for part in early:
                    self.start(part, after=held)
                owner_url = self._database()
                self.settings = provide_secrets(self.settings)
                preparation.check_files()
                socket, prefect_url = self.cluster.socket if self.cluster else None, self.settings.prefect_database_url
                self.prefect_migrated = preparation.provide_tables(socket, owner_url, prefect_url)
                self._prepare()
            for part in self.parts:
                if part not in early:
                    self.start(part)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @contextmanager
    def _held(self) -> Iterator[int]:
        """What holds up a part that is started already, and imports what it needs meanwhile: a pipe, until something is written
        into it. Where it is closed without, the part ends."""
        held, holds = os.pipe()
        try:
            yield held
            os.write(holds, b"!")
        finally:
            os.close(holds)
            os.close(held)

    def _check_ports(self) -> None:
        """Before anything starts: a part that finds its port taken would be started again and again."""
        if "api" in self.parts:
            check_port(self.settings.api_host, self.settings.api_port, "MASH_API_PORT")
        if "prefect" in self.parts:
            prefect = urlsplit(self.settings.prefect_api_url)
            check_port(str(prefect.hostname), prefect.port or 80, "MASH_PREFECT_API_URL (http://127.0.0.1:PORT/api)")

    def _database(self) -> str:
        """Have a database, and give the address of its owner, as whom the migrations run."""
        if self.settings.database_url is None:
            self._embedded()
        elif self.settings.prefect_database_url is None and "prefect" in self.parts:
            raise SettingsError("MASH_PREFECT_DATABASE_URL is needed beside MASH_DATABASE_URL (postgresql+asyncpg://...)")
        if self.settings.system_database_url is None:
            raise SettingsError("MASH_SYSTEM_DATABASE_URL is needed beside MASH_DATABASE_URL: the role mash_system")
        if self.settings.owner_database_url is None:
            raise SettingsError("MASH_OWNER_DATABASE_URL is needed beside MASH_DATABASE_URL: migrations run as the owner")
        return self.settings.owner_database_url.get_secret_value()

    def _embedded(self) -> None:
        self.cluster = start_postmaster(self.settings.data_dir)
        self.settings = self.settings.model_copy(
            update={
                "database_url": SecretStr(self.cluster.app_url),
                "system_database_url": SecretStr(self.cluster.system_url),
                "owner_database_url": SecretStr(self.cluster.owner_url),
                "prefect_database_url": SecretStr(self.cluster.prefect_url),
            }
        )

    def _prepare(self) -> None:
        """What has to be there before any part starts, beside the tables."""

    # --- parts ----------------------------------------------------------------------------------------------------------

    def start(self, part: str, after: int | None = None) -> None:
        """Start a part (again); "postgres" is the embedded database. An API may begin only after something was written to a
        pipe. Call it from the main thread: see `start_postmaster`."""
        if part == "postgres":
            self._embedded()
            self.settings = provide_secrets(self.settings)  # its socket may have moved
            return
        command, environment, handed = self._command(part)
        if after is not None:
            command, handed = [*command, "--after", str(after)], (*handed, after)
        with open_log(self.logs / f"{part}.log") as log:
            self.children[part] = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=handed,
                preexec_fn=ends_with_parent(signal.SIGTERM),
            )
        if part == "prefect":
            self.prefect_migrated = False  # once it has run, its database may be put back or made anew: it looks itself
        # People wait for the API and the database; the runs in Prefect follow.
        if nice := NICE.get(kind(part), 0):
            stand_behind(self.children[part].pid, nice)

    def _command(self, part: str) -> tuple[list[str], dict[str, str], tuple[int, ...]]:
        """A part's command and environment, and the descriptors that it inherits."""
        command, environment = self.prefect_server() if part == "prefect" else self._ours(part)
        return command, environment, ()

    def _ours(self, part: str) -> tuple[list[str], dict[str, str]]:
        environment = bare_environment()
        for name, value in self.settings:
            if value is None or value == Settings.model_fields[name].default or isinstance(value, SecretStr):
                continue
            environment[f"MASH_{name.upper()}"] = str(value)
        for name in NEEDED[part]:
            if getattr(self.settings, name) is not None and not elsewhere(self.settings, name):
                environment[f"MASH_{name.upper()}_FILE"] = str((secrets_folder(self.settings) / name).resolve())
        return [sys.executable, "-m", "mash.api.commands.mash", part], environment

    def prefect_server(self) -> tuple[list[str], dict[str, str]]:
        """The command of Prefect's server, and its whole environment. Raises SettingsError for what is missing."""
        address = urlsplit(self.settings.prefect_api_url)
        login, database = self.settings.prefect_auth_string, self.settings.prefect_database_url
        if login is None or database is None:
            raise SettingsError("MASH_PREFECT_AUTH_STRING and MASH_PREFECT_DATABASE_URL are needed for Prefect's server")
        environment = {
            **bare_environment(),
            **PREFECT_SERVER,
            "PREFECT_HOME": str((self.settings.data_dir / "prefect").resolve()),
            "PREFECT_API_DATABASE_CONNECTION_URL": database.get_secret_value(),
            "PREFECT_SERVER_API_AUTH_STRING": login.get_secret_value(),
            "PREFECT_SERVER_UI_API_URL": self.settings.prefect_api_url,
            **({"PREFECT_API_DATABASE_MIGRATE_ON_START": "false"} if self.prefect_migrated else {}),
        }
        # Ready in 3.0 s on a warm database; `prefect server start`, which brings its command line, in 3.3 to 3.9.
        command = [
            sys.executable,
            "-m",
            "uvicorn",
            "--factory",
            "prefect.server.api.server:create_app",
            "--host",
            str(address.hostname),
            "--port",
            str(address.port),
            "--timeout-keep-alive",
            str(KEPT_OPEN),
            "--no-access-log",
            "--log-level",
            "warning",
        ]
        return command, environment

    @property
    def prefect_ui(self) -> str:
        """Where admins look at flow runs."""
        return self.settings.prefect_api_url.removesuffix("/api")

    @property
    def prefect_login_hint(self) -> str:
        """Where the login of Prefect's UI is to be found; the login itself is a secret."""
        return f"in {secrets_folder(self.settings) / 'prefect_auth_string'}"

    @property
    def processes(self) -> dict[str, int]:
        """The process id of every part that runs, and of the embedded PostgreSQL."""
        running = {part: child.pid for part, child in self.children.items() if child.poll() is None}
        return {**running, "postgres": self.cluster.pid} if self.cluster and self.cluster.running else running

    def wait_ready(self) -> None:
        """Wait until the API and Prefect answer. Raises TimeoutError, naming the part and its log, where one has ended, or does
        not answer in time; PartNotStarted where one says why it cannot start."""
        # Not `base_url`: that may be a proxy's, on another machine. Nothing is bound here (S104): an API that listens on every
        # address is asked on loopback.
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.settings.api_host, self.settings.api_host)  # noqa: S104
        addresses = {
            "api": f"http://{host}:{self.settings.api_port}/health",
            "prefect": f"{self.settings.prefect_api_url}/health",
        }
        login = self.settings.prefect_auth_string
        deadline = time.monotonic() + LONGEST_START
        for part in (part for part in self.parts if kind(part) in addresses):
            while not _answers(addresses[kind(part)], login if kind(part) == "prefect" else None):
                if self.children[part].poll() == TO_MEND:
                    raise PartNotStarted(f"{part} cannot start: {self._last_words(part)}")
                if time.monotonic() > deadline or self.children[part].poll() is not None:
                    raise TimeoutError(f"{part} does not answer; see {self.logs / part}.log")
                time.sleep(0.05)

    def kill(self, part: str) -> None:
        """End a part, or "postgres", at once, as a crash would."""
        child = self._child(part)
        child.kill()
        child.wait()

    def _child(self, part: str) -> subprocess.Popen[bytes]:
        if part != "postgres":
            return self.children[part]
        if self.cluster is None or self.cluster.server is None:
            raise SettingsError("PostgreSQL is not this stack's: another process or machine runs it")
        return self.cluster.server

    def supervise(self) -> None:
        """Keep the parts running until SIGINT or SIGTERM; one that dies is started again after a moment. Raises PartNotStarted
        for one that says that this is no use."""
        for stop in (signal.SIGINT, signal.SIGTERM):
            signal.signal(stop, self._asked_to_stop)
        own = (*(("postgres",) if self.cluster and self.cluster.server else ()), *self.parts)
        started, waits = dict.fromkeys(own, time.monotonic()), dict.fromkeys(own, 0.5)
        due: dict[str, float] = {}
        while not self.stopping:
            time.sleep(0.2)
            now = time.monotonic()
            for part in own:
                if part not in due and (code := self._child(part).poll()) is not None:
                    if code == TO_MEND:
                        raise PartNotStarted(f"{part} cannot start: {self._last_words(part)}")
                    waits[part] = min(LONGEST_WAIT, waits[part] * 2) if now - started[part] < LONGEST_WAIT else 1.0
                    due[part] = now + waits[part]
                    print(f"{part} ended with code {code}; starting it again (see {self.logs / part}.log)", flush=True)
            for part in [part for part, when in due.items() if when <= now and not self.stopping]:
                del due[part]
                started[part] = now
                try:
                    self.start(part)
                except ClusterNotStarted as failed:
                    print(failed, flush=True)  # its old process is still dead: it is tried again

    def _last_words(self, part: str) -> str:
        """The last line that a part wrote."""
        lines = (self.logs / f"{part}.log").read_text(errors="replace").splitlines()
        return lines[-1].removeprefix("mash: ") if lines else f"see {self.logs / part}.log"

    def _asked_to_stop(self, *_: Any) -> None:
        self.stopping = True

    def stop(self) -> None:
        """Stop every part, then the embedded database; nothing stays behind."""
        self.stopping = True
        for child in self.children.values():
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + 5
        for child in self.children.values():
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)  # it leads a session of its own: with whatever it started
                child.wait()
        if self.cluster:
            self.cluster.stop()


def _answers(address: str, login: SecretStr | None) -> bool:
    """Whether a part says that it is well. It is asked on loopback, past any proxy."""
    where = urlsplit(address)
    asking = http.client.HTTPConnection(where.hostname or "", where.port, timeout=2)
    try:
        headers = {"Authorization": f"Basic {b64encode(login.get_secret_value().encode()).decode()}"} if login else {}
        asking.request("GET", where.path, headers=headers)
        return asking.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asking.close()
