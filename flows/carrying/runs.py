"""The flow runs as Prefect keeps them: one per referral, and what is read of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import to_state_create

from mash.flows.carrying.referral import referral
from mash.flows.carrying.shown import parameters_of, tags_of
from mash.flows.store.reads.case import Case

POOL = "mash"
UNRATED = "unrated"
PAGE = 200
"""Runs that are asked for at once: Prefect gives no more."""


@dataclass(frozen=True)
class Deployed:
    """The ids of our deployments, and the names of the queues."""

    referral: UUID
    watchdog: UUID
    nightly: UUID
    queues: frozenset[str]


async def create_run(client: PrefectClient, deployed: Deployed, case: Case, state: State[None]) -> FlowRun:
    """The referral's run: named by its reference, tagged, in the queue of its rating. One that was made before is returned as it
    is."""
    # Nearly every run begins unrated, in the deployment's own queue: to name one makes Prefect look it up, at three quarters of
    # what creating a run costs. A rating that the hub's present profile no longer has counts as the most urgent, like none.
    rating = case.referral.rating
    queue = rating if rating in deployed.queues and rating != UNRATED else None
    return await client.create_flow_run_from_deployment(
        deployed.referral,
        name=case.reference,
        parameters=parameters_of(case),
        tags=sorted(tags_of(case.referral)),
        work_queue_name=queue,
        state=state,
        idempotency_key=case.reference,
    )


async def set_parked(client: PrefectClient, runs: Collection[UUID], state: State[None]) -> set[UUID]:
    """Have runs that are parked show another parked state; returns those that do. A run that is in any other state, and one that
    is gone, is left as it is: an attempt may be under way. At most fifty, each of which the caller holds the lock of."""
    if not runs:  # without a filter Prefect means every run that it has
        raise ValueError("the runs have to be named")
    named = FlowRunFilter(
        id=FlowRunFilterId(any_=list(runs)), state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED]))
    )
    create = to_state_create(state)
    create.state_details.transition_id = uuid4()
    asked = {"flow_runs": named.model_dump(mode="json"), "state": create.model_dump(mode="json", serialize_as_any=True)}
    path: Any = "/flow_runs/bulk_set_state"  # the client has no call for it, and its list of paths leaves it out
    try:
        answer = await client.request("POST", path, json=asked)
    except httpx.HTTPStatusError as refused:
        if refused.response.status_code in (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED):
            return set()  # a server of an earlier release, which has no such call: they are shown by attempts
        raise
    results = answer.json()["results"]
    return {UUID(each["flow_run_id"]) for each in results if each["status"] == SetStateStatus.ACCEPT.value}


async def due_runs(client: PrefectClient) -> list[FlowRun]:
    """The runs whose time has come, as the pool hands them out: by queue priority, then by time."""
    answers = await client.get_scheduled_flow_runs_for_work_pool(POOL, scheduled_before=datetime.now(UTC))
    return [answer.flow_run for answer in answers]


async def read_runs(client: PrefectClient, runs: list[UUID]) -> list[FlowRun]:
    """These runs (at most a page), those of them that Prefect knows."""
    # Without a run to name, Prefect is asked nothing: a filter that names none is in some of its calls one for all.
    if not runs:
        return []
    return await client.read_flow_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=runs)), limit=PAGE)


async def read_page(client: PrefectClient, states: Iterable[StateType], offset: int) -> list[FlowRun]:
    """A page of the runs of referrals that are in these states, whoever made them."""
    in_state = FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states)))
    return await client.read_flow_runs(
        flow_filter=FlowFilter(name=FlowFilterName(any_=[referral.name])),
        flow_run_filter=FlowRunFilter(state=in_state),
        sort=FlowRunSort.ID_DESC,
        limit=PAGE,
        offset=offset,
    )
