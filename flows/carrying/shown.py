"""What Prefect shows of a referral: its run's name, tags, parameters and state, and its story.

Nothing there is believed: whoever has Prefect's login may change it, and its database may be an earlier copy.
"""

from __future__ import annotations

from datetime import timedelta

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Completed, Scheduled

from mash.flows.store.log import read_log
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.notices import notices_of
from mash.flows.store.store import Store
from mash.flows.telling.story import markdown
from mash.states import stages
from mash.states.reading import stage_for_all, version_of
from mash.states.referral import Referral

TOLERANCE = timedelta(seconds=2)
OF_BEFORE = ("cohort:", "about:")
"""How tags began that said more of a case than its hub and rating: whoever has Prefect's login reads them."""


def awaiting(referral: Referral) -> str:
    """The name of a parked run's state: the stage it waits in, or what is to come after it."""
    if referral.open:
        return stages.awaiting(stage_for_all(referral))
    return f"Awaiting {'disagreement to be determined' if referral.disputed else 'referrer to be told'}"


def tags_of(referral: Referral) -> frozenset[str]:
    """What a run is tagged with: hub and rating."""
    return frozenset({f"hub:{referral.hub}", f"rating:{referral.rating or 'unrated'}"})


def up_to(referral: Referral) -> str:
    """The message of a run's state: how much of the log it shows, so that an earlier copy of the run is known for one. Of the
    events that everybody may hear of: how many there are says nothing of whether a child is known."""
    return f"up to event {version_of(referral, finds=False)}"


def parked(store: Store, referral: Referral) -> State[None]:
    """The state of a run that waits: Scheduled until its next deadline, named by what it waits for."""
    if referral.next_at is None:
        raise RuntimeError("only a referral that waits for something parks")
    at = store.time.on_the_wall(referral.next_at)
    return Scheduled(name=awaiting(referral), scheduled_time=at, message=up_to(referral))


def completed(referral: Referral) -> State[None]:
    """The state of a run whose referral waits for nothing any more."""
    return Completed(message=up_to(referral))


def state_of(store: Store, referral: Referral) -> State[None]:
    """The state that a referral's run has between attempts."""
    return completed(referral) if referral.finished else parked(store, referral)


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
    if frozenset(tag for tag in run.tags if not tag.startswith(OF_BEFORE)) != tags_of(case.referral):
        wrong.append("the tags of its run had been changed")
    if not _in_state(store, case.referral, run):
        wrong.append(f"its run was {run.state.name if run.state else 'in no state'}")
    return wrong


def is_due(store: Store, case: Case) -> bool:
    """Whether one of the referral's clocks has something to say."""
    return case.referral.next_at is not None and case.referral.next_at <= store.time.now()


def only_to_show(store: Store, case: Case, run: FlowRun) -> bool:
    """Whether a run has nothing to do but to show what happened: it is where it should be, and nothing is due. Most often that is
    a reminder or an alert, and those come in storms."""
    state = run.state
    if state is None or disguised(case, run) or is_due(store, case):
        return False
    return state.is_completed() if case.referral.finished else state.is_scheduled() and state.name == awaiting(case.referral)


def of_before(run: FlowRun) -> bool:
    """Whether a run is as an earlier version of the software left it: with tags that said more, or a state that says not how much
    it shows."""
    return run.state is None or run.state.message is None or any(tag.startswith(OF_BEFORE) for tag in run.tags)


def _in_state(store: Store, referral: Referral, run: FlowRun) -> bool:
    """Whether a run is in the state that it has between attempts, and wakes at the referral's next deadline."""
    state = run.state
    if state is None or state.message not in (up_to(referral), None):
        return False
    if referral.finished:
        return state.is_completed()
    due = run.next_scheduled_start_time or run.expected_start_time
    if not (state.is_scheduled() and state.name == awaiting(referral) and due and referral.next_at):
        return False
    return bool(abs(due - store.time.on_the_wall(referral.next_at)) <= TOLERANCE)


async def describe(client: PrefectClient, case: Case, run: FlowRun) -> None:
    """Name and tag a run, and give it its parameters, where it is otherwise."""
    if disguised(case, run) or frozenset(run.tags) != tags_of(case.referral):
        await client.update_flow_run(
            run.id, name=case.reference, tags=sorted(tags_of(case.referral)), parameters=parameters_of(case)
        )


async def tell_story(client: PrefectClient, store: Store, case: Case, run: FlowRun) -> None:
    """Show a case's story with its run. No personal data."""
    log, notices = await read_log(store, case.reference), await notices_of(store, case.reference)
    story = markdown(case.reference, log, notices, store.rules(case.referral))
    await client.create_artifact(
        ArtifactCreate(
            key=case.reference.lower(),
            type="markdown",
            data=story,
            flow_run_id=run.id,
            description="The case so far (no personal data)",
        )
    )


async def show(client: PrefectClient, store: Store, case: Case, run: FlowRun) -> None:
    """Have Prefect show a referral as the log has it, whatever it showed. Nobody else may carry its run meanwhile."""
    await describe(client, case, run)
    await tell_story(client, store, case, run)
    # By force: what is final, and what is left running, takes nothing else.
    await client.set_flow_run_state(run.id, state_of(store, case.referral), force=True)
