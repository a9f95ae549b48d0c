"""Strike one attack after another, and say of each how it was refused."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from rich.console import Console

from mash.api.self_test import (
    addresses,
    callers,
    cases,
    contact,
    derived,
    inputs,
    links,
    monitors,
    planted,
    prefect,
    races,
    records,
    requests,
    screens,
    texts,
    walls,
)
from mash.api.self_test.attack import Attack, GotIn
from mash.api.self_test.scene import Scene, scene

FILES = (
    callers,
    cases,
    planted,
    contact,
    links,
    screens,
    texts,
    addresses,
    inputs,
    races,
    requests,
    monitors,
    walls,
    prefect,
    derived,
    records,
)
"""In the order in which they are struck: after many wrong requests from one place others from there wait, and those on what was
recorded leave it damaged."""


@dataclass(frozen=True)
class Result:
    """What came of an attack."""

    attack: str
    refused: bool
    how: str


def run_self_test(as_json: bool) -> int:
    """Start an installation, attack it, and print a line for each attack; returns 1 when one succeeded."""
    progress, out = Console(stderr=True, highlight=False), Console(highlight=False, soft_wrap=True)
    progress.print("Starting an installation of its own to attack: PostgreSQL, Prefect, the worker and the API ...")
    results = list[Result]()
    with scene() as attacked:
        for each in attacks():
            results.append(result := strike(each, attacked))
            if not as_json:
                out.print(f"{'refused  ' if result.refused else 'SUCCEEDED'}  {result.attack}: {result.how}", markup=False)
    got_in = sum(not result.refused for result in results)
    if as_json:
        print(json.dumps([asdict(result) for result in results]), flush=True)
    else:
        out.print(f"{len(results)} attacks, {len(results) - got_in} refused" + (f", {got_in} SUCCEEDED" if got_in else ""))
    return 1 if got_in else 0


def attacks() -> list[Attack]:
    """All attacks, in order."""
    return [each for file in FILES for each in vars(file).values() if isinstance(each, Attack)]


def strike(attack: Attack, attacked: Scene) -> Result:
    """Try an attack. One that fails by another way than by being refused is not taken for refused."""
    try:
        return Result(attack.what, True, attack.strike(attacked))
    except GotIn as how:
        return Result(attack.what, False, str(how))
    except Exception as wrong:
        return Result(attack.what, False, f"it could not be tried: {type(wrong).__name__}: {wrong}")
