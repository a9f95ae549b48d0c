"""The worker's side of Prefect: holds the connection, takes what is due, and looks after what is there."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from prefect import Flow
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.settings import get_current_settings

from mash.config.settings import Settings
from mash.flows.carrying.carrier import PREFECT_TROUBLE, Carrier, ready
from mash.flows.carrying.connection import Client, connected, refusal
from mash.flows.carrying.deployed import acts_on_automations, deploy, end_left_rounds, switched_off, take_away
from mash.flows.carrying.night import Night
from mash.flows.carrying.nightly import NIGHT, nightly
from mash.flows.carrying.rounds import NIGHT as NIGHTLY
from mash.flows.carrying.rounds import WATCH, Rounds
from mash.flows.carrying.runs import POOL, Deployed, due_runs
from mash.flows.carrying.watchdog import LOOK, Watch, cancel, check_conservation, look_around, look_at_all, watchdog
from mash.flows.store.runs import carried_by
from mash.flows.store.store import Store
from mash.flows.store.trouble import record_repair, tell_administrators

log = structlog.stdlib.get_logger("mash.liaison")
LOST_WITHIN = 3.0
"""Seconds within which it is seen that an attempt found Prefect away."""
TELL_EVERY = timedelta(minutes=30)


class RoundFailed(Exception):
    """A round that Prefect shows as failed."""


class Liaison:
    """The connection of one worker process with Prefect. Everything it holds can be lost."""

    def __init__(self, store: Store, settings: Settings, carrier: Carrier) -> None:
        self.store, self.settings, self.carrier = store, settings, carrier
        self.rounds = Rounds(store)
        self.watch: Watch | None = None

    async def keep_in_touch(self) -> None:
        """Hold the client while Prefect is there. When it goes, let go; when it is back, catch up from the log."""
        async with connected() as client:
            await self._while_there(client)
        await asyncio.sleep(1)

    async def _while_there(self, client: Client) -> None:
        try:
            known = await self.rounds.begin_counting()
            self.carrier.connect(client, await self._provide(client, known=known))
            await take_away(client)
            addresses = self.carrier.stories.addresses
            self.watch = Watch(self.store, client, self.carrier.locks, addresses, self.carrier.queue.add_all)
            self.carrier.refused = ""
            await self.rounds.give_up(WATCH)  # one that was begun while Prefect was away has nothing to look at
            self.rounds.begin(WATCH, self._look(look_at_all))
            try:
                await self._stay_in_touch(client)
            finally:
                await self.rounds.give_up(WATCH)  # what it asks by this client is answered no more
        except PREFECT_TROUBLE as trouble:
            self.carrier.refused = refusal(trouble)
            what = self.carrier.refused or "Prefect is away"
            log.warning(f"{what}: clocks and notices go on, runs are caught up later", error=type(trouble).__name__)
        finally:
            self.carrier.amiss = []
            self.carrier.disconnect()

    async def _provide(self, client: PrefectClient, *, known: bool = True) -> Deployed:
        """Have what runs need in Prefect; and say what was missing or changed, where it was there before."""
        deployed, wrong = await deploy(client, self.store)
        if wrong and known:
            what = "; ".join(wrong)
            await record_repair(self.store, None, f"{what}: put right in Prefect")
            await self._tell("something was changed in Prefect", f"{what}. It was put right.", TELL_EVERY)
        return deployed

    async def _look_for_callers(self, client: PrefectClient) -> None:
        """A server that acts on automations calls whatever address somebody writes into one, from its own machine."""
        if await acts_on_automations(client):
            detail = "Whoever has its login can have it call any address. Set PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED=false."
            await self._tell("Prefect's server acts on automations", detail, timedelta(days=1))

    async def _tell(self, what: str, detail: str, again: timedelta) -> None:
        for hub in self.store.hubs:
            await tell_administrators(self.store, hub, what, detail, at_most_every=again * self.store.time.rate)

    async def _stay_in_touch(self, client: Client) -> None:
        name, clock = f"{socket.gethostname()}-{os.getpid()}", asyncio.get_running_loop().time
        # As often as Prefect's own workers, by its settings; its server takes whole seconds of a heartbeat.
        often = get_current_settings().worker
        heartbeat, query = max(1, round(often.heartbeat_seconds)), max(0.1, often.query_seconds)
        beats, asks = 0.0, 0.0
        while deployed := self.carrier.deployed:
            if clock() >= beats:
                beats = clock() + heartbeat
                await client.send_worker_heartbeat(POOL, name, heartbeat_interval_seconds=heartbeat)
                self.carrier.amiss = [sentence async for sentence in switched_off(client)]
                await self.carrier.tell_of_repairs()
            if clock() >= asks:
                asks = clock() + query
                await self._take(client, deployed, await due_runs(client))
            await asyncio.sleep(min(LOST_WITHIN, query))

    async def _take(self, client: Client, deployed: Deployed, due: list[FlowRun]) -> None:
        """Begin what is due. Which referral a run carries is in our database: its parameters are anybody's to change."""
        for kind, flow, of in ((WATCH, watchdog, deployed.watchdog), (NIGHTLY, nightly, deployed.nightly)):
            missed = [run for run in due if run.deployment_id == of]
            if missed and not self.rounds.on_its_way(kind):
                self.rounds.begin(kind, self._shown(flow, missed.pop()))
                for run in missed:  # nobody was there for them: one makes up for all
                    await cancel(client, run.id, "the next one was made")
        carried = await carried_by(self.store, [run.id for run in due], [])
        await self.carrier.queue.add_all([each.reference for each in carried])

    # --- rounds ---------------------------------------------------------------------------------------------------------

    async def make_overdue_rounds(self) -> None:
        """Make the rounds that Prefect has not started: it is away, or somebody deleted or paused what starts them."""
        if await self.rounds.overdue(WATCH):
            self.rounds.begin(WATCH, self._look(look_around))
        if await self.rounds.overdue(NIGHTLY):
            what = "Prefect had not started the night's work"
            await record_repair(self.store, None, f"{what}: the worker did")
            await self._tell(what, "The worker did it by itself. Look at Prefect.", TELL_EVERY)
            self.rounds.begin(NIGHTLY, self._work_at_night())

    async def _shown(self, flow: Flow[..., Any], run: FlowRun) -> None:
        """Make a round as a run that Prefect shows."""
        look, night = LOOK.set(partial(self._look, look_around)), NIGHT.set(Night(self.store, self.settings))
        try:
            if not await self.carrier.execute(flow, ready(run), {}):
                raise RoundFailed(flow.name)
        finally:
            LOOK.reset(look)
            NIGHT.reset(night)

    async def _look(self, at: Callable[[Watch], Awaitable[None]]) -> None:
        """Check what needs no Prefect; and where it is there, look at what runs need in it, and at the runs."""
        await check_conservation(self.store)
        before = self.carrier.deployed
        if self.watch is None or before is None:
            return
        deployed = await self._provide(self.watch.client)
        if self.carrier.connected:
            self.carrier.deployed = deployed
        # With its deployment Prefect deletes every run.
        await (look_at_all if deployed.referral != before.referral else at)(self.watch)
        await end_left_rounds(self.watch.client)
        await self._look_for_callers(self.watch.client)

    async def _work_at_night(self) -> None:
        token = NIGHT.set(Night(self.store, self.settings))
        try:
            await nightly.fn()
        finally:
            NIGHT.reset(token)
