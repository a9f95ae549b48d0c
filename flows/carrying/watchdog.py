"""The watchdog: what Prefect shows is what the log has, of finished referrals too; contacts in = outcomes + open."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from prefect import flow
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Cancelled

from mash.flows.carrying.locks import Locks
from mash.flows.carrying.runs import PAGE, AnyRun, read_page, read_runs
from mash.flows.carrying.shown import of_before, out_of_step
from mash.flows.store.reads.case import Case, read_case
from mash.flows.store.reads.counts import conservation
from mash.flows.store.runs import carried_by, cases_of, unfinished
from mash.flows.store.store import Store
from mash.flows.store.trouble import record_repair, tell_administrators
from mash.flows.telling.addresses import Addresses

FINAL = (StateType.COMPLETED, StateType.CANCELLED, StateType.FAILED, StateType.CRASHED)
TELL_EVERY = timedelta(hours=1)


@dataclass
class Turn:
    """How far a look at Prefect's runs in some states has come: page by page, and then from the beginning."""

    states: tuple[StateType, ...]
    offset: int = 0


@dataclass
class Watch:
    """What a look around needs: the store, Prefect, the locks of the referrals, the addresses that runs name, and how to have
    runs put right; and how far each turn has come. A look takes one page of each, so that with more of them each has its turn
    after some minutes. No clock waits for that."""

    store: Store
    client: PrefectClient
    locks: Locks
    addresses: Addresses
    put_right: Callable[[list[str]], Awaitable[None]]
    after: str = ""
    """The last referral that was looked at of those that wait for something."""
    turns: tuple[Turn, ...] = field(
        # Those that do not look finished first: among thousands that do, what was left behind would wait.
        default_factory=lambda: (
            Turn(tuple(state for state in StateType if state is not StateType.COMPLETED)),
            Turn((StateType.COMPLETED,)),
        )
    )


LOOK: ContextVar[Callable[[], Awaitable[None]]] = ContextVar("look")
"""Set by the worker around each run of the watchdog: what a look is."""


@flow(name="watchdog", persist_result=False, result_storage=Path(tempfile.gettempdir()), validate_parameters=False)
async def watchdog() -> None:
    """Look around once, and set right what is wrong."""
    await LOOK.get()()


async def look_around(watch: Watch) -> None:
    """Look at the next referrals and the next runs, and have put right what is not as the log has it."""
    await look_at_waiting(watch)
    for turn in watch.turns:
        page = await read_page(watch.client, turn.states, turn.offset)
        wrong = await _wrong_among(watch, page)
        await watch.put_right(wrong)
        turn.offset = 0 if len(page) < PAGE else turn.offset + len(page) - len(wrong)  # what is put right leaves these pages


async def look_at_all(watch: Watch) -> None:
    """Look at every referral and every run once: what befell them while nobody was connected, Prefect's loss included."""
    watch.after = ""
    while not await look_at_waiting(watch):
        pass
    for turn in watch.turns:
        found: list[list[str]] = []
        for offset in itertools.count(0, PAGE):
            page = await read_page(watch.client, turn.states, offset)
            found.append(await _wrong_among(watch, page))
            if len(page) < PAGE:
                break
        for wrong in found:  # only now: what is put right leaves these pages, and others would move up
            await watch.put_right(wrong)


async def check_conservation(store: Store) -> None:
    """Check that no contact is lost: the administrators are told when one is."""
    count = await conservation(store)
    if count["contacts"] == count["outcomes"] + count["open"]:
        return
    what = f"{count['contacts']} contacts were received, {count['outcomes']} have outcomes, {count['open']} are open"
    await record_repair(store, None, f"conservation fails: {what}")
    for hub in store.hubs:
        await tell_administrators(store, hub, "contacts do not add up", what, at_most_every=TELL_EVERY * store.time.rate)


async def look_at_waiting(watch: Watch) -> bool:
    """Have the runs of the next referrals that wait put right, where one is missing or not as the log has it; whether those were
    the last. Referrals that are behind are left to the carrier."""
    cases = await unfinished(watch.store, watch.after, PAGE)
    last = len(cases) < PAGE
    watch.after = "" if last else cases[-1].reference
    runs = {run.id: run for run in await read_runs(watch.client, [case.flow_run_id for case in cases if case.flow_run_id])}
    shown = ((case, runs.get(case.flow_run_id) if case.flow_run_id else None) for case in cases)
    await watch.put_right([case.reference for case, run in shown if _is_wrong(watch, case, run)])
    return last


async def _wrong_among(watch: Watch, page: list[AnyRun]) -> list[str]:
    """The finished referrals among whose runs these are that are not as the log has them. Those that carry no referral are ended;
    the others' referrals wait for something, and are looked at as such."""
    runs = {run.id: run for run in page}
    found = await carried_by(watch.store, runs, {name for run in page for name in run.names})
    carried = {each.run: each for each in found}
    for run in page:
        if run.id not in carried and run.type not in FINAL:
            await _end_stray(watch, run, {each.reference for each in found})
    finished = await cases_of(watch.store, [each.reference for each in found if each.finished and each.run in runs])
    shown = ((case, runs[case.flow_run_id].whole()) for case in finished if case.flow_run_id in runs)
    return [case.reference for case, run in shown if case.referral.finished and _is_wrong(watch, case, run)]


def _is_wrong(watch: Watch, case: Case, run: FlowRun | None) -> bool:
    if case.shown < case.referral.version:
        return False
    return run is None or bool(out_of_step(watch.store, case, run)) or of_before(watch.store, watch.addresses, case, run)


async def _end_stray(watch: Watch, run: AnyRun, known: set[str]) -> None:
    """End a run that carries no referral: another carries it, or there is none of that name. One that is only just being made is
    left alone, which its lock says."""
    reference = next((name for name in run.names if name in known), None)
    if reference is None:
        await cancel(watch.client, run.id, "no referral is carried by this run")
        await record_repair(watch.store, None, "a run that carries no referral was alive: cancelled")
        return
    async with watch.locks.held(reference) as held:
        case = await read_case(watch.store, reference)
        if held and case.flow_run_id not in (None, run.id):
            await cancel(watch.client, run.id, "another run carries this referral")
            await record_repair(watch.store, reference, "a second run was alive: cancelled")


async def cancel(client: PrefectClient, run: UUID, why: str) -> None:
    """Cancel a run, whatever its state."""
    await client.set_flow_run_state(run, Cancelled(message=why), force=True)
