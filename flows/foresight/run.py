"""Runs of plans, one on each core: each is a hub's months, and its measures."""

from __future__ import annotations

import gc
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import NamedTuple

from mash.flows.foresight.hub import Hub, Plan
from mash.flows.foresight.inputs import Past
from mash.flows.foresight.measures import Went, measured, went
from mash.flows.foresight.passage import Passage

FEWEST_RUNS = 20
"""Of so many, nine in ten further ones lie between the least and the greatest (19 of 21)."""
MOST = 8
"""Processes at most: each has some 160 MiB in memory."""
PROCESSES = min(len(os.sched_getaffinity(0)), MOST) if hasattr(os, "sched_getaffinity") else 2
"""As many as there are cores for this one; where that cannot be asked, two."""
ADMITTED = 0.02
"""The part of contacts that the rules may refuse, before a run says that it was no run."""


class Run(NamedTuple):
    """What came of one run: its measures, how busy each role was, and what the rules refused, by command."""

    measures: dict[str, float]
    busy: dict[str, float]
    refusals: dict[str, int]


Told = Callable[[int, int], None]
"""Hears how many runs of how many are done."""


def run_once(plan: Plan, run: int) -> Run:
    """One run."""
    cases, under_way = list[Went](), dict[Passage, None]()

    def arrives(name: str, past: Past) -> None:
        passage = Passage(hub, name, past, ended)
        under_way[passage] = None
        passage.begin()

    def ended(passage: Passage) -> None:
        if not passage.refused:
            cases.append(went(passage.referral))
        del under_way[passage]

    hub = Hub(plan, run, arrives)
    hub.work()
    cases += [went(passage.referral) for passage in under_way if passage.world.state]
    return Run(measured(cases, plan.begins, plan.ends), _busy(hub), dict(hub.refusals))


def run_all(plans: Sequence[Plan], runs: int, tell: Told = lambda *_: None) -> list[list[Run]]:
    """The runs of each plan, in order: run by run with the same chance. In processes of their own: they copy what they are given
    by forking, and end with it."""
    wanted = [(place, run) for place in range(len(plans)) for run in range(runs)]
    found: dict[tuple[int, int], Run] = {}
    with ProcessPoolExecutor(PROCESSES, get_context("fork"), _begin, (list(plans),)) as pool:
        asked = {pool.submit(_one, place, run): (place, run) for place, run in wanted}
        for done in as_completed(asked):
            found[asked[done]] = done.result()
            tell(len(found), len(wanted))
    return [[found[place, run] for run in range(runs)] for place in range(len(plans))]


_PLANS: list[Plan] = []


def _begin(plans: list[Plan]) -> None:
    _PLANS[:] = plans
    # Cases die by themselves, without circles; looking for some took a quarter of the time.
    gc.disable()


def _one(place: int, run: int) -> Run:
    found = run_once(_PLANS[place], run)
    gc.collect()
    return found


def _busy(hub: Hub) -> dict[str, float]:
    """By role: which part of their time people were at work, in per cent."""
    worked, there = defaultdict[str, float](float), defaultdict[str, float](float)
    for person in hub.desk.people.values():
        for role, seconds in person.there.items():
            worked[role] += person.worked.get(role, 0.0)
            there[role] += seconds
    return {role: 100 * worked[role] / there[role] for role in sorted(there) if there[role]}
