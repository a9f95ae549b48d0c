"""Annex A's lists, as whoever gets the workbook reads them."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import openpyxl

from mash.config.codes import code_sets
from mash.config.profile import load_profile
from mash.flows.returns.annex_a import COLUMNS, ETHNICITIES, SOURCES, Period, lists, workbook
from mash.flows.returns.children import Known
from mash.flows.returns.course import Assessment, Course, Ended, Enquiry, Plan
from mash.flows.returns.people import Person

RULE = load_profile("sandwell").returns
PERIOD = Period(date(2025, 6, 1), date(2025, 12, 31))
PERSON = Person({"sex": "M", "ethnicity": "APKN", "disability": ["MOB"], "date_of_birth": "2015-12-31"})
COURSE = Course(
    "R",
    "R",
    "S1",
    date(2025, 6, 2),
    "referral",
    "5D",
    "N1",
    "section_17",
    checked=True,
    worker="s.worker",
    seen=(date(2025, 6, 3),),
)


def rows(*people: Known, period: Period = PERIOD) -> dict[str, list[list[Any]]]:
    return lists(people, period, RULE, lambda course: "The hub")


def child(*courses: Course, person: Person = PERSON) -> Known:
    return Known("CHILD1", person, courses)


def test_every_contact_is_in_list_1_also_one_that_was_attached_and_list_3_has_one_referral() -> None:
    found = rows(child(COURSE, replace(COURSE, reference="Q", root="Q", received=date(2025, 7, 1))))
    assert len(found["List 1"]) == 2 and len(found["List 3"]) == 1
    who = ["CHILD1", "a) Male", "k) APKN", date(2015, 12, 31), 10]
    assert found["List 1"][0] == [*who, date(2025, 6, 2), "o) 5B: LA services"]
    assert found["List 3"][0][5:] == [date(2025, 6, 2), "o) 5B: LA services", "b) No", 0, "The hub", "s.worker"]


def test_an_assessment_is_in_list_4_while_it_goes_on_and_not_once_it_ended_before() -> None:
    going = Assessment(date(2025, 5, 1))
    done = Assessment(date(2025, 5, 1), date(2025, 6, 20), ("1A",), "child_in_need_plan")
    assert rows(child(replace(COURSE, assessments=(going,))))["List 4"][0][5:10] == [
        "a) Yes",
        date(2025, 5, 1),
        "a) Yes",
        None,
        None,
    ]
    assert rows(child(replace(COURSE, assessments=(done,))))["List 4"][0][8:10] == [date(2025, 6, 20), "a) Yes"]
    later = Period(date(2025, 7, 1), date(2025, 12, 31))
    assert rows(child(replace(COURSE, assessments=(done,))), period=later)["List 4"] == []


def test_a_section_47_is_in_list_5_with_its_conference_or_that_none_was_needed() -> None:
    held = Enquiry(date(2025, 6, 4), conference=date(2025, 6, 18), planned=True)
    ended = Enquiry(date(2025, 8, 4), end=date(2025, 8, 9))
    first, second = rows(child(replace(COURSE, enquiries=(held, ended))))["List 5"]
    assert first[6:12] == [date(2025, 6, 4), "b) No", date(2025, 6, 18), "a) Yes", 1, 1]
    assert second[6:12] == [date(2025, 8, 4), "a) Yes", None, None, 2, 1]


def test_a_child_who_was_seen_before_the_assessment_or_after_it_was_not_seen_during_it() -> None:
    done = Assessment(date(2025, 6, 5), date(2025, 6, 20), ("1A",), "early_help")
    for day, seen in (("2025-06-03", "b) No"), ("2025-06-05", "a) Yes"), ("2025-06-20", "a) Yes"), ("2025-06-21", "b) No")):
        course = replace(COURSE, assessments=(done,), seen=(date.fromisoformat(day),))
        assert rows(child(course))["List 4"][0][7] == seen


def test_whoever_has_a_plan_needs_support_whatever_the_assessment_beside_it_says_and_of_a_transfer_it_is_not_known() -> None:
    def needs(outcome: str, *plans: Plan) -> Any:
        done = Assessment(date(2025, 6, 5), date(2025, 6, 20), ("1A",), outcome)
        return rows(child(replace(COURSE, assessments=(done,), plans=plans)))["List 4"][0][9]

    assert needs("no_further_action", Plan(date(2025, 6, 18))) == needs("child_in_need_plan") == "a) Yes"
    assert needs("no_further_action") == "b) No" and needs("transfer") == "c) Unknown"
    assert needs("no_further_action", Plan(date(2026, 1, 1))) == "b) No", "a plan from after the period"


def test_an_enquiry_that_was_open_in_the_period_is_in_list_5_and_a_conference_after_it_is_neither_shown_nor_counted() -> None:
    going = Enquiry(date(2025, 5, 20))
    ended = Enquiry(date(2025, 5, 20), end=date(2025, 6, 3))
    later = Enquiry(date(2025, 12, 20), conference=date(2026, 1, 8), planned=True)
    assert rows(child(replace(COURSE, enquiries=(going,))))["List 5"][0][6:12] == [date(2025, 5, 20), None, None, None, 1, 0]
    assert rows(child(replace(COURSE, enquiries=(ended,))))["List 5"][0][6:12] == [date(2025, 5, 20), "a) Yes", None, None, 1, 0]
    assert rows(child(replace(COURSE, enquiries=(later,))))["List 5"][0][6:12] == [date(2025, 12, 20), None, None, None, 1, 0]
    over = Enquiry(date(2025, 4, 1), end=date(2025, 5, 31))
    assert rows(child(replace(COURSE, enquiries=(over,))))["List 5"] == []


def test_twelve_months_are_a_year_also_over_the_29th_of_february() -> None:
    """From 1 March 2023 to 1 March 2024 there are 366 days."""
    first = replace(COURSE, received=date(2023, 3, 1), ended=Ended(date(2023, 4, 1), "early_help"), reference="P", root="P")
    second = replace(COURSE, received=date(2024, 3, 1))
    assert rows(child(first, second), period=Period(date(2024, 3, 1), date(2024, 3, 1)))["List 3"][0][8] == 1


def test_referrals_of_the_twelve_months_before_are_counted() -> None:
    before = replace(
        COURSE, received=date(2025, 1, 2), ended=Ended(date(2025, 2, 2), "no_further_action"), reference="P", root="P"
    )
    assert rows(child(before, COURSE))["List 3"][0][8] == 1


def test_who_was_erased_is_in_no_list_and_who_is_not_known_is_said_to_be_that() -> None:
    assert not any(rows(replace(child(COURSE), erased=True)).values())
    unknown = rows(child(replace(COURSE, source="school", worker=None), person=Person({})))
    assert unknown["List 1"][0][1:] == ["c) Not stated/recorded", "s) NOBT", None, None, date(2025, 6, 2), "u) 10: Unknown"]
    assert unknown["List 3"][0][-1] == "Not allocated"


def test_every_code_of_the_census_has_one_of_the_lists() -> None:
    assert set(SOURCES) == set(code_sets()["referral_source"]) and set(ETHNICITIES) == set(code_sets()["ethnicity"])


def test_what_would_be_a_formula_is_text_in_the_workbook() -> None:
    course = replace(COURSE, worker='=HYPERLINK("http://example.org")')
    book = openpyxl.load_workbook(io.BytesIO(workbook(rows(child(course)))))
    assert tuple(book.sheetnames) == tuple(COLUMNS)
    head, row = [list(line) for line in book["List 3"].iter_rows()]
    assert tuple(cell.value for cell in head) == COLUMNS["List 3"]
    assert row[-1].data_type == "s" and row[-1].value == '\'=HYPERLINK("http://example.org")'
    assert row[5].value == datetime(2025, 6, 2) and row[8].value == 0
