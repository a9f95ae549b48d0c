"""A row of the board: who it is about by initials and age, what about, what to mind, who has it, and whom it waits for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from mash.api.pages.words import ordinal
from mash.config.about import about
from mash.config.words import age, agency_title, listed, sentence, stage_title
from mash.flows.store.reads.board import SOON, tomorrow
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.initials import Initialled
from mash.states.accumulation import add_up
from mash.states.clocks import day_of
from mash.states.profile import Profile
from mash.states.referral import NOT_TO_TELL, Referral
from mash.states.values import Actor

NAMED_AT_MOST, LATE_AT_MOST = 3, 6
"""Agencies that a row names, and subjects; and agencies that are late: of more it says how many there are."""
PRESENCE = {"absent": "absent", "left": "does not work here any more"}
SAFE_CONTACT = ("safe_contact", "do_not_write")
OF_PLAN = "authority_of_plan"
"""The destination that is the authority whose plan or care a child is under."""
GROUPS = {
    "danger": "Immediate danger",
    "late": "Late",
    "hour": "Within the hour",
    "today": "Today",
    "later": "Later",
}
"""The groups of a board, in their order."""


@dataclass(frozen=True)
class Row:
    """What a board says of a case."""

    reference: str
    group: str
    due_at: datetime | None
    rating: str | None
    stage: str
    who: str
    about: str
    marks: Sequence[str]
    has: str
    presence: str
    """Why whoever has it cannot act on it; empty where they can."""
    late: str
    waits: str
    answered: str
    silent: bool
    news: str = ""
    news_at: datetime | None = None
    people: Sequence[Initialled] = field(default=(), repr=False)


def row_of(case: Case, group: str, rules: Profile | None, people: Sequence[Initialled], by: Actor | None, now: datetime) -> Row:
    """A case as it stands on a board; `by` is who looks, None for a screen on the wall, to which it is about nobody."""
    r, today = case.referral, day_of(now)
    late, waits, answered = replies(r, rules, now)
    return Row(
        reference=case.reference,
        group=group,
        due_at=r.due_at,
        rating=r.rating,
        stage=stage_title(r.stage, rules),
        who=who_of(people, today),
        about=about(r.categories, r.factors, r.primary_need, rules),
        marks=[*marks_of(r, rules, people, today)],
        has=has_it(r, rules, by),
        presence=PRESENCE.get(r.worker.presence, "") if r.worker else "",
        late=late,
        waits=waits,
        answered=answered,
        silent=NOT_TO_TELL in r.warnings,
        people=people,
    )


def group_of(referral: Referral, now: datetime) -> str:
    """Where a case stands that is not in immediate danger, by when it is due."""
    due = referral.due_at
    if due is None or due >= tomorrow(now):
        return "later"
    if due < now:
        return "late"
    return "hour" if due <= now + SOON else "today"


def who_of(people: Sequence[Initialled], today: date) -> str:
    """The subjects of a case by initials and age: 'E.N., 8 and F.N., 9 months'."""
    named = _cut([", ".join(filter(None, (each.initials or "Not named", _age(each, today)))) for each in people])
    return listed(named)


def _age(person: Initialled, today: date) -> str:
    if person.unborn:
        return "unborn"
    return age(person.born, today) if person.born else ""


def marks_of(r: Referral, rules: Profile | None, people: Sequence[Initialled], today: date) -> Iterator[str]:
    """What to mind, from a list."""
    if NOT_TO_TELL in r.warnings:
        yield "Do not tell the family"
    if any(marker in r.warnings for marker in SAFE_CONTACT):
        yield "Safe contact"
    if "staff_safety" in r.warnings:
        yield "Risk to staff"
    if any(each.born and each.born <= today < _a_year_after(each.born) for each in people):
        yield "Baby under one"
    if rules and (number := add_up(r, rules.accumulation)):
        yield f"{ordinal(number).capitalize()} contact in {rules.accumulation.months} months"
    if "looked_after" in r.warnings:
        elsewhere = any(each.destination == OF_PLAN for each in r.hand_overs.values())
        yield "In another council’s care" if elsewhere else "In care"


def _a_year_after(born: date) -> date:
    return date(born.year + 1, 3, 1) if (born.month, born.day) == (2, 29) else born.replace(year=born.year + 1)


def has_it(r: Referral, rules: Profile | None, by: Actor | None) -> str:
    """Who has a case: 'You', or by role; whose turn it is where it was given to nobody; empty where nobody has it. An alert that
    nobody has is not hidden by another that somebody has."""
    if r.worker:
        return "You" if by and r.worker.login == by.id else sentence(r.worker.role, rules)
    if r.alerts:
        return ""
    had_by = {clock.acknowledged_by for clock in r.running} - {None}
    if by and by.id in had_by:
        return "You"
    if r.rating is None or r.owner is None:
        return "Somebody" if had_by else ""
    return "The agencies" if r.owner == "agency" else sentence(r.owner, rules)


def replies(r: Referral, rules: Profile | None, now: datetime) -> tuple[str, str, str]:
    """The agencies that are late, the others that are still to answer, and how many have answered."""
    if not r.checks:
        return "", "" if r.decided else "Nobody asked yet", ""
    overdue = r.late_partners(now)
    in_time = [agency for agency in r.outstanding if agency not in overdue]
    late, waits = (
        ", ".join(_cut([sentence(agency_title(rules, agency)) for agency in some], most))
        for some, most in ((overdue, LATE_AT_MOST), (in_time, NAMED_AT_MOST))
    )
    if not late and not waits:
        return "", "All answered", ""
    answered = sum(check.answered_at is not None for check in r.checks.values())
    return late, waits, f"{answered} of {len(r.checks)} answered"


def _cut(names: Sequence[str], most: int = NAMED_AT_MOST) -> list[str]:
    """Names; of more than so many the first two, and how many more there are, so that a row stays two lines."""
    return [*names] if len(names) <= most else [*names[: NAMED_AT_MOST - 1], f"{len(names) - NAMED_AT_MOST + 1} more"]
