"""The flow runs as Prefect keeps them: one per referral, and what is read of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas import OrchestrationResult
from prefect.client.schemas.actions import DeploymentFlowRunCreate
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterName,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import SetStateStatus, StateAcceptDetails
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import Abort
from prefect.states import to_state_create

from mash.flows.carrying.referral import referral
from mash.flows.carrying.shown import parameters_of, tags_of
from mash.flows.store.reads.case import Case

POOL = "mash"
UNRATED = "unrated"
PAGE = 200
"""Runs that are asked for at once: Prefect gives no more."""
MOST_CREATED = 100
"""Runs that are made at once: Prefect makes no more."""
PARKED = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED]))
"""Runs between two attempts."""


@dataclass(frozen=True)
class Deployed:
    """The ids of the flow that carries referrals and of our deployments, and the names of the queues."""

    flow: UUID
    referral: UUID
    watchdog: UUID
    nightly: UUID
    queues: frozenset[str]


@dataclass(frozen=True)
class AnyRun:
    """A run as Prefect's server tells of it. Of most no more is asked than whose it is: to read all of it takes as long as the
    server takes."""

    told: dict[str, Any]

    @property
    def id(self) -> UUID:
        """Its id."""
        return UUID(self.told["id"])

    @property
    def names(self) -> tuple[str, str]:
        """The references that it may have: its name, and its parameter."""
        return self.told["name"], str(self.told["parameters"].get("reference"))

    @property
    def type(self) -> StateType:
        """Of which type its state is."""
        return StateType(self.told["state_type"])

    def whole(self) -> FlowRun:
        """All of it."""
        return FlowRun.model_validate(self.told)


@dataclass(frozen=True)
class NewRun:
    """A run that is to be made: whose, in the state that it begins in, and from which deployment."""

    deployed: Deployed
    case: Case
    state: State[None]

    def asked(self) -> DeploymentFlowRunCreate:
        """What Prefect is asked for: named by its reference, tagged, in the queue of its rating."""
        # Nearly every run begins unrated, in the deployment's own queue: to name one makes Prefect look it up, at three quarters
        # of what creating a run costs. A rating that the hub's present profile no longer has counts as the most urgent.
        rating = self.case.referral.rating
        queue = {"work_queue_name": rating} if rating in self.deployed.queues and rating != UNRATED else {}
        return DeploymentFlowRunCreate(
            name=self.case.reference,
            parameters=parameters_of(self.case),
            tags=sorted(tags_of(self.case.referral)),
            state=to_state_create(self.state),
            idempotency_key=self.case.reference,
            **queue,
        )


async def create_runs(client: PrefectClient, new: Sequence[NewRun]) -> list[FlowRun | Exception]:
    """The referrals' runs, each as Prefect has it: one that was made before is returned as it is. Several are made by one call,
    at half of what they cost one by one; where Prefect refuses them together, each is asked for by itself."""
    if len(new) > 1 and len({each.deployed.referral for each in new}) == 1:
        with suppress(httpx.HTTPStatusError, ValueError):
            return await _created_together(client, new)
    return [await _created(client, each) for each in new]


async def _created_together(client: PrefectClient, new: Sequence[NewRun]) -> list[FlowRun | Exception]:
    path: Any = "/deployments/{id}/create_flow_run/bulk"  # the client has no call for it, and its list of paths leaves it out
    asked = [each.asked().model_dump(mode="json", exclude_unset=True) for each in new]
    answer = await client.request("POST", path, path_params={"id": new[0].deployed.referral}, json=asked)
    made = [each["flow_run_id"] and UUID(each["flow_run_id"]) for each in answer.json()["results"]]
    found = {run.id: run for run in await read_runs(client, [each for each in made if each])}
    # One of which nothing is said is asked for by itself: that says what is wrong with it.
    return [found[run] if run in found else await _created(client, each) for each, run in zip(new, made, strict=True)]


async def _created(client: PrefectClient, new: NewRun) -> FlowRun | Exception:
    path_params = {"id": new.deployed.referral}
    try:
        asked = new.asked().model_dump(mode="json", exclude_unset=True)
        answer = await client.request("POST", "/deployments/{id}/create_flow_run", path_params=path_params, json=asked)
        return FlowRun.model_validate(answer.json())
    except Exception as error:
        return error


async def set_parked(client: PrefectClient, runs: Collection[UUID], state: State[None]) -> set[UUID]:
    """Have runs that are parked show another parked state; returns those that do. A run that is in any other state, and one that
    is gone, is left as it is: an attempt may be under way. At most fifty, each of which the caller holds the lock of."""
    if not runs:  # without a filter Prefect means every run that it has
        raise ValueError("the runs have to be named")
    results = await _set_where(client, FlowRunFilter(id=FlowRunFilterId(any_=list(runs)), state=PARKED), state, uuid4())
    return {UUID(each["flow_run_id"]) for each in results if each["status"] == SetStateStatus.ACCEPT.value}


class NotAsLeft(Abort):
    """A run is not parked as it was left: somebody has changed it in Prefect, or it is gone."""


async def begin_parked(client: PrefectClient, run: FlowRun, state: State[Any]) -> OrchestrationResult[Any]:
    """Begin a run, whatever its deadline, where it is parked and has this name and these tags at least; of its parameters nothing
    is asked. Raises NotAsLeft where it is not so."""
    as_here = FlowRunFilter(
        id=FlowRunFilterId(any_=[run.id]),
        state=PARKED,
        name=FlowRunFilterName(any_=[run.name]),
        tags=FlowRunFilterTags(all_=sorted(run.tags)),
    )
    transition = uuid4()
    for each in await _set_where(client, as_here, state, transition, force=True):
        return OrchestrationResult[Any].model_validate(each)
    # The client sends again what it heard no answer of: this may have begun it.
    for found in await read_runs(client, [run.id]):
        if found.state and found.state.state_details.transition_id == transition:
            return OrchestrationResult(state=found.state, status=SetStateStatus.ACCEPT, details=StateAcceptDetails())
    raise NotAsLeft("the run is not as it was left")


async def _set_where(
    client: PrefectClient, runs: FlowRunFilter, state: State[Any], transition: UUID, *, force: bool = False
) -> list[Any]:
    """Set the state of these runs, by a transition of this id; what became of each that there is."""
    create = to_state_create(state)
    create.state_details.transition_id = transition
    changed = create.model_dump(mode="json", serialize_as_any=True)
    asked = {"flow_runs": runs.model_dump(mode="json"), "state": changed, "force": force}
    path: Any = "/flow_runs/bulk_set_state"  # the client has no call for it, and its list of paths leaves it out
    try:
        answer = await client.request("POST", path, json=asked)
    except httpx.HTTPStatusError as refused:
        if refused.response.status_code in (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED):
            return []  # a server of an earlier release, which has no such call: they are shown by attempts
        raise
    return list(answer.json()["results"])


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


async def read_page(client: PrefectClient, states: Iterable[StateType], offset: int) -> list[AnyRun]:
    """A page of the runs of referrals that are in these states, whoever made them."""
    in_state = FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states)))
    asked = {
        "flows": FlowFilter(name=FlowFilterName(any_=[referral.name])).model_dump(mode="json", exclude_unset=True),
        "flow_runs": FlowRunFilter(state=in_state).model_dump(mode="json", exclude_unset=True),
        "sort": FlowRunSort.ID_DESC.value,
        "limit": PAGE,
        "offset": offset,
    }
    answer = await client.request("POST", "/flow_runs/filter", json=asked)
    return [AnyRun(each) for each in answer.json()]
