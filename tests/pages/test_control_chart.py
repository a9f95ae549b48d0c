"""Telling change from chance: what goes on as it is must not alarm, and what changes must not be missed."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mash.api.pages.figures.control_chart import FEWEST, RUN, limits_among, limits_of_shares, limits_of_values, verdict_of

numbers = st.lists(st.floats(0, 1_000), min_size=FEWEST, max_size=60)
shares = st.lists(st.integers(1, 60).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))), min_size=FEWEST, max_size=60)
AND_ON = (10, 10, 9, 11)
EIGHT_BELOW = (10, 9, 8, 9, 8, 9, 8, 9, 8, 13, 13, 10, 13, 13, *AND_ON)
"""Their mean is 10: eight below it in a row, between two that equal it or lie above."""
EIGHT_ABOVE = tuple(20 - value for value in EIGHT_BELOW)
SEVEN_BELOW = (10, 9, 8, 9, 8, 9, 8, 9, 13, 10, 13, 14, 10, *AND_ON)


@given(st.floats(0, 1_000), st.integers(FEWEST, 60))
def test_what_stays_the_same_tells_of_no_change(value: float, weeks: int) -> None:
    limits = limits_of_values([value] * weeks)
    assert limits and not limits.signals and verdict_of([value] * weeks, limits) is None


@pytest.mark.parametrize("values", [EIGHT_BELOW, EIGHT_ABOVE], ids=["below", "above"])
def test_eight_weeks_in_a_row_on_one_side_of_the_mean_are_a_change_also_after_one_that_equals_it(values: tuple[int, ...]) -> None:
    limits = limits_of_values(values)
    assert limits and limits.mean == 10 and limits.outside == ()
    assert limits.runs == tuple(range(1, 1 + RUN))


def test_seven_weeks_in_a_row_are_chance_and_a_week_that_equals_the_mean_ends_a_run() -> None:
    for values in (SEVEN_BELOW, (9, 8, 9, 7, 10, 9, 8, 9, 7, 13, 12, 13, 13, 13, *AND_ON)):
        limits = limits_of_values(values)
        assert limits and limits.mean == 10 and limits.runs == ()


def test_one_week_far_from_the_others_is_outside_what_chance_explains() -> None:
    values = [*(11.0 - week % 2 for week in range(20)), 30.0]
    limits = limits_of_values(values)
    assert limits and limits.outside == (20,) and limits.base == 20
    verdict = verdict_of(values, limits)
    assert verdict and (verdict.side, verdict.weeks, verdict.outside) == ("higher", 1, True)


def test_the_weeks_of_a_change_do_not_widen_the_limits_that_it_is_measured_by() -> None:
    before = [(86 + (-1) ** week * 3, 100) for week in range(23)]
    limits = limits_of_shares([*before, (60, 100), (62, 100), (61, 100)])
    alone = limits_of_shares(before)
    assert limits and alone and limits.base == 23 and limits.outside == (23, 24, 25)
    assert (limits.mean, limits.low[0]) == (alone.mean, alone.low[0])


def test_a_change_that_was_over_long_ago_is_part_of_what_is_usual() -> None:
    limits = limits_of_values([*[10, 11] * 5, 40, *[10, 11] * 6])
    assert limits and limits.base == 23 and limits.outside == (10,)


def test_the_fewer_a_share_is_of_the_wider_are_its_limits() -> None:
    limits = limits_of_shares([(8, 10), (80, 100)] * 6)
    assert limits and limits.high[0] - limits.low[0] > limits.high[1] - limits.low[1]


def test_answers_that_are_late_together_seldom_alarm() -> None:
    """Of a hub that asks twelve agencies about each case, and in one of five cases they are late together."""
    chance, alarms = random.Random(1), 0
    for _ in range(200):
        weeks = [sum(chance.choice((12, 12, 12, 12, 4)) for _ in range(9)) for _ in range(26)]
        limits = limits_of_shares([(part, 108) for part in weeks])
        alarms += bool(limits and limits.outside)
    assert alarms < 40


@given(numbers)
def test_the_mean_lies_between_the_limits_and_no_limit_is_below_nothing(values: list[float]) -> None:
    limits = limits_of_values(values)
    assert limits and all(
        0 <= low <= limits.mean + 1e-5 and limits.mean <= high + 1e-5 for low, high in zip(limits.low, limits.high, strict=True)
    )


@given(shares)
def test_no_share_is_expected_below_nothing_or_above_all(counts: list[tuple[int, int]]) -> None:
    limits = limits_of_shares(counts)
    assert limits and all(
        0 <= low <= limits.mean + 1e-5 and limits.mean - 1e-5 <= high <= 100
        for low, high in zip(limits.low, limits.high, strict=True)
    )


def test_agencies_beside_one_another_are_measured_by_the_hubs_average() -> None:
    limits = limits_among(86, [(22, 52), (46, 52), (1, 2)])
    assert limits.outside == (0,), "of two, one is nothing to tell by"


def test_of_seven_weeks_nothing_can_be_said() -> None:
    assert limits_of_values([1, 2, 3, 4, 5, 6, 7]) is None and limits_of_shares([(1, 2)] * 7) is None
