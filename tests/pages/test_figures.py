"""How a hub is doing: the reckoning, which must not take chance for change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mash.api.pages.figures import RUN, Figure, Tally, as_csv_cell, limits_of, percentile
from mash.flows.store.figures import Open

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


def shown(tally: Tally, opened: Sequence[Open] = (), others: Mapping[str, datetime] | None = None) -> dict[str, Figure]:
    """The figures by their names."""
    return {figure.name: figure for figure in tally.figures(opened, [], others or {})}


def state(days: float, reference: str = "MASH-26-000009", **more: Any) -> dict[str, Any]:
    """A referral that came in so many days ago."""
    at = (NOW - timedelta(days=days)).isoformat()
    clock = {"id": "check:police", "kind": "check", "started_at": at, "ended_at": at, "met": True, "breached_at": None}
    return {
        "reference": reference,
        "received_at": at,
        "source": "2A",
        "contact": "referral",
        "subjects": {"S1": {"outcome": None}},
        "clocks": {"check:police": clock},
        **more,
    }


@given(st.lists(st.floats(0, 90), max_size=40))
def test_every_contact_is_counted_once_in_each_figure(ages: list[float]) -> None:
    tally = Tally(13, NOW, {})
    tally.add_all(state(days) for days in ages)
    figures = shown(tally)
    for name in ("sources", "kinds", "needs"):
        assert sum(figures[name].values) == len(ages)
    assert sum(tally.weeks) == len(ages) >= sum(figures["contacts"].values)


def test_a_linked_referral_of_a_split_is_no_contact_of_its_own() -> None:
    tally = Tally(4, NOW, {})
    tally.add_all([state(3), state(3, parent="MASH-26-000001")])
    assert tally.contacts == 1


def test_the_later_of_two_about_one_child_is_a_re_referral_within_twelve_months() -> None:
    tally = Tally(4, NOW, {})
    first, again, sibling, long_after = "MASH-26-000001", "MASH-26-000002", "MASH-26-000003", "MASH-26-000004"
    tally.add_all(
        [
            state(3, first, links={again: "same_child", sibling: "sibling"}),
            state(2, again, links={first: "same_child"}),
            state(1, sibling, links={first: "sibling"}),
            state(1, long_after, links={"MASH-25-000001": "same_child"}),
        ]
    )
    others = {first: NOW - timedelta(days=3), again: NOW - timedelta(days=2), "MASH-25-000001": NOW - timedelta(days=367)}
    assert tally.others == set(others)
    assert shown(tally, others=others)["re-referrals"].values == [1, 3]


def test_a_reopened_referral_is_a_re_referral() -> None:
    tally = Tally(4, NOW, {})
    tally.add_all([state(3, "MASH-26-000001", reopened=True), state(2, "MASH-26-000002")])
    assert shown(tally)["re-referrals"].values == [1, 1]


def test_a_clock_that_is_late_is_missed_before_it_ends() -> None:
    at = NOW.isoformat()
    late = {"id": "triage", "kind": "triage", "started_at": at, "ended_at": None, "met": None, "breached_at": at}
    not_needed = {**late, "ended_at": at, "breached_at": None}
    tally = Tally(4, NOW, {})
    tally.add_all([state(3), state(3, clocks={"triage": late}), state(3, clocks={"triage": not_needed})])
    figures = shown(tally)
    assert figures["stages"].rows == (("Triage", 0, 1, *["none ended"] * 3), ("Check", 100, 1, 0.0, 0.0, 0.0))
    assert ("Missed clocks that nobody has", 1) in figures["today"].rows


def test_a_week_that_has_begun_and_one_that_is_cut_off_are_not_compared() -> None:
    """NOW is a Thursday: four weeks before it are counted whole, from Monday to Monday."""
    tally = Tally(4, NOW, {})
    assert tally.first.isoformat() == "2026-10-19T00:00:00+01:00"
    tally.add_all(state(days) for days in range(32))
    assert [row[:2] for row in shown(tally)["contacts"].rows] == [
        (f"{day} 2026", 7) for day in ("19 Oct", "26 Oct", "02 Nov", "09 Nov")
    ]


def test_today_is_londons_day() -> None:
    midnight = 10 / 24
    tally = Tally(4, NOW, {})
    decided = {"decided_at": NOW.isoformat()}
    tally.add_all([state(midnight - 0.01), state(midnight + 0.01), state(9, **decided)])
    opened = [Open(NOW, None), Open(NOW, NOW - timedelta(hours=1)), Open(NOW, NOW + timedelta(hours=1))]
    assert shown(tally, opened=opened)["today"].values == [1, 1, 3, 1, 0]


@pytest.mark.parametrize("formula", ["=1+1", "+44", "-1", "@SUM(A1)", "\tx"])
def test_no_cell_is_taken_for_a_formula(formula: str) -> None:
    assert str(as_csv_cell(formula)).startswith("'")
    assert as_csv_cell(-1) == -1
