"""Ofsted's Annex A, lists 1, 3, 4 and 5, as a workbook: contacts, referrals, assessments, section 47 enquiries and conferences.

What a cell holds is written as text, a number or a day, and never as a formula, whatever it begins with.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from mash.flows.returns.children import Known
from mash.flows.returns.course import Assessment, Course, Enquiry
from mash.flows.returns.episodes import Episode, episodes, is_referral
from mash.flows.returns.people import Person
from mash.states.profile import Returns

Cell = str | int | date | None
YES, NO, NOT_KNOWN = "a) Yes", "b) No", "c) Unknown"
NOT_RECORDED = "s) NOBT"
SEXES = {"M": "a) Male", "F": "b) Female", "U": "c) Not stated/recorded"}
ETHNICITIES = (
    "WBRI WIRI WIRT WOTH WROM MWBC MWBA MWAS MOTH AIND APKN ABAN AOTH BCRB BAFR BOTH CHNE OOTH REFU NOBT".split()  # noqa: SIM905
)
"""In the order in which the list letters them; the last two share a letter."""
SOURCES = {
    "1A": "a) 1A: Individual",
    "1B": "b) 1B: Individual",
    "1C": "c) 1C: Individual",
    "1D": "d) 1D: Individual",
    "2A": "e) 2A: Schools",
    "2B": "f) 2B: Education services",
    "3A": "g) 3A: Health services",
    "3B": "h) 3B: Health services",
    "3C": "i) 3C: Health services",
    "3D": "j) 3D: Health services",
    "3E": "k) 3E: Health services",
    "3F": "l) 3F: Health services",
    "4": "m) 4: Housing",
    "5A": "n) 5A: LA services",
    "5B": "o) 5B: LA services",
    "5C": "p) 5C: LA services",
    # The list has no code for early help, which is a service of the authority itself.
    "5D": "o) 5B: LA services",
    "6": "q) 6: Police",
    "7": "r) 7: Other legal agency",
    "8": "s) 8: Other",
    "9": "t) 9: Anonymous",
    "10": "u) 10: Unknown",
}
NOBODY = "Not allocated"
WHO = ("Child Unique ID", "Gender", "Ethnicity", "Date of Birth", "Age of Child (Years)")
DISABLED = "Does the Child have a Disability"
WHOSE = ("Allocated Team", "Allocated Worker")
COLUMNS: dict[str, tuple[str, ...]] = {
    "List 1": (*WHO, "Date of Contact", "Contact Source"),
    "List 3": (
        *WHO,
        "Date of referral",
        "Referral Source",
        "Referral NFA?",
        "Number of Referrals in Last 12 Months",
        *WHOSE,
    ),
    "List 4": (
        *WHO,
        DISABLED,
        "Continuous Assessment Start Date",
        "Child Seen During Continuous Assessment",
        "Continuous Assessment Date of Authorisation",
        "Was the child assessed as requiring LA children's social care support?",
        *WHOSE,
    ),
    "List 5": (
        *WHO,
        DISABLED,
        "Strategy discussion initiating Section 47 Enquiry Start Date",
        "Was an Initial Child Protection Conference deemed unnecessary?",
        "Date of Initial Child Protection Conference",
        "Did the Initial Child Protection Conference Result in a Child Protection Plan",
        "Number of Section 47 Enquiries in the last 12 months",
        "Number of ICPCs in the last 12 months",
        *WHOSE,
    ),
}


@dataclass(frozen=True)
class Period:
    """From the first to the last day, both in it."""

    first: date
    last: date

    def holds(self, day: date | None) -> bool:
        """Whether a day is in it."""
        return day is not None and self.first <= day <= self.last

    def meets(self, start: date, end: date | None) -> bool:
        """Whether something that began then, and ended, or has not, was open on any of its days."""
        return start <= self.last and (end is None or end >= self.first)


def lists(people: Iterable[Known], period: Period, rule: Returns, team: Callable[[Course], str]) -> dict[str, list[list[Cell]]]:
    """The rows of each list, the earliest first. `team` says whose a case is. Who was erased is in none."""
    rows: dict[str, list[tuple[date, list[Cell]]]] = {name: [] for name in COLUMNS}
    for one in people:
        if not one.erased:
            for name, day, row in _rows(one, period, rule, team):
                rows[name].append((day, row))
    return {name: [row for _, row in sorted(some, key=lambda each: (each[0], str(each[1][0])))] for name, some in rows.items()}


def _rows(one: Known, period: Period, rule: Returns, team: Callable[[Course], str]) -> Iterator[tuple[str, date, list[Cell]]]:
    their = episodes(one.courses, rule, period.last)
    for course in one.courses:
        if period.holds(course.received):
            yield "List 1", course.received, [*_who(one, period.last), course.received, _source(course)]
    for episode in their:
        if period.holds(episode.referred):
            yield "List 3", episode.referred, [*_who(one, period.last), *_referral(one, episode, rule), *_whose(episode, team)]
        for assessment in episode.assessments:
            if period.meets(assessment.start, assessment.end):
                row = [*_who(one, period.last), _disabled(one.person), *_assessment(assessment, episode, period)]
                yield "List 4", assessment.start, [*row, *_whose(episode, team)]
        for enquiry in episode.enquiries:
            if period.meets(enquiry.start, enquiry.conference or enquiry.end):
                row = [*_who(one, period.last), _disabled(one.person), *_enquiry(enquiry, their, period)]
                yield "List 5", enquiry.start, [*row, *_whose(episode, team)]


def _who(one: Known, on: date) -> list[Cell]:
    person, born = one.person, one.person.born_by(on)
    ethnicity = person.ethnicity
    letter = "s" if ethnicity == "NOBT" or ethnicity is None else "abcdefghijklmnopqrst"[ETHNICITIES.index(ethnicity)]
    age = on.year - born.year - ((on.month, on.day) < (born.month, born.day)) if born else None
    sex = SEXES[person.sex or "U"] if born else SEXES["U"]
    return [one.id, sex, f"{letter}) {ethnicity}" if ethnicity else NOT_RECORDED, born or person.expected_after(on), age]


def _source(course: Course) -> str:
    return SOURCES.get(course.source, SOURCES["10"])


def _disabled(person: Person) -> str:
    if not person.disabilities:
        return NOT_KNOWN
    return NO if person.disabilities == ("NONE",) else YES


def _whose(episode: Episode, team: Callable[[Course], str]) -> list[Cell]:
    latest = episode.courses[-1]
    worker = next((course.worker for course in reversed(episode.courses) if course.worker), None)
    return [team(latest), worker or NOBODY]


def _referral(one: Known, episode: Episode, rule: Returns) -> list[Cell]:
    """How many referrals there were in the twelve months before: those that were attached to an open episode counted."""
    before = [
        course
        for course in one.courses
        if is_referral(course, rule) and _a_year_before(episode.referred) <= course.received < episode.referred
    ]
    return [episode.referred, _source(episode.courses[0]), YES if episode.nfa else NO, len(before)]


def _assessment(assessment: Assessment, episode: Episode, period: Period) -> list[Cell]:
    end = assessment.end if assessment.end and assessment.end <= period.last else None
    seen = any(assessment.start <= day <= (end or period.last) for course in episode.courses for day in course.seen)
    return [assessment.start, YES if seen else NO, end, None if end is None else _needs(assessment, episode, period)]


def _needs(assessment: Assessment, episode: Episode, period: Period) -> str:
    """Whether the child needs support: they have a plan of either kind by the period's end, whatever an assessment beside the
    conference says; of whom another authority assesses, it is not known."""
    planned = any(plan.start <= period.last and (plan.end is None or plan.end >= assessment.start) for plan in episode.plans)
    if planned or assessment.outcome == "child_in_need_plan":
        return YES
    return NOT_KNOWN if assessment.outcome == "transfer" else NO


def _enquiry(enquiry: Enquiry, their: Sequence[Episode], period: Period) -> list[Cell]:
    """With how many there were in the twelve months until then, this one counted, and none after the period."""
    some = [each for episode in their for each in episode.enquiries]
    until = enquiry.start
    started = [each for each in some if _a_year_before(until) < each.start <= until]
    conference = enquiry.conference if enquiry.conference and enquiry.conference <= period.last else None
    latest = max(until, conference or until)
    held = [each for each in some if each.conference and _a_year_before(until) < each.conference <= latest]
    ended = enquiry.end is not None and enquiry.end <= period.last
    unnecessary = NO if conference else YES if ended else None
    planned = None if conference is None else YES if enquiry.planned else NO
    return [enquiry.start, unnecessary, conference, planned, len(started), len(held)]


def _a_year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # of 29 February
        return day - timedelta(days=366)


def workbook(rows: dict[str, list[list[Cell]]]) -> bytes:
    """The lists as a workbook, a sheet each."""
    # Imported only now: 2 MB that nothing else needs.
    import xlsxwriter

    written = io.BytesIO()
    book = xlsxwriter.Workbook(written, {"in_memory": True, "constant_memory": False})
    as_day, as_head = book.add_format({"num_format": "dd/mm/yyyy"}), book.add_format({"bold": True})
    for name, columns in COLUMNS.items():
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(columns) - 1, 24)
        for at, column in enumerate(columns):
            sheet.write_string(0, at, column, as_head)
        for line, row in enumerate(rows[name], start=1):
            for at, cell in enumerate(row):
                _write(sheet, line, at, cell, as_day)
    book.close()
    return written.getvalue()


def _write(sheet: Any, line: int, at: int, cell: Cell, as_day: Any) -> None:
    match cell:
        case None:
            return
        case date():
            sheet.write_datetime(line, at, cell, as_day)
        case int():
            sheet.write_number(line, at, cell)
        case str():
            # Saved as CSV, and opened again, text may become a formula: the mark in front of it keeps it from that.
            sheet.write_string(line, at, f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell)
