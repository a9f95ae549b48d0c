"""An earlier copy of Prefect's database is put in place: what it shows of referrals that have finished since is put right too."""

from __future__ import annotations

import random

import httpx
from hub import PATIENCE

from mash.bench.chaos.faults import FAULTS
from mash.bench.chaos.stage import Stage

FINISHED = 40
(EARLIER,) = [fault for fault in FAULTS if "earlier copy" in fault.name]


def finished(stage: Stage) -> int:
    return int(stage.sql("SELECT count(*) FROM referral WHERE finished")[0][0])


def alive(stage: Stage, references: list[str]) -> list[str]:
    """Those of these referrals whose runs Prefect shows as going on."""
    states = {"type": {"not_any_": ["COMPLETED", "CANCELLED"]}}
    try:
        answer = stage.prefect.post("/flow_runs/filter", json={"flow_runs": {"name": {"any_": references}, "state": states}})
        return [run["name"] for run in answer.raise_for_status().json()]
    except httpx.HTTPError:
        return references  # its server starts


def test_runs_of_referrals_that_finished_after_the_copy_are_completed_while_the_worker_stays_connected() -> None:
    with Stage(seed=12, rate=20, clients=8) as stage:
        with stage.load:
            assert stage.tend(PATIENCE, lambda: len(stage.load.accepted.submissions) >= 8)
            EARLIER.strike(stage, random.Random(1))
            assert stage.tend(PATIENCE, stage.well)
            assert stage.tend(3 * PATIENCE, lambda: finished(stage) >= FINISHED)
        over = [name for (name,) in stage.sql("SELECT reference FROM referral WHERE finished ORDER BY reference")]
        assert stage.tend(3 * PATIENCE, lambda: not alive(stage, over)), "they are completed"
        EARLIER.mend(stage)
        assert stage.tend(PATIENCE, stage.well)
        # Some more come to light only now, long after the worker connected: somebody sets them going by hand.
        for run in stage.prefect.post("/flow_runs/filter", json={"flow_runs": {"name": {"any_": over[:20]}}}, timeout=60).json():
            state = {"state": {"type": "RUNNING", "name": "Running"}, "force": True}
            stage.prefect.post(f"/flow_runs/{run['id']}/set_state", json=state, timeout=60)
        found = stage.settle(PATIENCE)
        assert not any(found.values()), {rule: wrong[:3] for rule, wrong in found.items() if wrong}
        assert not alive(stage, over)
