"""Where the faults are struck: a stack of its own, a mail server, and hands on the processes, the database and Prefect."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

import httpx
import psutil
import psycopg

from mash.api.client import Callers, sign_in
from mash.bench.chaos.audit import RULES, Rules, audit
from mash.bench.chaos.clock import Clock
from mash.bench.chaos.disk import Disk
from mash.bench.chaos.evidence import Evidence, Wrong
from mash.bench.chaos.load import CLIENTS, Load
from mash.bench.chaos.post import MailServer
from mash.bench.load import DUTY_MANAGER, OF_AGENCY, SECOND
from mash.bench.stack import AGENCIES, HUB, bench_settings
from mash.config.settings import Settings
from mash.flows.installation.parts import PARTS, kind
from mash.flows.installation.processes import ClusterNotStarted
from mash.flows.installation.stack import Stack
from mash.flows.store.api_keys import NewKey, make_api_key
from mash.flows.store.away import DATABASE_AWAY
from mash.flows.store.store import open_store

Need = Literal["disk", "clock"]
RATE = 120.0
"""How much faster time runs: clocks come due, and alerts with them, within minutes."""
ROLES = ("duty_manager", "practice_manager", "service_manager", "out_of_hours", "administrator")
AFTER = 1.0
"""Seconds for which a part stays dead."""
YEARS = 50_000.0
LOOK_EVERY = 0.7
"""Seconds between two audits, at least; as long as one takes otherwise, which asks Prefect for every run: it has other things to
do."""
REST = 15.0
"""Seconds between two audits, at most."""


class ChaosStack(Stack):
    """A stack that can have a second worker beside the first, and whose API, worker and Prefect have a clock that can be set."""

    clock: dict[str, str]
    """What a child needs in its environment for that."""

    def _ours(self, part: str) -> tuple[list[str], dict[str, str]]:
        return super()._ours(kind(part))

    def _command(self, part: str) -> tuple[list[str], dict[str, str], tuple[int, ...]]:
        command, environment, handed = super()._command(part)
        return command, {**environment, **self.clock}, handed


async def _callers(settings: Settings) -> Callers:
    """A school's system, and those who act. They are known for years: the API's clock is set wrong at times."""
    store = await open_store(settings, pool_size=1)
    try:
        sessions = await sign_in(store, (DUTY_MANAGER, SECOND, *OF_AGENCY.values()), hours=YEARS)
        return Callers(key=await make_api_key(store, NewKey("school", HUB, "education", days=YEARS)), sessions=sessions)
    finally:
        await store.close()


class Stage:
    """A running stack to be struck. Use it from the main thread, which starts the parts again: see `start_cluster`."""

    def __init__(self, *, seed: int, rate: float = RATE, clients: int = CLIENTS) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mash-chaos-"))
        self.folder.chmod(0o755)  # PostgreSQL's user passes through it
        self.seed, self.rate, self.clients = seed, rate, clients
        self.lacks: dict[Need, str] = {}
        """What faults need and is not to be had here, and why not."""
        self.mail = MailServer()
        self.disk, self.clock = Disk(self.folder / "data"), Clock(self.folder)
        self.stack = ChaosStack(self._settings())
        self.stack.clock = self.clock.environment
        if not self.clock.environment:
            self.lacks["clock"] = "libfaketime is not installed."
        self.wanted = set[str]()
        self.dead: dict[str, float] = {}
        self.began = datetime.now(UTC)
        self.prefect_forgot = False

    def _settings(self) -> Settings:
        settings = bench_settings(self.folder, self.mail.port)
        roles = (*ROLES, *(f"{agency}_{kind}" for agency in AGENCIES for kind in ("navigator", "lead")))
        server = f"mailto://127.0.0.1:{self.mail.port}/?from=mash@example.org"
        lines = [f'{role} = ["{server}&to={role}@example.org"]' for role in roles]
        (self.folder / "channels.toml").write_text("\n".join([f"[{HUB}]", *lines]))
        # A Thursday morning: the hub is open.
        return settings.model_copy(
            update={"time_rate": self.rate, "time_start": "2026-11-19T10:00:00+00:00", "settle_seconds": 0.1}
        )

    def __enter__(self) -> Self:
        try:
            if not self.disk.mount():
                self.lacks["disk"] = "Mounting a disk that can be filled is not permitted here."
            self.mail.open()
            self.stack.__enter__()
            self.stack.wait_ready()
        except BaseException:
            self._leave()
            raise
        self.wanted = {"postgres", *PARTS}
        settings = self.stack.settings
        login = settings.prefect_auth_string.get_secret_value() if settings.prefect_auth_string else ""
        user, _, password = login.partition(":")
        self.auth = (user, password)
        self.prefect = httpx.Client(base_url=settings.prefect_api_url, auth=self.auth, timeout=10)
        self.load = Load(settings, asyncio.run(_callers(settings)), self.seed, self.clients)
        return self

    def __exit__(self, *_: object) -> None:
        self.load.stop()
        self.prefect.close()
        self._leave()

    def _leave(self) -> None:
        for child in self.stack.children.values():
            with suppress(ProcessLookupError):
                child.send_signal(signal.SIGCONT)  # one that is paused would not end
        self.stack.stop()
        self.mail.close()
        if "disk" not in self.lacks:
            self.disk.unmount()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- the parts ------------------------------------------------------------------------------------------------------

    def tend(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Wait, as `mash up` would: what has died is started again after a moment. Whether `until` came about."""
        end = time.monotonic() + seconds
        while not (there := until()) and time.monotonic() < end:
            self._start_again()
            time.sleep(0.1)
        return there

    def _start_again(self) -> None:
        now, running = time.monotonic(), self.stack.processes
        for part in sorted(self.wanted - running.keys(), key="postgres".__ne__):
            if now - self.dead.setdefault(part, now) > AFTER:
                try:
                    self.stack.start(part)
                    del self.dead[part]
                except (ClusterNotStarted, psycopg.Error, OSError):
                    self.dead[part] = now  # as with a full disk: it is tried again

    def kill(self, part: str) -> None:
        """kill -9; it is started again by whoever tends."""
        if part in self.stack.processes:
            self.stack.kill(part)

    def hold_down(self, part: str) -> None:
        """Kill a part, and leave it dead."""
        self.wanted.discard(part)
        self.kill(part)

    def let_up(self, part: str) -> None:
        """Have a part start again."""
        self.wanted.add(part)

    def pause(self, part: str) -> None:
        """Stop a process in the middle of what it does: it keeps what it holds, and does not know that time passes."""
        psutil.Process(self.stack.processes[part]).suspend()

    def go_on(self, part: str) -> None:
        """Let a paused process go on, if it is still there."""
        if part in self.stack.processes:
            psutil.Process(self.stack.processes[part]).resume()

    def well(self) -> bool:
        """Whether all parts run, the API and Prefect answer, and a worker listens."""
        if not self.wanted <= self.stack.processes.keys():
            return False
        try:
            with httpx.Client(timeout=2) as http:
                there = http.get(f"{self.stack.settings.base_url}/health").status_code == 200
            return (
                there
                and self.prefect.get("/health").status_code == 200
                and bool(self.sql("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN%%' AND datname = 'mash'"))
            )
        except (httpx.HTTPError, psycopg.Error):
            return False

    # --- the database and Prefect ---------------------------------------------------------------------------------------

    def sql(self, query: str, *values: Any, user: str = "postgres", database: str = "mash") -> list[tuple[Any, ...]]:
        """A statement to the database, as its superuser."""
        socket = str(self.stack.cluster.socket) if self.stack.cluster else ""
        with psycopg.connect(host=socket, user=user, dbname=database, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def hurry(self) -> None:
        """Rather than wait out the back-off of tries that failed and the leases of those that were cut off: they are due now.
        Ten seconds are more than a try takes that is still being made."""
        self.sql(
            "UPDATE notice SET next_try_at = now() WHERE status = 'queued' AND NOT EXISTS (SELECT FROM delivery d"
            " WHERE d.notice = notice.id AND d.finished_at IS NULL AND d.started_at > now() - interval '10 s')"
        )

    def watchdog_looks(self) -> None:
        """An admin starts the watchdog's run rather than wait for the full minute."""
        with suppress(httpx.HTTPError):
            found = self.prefect.get("/deployments/name/watchdog/every-minute")
            if found.status_code == 200:
                self.prefect.post(f"/deployments/{found.json()['id']}/create_flow_run", json={})

    def runs_in(self, state: str) -> list[dict[str, Any]]:
        """The first of the referrals' runs that are in a kind of state, as Prefect gives them."""
        body = {
            "flow_runs": {"name": {"like_": "MASH-"}, "state": {"type": {"any_": [state]}}},
            "limit": 50,
            "sort": "NAME_ASC",
        }
        return list(self.prefect.post("/flow_runs/filter", json=body).raise_for_status().json())

    # --- the audit ------------------------------------------------------------------------------------------------------

    def settle(self, standstill: float, say: Callable[[dict[str, Wrong]], None] = lambda _: None) -> dict[str, Wrong]:
        """What two audits in a row find wrong, by rule; nothing, as soon as they agree on nothing. What is on its way is not
        lost: it has to come to rest first, which takes as long as it takes. It is given up when for so many seconds there is no
        less that is wrong than before. `say` hears what each audit found."""
        before, stays = dict[str, Wrong](), {"all parts run": ["they did not all come up again"]}
        fewest, moved, pause = float("inf"), time.monotonic(), LOOK_EVERY
        while any(stays.values()) and time.monotonic() - moved < standstill:
            self.tend(pause)
            if self.well():
                began = time.monotonic()
                self.hurry()
                self.watchdog_looks()
                try:
                    say(found := self.audit())
                except (httpx.HTTPError, *DATABASE_AWAY):
                    continue  # who answers none of it in time answers the next
                pause = min(max(LOOK_EVERY, time.monotonic() - began), REST)
                if before:
                    stays = {rule: [what for what in wrong if what in before[rule]] for rule, wrong in found.items()}
                    if (number := sum(map(len, stays.values()))) < fewest:
                        fewest, moved = number, time.monotonic()
                before = found
        return stays

    def audit(self, rules: Rules = RULES) -> dict[str, Wrong]:
        """What is wrong now, by rule."""
        return asyncio.run(self._audit(rules))

    async def _audit(self, rules: Rules) -> dict[str, Wrong]:
        store = await open_store(self.stack.settings, pool_size=2)
        try:
            async with httpx.AsyncClient(base_url=self.stack.settings.prefect_api_url, auth=self.auth, timeout=120) as prefect:
                evidence = Evidence(store, self.load.accepted, self.mail, prefect, self.began, self.prefect_forgot)
                return await audit(evidence, rules)
        finally:
            await store.close()
