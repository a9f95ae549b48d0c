"""A storm of clocks: as many as are due at one instant, until each is breached, and until each run shows it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import func, select

from mash.bench.load import BenchPeople
from mash.bench.measure import say, spread, until
from mash.bench.one_stack import Figures, run_with_a_stack
from mash.bench.waiting import AWAITING, all_breached, load
from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS

MADE_IN = 0.12
"""Seconds for each, within which its run is made before its clock is due."""
BEFORE = 3.0
"""Seconds before the instant at which it is noted what was called and spent until then."""


def run_bench_storm(as_json: bool, quick: bool) -> int:
    """Measure it, and print it; returns the exit code."""
    return run_with_a_stack(partial(_storm, number=200 if quick else 10_000), as_json)


async def _storm(people: BenchPeople, number: int) -> Figures:
    wait = timedelta(seconds=20 + number * MADE_IN)
    say(f"{number} clocks due at one instant, in {wait.total_seconds():.0f} s ...")
    due, began = datetime.now(UTC) + wait, time.monotonic()
    references = await load(people.store, number, wait, "storm")
    await people.parked(references, AWAITING, wait.total_seconds())
    made = time.monotonic() - began
    await asyncio.sleep((due - datetime.now(UTC)).total_seconds() - BEFORE)
    calls, cpu = people.stack.prefect_calls(), people.stack.cpu("worker", "prefect")
    await asyncio.sleep((due - datetime.now(UTC)).total_seconds())
    late = await all_breached(people, references, due)
    await until(lambda: _all_shown(people.store), f"{number} runs shown", 1800)
    shown = (datetime.now(UTC) - due).total_seconds()
    return {
        "clocks": number,
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
