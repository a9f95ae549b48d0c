"""What it takes to reckon a year of a large hub's contacts by other limits, and to look where another profile has no place for
them: by the commands, over a year in PostgreSQL."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from mash.bench.dataset import Figures, copy_in, loading, taken
from mash.bench.known import a_hub
from mash.bench.measure import BenchFailed, say
from mash.bench.year import History, made_year
from mash.config.profile import load_profile
from mash.config.settings import Settings
from mash.flows.installation.postmaster import Cluster
from mash.flows.store.whatif import PROCESSES

HUB, OTHER, SETTING = "sandwell", "merton", "ratings.green.reply=8 h"
CONTACTS = 14_400
MADE = 720
"""Contacts that are made; the year is so many of them again and again, as making each takes longer than to reckon it."""
AGO = 400
"""Days since the year began: all of it lies behind us."""
TIMES = 3
"""Each command is given so often; the quickest counts, which other work on the machine has held up least."""


def run_bench_whatif(as_json: bool, quick: bool) -> int:
    """Measure it, and print it; returns the exit code."""
    contacts = CONTACTS // 20 if quick else CONTACTS
    with tempfile.TemporaryDirectory(prefix="mash-bench-") as folder, a_hub(Path(folder)) as (settings, cluster):
        try:
            figures = _measured(settings.model_copy(update={"hubs": HUB}), cluster, contacts)
        except BenchFailed as failed:
            say(f"mash: {failed}")
            return 1
    print(json.dumps(figures, indent=None if as_json else 2), flush=True)
    return 0


def _measured(settings: Settings, cluster: Cluster, contacts: int) -> Figures:
    """Each question, beside the same one of a day on which nothing came in: what it costs to begin at all."""
    say(f"{MADE} contacts are made, and {contacts:,} loaded ...")
    profile, begins = load_profile(HUB, settings.profiles_dir), datetime.now(UTC) - timedelta(days=AGO)
    made = list(made_year(profile, MADE, begins=begins))
    events = sum(len(log) for history in made for log in history.logs.values())
    with loading(cluster.owner_url) as owner:
        copy_in(owner, "referral", (row for place in range(contacts) for row in _referrals(made[place % MADE], place)))
        copy_in(owner, "event", (row for place in range(contacts) for row in _events(made[place % MADE], place)))
    postgres = psutil.Process(cluster.server.pid if cluster.server else None)
    figures: Figures = {"contacts": contacts, "events_per_contact": round(events / MADE, 1), "processes": PROCESSES}
    days = ("--days", str(AGO + 2))
    asked = {"limits": ("limits", "--set", SETTING), "profile": ("profile", OTHER)}
    begin = [taken(settings, postgres, "whatif", *asked["limits"], "--days", "1") for _ in range(2)]  # the first seals rows
    figures["to_begin_s"] = round(begin[-1].seconds, 1)
    for name, arguments in asked.items():
        say(f"{contacts:,} contacts: mash whatif {' '.join(arguments)} ...")
        spent = min((taken(settings, postgres, "whatif", *arguments, *days) for _ in range(TIMES)), key=lambda each: each.seconds)
        figures[name] = {"s": round(spent.seconds, 1), "cpu_s": round(spent.cpu, 1), "peak_mb": round(spent.peak_mb)}
        figures[name]["load_average"] = round(os.getloadavg()[0], 1)
    return figures


def _named(text: str, history: History, place: int) -> str:
    """What is said of a made contact, of the one at this place of the year."""
    return text.replace(min(history.logs), f"MASH-26-{place + 1:06}")


def _referrals(history: History, place: int) -> Iterator[tuple[Any, ...]]:
    root = _named(min(history.logs), history, place)
    for reference, r in history.states.items():
        state = _named(r.model_dump_json(), history, place)
        yield (_named(reference, history, place), root, HUB, "bench", r.version, "0" * 64, state, r.stage, r.rating, r.open,
               r.finished, r.received_at, r.version, 0, 0, 2)  # fmt: skip


def _events(history: History, place: int) -> Iterator[tuple[Any, ...]]:
    for reference, log in history.logs.items():
        for number, (kind, text) in enumerate(log, 1):
            recorded = json.loads(text)
            yield (_named(reference, history, place), number, kind, recorded["at"], _named(text, history, place), "0" * 64, HUB)
