"""What the Children in Need census has still to be told of a child: asked once there is further action, and never before."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mash.states.census import FURTHER_ACTION, GOES_ON, Owed, census_owed, counted_until, of_school_age
from mash.states.profile import Outcome
from mash.states.referral import SubjectState

CHILD = SubjectState(cohort="child", age="child")
FIELDS = (*get_args(Owed), "upn_unknown")
ALL = ("date_of_birth", "sex", "ethnicity", "disability")


def owed(subject: SubjectState = CHILD, outcome: str | None = "section_17", *present: str, school: bool = False) -> Any:
    return census_owed(subject, outcome, present, of_school_age=school)


@pytest.mark.parametrize("outcome", [None, *(each for each in get_args(Outcome) if each not in FURTHER_ACTION)])
def test_nothing_is_asked_before_there_is_further_action_nor_where_there_is_none(outcome: str | None) -> None:
    assert owed(CHILD, outcome, school=True) == ()


@pytest.mark.parametrize("outcome", FURTHER_ACTION)
def test_of_a_child_with_further_action_all_that_is_missing_is_owed_and_the_upn_from_school_age(outcome: str) -> None:
    assert owed(CHILD, outcome) == ALL
    assert owed(CHILD, outcome, school=True) == (*ALL, "upn")
    assert owed(CHILD, outcome, "sex", "disability") == ("date_of_birth", "ethnicity")


def test_of_a_child_for_whom_something_was_done_all_is_owed_whatever_was_decided_since() -> None:
    for found in (SubjectState(cohort="child", assessment="early_help"), SubjectState(cohort="child", conference="no_plan")):
        assert owed(found, "no_further_action") == owed(found, None) == ALL


@pytest.mark.parametrize("outcome", GOES_ON)
def test_a_child_who_has_a_plan_is_counted_after_their_case_has_ended_and_any_other_until_then(outcome: str) -> None:
    ended, now = date(2026, 5, 4), date(2028, 5, 4)
    assert counted_until(SubjectState(cohort="child", outcome=outcome), ended, now) == now
    assert counted_until(SubjectState(cohort="child", outcome="no_further_action"), ended, now) == ended


@pytest.mark.parametrize("known", ["upn", "upn_unknown"])
def test_a_upn_or_why_there_is_none_is_enough(known: str) -> None:
    assert owed(CHILD, "section_47", known, school=True) == ALL


def test_of_an_unborn_child_the_day_is_asked_on_which_it_is_expected_and_no_upn_sex_or_disability() -> None:
    unborn = SubjectState(cohort="unborn", age="unborn")
    assert owed(unborn, school=True) == ("expected_date", "ethnicity")
    assert owed(unborn, "section_17", "date_of_birth") == ("ethnicity",), "born, and not yet recorded as born"


def test_of_an_adult_nothing_is_asked_and_of_whoever_may_be_a_child_all() -> None:
    assert owed(SubjectState(cohort="adult", age="adult")) == ()
    assert owed(SubjectState(cohort="adult", age=None)) == ALL
    assert owed(SubjectState(cohort="unknown")) == ALL


@pytest.mark.parametrize(
    ("born", "day", "at_school"),
    [
        ("2020-08-31", "2026-03-31", True),
        ("2020-09-01", "2026-03-31", False),
        ("2020-09-01", "2026-04-01", True),
        ("2021-08-31", "2026-12-01", True),
        ("2021-09-01", "2027-03-31", False),
        ("2020-08-31", "2025-04-01", True),
        ("2020-08-31", "2025-03-31", False),
    ],
)
def test_school_age_is_reckoned_for_the_census_that_counts_the_day(born: str, day: str, at_school: bool) -> None:
    """By rule 8770Q as its validator has it: born on or before 31 August, six years before the year in which the census ends."""
    assert of_school_age(date.fromisoformat(born), date.fromisoformat(day)) is at_school


@given(st.dates(date(2000, 1, 1), date(2060, 1, 1)), st.integers(0, 8000), st.integers(0, 2000))
def test_whoever_is_of_school_age_stays_so_and_so_is_everybody_older(born: date, days: int, later: int) -> None:
    day = born + timedelta(days=days)
    if of_school_age(born, day):
        assert of_school_age(born, day + timedelta(days=later)) and of_school_age(born - timedelta(days=later), day)


@given(st.sets(st.sampled_from(FIELDS)), st.booleans(), st.sampled_from(("child", "unborn", "adult", "unknown")))
def test_what_is_told_is_owed_no_more_and_nothing_else_becomes_owed(present: set[str], school: bool, cohort: Any) -> None:
    subject = SubjectState(cohort=cohort)
    before = owed(subject, "section_17", *present, school=school)
    for name in before:
        assert owed(subject, "section_17", *present, name, school=school) == tuple(each for each in before if each != name)
    assert owed(subject, "section_17", *FIELDS, school=school) == ()
