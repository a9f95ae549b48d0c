"""The benchmark of the scaled stack: what a second worker adds, and what is lost when one of each part is killed."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
from rich.console import Console
from sqlalchemy import func, select

from mash.api.client import Refused
from mash.api.demo.mailbox import Mailbox
from mash.bench.load import BenchPeople
from mash.bench.measure import BenchFailed, each, say, until
from mash.bench.run import CLIENTS, completed, whole_life
from mash.bench.stack import BenchStack, bench_settings, last_words
from mash.flows.installation.parts import kind
from mash.flows.installation.scaled import SCALED_PARTS, ScaledStack
from mash.flows.store.log import verify
from mash.flows.store.reads.counts import conservation
from mash.flows.store.store import Store, open_store
from mash.flows.store.tables import EVENTS

EVERYTHING = (*SCALED_PARTS, "postgres")
WORKERS = ("worker-1", "worker-2")
KILLED = ("worker-1", "api-1", "prefect-1")
RESTARTED = ("redis", "prefect-services")
SLOWER_THAN_MACHINE = 0.25
"""How much of what this machine can do a held worker may carry: two of them leave it room for everything else."""
CARRIED = re.compile(r':(\d+) - "POST /api/(?:flow_runs/[0-9a-f-]+/set_state|deployments/[0-9a-f-]+/create_flow_run) HTTP')
Figures = dict[str, Any]


class ScaledBench(ScaledStack, BenchStack):
    """A scaled stack, which may be asked who did how much."""

    access_log = True

    def used(self) -> dict[str, float]:
        """CPU seconds that every part that runs has used so far."""
        return {part: self.cpu(part) for part in EVERYTHING if part in self.processes}

    def carried(self) -> Counter[int]:
        """How many runs were created and how many states set by each port that asked Prefect's replicas."""
        logs = (self.logs / f"{part}.log" for part in SCALED_PARTS if kind(part) == "prefect")
        return Counter(int(port) for log in logs for port in CARRIED.findall(log.read_text(errors="replace")))

    def ports(self) -> dict[int, str]:
        """Which worker has each port that is connected with a replica."""
        prefect = urlsplit(self.settings.prefect_api_url).port
        there = (part for part in WORKERS if part in self.processes)
        return {
            connection.laddr.port: part
            for part in there
            for connection in self.process(part).net_connections("tcp")
            if connection.raddr and connection.raddr.port == prefect
        }


class Insisting(httpx.AsyncHTTPTransport):
    """Sends a request again, with the same idempotency key, until it is answered: what a referrer's system has to do."""

    again = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The first answer that comes through whole."""
        deadline = time.monotonic() + 60
        while True:
            try:
                answer = await super().handle_async_request(request)
                await answer.aread()
                return answer
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
            Insisting.again += 1
            await asyncio.sleep(0.1)


class InsistingPeople(BenchPeople):
    """The hub's clients, who do not take a broken connection for an answer."""

    def another(self) -> httpx.AsyncClient:
        """A further client of the API."""
        return httpx.AsyncClient(base_url=self.stack.settings.base_url, timeout=30, transport=Insisting())


