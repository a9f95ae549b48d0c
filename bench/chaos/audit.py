"""The audit: whether all that was accepted is there, happened once, was told, and is shown in Prefect."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import Row, select

from mash.bench.chaos.load import Accepted
from mash.bench.chaos.post import MailServer, Messages
from mash.flows.carrying.referral import awaiting
from mash.flows.carrying.watchdog import TOLERANCE
from mash.flows.store.log import verify
from mash.flows.store.outbox import referrer_address
from mash.flows.store.reads.queries import Case, conservation, unfinished
from mash.flows.store.store import Store
from mash.flows.store.tables import DELIVERIES, EVENTS, NOTICES, REFERRALS
from mash.notifications.notices import REFERRER, URGENT
from mash.notifications.wording import UNADDRESSED, lateness, message_for
from mash.states.acts.upkeep import ReferrerTold
from mash.states.course import ClockBreached, ClockEscalated
from mash.states.log import RECORDED
from mash.states.values import SYSTEM

Wrong = list[str]
OVERDUE = timedelta(seconds=5)
"""Wall time within which a clock that is due has fired."""
PAGE = 200


@dataclass(frozen=True)
class Evidence:
    """What the audit compares: the database, what the clients were told, what arrived, and Prefect."""

    store: Store
    accepted: Accepted
    mail: MailServer
    prefect: httpx.AsyncClient
    began: datetime
    """When the load began: times before that, or after now, are of a clock that was set wrong, and say nothing."""
    prefect_forgot: bool = False
    """Whether an older copy of Prefect's database was put in place: a finished referral's run may be gone then."""


async def _submissions(e: Evidence) -> Wrong:
    async with e.store.single.connect() as connection:
        there = set((await connection.scalars(select(REFERRALS.c.reference))).all())
    return [f"{reference} was accepted and is not in the database" for reference in sorted(set(e.accepted.submissions) - there)]


async def _commands(e: Evidence) -> Wrong:
    """What people did is in the logs where the answers said it was, and nothing beside it."""
    logged = await _by_people(e.store)
    claimed: Counter[tuple[str, int]] = Counter()
    wrong = []
    for done in e.accepted.commands:
        first = done.version - len(done.events) + 1
        places = [(done.reference, first + at) for at in range(len(done.events))]
        claimed.update(places)
        if tuple(logged.get(place) for place in places) != done.events:
            wrong.append(f"{done.reference}: {done.kind} was accepted as events {first} to {done.version}, which the log has not")
    wrong += [f"{name}: event {number} was the answer to two commands" for (name, number), n in claimed.items() if n > 1]
    for (name, number), kind in logged.items():
        if (name, number) not in claimed and name not in e.accepted.unanswered:
            wrong.append(f"{name}: event {number} ({kind}) belongs to no command that was accepted")
    return wrong


async def _by_people(store: Store) -> dict[tuple[str, int], str]:
    """The events that staff caused: (reference, number) and kind."""
    async with store.single.connect() as connection:
        texts = (await connection.scalars(select(EVENTS.c.canonical))).all()
    events = [RECORDED.validate_json(text) for text in texts]
    return {(r.reference, r.sequence): r.event.kind for r in events if r.by.role not in (SYSTEM, REFERRER)}


async def _decisions(e: Evidence) -> Wrong:
    query = select(EVENTS.c.reference).where(EVENTS.c.kind == "decision_recorded")
    async with e.store.single.connect() as connection:
        decided = Counter((await connection.scalars(query)).all())
    return [f"{reference}: {n} decisions were recorded" for reference, n in decided.items() if n > 1]


async def _breaches(e: Evidence) -> Wrong:
    breached = Counter((r.reference, r.event.id, r.event.due_at) for r in await _events(e.store, ClockBreached))
    return [
        f"{reference}: clock {clock} was breached {n} times at {due}" for (reference, clock, due), n in breached.items() if n > 1
    ]


async def _alerts(e: Evidence) -> Wrong:
    """Every rung of a ladder that was climbed has its notice."""
    climbed = Counter((r.reference, r.event.id) for r in await _events(e.store, ClockEscalated))
    query = select(NOTICES.c.reference, NOTICES.c.clock).where(NOTICES.c.kind.in_(URGENT))
    async with e.store.single.connect() as connection:
        told = Counter((row.reference, row.clock) for row in (await connection.execute(query)).all())
    return [
        f"{name}: clock {clock} escalated {n} times, with {told[name, clock]} alerts"
        for (name, clock), n in climbed.items()
        if told[name, clock] < n  # what is handed over at a change of shift comes on top
    ]


async def _events(store: Store, kind: type[Any]) -> list[Any]:
    """The recorded events of a kind."""
    query = select(EVENTS.c.canonical).where(EVENTS.c.kind == kind.model_fields["kind"].default)
    async with store.single.connect() as connection:
        return [RECORDED.validate_json(text) for text in (await connection.scalars(query)).all()]


async def _chains(e: Evidence) -> Wrong:
    return [sentence async for sentence in verify(e.store)]


async def _conservation(e: Evidence) -> Wrong:
    count = await conservation(e.store)
    if count["contacts"] == count["outcomes"] + count["open"]:
        return []
    return [f"{count['contacts']} contacts came in, {count['outcomes']} have outcomes and {count['open']} are open"]


async def _clocks(e: Evidence) -> Wrong:
    late = e.store.time.now() - OVERDUE * e.store.time.rate
    async with e.store.single.connect() as connection:
        due = (await connection.scalars(select(REFERRALS.c.reference).where(REFERRALS.c.next_at < late))).all()
    return [f"{reference}: a clock came due and has not fired" for reference in due]


# --- notices ------------------------------------------------------------------------------------------------------------------


async def _delivered(e: Evidence) -> Wrong:
    query = select(NOTICES.c.id, NOTICES.c.kind, NOTICES.c.status).where(NOTICES.c.status.not_in(("delivered", "withdrawn")))
    async with e.store.single.connect() as connection:
        rows = (await connection.execute(query)).all()
    return [f"notice {row.id} ({row.kind}) is {row.status}" for row in rows]


async def _told(e: Evidence) -> Wrong:
    """Where the referrer got a message, the referral's log says so: its clock has stopped."""
    told = ("acknowledgement", "outcome")
    query = select(NOTICES.c.reference, NOTICES.c.kind).where(NOTICES.c.status == "delivered", NOTICES.c.kind.in_(told))
    async with e.store.single.connect() as connection:
        delivered = (await connection.execute(query)).all()
    said = Counter((r.reference, r.event.what) for r in await _events(e.store, ReferrerTold))
    missing = [(row.reference, row.kind) for row in delivered if not said[row.reference, row.kind]]
    return [f"{reference}: the {kind} was delivered, and the log does not say so" for reference, kind in missing] + [
        f"{reference}: the log says {n} times that the {kind} was told" for (reference, kind), n in said.items() if n > 1
    ]


