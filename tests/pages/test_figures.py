"""How a hub is doing: the reckoning, which must not take chance for change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mash.api.pages.figures import RUN, Tally, as_csv_cell, limits_of, percentile

NOW = datetime(2026, 11, 19, 10, tzinfo=UTC)
numbers = st.lists(st.floats(0, 1_000), min_size=4, max_size=60)


@given(st.floats(0, 1_000), st.integers(4, 60))
def test_what_stays_the_same_tells_of_no_change(value: float, weeks: int) -> None:
    limits = limits_of([value] * weeks)
    assert limits and limits.signals == ()


@given(st.integers(RUN, 20), st.integers(RUN, 20))
def test_a_lasting_shift_tells_of_a_change(before: int, after: int) -> None:
    limits = limits_of([*(10.0 + week % 2 for week in range(before)), *(30.0 + week % 2 for week in range(after))])
    assert limits and limits.signals


@given(numbers)
def test_the_mean_lies_between_the_limits_and_no_limit_is_below_nothing(values: list[float]) -> None:
    limits = limits_of(values)
    assert limits and 0 <= limits.low <= limits.mean + 1e-9 and limits.mean <= limits.high + 1e-9


@given(numbers, st.sampled_from((50, 85, 95)))
def test_a_percentile_is_one_of_the_values_and_so_many_do_not_exceed_it(values: list[float], share: int) -> None:
    found = percentile(values, share)
    assert found in values and sum(value <= found for value in values) >= share / 100 * len(values)


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def state(days: float, **more: Any) -> dict[str, Any]:
    """A referral that came in so many days ago."""
    at = (NOW - timedelta(days=days)).isoformat()
    clock = {"id": "check:police", "kind": "check", "started_at": at, "ended_at": at, "met": True, "breached_at": None}
    return {
        "received_at": at,
        "source": "2A",
        "contact": "referral",
        "subjects": {"S1": {"outcome": None}},
        "clocks": {"check:police": clock},
        **more,
    }


@given(st.lists(st.floats(0, 90), max_size=40))
def test_every_contact_is_counted_once_in_each_figure(ages: list[float]) -> None:
    tally = Tally(NOW - timedelta(weeks=13), NOW)
    tally.add_all(state(days) for days in ages)
    figures = {figure.name: figure for figure in tally.figures([], [], NOW)}
    for name in ("sources", "kinds", "needs"):
        assert sum(figures[name].values) == len(ages)
    assert sum(tally.weeks) == len(ages) >= sum(figures["contacts"].values)


def test_a_linked_referral_of_a_split_is_no_contact_of_its_own() -> None:
    tally = Tally(NOW - timedelta(weeks=4), NOW)
    tally.add_all([state(3), state(3, parent="MASH-26-000001")])
    assert tally.contacts == 1


def test_a_child_who_is_linked_to_an_earlier_referral_is_a_re_referral() -> None:
    tally = Tally(NOW - timedelta(weeks=4), NOW)
    tally.add_all([state(3), state(2, links={"MASH-26-000001": "same_child"}), state(2, links={"MASH-26-000001": "sibling"})])
    figure = next(figure for figure in tally.figures([], [], NOW) if figure.name == "re-referrals")
    assert figure.values == [1, 2]


@pytest.mark.parametrize("formula", ["=1+1", "+44", "-1", "@SUM(A1)", "\tx"])
def test_no_cell_is_taken_for_a_formula(formula: str) -> None:
    assert str(as_csv_cell(formula)).startswith("'")
    assert as_csv_cell(-1) == -1
