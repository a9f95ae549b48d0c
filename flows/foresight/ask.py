"""Asking for a simulation: what is on record goes to a process of its own, which says how far it is and what came of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, suppress
from datetime import timedelta
from typing import Any

from mash.flows.foresight.compare import Asked, Report
from mash.flows.foresight.learn import KINDS, STEPS
from mash.flows.foresight.pace import Far, Hears
from mash.flows.foresight.scenario import WrongScenario
from mash.flows.store.reads.figures import began_at
from mash.flows.store.reads.on_record import cases_on_record, minutes_on_record
from mash.flows.store.rotas import read_rota
from mash.flows.store.store import Store
from mash.states.errors import Incomplete
from mash.states.values import Actor

FURTHEST = timedelta(weeks=65)
"""So far back it learns: a year, and the quarter that it is held against."""
LINE = 1 << 24
"""Bytes of the longest line that the process may write: its report."""


class NoSimulation(Exception):
    """The process ended without a report; says what its operator can look at, and in `at` where it failed."""

    def __init__(self, message: str, at: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.at = at


async def simulated(store: Store, by: Actor, asked: Asked, tell: Hears = lambda _: None) -> Report:
    """The simulation of somebody's hub. Raises WrongScenario, Incomplete where nothing is on record, or NoSimulation."""
    command = [sys.executable, "-m", "mash.flows.foresight.process"]
    pipes: dict[str, Any] = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE, "limit": LINE}
    async with aclosing(_on_record(store, by, asked)) as lines:
        first = await anext(lines)
        process = await asyncio.create_subprocess_exec(*command, **pipes, start_new_session=True)
        assert process.stdin and process.stdout
        feeding = asyncio.create_task(_feed(process.stdin, first, lines))
        hearing = asyncio.create_task(_heard(process.stdout, tell))
        try:
            await asyncio.gather(feeding, hearing)
        finally:
            feeding.cancel()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # its own processes too, if somebody lost patience
            await asyncio.gather(feeding, hearing, process.wait(), return_exceptions=True)
    return _report(hearing.result())


async def _on_record(store: Store, by: Actor, asked: Asked) -> AsyncGenerator[str]:
    """What the process reads, line by line."""
    until, began = store.time.now(), await began_at(store, by)
    if began is None:
        raise Incomplete("nothing is on record at this hub yet: there is nothing to learn from")
    since = max(began, until - FURTHEST)
    rota = (await read_rota(store, by.hub)).model_dump(mode="json")
    head = {"profile": store.hub(by.hub).canonical, "rota": rota, "until": until.isoformat(), "began_at": since.isoformat()}
    yield json.dumps({**head, "months": asked.months, "runs": asked.runs, "scenarios": asked.scenarios})
    async for state, events in cases_on_record(store, by, since, until, KINDS):
        yield f'{{"case": {state}, "events": {events}}}'
    for took in await minutes_on_record(store, by, since, until, tuple(STEPS)):
        yield json.dumps({"took": {**took._asdict(), "at": took.at.isoformat()}})


async def _feed(pipe: asyncio.StreamWriter, first: str, lines: AsyncIterator[str]) -> None:
    with suppress(ConnectionError):  # it has ended, and says why itself
        pipe.write(f"{first}\n".encode())
        async for line in lines:
            pipe.write(f"{line}\n".encode())
            await pipe.drain()
        pipe.close()


async def _heard(pipe: asyncio.StreamReader, tell: Hears) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    async for line in pipe:
        answer = json.loads(line)
        if "done" in answer:
            tell(Far(**answer))
    return answer


def _report(answer: dict[str, Any]) -> Report:
    if "wrong" in answer:
        raise WrongScenario(answer["wrong"])
    if "failed" in answer:
        failed = f"the simulation failed ({answer['failed']}), which is an error of ours: tell whoever looks after this software"
        raise NoSimulation(failed, answer["at"])
    if "report" not in answer:
        raise NoSimulation("the simulation's process was ended before it was done: most often there was no memory left for it")
    return Report.model_validate(answer["report"])
