"""Each fault under load, by itself: afterwards all that was accepted is there, once, was told, and its run is in step."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from mash.api.chaos.faults import FAULTS, Fault
from mash.api.chaos.stage import Stage

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
        stage.tend(10, lambda: len(stage.load.accepted.submissions) > before)
        fault.strike(stage, random.Random(1))
        stage.tend(min(LONGEST, fault.lasts[0]))
        fault.mend(stage)
        assert stage.tend(30, stage.well), "not all parts are back"
        stage.tend(AFTER)
    assert len(stage.load.accepted.submissions) > before
    assert not any((found := stage.settle(60)).values()), {rule: wrong[:3] for rule, wrong in found.items() if wrong}
