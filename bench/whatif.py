"""What it takes to reckon a year of a large hub's contacts by other limits, and to look where another profile has no place for
them."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from mash.bench.measure import say
from mash.bench.year import YEAR, History, made_year
from mash.config.instead import instead_of
from mash.config.profile import load_profile
from mash.flows.store.whatif import AT_A_TIME, PROCESSES, Case, Rules, played
from mash.states.again import FOLLOWS
from mash.states.whatif import Coverage, Limits

HUB, OTHER, SETTING = "sandwell", "merton", "ratings.green.reply=8 h"
CONTACTS = 14_400
MADE = 720
"""Contacts that are made; the year is so many of them again and again, as making each takes longer than to reckon it."""
Figures = dict[str, Any]


def run_bench_whatif(as_json: bool, quick: bool) -> int:
    """Measure it, and print it; returns the exit code."""
    print(json.dumps(asyncio.run(_measure(CONTACTS // 20 if quick else CONTACTS)), indent=None if as_json else 2), flush=True)
    return 0


async def _measure(contacts: int) -> Figures:
    profile = load_profile(HUB)
    say(f"{MADE} contacts are made ...")
    made = list(made_year(profile, MADE))
    events = sum(len(log) for history in made for log in history.logs.values())
    until = YEAR + timedelta(days=400)
    stricter = instead_of(profile, [SETTING])
    figures: Figures = {"contacts": contacts, "events_per_contact": round(events / MADE, 1), "processes": PROCESSES}
    figures["load_average"] = round(os.getloadavg()[0], 1)
    limits = await _timed(figures, "limits", made, contacts, Rules({}, stricter.canonical, until), Limits())
    coverage = await _timed(figures, "profile", made, contacts, Rules({}, load_profile(OTHER).canonical, until), Coverage())
    found = {"late": limits.contacts_late, "would_be_late": limits.contacts_would_be_late, "covered": coverage.whole}
    return {**figures, **found, "not_reckoned": sum(limits.not_reckoned.values())}


async def _timed(figures: Figures, name: str, made: list[History], contacts: int, rules: Rules, whole: Any) -> Any:
    say(f"{contacts:,} contacts: {name} ...")
    began, cpu = time.perf_counter(), _cpu()
    await played(_cases(made, contacts), rules, whole)
    figures[f"{name}_s"] = round(time.perf_counter() - began, 1)
    figures[f"{name}_cpu_s"] = round(_cpu() - cpu, 1)
    return whole


def _cpu() -> float:
    """Seconds of CPU of this process and of those that have ended."""
    own, theirs = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + theirs.ru_utime + theirs.ru_stime


async def _cases(made: list[History], contacts: int) -> AsyncIterator[list[Case]]:
    """As they are read from the store: of each log what says which acts there were, some hundreds of contacts at a time."""
    read = [
        [
            Case(reference, min(history.logs), history.states[reference].model_dump_json(), _acts(log))
            for reference, log in sorted(history.logs.items())
        ]
        for history in made
    ]
    for begun in range(0, contacts, AT_A_TIME):
        some = range(begun, min(begun + AT_A_TIME, contacts))
        yield [case for number in some for case in read[number % len(read)]]


def _acts(log: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(kind, text) for kind, text in log if kind not in FOLLOWS or '"act":"' in text]
