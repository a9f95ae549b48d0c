"""Ten contacts about one boy within a year, over a real installation whose parts are stopped and started between them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(1200)  # the story alone may take 900 s


@pytest.fixture(scope="module")
def year() -> dict[str, Any]:
    """The story as `mash demo` plays it."""
    played = subprocess.run(
        [sys.executable, "-m", "mash.api.commands.mash", "demo", "--story", "sibling", "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert played.stdout, played.stderr[-2000:]
    return {**json.loads(played.stdout.splitlines()[-1]), "exit": played.returncode, "shown": played.stderr}


def test_each_thing_that_the_story_tells_was_so(year: dict[str, Any]) -> None:
    assert (year["wrong"], year["exit"]) == ("", 0), year["shown"][-2000:]


def test_at_the_third_the_seventh_and_the_tenth_contact_the_earlier_ones_stand_beside_it(year: dict[str, Any]) -> None:
    third, seventh, tenth = (year["strips"][year["contacts"][place - 1]] for place in (3, 7, 10))
    assert (len(third["likely"]), third["adds_up"]) == (3, 4)
    assert {each["likeness"] for each in seventh["confirmed"]} == {"confirmed"} and seventh["adds_up"] == 6
    assert (tenth["adds_up"], tenth["before"]) == (8, {"S1": 1})


def test_all_ten_are_beside_the_open_case_at_the_end(year: dict[str, Any]) -> None:
    beside = {each["reference"] for each in year["strips"][year["open_case"]]["confirmed"]}
    assert len(beside | {year["open_case"]}) == 10