def run_bench_scale(as_json: bool, quick: bool) -> int:
    """Measure it, and print it; returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="mash-scale-") as folder:
        controller, mail_port = Mailbox().serve()
        try:
            say("Starting PostgreSQL, Redis, and two of everything else ...")
            with ScaledBench(bench_settings(Path(folder), mail_port)) as stack:
                stack.wait_ready()
                figures = asyncio.run(_measure(stack, 16 if quick else 80))
        except (BenchFailed, Refused, TimeoutError) as failed:
            say("\n".join([f"mash: {failed}", *last_words(Path(folder))]))
            return 1
        finally:
            controller.stop()
    if as_json:
        print(json.dumps(figures), flush=True)
    else:
        Console(highlight=False).print_json(data=figures)
    return 0


async def _measure(stack: ScaledBench, number: int) -> Figures:
    store = await open_store(stack.settings, pool_size=8)
    people = await InsistingPeople.of(stack, store)
    try:
        say("Warming up ...")
        await lives(people, 2 * CLIENTS)
        two = await _throughput(stack, people, number)
        per_referral = sum(two["cpu_s_per_referral"][worker] for worker in WORKERS)
        share = SLOWER_THAN_MACHINE * two["referrals_per_s"] * per_referral
        held_two = await _backlog(stack, people, number, share)
        stack.kill("worker-2")
        one = await _throughput(stack, people, number)
        held_one = await _backlog(stack, people, number, share)
        stack.start("worker-2")
        return {
            "lives": number,
            "one_worker": one,
            "two_workers": two,
            "referrals_per_s_of_one_core": _by_kind(one["cpu_s_per_referral"]),
            "held": {
                "core_pct_each": round(100 * share, 1),
                "one_worker": held_one,
                "two_workers": held_two,
                "gain": round(held_two["referrals_per_s"] / held_one["referrals_per_s"], 2),
            },
            "killed": await _killed(stack, people, store, number),
        }
    finally:
        await people.close()
        await store.close()


def _by_kind(cpu_s_per_referral: dict[str, float]) -> dict[str, float]:
    """How many referrals a second one core of each kind of part would carry: what a machine for it alone adds."""
    costs: dict[str, float] = defaultdict(float)
    for part, cost in cpu_s_per_referral.items():
        costs[kind(part)] += cost
    return {name: round(1 / cost, 1) for name, cost in costs.items()}


async def lives(people: BenchPeople, number: int) -> list[str]:
    """Whole lives, until their runs are Completed; returns their references."""
    references: list[str] = []
    await live(people, number, references)
    await completed(people, references)
    return references


async def live(people: BenchPeople, number: int, references: list[str]) -> None:
    """Whole lives as people see them, whose references are kept as they end; the runs may still be behind."""

    async def life(_: int) -> None:
        references.append(await whole_life(people))

    await each(life, number, CLIENTS)


async def _throughput(stack: ScaledBench, people: BenchPeople, number: int) -> Figures:
    """Lives, nobody held: how many a second, what each costs each part, and who carried how much."""
    workers = [worker for worker in WORKERS if worker in stack.processes]
    say(f"Throughput: {number} lives, {len(workers)} workers ...")
    used, carried, began = stack.used(), stack.carried(), time.time()
    ports: dict[int, str] = {}
    watching = asyncio.create_task(_watch(stack, ports))
    references = await lives(people, number)
    watching.cancel()
    by_worker: Counter[str] = Counter()
    for port, times in (stack.carried() - carried).items():
        by_worker[ports.get(port, "unknown")] += times
    return {
        "referrals_per_s": round(number / (await people.last_end(references) - began), 2),
        "cpu_s_per_referral": {part: round((after - used[part]) / number, 4) for part, after in stack.used().items()},
        "state_changes_per_referral": round(by_worker.total() / number, 1),
        "carried_pct": {worker: round(100 * times / by_worker.total()) for worker, times in sorted(by_worker.items())},
    }


async def _watch(stack: ScaledBench, ports: dict[int, str]) -> None:
    """Note which worker asks from which port: nothing else says who carried a run."""
    while True:
        ports |= stack.ports()
        await asyncio.sleep(0.2)


async def _backlog(stack: ScaledBench, people: BenchPeople, number: int, share: float) -> Figures:
    """Referrals that came to their ends while the workers stood still, carried by workers held to a share of a core each."""
    workers = [worker for worker in WORKERS if worker in stack.processes]
    say(f"Backlog: {number} referrals, {len(workers)} workers with {100 * share:.0f} % of a core each ...")
    for worker in workers:
        stack.process(worker).suspend()
    references: list[str] = []
    await live(people, number, references)
    used, began = stack.used(), time.time()
    with held([stack.process(worker) for worker in workers], share):
        await completed(people, references)
    took = await people.last_end(references) - began
    return {
        "referrals_per_s": round(number / took, 2),
        "core_pct": {worker: round(100 * (stack.cpu(worker) - used[worker]) / took, 1) for worker in workers},
    }


@contextmanager
def held(processes: list[psutil.Process], share: float) -> Iterator[None]:
    """Let each process have no more than a share of a core, as a slower machine would: stopped whenever it has used it up."""
    over = threading.Event()
    holding = threading.Thread(target=_hold, args=(processes, share, over), daemon=True)
    holding.start()
    try:
        yield
    finally:
        over.set()
        holding.join()


def _hold(processes: list[psutil.Process], share: float, over: threading.Event) -> None:
    used = {process: sum(process.cpu_times()[:2]) for process in processes}
    credit, then = dict.fromkeys(processes, 0.0), time.monotonic()
    while not over.wait(0.01):
        earned, then = share * (time.monotonic() - then), time.monotonic()
        for process in processes:
            now = sum(process.cpu_times()[:2])
            credit[process] = min(0.05, credit[process] + earned - (now - used[process]))
            used[process] = now
            process.send_signal(signal.SIGCONT if credit[process] >= 0 else signal.SIGSTOP)
    for process in processes:
        process.resume()


async def _killed(stack: ScaledBench, people: BenchPeople, store: Store, number: int) -> Figures:
    """One of each is killed under load, later started again; Redis and the services are restarted: what is lost?"""
    say(f"Kills: {number} lives, meanwhile {', '.join(KILLED)} killed, {', '.join(RESTARTED)} restarted ...")
    again, references = Insisting.again, list[str]()
    living = asyncio.create_task(live(people, number, references))
    for place, part in enumerate((*KILLED, *RESTARTED), 1):
        await _ended(living, references, number * place // 8)
        stack.kill(part)
        if part in RESTARTED:
            stack.start(part)
    await _ended(living, references, number * 6 // 8)
    for part in KILLED:
        stack.start(part)
    await living
    await completed(people, references)
    found = {
        "completed": await people.runs(references, type=["COMPLETED"]),
        "decided_once": await decided_once(store, references),
        "broken_chains": len([wrong async for wrong in verify(store)]),
        **await conservation(store),
    }
    whole = found["completed"] == found["decided_once"] == number and found["contacts"] == found["outcomes"] + found["open"]
    if not whole or found["broken_chains"]:
        raise BenchFailed(f"something was lost: {found}")
    return {"lives": number, "requests_repeated": Insisting.again - again, **found}


async def _ended(living: asyncio.Task[None], references: list[str], number: int) -> None:
    """Wait until so many lives have ended, and others go on."""

    async def there() -> bool:
        if living.done():
            await living  # says why
        return len(references) >= number

    await until(there, f"{number} lives ended", 300, every=0.05)


async def decided_once(store: Store, references: list[str]) -> int:
    """How many of the referrals have exactly one decision in their log."""
    decisions = (
        select(EVENTS.c.reference)
        .where(EVENTS.c.kind == "decision_recorded", EVENTS.c.reference.in_(references))
        .group_by(EVENTS.c.reference)
        .having(func.count() == 1)
    )
    async with store.single.connect() as connection:
        return len((await connection.execute(decisions)).all())
