"""A storm of clocks: as many as are due at one instant, until each is breached, and until each run shows it."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from mash.api.client import Refused
from mash.api.demo.mailbox import Mailbox
from mash.bench.load import BenchPeople
from mash.bench.machine import machine
from mash.bench.measure import BenchFailed, say, spread, until
from mash.bench.run import last_words
from mash.bench.stack import BenchStack, bench_settings
from mash.bench.waiting import AWAITING, breaches, load
from mash.flows.store.store import Store, open_store
from mash.flows.store.tables import REFERRALS

Figures = dict[str, Any]
MADE_IN = 0.15
"""Seconds for each, within which its run is made before its clock is due."""


def run_bench_storm(as_json: bool, quick: bool) -> int:
    """Measure it, and print it; returns the exit code."""
    mailbox = Mailbox()
    with tempfile.TemporaryDirectory(prefix="mash-bench-") as folder:
        controller, mail_port = mailbox.serve()
        try:
            with BenchStack(bench_settings(Path(folder), mail_port)) as stack:
                stack.wait_ready(120)
                figures = asyncio.run(_measure(stack, 200 if quick else 10_000))
        except (BenchFailed, Refused, TimeoutError) as failed:
            say("\n".join([f"mash: {failed}", *last_words(Path(folder))]))
            return 1
        finally:
            controller.stop()
    print(json.dumps(figures, indent=None if as_json else 2), flush=True)
    return 0


async def _measure(stack: BenchStack, number: int) -> Figures:
    store = await open_store(stack.settings, pool_size=8)
    people = await BenchPeople.of(stack, store)
    try:
        return {"machine": await machine(stack), "clocks": number, **await _storm(people, number)}
    finally:
        await people.close()
        await store.close()


async def _storm(people: BenchPeople, number: int) -> Figures:
    wait = timedelta(seconds=20 + number * MADE_IN)
    say(f"{number} clocks due at one instant, in {wait.total_seconds():.0f} s ...")
    due, began = datetime.now(UTC) + wait, time.monotonic()
    references = await load(people.store, number, wait, "storm")
    await people.parked(references, AWAITING, wait.total_seconds())
    made = time.monotonic() - began
    calls, cpu = people.stack.prefect_calls(), people.stack.cpu("worker", "prefect")
    await asyncio.sleep((due - datetime.now(UTC)).total_seconds())
    late: list[float] = []

    async def all_breached() -> bool:
        late[:] = await breaches(people.store, references)
        return len(late) == number

    await until(all_breached, f"{number} clocks breached", 300)
    await until(lambda: _all_shown(people.store), f"{number} runs shown", 1800)
    shown = (datetime.now(UTC) - due).total_seconds()
    return {
        "runs_made_s": round(made, 1),
        "late_s": spread(late, digits=3),
        "shown_s": round(shown, 1),
        "prefect_calls_each": round((people.stack.prefect_calls() - calls) / number, 2),
        "cpu_s_each": round((people.stack.cpu("worker", "prefect") - cpu) / number, 4),
    }


async def _all_shown(store: Store) -> bool:
    """Whether each run shows by name, message and date all that happened to its referral."""
    async with store.single.connect() as connection:
        return not await connection.scalar(select(func.count()).where(REFERRALS.c.shown < REFERRALS.c.version))
