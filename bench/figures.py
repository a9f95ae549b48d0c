"""What managers' figures cost at a hub with a year behind it: the first look of all, how long others wait meanwhile, and how long
it takes to add up what has ended."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from mash.bench.dataset import Figures, copy_in, loading
from mash.bench.load import BenchPeople
from mash.bench.measure import say, spread
from mash.bench.one_stack import run_with_a_stack
from mash.bench.stack import HUB
from mash.bench.waiting import load
from mash.bench.year import History, made_year
from mash.config.profile import load_profile
from mash.flows.store.store import Store
from mash.flows.store.sums import add_months, add_up, add_waiting, owe_what_is_gone
from mash.states.referral import Referral
from mash.states.values import Match

LIKE, MADE = "sandwell", 720
"""The hub by whose rules lives are made, and how many, each as its own chance has it; the year is copies of them, each begun at
another moment."""
DAYS = 364
KNOWN, FAMILY, LIKELY = 4, 6, 7
"""Each fourth contact is about a child of whom others are confirmed to be, six of each; of each seventh it is suggested."""
KINDS = (
    "clock_escalated", "alert_acknowledged", "decision_proposed", "decision_recorded", "consultation_concluded",
    "strategy_discussion_held", "sign_off_refused",
)  # fmt: skip
"""Of their logs what figures are read from."""
LOOKS = 20
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


class Size:
    """How many cases there are: in full, or just enough to see that all parts work."""

    def __init__(self, quick: bool) -> None:
        self.closed, self.open = (2_000, 100) if quick else (200_000, 10_000)


def run_bench_figures(as_json: bool, quick: bool) -> int:
    """Measure it, and print it; returns the exit code."""
    return run_with_a_stack(partial(_measure, size=Size(quick)), as_json)


async def _measure(people: BenchPeople, size: Size) -> Figures:
    stack, store = people.stack, people.store
    stack.kill("worker")  # ten thousand runs would take it half an hour
    await load(store, size.open, timedelta(days=2), "open")
    say(f"Loading {size.closed:,} closed cases ...")
    owner = stack.settings.owner_database_url
    url = (owner.get_secret_value() if owner else "").replace("+psycopg", "")
    load_year(url, size.closed)
    await owe_what_is_gone(store)
    figures: Figures = {"cases": vars(size), "add_up_s": await _added_up(store)}
    for path in ("/manager?weeks=52", "/manager?weeks=26"):
        stack.kill("api")
        stack.start("api")
        stack.wait_ready()
        figures[path] = await _looks(people, path)
        say(f"  {path} {json.dumps(figures[path])}")
    return figures


async def _added_up(store: Store) -> float:
    """How long it takes to add up a year that was not added up before, as the worker does after an upgrade."""
    say("Adding up ...")
    began = time.perf_counter()
    for add in (add_up, add_months, add_waiting):
        await add(store, HUB)
    return round(time.perf_counter() - began, 1)


async def _looks(people: BenchPeople, path: str) -> Figures:
    """The first look since the API was started, and what somebody else waits for meanwhile; and the looks after it."""
    by = people.headers_of(people.duty_manager)
    ready = await people.http.get("/board", headers=by)
    ready.raise_for_status()
    first, waited = await asyncio.gather(_took(people, path), _beside(people))
    after = [await _took(people, path) for _ in range(LOOKS)]
    return {"first_ms": round(first, 1), "beside_ms": spread(waited), "after_ms": spread(after)}


async def _took(people: BenchPeople, path: str) -> float:
    began = time.perf_counter()
    answer = await people.http.get(path, headers=people.headers_of(people.duty_manager))
    answer.raise_for_status()
    return (time.perf_counter() - began) * 1000


async def _beside(people: BenchPeople) -> list[float]:
    """How long somebody waits for what costs nothing, for a second."""
    took, ends = list[float](), time.perf_counter() + 1
    while time.perf_counter() < ends:
        took.append(await _took(people, "/board/changed?since=4000000000"))
    return took


# --- a year's cases -------------------------------------------------------------------------------------------------------


def load_year(url: str, number: int) -> None:
    """Have closed cases in the tables, spread over a year, with what figures read of their logs. Their chains do not verify."""
    chances = random.Random(48)  # noqa: S311  no secret
    histories = made_year(load_profile(LIKE), MADE, begins=datetime.now(UTC) - timedelta(days=DAYS + 60))
    lives = [_Life.of(each) for each in histories if all(part.finished for part in each.states.values())]
    copies = [_Copy(lives[place % len(lives)], place, chances.random()) for place in range(number)]
    with loading(url) as owner:
        copy_in(owner, "referral", (row for copy in copies for row in copy.referrals()))
        copy_in(owner, "event", (row for copy in copies for row in copy.events()))
        owner.execute(
            """INSERT INTO identity SELECT 'link' || lpad(n::text, 20, '0'), reference, hub, 'S1', n / (%s * %s), '\\x00'
               FROM (SELECT reference, hub, row_number() OVER (ORDER BY md5(reference)) - 1 n FROM referral
                   WHERE finished AND root = reference) r WHERE n %% %s = 0""",
            (KNOWN, FAMILY, KNOWN),
        )


@dataclass(frozen=True)
class _Life:
    """A life that was made: its parts with what is stored of each, what figures read of its log, and how long it took."""

    root: str
    parts: dict[str, tuple[Referral, str]]
    log: list[tuple[str, int, str, datetime, str]]
    took: timedelta

    @classmethod
    def of(cls, history: History) -> _Life:
        """Of the hub that is measured."""
        parts = {reference: r.model_copy(update={"hub": HUB}) for reference, r in history.states.items()}
        events = [
            (reference, number, kind, datetime.fromisoformat(json.loads(text)["at"]), text)
            for reference, log in history.logs.items()
            for number, (kind, text) in enumerate(log, 1)
        ]
        root = min(history.logs)
        took = max(at for _, _, _, at, _ in events) - parts[root].received_at
        stored = {reference: (r, r.model_dump_json()) for reference, r in parts.items()}
        return cls(root, stored, [each for each in events if each[2] in KINDS], took)


class _Copy:
    """A life as one that began at another moment of the year."""

    def __init__(self, life: _Life, place: int, chance: float) -> None:
        self.life, self.place = life, place
        latest = datetime.now(UTC) - life.took
        self.moved = latest - timedelta(days=DAYS * chance) - life.parts[life.root][0].received_at

    def _named(self, text: str) -> str:
        return text.replace(self.life.root, f"OLD-{self.place:06}-A")

    def _then(self, found: re.Match[str]) -> str:
        return (datetime.fromisoformat(found[0]) + self.moved).isoformat().replace("+00:00", "Z")

    def referrals(self) -> Iterator[tuple[Any, ...]]:
        """Its parts as rows."""
        for reference, (r, stored) in self.life.parts.items():
            state = _MOMENT.sub(self._then, self._named(stored))
            if self.place % LIKELY == 1 and self.place > LIKELY and not r.parent:
                state = state.replace('"matches":[]', f'"matches":[{_likely(f"OLD-{self.place - LIKELY:06}-A")}]')
            yield (self._named(reference), self._named(self.life.root), HUB, "bench", r.version, "0" * 64, state, r.stage,
                   r.rating, r.open, r.finished, r.received_at + self.moved, r.version, 0, 0, 2)  # fmt: skip

    def events(self) -> Iterator[tuple[Any, ...]]:
        """Of their logs what figures are read from."""
        for reference, number, kind, at, text in self.life.log:
            yield self._named(reference), number, kind, at + self.moved, text, "0" * 64, HUB


def _likely(other: str) -> str:
    match = {"subject": "S1", "likeness": "likely", "why": ("same_name",), "reference": other, "other": "S1"}
    return Match.model_validate({**match, "received_at": datetime.now(UTC)}).model_dump_json()
