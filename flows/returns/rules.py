"""What the rules of the census find before a file is made, each with the case and the acts that mend it now. The outside
validator checks files; these check what is about to be written, and what had to be left out of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from mash.config import codes
from mash.flows.returns.children import Known, in_year
from mash.flows.returns.cin import Child
from mash.flows.returns.course import Assessment, Course, Enquiry, Plan
from mash.flows.returns.episodes import NO_FACTORS, Episode, episodes, is_referral
from mash.flows.returns.findings import (
    ADULT,
    FIELD_OF,
    KINDS,
    NO_PLACE,
    RULES,
    TWO_TIMES,
    UNCONFIRMED,
    UNDECIDED,
    WITHDRAWN,
    Finding,
    UnderWay,
)
from mash.flows.returns.year import Year, as_of
from mash.states.census import of_school_age
from mash.states.clocks import Calendar
from mash.states.profile import Returns

PREGNANCY = timedelta(days=280)
RETIRED = {"18A": "8945Q", "19A": "8950Q"}
"""Factors that are asked in two parts since (18B, 18C; 19B, 19C)."""


@dataclass(frozen=True)
class Checks:
    """What is checked against: the year, the hub's rule of which contacts are referrals, its working days."""

    year: Year
    rule: Returns
    calendar: Calendar
    several: bool = False
    """Whether the hub is of several authorities, each with a file of its own."""
    places: frozenset[str] = frozenset()
    """Those of its places that are an authority's."""


def findings(people: Sequence[Known], checks: Checks) -> list[Finding]:
    """What the rules find in the year's return, the errors first, then what was filled in or left out, by case."""
    children, left = in_year(people, checks.year, checks.rule)
    found = [*_across(children)]
    found += [Finding(each.rule, each.reference, each.subject, each.on) for each in left]
    for child in children:
        found += _of_child(child, checks)
    for one in people:
        if not one.erased:
            found += _of_courses(one, checks)
    ordered = sorted(dict.fromkeys(found), key=lambda each: (KINDS.index(each.kind), each.reference, each.subject, each.rule))
    under_way = _under_way(people)
    return [replace(each, mends=_acts(each, under_way)) for each in ordered]


def _under_way(people: Iterable[Known]) -> dict[UnderWay, set[str]]:
    """The cases that are not ended, and in which an assessment or an enquiry is not finished to this day."""
    going = [course for one in people for course in one.courses if course.ended is None]
    return {
        "case": {course.reference for course in going},
        "assessment": {course.reference for course in going if any(each.end is None for each in course.assessments)},
        "enquiry": {course.reference for course in going if any(each.open for each in course.enquiries)},
    }


def _acts(finding: Finding, under_way: Mapping[UnderWay, set[str]]) -> tuple[str, ...]:
    rule = RULES[finding.rule]
    return rule.mends if rule.during is None or finding.reference in under_way[rule.during] else ()


def _at(rule: str, episode: Episode, on: date | None = None) -> Finding:
    return Finding(rule, episode.reference, episode.subject, on)


def _within(rule: str, each: Assessment | Enquiry | Plan) -> Finding:
    """Of what stands in an episode: in the case in which it was done, which need not be the referral's."""
    return Finding(rule, each.reference, each.subject, each.start)


def _of_field(rule: str, child: Child) -> Finding:
    """Of what is recorded of the child: in the case in which it was written, or that of the latest referral where nothing is."""
    where = child.person.written_in.get(FIELD_OF.get(rule, ""))
    return Finding(rule, *where) if where else _at(rule, child.episodes[-1])


def _across(children: Iterable[Child]) -> Iterator[Finding]:
    by_upn: dict[tuple[str, str], list[Child]] = defaultdict(list)
    for child in children:
        if child.person.upn:
            by_upn[child.authority, child.person.upn].append(child)
    for some in by_upn.values():
        if len(some) > 1:
            yield from (_of_field(UNCONFIRMED, child) for child in some)


