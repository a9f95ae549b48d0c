"""What a simulation costs: a year of a large hub, run again and again, in processor time and by the clock; and how often what-ifs
are refused of a hub that is simulated just as it is."""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from mash.bench import made_hub
from mash.bench.measure import say
from mash.config.profile import load_profile
from mash.flows.foresight.compare import between
from mash.flows.foresight.measures import MEASURES
from mash.flows.foresight.run import FEWEST_RUNS, PROCESSES, Run, run_all

CONTACTS, MANAGERS, WEEKS = 14_400, 11, 52.18
"""A year of a large hub: as many managers as get through what comes in."""
QUICK = 4.0
"""Weeks, where it is to be quick."""
BEGINS = datetime(2026, 1, 5, tzinfo=UTC)


def run_bench_simulate(*, as_json: bool, quick: bool) -> int:
    """Run it, and print what it cost."""
    weeks, runs = (QUICK, 4) if quick else (WEEKS, FEWEST_RUNS)
    plan = made_hub.plan(load_profile("sandwell"), CONTACTS, BEGINS, weeks, MANAGERS)
    say(f"{runs} runs of {weeks:g} weeks, {CONTACTS:,} contacts a year, twelve agencies, {PROCESSES} processes ...")
    began, cpu = time.monotonic(), _cpu()
    [found] = run_all([plan], runs, lambda done, of: say(f"  {done} of {of}"))
    took, worked = time.monotonic() - began, _cpu() - cpu
    contacts = sum(run.measures["contacts"] for run in found)
    figures: dict[str, Any] = {
        "runs": runs,
        "weeks": round(weeks, 1),
        "seconds": round(took, 1),
        "cpu_s_a_run": round(worked / runs, 1),
        "cpu_ms_a_contact": round(1000 * worked / (contacts * (weeks + 4) / weeks), 2),
        "memory_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
        "load": round(os.getloadavg()[0], 1),
        "refused_of_itself": _refused(found),
    }
    print(json.dumps(figures) if as_json else "\n".join(f"{name:20} {value}" for name, value in figures.items()))
    return 0


def _refused(runs: Sequence[Run]) -> float:
    """Of the runs, each held against the others as if it had happened: the share of which what-ifs would be refused."""
    held = [measure.name for measure in MEASURES if measure.held]

    def outside(place: int) -> bool:
        others = [run for at, run in enumerate(runs) if at != place]
        limits = {name: between([run.measures[name] for run in others]) for name in held}
        return any(not limits[name].low <= runs[place].measures[name] <= limits[name].high for name in held)

    return round(sum(map(outside, range(len(runs)))) / len(runs), 2)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