async def _arrived(e: Evidence) -> Wrong:
    """Every notice arrived, and no oftener than the ledger has tries. Notices of one title to one address are counted together:
    nobody could tell them apart."""
    async with e.store.single.connect() as connection:
        rows = (await connection.execute(select(NOTICES))).all()
        tried = Counter((await connection.scalars(select(DELIVERIES.c.notice))).all())
    notices: Counter[tuple[str, str, str]] = Counter()
    tries: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        what = (await _address(e.store, row), *_title(row))
        notices[what] += row.status == "delivered"
        tries[what] += tried[row.id]
    kept, doubtful = _counted(e.mail.kept, notices), _counted(e.mail.doubtful, notices)
    wrong = [
        f"'{begin}...{end}' to {address.split('@')[0]}: {n} notices were delivered, {kept[address, begin, end]} arrived"
        for (address, begin, end), n in notices.items()
        if kept[address, begin, end] < n
    ]
    return wrong + [
        f"'{begin}...{end}' to {address.split('@')[0]}: it arrived oftener than the {n} times that the ledger has"
        for (address, begin, end), n in tries.items()
        if kept[address, begin, end] + doubtful[address, begin, end] > n
    ]


async def _address(store: Store, row: Row[Any]) -> str:
    if row.role != REFERRER:
        return f"{row.role}@example.org"
    return await referrer_address(store, row.reference) or ""


def _title(row: Row[Any]) -> tuple[str, str]:
    """How a notice's title begins and ends: what is between says how late it is, which depends on when it was sent."""
    facts, at = json.loads(row.facts), datetime.now(UTC)
    title = message_for(row.kind, row.reference, facts, at, "", **UNADDRESSED).title
    if "due_at" not in facts:
        return title, ""
    begin, _, end = title.partition(lateness(datetime.fromisoformat(facts["due_at"]), at))
    return begin, end


def _counted(messages: Messages, notices: Counter[tuple[str, str, str]]) -> Counter[tuple[str, str, str]]:
    """How often each notice is among the messages."""
    lines = Counter((to, line) for to, said in list(messages) for line in said)
    timed: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    count: Counter[tuple[str, str, str]] = Counter()
    for what in notices:
        if what[2]:
            timed[what[0]].append(what)
        else:
            count[what] += lines[what[0], what[1]]
    for (to, line), n in lines.items():
        for what in timed[to]:
            if line.startswith(what[1]) and line.endswith(what[2]):
                count[what] += n
    return count


