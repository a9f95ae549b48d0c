"""Lives at people's pace: between two acts a run has time to show what happened; what each act costs in calls of Prefect."""

from __future__ import annotations

from functools import partial

from mash.bench.load import ACTS, PACE, BenchPeople, life
from mash.bench.measure import each, say, until
from mash.bench.one_stack import Figures, run_with_a_stack
from mash.bench.run import completed

STORIES = ("/artifacts", "/logs")
"""What a run's story takes, which is written for it once in some minutes."""


def run_bench_pace(as_json: bool, quick: bool) -> int:
    """Measure it, and print it; returns the exit code."""
    return run_with_a_stack(partial(_measure, number=4 if quick else 30), as_json)


async def _measure(people: BenchPeople, number: int) -> Figures:
    stack = people.stack
    await _lives(people, 2)
    say(f"{number} lives, {PACE:.0f} s between two acts ...")
    before = stack.prefect_calls(), stack.prefect_calls(STORIES), stack.cpu("worker"), stack.cpu("prefect")
    await _lives(people, number)
    after = stack.prefect_calls(), stack.prefect_calls(STORIES), stack.cpu("worker"), stack.cpu("prefect")
    calls, stories, worker, prefect = (now - then for now, then in zip(after, before, strict=True))
    return {
        "prefect_calls_per_stage": round((calls - stories) / number / ACTS, 2),
        "prefect_calls_of_story_per_life": round(stories / number, 2),
        "cpu_s_per_life": {"worker": round(worker / number, 4), "prefect": round(prefect / number, 4)},
    }


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
