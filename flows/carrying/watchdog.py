"""The watchdog: every open referral has exactly one live run, due in time; contacts in = outcomes + open."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from prefect import flow
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.states import Cancelled

from mash.flows.carrying.referral import awaiting
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.counts import conservation
from mash.flows.store.runs import finished_among, unfinished
from mash.flows.store.store import Store
from mash.flows.store.trouble import record_repair, tell_administrators

TOLERANCE = timedelta(seconds=2)


AT_ONCE = 200
"""Referrals looked at each minute: with more of them open, each has its turn after some minutes. No clock waits for that."""


@dataclass
class Watch:
    """What a look around needs: the store, Prefect, the runs alive there, and how to have a run carried; and how far it came."""

    store: Store
    client: PrefectClient
    alive: Callable[[list[str] | None], AsyncIterator[list[FlowRun]]]
    enqueue: Callable[[list[str]], Awaitable[None]]
    after: str = ""


WATCH: ContextVar[Watch] = ContextVar("watch")


@flow(name="watchdog", persist_result=False, result_storage=Path(tempfile.gettempdir()), validate_parameters=False)
async def watchdog() -> None:
    """Look around once, and set right what is wrong."""
    await look_around(WATCH.get())


async def look_around(watch: Watch) -> int:
    """Look at the runs of the next referrals, and check that no contact is lost: the administrators are told when one is.
    Returns how many runs were out of step."""
    out_of_step = await look_at_runs(watch)
    count = await conservation(watch.store)
    if count["contacts"] != count["outcomes"] + count["open"]:
        what = f"{count['contacts']} contacts were received, {count['outcomes']} have outcomes, {count['open']} are open"
        await record_repair(watch.store, None, f"conservation fails: {what}")
        for hub in watch.store.hubs:
            await tell_administrators(watch.store, hub, "contacts do not add up", what)
    return out_of_step


async def look_at_runs(watch: Watch) -> int:
    """Have those of the next referrals carried whose run is missing, ended, late or out of step with the log; returns how many.
    Referrals that are behind anyway are left to the carrier."""
    cases = await unfinished(watch.store, watch.after, AT_ONCE)
    watch.after = cases[-1].reference if len(cases) == AT_ONCE else ""
    by_reference: dict[str, list[FlowRun]] = {}
    async for runs in watch.alive([case.reference for case in cases]):
        for run in runs:
            by_reference.setdefault(str(run.parameters.get("reference")), []).append(run)
    out_of_step = []
    for case in cases:
        runs = by_reference.get(case.reference, [])
        for extra in (run for run in runs if case.flow_run_id and run.id != case.flow_run_id):
            await watch.client.set_flow_run_state(extra.id, Cancelled(message="another run carries this referral"), force=True)
            await record_repair(watch.store, case.reference, "a second run was alive: cancelled")
        if case.shown == case.referral.version and not any(in_step(watch.store, case, run) for run in runs):
            out_of_step.append(case.reference)
    await watch.enqueue(out_of_step)
    return len(out_of_step)


async def look_for_leftovers(watch: Watch) -> None:
    """Have the runs carried to their end whose referral waits for nothing any more: Prefect forgot that they ended, as it does
    when an earlier copy of its database is put in place."""
    left: list[str] = []
    async for runs in watch.alive(None):
        left += await finished_among(watch.store, [str(run.parameters.get("reference")) for run in runs])
    await watch.enqueue(left)


def in_step(store: Store, case: Case, run: FlowRun) -> bool:
    """Whether a run is the referral's, waits in its stage, and wakes no later than its next deadline."""
    due = run.next_scheduled_start_time or run.expected_start_time
    return bool(
        run.id == case.flow_run_id
        and run.state
        and run.state.is_scheduled()
        and run.state.name == awaiting(case.referral)
        and case.referral.next_at
        and due
        and due <= store.time.on_the_wall(case.referral.next_at) + TOLERANCE
    )
