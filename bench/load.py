"""What the benchmark measures: a stack with a hub of five agencies, what its processes cost, and clients for it."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psutil
from rich.console import Console
from sqlalchemy import func, select

from mash.config.settings import Settings
from mash.flows.installation.stack import Stack, free_port
from mash.flows.store.api_keys import NewKey, make_api_key
from mash.flows.store.sessions import begin_session
from mash.flows.store.store import Store
from mash.flows.store.tables import NOTICES, REFERRALS
from mash.states.values import Actor

_progress = Console(stderr=True, highlight=False)
HUB = "bench"
AGENCIES = ("police", "social_care", "health", "education", "housing")
RATING = "red"
TRIES = 5
NOT_OVER = ["SCHEDULED", "PENDING", "RUNNING"]
OURS = "bench=1"
"""What the benchmark's own requests to Prefect carry, so that they are not counted as the worker's."""
TLS = httpx.create_ssl_context()
"""Made once: a context costs 20 ms of CPU, which would be the clients' and not the pipeline's."""
POLLS = ("get_scheduled_flow_runs", "/heartbeat")
"""What the worker asks by the clock and not for a referral."""
_RATING = f"""
title = "Benchmark"
area = "Nowhere"
[ratings.{RATING}]
title = "Red"
severity = 3
route = ["agency_checks", "mash_meeting", "decision"]
covers = ["agency_checks", "mash_meeting"]
source = "benchmark"
[ratings.{RATING}.response]
length = "4 h"
source = "benchmark"
[agencies]
source = "benchmark"
"""


def bench_settings(folder: Path, mail_port: int) -> Settings:
    """Settings of a stack of its own, on free ports, with the mail catcher as every role's channel."""
    profiles = folder / "profiles"
    profiles.mkdir()
    agencies = [f'[agencies.{a}]\ntitle = "{a}"\nrole = "{a}_navigator"\nlead = "{a}_lead"\n' for a in AGENCIES]
    (profiles / f"{HUB}.toml").write_text(_RATING + "".join(agencies))
    mail = f"mailto://127.0.0.1:{mail_port}/?from=mash@example.org"
    channels = folder / "channels.toml"
    channels.touch(mode=0o600)
    channels.write_text(f'["*"]\n"*" = ["{mail}&to=role@example.org"]\n')
    return Settings.model_validate({
        "data_dir": folder / "data", "api_port": free_port(), "prefect_api_url": f"http://127.0.0.1:{free_port()}/api",
        "hubs": HUB, "profiles_dir": profiles, "channels_file": channels, "mail_url": mail,
        "requests_per_minute": 0, "anonymous_requests_per_minute": 0})  # fmt: skip


class BenchStack(Stack):
    """A stack as in production, but that Prefect's server writes an access log, by which its calls are counted."""

    def _prefect(self) -> tuple[list[str], dict[str, str]]:
        command, environment = super()._prefect()
        shown = [*(word for word in command if word not in ("--no-access-log", "--log-level", "warning")), "--log-level", "info"]
        return shown, {**environment, "PREFECT_LOGGING_SERVER_LEVEL": "INFO"}

    def prefect_calls(self) -> int:
        """How many requests the worker has made of Prefect so far, but for its regular polls."""
        lines = (self.logs / "prefect.log").read_text(errors="replace").splitlines()
        asked = [line for line in lines if re.search(r'"[A-Z]+ /api/\S+ HTTP', line)]
        return sum(not any(part in line for part in (OURS, *POLLS)) for line in asked)

    def process(self, part: str) -> psutil.Process:
        """A part's process, or the postmaster."""
        return psutil.Process(self.processes[part])

    def cpu(self, *parts: str) -> float:
        """CPU seconds that the parts have used so far, with their children, ended ones included."""
        return sum(_cpu(self.process(part)) for part in parts)

    def memory(self, *parts: str) -> int:
        """Resident bytes of the parts."""
        return sum(self.process(part).memory_info().rss for part in parts)