def _of_courses(one: Known, checks: Checks) -> Iterator[Finding]:
    year = checks.year
    for course in one.courses:
        at = Finding(UNDECIDED, course.reference, course.subject, course.received)
        if year.start <= course.received <= year.end and _undecided(course, checks.rule):
            yield at
        for before in course.before:
            if before.on > year.end and _returned(before.course, checks) != _returned(course, checks):
                yield Finding(TWO_TIMES, course.reference, course.subject, before.on)
        for enquiry in course.withdrawn:
            if year.start <= enquiry.start <= year.end:
                yield Finding(WITHDRAWN, course.reference, course.subject, enquiry.start)
    for course in one.adult:
        if _returned(course, checks):
            yield Finding(ADULT, course.reference, course.subject, course.received)


def _returned(course: Course, checks: Checks) -> list[Episode]:
    """What the year's return says of a contact by itself."""
    found = (as_of(episode, checks.year)[0] for episode in episodes([course], checks.rule, checks.year.end))
    return [replace(episode, courses=()) for episode in found if episode]


def _undecided(course: Course, rule: Returns) -> bool:
    return course.ended is None and course.decided is None and course.part_of is None and not is_referral(course, rule)


def _of_child(child: Child, checks: Checks) -> Iterator[Finding]:
    yield from (_of_field(rule, child) for rule in _of_person(child, checks.year))
    yield from _of_upn(child, checks.year)
    yield from _in_order(child, checks.year)
    for episode in child.episodes:
        yield from _of_referral(child, episode, checks)
        for rule, check in OF_ASSESSMENTS.items():
            yield from (_within(rule, each) for each in episode.assessments if check(each, episode, checks))
        for rule, look in OF_ENQUIRIES.items():
            yield from (_within(rule, each) for each in episode.enquiries if look(each, episode, checks))
        for rule, test in OF_PLANS.items():
            yield from (_within(rule, each) for each in episode.plans if test(each, episode, child))
        yield from _of_closure(episode, child)


def _of_person(child: Child, year: Year) -> Iterator[str]:
    person, further = child.person, any(not episode.nfa for episode in child.episodes)
    born, expected = person.born_by(year.end), person.expected_after(year.end)
    if born is None and expected is None:
        yield "8525Q"
    # Of whom nothing further was done, nobody is to be asked: the census' code for that is what is true of them.
    if further and person.sex is None and (born or expected is None):
        yield "4180"
    if further and person.ethnicity is None:
        yield "4220"
    if further and born and not person.disabilities:
        yield "8540"
    if expected and not year.end - timedelta(days=30) < expected < date(year.number, 12, 31):
        yield "8530Q"
    if born and year.end.year - born.year > 26:
        yield "8775Q"
    if person.died:
        yield from _of_death(child, year)


def _of_death(child: Child, year: Year) -> Iterator[str]:
    died, born = child.person.died, child.person.born
    if died and died <= year.end and (born is None or died < born):
        yield "8535Q"
    if died and died < year.start:
        yield "8545Q"
    if died and any(episode.referred > died for episode in child.episodes):
        yield "8555Q"


def _of_upn(child: Child, year: Year) -> Iterator[Finding]:
    person = child.person
    further = any(not episode.nfa for episode in child.episodes)
    born = person.born_by(year.end)
    if person.wrong("upn"):
        yield _of_field("1510", child)
    if person.wrong("former_upn"):
        yield _of_field("1560Q", child)
    if further and born and of_school_age(born, year.end) and not person.upn and person.upn_unknown in (None, "UN1"):
        yield _of_field("8770Q", child)
    if person.upn_unknown == "UN7" and further:
        yield _of_field("8772", child)


def _in_order(child: Child, year: Year) -> Iterator[Finding]:
    """At most one open episode, and the latest (rules 8815, 8816, 8820)."""
    going = [episode for episode in child.episodes if not episode.nfa]
    for before, after in pairwise(going):
        if before.closed is None:
            yield _at("8816", before)
        elif after.referred < before.closed:
            yield _at("8820", after)


