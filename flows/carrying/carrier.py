"""Carrying the referrals' flow runs, in the worker's own process: the most urgent first, each by one attempt at a time."""

from __future__ import annotations

import asyncio
from contextvars import Context, copy_context
from datetime import timedelta
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
from mash.flows.carrying.connection import CARRIED, Client
from mash.flows.carrying.locks import Locks
from mash.flows.carrying.queue import Queue
from mash.flows.carrying.referral import ATTEMPT, Attempt, referral
from mash.flows.carrying.runs import Deployed, create_run
from mash.flows.carrying.shown import disguised, of_before, out_of_step, parameters_of, parked, show
from mash.flows.store.reads.case import Case, read_case
from mash.flows.store.runs import record_shown, set_flow_run
from mash.flows.store.store import Store
from mash.flows.store.trouble import record_repair, tell_administrators

log = structlog.stdlib.get_logger("mash.carrier")
PREFECT_TROUBLE = (httpx.HTTPError, PrefectHTTPStatusError, OSError)
KEEPS_FAILING = 3
"""Attempts in a row that fail: the administrators are told. What fails once is taken up again, and they hear of that."""
TELL_EVERY = timedelta(minutes=30)


class Carrier:
    """Carries the runs of one worker process. Everything it holds can be lost: the log has the truth."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.queue, self.locks = Queue(store, settings.settle_seconds), Locks(store)
        self.calm = asyncio.Event()
        self.repaired: dict[str, list[str]] = {}
        self.deployed: Deployed | None = None
        self.holding_client = Context()

    @property
    def connected(self) -> bool:
        """Whether Prefect is there."""
        return self.deployed is not None

    def connect(self, client: Client, deployed: Deployed) -> None:
        """Prefect is there, and what runs need in it."""
        self.client, self.deployed, self.holding_client = client, deployed, copy_context()

    def disconnect(self) -> None:
        """Prefect is away."""
        self.deployed = None

    async def carry_next(self) -> None:
        """Carry the most urgent run that waits."""
        reference = await self.queue.next()
        await self.calm.wait()
        again = self.queue.take(reference)
        if self.deployed is None or reference in self.queue.live:
            return  # what is behind when Prefect is back is found then
        self.queue.live.add(reference)
        try:
            # In the context that holds the client: an attempt without it builds one of its own (20 ms of CPU, and a token).
            await asyncio.create_task(self._attempt(reference, again), context=self.holding_client.copy())
        except PREFECT_TROUBLE as trouble:
            log.warning("Prefect is away: the run is caught up with later", reference=reference, error=type(trouble).__name__)
            self.disconnect()
        finally:
            self.queue.live.discard(reference)

    async def _attempt(self, reference: str, again: bool) -> None:
        """One attempt, if there is anything to do and no other worker does it. An event that comes while the run parks leaves the
        referral behind, and is found like any other. Where nothing happened, it is looked `again` at what Prefect shows."""
        async with self.locks.held(reference) as held:
            if not held:
                return
            case = await read_case(self.store, reference)
            behind = case.shown < case.referral.version
            due = case.referral.next_at is not None and case.referral.next_at <= self.store.time.now()
            if behind or (again and due):
                await self._carry(case)
            elif again:
                await self._put_right(case)

    async def _carry(self, case: Case) -> None:
        seen, done = case.referral.version, True
        if run := await self._run_of(case):
            attempt = Attempt(self.store, case, run)
            token = ATTEMPT.set(attempt)
            try:
                done = await self.execute(referral, run, parameters_of(case))
            finally:
                ATTEMPT.reset(token)
            seen = attempt.seen
        if done:
            self.queue.succeed(case.reference)
            await record_shown(self.store, case.reference, seen)
        elif self.queue.rest(case.reference) == KEEPS_FAILING:
            detail = f"{case.reference}. It is tried again, and its clocks and alerts go on without it."
            again = TELL_EVERY * self.store.time.rate
            await tell_administrators(self.store, case.hub, "a run fails again and again", detail, at_most_every=again)

    async def _run_of(self, case: Case) -> FlowRun | None:
        """The referral's run, ready to be carried: created if there is none, taken over from whoever left it if there is.
        We hold its lock, so nobody else carries it. None when it has nothing to do: it was created parked, or is completed."""
        run = await self._known_run(case)
        if run is None:
            run = await self._new_run(case)
            if run.state and run.state.is_pending():
                return run
            return None if not out_of_step(self.store, case, run) else await self.ready(run)
        state = run.state
        if state and state.is_completed() and case.referral.finished:
            await show(self.client, self.store, case, run)
            return None
        left = state and not (state.is_scheduled() or state.is_pending() or state.is_completed())
        if wrong := [*disguised(case, run), *([f"the run was left {state.name}"] if state and left else [])]:
            await self._repaired(case, f"{'; '.join(wrong)}: taken up again")
        return await self.ready(run)

    async def _put_right(self, case: Case) -> None:
        """Have Prefect show a referral, of which it was shown everything, as the log has it."""
        run = await self._known_run(case)
        if run is None and not case.referral.finished:  # one that is finished may be gone: Prefect keeps those for some days
            run = await self._new_run(case)
        if run is None:
            return
        wrong = out_of_step(self.store, case, run)
        if wrong:
            await self._repaired(case, f"{'; '.join(wrong)}: put right")
        if wrong or of_before(run):
            await show(self.client, self.store, case, run)

    async def _known_run(self, case: Case) -> FlowRun | None:
        """The run that carries a referral, as Prefect has it."""
        if case.flow_run_id is None:
            return None
        try:
            return await self.client.read_flow_run(case.flow_run_id)
        except ObjectNotFound:
            if not case.referral.finished or case.shown < case.referral.version:
                await self._repaired(case, "Prefect had forgotten the run: created again")
            return None

    async def _new_run(self, case: Case) -> FlowRun:
        """A new run begins parked when nothing is due: one call of Prefect, where to carry it takes three more."""
        due = case.referral.next_at
        waits = not case.referral.finished and due is not None and due > self.store.time.now()
        if self.deployed is None:
            raise ConnectionError("Prefect went away")
        state = parked(self.store, case.referral) if waits else Pending()
        run = await create_run(self.client, self.deployed, case, state)
        await set_flow_run(self.store, case.reference, run.id)
        return run

    async def ready(self, run: FlowRun) -> FlowRun:
        """A run that may be carried, whatever its state was."""
        # By force: from a parked state the ordinary way needs a second call, and from a final one there is none.
        answer: OrchestrationResult[None] = await self.client.set_flow_run_state(run.id, Pending(), force=True)
        return run.model_copy(update={"state": answer.state})

    async def _repaired(self, case: Case, what: str) -> None:
        await record_repair(self.store, case.reference, what)
        self.repaired.setdefault(case.hub, []).append(case.reference)

    async def tell_of_repairs(self) -> None:
        """Tell the administrators once of all that was repaired since the last time: Prefect's loss would be a storm."""
        repaired, self.repaired = self.repaired, {}
        for hub, references in repaired.items():
            some = ", ".join(references[:5]) + (" and others" if len(references) > 5 else "")
            await tell_administrators(
                self.store, hub, f"{len(references)} runs were put back on their feet", f"{some}. The cases are none the worse."
            )

    async def execute(self, flow: Flow[..., Any], run: FlowRun, parameters: dict[str, str]) -> bool:
        """Run a flow with parameters of ours, whatever Prefect has; whether it came to its end or parked."""
        # Seen to belong to a deployment, the engine starts a thread that waits for suspensions (100 ms and more); on the server
        # the run belongs to it all the same.
        run = run.model_copy(update={"deployment_id": None, "parameters": parameters})
        token = CARRIED.set(run)
        try:
            state = await run_flow_async(flow, flow_run=run, parameters=parameters, return_type="state")
            return bool(state and state.is_completed())
        except Pause:
            return True
        except Abort:
            return False
        finally:
            CARRIED.reset(token)
