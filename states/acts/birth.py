"""An unborn child: a conference is due before the week in which they are expected; born, they are the same person."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Literal

from pydantic import Field

from mash.states.acts import demands, details
from mash.states.ages import Age
from mash.states.clocks import LONDON, Due
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete
from mash.states.fold import Changes, folds
from mash.states.rebuild import Caused, Rebuilt, rebuilds, same_fields
from mash.states.referral import Referral
from mash.states.register import act
from mash.states.route import ask_who_is_concerned_now
from mash.states.stages import SEEN
from mash.states.values import Actor, Code, CommandBase, Details, EventBase, Words

PRE_BIRTH = "pre_birth_conference"
"""The clock of the conference about a child who is not born yet."""
AT = time(12)
"""When on its day that is due: while the hub is open."""


class RecordBirth(CommandBase):
    """An unborn child is born: the same person, and the case goes on. The day, and a name, come sealed beside it (details)."""

    kind: Literal["record_birth"] = "record_birth"
    subject: Code


class BirthRecorded(EventBase):
    """A child is born. `details` is the item that says when, `instead_of` the one that it stands for; `age` is as of the act."""

    kind: Literal["birth_recorded"] = "birth_recorded"
    subject: str
    instead_of: str | None
    details: Words
    flags: tuple[str, ...] = ()
    age: Age
    words: Words | None = Field(alias="said")


@act(RecordBirth, stages=SEEN, when=lambda referral: "unborn" in referral.cohorts)
def record_birth(d: Deciding, cmd: RecordBirth, words: Words | None) -> None:
    """The child is taken for a child from now on; clocks go on, but for the one of the conference before the birth."""
    if demands.subject(d, cmd.subject).cohort != "unborn":
        raise Incomplete(f"a birth is recorded of an unborn child: {cmd.subject} is none; to correct that, use correct_cohort")
    right = d.details
    if right is None or right.age in (None, "unborn"):
        raise Incomplete("say on which day the child was born (details.date_of_birth)")
    came = {"instead_of": right.before, "details": right.stored, "flags": right.flags}
    before = d.referral
    d.record(BirthRecorded(subject=cmd.subject, age=right.age, words=words, **came))
    expect_anew(d, before)
    ask_who_is_concerned_now(d)


@rebuilds(RecordBirth, BirthRecorded)
def _record_birth_again(caused: Caused, event: BirthRecorded) -> Rebuilt:
    right = Details(
        stored=event.details, kind="subject", subject=event.subject, before=event.instead_of, flags=event.flags, age=event.age
    )
    return Rebuilt(same_fields(RecordBirth, event), details=right)


def expect_anew(d: Deciding, before: Referral) -> None:
    """Where somebody is born, or expected at another time than it was thought, the conference before a birth is due by that."""
    if _weeks(d.referral) == _weeks(before):
        return
    d.stop(PRE_BIRTH, met=False)
    if any(clock.kind == "initial_conference" for clock in d.referral.running):
        await_pre_birth_conference(d)


def _weeks(referral: Referral) -> list[date]:
    """The weeks in which its unborn children are expected."""
    return [s.expected_week for s in referral.subjects.values() if s.cohort == "unborn" and s.expected_week]


def await_pre_birth_conference(d: Deciding) -> None:
    """Start the clock of the conference before the next birth, where a child is expected. Where it cannot be held as early as the
    rule says, it is due before the week of the birth; later, the clock of every initial conference stands alone."""
    weeks = _weeks(d.referral)
    if not weeks or any(clock.kind == PRE_BIRTH for clock in d.referral.running):
        return
    rule, week = d.profile.statutory[PRE_BIRTH], min(weeks)
    ahead = timedelta(weeks=rule.length.amount)
    for day, why in (
        (week - ahead, f"{rule.length} before the week in which the child is expected"),
        (week, "before the child is expected; it was too late for the usual time ahead"),
    ):
        if (at := _noon(day)) > d.now:
            d.start_until(PRE_BIRTH, rule, Due(at=at, why=f"pre-birth conference: {why}"))
            return


def _noon(day: date) -> datetime:
    return datetime.combine(day, AT, LONDON)


@folds(BirthRecorded)
def _birth_recorded(referral: Referral, event: BirthRecorded, at: datetime, by: Actor) -> Changes:
    known = {"cohort": "child", "age": event.age, "expected_week": None}
    superseded = details.superseded(referral, event.instead_of, event.details)
    return {**details.of_subject(referral, event.subject, event.flags, **known), "superseded": superseded}
