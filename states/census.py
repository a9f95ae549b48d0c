"""What the Children in Need census has still to be told of a child, by whether it is there and never what it is: nothing, before
there is further action."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Literal

from mash.states.acts.outcomes import PLAN
from mash.states.referral import SubjectState

Owed = Literal["sex", "ethnicity", "disability", "upn", "date_of_birth", "expected_date"]
"""By the field in which it is stored; of `upn`, either the number or why there is none."""
FURTHER_ACTION = ("section_17", "section_47", "transfer")
"""The decisions by which something more is done: such a referral is none with no further action (ReferralNFA)."""
GOES_ON = (PLAN, "child_in_need_plan")
"""Outcomes by which a case ends at the front door and not for the child, who has a plan from then on: the census has them until
case management closes the episode."""
CENSUS_DAY = (3, 31)
"""The month and day on which a census year ends."""


def census_year(day: date) -> int:
    """The calendar year in which the census year ends that counts this day."""
    return day.year + ((day.month, day.day) > CENSUS_DAY)


def of_school_age(born: date, day: date) -> bool:
    """Whether the census that counts this day wants the UPN of a child who was born then: whoever was five by the end of August
    before it ends (CIN rule 8770Q)."""
    return born <= date(census_year(day) - 6, 8, 31)


def further_action(subject: SubjectState, outcome: str | None) -> bool:
    """Whether the census has more of a subject, for whom this was decided, than that they were referred: something more was
    decided, or an assessment or a conference found something, whatever was decided since."""
    return outcome in FURTHER_ACTION or subject.assessment is not None or subject.conference is not None


def counted_until(subject: SubjectState, ended: date, now: date) -> date:
    """The day on which the census counts somebody last, whose case ended then: where they have a plan, it counts them still."""
    return now if subject.outcome in GOES_ON else ended


def asked_of(subject: SubjectState, outcome: str | None, *, of_school_age: bool) -> tuple[Owed, ...]:
    """What the census asks of a subject for whom this was decided. Of an unborn child it takes the sex for unknown (8750), and
    asks neither for disabilities (8540) nor for a UPN."""
    if not further_action(subject, outcome) or not subject.counts_as_child:
        return ()
    if subject.cohort == "unborn":
        return ("expected_date", "ethnicity")
    return ("date_of_birth", "sex", "ethnicity", "disability", *(("upn",) if of_school_age else ()))


def census_owed(subject: SubjectState, outcome: str | None, present: Collection[str], *, of_school_age: bool) -> tuple[Owed, ...]:
    """What is still missing. `present` are the fields that are stored of them as the census takes them, `upn_unknown` among them;
    `of_school_age` is whether it wants their UPN."""
    present = {*present, *(("upn",) if "upn_unknown" in present else ())}
    # Whoever has been born since has a birthday, and is no longer expected (8525Q: one of the two).
    present |= {"expected_date"} if "date_of_birth" in present else set()
    return tuple(name for name in asked_of(subject, outcome, of_school_age=of_school_age) if name not in present)
