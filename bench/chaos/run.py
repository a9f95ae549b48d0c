"""`mash chaos`: strike random faults one after another under load, mend them, wait until it is quiet, and audit."""

from __future__ import annotations

import json
import random
import secrets
import time

from rich.console import Console
from rich.table import Table

from mash.bench.chaos.evidence import Wrong
from mash.bench.chaos.faults import FAULTS, Fault
from mash.bench.chaos.stage import Stage
from mash.bench.stack import last_words

PAUSE = (1.0, 4.0)
"""Seconds between two faults, at least and at most."""
TO_RECOVER = 90.0
"""Seconds within which all parts are back after a fault."""
STANDSTILL = 180.0
"""Seconds after which it is given up that what is wrong becomes less."""
MOST_SHOWN = 10
_progress = Console(stderr=True, highlight=False)


def run_chaos(minutes: float, seed: int | None, as_json: bool) -> int:
    """Strike, mend, audit and report; returns the exit code."""
    seed = secrets.randbelow(10_000) if seed is None else seed
    _progress.print(f"Starting PostgreSQL, Prefect, the worker and the API; the order of the faults is --seed {seed} ...")
    with Stage(seed=seed) as stage:
        began = time.monotonic()
        faults = [fault for fault in FAULTS if fault.needs not in stage.lacks]
        for fault in FAULTS:
            if fault.needs in stage.lacks:
                _progress.print(f"Skipped: {fault.name}. {stage.lacks[fault.needs]}")
        with stage.load:
            struck = _strike(stage, faults, seed, began + minutes * 60)
        _progress.print(f"{_since(began)} all is mended; waiting until it is quiet ...")

        def say(wrong: dict[str, Wrong]) -> None:
            not_yet = "; ".join(f"{rule}: {len(what)} not" for rule, what in wrong.items() if what)
            _progress.print(f"{_since(began)} {not_yet or 'quiet'}")

        found = stage.settle(STANDSTILL, say)
        accepted = stage.load.accepted
        figures = {
            "seed": seed,
            "seconds": round(time.monotonic() - began),
            "faults": struck,
            "submissions": len(accepted.submissions),
            "commands": len(accepted.commands),
            "repeated": accepted.repeated,
            "unanswered": len(accepted.unanswered),
            "mails": len(stage.mail.messages),
            "audit": found,
        }
        if any(found.values()):
            _progress.print("\n".join(last_words(stage.folder)), markup=False)
    _report(figures, found, as_json)
    return 1 if any(found.values()) else 0


def _strike(stage: Stage, faults: list[Fault], seed: int, end: float) -> list[str]:
    """One fault after another until the time is up; the names of those that were struck. All are struck before one comes
    again."""
    chance, struck, began = random.Random(seed), list[str](), time.monotonic()
    coming: list[Fault] = []
    stage.tend(chance.uniform(*PAUSE))
    while time.monotonic() < end:
        coming = coming or chance.sample(faults, len(faults))
        fault, lasts = coming.pop(), 0.0
        lasts = chance.uniform(*fault.lasts)
        _progress.print(f"{_since(began)} {fault.name} ({lasts:.0f} s)")
        fault.strike(stage, chance)
        stage.tend(lasts)
        fault.mend(stage)
        struck.append(fault.name)
        if not stage.tend(TO_RECOVER, stage.well):
            _progress.print(f"{_since(began)} not all parts are back after {TO_RECOVER:.0f} s")
        stage.tend(chance.uniform(*PAUSE))
    return struck


def _since(began: float) -> str:
    return f"{time.monotonic() - began:6.1f} s "


def _report(figures: dict[str, object], found: dict[str, Wrong], as_json: bool) -> None:
    if as_json:
        print(json.dumps(figures), flush=True)
        return
    shown = Table("rule", "found")
    for rule, wrong in found.items():
        more = [f"... and {len(wrong) - MOST_SHOWN} more"] if len(wrong) > MOST_SHOWN else []
        shown.add_row(rule, "\n".join([*wrong[:MOST_SHOWN], *more]) or "holds")
    out = Console(highlight=False)
    out.print(", ".join(f"{name} {value}" for name, value in figures.items() if isinstance(value, int)))
    out.print(shown)
