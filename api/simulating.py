"""The simulation that a manager has asked for on a page: begun one at a time, said how far it is, and kept when it is done."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog

from mash.flows.foresight.ask import NoSimulation, simulated
from mash.flows.foresight.compare import Asked, Report
from mash.flows.foresight.pace import Far
from mash.flows.foresight.scenario import WrongScenario
from mash.flows.store.away import DATABASE_AWAY
from mash.flows.store.simulations import BEAT, begin_simulation, end_simulation, note_runs
from mash.flows.store.store import Store
from mash.states.errors import Refusal
from mash.states.values import Actor

STOPPED = "The service was restarted while it ran: ask again."
FAILED = "It failed, and the administrator can see that in the log."
TRIES = 20
"""How often it is tried to write a report down, which took perhaps an hour, while the database is away."""
log = structlog.stdlib.get_logger("mash.simulation")


class Overtaken(Exception):
    """Nobody heard of this simulation for so long that it was given up."""


class Simulating:
    """The simulation that this process has asked for. That no other runs in the installation, the database holds."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._task: asyncio.Task[None] | None = None

    async def begin(self, by: Actor, asked: Asked) -> bool:
        """Whether it has begun: none runs, of whatever hub."""
        if self._task and not self._task.done():
            return False
        since = await begin_simulation(self._store, by)
        if since is None:
            return False
        self._task = asyncio.create_task(self._run(by, asked, since))
        return True

    async def close(self) -> None:
        """End it, and say so to whoever waits for it."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self, by: Actor, asked: Asked, since: datetime) -> None:
        try:
            report = await self._report(by, asked, since)
        except asyncio.CancelledError:
            await self._end(by, since, failed=STOPPED)
            raise
        except Overtaken:
            log.warning("a simulation was given up: for too long nothing could be written of it")
        except NoSimulation as error:
            log.error("a simulation failed", error=str(error), at=error.at)
            await self._end(by, since, failed=str(error))
        except (WrongScenario, Refusal) as error:
            await self._end(by, since, failed=str(error))
        except Exception as error:
            log.error("a simulation failed", error=type(error).__name__)
            await self._end(by, since, failed=FAILED)
        else:
            for _ in range(TRIES):
                if await self._end(by, since, report=report.model_dump_json()):
                    return
                await asyncio.sleep(BEAT.total_seconds())

    async def _end(self, by: Actor, since: datetime, *, report: str | None = None, failed: str | None = None) -> bool:
        """Write down what came of it. Whether that could be written; where it could not, it is taken for gone after a while."""
        try:
            await end_simulation(self._store, by, since, report=report, failed=failed)
        except DATABASE_AWAY as away:
            log.warning("what came of a simulation could not be written", error=type(away).__name__)
            return False
        return True

    async def _report(self, by: Actor, asked: Asked, since: datetime) -> Report:
        """What it says; meanwhile it is written down how far it is. Raises what `simulated` does, and Overtaken."""
        far, news = Far(0, 0, 0.0), asyncio.Event()

        def hear(latest: Far) -> None:
            nonlocal far
            far = latest
            news.set()

        async def beat() -> None:
            while True:
                news.clear()
                if not await self._noted(by, since, far):
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), BEAT.total_seconds())

        simulating, beating = asyncio.create_task(simulated(self._store, by, asked, hear)), asyncio.create_task(beat())
        try:
            await asyncio.wait((simulating, beating), return_when=asyncio.FIRST_COMPLETED)
            if not simulating.done():
                await beating
                raise Overtaken
            return simulating.result()
        finally:
            simulating.cancel()
            beating.cancel()
            await asyncio.gather(simulating, beating, return_exceptions=True)

    async def _noted(self, by: Actor, since: datetime, far: Far) -> bool:
        """Write down how far it is. Whether it is still the one that runs, as far as is known."""
        ready_at = datetime.now(UTC) + timedelta(seconds=far.left) if far.done else None
        try:
            return await note_runs(self._store, by, since, far.done, far.of_runs, ready_at)
        except DATABASE_AWAY as away:
            log.warning("how far a simulation is could not be written", error=type(away).__name__)
            return True
