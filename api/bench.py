"""The benchmark: what a stack of its own does under load, at rest, at a deadline and after a crash. Takes some ten minutes."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from mash.api.bench_stack import (
    AGENCIES,
    HUB,
    NOT_OVER,
    RATING,
    BenchFailed,
    BenchStack,
    People,
    bench_settings,
    contact,
    each,
    until,
)
from mash.api.demo.mailbox import Mailbox
from mash.api.problems import answer_for
from mash.api.schemas import Submission, contact_of
from mash.flows.store.apply import receive
from mash.flows.store.receipts import Answer, answer_once
from mash.flows.store.store import Store, open_store
from mash.flows.store.tables import EVENTS
from mash.flows.store.time import HubTime
from mash.states.commands import Actor

CLIENTS = 8
SUBMIT_EVERY = 1 / 20
EVERYTHING = ("api", "worker", "prefect", "postgres")
TRIAGE_LASTS = timedelta(hours=1)
FROZEN = 1e-9
Figures = dict[str, Any]
say = Console(stderr=True, highlight=False)


def run_bench(as_json: bool, quick: bool) -> int:
    """Measure it all, and print it; returns the exit code."""
    mailbox = Mailbox()
    with tempfile.TemporaryDirectory(prefix="mash-bench-") as folder:
        controller, mail_port = mailbox.serve()
        try:
            say.print("Starting PostgreSQL, Prefect, the worker and the API ...")
            stack = BenchStack(bench_settings(Path(folder), mail_port))
            with stack:
                stack.wait_ready(120)
                figures = asyncio.run(_measure(stack, quick))
        except (BenchFailed, TimeoutError) as failed:
            say.print(f"mash: {failed}", *_last_words(Path(folder)), sep="\n", markup=False)
            return 1
        finally:
            controller.stop()
    if as_json:
        print(json.dumps(figures), flush=True)
    else:
        _show(figures)
    return 0


async def _measure(stack: BenchStack, quick: bool) -> Figures:
    store = await open_store(stack.settings, pool_size=8)
    people = await People.of(stack, store)
    try:
        await _warm_up(people)
        figures = await _throughput(people, 12 if quick else 60)
        before = stack.memory("api", "worker")
        submit_ms, references = await _submit(people, 40 if quick else 200)
        await people.parked(references, "Awaiting triage")
        figures["submit_ms"] = submit_ms
        figures["idle"] = await _idle(stack, len(references), before, 5 if quick else 20)
        figures["stage_open_ms"] = await _stage_open(people, 10 if quick else 50)
        figures["late_s"] = {}
        figures["recovery_s"] = await _recovery(people, references)
        for number in (100,) if quick else (100, 1000):
            figures["late_s"][str(number)] = await _late(people, number)
        return figures
    finally:
        await people.close()
        await store.close()


# --- parts --------------------------------------------------------------------------------------------------------------


async def _warm_up(people: People) -> None:
    """Two lives, so that no part is measured while it still imports and plans."""
    say.print("Warming up ...")
    references: list[str] = []

    async def life(_: int) -> None:
        references.append(await _life(people))

    await each(life, 2, 1)
    await _completed(people, references)


async def _life(people: People) -> str:
    """One referral from contact to outcome, as people act on it over HTTP."""
    async with people.another() as http:
        reference = await people.submit(http)
        seen = await people.triage(reference, http)
        for agency in AGENCIES:
            by = people.staff("agency", agency)
            seen = (await people.give(reference, seen, "answer_check", by, http, agency=agency, known=True))["version"]
        seen = (await people.give(reference, seen, "record_meeting", http=http, attended=["police", "health"]))["version"]
        subjects = (await people.look(reference, http))["subjects"]
        await people.give(reference, seen, "record_decision", http=http, outcomes=dict.fromkeys(subjects, "no_further_action"))
        return reference


async def _completed(people: People, references: list[str]) -> None:
    """Wait until the referrals' runs are Completed and nothing is left to do for them."""

    async def done() -> bool:
        over = await people.runs(references, type=["COMPLETED"]) == len(references)
        return over and await people.runs(references, type=NOT_OVER) == 0 and await people.waiting() == 0

    await until(done, f"{len(references)} runs Completed", 600, every=1)


async def _throughput(people: People, number: int) -> Figures:
    """The same life for each, eight clients at a time: how many a second, and what each costs."""
    say.print(f"Throughput: {number} lives, {CLIENTS} clients ...")
    stack, references = people.stack, list[str]()
    calls, cpu, began = stack.prefect_calls(), stack.cpu(*EVERYTHING), time.time()

    async def life(_: int) -> None:
        references.append(await _life(people))

    await each(life, number, CLIENTS)
    await _completed(people, references)
    if people.conflicts:
        say.print(f"  ({people.conflicts} commands were given again, because the case had moved on since it was looked at)")
    return {
        "referrals_per_s": round(number / (await people.last_end(references) - began), 2),
        "cpu_s_per_referral": round((stack.cpu(*EVERYTHING) - cpu) / number, 3),
        "prefect_calls_per_referral": round((stack.prefect_calls() - calls) / number, 1),
    }


async def _submit(people: People, number: int) -> tuple[Figures, list[str]]:
    """Submissions at twenty a second, whether or not the earlier ones have been answered: how long an answer takes."""
    say.print(f"Submissions: {number} at {1 / SUBMIT_EVERY:.0f} a second ...")
    took, references, began = list[float](), list[str](), time.perf_counter()

    async def one(place: int) -> None:
        due = began + place * SUBMIT_EVERY
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        references.append(await people.submit())
        took.append((time.perf_counter() - due) * 1000)

    await asyncio.gather(*(one(place) for place in range(number)))
    return _spread(took), references


