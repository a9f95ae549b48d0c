"""What is wrong with what Prefect shows: whether each referral has its one run, in its state, waking in time."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

import httpx
from sqlalchemy import select

from mash.bench.chaos.evidence import Evidence, Wrong
from mash.flows.carrying.shown import TOLERANCE, awaiting
from mash.flows.store.reads.case import Case
from mash.flows.store.runs import unfinished
from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS

PAGE = 200


async def stray_runs(e: Evidence) -> Wrong:
    """Each sentence says up to which event the referral was looked at: one that goes on all the time is not twice the same."""
    query = select(REFERRALS.c.reference, REFERRALS.c.finished, REFERRALS.c.shown, REFERRALS.c.version)
    async with e.store.single.connect() as connection:
        rows = (await connection.execute(query)).all()
    behind = {row.reference for row in rows if row.shown < row.version}
    wrong = [f"{row.reference}: its run has not dealt with event {row.version}" for row in rows if row.reference in behind]
    runs = await _runs_of(e.prefect, [row.reference for row in rows if row.reference not in behind])
    for case in await unfinished(e.store):
        if case.reference not in behind:
            of_it = [run for run in runs[case.reference] if _alive(run)]
            at = f"{case.reference}, event {case.referral.version}"
            wrong += [f"{at}: {what}" for what in _of_unfinished(e.store, case, of_it)]
    for reference in (row.reference for row in rows if row.finished and row.reference not in behind):
        states = sorted(run["state_type"] for run in runs[reference])
        if any(_alive(run) for run in runs[reference]) or "COMPLETED" not in (states or ["COMPLETED"] * e.prefect_forgot):
            wrong.append(f"{reference}: it is finished, and its runs are {', '.join(states) or 'none'}")
    return wrong


def _alive(run: dict[str, Any]) -> bool:
    return run["state_type"] in ("SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING")


def _of_unfinished(store: Store, case: Case, alive: list[dict[str, Any]]) -> Wrong:
    if len(alive) != 1:
        return [f"{len(alive)} runs are alive"]
    run, due = alive[0], case.referral.next_at
    wakes = datetime.fromisoformat(run["next_scheduled_start_time"] or run["expected_start_time"])
    if run["id"] != str(case.flow_run_id):
        return ["the run that is alive is not its own"]
    if run["state_name"] != awaiting(case.referral):
        return [f"its run is '{run['state_name']}', it should be '{awaiting(case.referral)}'"]
    if due is None or wakes > store.time.on_the_wall(due) + TOLERANCE:
        return ["its run wakes after its next deadline"]
    return []


async def _runs_of(prefect: httpx.AsyncClient, references: list[str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for names in (references[at : at + PAGE] for at in range(0, len(references), PAGE)):
        page, offset = list[dict[str, Any]](), 0
        while len(page) == PAGE or offset == 0:
            body = {"flow_runs": {"name": {"any_": names}}, "limit": PAGE, "offset": offset, "sort": "ID_DESC"}
            answer = await prefect.post("/flow_runs/filter", json=body)
            page = answer.raise_for_status().json()
            offset += PAGE
            for run in page:
                found[str(run["name"])].append(run)
    return found
