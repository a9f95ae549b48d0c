"""What Prefect shows of a referral: its run's name, tags, parameters and state. Its story: `stories`.

Nothing there is believed: whoever has Prefect's login may change it, and its database may be an earlier copy.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Completed, Scheduled

from mash.flows.carrying.stories import Stories
from mash.flows.store.reads.case import Case
from mash.flows.store.store import Store
from mash.flows.telling.addresses import Addresses
from mash.flows.telling.awaited import in_a_line
from mash.states import stages
from mash.states.reading import stage_for_all, version_of
from mash.states.referral import Referral

TOLERANCE = timedelta(seconds=2)
OF_BEFORE = "about:"
"""How tags began that said what a case is about: whoever has Prefect's login reads them."""
COHORT = "cohort:"


def awaiting(referral: Referral) -> str:
    """The name of a parked run's state: the stage it waits in, or what is to come after it."""
    if referral.open:
        return stages.awaiting(stage_for_all(referral))
    return f"Awaiting {'disagreement to be determined' if referral.disputed else 'referrer to be told'}"


def tags_of(referral: Referral) -> frozenset[str]:
    """What a run is tagged with: hub, rating, and the cohorts of those whom it is about (child, unborn, adult, unknown)."""
    return _tags(referral.hub, referral.rating or "unrated", referral.cohorts)


@cache  # a few dozen, which thousands of runs share
def _tags(hub: str, rating: str, cohorts: frozenset[str]) -> frozenset[str]:
    return frozenset({f"hub:{hub}", f"rating:{rating}", *(f"{COHORT}{cohort}" for cohort in cohorts)})


def up_to(referral: Referral) -> str:
    """How the message of a run's state ends: how much of the log it shows, so that an earlier copy of the run is known for one.
    Of the events that everybody may hear of: how many there are says nothing of whether a child is known."""
    return f"up to event {version_of(referral, finds=False)}"


def message_of(store: Store, addresses: Addresses, case: Case) -> str:
    """The message of the state that a case's run has between attempts: what it waits for, and how much of the log that is."""
    line = in_a_line(case.reference, case.referral, store.hubs.get(case.hub), addresses)
    return f"{line} {up_to(case.referral)}"


def parked(store: Store, addresses: Addresses, case: Case) -> State[None]:
    """The state of a run that waits: Scheduled until its next deadline, named by what it waits for."""
    if case.referral.next_at is None:
        raise RuntimeError("only a referral that waits for something parks")
    at = store.time.on_the_wall(case.referral.next_at)
    return Scheduled(name=awaiting(case.referral), scheduled_time=at, message=message_of(store, addresses, case))


def completed(store: Store, addresses: Addresses, case: Case) -> State[None]:
    """The state of a run whose referral waits for nothing any more."""
    return Completed(message=message_of(store, addresses, case))


def state_of(store: Store, addresses: Addresses, case: Case) -> State[None]:
    """The state that a referral's run has between attempts."""
    return completed(store, addresses, case) if case.referral.finished else parked(store, addresses, case)


def parameters_of(case: Case) -> dict[str, str]:
    """A run's parameters: the reference, and nothing else."""
    return {"reference": case.reference}


def disguised(case: Case, run: FlowRun) -> list[str]:
    """What was changed of a run that never changes, in words: its name or its parameters."""
    name = [] if run.name == case.reference else ["its run had been renamed"]
    return name + ([] if run.parameters == parameters_of(case) else ["the parameters of its run had been changed"])


def out_of_step(store: Store, case: Case, run: FlowRun) -> list[str]:
    """What is not as the log has it of a run that has dealt with everything, in words."""
    wrong = disguised(case, run)
    if not _tagged(case.referral, run):
        wrong.append("the tags of its run had been changed")
    if not _in_state(store, case.referral, run):
        wrong.append(f"its run was {run.state.name if run.state else 'in no state'}")
    return wrong


def is_due(store: Store, case: Case) -> bool:
    """Whether one of the referral's clocks has something to say."""
    return case.referral.next_at is not None and case.referral.next_at <= store.time.now()


def only_to_show(case: Case, run: FlowRun) -> bool:
    """Whether a run has nothing to do but to show what happened: it has completed, and its referral waits for nothing."""
    return bool(case.referral.finished and run.state and run.state.is_completed() and not disguised(case, run))


def of_before(store: Store, addresses: Addresses, case: Case, run: FlowRun) -> bool:
    """Whether a run is as an earlier version of the software left it, or an earlier setting of addresses: with other tags, or a
    state that says otherwise what it waits for. It is shown anew, and that is nobody's fault."""
    said = run.state.message if run.state else None
    return frozenset(run.tags) != tags_of(case.referral) or said != message_of(store, addresses, case)


def _tagged(referral: Referral, run: FlowRun) -> bool:
    """Whether a run has the tags that are wanted: but for those of before, which said more, and of the cohort nothing at all."""
    found = frozenset(tag for tag in run.tags if not tag.startswith(OF_BEFORE))
    wanted = tags_of(referral)
    if not any(tag.startswith(COHORT) for tag in found):
        wanted = frozenset(tag for tag in wanted if not tag.startswith(COHORT))
    return found == wanted


def _in_state(store: Store, referral: Referral, run: FlowRun) -> bool:
    """Whether a run is in the state that it has between attempts, and wakes at the referral's next deadline."""
    state = run.state
    if state is None or not (state.message is None or _says_as_much(state.message, referral)):
        return False
    if referral.finished:
        return state.is_completed()
    due = run.next_scheduled_start_time or run.expected_start_time
    if not (state.is_scheduled() and state.name == awaiting(referral) and due and referral.next_at):
        return False
    return bool(abs(due - store.time.on_the_wall(referral.next_at)) <= TOLERANCE)


def _says_as_much(message: str, referral: Referral) -> bool:
    """Whether the message of a state is about as much of the log as there is: it says so at its end."""
    return message == up_to(referral) or message.endswith(f" {up_to(referral)}")


async def describe(client: PrefectClient, case: Case, run: FlowRun) -> None:
    """Name and tag a run, and give it its parameters, where it is otherwise."""
    if disguised(case, run) or frozenset(run.tags) != tags_of(case.referral):
        await client.update_flow_run(
            run.id, name=case.reference, tags=sorted(tags_of(case.referral)), parameters=parameters_of(case)
        )


async def tag(client: PrefectClient, case: Case, run: UUID) -> bool:
    """Tag a run, whatever its tags are; False where Prefect has none of this id."""
    try:
        await client.update_flow_run(run, tags=sorted(tags_of(case.referral)))
    except httpx.HTTPStatusError as refused:
        if refused.response.status_code == httpx.codes.NOT_FOUND:
            return False
        raise
    return True


async def show(client: PrefectClient, store: Store, stories: Stories, case: Case, run: FlowRun) -> None:
    """Have Prefect show a referral as the log has it, whatever it showed. Nobody else may carry its run meanwhile."""
    await describe(client, case, run)
    await stories.tell(client, case, run.id)
    # By force: what is final, and what is left running, takes nothing else.
    await client.set_flow_run_state(run.id, state_of(store, stories.addresses, case), force=True)
