"""Carrying the referrals' flow runs, in the worker's own process: the most urgent first, each by one attempt at a time."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Coroutine
from contextvars import Context, copy_context
from functools import partial
from typing import Any

import httpx
import structlog
from prefect import Flow
from prefect.client.schemas import OrchestrationResult
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import Abort, ObjectNotFound, Pause, PrefectHTTPStatusError
from prefect.flow_engine import run_flow_async
from prefect.states import Pending

from mash.config.settings import Settings
from mash.flows.carrying.automations import automate
from mash.flows.carrying.connection import CARRIED, Client, connected, refusal
from mash.flows.carrying.locks import Locks
from mash.flows.carrying.nightly import NIGHT, Night, nightly
from mash.flows.carrying.queue import Queue
from mash.flows.carrying.referral import ATTEMPT, Attempt, parked, referral
from mash.flows.carrying.runs import POOL, Deployments, alive_runs, create_run, deploy, due_runs, switched_off
from mash.flows.carrying.watchdog import WATCH, Watch, look_at_runs, look_for_leftovers, watchdog
from mash.flows.store.reads.case import Case, read_case
from mash.flows.store.runs import record_shown, set_flow_run
from mash.flows.store.store import Store
from mash.flows.store.trouble import record_repair, tell_administrators

log = structlog.stdlib.get_logger("mash.carrier")
PREFECT_TROUBLE = (httpx.HTTPError, PrefectHTTPStatusError, OSError)
HEARTBEAT = 10.0
POLL = 3.0


class Carrier:
    """Carries the runs of one worker process. Everything it holds can be lost: the log has the truth."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store, self.settings = store, settings
        self.queue, self.locks = Queue(store, settings.settle_seconds), Locks(store)
        self.calm = asyncio.Event()
        self.repaired: dict[str, list[str]] = {}
        self.deployments: Deployments | None = None
        self.holding_client = Context()
        self.looking: asyncio.Task[None] | None = None
        self.refused, self.amiss = "", list[str]()
        """What is wrong in Prefect, in sentences: it refuses our login; something of ours was removed or switched off there."""

    @property
    def connected(self) -> bool:
        """Whether Prefect is there."""
        return self.deployments is not None

    async def carry_next(self) -> None:
        """Carry the most urgent run that waits."""
        reference = await self.queue.next()
        await self.calm.wait()
        again = self.queue.take(reference)
        if self.deployments is None or reference in self.queue.live:
            return  # what is behind when Prefect is back is found then
        self.queue.live.add(reference)
        try:
            # In the context that holds the client: an attempt without it builds one of its own (20 ms of CPU, and a token).
            await asyncio.create_task(self._attempt(reference, again), context=self.holding_client.copy())
        except PREFECT_TROUBLE as trouble:
            log.warning("Prefect is away: the run is caught up with later", reference=reference, error=type(trouble).__name__)
            self.deployments = None
        finally:
            self.queue.live.discard(reference)

    async def _attempt(self, reference: str, again: bool) -> None:
        """One attempt, if there is anything to do and no other worker does it. An event that comes while the run parks leaves the
        referral behind, and is found like any other."""
        async with self.locks.held(reference) as held:
            if not held:
                return
            case = await read_case(self.store, reference)
            if case.shown >= case.referral.version and not again:
                return
            attempt, done = Attempt(self.store, case), True
            if run := await self._run_of(case):
                attempt.tags = frozenset(run.tags)
                token = ATTEMPT.set(attempt)
                try:
                    done = await self._execute(referral, run)
                finally:
                    ATTEMPT.reset(token)
            if done:
                self.queue.succeed(reference)
                await record_shown(self.store, reference, attempt.seen)
            else:
                self.queue.rest(reference)

    async def _run_of(self, case: Case) -> FlowRun | None:
        """The referral's run, ready to be carried: created if there is none, taken over from whoever left it if there is.
        We hold its lock, so nobody else carries it. None when it has nothing to do: it was created parked, or is completed."""
        if case.flow_run_id is None:
            return await self._new_run(case)
        try:
            run = await self._client.read_flow_run(case.flow_run_id)
        except ObjectNotFound:
            await self._repaired(case, "Prefect had forgotten the run: created again")
            return await self._new_run(case)
        state = run.state
        if state and state.is_completed() and case.referral.finished:
            return None
        if state and (state.is_final() or state.is_running() or state.is_cancelling()) and not state.is_completed():
            await self._repaired(case, f"the run was left {state.name}: taken up again")
        return await self._ready(run)

    async def _new_run(self, case: Case) -> FlowRun | None:
        """A new run begins parked when nothing is due: one call of Prefect, where to carry it takes three more."""
        due = case.referral.next_at
        waits = not case.referral.finished and due is not None and due > self.store.time.now()
        state = parked(self.store, case.referral) if waits else Pending()
        if self.deployments is None:
            raise ConnectionError("Prefect went away")
        run = await create_run(self._client, self.deployments, case, state)
        await set_flow_run(self.store, case.reference, run.id)
        # A run of this reference that was there already is in a state of its own.
        as_asked = run.state is not None and run.state.name == state.name
        return (None if waits else run) if as_asked else await self._ready(run)

    async def _ready(self, run: FlowRun) -> FlowRun:
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
            await tell_administrators(
                self.store, hub, f"{len(references)} runs were put back on their feet", f"{some}. The cases are none the worse."
            )

    async def _execute(self, flow: Flow[..., Any], run: FlowRun) -> bool:
        """Run a flow; whether it came to its end or parked."""
        # Seen to belong to a deployment, the engine starts a thread that waits for suspensions (100 ms and more); on the server
        # the run belongs to it all the same.
        run = run.model_copy(update={"deployment_id": None})
        token = CARRIED.set(run)
        try:
            state = await run_flow_async(flow, flow_run=run, parameters=run.parameters, return_type="state")
            return bool(state and state.is_completed())
        except Pause:
            return True
        except Abort:
            return False
        finally:
            CARRIED.reset(token)

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
            deployments = await deploy(client, self.store)
            await automate(client, self.settings, POOL)
            self._watch = Watch(self.store, client, partial(alive_runs, client, deployments.referral), self.queue.add_all)
            self.deployments, self.refused = deployments, ""
            self._in_background(self._look_at_all())
            await self._stay_in_touch()
        except PREFECT_TROUBLE as trouble:
            self.refused = refusal(trouble)
            what = self.refused or "Prefect is away"
            log.warning(f"{what}: clocks and notices go on, runs are caught up later", error=type(trouble).__name__)
        finally:
            self.deployments, self.amiss = None, []

    async def _look_at_all(self) -> None:
        """What befell the runs while nobody was connected, Prefect's loss of them included, is found by looking at each once."""
        await look_for_leftovers(self._watch)
        await look_at_runs(self._watch)
        while self._watch.after and self.connected:
            await look_at_runs(self._watch)

    def _in_background(self, looking: Coroutine[Any, Any, None]) -> None:
        """One look at a time: another that is due meanwhile is left out."""
        if self.looking and not self.looking.done():
            looking.close()
            return
        self.looking = asyncio.create_task(self._guarded(looking))

    async def _guarded(self, looking: Coroutine[Any, Any, None]) -> None:
        try:
            await looking
        except Exception as error:
            log.warning("looking around failed: the next look does it", error=type(error).__name__)

    async def _stay_in_touch(self) -> None:
        name = f"{socket.gethostname()}-{os.getpid()}"
        beat = 0.0
        while self.deployments is not None:
            if (now := asyncio.get_running_loop().time()) >= beat:
                await self._client.send_worker_heartbeat(POOL, name, heartbeat_interval_seconds=HEARTBEAT)
                beat = now + HEARTBEAT
                self.amiss = [sentence async for sentence in switched_off(self._client)]
                await self._tell_of_repairs()
            due = await due_runs(self._client)
            for run in due:
                if run.deployment_id == self.deployments.watchdog:
                    self._in_background(self._look_around(run))
                elif run.deployment_id == self.deployments.nightly:
                    self._in_background(self._work_at_night(run))
            await self.queue.add_all([str(run.parameters["reference"]) for run in due if "reference" in run.parameters])
            await asyncio.sleep(POLL)

    async def _look_around(self, run: FlowRun) -> None:
        token = WATCH.set(self._watch)
        try:
            await self._execute(watchdog, await self._ready(run))
        finally:
            WATCH.reset(token)

    async def _work_at_night(self, run: FlowRun) -> None:
        token = NIGHT.set(Night(self.store, self.settings))
        try:
            await self._execute(nightly, await self._ready(run))
        finally:
            NIGHT.reset(token)
