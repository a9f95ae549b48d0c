"""Lives at people's pace: between two acts a run has time to show what happened; what each act costs in calls of Prefect."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from mash.api.client import Refused
from mash.api.demo.mailbox import Mailbox
from mash.bench.load import ACTS, PACE, BenchPeople, life
from mash.bench.machine import machine
from mash.bench.measure import BenchFailed, each, say, until
from mash.bench.run import completed, last_words
from mash.bench.stack import BenchStack, bench_settings
from mash.flows.store.store import open_store

Figures = dict[str, Any]
STORIES = ("/artifacts", "/logs")
"""What a run's story takes, which is written for it once in some minutes."""


def run_bench_pace(as_json: bool, quick: bool) -> int:
    """Measure it, and print it; returns the exit code."""
    mailbox = Mailbox()
    with tempfile.TemporaryDirectory(prefix="mash-bench-") as folder:
        controller, mail_port = mailbox.serve()
        try:
            with BenchStack(bench_settings(Path(folder), mail_port)) as stack:
                stack.wait_ready(120)
                figures = asyncio.run(_measure(stack, 4 if quick else 30))
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
        await _lives(people, 2)
        say(f"{number} lives, {PACE:.0f} s between two acts ...")
        before = stack.prefect_calls(), stack.prefect_calls(STORIES), stack.cpu("worker"), stack.cpu("prefect")
        await _lives(people, number)
        after = stack.prefect_calls(), stack.prefect_calls(STORIES), stack.cpu("worker"), stack.cpu("prefect")
        calls, stories, worker, prefect = (now - then for now, then in zip(after, before, strict=True))
        return {
            "machine": await machine(stack),
            "prefect_calls_per_stage": round((calls - stories) / number / ACTS, 2),
            "prefect_calls_of_story_per_life": round(stories / number, 2),
            "cpu_s_per_life": {"worker": round(worker / number, 4), "prefect": round(prefect / number, 4)},
        }
    finally:
        await people.close()
        await store.close()


async def _lives(people: BenchPeople, number: int) -> None:
    """Whole lives side by side, until all that happened is shown."""
    references = list[str]()

    async def one(_: int) -> None:
        async with people.another() as http:
            references.append(await life(people, http, PACE))

    await each(one, number, number)
    await completed(people, references)
    await until(lambda: _nothing_waits(people), "all that happened is shown", 300)


async def _nothing_waits(people: BenchPeople) -> bool:
    return await people.waiting() == 0
