"""Carrying the referrals' flow runs, in the worker's own process: the most urgent first, each by one attempt at a time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from contextvars import Context, copy_context
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import structlog
from prefect import Flow
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import Abort, ObjectNotFound, Pause
from prefect.flow_engine import run_flow_async
from prefect.states import Pending, Scheduled

from mash.config.settings import Settings
from mash.flows.carrying.connection import CARRIED, Client
from mash.flows.carrying.locks import Locks
from mash.flows.carrying.queue import Queue
from mash.flows.carrying.referral import ATTEMPT, Attempt, referral
from mash.flows.carrying.room import Room
from mash.flows.carrying.runs import MOST_CREATED, Deployed, NewRun, NotAsLeft, create_runs, set_parked
from mash.flows.carrying.shown import (
    disguised,
    is_due,
    of_before,
    only_to_show,
    out_of_step,
    parameters_of,
    parked,
    show,
    state_of,
    tag,
    tags_of,
)
from mash.flows.carrying.stories import Stories
from mash.flows.carrying.together import Together
from mash.flows.store.away import DATABASE_AWAY
from mash.flows.store.reads.case import Case, read_case
from mash.flows.store.runs import record_shown, record_told, set_flow_run, untold
from mash.flows.store.store import Store
from mash.flows.store.trouble import record_repair, tell_administrators
from mash.flows.telling.addresses import Addresses

log = structlog.stdlib.get_logger("mash.carrier")
PREFECT_TROUBLE = (httpx.HTTPError, OSError)
REFUSED = (httpx.HTTPStatusError, httpx.TimeoutException, ObjectNotFound)
"""What Prefect answers, or fails to in time, while it is there: it says nothing of other runs. Where it is in trouble itself, the
polls fail too."""
AT_A_TIME = 500
"""Stories that are looked for at once."""
RUNS_FIRST = 240.0
"""Seconds after which stories are written although runs wait to be shown: ten thousand runs take about as long."""
MOST_TAGGED = 20_000
"""Runs whose tags are remembered."""
KEEPS_FAILING = 3
"""Attempts in a row that fail: the administrators are told. What fails once is taken up again, and they hear of that."""
TELL_EVERY = timedelta(minutes=30)


class Carrier:
    """Carries the runs of one worker process. Everything it holds can be lost: the log has the truth."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.queue, self.locks = Queue(store, settings.settle_seconds), Locks(store)
        self.room = Room(settings.attempts_at_once)
        self.stories = Stories(store, Addresses.of(settings))
        self.tagged: dict[UUID, tuple[int, frozenset[str]]] = {}
        """The tags that runs were given when they were parked here, with the version that they showed then. What is not known, or
        was shown by others since, is tagged again, which costs less than to ask, and is read before it is begun."""
        self.creating = Together[NewRun, FlowRun](self._create, MOST_CREATED)
        self.untellable = Counter[str]()
        """How often in a row the story of a case could not be written."""
        self.calm = asyncio.Event()
        self.repaired: dict[str, list[str]] = {}
        self.deployed: Deployed | None = None
        self.holding_client = Context()
        self.refused, self.amiss = "", list[str]()
        """What is wrong in Prefect, in sentences: it refuses our login; something of ours was removed or switched off there."""

    @property
    def connected(self) -> bool:
        """Whether Prefect is there."""
        return self.deployed is not None

    def connect(self, client: Client, deployed: Deployed) -> None:
        """Prefect is there, and what runs need in it."""
        self.client, self.deployed, self.holding_client = client, deployed, copy_context()

    def disconnect(self) -> None:
        """Prefect is away. What its runs are tagged with when it is back is not known: it may be put back to before meanwhile."""
        self.deployed = None
        self.tagged.clear()

    async def carry_next(self) -> None:
        """Carry the most urgent run that waits."""
        async with self.room.place() as begins:
            reference = await self.queue.next()
            await self.calm.wait()
            again = self.queue.take(reference)
            if self.deployed is None or reference in self.queue.live:
                return  # what is behind when Prefect is back is found then
            self.queue.live.add(reference)
            begins()
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
            try:
                if case.shown < case.referral.version or (again and is_due(self.store, case)):
                    await self._carry(case, again)
                elif again:
                    await self._put_right(case)
            except REFUSED as refused:
                log.warning("Prefect does not do what an attempt asks for", reference=reference, error=type(refused).__name__)
                await self._rest(case)
            except (*PREFECT_TROUBLE, *DATABASE_AWAY):
                raise
            except Exception as error:
                log.error("an attempt has failed", reference=reference, error=type(error).__name__)
                await self._rest(case)

    async def _carry(self, case: Case, again: bool) -> None:
        """Have the run deal with what happened. Where it is looked `again` at what Prefect shows, the run is read."""
        if await self._shown_where_parked(case):
            self.queue.succeed(case.reference)
            await record_shown(self.store, case.reference, case.referral.version, told=False)
            return
        left = None if again else self._as_left(case)
        run, new = (left, False) if left else await self._made_ready(case)
        to_run = left is not None or (run.state is not None and run.state.is_pending())
        try:
            carried, done = await self._run(case, run, new=new) if to_run else (case, True)
        except NotAsLeft:
            await self._carry(case, again=True)
            return
        if done:
            self._remember(carried, run.id)
            self.queue.succeed(case.reference)
            await record_shown(self.store, case.reference, carried.referral.version, told=True)
        else:
            await self._rest(case)

    async def _made_ready(self, case: Case) -> tuple[FlowRun, bool]:
        """A referral's run as Prefect has it, Pending where it is to be carried; and whether it was made for this."""
        known = await self._known_run(case)
        if known is None:
            return await self._new_run(case), True
        if only_to_show(case, known):
            await show(self.client, self.store, self.stories, case, known)
            return known, False
        return await self._taken_up(case, known), False

    def _remember(self, case: Case, run: UUID) -> None:
        """Which tags a run has, which shows a case as it is and is parked."""
        if case.referral.finished:
            self.tagged.pop(run, None)
            return
        if len(self.tagged) >= MOST_TAGGED:
            self.tagged.clear()
        self.tagged[run] = case.referral.version, tags_of(case.referral)

    def _as_left(self, case: Case) -> FlowRun | None:
        """The run of a referral as this worker parked it, where nobody has shown it since: Scheduled, as it is believed to be.
        It is given once, as what fails is read."""
        run, tags = case.flow_run_id, tags_of(case.referral)
        if self.deployed is None or run is None or self.tagged.pop(run, None) != (case.shown, tags):
            return None
        parked_so = {"name": case.reference, "tags": sorted(tags), "parameters": parameters_of(case), "state": Scheduled()}
        return FlowRun(id=run, flow_id=self.deployed.flow, **parked_so)

    async def _shown_where_parked(self, case: Case) -> bool:
        """Have a parked run that has nothing to do but to wait on say anew what it waits for, and until when; whether it was one.
        One call of Prefect for each change, without an attempt; its story follows."""
        run = case.flow_run_id
        if run is None or case.referral.finished or is_due(self.store, case):
            return False
        if self.tagged.get(run) != (case.shown, tags_of(case.referral)) and not await tag(self.client, case, run):
            return False
        if not await set_parked(self.client, [run], parked(self.store, self.stories.addresses, case)):
            self.tagged.pop(run, None)  # it is not parked any more: it is read
            return False
        self._remember(case, run)
        return True

    async def tell_stories(self) -> None:
        """Write the stories anew that tell less than their runs show. Runs go first, which say the same in short."""
        began, after = asyncio.get_running_loop().time(), ""
        while self.deployed is not None and (references := await untold(self.store, after, AT_A_TIME)):
            for reference in references:
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(began + RUNS_FIRST):
                        await self.queue.idle.wait()
                await self.calm.wait()
                await self._tell_story(reference)
            after = references[-1]

    async def _tell_story(self, reference: str) -> None:
        async with self.locks.held(reference) as held:
            if not held:
                return  # whoever carries it tells its story, or leaves it to the next time
            case = await read_case(self.store, reference)
            if case.flow_run_id is None or self.deployed is None:
                return
            try:
                await self.stories.tell(self.client, case, case.flow_run_id)
                await record_told(self.store, reference, case.shown)
                self.untellable.pop(reference, None)
            except (*PREFECT_TROUBLE, *DATABASE_AWAY) as trouble:
                if not isinstance(trouble, REFUSED):
                    raise
                await self._not_told(case, trouble)
            except Exception as error:
                await self._not_told(case, error)

    async def _not_told(self, case: Case, error: Exception) -> None:
        """A story could not be written: the next is, and it is tried again with the next round. The administrators are told of
        one that keeps failing."""
        log.warning("a story could not be written", reference=case.reference, error=type(error).__name__)
        self.untellable[case.reference] += 1
        if self.untellable[case.reference] == KEEPS_FAILING:
            detail = f"{case.reference}. Its run shows what it waits for, and its clocks and alerts go on."
            again = TELL_EVERY * self.store.time.rate
            what = "the story of a run cannot be written"
            await tell_administrators(self.store, case.hub, what, detail, at_most_every=again)

    async def _rest(self, case: Case) -> None:
        """An attempt failed. It is tried again after a while; the administrators are told of one that keeps failing."""
        if self.queue.rest(case.reference) == KEEPS_FAILING:
            detail = f"{case.reference}. It is tried again, and its clocks and alerts go on without it."
            again = TELL_EVERY * self.store.time.rate
            await tell_administrators(self.store, case.hub, "a run fails again and again", detail, at_most_every=again)

    async def _run(self, case: Case, run: FlowRun, *, new: bool) -> tuple[Case, bool]:
        """Run the referral's flow: the case as far as it went, and whether it came to its end or parked."""
        attempt = Attempt(self.store, self.stories, case, run, new)
        token = ATTEMPT.set(attempt)
        try:
            done = await self.execute(referral, run, parameters_of(case))
        finally:
            ATTEMPT.reset(token)
        return attempt.case, done

    async def _taken_up(self, case: Case, run: FlowRun) -> FlowRun:
        """A run ready to be carried, taken over from whoever left it. We hold the referral's lock, so nobody else carries it."""
        state = run.state
        left = state and not (state.is_scheduled() or state.is_pending() or state.is_completed())
        if wrong := [*disguised(case, run), *([f"the run was left {state.name}"] if state and left else [])]:
            await self._repaired(case, f"{'; '.join(wrong)}: taken up again")
        return ready(run)

    async def _put_right(self, case: Case) -> None:
        """Have Prefect show a referral, of which it was shown everything, as the log has it."""
        run = await self._known_run(case)
        if run is None:
            if not case.referral.finished:  # one that is may be gone: Prefect keeps those for some days
                await self._new_run(case)
            return
        wrong = out_of_step(self.store, case, run)
        if wrong:
            await self._repaired(case, f"{'; '.join(wrong)}: put right")
        if wrong or of_before(self.store, self.stories.addresses, case, run):
            self.stories.forget(run.id)
            await show(self.client, self.store, self.stories, case, run)
            await record_told(self.store, case.reference, case.referral.version)

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
        """A new run. Where nothing is due it begins in the state that it has between attempts, with its story: to carry it takes
        three more calls of Prefect. One of its reference that was there already is in a state of its own."""
        if self.deployed is None:
            raise ConnectionError("Prefect went away")
        addresses = self.stories.addresses
        state = Pending() if is_due(self.store, case) else state_of(self.store, addresses, case)
        run = await self.creating.ask(NewRun(self.deployed, case, state))
        await set_flow_run(self.store, case.reference, run.id)
        if state.is_pending():
            return ready(run)
        await self.stories.tell(self.client, case, run.id, new=True)
        if out_of_step(self.store, case, run) or of_before(self.store, addresses, case, run):
            await show(self.client, self.store, self.stories, case, run)
        return run

    async def _create(self, new: Sequence[NewRun]) -> list[FlowRun | Exception]:
        if self.deployed is None:
            raise ConnectionError("Prefect went away")
        return await create_runs(self.client, new)

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
        """Run a flow with parameters of ours, whatever Prefect has; whether it came to its end or parked. Raises NotAsLeft
        where the run is believed to be parked, and is not."""
        # Seen to belong to a deployment, the engine starts a thread that waits for suspensions (100 ms and more); on the server
        # the run belongs to it all the same.
        run = run.model_copy(update={"deployment_id": None, "parameters": parameters})
        token = CARRIED.set(run)
        try:
            state = await run_flow_async(flow, flow_run=run, parameters=parameters, return_type="state")
            return bool(state and state.is_completed())
        except Pause:
            return True
        except NotAsLeft:
            raise
        except Abort:
            return False
        finally:
            CARRIED.reset(token)


def ready(run: FlowRun) -> FlowRun:
    """A run that may be carried, whatever its state is in Prefect: it begins by force."""
    return run.model_copy(update={"state": Pending()})