async def _stage_open(people: People, number: int) -> Figures:
    """From a rating being sent to another client seeing the new stage."""
    say.print(f"Stages: {number} ratings, seen by another client ...")
    async with people.another() as onlooker:
        return _spread([await _seen_after(people, onlooker) * 1000 for _ in range(number)])


async def _seen_after(people: People, onlooker: httpx.AsyncClient) -> float:
    """Rate a new referral; returns the seconds until the onlooker saw its new stage."""
    reference = await people.submit()
    seen = await people.basis(reference, int((await people.look(reference))["version"]))

    async def shows() -> bool:
        return bool((await people.look(reference, onlooker))["stage"] == "agency_checks")

    began = time.perf_counter()
    giving = asyncio.create_task(people.give(reference, seen, "rate_referral", rating=RATING))
    await until(shows, "the new stage", 60, every=0.002)
    took = time.perf_counter() - began
    await giving
    return took


async def _idle(stack: BenchStack, number: int, before: int, seconds: float) -> Figures:
    """What open referrals cost that only wait."""
    say.print(f"Idle: {number} open, {seconds:.0f} s ...")
    await asyncio.sleep(3)
    grown, cpu, began = stack.memory("api", "worker") - before, stack.cpu("api", "worker"), time.monotonic()
    await asyncio.sleep(seconds)
    used = (stack.cpu("api", "worker") - cpu) / (time.monotonic() - began)
    return {"open": number, "kb_each": round(grown / 1024 / number, 1), "cpu_pct": round(100 * used, 2)}


async def _recovery(people: People, references: list[str]) -> float:
    """The worker is killed, every referral is rated meanwhile, a worker starts: how long until all runs show their new stage."""
    say.print(f"Recovery: worker killed with {len(references)} open ...")
    people.stack.kill("worker")

    async def rate(place: int) -> None:
        await people.triage(references[place])

    await each(rate, len(references), CLIENTS)
    began = time.monotonic()
    people.stack.start("worker")

    async def moved() -> bool:
        return await people.runs(references, name=["Awaiting agency checks"]) == len(references)

    await until(moved, "every run shows its new stage", 600, every=0.25)
    return round(time.monotonic() - began, 1)


async def _late(people: People, number: int) -> Figures:
    """Clocks that are all due at one instant: how late the last of them are found breached."""
    settled = 10 + number * 0.2
    say.print(f"Lateness: {number} clocks due at one instant, in {settled + number / 50:.0f} s ...")
    now = datetime.now(UTC)
    due = now + timedelta(seconds=settled + number / 50)
    store = people.store
    past = Store(store.engine, store.keyring, HubTime(wall=now, simulated=due - TRIAGE_LASTS, rate=FROZEN), store.hubs)
    references: list[str] = []

    async def one(place: int) -> None:
        references.append(await _receive(past, f"late-{number}-{place}"))

    await each(one, number, 4)
    left = (due - datetime.now(UTC)).total_seconds()
    if left < 0:
        raise BenchFailed(f"{number} submissions took longer than their clocks")
    await asyncio.sleep(max(0.0, left - 2))
    if (at_rest := await people.runs(references, name=["Awaiting triage"])) < number:
        say.print(f"  (only {at_rest} of {number} runs were at rest when the clocks came due)")
    found: list[float] = []

    async def all_breached() -> bool:
        found[:] = await _breaches(store, references)
        return len(found) == number

    await until(all_breached, f"{number} clocks breached", 300, every=1)
    return _spread(found, digits=3)


async def _receive(store: Store, key: str) -> str:
    """A submission as the API takes it, without HTTP."""
    by = Actor(id="bench-school", role="referrer", agency="education", hub=HUB)
    submission = Submission.model_validate(contact())

    async def work(connection: Any) -> Answer:
        applied = await receive(connection, store, *contact_of(submission), by)
        return Answer(201, {"reference": applied.reference}, applied.reference)

    answer = await answer_once(store, by, key, "submission", submission.model_dump(mode="json"), work, answer_for)
    return str(answer.reference)


async def _breaches(store: Store, references: list[str]) -> list[float]:
    """How many seconds after its deadline each triage clock was recorded as breached."""
    query = select(EVENTS.c.canonical).where(EVENTS.c.kind == "clock_breached", EVENTS.c.reference.in_(references))
    async with store.single.connect() as connection:
        events = [json.loads(text) for text in (await connection.scalars(query)).all()]
    return [(datetime.fromisoformat(e["at"]) - datetime.fromisoformat(e["event"]["due_at"])).total_seconds() for e in events]


# --- figures ------------------------------------------------------------------------------------------------------------


def _last_words(folder: Path) -> list[str]:
    """The last lines of every part's log: the folder goes with the benchmark."""
    logs = sorted((folder / "data" / "logs").glob("*.log"))
    return [f"{log.name}: {line}" for log in logs for line in log.read_text(errors="replace").splitlines()[-8:]]


def _spread(values: list[float], digits: int = 1) -> Figures:
    ranked = sorted(values)
    return {f"p{p}": round(ranked[min(len(ranked) - 1, len(ranked) * p // 100)], digits) for p in (50, 95, 99)}


def _show(figures: Figures) -> None:
    shown = Table("figure", "value")
    for name, value in figures.items():
        rows = value.items() if isinstance(value, dict) else [("", value)]
        for key, one in rows:
            text = "  ".join(f"{k} {v}" for k, v in one.items()) if isinstance(one, dict) else str(one)
            shown.add_row(f"{name} {key}".strip(), text)
    Console(highlight=False).print(shown)
