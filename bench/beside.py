"""This build beside another, by turns: what a life costs in each, given by a burst of clients and at people's pace."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from mash.api.client import People
from mash.api.demo.mailbox import Mailbox
from mash.bench.build import Build
from mash.bench.load import DUTY_MANAGER, NOT_OVER, PACE, TLS, life
from mash.bench.measure import BenchFailed, each, say, summed, until

CLIENTS = 8
WORDS = "Words that say why, as long as they are in life."
Figures = dict[str, Any]


def run_bench_beside(other: Path, as_json: bool, quick: bool) -> int:
    """Measure both builds in alternation and print the ratios of this one to the other; returns the exit code."""
    builds = {"other": other, "this": Path(sys.executable).with_name("mash")}
    pairs, lives, paced = (1, 12, 4) if quick else (3, 150, 20)
    mailbox, found = Mailbox(), {name: list[Figures]() for name in builds}
    controller, mail_port = mailbox.serve()
    try:
        with tempfile.TemporaryDirectory(prefix="mash-beside-") as folder:
            for pair in range(pairs):
                for name, mash in builds.items():
                    say(f"{name}, {pair + 1} of {pairs}: {mash}")
                    with Build(mash, Path(folder) / f"{name}-{pair}", mail_port) as build:
                        found[name].append(asyncio.run(_measured(build, lives, paced)))
                    say(f"  {json.dumps(found[name][-1])}")
    except (BenchFailed, TimeoutError) as failed:
        say(f"mash: {failed}")
        return 1
    finally:
        controller.stop()
    figures = {"ratios": _ratios(found), **found}
    print(json.dumps(figures if as_json else figures["ratios"], indent=None if as_json else 2), flush=True)
    return 0


async def _measured(build: Build, lives: int, paced: int) -> Figures:
    people = Staff(build)
    try:
        await people.lives(16, CLIENTS, 0)  # nothing is measured that still imports and plans
        figures: Figures = {"memory_mb": summed(build.memory())}
        figures["burst"] = await people.lives(lives, CLIENTS, 0)
        figures["paced"] = await people.lives(paced, paced, PACE)
        build.start_again()
        return {**figures, "start_s": build.started}
    finally:
        await people.close()


class Staff:
    """The hub's people, who give lives to a build over HTTP alone, by what both builds take."""

    def __init__(self, build: Build) -> None:
        self.build = build
        self.people = People(
            key=build.callers.key, sessions=build.callers.sessions, http=self.another(), duty_manager=DUTY_MANAGER, words=WORDS,
            tries=5,
        )  # fmt: skip
        login = httpx.BasicAuth(*build.prefect_login)
        self.prefect = httpx.AsyncClient(base_url=build.settings.prefect_api_url, auth=login, timeout=120, verify=TLS)

    def another(self) -> httpx.AsyncClient:
        """A further client of the API, with connections of its own."""
        return httpx.AsyncClient(base_url=self.build.settings.base_url, timeout=120, verify=TLS)

    async def close(self) -> None:
        """Close the clients."""
        await self.people.http.aclose()
        await self.prefect.aclose()

    async def lives(self, number: int, clients: int, pace: float) -> Figures:
        """Whole lives, so many at a time, with so many seconds between two acts: how many a second, and what each costs by part,
        in seconds of CPU, until nothing is left to do."""
        references, before, began = list[str](), self.build.cpu(), time.time()

        async def one(_: int) -> None:
            async with self.another() as http:
                references.append(await life(self.people, http, pace))

        await each(one, number, clients)
        await until(lambda: self._over(references), f"{number} runs Completed", 600, every=1)
        after, last = self.build.cpu(), await self._last_end(references)
        cost = {part: (after[part] - before[part]) / number for part in before}
        return {"per_s": round(number / (last - began), 2), "cpu_s": summed(cost)}

    async def _over(self, references: list[str]) -> bool:
        over = await self._runs(references, ["COMPLETED"]) == len(references)
        return over and await self._runs(references, NOT_OVER) == 0 and await asyncio.to_thread(self.build.waiting) == 0

    async def _runs(self, references: list[str], states: list[str]) -> int:
        body = {"flow_runs": {"name": {"any_": references}, "state": {"type": {"any_": states}}}}
        answer = await self.prefect.post("/flow_runs/count", json=body)
        return int(answer.raise_for_status().json())

    async def _last_end(self, references: list[str]) -> float:
        body = {"flow_runs": {"name": {"any_": references}}, "sort": "END_TIME_DESC", "limit": 1}
        (run,) = (await self.prefect.post("/flow_runs/filter", json=body)).raise_for_status().json()
        return time.time() if run["end_time"] is None else datetime.fromisoformat(run["end_time"]).timestamp()


def _ratios(found: dict[str, list[Figures]]) -> Figures:
    """Of each figure, this build's to the other's: the median of the pairs."""
    pairs = list(zip((_flat(each) for each in found["this"]), (_flat(each) for each in found["other"]), strict=True))
    return {
        name: round(statistics.median(this[name] / other[name] for this, other in pairs if other[name]), 3)
        for name in pairs[0][0]
        if all(name in this and other.get(name) for this, other in pairs)
    }


def _flat(figures: Figures, before: str = "") -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in figures.items():
        found |= _flat(value, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}": float(value)}
    return found
