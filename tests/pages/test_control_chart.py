"""Telling change from chance: what goes on as it is must not alarm, and what changes must not be missed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mash.api.pages.figures.control_chart import RUN, limits_of

numbers = st.lists(st.floats(0, 1_000), min_size=4, max_size=60)
shares = st.lists(st.floats(0, 100), min_size=4, max_size=60)
EIGHT_BELOW = (10, 9, 8, 9, 8, 9, 8, 9, 8, 13, 13, 10, 13, 13)
"""Their mean is 10: eight below it in a row, between two that equal it or lie above."""
EIGHT_ABOVE = tuple(20 - value for value in EIGHT_BELOW)
SEVEN_BELOW = (10, 9, 8, 9, 8, 9, 8, 9, 13, 10, 13, 14, 10)


@given(st.floats(0, 1_000), st.integers(4, 60))
def test_what_stays_the_same_tells_of_no_change(value: float, weeks: int) -> None:
    limits = limits_of([value] * weeks)
    assert limits and limits.outside == limits.runs == ()


@pytest.mark.parametrize("values", [EIGHT_BELOW, EIGHT_ABOVE], ids=["below", "above"])
def test_eight_weeks_in_a_row_on_one_side_of_the_mean_are_a_change_also_after_one_that_equals_it(values: tuple[int, ...]) -> None:
    limits = limits_of(values)
    assert limits and limits.mean == 10 and limits.outside == ()
    assert limits.runs == tuple(range(1, 1 + RUN))


def test_seven_weeks_in_a_row_are_chance_and_a_week_that_equals_the_mean_ends_a_run() -> None:
    for values in (SEVEN_BELOW, (9, 9, 9, 9, 10, 9, 9, 9, 9, 14, 14)):
        limits = limits_of(values)
        assert limits and limits.mean == 10 and limits.runs == ()


def test_one_week_far_from_the_others_is_outside_their_range() -> None:
    limits = limits_of([*(10.0 + week % 2 for week in range(20)), 30.0])
    assert limits and limits.outside == (20,)


@given(numbers)
def test_the_mean_lies_between_the_limits_and_no_limit_is_below_nothing(values: list[float]) -> None:
    limits = limits_of(values)
    assert limits and 0 <= limits.low <= limits.mean + 1e-9 and limits.mean <= limits.high + 1e-9


@given(shares)
def test_no_share_is_expected_above_all(values: list[float]) -> None:
    limits = limits_of(values, most=100)
    assert limits and limits.mean - 1e-6 <= limits.high <= 100
    assert all(0 <= values[place] <= 100 for place in (*limits.outside, *limits.runs))


def test_of_three_weeks_nothing_can_be_said() -> None:
    assert limits_of([1, 2, 3]) is None
