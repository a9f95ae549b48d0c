"""Carrying the referrals' flow runs, in the worker's own process: the most urgent first, each by one attempt at a time."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import Context, copy_context
from typing import Any

import asyncpg
import httpx
from prefect import Flow
from prefect.client.schemas import OrchestrationResult
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import Abort, ObjectNotFound, Pause, PrefectHTTPStatusError
from prefect.flow_engine import run_flow_async
from prefect.states import Pending

from mash.flows.connection import CARRIED, Client, connected
from mash.flows.referral import ATTEMPT, Attempt, referral
from mash.flows.runs import POOL, Deployments, alive_runs, create_run, deploy, due_runs
from mash.flows.store import outbox
from mash.flows.store.queries import Case, read_case, record_repair, set_flow_run, urgencies, version_of
from mash.flows.store.store import Store
from mash.flows.watchdog import WATCH, Watch, look_around, watchdog
from mash.states.errors import NotFound

log = logging.getLogger("mash.carrier")
PREFECT_TROUBLE = (httpx.HTTPError, PrefectHTTPStatusError, OSError)
HEARTBEAT = 10.0
POLL = 3.0
LONGEST_BURST = 10
"""However fast events follow one another, a run is carried after so many times the time it takes to settle."""


class Carrier:
    """Carries the runs of one worker process. Everything it holds can be lost: the log has the truth."""

    def __init__(self, store: Store, settle: float) -> None:
        self.store, self.settle = store, settle
        self.stirred: dict[str, tuple[float, asyncio.TimerHandle]] = {}
        self.queue: asyncio.PriorityQueue[tuple[int, int, str]] = asyncio.PriorityQueue()
        self.queued: set[str] = set()
        self.live: set[str] = set()
        self.calm = asyncio.Event()
        self.repaired: dict[str, list[str]] = {}
        self.order = itertools.count()
        self.locks: asyncpg.Connection | None = None
        self.locking = asyncio.Lock()
        self.deployments: Deployments | None = None
        self.holding_client = Context()
        self.watches: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        """Whether Prefect is there."""
        return self.deployments is not None

    def stir(self, reference: str, urgent: int) -> None:
        """Something happened to a referral: its run is carried when it has settled, so that a burst of events is one attempt."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if stirred := self.stirred.get(reference):
            stirred[1].cancel()
        first = stirred[0] if stirred else now
        at = min(now + self.settle, first + self.settle * LONGEST_BURST)
        self.stirred[reference] = first, loop.call_at(at, self._settled, reference, urgent)

    def _settled(self, reference: str, urgent: int) -> None:
        del self.stirred[reference]
        self.enqueue(reference, urgent)

    def enqueue(self, reference: str, urgent: int) -> None:
        """Have a referral's run carried now, the most urgent first; one that is being carried looks again by itself."""
        if reference not in self.live and reference not in self.queued:
            self.queued.add(reference)
            self.queue.put_nowait((-urgent, next(self.order), reference))

    async def carry_next(self) -> None:
        """Carry the most urgent run that waits."""
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
        self.live.add(reference)
        try:
            async with self._held(reference) as held:
                seen = await self._carry(reference) if held else -1
        except NotFound:
            return
        finally:
            self.live.discard(reference)
        # The lost wake-up: an event that came while the run was parking, or while another worker held it.
        if not held:
            await asyncio.sleep(0.5)
        if await version_of(self.store, reference) > seen:
            await self.enqueue_all([reference])

    async def enqueue_all(self, references: list[str]) -> None:
        """Have the runs of these referrals carried, each as urgently as its rating says."""
        for reference, urgent in await urgencies(self.store, references):
            self.enqueue(reference, urgent)

    async def _carry(self, reference: str) -> int:
        """One attempt, if there is anything to do; returns the version of the referral that it was done for."""
        case = await read_case(self.store, reference)
        attempt = Attempt(self.store, case)
        if run := await self._run_of(case):
            attempt.tags = frozenset(run.tags)
            await self._execute(referral, run, attempt)
        return attempt.seen

    async def _run_of(self, case: Case) -> FlowRun | None:
        """The referral's run, ready to be carried: created if there is none, taken over from whoever left it if there is.
        We hold its lock, so nobody else carries it. None when it is completed and nothing is waited for."""
        reference, run = case.reference, None
        if case.flow_run_id is not None:
            try:
                run = await self._client.read_flow_run(case.flow_run_id)
            except ObjectNotFound:
                await self._repaired(case, "Prefect had forgotten the run: created again")
        if run is None:
            if self.deployments is None:
                return None
            run = await create_run(self._client, self.deployments, case)
            await set_flow_run(self.store, reference, run.id)
        state = run.state
        if state and state.is_completed() and case.referral.finished:
            return None
        if state and state.is_pending() and case.flow_run_id is None:
            return run
        if state and (state.is_final() or state.is_running() or state.is_cancelling()) and not state.is_completed():
            await self._repaired(case, f"the run was left {state.name}: taken up again")
        # By force: from a parked state the ordinary way needs a second call, and from a final one there is none.
        answer: OrchestrationResult[None] = await self._client.set_flow_run_state(run.id, Pending(), force=True)
        return run.model_copy(update={"state": answer.state})

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
        # Seen to belong to a deployment, the engine starts a thread that waits for suspensions (100 ms and more); on the server
        # the run belongs to it all the same.
        run = run.model_copy(update={"deployment_id": None})
        tokens = ATTEMPT.set(attempt), CARRIED.set(run)
        try:
            with suppress(Pause, Abort):
                await run_flow_async(flow, flow_run=run, parameters=run.parameters, return_type="state")
        finally:
            ATTEMPT.reset(tokens[0])
            CARRIED.reset(tokens[1])

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
            if self.locks is None or self.locks.is_closed():
                self.locks = await asyncpg.connect(self.store.listen_url)
            return bool(await self.locks.fetchval(f"SELECT {function}(hashtextextended($1, 26))", reference))

    # --- being connected ------------------------------------------------------------------------------------------------

    async def keep_in_touch(self) -> None:
        """Hold the client while Prefect is there. When it goes, let go; when it is back, catch up from the log."""
        async with connected() as client:
            await self._while_there(client)
        await asyncio.sleep(1)

    async def _while_there(self, client: Client) -> None:
        self._client = client
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
            due = await due_runs(self._client)
            for run in due:
                if run.deployment_id == self.deployments.watchdog and not self.watches:
                    task = asyncio.create_task(self._watch(run))
                    self.watches.add(task)
                    task.add_done_callback(self.watches.discard)
            await self.enqueue_all([str(run.parameters["reference"]) for run in due if "reference" in run.parameters])
            await asyncio.sleep(POLL)

    def _watching(self) -> Watch:
        client, deployments = self._client, self.deployments
        if deployments is None:
            raise RuntimeError("there is nothing to look at before the deployments are made")
        return Watch(self.store, client, lambda: alive_runs(client, deployments.referral), self.enqueue_all)

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
