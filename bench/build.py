"""A build of the software, as its own `mash up` starts it: nothing of it is imported, so that it may be another than this one."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx
import psutil
import psycopg

from mash.api.client import Callers
from mash.bench.load import DUTY_MANAGER, OF_AGENCY, contact
from mash.bench.measure import BenchFailed
from mash.bench.stack import AT_REST, HUB, bench_settings, cpu_of, memory_by_part, parts_of
from mash.config.settings import Settings

SETTINGS = ("data_dir", "api_port", "prefect_api_url", "hubs", "profiles_dir", "channels_file", "requests_per_minute",
            "anonymous_requests_per_minute")  # fmt: skip
BEHIND = "SELECT (SELECT count(*) FROM referral WHERE shown < version) + (SELECT count(*) FROM notice WHERE status = 'queued')"
STORY = "1"
"""At people's pace acts are minutes apart, and each has its story: here too, where they are seconds apart."""
START = 300.0
"""Seconds within which all parts have to answer."""


@dataclass
class Build:
    """An installation of a build, in a folder of its own, begun by its `mash`; people who use it; what its processes cost."""

    mash: Path
    folder: Path
    mail_port: int
    started: dict[str, float] = field(default_factory=dict)
    """Seconds from its start until its first referral was accepted, and until all parts answered."""

    def __enter__(self) -> Self:
        self.folder.mkdir()
        self.settings: Settings = bench_settings(self.folder, self.mail_port)
        given = {f"MASH_{name.upper()}": str(getattr(self.settings, name)) for name in SETTINGS}
        self.environment = {
            **os.environ,
            **given,
            "MASH_STORY_SECONDS": STORY,
            "MASH_MAIL_URL": f"mailto://127.0.0.1:{self.mail_port}/?from=mash@example.org",
        }
        self.callers = Callers(key="")
        self._begin()
        try:
            self.callers.key = self._printed("key", "create", "bench-school", HUB, "--agency", "education")
            for actor in (DUTY_MANAGER, *OF_AGENCY.values()):
                said = ("--agency", actor.agency, "--login", actor.id)
                self.callers.sessions[actor] = self._printed("token", actor.role, HUB, *said)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def start_again(self) -> None:
        """End it, and time its start on the installation that there is now."""
        self._end()
        self._begin()

    def _begin(self) -> None:
        began = time.monotonic()
        with (self.folder / "up.log").open("a") as log:
            self.up = subprocess.Popen([str(self.mash), "up"], env=self.environment, stdout=log, stderr=log)
        try:
            with httpx.Client(base_url=self.settings.base_url, timeout=5) as http:
                if self.callers.key:
                    self._wait(
                        lambda: http.request(**self.callers.to_submit(contact())).status_code == httpx.codes.CREATED, began
                    )
                    self.started["first_accepted"] = round(time.monotonic() - began, 2)
                self._wait(lambda: http.get("/health").status_code in (httpx.codes.OK, httpx.codes.SERVICE_UNAVAILABLE), began)
                health = f"{self.settings.prefect_api_url}/health"
                self._wait(lambda: http.get(health).status_code in (httpx.codes.OK, httpx.codes.UNAUTHORIZED), began)
            self.started["all_ready"] = round(time.monotonic() - began, 2)
        except BaseException:
            self._end()
            raise

    def _wait(self, there: Callable[[], bool], began: float) -> None:
        while time.monotonic() - began < START and self.up.poll() is None:
            try:
                if there():
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.02)
        raise BenchFailed(f"{self.mash} up: {(self.folder / 'up.log').read_text()[-500:]}")

    def _end(self) -> None:
        self.up.send_signal(signal.SIGINT)
        self.up.wait(60)

    def _printed(self, *command: str) -> str:
        done = subprocess.run([str(self.mash), *command], env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchFailed(f"{self.mash} {' '.join(command)}: {done.stderr}")
        return done.stdout.split()[-1]

    # --- what it costs --------------------------------------------------------------------------------------------------

    def cpu(self) -> dict[str, float]:
        """CPU seconds that each part has used so far, with its children."""
        parts = parts_of(psutil.Process(self.up.pid))
        return {name: cpu_of(process) for name, process in parts.items() if name != "up"}

    def memory(self) -> dict[str, float]:
        """What each part holds in memory, in megabytes, once the connections that its start took are closed."""
        time.sleep(AT_REST)
        return memory_by_part(psutil.Process(self.up.pid))

    # --- how far it is --------------------------------------------------------------------------------------------------

    def waiting(self) -> int:
        """Referrals whose run is behind, and notices that wait."""
        with psycopg.connect(host=str(self._socket), user="postgres", dbname="mash") as connection:
            row = connection.execute(BEHIND).fetchone()
            return int(row[0]) if row else 0

    @property
    def _socket(self) -> str:
        lines = (self.settings.data_dir.resolve() / "postgres" / "postmaster.pid").read_text().splitlines()
        return lines[4]

    @property
    def prefect_login(self) -> tuple[str, str]:
        """The login of its Prefect server."""
        user, _, password = (self.settings.data_dir / "keys" / "prefect_auth_string").read_text().strip().partition(":")
        return user, password
