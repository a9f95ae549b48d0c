"""The flow runs as Prefect keeps them: the work pool and its queues, deployments, and one run per referral."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterName,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from mash.flows.carrying.nightly import nightly, tonight
from mash.flows.carrying.referral import referral, tags_of
from mash.flows.carrying.watchdog import watchdog
from mash.flows.store.reads.case import Case
from mash.flows.store.store import Store

POOL = "mash"
WATCH_EVERY = timedelta(minutes=1)
ALIVE = [StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED, StateType.CANCELLING]
PAGE = 200
UNRATED = "unrated"
HUB, EVERY_MINUTE, EVERY_NIGHT = "hub", "every-minute", "every-night"
DEPLOYED = {
    HUB: "referrals have no run to be seen by",
    EVERY_MINUTE: "runs that somebody ends are not put back, and no contact is counted",
    EVERY_NIGHT: "no checkpoint is signed, and nobody's time comes to its end",
}
"""Our deployments, and what is not done without each."""


@dataclass(frozen=True)
class Deployments:
    """The ids of our deployments, and the names of the queues."""

    referral: UUID
    watchdog: UUID
    nightly: UUID
    queues: frozenset[str]


async def deploy(client: PrefectClient, store: Store) -> Deployments:
    """Make the work pool, its queues by rating and the deployments; doing it again changes nothing."""
    with suppress(ObjectAlreadyExists):
        await client.create_work_pool(
            WorkPoolCreate(name=POOL, type="process", description="Referrals, carried by `mash worker`")
        )
    named = queues(store)
    for name, priority in named.items():
        with suppress(ObjectAlreadyExists):
            await client.create_work_queue(name=name, priority=priority, work_pool_name=POOL)
    carrying = await client.create_deployment(
        flow_id=await client.create_flow(referral),
        name=HUB,
        work_pool_name=POOL,
        work_queue_name=UNRATED,
        enforce_parameter_schema=False,
        entrypoint="mash.flows.carrying.referral.referral",
        description="One run per referral, parked between events",
    )
    watching = await client.create_deployment(
        flow_id=await client.create_flow(watchdog),
        name=EVERY_MINUTE,
        work_pool_name=POOL,
        enforce_parameter_schema=False,
        entrypoint="mash.flows.carrying.watchdog.watchdog",
        schedules=[DeploymentScheduleCreate(schedule=IntervalSchedule(interval=WATCH_EVERY))],
        description="Every open referral has exactly one live run; contacts in = outcomes + open",
    )
    night = await client.create_deployment(
        flow_id=await client.create_flow(nightly),
        name=EVERY_NIGHT,
        work_pool_name=POOL,
        enforce_parameter_schema=False,
        entrypoint="mash.flows.carrying.nightly.nightly",
        schedules=[DeploymentScheduleCreate(schedule=IntervalSchedule(interval=timedelta(days=1), anchor_date=tonight()))],
        description="Signs a checkpoint; announces and erases people whose time is over",
    )
    return Deployments(carrying, watching, night, frozenset(named))


async def switched_off(client: PrefectClient) -> AsyncIterator[str]:
    """What was removed or paused in Prefect that referrals, the watchdog or the night need, a sentence each."""
    try:
        if (await client.read_work_pool(POOL)).is_paused:
            yield f"Prefect's work pool {POOL} is paused: no run is carried, nor is the night's work done. Resume it there"
    except ObjectNotFound:
        yield f"Prefect's work pool {POOL} is gone: it is made anew when a worker starts"
        return
    named = DeploymentFilter(name=DeploymentFilterName(any_=[*DEPLOYED]))
    found = {each.name: each for each in await client.read_deployments(deployment_filter=named)}
    for name, what in DEPLOYED.items():
        if name not in found:
            yield f"Prefect's deployment {name} is gone: {what}. It is made anew when a worker starts"
        elif found[name].paused or (name != HUB and not any(each.active for each in found[name].schedules)):
            yield f"Prefect's deployment {name} is paused, or its schedule is: {what}. Resume it there"


def queues(store: Store) -> dict[str, int]:
    """A work queue for each rating of the hubs, the most urgent first; an unrated contact's counts as the most urgent."""
    places = [(profile.place(name), name) for profile in store.hubs.values() for name in profile.ratings]
    ranked = dict.fromkeys(name for _, name in sorted(places))
    return {name: place for place, name in enumerate([UNRATED, *ranked], 1)}


async def create_run(client: PrefectClient, deployments: Deployments, case: Case, state: State[None]) -> FlowRun:
    """The referral's run: named by its reference, tagged, in the queue of its rating. One that was made before is returned as it
    is."""
    # Nearly every run begins unrated, in the deployment's own queue: to name one makes Prefect look it up, at three quarters of
    # what creating a run costs. A rating that the hub's present profile no longer has counts as the most urgent, like none.
    rating = case.referral.rating
    queue = rating if rating in deployments.queues and rating != UNRATED else None
    return await client.create_flow_run_from_deployment(
        deployments.referral,
        name=case.reference,
        parameters={"reference": case.reference},
        tags=sorted(tags_of(case.referral)),
        work_queue_name=queue,
        state=state,
        idempotency_key=case.reference,
    )


async def due_runs(client: PrefectClient) -> list[FlowRun]:
    """The runs whose time has come, as the pool hands them out: by queue priority, then by time."""
    answers = await client.get_scheduled_flow_runs_for_work_pool(POOL, scheduled_before=datetime.now(UTC))
    return [answer.flow_run for answer in answers]


async def alive_runs(
    client: PrefectClient, deployment: UUID, references: list[str] | None = None
) -> AsyncIterator[list[FlowRun]]:
    """The runs that are not in a final state, page by page: of these referrals, or all there are."""
    alive = FlowRunFilterState(type=FlowRunFilterStateType(any_=ALIVE))
    of_deployment = DeploymentFilter(id=DeploymentFilterId(any_=[deployment]))
    batches = [None] if references is None else [references[at : at + PAGE] for at in range(0, len(references), PAGE)]
    for names in batches:
        wanted = FlowRunFilter(state=alive, name=None if names is None else FlowRunFilterName(any_=names))
        for offset in itertools.count(0, PAGE):
            page = await client.read_flow_runs(
                deployment_filter=of_deployment,
                flow_run_filter=wanted,
                sort=FlowRunSort.ID_DESC,
                limit=PAGE,
                offset=offset,
            )
            yield page
            if len(page) < PAGE:
                break
