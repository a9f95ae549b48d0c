"""The referral's flow: do what is due, then park until the next deadline or the next event."""

from __future__ import annotations

import tempfile
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from prefect import flow
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.exceptions import Pause
from prefect.states import Scheduled

from mash.flows.store.apply import fire_due
from mash.flows.store.log import read_log
from mash.flows.store.reads.case import Case, read_case
from mash.flows.store.reads.notices import notices_of
from mash.flows.store.store import Store
from mash.flows.telling.story import markdown
from mash.states import stages
from mash.states.referral import Referral


class CarryFailed(Exception):
    """An attempt failed. Says the type of error and the reference only: Prefect keeps what it is told."""


@dataclass
class Attempt:
    """One attempt at carrying a referral: the store, the case as it was found, and what Prefect shows of it."""

    store: Store
    case: Case
    tags: frozenset[str] = frozenset()

    @property
    def seen(self) -> int:
        """The version of the referral that is dealt with."""
        return self.case.referral.version


ATTEMPT: ContextVar[Attempt] = ContextVar("attempt")
"""Set by the worker around each attempt: the flow runs in the worker's own process, and takes only the reference."""


def awaiting(referral: Referral) -> str:
    """The name of a parked run's state: the stage it waits in, or what is to come after it."""
    if referral.open:
        return stages.awaiting(referral.stage)
    return f"Awaiting {'disagreement to be determined' if referral.disputed else 'referrer to be told'}"


def tags_of(referral: Referral) -> frozenset[str]:
    """What a run is tagged with: hub, rating, cohorts, and what it is about."""
    rating = f"rating:{referral.rating or 'unrated'}"
    about = (*(f"cohort:{c}" for c in referral.cohorts), *(f"about:{c}" for c in referral.categories))
    return frozenset({f"hub:{referral.hub}", rating, *about})


# With no result storage on the flow, the engine asks the server for one by a blocking call.
@flow(name="referral", persist_result=False, result_storage=Path(tempfile.gettempdir()), validate_parameters=False)
async def referral(reference: str) -> None:
    """A referral's life. Each attempt does what is due and parks; the run completes when nothing is waited for any more."""
    attempt = ATTEMPT.get()
    try:
        case = await _carry(attempt, reference)
        await _tell_story(attempt, case)
    except Exception as error:
        raise CarryFailed(f"{type(error).__name__} while carrying {reference}") from None
    if not case.referral.finished:
        await park(attempt, case.referral)


async def _carry(attempt: Attempt, reference: str) -> Case:
    """Do what is due."""
    due = attempt.case.referral.next_at
    if due and due <= attempt.store.time.now():
        await fire_due(attempt.store, reference=reference)
        attempt.case = await read_case(attempt.store, reference)
    return attempt.case


async def _tell_story(attempt: Attempt, case: Case) -> None:
    client, run_id = _run()
    if attempt.tags != (tags := tags_of(case.referral)):
        await client.update_flow_run(run_id, tags=sorted(tags))
        attempt.tags = tags
    log, notices = await read_log(attempt.store, case.reference), await notices_of(attempt.store, case.reference)
    story = markdown(case.reference, log, notices, attempt.store.hubs.get(case.hub))
    await client.create_artifact(
        ArtifactCreate(
            key=case.reference.lower(),
            type="markdown",
            data=story,
            flow_run_id=run_id,
            description="The case so far (no personal data)",
        )
    )


def _run() -> tuple[PrefectClient, UUID]:
    """Prefect's client and the run's id, within an attempt."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or not isinstance(context.client, PrefectClient):
        raise RuntimeError("the referral flow runs in a worker")
    return context.client, context.flow_run.id


def parked(store: Store, referral: Referral) -> State[None]:
    """The state of a run that waits: Scheduled until its next deadline, named by what it waits for."""
    if referral.next_at is None:
        raise RuntimeError("only a referral that waits for something parks")
    return Scheduled(name=awaiting(referral), scheduled_time=store.time.on_the_wall(referral.next_at))


async def park(attempt: Attempt, referral: Referral) -> None:
    """Leave the run parked, and end this attempt."""
    client, run_id = _run()
    state = parked(attempt.store, referral)
    answer = await client.set_flow_run_state(run_id, state)
    if answer.status.value != "ACCEPT":
        raise RuntimeError(f"parking refused: {answer.status.value}")
    raise Pause(state=state)
