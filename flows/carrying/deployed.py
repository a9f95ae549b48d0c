"""What runs need in Prefect: the work pool, its queues by rating, and the deployments.

Whoever has Prefect's login may pause, change or delete any of it. It is looked at again and again, and put right.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from prefect import Flow
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate, WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import DeploymentSchedule, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.states import Crashed

from mash.flows.carrying.nightly import nightly, tonight
from mash.flows.carrying.referral import referral
from mash.flows.carrying.runs import POOL, UNRATED, Deployed
from mash.flows.carrying.watchdog import watchdog
from mash.flows.store.store import Store

WATCH_EVERY = timedelta(minutes=1)
LEFT = timedelta(hours=6)
"""No round takes so long."""
DEFAULT = "default"
"""The queue that Prefect makes with each pool; runs that are no referral's are in it."""


@dataclass(frozen=True)
class _Deployment:
    """A deployment as it is to be."""

    name: str
    flow: Flow[..., Any]
    description: str
    queue: str = DEFAULT
    schedule: IntervalSchedule | None = None

    @property
    def path(self) -> str:
        """Its name with its flow's, as Prefect's pages have it."""
        return f"{self.flow.name}/{self.name}"


@dataclass(frozen=True)
class _There:
    """A deployment as it is in Prefect now, of which flow, and what was missing or wrong."""

    id: UUID
    flow: UUID
    wrong: list[str]


def _wanted() -> tuple[_Deployment, _Deployment, _Deployment]:
    return (
        _Deployment("hub", referral, "One run per referral, parked between events", UNRATED),
        _Deployment(
            "every-minute",
            watchdog,
            "What Prefect shows is what the log has; contacts in = outcomes + open",
            schedule=IntervalSchedule(interval=WATCH_EVERY),
        ),
        _Deployment(
            "every-night",
            nightly,
            "Signs a checkpoint; announces and erases people whose time is over",
            schedule=IntervalSchedule(interval=timedelta(days=1), anchor_date=tonight()),
        ),
    )


async def switched_off(client: PrefectClient) -> AsyncIterator[str]:
    """What is removed or paused in Prefect, until the next look puts it right, a sentence each."""
    try:
        if (await client.read_work_pool(POOL)).is_paused:
            yield f"Prefect's work pool {POOL} is paused: no run is carried until it is resumed, within two minutes"
    except ObjectNotFound:
        yield f"Prefect's work pool {POOL} is gone: it is made anew within two minutes"
        return
    wanted = {each.name: each for each in _wanted()}
    named = DeploymentFilter(name=DeploymentFilterName(any_=[*wanted]))
    found = {each.name: each for each in await client.read_deployments(deployment_filter=named)}
    for name, each in wanted.items():
        if name not in found:
            yield f"Prefect's deployment {name} is gone: it is made anew within two minutes"
        elif found[name].paused or (each.schedule and not any(schedule.active for schedule in found[name].schedules)):
            yield f"Prefect's deployment {name} is paused, or its schedule is: it is resumed within two minutes"


def queues(store: Store) -> dict[str, int]:
    """A work queue for each rating of the hubs, the most urgent first; an unrated contact's counts as the most urgent."""
    places = [(profile.place(name), name) for profile in store.hubs.values() for name in profile.ratings]
    ranked = dict.fromkeys(name for _, name in sorted(places))
    return {name: place for place, name in enumerate([UNRATED, *ranked], 1)}


async def deploy(client: PrefectClient, store: Store) -> tuple[Deployed, list[str]]:
    """Make what is missing, and put right what is otherwise; doing it again changes nothing. Returns it, with what was missing or
    wrong, a sentence each."""
    wrong = await _pool(client)
    named = queues(store)
    wrong += await _queues(client, named)
    carrying, watching, night = [await _deployment(client, each) for each in _wanted()]
    wrong += [*carrying.wrong, *watching.wrong, *night.wrong]
    return Deployed(carrying.flow, carrying.id, watching.id, night.id, frozenset(named)), wrong


async def _pool(client: PrefectClient) -> list[str]:
    try:
        pool = await client.read_work_pool(POOL)
    except ObjectNotFound:
        about = "Referrals, carried by `mash worker`"
        with suppress(ObjectAlreadyExists):  # another worker was there first
            await client.create_work_pool(WorkPoolCreate(name=POOL, type="process", description=about))
        return ["the work pool was missing"]
    if not pool.is_paused and pool.concurrency_limit is None:
        return []
    await client.update_work_pool(POOL, WorkPoolUpdate(is_paused=False, concurrency_limit=None))
    return ["the work pool was paused" if pool.is_paused else "the work pool was limited"]


