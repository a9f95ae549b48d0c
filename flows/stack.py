"""All the parts as child processes: for `mash up`, the demonstration, the tests and the benchmark."""

from __future__ import annotations

import base64
import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from mash.config.profile import load_profile
from mash.config.settings import Settings, SettingsError, read_channels
from mash.flows.cluster import Cluster, start_cluster
from mash.flows.store.schema import upgrade

PARTS = ("prefect", "worker", "api")
SECRETS = ("database_url", "owner_database_url", "prefect_database_url", "master_key", "token_key", "prefect_auth_string")
NEEDED = {
    "worker": ("database_url", "master_key", "token_key", "prefect_auth_string", "mail_url"),
    "api": ("database_url", "master_key", "token_key"),
}
"""Which secrets a part is told of."""
PR_SET_PDEATHSIG = 1


def free_port() -> int:
    """A TCP port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _keys(settings: Settings) -> Path:
    return settings.data_dir / "keys"


def complete(settings: Settings) -> Settings:
    """The settings with the secrets that an installation keeps in its data directory, where the environment gives none."""
    found = {
        name: SecretStr(path.read_text().strip())
        for name in SECRETS
        if getattr(settings, name) is None and (path := _keys(settings) / name).is_file()
    }
    return settings.model_copy(update=found)


def prefect_environment(settings: Settings) -> dict[str, str]:
    """What a client of Prefect needs in its environment."""
    login = settings.prefect_auth_string
    return {
        "PREFECT_API_URL": settings.prefect_api_url,
        "PREFECT_HOME": str((settings.data_dir / "prefect").resolve()),
        "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "DO_NOT_TRACK": "1",
        **({"PREFECT_API_AUTH_STRING": login.get_secret_value()} if login else {}),
    }


class Stack:
    """The database, Prefect's server, the worker and the API, started together and stopped together."""

    def __init__(self, settings: Settings, parts: tuple[str, ...] = PARTS) -> None:
        self.settings, self.parts = settings, parts
        self.cluster: Cluster | None = None
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.logs = settings.data_dir / "logs"
        self.stopping = False

    def __enter__(self) -> Self:
        # What is wrong in a file is said before anything starts.
        for hub in self.settings.hub_names:
            load_profile(hub, self.settings.profiles_dir)
        read_channels(self.settings.channels_file)
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            self._database()
            self._secrets()
            owner = self.settings.owner_database_url
            if owner is None:
                raise SettingsError("MASH_OWNER_DATABASE_URL is needed beside MASH_DATABASE_URL: migrations run as the owner")
            upgrade(owner.get_secret_value())
            for part in self.parts:
                self.start(part)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _database(self) -> None:
        if self.settings.database_url is not None:
            if self.settings.prefect_database_url is None and "prefect" in self.parts:
                raise SettingsError("MASH_PREFECT_DATABASE_URL is needed beside MASH_DATABASE_URL (postgresql+asyncpg://...)")
            return
        self.cluster = start_cluster(self.settings.data_dir)
        self.settings = self.settings.model_copy(
            update={
                "database_url": SecretStr(self.cluster.app_url),
                "owner_database_url": SecretStr(self.cluster.owner_url),
                "prefect_database_url": SecretStr(self.cluster.prefect_url),
            }
        )

    def _secrets(self) -> None:
        """Keep every secret in a file of its own; make those that are missing."""
        self.settings = complete(self.settings)
        made = {
            "master_key": base64.b64encode(os.urandom(32)).decode(),
            "token_key": secrets.token_urlsafe(32),
            "prefect_auth_string": f"mash:{secrets.token_urlsafe(18)}",
        }
        self.settings = self.settings.model_copy(
            update={name: SecretStr(value) for name, value in made.items() if getattr(self.settings, name) is None}
        )
        _keys(self.settings).mkdir(mode=0o700, exist_ok=True)
        for name in (*SECRETS, "mail_url"):
            if (secret := getattr(self.settings, name)) is not None:
                self._write_secret(name, secret.get_secret_value())

    def _write_secret(self, name: str, value: str) -> None:
        path = _keys(self.settings) / name
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(value)

    # --- parts ----------------------------------------------------------------------------------------------------------

    def start(self, part: str) -> None:
        """Start a part (again)."""
        command, environment = self._prefect() if part == "prefect" else self._ours(part)
        with (self.logs / f"{part}.log").open("ab") as log:
            self.children[part] = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def _ours(self, part: str) -> tuple[list[str], dict[str, str]]:
        environment = _bare_environment()
        for name, value in self.settings:
            if value is None or value == Settings.model_fields[name].default or isinstance(value, SecretStr):
                continue
            environment[f"MASH_{name.upper()}"] = str(value)
        for name in NEEDED[part]:
            if getattr(self.settings, name) is not None:
                environment[f"MASH_{name.upper()}_FILE"] = str((_keys(self.settings) / name).resolve())
        return [sys.executable, "-m", "mash.api.cli", part], environment

    def _prefect(self) -> tuple[list[str], dict[str, str]]:
        address = urlsplit(self.settings.prefect_api_url)
        login, database = self.settings.prefect_auth_string, self.settings.prefect_database_url
        if login is None or database is None:
            raise SettingsError("MASH_PREFECT_AUTH_STRING and MASH_PREFECT_DATABASE_URL are needed for Prefect's server")
        # Prefect's tables grow without end and slow its scheduler: short retention. The case's history is in our log.
        environment = {
            **_bare_environment(),
            "PREFECT_HOME": str((self.settings.data_dir / "prefect").resolve()),
            "DO_NOT_TRACK": "1",
            "PREFECT_API_DATABASE_CONNECTION_URL": database.get_secret_value(),
            "PREFECT_SERVER_API_AUTH_STRING": login.get_secret_value(),
            "PREFECT_UI_API_URL": self.settings.prefect_api_url,
            "PREFECT_SERVER_UI_API_URL": self.settings.prefect_api_url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_LOGGING_SERVER_LEVEL": "WARNING",
            "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P1D",
        }
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
        return f"in {_keys(self.settings) / 'prefect_auth_string'}"

    @property
    def processes(self) -> dict[str, int]:
        """The process id of every part that runs, and of the embedded PostgreSQL."""
        running = {part: child.pid for part, child in self.children.items() if child.poll() is None}
        return {**running, "postgres": self.cluster.pid} if self.cluster else running

    def wait_ready(self, seconds: float = 60) -> None:
        """Wait until the API and Prefect answer. Raises TimeoutError, naming the part and its log."""
        addresses = {"api": f"{self.settings.base_url}/health", "prefect": f"{self.settings.prefect_api_url}/health"}
        login = self.settings.prefect_auth_string
        auth = tuple(login.get_secret_value().split(":", 1)) if login else None
        deadline = time.monotonic() + seconds
        for part in (part for part in self.parts if part in addresses):
            while not _answers(addresses[part], auth):
                if time.monotonic() > deadline or self.children[part].poll() is not None:
                    raise TimeoutError(f"{part} does not answer; see {self.logs / part}.log")
                time.sleep(0.05)

    def kill(self, part: str) -> None:
        """End a part at once, as a crash would."""
        self.children[part].kill()
        self.children[part].wait()

    def supervise(self) -> None:
        """Keep the parts running until SIGINT or SIGTERM; one that dies is started again after a moment."""
        for stop in (signal.SIGINT, signal.SIGTERM):
            signal.signal(stop, self._asked_to_stop)
        waits = dict.fromkeys(self.parts, 1.0)
        while not self.stopping:
            time.sleep(0.5)
            for part, child in list(self.children.items()):
                if child.poll() is not None and not self.stopping:
                    print(
                        f"{part} ended with code {child.returncode}; starting it again (see {self.logs / part}.log)", flush=True
                    )
                    time.sleep(waits[part])
                    waits[part] = min(30.0, waits[part] * 2)
                    self.start(part)

    def _asked_to_stop(self, *_: Any) -> None:
        self.stopping = True

    def stop(self) -> None:
        """Stop every part, then the embedded database; nothing stays behind."""
        self.stopping = True
        for child in self.children.values():
            if child.poll() is None:
                child.terminate()
        for child in self.children.values():
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if self.cluster:
            self.cluster.stop()


def _answers(address: str, auth: Any) -> bool:
    try:
        return httpx.get(address, auth=auth, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def _bare_environment() -> dict[str, str]:
    """What any child needs, and no secret: the parent's environment is not handed down."""
    return {
        name: os.environ[name]
        for name in ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "VIRTUAL_ENV", "PYTHONPATH")
        if name in os.environ
    }


def _die_with_parent() -> None:
    """On Linux, a part ends when its parent does, however that happened."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
