"""What a birthday, or the day on which a child is expected, says of somebody's age; a doubtful one says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal

Age = Literal["unborn", "child", "adult", "doubtful"]
"""As of a day. A person whose age is doubtful, or not known, counts as a child wherever a child is protected."""
OF_AGE = 18
OLDEST = 120
"""Years; who would be older was born on another day."""
OVERDUE = 28
"""Days: nobody is expected longer than four weeks after the day, so that the child is born, or the day is wrong. (NHS: nearly all
are born by the end of the 42nd week, two weeks after it; doubled, as days are estimates.)"""
LONGEST_EXPECTED = 301
"""Days: 43 weeks, as long as anybody is expected."""


def of_age_on(born: date) -> date:
    """The 18th birthday; of somebody born on 29 February, 1 March (as the law of England counts it)."""
    try:
        return born.replace(year=born.year + OF_AGE)
    except ValueError:
        return date(born.year + OF_AGE, 3, 1)


def age_on(day: date, born: date | None, expected: date | None = None) -> Age | None:
    """What is known on that day of the age of somebody who was born, or is expected, then; None without either."""
    if born is not None:
        if born > day or day.year - born.year > OLDEST:
            return "doubtful"
        return "adult" if of_age_on(born) <= day else "child"
    if expected is None:
        return None
    return "unborn" if -OVERDUE <= (expected - day).days <= LONGEST_EXPECTED else "doubtful"


def week_of(expected: date) -> date:
    """The Monday of the week in which a child is expected: all that the log holds of that day, and what a clock counts
    back from; the day itself stays sealed."""
    return expected - timedelta(days=expected.weekday())


def agrees(cohort: str, age: Age | None) -> bool:
    """Whether what is known of somebody's age is what they are taken for. Only then is anything refused because of it."""
    return cohort == age


def counts_as(cohort: str, age: Age | None) -> frozenset[str]:
    """As what somebody is counted where it is decided who is protected, taken or asked about: whoever is taken for an
    adult, and is not known to be one, as a child too."""
    return frozenset({cohort, "child"} if cohort == "adult" and not agrees(cohort, age) else {cohort})


def odd_of(cohort: str, age: Age | None) -> Iterator[str]:
    """What is flagged of somebody's age: that it says otherwise than what they are taken for, or that the day it is reckoned from
    cannot be right."""
    if {cohort, age} <= {"child", "unborn", "adult"} and not agrees(cohort, age):
        yield "age_contradicts_cohort"
    if age == "doubtful":
        yield "expected_date_passed" if cohort == "unborn" else "date_of_birth_doubtful"


def unknown_adult(cohort: str, age: Age | None) -> bool:
    """Whether somebody is taken for an adult, and nothing is known of their age. That is flagged where it comes about: of cases
    from before ages were recorded a birthday may be stored all the same."""
    return cohort == "adult" and age is None


AGE_NOT_KNOWN = "age_not_known"
"""The flag of an adult of unknown age."""
WITHOUT_HAND_OVER = "comes_of_age_without_hand_over"
"""The flag of whoever had come of age in a case, and was neither handed over nor kept with a reason when it ended for them."""
ODD = ("age_contradicts_cohort", "date_of_birth_doubtful", "expected_date_passed")
"""What may be flagged of somebody's age."""
