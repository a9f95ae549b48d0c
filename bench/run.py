"""The benchmark: what a stack of its own does under load, at rest, at a deadline, after a crash, and when it has grown."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from mash.api.client import Callers, Refused
from mash.api.demo.mailbox import Mailbox
from mash.bench.growth import board, grow, pages
from mash.bench.load import NOT_OVER, OF_AGENCY, BenchPeople, contact
from mash.bench.machine import machine
from mash.bench.measure import BenchFailed, each, say, summed, until
from mash.bench.stack import AT_REST, BenchStack, bench_settings, last_words, memory_by_part
from mash.bench.submissions import answers
from mash.bench.waiting import cost_at_rest, lateness, load, recovery
from mash.config.settings import Settings
from mash.flows.store.store import open_store

CLIENTS = 8
EVERYTHING = ("api", "worker", "prefect", "postgres")
Figures = dict[str, Any]


class Size:
    """How much of each is done: in full, or just enough to see that all parts work."""

    def __init__(self, quick: bool) -> None:
        self.lives, self.submissions, self.stages, self.looks = (12, 40, 10, 20) if quick else (150, 400, 100, 100)
        self.late: tuple[int, ...] = (100,) if quick else (100, 1_000)
        self.storm = 200 if quick else 10_000
        self.waiting, self.open, self.closed = (100, 100, 1_000) if quick else (10_000, 1_000, 200_000)
        self.idle_seconds = 5 if quick else 60  # a round of the watchdog is in it


def run_bench(as_json: bool, quick: bool) -> int:
    """Measure it all, and print it; returns the exit code."""
    mailbox = Mailbox()
    with tempfile.TemporaryDirectory(prefix="mash-bench-") as folder:
        controller, mail_port = mailbox.serve()
        try:
            say("Starting PostgreSQL, Prefect, the worker and the API ...")
            settings = bench_settings(Path(folder), mail_port)
            stack = BenchStack(settings.model_copy(update={"story_seconds": 5.0}) if quick else settings)
            with stack:
                stack.wait_ready()
                figures, key = asyncio.run(_measure(stack, Size(quick)))
            figures |= _cold_start(stack.settings, key)
        except (BenchFailed, Refused, TimeoutError) as failed:
            say("\n".join([f"mash: {failed}", *last_words(Path(folder))]))
            return 1
        finally:
            controller.stop()
    if as_json:
        print(json.dumps(figures), flush=True)
    else:
        _show(figures)
    return 0


async def _measure(stack: BenchStack, size: Size) -> tuple[Figures, str]:
    """Everything that is measured of a running stack; and the key by which its referrer system submits."""
    store = await open_store(stack.settings, pool_size=8)
    people = await BenchPeople.of(stack, store)
    try:
        figures: Figures = {"machine": await machine(stack)}
        last = await _warm_up(people)
        figures |= _tell(await _under_load(people, size))
        opened = await load(store, size.open, timedelta(days=2), "open")
        await people.parked(opened, "Awaiting triage", 600)
        figures["recovery"] = _tell(await recovery(people, opened))
        figures["late_s"] = {str(number): _tell(await lateness(people, number)) for number in size.late}
        figures["waiting"] = _tell(await cost_at_rest(people, size.waiting, size.idle_seconds))
        figures["board_ms"] = _tell(await board(people, size.looks))
        figures["pages_ms"] = _tell(await pages(people, size.looks))
        await grow(people, last, size.closed)
        grown: Figures = {"machine": await machine(stack)}
        grown |= _tell(await _under_load(people, size))
        grown["board_ms"] = _tell(await board(people, size.looks))
        grown["pages_ms"] = _tell(await pages(people, size.looks))
        grown["late_s"] = {str(number): _tell(await lateness(people, number)) for number in (size.late[0], size.storm)}
        figures["grown"] = {"closed": size.closed, **grown}
        return figures, people.key
    finally:
        await people.close()
        await store.close()


def _tell(figures: Figures) -> Figures:
    """The figures, told as they come: the whole takes half an hour."""
    say(f"  {json.dumps(figures)}")
    return figures


async def _under_load(people: BenchPeople, size: Size) -> Figures:
    return {**await _throughput(people, size.lives), **await answers(people, size.submissions, size.stages)}


def _cold_start(settings: Settings, key: str) -> Figures:
    """`mash up` on the installation as it is: seconds until a referral is accepted, and until all parts answer; and what each
    part holds in memory then, at rest."""
    say("Cold start ...")
    names = ("data_dir", "api_port", "prefect_api_url", "hubs", "profiles_dir", "channels_file",
             "requests_per_minute", "anonymous_requests_per_minute")  # fmt: skip
    environment = {**os.environ, **{f"MASH_{name.upper()}": str(getattr(settings, name)) for name in names}}
    began = time.monotonic()
    with (settings.data_dir / "logs" / "up.log").open("w") as log:
        up = subprocess.Popen([sys.executable, "-m", "mash.api.commands.mash", "up"], env=environment, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=settings.base_url, timeout=5) as http:
            school, first = Callers(key=key), contact()
            accepted = _when(lambda: http.request(**school.to_submit(first, "cold-start")).status_code == 201, began)
            ready = _when(lambda: http.get(f"{settings.prefect_api_url}/health").status_code in (200, 401), began)
        time.sleep(AT_REST)
        memory = memory_by_part(psutil.Process(up.pid))
    finally:
        up.terminate()
        up.wait(30)
    started = {"first_accepted": accepted, "all_ready": max(accepted, ready)}
    return {"cold_start_s": started, "memory_mb": summed(memory, digits=1)}


def _when(there: Callable[[], bool], began: float) -> float:
    """Seconds until something is so, asked again and again. Raises BenchFailed after a minute."""
    while time.monotonic() - began < 60:
        try:
            if there():
                return round(time.monotonic() - began, 2)
        except httpx.HTTPError:
            time.sleep(0.02)
    raise BenchFailed("`mash up` did not come up within a minute")


# --- parts --------------------------------------------------------------------------------------------------------------


async def _warm_up(people: BenchPeople) -> str:
    """A few lives, so that no part is measured while it still imports and plans; the reference of one."""
    say("Warming up ...")
    references: list[str] = []

    async def life(_: int) -> None:
        references.append(await whole_life(people))

    await each(life, 16, CLIENTS)
    await completed(people, references)
    return references[-1]


async def whole_life(people: BenchPeople) -> str:
    """One referral from contact to outcome, as people act on it over HTTP."""
    async with people.another() as http:
        reference = await people.submit(contact(), http=http)
        await to_outcome(people, reference, http)
        return reference


async def to_outcome(people: BenchPeople, reference: str, http: httpx.AsyncClient) -> None:
    """From the contact's acceptance to the referral's outcome."""
    seen = await people.triage(reference, http)
    for agency, by in OF_AGENCY.items():
        answer = await people.give(reference, "answer_check", by, seen=seen, http=http, agency=agency, known=True)
        seen = answer["version"]
    seen = (await people.give(reference, "record_meeting", seen=seen, http=http, attended=["police", "health"]))["version"]
    outcomes = dict.fromkeys((await people.look(reference, http))["subjects"], "no_further_action")
    await people.give(reference, "record_decision", seen=seen, http=http, outcomes=outcomes)


async def completed(people: BenchPeople, references: list[str]) -> None:
    """Wait until the referrals' runs are Completed and nothing is left to do for them."""

    async def done() -> bool:
        over = await people.runs(references, type=["COMPLETED"]) == len(references)
        return over and await people.runs(references, type=NOT_OVER) == 0 and await people.waiting() == 0

    await until(done, f"{len(references)} runs Completed", 600, every=1)


