"""The simulation's own process: reads what is on record, a JSON line each, and writes how far it is, then its report.

Neither the API nor a worker has in its memory what a simulation needs, nor waits for it: it is below all others, with the
processes that it begins."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TextIO

from mash.config.behind import stand_behind
from mash.config.profile import stored_profile
from mash.flows.foresight.arrivals import WEEK
from mash.flows.foresight.compare import ENOUGH, Asked, Report, plans_of, reported, weeks_of
from mash.flows.foresight.inputs import Inputs
from mash.flows.foresight.learn import Record
from mash.flows.foresight.pace import Far, Hears, how_far
from mash.flows.foresight.scenario import WrongScenario
from mash.notifications.rota import Rota

BELOW = 10
"""By how much it steps back behind all else on the machine: referrals go first."""


def report_of(lines: Iterable[str], tell: Hears = lambda _: None) -> Report:
    """The report on what is on record. The first line says what is asked, of which hub; each further one is a case or how long
    something took. Raises WrongScenario."""
    lines = iter(lines)
    head = json.loads(next(lines))
    until, began = (datetime.fromisoformat(head[name]) for name in ("until", "began_at"))
    record = Record(stored_profile(head["profile"]), until)
    quarter = weeks_of(until)
    before = Record(record.profile, quarter[0])
    for line in lines:
        _read(json.loads(line), record, before)
    asked = Asked(head["months"], head["runs"], tuple(head["scenarios"]))
    inputs = _learnt(record, before, began)
    plans = plans_of(record, inputs, Rota.model_validate_json(json.dumps(head["rota"])), quarter, asked.months, began)
    begun = time.monotonic()
    return reported(record, inputs, plans, asked, lambda done, of: tell(how_far(asked, done, of, time.monotonic() - begun)))


def _read(line: Any, record: Record, before: Record) -> None:
    """What is on record, for each as far as it was known by then."""
    for each in (record, before):
        if "took" in line:
            took = line["took"]
            each.took(took["kind"], datetime.fromisoformat(took["at"]), took["minutes"], signs=took["signs"])
        else:
            each.case(line["case"], [(datetime.fromisoformat(at), event) for at, event in line["events"]])


def _learnt(record: Record, before: Record, began: datetime) -> Inputs:
    """What is learnt: from before the quarter where there is enough, so that it is held against weeks that it does not know."""
    learns_from = before if before.until - began >= ENOUGH * WEEK else record
    return learns_from.inputs(began)


def serve(lines: Iterable[str], answers: TextIO) -> None:
    """Write how far it is, and the report, or why there is none: a line of JSON each."""

    def say(answer: dict[str, Any]) -> None:
        print(json.dumps(answer), file=answers, flush=True)

    def tell(far: Far) -> None:
        say(far._asdict())

    try:
        report = report_of(lines, tell)
    except WrongScenario as wrong:
        say({"wrong": str(wrong)})
    except Exception as error:
        # An error's own words may hold what it failed on: of it only the kind and the places in our code are written.
        places = [f"{each.filename}:{each.lineno} {each.name}" for each in traceback.extract_tb(error.__traceback__)]
        say({"failed": type(error).__name__, "at": places})
    else:
        say({"report": report.model_dump(mode="json")})


if __name__ == "__main__":
    stand_behind(os.getpid(), BELOW)
    serve(sys.stdin, sys.stdout)
