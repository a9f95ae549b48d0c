"""How long a simulation still takes, and what its process says where it fails."""

from __future__ import annotations

import io
import json

import pytest

from mash.flows.foresight import pace
from mash.flows.foresight.compare import Asked
from mash.flows.foresight.pace import how_far, weeks
from mash.flows.foresight.process import serve

ONE = Asked(12, 20, ("contacts +20%",))


def test_a_year_with_one_what_if_takes_seven_to_eight_times_as_long_as_last_quarter_alone() -> None:
    assert weeks(ONE, 60) / weeks(ONE, 20) == pytest.approx(7.6, abs=0.05)


def test_how_long_it_takes_is_known_by_the_first_run_and_comes_true_where_all_take_as_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pace, "PROCESSES", 2)
    a_week = 0.5
    at_the_end = weeks(ONE, 60) / 2 * a_week
    for done in (1, 2, 10, 20, 30, 59, 60):
        took = weeks(ONE, max(done, 2)) / 2 * a_week
        assert took + how_far(ONE, done, 60, took).left == pytest.approx(at_the_end, rel=0.02), done
    assert how_far(ONE, 20, 20, 100.0) == (20, 20, 0.0), "where what-ifs are refused"


def test_a_process_that_fails_says_by_which_error_and_where_and_nothing_of_what_it_read() -> None:
    answers = io.StringIO()
    serve(iter(['{"until": "the secret of Isla"}']), answers)
    [answer] = map(json.loads, answers.getvalue().splitlines())
    assert answer["failed"] == "ValueError" and any("report_of" in place for place in answer["at"])
    assert "Isla" not in answers.getvalue()
