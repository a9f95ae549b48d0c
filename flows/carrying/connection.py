"""The worker's connection to Prefect: held open, and asking for nothing that it knows already."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, cast
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas import OrchestrationResult
from prefect.client.schemas.objects import FlowRun, State
from prefect.context import AsyncClientContext, ContextModel, SyncClientContext
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from mash.config.errors import SettingsError
from mash.flows.carrying.runs import begin_parked

REFUSED = (
    "Prefect's server refuses our login: MASH_PREFECT_AUTH_STRING has to be what the server has as PREFECT_SERVER_API_AUTH_STRING"
)
CARRIED: ContextVar[FlowRun | None] = ContextVar("carried", default=None)
"""The run that is being carried: as Prefect gave it a moment ago, or Scheduled, where it is believed to be as it was left."""


class Client(PrefectClient):
    """Prefect's client, for a worker that holds the run it carries: the engine reads it again at each attempt and writes down
    how often the flow is to be retried, which never changes (11 ms of the server's CPU, and two requests of ours)."""

    async def read_flow_run(self, flow_run_id: UUID) -> FlowRun:
        """The run that is being carried, without asking; any other from the server."""
        carried = CARRIED.get()
        return carried if carried and carried.id == flow_run_id else await super().read_flow_run(flow_run_id)

    async def update_flow_run(self, flow_run_id: UUID, *args: Any, **changes: Any) -> Any:
        """Change a run on the server, but for the policy that every run of ours shares."""
        if not set(changes) <= {"flow_version", "empirical_policy"}:
            return await super().update_flow_run(flow_run_id, *args, **changes)
        return None

    async def set_flow_run_state(
        self, flow_run_id: UUID | str, state: State[Any], force: bool = False
    ) -> OrchestrationResult[Any]:
        """Set a run's state; the run that is being carried begins by force. From a parked state the ordinary way needs two calls
        more, and may have the engine sleep until the run's deadline; from a final one there is none. That nobody else carries it
        is said by its referral's lock. Raises NotAsLeft where it is believed to be parked and is not."""
        carried = CARRIED.get()
        begins = carried is not None and str(carried.id) == str(flow_run_id) and state.is_running()
        if carried and begins and carried.state and carried.state.is_scheduled():
            return await begin_parked(self, carried, state)
        return await super().set_flow_run_state(flow_run_id, state, force or begins)


class _Context(AsyncClientContext):
    """Prefect's context of a client, with ours in it."""

    def __init__(self) -> None:
        ContextModel.__init__(
            self, client=Client(cast("str", PREFECT_API_URL.value()), auth_string=PREFECT_API_AUTH_STRING.value())
        )
        self._httpx_settings, self._context_stack = None, 0


def refusal(trouble: BaseException) -> str:
    """That it is our login that Prefect refuses, in a sentence; empty for any other trouble."""
    answer = getattr(trouble, "response", None)
    return REFUSED if answer is not None and answer.status_code in (401, 403) else ""


async def check_login() -> None:
    """Ask Prefect's server once, if it is there. Raises SettingsError when it refuses our login: that is mended by nobody but
    whoever sets it up. With Prefect away nothing is said: clocks and notices do without."""
    try:
        async with Client(cast("str", PREFECT_API_URL.value()), auth_string=PREFECT_API_AUTH_STRING.value()) as client:
            await client.read_work_pools(limit=1)
    except (httpx.HTTPError, PrefectHTTPStatusError, OSError) as trouble:
        if sentence := refusal(trouble):
            raise SettingsError(sentence) from None


@asynccontextmanager
async def connected() -> AsyncIterator[Client]:
    """A client for the worker's life, which every attempt within this context takes. Without it, each builds one of its own and
    reads the trusted certificates for it (20 ms of CPU). The engine asks for a blocking client too, though it calls nothing.

    Heartbeats of runs are off: an attempt lasts milliseconds, and whether somebody carries a referral is said by its lock."""
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}), SyncClientContext():
        async with _Context() as context:
            yield cast("Client", context.client)