async def _doubles(e: Evidence) -> Wrong:
    """A notice is tried again only as long as no try of it has been recorded as delivered."""
    query = select(DELIVERIES).order_by(DELIVERIES.c.notice, DELIVERIES.c.id)
    async with e.store.single.connect() as connection:
        rows = (await connection.execute(query)).all()
    done: dict[int, datetime] = {}
    truly = [row for row in rows if all(e.began <= at <= datetime.now(UTC) for at in (row.started_at, row.finished_at) if at)]
    for row in truly:
        if row.finished_at and " ok" in (row.result or ""):
            done[row.notice] = min(row.finished_at, done.get(row.notice, row.finished_at))
    again = [row for row in truly if row.notice in done and row.started_at > done[row.notice]]
    return [f"notice {row.notice} was tried again after it had been delivered" for row in again]


# --- Prefect ------------------------------------------------------------------------------------------------------------------


async def _runs(e: Evidence) -> Wrong:
    query = select(REFERRALS.c.reference, REFERRALS.c.finished, REFERRALS.c.shown, REFERRALS.c.version)
    async with e.store.single.connect() as connection:
        rows = (await connection.execute(query)).all()
    behind = [row for row in rows if row.shown < row.version]
    wrong = [f"{row.reference}: its run has not dealt with its last events" for row in behind]
    runs = await _runs_of(e.prefect, [row.reference for row in rows])
    for case in await unfinished(e.store):
        wrong += _of_unfinished(e.store, case, [run for run in runs[case.reference] if _alive(run)])
    for reference in (row.reference for row in rows if row.finished):
        states = sorted(run["state_type"] for run in runs[reference])
        if any(_alive(run) for run in runs[reference]) or "COMPLETED" not in (states or ["COMPLETED"] * e.prefect_forgot):
            wrong.append(f"{reference}: it is finished, and its runs are {', '.join(states) or 'none'}")
    return wrong


def _alive(run: dict[str, Any]) -> bool:
    return run["state_type"] in ("SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING")


def _of_unfinished(store: Store, case: Case, alive: list[dict[str, Any]]) -> Wrong:
    if len(alive) != 1:
        return [f"{case.reference}: {len(alive)} runs are alive"]
    run, due = alive[0], case.referral.next_at
    wakes = datetime.fromisoformat(run["next_scheduled_start_time"] or run["expected_start_time"])
    if run["id"] != str(case.flow_run_id):
        return [f"{case.reference}: the run that is alive is not its own"]
    if run["state_name"] != awaiting(case.referral):
        return [f"{case.reference}: its run is '{run['state_name']}', it should be '{awaiting(case.referral)}'"]
    if due is None or wakes > store.time.on_the_wall(due) + TOLERANCE:
        return [f"{case.reference}: its run wakes after its next deadline"]
    return []


async def _runs_of(prefect: httpx.AsyncClient, references: list[str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for names in (references[at : at + PAGE] for at in range(0, len(references), PAGE)):
        page, offset = list[dict[str, Any]](), 0
        while len(page) == PAGE or offset == 0:
            body = {"flow_runs": {"name": {"any_": names}}, "limit": PAGE, "offset": offset, "sort": "ID_DESC"}
            answer = await prefect.post("/flow_runs/filter", json=body)
            page = answer.raise_for_status().json()
            offset += PAGE
            for run in page:
                found[str(run["name"])].append(run)
    return found


Rules = Mapping[str, Callable[[Evidence], Awaitable[Wrong]]]
AT_ANY_TIME: Rules = {
    "every accepted referral is there": _submissions,
    "every accepted command is in its log, once": _commands,
    "no decision is recorded twice": _decisions,
    "no clock is breached twice at one due time": _breaches,
    "every chain verifies": _chains,
    "contacts in = outcomes + open": _conservation,
}
"""What holds in the middle of things, too."""
RULES: Rules = {
    **AT_ANY_TIME,
    "every escalation has its alert": _alerts,
    "every clock that came due has fired": _clocks,
    "every notice is delivered": _delivered,
    "every notice arrived, and no oftener than the ledger says": _arrived,
    "no notice is tried again once it is delivered": _doubles,
    "what the referrer was told is in the log, once": _told,
    "every run is in step with its referral": _runs,
}
"""What holds once all that is on its way has come to rest."""


async def audit(evidence: Evidence, rules: Rules = RULES) -> dict[str, Wrong]:
    """What is wrong by rule, a sentence each; every list is empty when all is well."""
    return {rule: await check(evidence) for rule, check in rules.items()}