def _cpu(process: psutil.Process) -> float:
    own = process.cpu_times()
    total: float = own.user + own.system + own.children_user + own.children_system
    for child in process.children():
        try:
            total += _cpu(child)
        except psutil.NoSuchProcess:
            continue  # it ended this moment: from now on it is in its parent's children_user
    return total


class BenchFailed(Exception):
    """The benchmark could not go on: the product refused what it should take, or did not come to rest."""


@dataclass
class People:
    """The hub's clients: a referrer system and the staff, over HTTP; and a view of Prefect."""

    stack: BenchStack
    store: Store
    key: str
    sessions: dict[tuple[str, str], str]
    http: httpx.AsyncClient
    prefect: httpx.AsyncClient
    numbers: count[int] = field(default_factory=count)
    conflicts: int = 0

    @classmethod
    async def of(cls, stack: BenchStack, store: Store) -> People:
        """Clients of a stack that is ready."""
        settings = stack.settings
        key = await make_api_key(store, NewKey("bench-school", HUB, "education"))
        acting = [("duty_manager", "social_care"), *(("agency", agency) for agency in AGENCIES)]
        sessions = {
            each: await begin_session(store, [Actor(id=each[0], role=each[0], agency=each[1], hub=HUB)], "command_line")
            for each in acting
        }
        login = settings.prefect_auth_string.get_secret_value() if settings.prefect_auth_string else ""
        user, _, password = login.partition(":")
        return cls(stack, store, key, sessions, httpx.AsyncClient(base_url=settings.base_url, timeout=120),
                   httpx.AsyncClient(base_url=settings.prefect_api_url, auth=(user, password), timeout=120))  # fmt: skip

    def another(self) -> httpx.AsyncClient:
        """A further client of the API, with connections of its own."""
        return httpx.AsyncClient(base_url=self.stack.settings.base_url, timeout=120, verify=TLS)

    def staff(self, role: str, agency: str = "social_care") -> dict[str, str]:
        """The headers of a member of staff."""
        return {"Authorization": f"Bearer {self.sessions[role, agency]}"}

    async def submit(self, http: httpx.AsyncClient | None = None) -> str:
        """Submit a contact; returns its reference."""
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": f"submit-{next(self.numbers)}"}
        answer = await (http or self.http).post("/referrals", json=contact(), headers=headers)
        return str(_good(answer, 201)["reference"])

    async def give(self, reference: str, version: int, kind: str, headers: dict[str, str] | None = None,
                   http: httpx.AsyncClient | None = None, **fields: Any) -> dict[str, Any]:  # fmt: skip
        """Give a command; returns the API's answer. Where the case moved on meanwhile, look and give again."""
        body = {"seen": version, "command": {"kind": kind, **fields}, "words": "Words that say why, as long as they are in life."}
        for _ in range(TRIES):
            key = {"Idempotency-Key": f"command-{next(self.numbers)}"}
            answer = await (http or self.http).post(
                f"/cases/{reference}/commands", json=body, headers={**(headers or self.staff("duty_manager")), **key}
            )
            if answer.status_code != 409 or "version" not in answer.json():
                break
            self.conflicts += 1
            body["seen"] = (await self.look(reference, http))["version"]
        done: dict[str, Any] = _good(answer, 200)
        return done

    async def look(self, reference: str, http: httpx.AsyncClient | None = None) -> dict[str, Any]:
        """Look at a case."""
        answer = await (http or self.http).get(f"/cases/{reference}", headers=self.staff("duty_manager"))
        case: dict[str, Any] = _good(answer, 200)
        return case

    async def basis(self, reference: str, version: int, http: httpx.AsyncClient | None = None) -> int:
        """The first half of triage: why information may be shared; returns the version."""
        answer = await self.give(reference, version, "record_sharing_basis", http=http, purpose="safeguarding_child",
                                 lawful_basis="public_task", consent="given", family_informed=True)  # fmt: skip
        return int(answer["version"])

    async def triage(self, reference: str, http: httpx.AsyncClient | None = None) -> int:
        """Triage: look, sharing basis, rating; returns the version."""
        seen = await self.basis(reference, int((await self.look(reference, http))["version"]), http)
        return int((await self.give(reference, seen, "rate_referral", http=http, rating=RATING))["version"])

    # --- what Prefect shows ---------------------------------------------------------------------------------------------

    async def runs(self, references: list[str], **state: Any) -> int:
        """How many of the referrals' runs are in a state (`type` or `name`, a list of them each)."""
        body = {"flow_runs": {"name": {"any_": references}, "state": {name: {"any_": values} for name, values in state.items()}}}
        return int(_good(await self.prefect.post(f"/flow_runs/count?{OURS}", json=body), 200))

    async def last_end(self, references: list[str]) -> float:
        """When the last of the referrals' runs ended, in seconds since the epoch."""
        body = {"flow_runs": {"name": {"any_": references}}, "sort": "END_TIME_DESC", "limit": 1}
        return _instant(_good(await self.prefect.post(f"/flow_runs/filter?{OURS}", json=body), 200)[0]["end_time"])

    async def waiting(self) -> int:
        """Referrals whose run is behind, and notices that wait."""
        async with self.store.single.connect() as connection:
            behind = await connection.scalar(select(func.count()).where(REFERRALS.c.shown < REFERRALS.c.version)) or 0
            return behind + (await connection.scalar(select(func.count()).where(NOTICES.c.status == "queued")) or 0)

    async def at_rest(self, references: list[str], name: str) -> int:
        """How many of the referrals' runs are parked in the state of this name."""
        return sum([await self.runs(references[at : at + 1000], name=[name]) for at in range(0, len(references), 1000)])

    async def parked(self, references: list[str], name: str, seconds: float = 300) -> None:
        """Wait until all the referrals' runs are in the state of this name, and nothing waits to be done."""

        async def there() -> bool:
            return await self.waiting() == 0 and await self.at_rest(references, name) == len(references)

        await until(there, f"{len(references)} runs '{name}'", seconds)

    async def close(self) -> None:
        """Close the clients."""
        await self.http.aclose()
        await self.prefect.aclose()


