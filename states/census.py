"""What the Children in Need census has still to be told of a child, by whether it is there and never what it is: nothing, before
there is further action."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Literal

from mash.states.referral import SubjectState

Owed = Literal["sex", "ethnicity", "disability", "upn", "date_of_birth", "expected_date"]
"""By the field in which it is stored; of `upn`, either the number or why there is none."""
FURTHER_ACTION = ("section_17", "section_47")
"""The outcomes after which a child is in the census with more than that they were referred."""
CENSUS_DAY = (3, 31)
"""The month and day on which a census year ends."""


def of_school_age(born: date, day: date) -> bool:
    """Whether the census that counts this day wants the UPN of a child who was born then: whoever was five by the end of August
    before it ends (CIN rule 8770Q)."""
    year = day.year + ((day.month, day.day) > CENSUS_DAY)
    return born <= date(year - 6, 8, 31)


def asked_of(subject: SubjectState, outcome: str | None, *, of_school_age: bool) -> tuple[Owed, ...]:
    """What the census asks of a subject for whom this was decided. Of an unborn child it takes the sex for unknown (8750), and
    asks neither for disabilities (8540) nor for a UPN."""
    if outcome not in FURTHER_ACTION or not subject.counts_as_child:
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
