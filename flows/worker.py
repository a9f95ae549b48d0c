"""The worker: fires clocks, sends notices, and carries flow runs in its own process. Clocks and notices do not need Prefect."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import Context, copy_context
from typing import Any

import httpx
import psycopg
from prefect import Flow
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas import OrchestrationResult
from prefect.client.schemas.objects import FlowRun
from prefect.context import AsyncClientContext, SyncClientContext
from prefect.exceptions import Abort, ObjectNotFound, Pause, PrefectHTTPStatusError
from prefect.flow_engine import run_flow_async
from prefect.states import Pending
from sqlalchemy import func, select

from mash.config.settings import Settings, read_channels
from mash.flows.referral import ATTEMPT, Attempt, referral
from mash.flows.runs import POOL, Deployments, alive_runs, create_run, deploy, due_runs
from mash.flows.store import outbox
from mash.flows.store.apply import fire_due
from mash.flows.store.queries import Case, claim_wake_ups, read_case, record_repair, set_flow_run
from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS
from mash.flows.store.writes import CHANNEL, urgency
from mash.flows.watchdog import WATCH, Watch, look_around, watchdog
from mash.notifications import links, sender
from mash.notifications.digest import digest, folded
from mash.notifications.wording import REFERRER, message_for
from mash.states.errors import NotFound

log = logging.getLogger("mash.worker")
PREFECT_TROUBLE = (httpx.HTTPError, PrefectHTTPStatusError, OSError)
HEARTBEAT = 10.0
POLL = 3.0
BATCH = 200


class Worker:
    """One worker process. Everything it holds can be lost: the log has the truth."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings, self.store = settings, store
        self.channels = read_channels(settings.channels_file)
        self.queue: asyncio.PriorityQueue[tuple[int, int, str]] = asyncio.PriorityQueue()
        self.queued: set[str] = set()
        self.live: dict[str, Attempt] = {}
        self.rang, self.outbox_rang = asyncio.Event(), asyncio.Event()
        self.calm = asyncio.Event()
        self.repaired: dict[str, list[str]] = {}
        self.order = itertools.count()
        self.locks: psycopg.AsyncConnection[tuple[bool]] | None = None
        self.locking = asyncio.Lock()
        self.deployments: Deployments | None = None
        self.holding_client = Context()
        self.watches: set[asyncio.Task[None]] = set()
        self.parked: dict[str, float] = {}

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for loop in (self._listen, self._take_wake_ups, self._fire_clocks, self._send_notices, self._keep_in_touch):
                group.create_task(self._forever(loop))
            for _ in range(self.settings.attempts_at_once):
                group.create_task(self._forever(self._carry_next))

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeat a step; when it fails, say so without details that could name a person, wait a moment, go on."""
        while True:
            try:
                await step()
            except Exception as error:
                log.warning("%s: %s; trying again", step.__name__.strip("_"), type(error).__name__)
                await asyncio.sleep(1)

    # --- our own machinery: needs only PostgreSQL -----------------------------------------------------------------------

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(self.store.listen_url, autocommit=True) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self._ring()
            async for _ in connection.notifies():
                self._ring()

    def _ring(self) -> None:
        self.rang.set()
        self.outbox_rang.set()

    async def _take_wake_ups(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.rang.wait(), 2)
        self.rang.clear()
        if self.deployments is None:
            return  # Prefect is away: the rows wait, the clocks and notices do not
        while references := await claim_wake_ups(self.store, 100):
            for reference in references:
                await self.enqueue(reference)

    async def _fire_clocks(self) -> None:
        # Clocks go first: while many are due, no run is carried (at 1,000 due at once: 50 s late with carrying going on).
        self.calm.clear()
        try:
            while await fire_due(self.store, limit=BATCH) == BATCH:
                pass
        finally:
            self.calm.set()
        async with self.store.engine.connect() as connection:
            upcoming = await connection.scalar(select(func.min(REFERRALS.c.next_at)))
        await asyncio.sleep(min(1.0, max(0.02, self.store.time.wait(upcoming))) if upcoming else 1.0)

    async def _send_notices(self) -> None:
        claimed = await outbox.claim(self.store)
        if claimed:
            await asyncio.gather(*(self._send(together) for together in folded(claimed)))
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self.outbox_rang.wait(), 1)
        self.outbox_rang.clear()

    async def _send(self, notices: list[outbox.Claimed]) -> None:
        """Send notices for one recipient: one by itself, or many as one message."""
        notice = notices[0]
        if notice.role == REFERRER and notice.reference:
            address = await outbox.referrer_address(self.store, notice.reference)
            mail = self.settings.mail_url
            urls = [sender.mail_to(mail.get_secret_value(), address)] if address and mail else []
        else:
            urls = sender.channels_for(self.channels, notice.hub, notice.role)
        now = self.store.time.now()
        messages = [message_for(n.kind, n.reference, n.facts, now, self._link(n)) for n in notices]
        try:
            result = await sender.send(urls, messages[0] if len(messages) == 1 else digest(messages))
        except sender.NoticeNotDelivered as failed:
            for one in notices:
                await outbox.record_failed(self.store, one, str(failed))
            return
        await outbox.record_delivered(self.store, notices, result)

    def _link(self, notice: outbox.Claimed) -> str:
        base = self.settings.base_url
        if notice.kind in outbox.URGENT and notice.clock and notice.reference and self.settings.token_key:
            token = links.sign(
                self.settings.token_key.get_secret_value(),
                links.AlertLink(reference=notice.reference, hub=notice.hub, clock=notice.clock, role=notice.role),
            )
            return f"{base}/alerts/{token}"
        return f"{base}/cases/{notice.reference}" if notice.reference else f"{base}/health"

    # --- carrying the flow runs -----------------------------------------------------------------------------------------

    async def enqueue(self, reference: str) -> None:
        """Have a referral's run carried soon, the most urgent first; one that is being carried now just looks again."""
        if reference in self.live:
            self.live[reference].woken.set()
            return
        if reference in self.queued:
            return
        try:
            case = await read_case(self.store, reference)
        except NotFound:
            return
        self.queued.add(reference)
        profile = self.store.hubs.get(case.hub)  # a hub that is served no longer still has open cases
        urgent = urgency(case.referral, profile) if profile else 0
        self.queue.put_nowait((-urgent, next(self.order), reference))

    async def _carry_next(self) -> None:
        _, _, reference = await self.queue.get()
        await self.calm.wait()
        self.queued.discard(reference)
        try:
            # In the context that holds the client: an attempt without it builds one of its own (20 ms of CPU, and a token).
            await asyncio.create_task(self._attempt(reference), context=self.holding_client.copy())
        except PREFECT_TROUBLE as trouble:
            log.warning("Prefect is away (%s): %s is caught up with later", type(trouble).__name__, reference)
            self.deployments = None

    async def _attempt(self, reference: str) -> None:
        if self.deployments is None or reference in self.live:
            return  # with Prefect away, the look around that follows its return finds it
        busy = asyncio.get_running_loop().time() - self.parked.pop(reference, 0) < self.settings.linger_seconds
        attempt = self.live[reference] = Attempt(self.store, self.settings.linger_seconds, busy)
        try:
            async with self._held(reference) as held:
                if held:
                    await self._carry(reference, attempt)
        finally:
            del self.live[reference]
            self._remember_parked(reference)
        # The lost wake-up: an event that came while the run was parking, or while another worker held it.
        if not held:
            await asyncio.sleep(0.5)
        if not held or (await read_case(self.store, reference)).referral.version > attempt.seen:
            await self.enqueue(reference)

    async def _carry(self, reference: str, attempt: Attempt) -> None:
        case = await read_case(self.store, reference)
        run = await self._run_of(case)
        if run is None:
            attempt.seen = case.referral.version
            return
        attempt.tags = frozenset(run.tags)
        await self._execute(referral, run, attempt)

    def _remember_parked(self, reference: str) -> None:
        """Keep when a run parked, for as long as it tells a burst of events from single ones."""
        now = asyncio.get_running_loop().time()
        self.parked = {r: at for r, at in self.parked.items() if now - at < self.settings.linger_seconds} | {reference: now}

    async def _run_of(self, case: Case) -> FlowRun | None:
        """The referral's run, ready to be carried: created if there is none, taken over from whoever left it if there is.
        We hold its lock, so nobody else carries it. None when it is completed and nothing is waited for."""
        client, deployments = self._client, self.deployments
        reference, run = case.reference, None
        if case.flow_run_id is not None:
            try:
                run = await client.read_flow_run(case.flow_run_id)
            except ObjectNotFound:
                await self._repaired(case, "Prefect had forgotten the run: created again")
        if run is None:
            if deployments is None:
                return None
            run = await create_run(client, deployments, case)
            await set_flow_run(self.store, reference, run.id)
        state = run.state
        if state and state.is_completed() and case.referral.finished:
            return None
        if state and (state.is_final() or state.is_running() or state.is_cancelling()) and not state.is_completed():
            await self._repaired(case, f"the run was left {state.name}: taken up again")
        # By force: from a parked state the ordinary way needs a second call, and from a final one there is none.
        answer: OrchestrationResult[None] = await client.set_flow_run_state(run.id, Pending(), force=True)
        return run.model_copy(update={"state": answer.state, "deployment_id": None})

    async def _repaired(self, case: Case, what: str) -> None:
        await record_repair(self.store, case.reference, what)
        self.repaired.setdefault(case.hub, []).append(case.reference)

    async def _tell_of_repairs(self) -> None:
        """Tell the administrators once of all that was repaired since the last time: Prefect's loss would be a storm."""
        repaired, self.repaired = self.repaired, {}
        for hub, references in repaired.items():
            some = ", ".join(references[:5]) + (" and others" if len(references) > 5 else "")
            await outbox.tell_administrators(
                self.store, hub, f"{len(references)} runs were put back on their feet", f"{some}. The cases are none the worse."
            )

    async def _execute(self, flow: Flow[[str], Any], run: FlowRun, attempt: Attempt) -> None:
        token = ATTEMPT.set(attempt)
        try:
            await run_flow_async(flow, flow_run=run, parameters=run.parameters, return_type="state")
        except (Pause, Abort):
            pass
        finally:
            ATTEMPT.reset(token)

    @asynccontextmanager
    async def _held(self, reference: str) -> AsyncIterator[bool]:
        """The advisory lock of a referral's attempt, on a connection of its own; it falls with the process."""
        held = await self._lock("pg_try_advisory_lock", reference)
        try:
            yield held
        finally:
            if held:
                await self._lock("pg_advisory_unlock", reference)

    async def _lock(self, function: str, reference: str) -> bool:
        async with self.locking:
            if self.locks is None or self.locks.closed:
                self.locks = await psycopg.AsyncConnection.connect(self.store.listen_url, autocommit=True)
            cursor = await self.locks.execute(f"SELECT {function}(hashtextextended(%s, 26))".encode(), (reference,))
            row = await cursor.fetchone()
            return bool(row and row[0])

    # --- Prefect --------------------------------------------------------------------------------------------------------

    async def _keep_in_touch(self) -> None:
        """Hold the clients while Prefect is there. When it goes, let go; when it is back, catch up from the log."""
        # The engine asks for a blocking client too, to name the results' storage, though it calls nothing: without one at hand it
        # builds one for each attempt, and reads the trusted certificates for it (half of the CPU that an attempt took here).
        with SyncClientContext():
            async with AsyncClientContext() as context:
                await self._while_there(context.client)
        await asyncio.sleep(1)

    async def _while_there(self, client: PrefectClient) -> None:
        self._client: PrefectClient = client
        self.holding_client = copy_context()
        try:
            self.deployments = await deploy(client, self.store)
            # What changed while there was no worker, or no Prefect, is found by comparing the runs with the log.
            await look_around(self._watching())
            await self._stay_in_touch()
        except PREFECT_TROUBLE as trouble:
            log.warning("Prefect is away (%s): clocks and notices go on, runs are caught up later", type(trouble).__name__)
        finally:
            self.deployments = None

    async def _stay_in_touch(self) -> None:
        name = f"{socket.gethostname()}-{os.getpid()}"
        beat = 0.0
        while self.deployments is not None:
            if (now := asyncio.get_running_loop().time()) >= beat:
                await self._client.send_worker_heartbeat(POOL, name, heartbeat_interval_seconds=HEARTBEAT)
                beat = now + HEARTBEAT
                await self._tell_of_repairs()
            for run in await due_runs(self._client):
                await self._take_due(run)
            self.rang.set()
            await asyncio.sleep(POLL)

    async def _take_due(self, run: FlowRun) -> None:
        if self.deployments and run.deployment_id == self.deployments.watchdog:
            if not self.watches:
                task = asyncio.create_task(self._watch(run))
                self.watches.add(task)
                task.add_done_callback(self.watches.discard)
        elif reference := run.parameters.get("reference"):
            await self.enqueue(str(reference))

    def _watching(self) -> Watch:
        client, deployments = self._client, self.deployments
        if deployments is None:
            raise RuntimeError("there is nothing to look at before the deployments are made")
        return Watch(self.store, client, lambda: alive_runs(client, deployments.referral), self.enqueue)

    async def _watch(self, run: FlowRun) -> None:
        token = WATCH.set(self._watching())
        try:
            answer: OrchestrationResult[None] = await self._client.set_flow_run_state(run.id, Pending(), force=True)
            with suppress(Pause, Abort):
                await run_flow_async(
                    watchdog,
                    flow_run=run.model_copy(update={"state": answer.state, "deployment_id": None}),
                    parameters=run.parameters,
                    return_type="state",
                )
        finally:
            WATCH.reset(token)
