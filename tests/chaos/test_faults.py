"""Each fault under load: nothing that was accepted is lost or done twice, and when all is quiet again everybody was told and
every run is in step."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest
from hub import PATIENCE

from mash.bench.chaos.audit import AT_ANY_TIME
from mash.bench.chaos.faults import FAULTS, Fault
from mash.bench.chaos.stage import Stage

LONGEST = 2.0
"""Seconds for which a fault lasts, at most."""
AFTER = 0.3
"""Seconds of load after a fault is mended."""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage(seed=2611, rate=20, clients=2) as running:
        yield running


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_what_was_accepted_survives(stage: Stage, fault: Fault) -> None:
    if fault.needs in stage.lacks:
        assert fault.needs != "clock" or not os.environ.get("CI"), stage.lacks["clock"]
        pytest.skip(stage.lacks[fault.needs])
    before = len(stage.load.accepted.submissions)
    with stage.load:
        assert stage.tend(PATIENCE, lambda: len(stage.load.accepted.submissions) > before), "nothing is accepted"
        fault.strike(stage, random.Random(1))
        stage.tend(min(LONGEST, fault.lasts[0]))
        fault.mend(stage)
        assert stage.tend(PATIENCE, stage.well), "not all parts are back"
        stage.tend(AFTER)
    found = stage.audit(AT_ANY_TIME)
    assert not any(found.values()), {rule: wrong[:3] for rule, wrong in found.items() if wrong}


def test_when_it_is_quiet_again_everybody_was_told_and_every_run_is_in_step(stage: Stage) -> None:
    assert stage.load.accepted.submissions
    found = stage.settle(2 * PATIENCE)
    assert not any(found.values()), {rule: wrong[:3] for rule, wrong in found.items() if wrong}
