"""What the benchmark measures of referrals that wait: what they cost at rest, how late their clocks are, how a crash passes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import func, select

from mash.api.client import Refused
from mash.api.problems import answer_for
from mash.api.schemas.contact import Submission
from mash.api.schemas.intake import contact_of
from mash.bench.load import BenchPeople, contact
from mash.bench.measure import BenchFailed, each, say, spread, until
from mash.bench.stack import HUB
from mash.flows.store.apply import receive
from mash.flows.store.receipts import Answer, answer_once
from mash.flows.store.runs import untold
from mash.flows.store.store import Store
from mash.flows.store.tables import EVENTS, NOTICES, REFERRALS, TO_LOOK
from mash.flows.store.time import HubTime
from mash.states.clocks import day_of
from mash.states.values import Actor

TRIAGE_LASTS = timedelta(hours=1)
FROZEN = 1e-9
AWAITING = "Awaiting triage"
CALM, CALM_FOR = 5.0, 10.0
"""Per cent of a core that worker and API take when they only wait, at most, for so many seconds."""
Figures = dict[str, Any]


async def cost_at_rest(people: BenchPeople, number: int, seconds: float) -> Figures:
    """What so many open referrals cost that only wait: memory for each, and CPU beyond what the processes use without them."""
    say(f"Waiting: {number} referrals, until each has its run ...")
    stack = people.stack
    await _rest(people, "all that came before is done")
    memory, cpu_before = stack.memory("api", "worker"), await _idle_cpu(people, seconds)
    references = await load(people.store, number, timedelta(hours=12), f"rest-{number}")
    began = time.monotonic()
    await _at_rest(people, references, 1200)
    took = time.monotonic() - began
    await _rest(people, "all stories tell it, and all is looked through")
    grown = stack.memory("api", "worker") - memory
    return {
        "open": number,
        "runs_made_s": round(took, 1),
        "kb_each": round(1000 * grown / number, 2),
        "cpu_pct_before": cpu_before,
        "cpu_pct": await _idle_cpu(people, seconds),
    }


async def _rest(people: BenchPeople, what: str) -> None:
    """Wait until nothing is left to do: sent, told, looked through; nor to be held against the logs, which only the processor
    shows."""

    async def quiet() -> bool:
        return await people.waiting() == 0 and not await untold(people.store, "", 1) and not await _to_look(people.store)

    await until(quiet, what, 1800, every=1)

    async def calm() -> bool:
        return await _idle_cpu(people, CALM_FOR) < CALM

    await until(calm, what, 1800, every=1)


async def _to_look(store: Store) -> int:
    async with store.single.connect() as connection:
        return int(await connection.scalar(select(func.count()).select_from(TO_LOOK)) or 0)


async def _idle_cpu(people: BenchPeople, seconds: float) -> float:
    cpu, began = people.stack.cpu("api", "worker"), time.monotonic()
    await asyncio.sleep(seconds)
    return round(100 * (people.stack.cpu("api", "worker") - cpu) / (time.monotonic() - began), 2)


async def lateness(people: BenchPeople, number: int) -> Figures:
    """Clocks that are all due at one instant: how long after it each breach is committed, and its notice queued with it."""
    settled = timedelta(seconds=20 + number * 0.035)
    say(f"Lateness: {number} clocks due at one instant, in {settled.total_seconds():.0f} s ...")
    due = datetime.now(UTC) + settled
    references = await load(people.store, number, settled, f"late-{number}-{due:%H%M%S}")
    if datetime.now(UTC) > due:
        raise BenchFailed(f"{number} submissions took longer than their clocks")
    await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() - 2))
    if (at_rest := await people.at_rest(references, AWAITING)) < number:
        say(f"  (only {at_rest} of {number} runs were at rest when the clocks came due)")
    found = await all_breached(people, references, due)
    return {**spread(found, digits=3), "messages": await _messages(people.store, references)}


async def _messages(store: Store, references: list[str]) -> int:
    """How many alerts were queued for these breaches: as many as clocks, however few messages they are folded into."""
    async with store.single.connect() as connection:
        queued = select(NOTICES.c.reference).where(NOTICES.c.kind == "escalation", NOTICES.c.reference.like("MASH-%"))
        return len(set((await connection.scalars(queued)).all()) & set(references))


async def load(store: Store, number: int, due_in: timedelta, name: str) -> list[str]:
    """Submissions as the API takes them, without HTTP, whose triage is due so much later, all at the same instant."""
    now = datetime.now(UTC)
    at = HubTime(wall=now, simulated=now + due_in - TRIAGE_LASTS, rate=FROZEN)
    then, references = Store(store.engine, store.people, store.keyring, at, store.hubs, store.caller_key), list[str]()

    async def one(place: int) -> None:
        references.append(await _receive(then, f"{name}-{place}"))

    await each(one, number, 4)
    return references


async def _receive(store: Store, key: str) -> str:
    by = Actor(id="bench-school", role="referrer", agency="education", hub=HUB)
    submission = Submission.model_validate(contact())

    async def work(connection: Any) -> Answer:
        applied = await receive(connection, store, *contact_of(submission, day_of(store.time.now())), by)
        return Answer(201, {"reference": applied.reference}, applied.reference)

    answer = await answer_once(store, by, key, "submission", submission.model_dump(mode="json"), work, answer_for)
    return str(answer.reference)


async def _at_rest(people: BenchPeople, references: list[str], seconds: float) -> None:
    async def there() -> bool:
        return await people.waiting() == 0 and await people.at_rest(references, AWAITING) == len(references)

    await until(there, f"{len(references)} runs '{AWAITING}'", seconds, every=1)


async def all_breached(people: BenchPeople, references: list[str], due: datetime) -> list[float]:
    """Wait until each triage clock that is due in the second after an instant is recorded as breached; how many seconds after its
    deadline each was."""
    first = select(func.min(REFERRALS.c.next_at))

    async def none_is_due() -> bool:  # by an index: to read what was breached takes the processors that are measured
        async with people.store.single.connect() as connection:
            at = await connection.scalar(first)
            return at is None or at > due + timedelta(seconds=1)

    await until(none_is_due, f"{len(references)} clocks fired", 300)
    found = await _breaches(people.store, references)
    if len(found) != len(references):
        raise BenchFailed(f"of {len(references)} clocks {len(found)} breaches were recorded")
    return found


async def _breaches(store: Store, references: list[str]) -> list[float]:
    """How many seconds after its deadline each triage clock was recorded as breached."""
    query = select(EVENTS.c.canonical).join(REFERRALS, REFERRALS.c.reference == EVENTS.c.reference).where(
        EVENTS.c.kind == "clock_breached", REFERRALS.c.is_open
    )  # fmt: skip
    wanted = set(references)
    async with store.single.connect() as connection:
        events = [json.loads(text) for text in (await connection.scalars(query)).all()]
    return [
        (datetime.fromisoformat(e["at"]) - datetime.fromisoformat(e["event"]["due_at"])).total_seconds()
        for e in events
        if e["reference"] in wanted
    ]


async def recovery(people: BenchPeople, references: list[str]) -> Figures:
    """Each part killed (`kill -9`) with these referrals open, and started again: seconds from when it is back until all moves."""
    return {
        part: await _killed(people, part, references[place::4])
        for place, part in enumerate(("worker", "api", "prefect", "postgres"))
    }


async def _killed(people: BenchPeople, part: str, references: list[str]) -> Figures:
    """The part dies; where that does not stop people, they rate some referrals meanwhile; it is started. `back_s` is how long its
    start took, `moving_s` how long from then until every referral rated meanwhile, and one rated afterwards, is where it belongs
    with its alerts sent; `runs_s` until Prefect shows that too."""
    say(f"Recovery: {part} is killed ...")
    stack, some = people.stack, references[1:51]
    stack.kill(part)
    if part in ("worker", "prefect"):
        await each(lambda place: people.triage(some[place]), len(some), 8)
    began = time.monotonic()
    stack.start(part)
    await until(_answers(people, part), f"{part} is back", 60, every=0.02)
    back = time.monotonic()
    await _persist(lambda: people.triage(references[0]))
    moved = [references[0], *(some if part in ("worker", "prefect") else [])]

    async def all_sent() -> bool:
        return await _untold(people.store, moved) == 0

    await until(all_sent, "every alert is sent", 120, every=0.05)
    moving = time.monotonic()

    async def shown() -> bool:
        return await people.at_rest(moved, "Awaiting agency checks") == len(moved)

    await until(shown, "every run shows its stage", 300, every=0.25)
    return {
        "back_s": round(back - began, 2),
        "moving_s": round(moving - back, 2),
        "runs_s": round(time.monotonic() - back, 2),
    }


def _answers(people: BenchPeople, part: str) -> Callable[[], Coroutine[Any, Any, bool]]:
    """Whether a part does its work again: the API and Prefect's server answer, the worker and the database are reached."""

    async def answers() -> bool:
        try:
            if part == "prefect":
                return (await people.prefect.get("/health")).status_code == 200
            if part == "worker":
                return await _listens(people.store)
            return (await people.http.get("/health")).status_code == 200
        except (httpx.HTTPError, OSError):
            return False

    return answers


async def _listens(store: Store) -> bool:
    """Whether a worker listens for what happens."""
    async with store.single.connect() as connection:
        found = await connection.exec_driver_sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        return bool(found.scalar())


async def _untold(store: Store, references: list[str]) -> int:
    """How many notices of these referrals are still to be sent."""
    async with store.single.connect() as connection:
        query = select(NOTICES.c.id).where(NOTICES.c.reference.in_(references), NOTICES.c.status == "queued")
        return len((await connection.scalars(query)).all())


async def _persist(work: Callable[[], Coroutine[Any, Any, Any]], seconds: float = 60) -> None:
    """Do it again until it is taken, as a client does."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            await work()
            return
        except (Refused, httpx.HTTPError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.02)
