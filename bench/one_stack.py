"""One part of the benchmark by itself: a stack of its own is started, measured and ended, and what was found is printed."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from mash.api.client import Refused
from mash.api.demo.mailbox import Mailbox
from mash.bench.load import BenchPeople
from mash.bench.machine import machine
from mash.bench.measure import BenchFailed, say
from mash.bench.stack import BenchStack, bench_settings, last_words
from mash.flows.store.store import open_store

Figures = dict[str, Any]
Measure = Callable[[BenchPeople], Awaitable[Figures]]
"""What is measured, by people who have a stack and its store."""


def run_with_a_stack(measure: Measure, as_json: bool) -> int:
    """Measure it, and print it with what the machine could do then; returns the exit code."""
    mailbox = Mailbox()
    with tempfile.TemporaryDirectory(prefix="mash-bench-") as folder:
        controller, mail_port = mailbox.serve()
        try:
            with BenchStack(bench_settings(Path(folder), mail_port)) as stack:
                stack.wait_ready()
                figures = asyncio.run(_measured(stack, measure))
        except (BenchFailed, Refused, TimeoutError) as failed:
            say("\n".join([f"mash: {failed}", *last_words(Path(folder))]))
            return 1
        finally:
            controller.stop()
    print(json.dumps(figures, indent=None if as_json else 2), flush=True)
    return 0


async def _measured(stack: BenchStack, measure: Measure) -> Figures:
    store = await open_store(stack.settings, pool_size=8)
    people = await BenchPeople.of(stack, store)
    try:
        return {"machine": await machine(stack), **await measure(people)}
    finally:
        await people.close()
        await store.close()