def say(text: str) -> None:
    """Tell how far the benchmark is, on standard error."""
    _progress.print(text)


def spread(values: list[float], digits: int = 1) -> dict[str, float]:
    """The median, and what all but the slowest twentieth and hundredth stay under."""
    ranked = sorted(values)
    return {f"p{p}": round(ranked[min(len(ranked) - 1, len(ranked) * p // 100)], digits) for p in (50, 95, 99)}


def contact() -> dict[str, Any]:
    """A contact about one child, from the demonstration's, without immediate danger."""
    for line in files("mash.api.demo").joinpath("referrals.jsonl").read_text(encoding="utf-8").splitlines():
        one: dict[str, Any] = json.loads(line)
        if len(one["subjects"]) == 1 and one["kind"] == "referral" and not one["concern"]["immediate_danger"]:
            return {name: value for name, value in one.items() if name not in ("id", "expected", "received_at")}
    raise BenchFailed("the demonstration holds no contact about one child")


async def until(there: Callable[[], Coroutine[Any, Any, bool]], what: str, seconds: float, every: float = 0.5) -> None:
    """Wait for something. Raises BenchFailed when it does not come."""
    deadline = time.monotonic() + seconds
    while not await there():
        if time.monotonic() > deadline:
            raise BenchFailed(f"not within {seconds:.0f} s: {what}")
        await asyncio.sleep(every)


async def each(work: Callable[[int], Coroutine[Any, Any, Any]], number: int, at_once: int) -> None:
    """Do a numbered piece of work `number` times, `at_once` of them at the same time."""
    numbers = iter(range(number))

    async def client() -> None:
        for one in numbers:
            await work(one)

    await asyncio.gather(*(client() for _ in range(at_once)))


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _good(answer: httpx.Response, expected: int) -> Any:
    if answer.status_code != expected:
        raise BenchFailed(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:300]}")
    return answer.json()
