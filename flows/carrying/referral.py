"""The referral's flow: do what is due, then park until the next deadline or the next event."""

from __future__ import annotations

import tempfile
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from prefect import flow
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.context import FlowRunContext
from prefect.exceptions import Pause

from mash.flows.carrying.shown import completed, describe, parked
from mash.flows.carrying.stories import Stories
from mash.flows.store.apply import fire_due
from mash.flows.store.reads.case import Case, read_case
from mash.flows.store.store import Store


class CarryFailed(Exception):
    """An attempt failed. Says the type of error and the reference only: Prefect keeps what it is told."""


@dataclass
class Attempt:
    """One attempt at carrying a referral: the store, the stories, the case as it was found, and its run as Prefect had it, or was
    left with it (`new` where it was just made)."""

    store: Store
    stories: Stories
    case: Case
    run: FlowRun
    new: bool = False


ATTEMPT: ContextVar[Attempt] = ContextVar("attempt")
"""Set by the worker around each attempt: the flow runs in the worker's own process, and takes only the reference."""


# With no result storage on the flow, the engine asks the server for one by a blocking call.
@flow(name="referral", persist_result=False, result_storage=Path(tempfile.gettempdir()), validate_parameters=False)
async def referral(reference: str) -> State[None] | None:
    """A referral's life. Each attempt does what is due and parks; the run completes when nothing is waited for any more."""
    attempt = ATTEMPT.get()
    try:
        case = await _carry(attempt, reference)
        await describe(_client(), case, attempt.run)
        await attempt.stories.tell(_client(), case, attempt.run.id, new=attempt.new)
    except Exception as error:
        raise CarryFailed(f"{type(error).__name__} while carrying {reference}") from None
    if case.referral.finished:
        return completed(attempt.store, attempt.stories.addresses, case)
    await park(attempt)
    return None


async def _carry(attempt: Attempt, reference: str) -> Case:
    """Do what is due."""
    due = attempt.case.referral.next_at
    if due and due <= attempt.store.time.now():
        await fire_due(attempt.store, reference=reference)
        attempt.case = await read_case(attempt.store, reference)
    return attempt.case


def _client() -> PrefectClient:
    """Prefect's client, within an attempt."""
    context = FlowRunContext.get()
    if context is None or not isinstance(context.client, PrefectClient):
        raise RuntimeError("the referral flow runs in a worker")
    return context.client


async def park(attempt: Attempt) -> None:
    """Leave the run parked, and end this attempt."""
    state = parked(attempt.store, attempt.stories.addresses, attempt.case)
    answer = await _client().set_flow_run_state(attempt.run.id, state)
    if answer.status.value != "ACCEPT":
        raise RuntimeError(f"parking refused: {answer.status.value}")
    raise Pause(state=state)
