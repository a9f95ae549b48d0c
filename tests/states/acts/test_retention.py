"""How long people are kept: by what became of the contact, of several outcomes the longest; never while anything is open."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mash.states.acts.closing import ErasePeople
from mash.states.profile import Retention
from mash.states.referral import Referral
from mash.states.retention import keep_until

from .worlds import MANAGER, Case, at_decision, hub, signposted

MERTON = hub("merton")
YEARS: dict[str, int] = dict(MERTON.retention.years)


def concluded(outcome: str, at: datetime = datetime(2026, 6, 2, tzinfo=UTC)) -> Referral:
    """A referral that was concluded so, and waits for nothing."""
    case = signposted(MERTON, "adult", referrer_reachable=False)
    assert case.referral.finished
    stage = "not_taken" if outcome == "not_taken" else "no_further_action"
    outcomes = {} if outcome == "not_taken" else {"s0": outcome}
    return case.referral.model_copy(update={"stage": stage, "outcomes": outcomes, "stage_since": at, "subjects": {}})


def test_an_open_case_is_kept_and_so_is_a_contact_of_which_one_part_is_open() -> None:
    case = at_decision()
    assert keep_until([case.referral], case.profile) is None
    assert keep_until([concluded("advice"), case.referral], MERTON) is None


@given(st.lists(st.sampled_from(sorted(YEARS)), min_size=1, max_size=4))
def test_of_several_outcomes_the_longest_counts(outcomes: list[str]) -> None:
    until = keep_until([concluded(outcome) for outcome in outcomes], MERTON)
    assert until and until.year - 2026 == max(YEARS[outcome] for outcome in outcomes)


def test_an_outcome_without_a_rule_is_kept_as_long_as_any() -> None:
    until = keep_until([concluded("something else")], MERTON)
    assert until and until.year - 2026 == max(MERTON.retention.years.values())


def test_a_leap_days_years_end_the_day_before() -> None:
    until = keep_until([concluded("advice", datetime(2028, 2, 29, tzinfo=UTC))], MERTON)
    assert until == datetime(2034, 2, 28, tzinfo=UTC)


def test_a_hub_has_years_of_its_own() -> None:
    short = MERTON.model_copy(update={"retention": Retention(years={"advice": 1})})
    until = keep_until([concluded("advice")], short)
    assert until and until.year == 2027


@pytest.mark.parametrize("why", ["retention", "right_to_erasure", "court_order", "recorded_by_mistake"])
def test_erasing_is_recorded_once_with_its_reason(why: str) -> None:
    case: Case = signposted(MERTON, "adult", referrer_reachable=False)
    first = case.give(ErasePeople(why=why), MANAGER, words=False)
    assert [event.kind for event in first] == ["people_erased"] and case.referral.erased
    assert case.give(ErasePeople(why=why), MANAGER, words=False) == []
