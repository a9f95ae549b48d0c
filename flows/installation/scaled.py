"""A stack in which every part of ours and of Prefect's that can be two is two, joined by PostgreSQL and Redis, on loopback."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import uvicorn

from mash.config.errors import SettingsError
from mash.config.settings import Settings
from mash.flows.installation.parts import KEPT_OPEN, kind
from mash.flows.installation.processes import open_log
from mash.flows.installation.stack import Stack, free_port

REDIS = "redis-server"
SCALED_PARTS = ("redis", "prefect-1", "prefect-2", "prefect-services", "worker-1", "worker-2", "api-1", "api-2")
SHARED_STATE = {
    # Events go from the replicas to the services, each once and in order.
    "PREFECT_MESSAGING_BROKER": "prefect_redis.messaging",
    "PREFECT_MESSAGING_CACHE": "prefect_redis.messaging",
    "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect_redis.ordering",
    # What one replica lends, the others know too.
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect_redis.lease_storage",
    # The tables are made once, before any of them starts, not by several at the same time; and nothing of ours uses blocks.
    "PREFECT_API_DATABASE_MIGRATE_ON_START": "false",
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
}
"""What makes several processes one Prefect server: nothing that matters stays in one of them. Beside these, Redis's address."""


class ScaledStack(Stack):
    """Two replicas of Prefect's API and its background services, two workers, two processes of our API.

    Each pair accepts on one listening socket, which the stack opens and the processes inherit, as from a systemd socket unit:
    an idle process takes the next connection, and one that dies takes with it only the connections that it had accepted. With
    SO_REUSEPORT each process would have a queue of its own, and what waits there when it dies is reset.
    """

    access_log = False
    """Whether Prefect's replicas write every request to their logs."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, ())
        self.parts = SCALED_PARTS
        self.doors: dict[str, socket.socket] = {}
        self.redis_port = free_port()
        self.redis_password = secrets.token_urlsafe(18)

    def _prepare(self) -> None:
        if shutil.which(REDIS) is None:
            raise SettingsError(f"{REDIS} is not installed; Debian's package is called so too")
        self._configure_redis()
        prefect = urlsplit(self.settings.prefect_api_url)
        self.doors["api"] = _door(self.settings.api_host, self.settings.api_port)
        self.doors["prefect"] = _door(str(prefect.hostname), int(prefect.port or 80))
        _, environment = self.prefect_server()
        with open_log(self.logs / "prefect-upgrade.log") as log:
            upgrade = [sys.executable, "-m", "prefect", "server", "database", "upgrade", "--yes"]
            subprocess.run(upgrade, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True)

    def _configure_redis(self) -> None:
        """Nothing is kept on disk: what Redis holds is on its way, and the log has the truth. The password is in a file because
        a command line is anybody's to read; without one, who reaches the port can have Prefect run what he likes."""
        folder = self.settings.data_dir.resolve() / "redis"
        folder.mkdir(mode=0o700, exist_ok=True)
        lines = (f"port {self.redis_port}", "bind 127.0.0.1", f"requirepass {self.redis_password}", f"dir {folder}", 'save ""',
                 "appendonly no")  # fmt: skip
        path = folder / "redis.conf"
        path.touch(mode=0o600)
        path.write_text("\n".join(lines) + "\n")

    def _command(self, part: str) -> tuple[list[str], dict[str, str], tuple[int, ...]]:
        if part == "redis":
            return [REDIS, str(self.settings.data_dir.resolve() / "redis" / "redis.conf")], {}, ()
        if part == "prefect-services":
            _, environment = self.prefect_server()
            return [sys.executable, "-m", "prefect", "server", "services", "start"], environment, ()
        if kind(part) == "worker":
            return *self._ours("worker"), ()
        door = self.doors[kind(part)].fileno()
        if kind(part) == "api":
            command, environment = self._ours("api")
            return [*command, "--fd", str(door)], environment, (door,)
        _, environment = self.prefect_server()
        environment["PREFECT__SERVER_WEBSERVER_ONLY"] = "1"  # what `prefect server start --no-services` sets
        shown = ["--access-log"] if self.access_log else []
        return [sys.executable, "-m", "mash.flows.installation.scaled", str(door), *shown], environment, (door,)

    def prefect_server(self) -> tuple[list[str], dict[str, str]]:
        command, environment = super().prefect_server()
        redis = {"PREFECT_REDIS_MESSAGING_URL": self.redis_url, "PREFECT_SERVER_DOCKET_URL": self.redis_url}
        return command, {**environment, **SHARED_STATE, **redis}

    @property
    def redis_url(self) -> str:
        """Where Prefect's processes meet."""
        return f"redis://:{self.redis_password}@127.0.0.1:{self.redis_port}/0"

    def stop(self) -> None:
        super().stop()
        for door in self.doors.values():
            door.close()


def _door(host: str, port: int) -> socket.socket:
    """A socket bound to an address; the processes that inherit it listen. Until one does, connections are refused."""
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else not within a minute of the last time
    door.bind((host, port))
    return door


def serve(config: uvicorn.Config, fd: int | None) -> None:
    """Run uvicorn, on an inherited socket if there is one. Not by its own `fd`: that takes the socket for a Unix one, leaves
    Nagle's algorithm on, and every answer takes 44 ms instead of 2."""
    uvicorn.Server(config).run(sockets=None if fd is None else [socket.socket(fileno=fd)])


def _replica(fd: int, access_log: bool) -> None:
    """A replica of Prefect's API: `python -m mash.flows.installation.scaled FD [--access-log]`."""
    app = "prefect.server.api.server:create_app"
    level = "info" if access_log else "warning"
    serve(uvicorn.Config(app, factory=True, access_log=access_log, log_level=level, timeout_keep_alive=KEPT_OPEN), fd)


if __name__ == "__main__":
    _replica(int(sys.argv[1]), "--access-log" in sys.argv)