def _of_referral(child: Child, episode: Episode, checks: Checks) -> Iterator[Finding]:
    person = child.person
    birth = person.born_by(checks.year.end) or person.expected_after(checks.year.end)
    if birth and episode.referred < birth - PREGNANCY:
        yield _of_field("8606", child)
    if not codes.known("referral_source", episode.source):
        yield _at("8866", episode)
    if not episode.nfa and not (episode.need and codes.known("primary_need", episode.need)):
        yield _at("8610", episode)
    if episode.nfa and (episode.assessments or episode.enquiries or episode.plans):
        yield _at("8831", episode)
    if episode.enquiries and not episode.assessments:
        yield _at("2991Q", episode)
    if checks.several and episode.courses[0].place not in checks.places:
        yield _at(NO_PLACE, episode)
    ordered = sorted(episode.assessments, key=lambda each: each.start)
    # One that begins on the day on which another ends runs beside it; two of the same days are taken for one.
    if any(
        after.start <= (before.end or date.max) and (after.start, after.end) != (before.start, before.end)
        for before, after in pairwise(ordered)
    ):
        yield _at("8863Q", episode)


def _of_closure(episode: Episode, child: Child) -> Iterator[Finding]:
    if episode.closed is None:
        return
    days = [each.end or each.start for each in episode.assessments]
    days += [each.conference or each.start for each in episode.enquiries]
    if any(day > episode.closed for day in days):
        yield _at("8565", episode, episode.closed)
    if episode.reason in ("RC8", "RC9"):
        if not any(each.end for each in episode.assessments):
            yield _at("8825Q", episode, episode.closed)
        if episode.enquiries or episode.plans:
            yield _at("2990", episode, episode.closed)
    if episode.reason == "RC2" and child.person.died is None:
        yield _at("8585Q", episode, episode.closed)


def _working_days_before(day: date, number: int, calendar: Calendar) -> date:
    while number:
        day -= timedelta(days=1)
        number -= day.weekday() < 5 and day not in calendar.bank_holidays
    return day


OfAssessment = Callable[[Assessment, Episode, Checks], bool]
OfEnquiry = Callable[[Enquiry, Episode, Checks], bool]
OfPlan = Callable[[Plan, Episode, Child], bool]

OF_ASSESSMENTS: Mapping[str, OfAssessment] = {
    "1103": lambda each, episode, _: each.start < episode.referred,
    "8608": lambda each, _, __: each.end is not None and each.end < each.start,
    "8614": lambda each, _, __: each.end is None and bool(each.factors),
    "8670Q": lambda each, _, checks: each.end is None and each.start < _working_days_before(checks.year.end, 45, checks.calendar),
    "8869": lambda each, _, __: NO_FACTORS in each.factors and len(each.factors) > 1,
    "8873Q": lambda each, episode, _: (
        each.factors == (NO_FACTORS,) and len(episode.assessments) == 1 and episode.reason not in ("RC8", "RC9")
    ),
    "8897Q": lambda each, _, __: (
        each.end is not None and not any(codes.known("assessment_factors", factor) for factor in each.factors)
    ),
    "8898": lambda each, _, __: len({*each.factors}) < len(each.factors),
    **{
        rule: (lambda each, _, __, factor=factor: factor in each.factors)  # type: ignore[misc]
        for factor, rule in RETIRED.items()
    },
}
OF_ENQUIRIES: Mapping[str, OfEnquiry] = {
    "2889": lambda each, episode, _: each.start < episode.referred,
    "8615": lambda each, _, __: each.conference is not None and each.conference < each.start,
    "8675Q": lambda each, _, checks: each.open and each.start < _working_days_before(checks.year.end, 15, checks.calendar),
    "8868": lambda each, _, __: each.cut_short and each.conference is None,
    "8875": lambda each, _, __: each.conference is not None and each.conference.weekday() >= 5,
    "8890": lambda each, episode, _: any(
        other is not each and other.start <= each.start <= (other.conference or date.min) for other in episode.enquiries
    ),
}
OF_PLANS: Mapping[str, OfPlan] = {
    "2885": lambda each, episode, _: bool(episode.enquiries) and each.start not in {e.conference for e in episode.enquiries},
    "8730": lambda each, _, __: each.previous is None,
    "8905": lambda each, _, __: each.category is None or not codes.known("category_of_abuse", each.category),
    "8915": lambda each, _, child: child.person.died is not None and each.start > child.person.died,
}
