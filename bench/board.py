"""What a board costs at a large hub: thousands of cases open and a history of closed ones, rendered, with initials and ages."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from functools import partial

import psycopg

from mash.bench.growth import load_closed
from mash.bench.load import OF_AGENCY, BenchPeople
from mash.bench.measure import each, say, spread
from mash.bench.one_stack import Figures, run_with_a_stack
from mash.bench.run import CLIENTS, completed, whole_life
from mash.bench.waiting import load
from mash.flows.store.reads.board import Chosen, in_order, next_of_board
from mash.flows.store.store import Store

PAGES = ("/board", "/board?whose=team", "/board?later=shown", "/board?changed=since", "/board/changed?since={since}", "/wall")


class Size:
    """How many cases there are: in full, or just enough to see that all parts work."""

    def __init__(self, quick: bool) -> None:
        self.later, self.unrated, self.rated = (500, 60, 40) if quick else (9_000, 700, 300)
        self.closed, self.looks = (1_000, 20) if quick else (200_000, 200)


def run_bench_board(as_json: bool, quick: bool) -> int:
    """Measure it, and print it; returns the exit code."""
    return run_with_a_stack(partial(_measure, size=Size(quick)), as_json)


async def _measure(people: BenchPeople, size: Size) -> Figures:
    over = await whole_life(people)
    await completed(people, [over])
    # Ten thousand runs would take the worker half an hour of both cores, and a board is not made of them.
    people.stack.kill("worker")
    await _open_cases(people, people.store, size)
    load_closed(people, over, size.closed)
    return {"cases": vars(size), **await _looks(people, people.store, size.looks)}


async def _open_cases(people: BenchPeople, store: Store, size: Size) -> None:
    """Cases of people of their own, each under its own key: most of them due later, some within the hour; and those that fill the
    first page, rated and late, of whom two of five agencies have answered."""
    say(f"Opening {size.later + size.unrated + size.rated:,} cases ...")
    await load(store, size.later, timedelta(days=2), "later")
    rated = await load(store, size.rated, -timedelta(hours=5), "rated")
    _came_in_before(people)
    await load(store, size.unrated, timedelta(minutes=50), "unrated")
    async with people.another() as http:

        async def under_way(place: int) -> None:
            seen = await people.triage(rated[place], http)
            for agency in ("police", "health"):
                by = OF_AGENCY[agency]
                answer = await people.give(rated[place], "answer_check", by, seen=seen, http=http, agency=agency, known=True)
                seen = int(answer["version"])

        await each(under_way, len(rated), CLIENTS)


def _came_in_before(people: BenchPeople) -> None:
    """What has been opened so far is no news to anybody. Its log says another time: its chains do not verify."""
    owner = people.stack.settings.owner_database_url
    with psycopg.connect((owner.get_secret_value() if owner else "").replace("+psycopg", "")) as connection:
        connection.execute("UPDATE event SET at = at - interval '30 days'")


async def _looks(people: BenchPeople, store: Store, looks: int) -> Figures:
    """How long the pages take, with a thousand cases changed since somebody looked an hour ago; and the case after a case."""
    say("Looks ...")
    by = people.headers_of(people.duty_manager)
    since = int(time.time()) - 3_600
    await people.http.get("/board", headers=by)
    owner = people.stack.settings.owner_database_url
    with psycopg.connect((owner.get_secret_value() if owner else "").replace("+psycopg", "")) as connection:
        connection.execute("UPDATE board_look SET begun_at = begun_at - interval '1 h', seen_at = seen_at - interval '1 h'")
    figures: Figures = {}
    for path in PAGES:
        took, cpu = list[float](), people.stack.cpu("api", "postgres")
        for _ in range(looks):
            began = time.perf_counter()
            answer = await people.http.get(path.format(since=since), headers=by)
            answer.raise_for_status()
            took.append((time.perf_counter() - began) * 1000)
        used = (people.stack.cpu("api", "postgres") - cpu) * 1000 / looks
        figures[path] = {**spread(took), "cpu_ms": round(used, 1), "kB": len(answer.text) // 1_000}
        say(f"  {path} {json.dumps(figures[path])}")
    return {"pages_ms": figures, "next_of_board_ms": spread(await _nexts(people, store, looks))}


async def _nexts(people: BenchPeople, store: Store, looks: int) -> list[float]:
    """The case after each of the first ones of a board."""
    by, took = people.duty_manager, list[float]()
    danger, others = await in_order(store, by, Chosen(later=True), looks)
    for case in (*danger, *others):
        began = time.perf_counter()
        await next_of_board(store, by, case)
        took.append((time.perf_counter() - began) * 1000)
    return took
