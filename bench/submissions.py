"""How long people wait for an answer while all parts run: submissions that come whether or not earlier ones were answered, and
ratings."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from functools import partial

import httpx

from mash.bench.load import BenchPeople, contact
from mash.bench.measure import BenchFailed, say, spread
from mash.bench.one_stack import Figures, run_with_a_stack
from mash.bench.stack import RATING

USUAL, MANY = 20, 50
"""Submissions a second."""
WARM_UP = 60
"""Submissions before any is counted, while parts still import and plan."""
THOUGHT = 0.25
"""Seconds between a look at a case and its rating."""


def run_bench_submissions(as_json: bool, quick: bool) -> int:
    """Measure it, and print it; returns the exit code."""
    return run_with_a_stack(partial(_measure, number=40 if quick else 400, stages=10 if quick else 100), as_json)


async def _measure(people: BenchPeople, number: int, stages: int) -> Figures:
    await _submissions(people, WARM_UP, USUAL)
    figures = await answers(people, number, stages)
    many = await _submissions(people, number, MANY)
    say("The same ratings while submissions come ...")
    coming = asyncio.create_task(_keep_submitting(people))
    busy, _ = await _stages(people, stages)
    coming.cancel()
    with suppress(asyncio.CancelledError):
        await coming  # which fails where one was refused
    return {**figures, "submit_many_ms": many, "stage_open_busy_ms": busy}


async def answers(people: BenchPeople, number: int, stages: int) -> Figures:
    """Submissions at twenty a second, and then so many ratings, one after another. None may be refused."""
    submitted = await _submissions(people, number, USUAL)
    opened, read = await _stages(people, stages)
    return {"submit_ms": submitted, "stage_open_ms": opened, "stage_read_ms": read}


async def _submissions(people: BenchPeople, number: int, rate: int) -> dict[str, float]:
    """So many a second, whether or not the earlier ones have been answered: how long an answer takes. Afterwards each waits for
    its triage."""
    say(f"Submissions: {number} at {rate} a second ...")
    took, references, began = list[float](), list[str](), time.perf_counter()

    async def one(place: int) -> None:
        due = began + place / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        references.append(await people.submit(contact()))
        took.append((time.perf_counter() - due) * 1000)

    await asyncio.gather(*(one(place) for place in range(number)))
    await people.parked(references, "Awaiting triage")
    return spread(took)


async def _keep_submitting(people: BenchPeople) -> None:
    """Twenty a second until cancelled: a run settles for a second, so that some twenty are being carried at any time."""
    async with asyncio.TaskGroup() as group:
        while True:
            group.create_task(people.submit(contact()))
            await asyncio.sleep(1 / USUAL)


async def _stages(people: BenchPeople, number: int) -> tuple[dict[str, float], dict[str, float]]:
    """From a rating being sent to its answer, by when the next stage is open to every reader; and until another client, who looks
    as soon as that is answered, has read it."""
    say(f"Stages: {number} ratings, seen by another client ...")
    async with people.another() as onlooker:
        took = [await _rated_and_seen(people, onlooker) for _ in range(number)]
    return spread([answered * 1000 for answered, _ in took]), spread([read * 1000 for _, read in took])


async def _rated_and_seen(people: BenchPeople, onlooker: httpx.AsyncClient) -> tuple[float, float]:
    """Rate a new referral after a moment's thought, while what came before is carried and sent: the seconds until that is
    answered, and until the onlooker has read the stage it led to."""
    reference = await people.submit(contact())
    seen = await people.basis(reference, int((await people.look(reference))["version"]))
    await asyncio.sleep(THOUGHT)
    began = time.perf_counter()
    await people.give(reference, "rate_referral", seen=seen, rating=RATING)
    answered = time.perf_counter() - began
    stage = (await people.look(reference, onlooker))["stage"]
    read = time.perf_counter() - began
    if stage != "agency_checks":
        raise BenchFailed(f"a rating was answered, and another client saw the stage {stage}")
    return answered, read