async def _queues(client: PrefectClient, named: dict[str, int]) -> list[str]:
    found = {queue.name: queue for queue in await client.read_work_queues(work_pool_name=POOL)}
    wrong = []
    for name, priority in {**named, DEFAULT: None}.items():
        queue = found.get(name)
        if queue is None:
            with suppress(ObjectAlreadyExists):
                await client.create_work_queue(name=name, priority=priority, work_pool_name=POOL)
            wrong.append(f"the work queue {name} was missing")
        elif queue.is_paused or queue.concurrency_limit is not None or priority not in (None, queue.priority):
            place = {"priority": priority} if priority else {}
            await client.update_work_queue(queue.id, is_paused=False, concurrency_limit=None, **place)
            wrong.append(f"the work queue {name} was {'paused' if queue.is_paused else 'changed'}")
    return wrong


async def _deployment(client: PrefectClient, wanted: _Deployment) -> _There:
    try:
        found = await client.read_deployment_by_name(wanted.path)
    except ObjectNotFound:
        made, flow = await _make(client, wanted)
        return _There(made, flow, [f"the deployment {wanted.path} was missing"])
    wrong = _changed(found, wanted)
    if wrong:
        await _make(client, wanted)
        if found.global_concurrency_limit:
            await client.update_deployment(found.id, DeploymentUpdate(concurrency_limit=None))
    return _There(found.id, found.flow_id, wrong)


def _changed(found: DeploymentResponse, wanted: _Deployment) -> list[str]:
    """What is otherwise of what matters to us: our worker takes neither code nor variables from a deployment."""
    wrong = [f"the deployment {wanted.path} was paused"] if found.paused else []
    if not _keeps_to(found.schedules, wanted.schedule):
        wrong.append(f"the schedule of the deployment {wanted.path} was changed")
    place = (found.work_pool_name, found.work_queue_name) != (POOL, wanted.queue)
    if place or found.parameters or found.tags or found.global_concurrency_limit:
        wrong.append(f"the deployment {wanted.path} was changed")
    return wrong


def _keeps_to(found: list[DeploymentSchedule], wanted: IntervalSchedule | None) -> bool:
    """Whether these are one active schedule like the one that is wanted, or none where none is."""
    if wanted is None or len(found) != 1:
        return wanted is None and not found
    (only,) = found
    schedule = only.schedule
    return (
        only.active
        and not only.parameters
        and isinstance(schedule, IntervalSchedule)
        and schedule.interval == wanted.interval
        and (wanted.interval < timedelta(days=1) or schedule.anchor_date.time() == wanted.anchor_date.time())
    )


async def _make(client: PrefectClient, wanted: _Deployment) -> tuple[UUID, UUID]:
    flow = await client.create_flow(wanted.flow)
    made = await client.create_deployment(
        flow_id=flow,
        name=wanted.name,
        work_pool_name=POOL,
        work_queue_name=wanted.queue,
        enforce_parameter_schema=False,
        entrypoint=f"{wanted.flow.fn.__module__}.{wanted.flow.fn.__name__}",
        schedules=[DeploymentScheduleCreate(schedule=wanted.schedule)] if wanted.schedule else [],
        description=wanted.description,
        paused=False,
    )
    return made, flow


async def end_left_rounds(client: PrefectClient) -> None:
    """End the runs of the watchdog and the night whose worker ended: nobody takes them up, and Prefect keeps what goes on."""
    names = FlowFilter(name=FlowFilterName(any_=[watchdog.name, nightly.name]))
    begun = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING, StateType.PAUSED]))
    for run in await client.read_flow_runs(flow_filter=names, flow_run_filter=FlowRunFilter(state=begun)):
        if run.state and run.state.timestamp < datetime.now(UTC) - LEFT:
            await client.set_flow_run_state(run.id, Crashed(message="its worker ended"), force=True)


# --- what earlier versions left ------------------------------------------------------------------------------------------------

_AUTOMATIONS = ("mash: a run failed", "mash: a run crashed", "mash: no worker")
_BLOCK = "mash-events"


async def take_away(client: PrefectClient) -> None:
    """Remove the automations that earlier versions made, and the block that had a key of the API's in it."""
    for name in _AUTOMATIONS:
        for automation in await client.read_automations_by_name(name):
            await client.delete_automation(automation.id)
    with suppress(ObjectNotFound):
        block = await client.read_block_document_by_name(_BLOCK, "webhook", include_secrets=False)
        await client.delete_block_document(block.id)


async def acts_on_automations(client: PrefectClient) -> bool:
    """Whether Prefect's server acts on automations, which call whatever address somebody writes into one."""
    answer = await client.request("GET", "/admin/settings")
    return bool(answer.json()["server"]["services"]["triggers"]["enabled"])