async def _throughput(people: BenchPeople, number: int) -> Figures:
    """The same life for each, eight clients at a time: how many a second, and what each costs."""
    say(f"Throughput: {number} lives, {CLIENTS} clients ...")
    stack, references = people.stack, list[str]()
    calls, cpu, began = stack.prefect_calls(), stack.cpu(*EVERYTHING), time.time()

    async def life(_: int) -> None:
        references.append(await whole_life(people))

    await each(life, number, CLIENTS)
    await completed(people, references)
    if people.conflicts:
        say(f"  ({people.conflicts} commands were given again, because the case had moved on since it was looked at)")
    return {
        "referrals_per_s": round(number / (await people.last_end(references) - began), 2),
        "cpu_s_per_referral": round((stack.cpu(*EVERYTHING) - cpu) / number, 3),
        "prefect_calls_per_referral": round((stack.prefect_calls() - calls) / number, 1),
    }


# --- figures ------------------------------------------------------------------------------------------------------------


def _show(figures: Figures) -> None:
    shown = Table("figure", "value")
    for name, value in figures.items():
        rows = value.items() if isinstance(value, dict) else [("", value)]
        for key, one in rows:
            text = "  ".join(f"{k} {v}" for k, v in one.items()) if isinstance(one, dict) else str(one)
            shown.add_row(f"{name} {key}".strip(), text)
    Console(highlight=False).print(shown)
