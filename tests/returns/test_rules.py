"""What the rules find before a file is made: each by its number, with the case and the act that mends it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from stdnum.gb import upn

from mash.config.commands import COMMANDS
from mash.config.profile import load_profile
from mash.flows.returns.children import Known, erased_in, in_year, own_id
from mash.flows.returns.cin import Conference, census
from mash.flows.returns.course import Assessment, Before, Course, Ended, Enquiry, Plan
from mash.flows.returns.extract import authorities
from mash.flows.returns.findings import KIND_OF, MADE_SO, RULES
from mash.flows.returns.people import Person, Written, merged
from mash.flows.returns.rules import Checks, findings
from mash.flows.returns.year import Year

PROFILE = load_profile("sandwell")
CHECKS = Checks(Year(2026), PROFILE.returns, PROFILE.calendar)
DETAILS: dict[str, Any] = {
    "sex": "F",
    "ethnicity": "WBRI",
    "disability": ["NONE"],
    "date_of_birth": "2015-03-04",
    "upn_unknown": "UN2",
}
REFERRED = date(2025, 6, 2)
DONE = Assessment(date(2025, 6, 3), date(2025, 7, 1), ("1A",), "early_help", "R", "S1")
HELD = Enquiry(date(2025, 6, 4), conference=date(2025, 6, 18), planned=True, reference="R", subject="S1")
PLANNED = Plan(date(2025, 6, 18), "NEG", 0, reference="R", subject="S1")
COURSE = Course("R", "R", "S1", REFERRED, "referral", "2A", "N1", "section_17", checked=True, assessments=(DONE,))
EARLIER = replace(COURSE, received=date(2025, 3, 3))
CLOSED = replace(COURSE, ended=Ended(date(2025, 7, 1), "early_help"))


def child(course: Course = CLOSED, name: str = "CHILD1", **details: Any) -> Known:
    return Known(name, Person({name: value for name, value in {**DETAILS, **details}.items() if value is not None}), (course,))


def found(*people: Known, checks: Checks = CHECKS) -> set[str]:
    return {each.rule for each in findings(people, checks)}


def test_of_a_child_of_whom_all_is_recorded_nothing_is_found() -> None:
    assert found(child()) == set()


BROKEN: dict[str, Callable[[], Known]] = {
    "1510": lambda: child(upn="X00"),
    "1560Q": lambda: child(former_upn="X00"),
    "4180": lambda: child(sex=None),
    "4220": lambda: child(ethnicity="MARTIAN"),
    "8525Q": lambda: child(date_of_birth=None),
    "8530Q": lambda: child(date_of_birth=None, expected_date="2025-09-01"),
    "8535Q": lambda: child(died_on="2014-01-01"),
    "8540": lambda: child(disability=None),
    "8545Q": lambda: child(died_on="2020-01-01"),
    "8555Q": lambda: child(died_on="2025-05-01"),
    "8606": lambda: child(date_of_birth="2026-03-30"),
    "8610": lambda: child(replace(CLOSED, need=None)),
    "8670Q": lambda: child(replace(COURSE, assessments=(replace(DONE, end=None, factors=()),))),
    "8675Q": lambda: child(replace(COURSE, enquiries=(replace(HELD, conference=None),))),
    "8730": lambda: child(replace(COURSE, enquiries=(HELD,), plans=(replace(PLANNED, previous=None),))),
    "8736": lambda: child(
        replace(COURSE, received=date(2025, 3, 3), assessments=(Assessment(date(2025, 3, 4), reference="R", subject="S1"),))
    ),
    "8740": lambda: child(
        replace(COURSE, received=date(2025, 3, 3), enquiries=(Enquiry(date(2025, 3, 4), reference="R", subject="S1"),))
    ),
    "8770Q": lambda: child(upn_unknown=None),
    "8772": lambda: child(upn_unknown="UN7"),
    "8775Q": lambda: child(date_of_birth="1995-01-01"),
    "8825Q": lambda: child(
        replace(CLOSED, received=date(2025, 3, 3), assessments=(replace(DONE, start=date(2025, 3, 3), end=date(2025, 3, 20)),))
    ),
    "8863Q": lambda: child(replace(CLOSED, assessments=(DONE, replace(DONE, start=date(2025, 6, 20))))),
    "8866": lambda: child(replace(CLOSED, source="school")),
    "8867": lambda: child(replace(CLOSED, assessments=(replace(DONE, end=None),))),
    "8868": lambda: child(
        replace(CLOSED, enquiries=(Enquiry(date(2025, 6, 4), end=date(2025, 6, 9), cut_short=True, reference="R", subject="S1"),))
    ),
    "8873Q": lambda: child(replace(COURSE, assessments=(replace(DONE, factors=("21",)),))),
    "8875": lambda: child(replace(COURSE, enquiries=(replace(HELD, conference=date(2025, 6, 21)),))),
    "8897Q": lambda: child(replace(CLOSED, assessments=(replace(DONE, factors=()),))),
    "8905": lambda: child(replace(COURSE, enquiries=(HELD,), plans=(replace(PLANNED, category=None),))),
    "8915": lambda: child(replace(COURSE, enquiries=(HELD,), plans=(PLANNED,)), died_on="2025-06-10"),
    "8945Q": lambda: child(replace(CLOSED, assessments=(replace(DONE, factors=("18A",)),))),
    "8950Q": lambda: child(replace(CLOSED, assessments=(replace(DONE, factors=("19A",)),))),
    "2885": lambda: child(replace(COURSE, enquiries=(HELD,), plans=(replace(PLANNED, start=date(2025, 6, 19)),))),
    "2889": lambda: child(replace(COURSE, enquiries=(replace(HELD, start=date(2025, 5, 30)),))),
    "2991Q": lambda: child(replace(COURSE, assessments=(), enquiries=(HELD,))),
    "1103": lambda: child(replace(CLOSED, assessments=(replace(DONE, start=date(2025, 5, 30)),))),
    "undecided": lambda: child(replace(COURSE, decided=None, assessments=())),
    "reopened": lambda: child(replace(COURSE, before=(Before(date(2026, 5, 12), CLOSED),))),
    "withdrawn": lambda: child(replace(CLOSED, withdrawn=(replace(HELD, conference=None, planned=False),))),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_what_breaks_a_rule_is_found_by_that_rule_with_the_case_and_what_mends_it(rule: str) -> None:
    (finding,) = [each for each in findings([BROKEN[rule]()], CHECKS) if each.rule == rule]
    assert (finding.reference, finding.subject) == ("R", "S1") and finding.says
    assert all(COMMANDS[act].button for act in finding.mends)


def test_a_case_that_was_closed_and_reopened_after_the_year_has_changed_nothing_that_was_returned() -> None:
    closed = replace(CLOSED, received=date(2026, 3, 2), ended=Ended(date(2026, 5, 4), "early_help"), assessments=())
    again = replace(closed, ended=None, before=(Before(date(2026, 6, 2), closed),))
    assert "reopened" not in found(child(again))
    nothing = replace(closed, decided="advice", checked=False)
    assert "reopened" not in found(child(replace(nothing, decided=None, before=(Before(date(2026, 6, 2), nothing),))))


def test_every_act_that_mends_something_is_one() -> None:
    assert {act for rule in RULES.values() for act in rule.mends} <= set(COMMANDS)


def test_what_the_census_has_a_code_for_is_no_error_and_nothing_is_asked_of_whom_nothing_further_was_done() -> None:
    kinds = {rule: KIND_OF[rule] for rule in ("4180", "4220", "8610", "8866", "8540", "8905", "8525Q", "undecided")}
    filled = dict.fromkeys(("4180", "4220", "8610", "8866"), "filled")
    assert kinds == {**filled, "8540": "error", "8905": "error", "8525Q": "query", "undecided": "query"}
    nothing = replace(COURSE, decided="no_further_action", assessments=(), ended=Ended(date(2025, 6, 4), "no_further_action"))
    assert found(child(nothing, sex=None, ethnicity=None, disability=None, upn_unknown=None)) == set()


def test_no_record_breaks_what_the_file_is_made_to_hold_and_every_other_rule_has_a_record_that_does() -> None:
    assert set(BROKEN) | {"1520", "8615", "no place", "adult"} | set(MADE_SO) == set(RULES)


def test_a_child_of_school_age_is_asked_for_a_upn_by_the_rule_and_not_by_the_birthday_in_march() -> None:
    """8770Q: five by the end of August before the year's end, and so born between April and August 2020 too."""
    assert found(child(date_of_birth="2020-08-31", upn_unknown=None)) == {"8770Q"}
    assert found(child(date_of_birth="2020-09-01", upn_unknown=None)) == set()


def test_two_children_with_one_upn_are_asked_about_and_are_two_until_somebody_says_so() -> None:
    with_upn = {"upn_unknown": None, "upn": f"{upn.calc_check_digit('202000000000')}202000000000"}
    people = [child(name="ONE", **with_upn), child(replace(CLOSED, reference="Q", root="Q"), name="OTHER", **with_upn)]
    assert [each.reference for each in findings(people, CHECKS) if each.rule == "1520"] == ["Q", "R"]


def test_whoever_is_of_no_place_in_a_hub_of_two_authorities_is_asked_about() -> None:
    checks = replace(CHECKS, several=True, places=frozenset({"swindon"}))
    assert (
        found(child(), checks=checks) == {"no place"} and found(child(replace(CLOSED, place="swindon")), checks=checks) == set()
    )


# --- what the file says ----------------------------------------------------------------------------------------------------


def written(*people: Known, year: Year = CHECKS.year) -> ET.Element:
    children, _ = in_year(people, year, PROFILE.returns)
    limit = Conference(PROFILE.statutory["conference"], PROFILE.calendar)
    return ET.fromstring(census(children, year, "333", datetime(2026, 5, 1, tzinfo=UTC), "1", limit))


def texts(root: ET.Element, name: str) -> list[str]:
    return [element.text or "" for element in root.iter(name)]


def test_factors_that_are_there_twice_or_beside_none_are_written_once_and_without_it() -> None:
    """8614, 8869 and 8898: of these the outside validator says nothing, or stops."""
    root = written(child(replace(CLOSED, assessments=(replace(DONE, factors=("1A", "21", "1A", "3B")),))))
    assert texts(root, "AssessmentFactors") == ["1A", "3B"]
    unfinished = replace(COURSE, received=date(2026, 3, 20), assessments=(Assessment(date(2026, 3, 23), factors=("1A",)),))
    assert texts(written(child(unfinished)), "AssessmentFactors") == []


def test_a_child_who_was_unborn_at_the_end_of_the_year_is_unborn_in_its_return_and_born_in_the_next() -> None:
    going = replace(COURSE, received=date(2026, 2, 2), assessments=())
    one = child(going, date_of_birth="2026-04-09", expected_date="2026-04-12", disability=None, upn_unknown=None)
    root = written(one)
    assert texts(root, "ExpectedPersonBirthDate") == ["2026-04-12"] and texts(root, "Sex") == ["U"]
    assert texts(root, "PersonBirthDate") == [] and found(one) == set()
    after = written(one, year=Year(2027))
    assert texts(after, "PersonBirthDate") == ["2026-04-09"] and texts(after, "Sex") == ["F"]


def test_who_was_erased_is_counted_and_in_no_file() -> None:
    gone = replace(child(replace(COURSE, decided=None, assessments=())), erased=True), replace(child(), erased=True)
    assert in_year(gone, CHECKS.year, PROFILE.returns) == ([], []) and found(*gone) == set()
    counted = [erased_in(gone, year, PROFILE.returns) for year in (Year(2025), CHECKS.year, Year(2027))]
    assert counted == [0, 1, 0]


def test_what_is_not_recorded_is_written_as_that_and_never_made_up() -> None:
    root = written(child(replace(CLOSED, need=None, source="school"), sex=None, ethnicity=None, disability=None))
    assert (texts(root, "Sex"), texts(root, "Ethnicity"), texts(root, "Disability")) == (["U"], ["NOBT"], [])
    assert (texts(root, "PrimaryNeedCode"), texts(root, "ReferralSource")) == (["N0"], ["10"])


def test_an_episode_that_ended_once_the_child_had_died_was_closed_by_that() -> None:
    root = written(child(died_on="2025-06-28"))
    assert (texts(root, "ReasonForClosure"), texts(root, "PersonDeathDate")) == (["RC2"], ["2025-06-28"])


def test_a_plan_ends_with_the_childs_death_and_has_a_day_or_is_in_no_file() -> None:
    there = Ended(date(2025, 7, 1), "child_protection_plan", to_authority=True)
    taken_over = replace(COURSE, enquiries=(HELD,), plans=(PLANNED,), ended=there)
    assert texts(written(child(taken_over)), "CPPendDate") == ["2025-07-01"]
    assert texts(written(child(taken_over, died_on="2025-06-28")), "CPPendDate") == ["2025-06-28"]
    on_the_day = replace(taken_over, assessments=(), ended=replace(there, on=PLANNED.start))
    assert texts(written(child(on_the_day)), "CPPstartDate") == []


def test_a_death_without_a_birthday_and_an_assessment_of_the_day_on_which_another_ends_are_asked_about() -> None:
    assert "8535Q" in found(child(date_of_birth=None, died_on="2025-06-28"))
    day = date(2025, 6, 20)
    assert "8863Q" in found(child(replace(CLOSED, assessments=(replace(DONE, end=day), replace(DONE, start=day)))))


def test_a_conference_is_due_fifteen_working_days_after_the_discussion_and_bank_holidays_are_none() -> None:
    course = replace(COURSE, received=date(2025, 4, 1), enquiries=(Enquiry(date(2025, 4, 14), end=date(2025, 4, 20)),))
    assert texts(written(child(course)), "InitialCPCtarget") == ["2025-05-08"]


def written_down(reference: str, day: int, **fields: Any) -> Written:
    """What was written of a child in a case, on a day in May."""
    return Written(reference, "S1", {name: (value, datetime(2025, 5, day, tzinfo=UTC)) for name, value in fields.items()})


def test_of_one_child_in_several_contacts_what_was_written_last_counts_and_stands_with_its_case() -> None:
    first = written_down("A", 20, sex="M", upn_unknown="UN2")
    person = merged([first, written_down("B", 10, sex="F", ethnicity="MWBC"), written_down("C", 21, sex="")])
    assert (person.sex, person.ethnicity) == ("M", "MWBC")
    assert person.written_in == {"sex": ("A", "S1"), "upn_unknown": ("A", "S1"), "ethnicity": ("B", "S1")}


def test_what_is_no_code_of_the_census_takes_the_place_of_none() -> None:
    person = merged([written_down("A", 1, ethnicity="WBRI"), written_down("B", 20, ethnicity="White British")])
    assert person.ethnicity == "WBRI"


def test_a_number_that_is_no_upn_does_not_take_the_reason_why_there_is_none() -> None:
    person = merged([written_down("A", 1, upn_unknown="UN5"), written_down("B", 2, upn="X00")])
    assert (person.upn, person.upn_unknown) == (None, "UN5")
    (finding,) = findings([Known("CHILD1", replace(person, recorded={**DETAILS, **person.recorded}), (CLOSED,))], CHECKS)
    assert (finding.rule, finding.reference) == ("1510", "B")


def test_whoever_is_taken_for_an_adult_of_whose_age_nothing_is_known_is_in_no_file_and_is_asked_about() -> None:
    one = replace(child(), courses=(), adult=(replace(CLOSED, cohort="adult"),))
    assert in_year([one], CHECKS.year, PROFILE.returns) == ([], [])
    assert found(one) == {"adult"}
    assert found(replace(one, adult=(replace(one.adult[0], decided=None, assessments=(), ended=None),))) == set()


def test_what_is_left_out_stands_with_the_child_in_the_case_in_which_it_was_done() -> None:
    again = replace(COURSE, reference="Q", root="Q", subject="S2", received=date(2025, 6, 20), assessments=())
    left = replace(CLOSED, received=date(2025, 3, 3), assessments=(replace(DONE, end=None, reference="Q", subject="S2"),))
    people = [replace(child(), courses=(left, replace(again, ended=CLOSED.ended)))]
    assert [(each.reference, each.subject) for each in findings(people, CHECKS) if each.rule == "8867"] == [("Q", "S2")]


def test_two_authorities_may_each_have_the_child_and_are_not_asked_whether_it_is_one() -> None:
    number = {"upn_unknown": None, "upn": f"{upn.calc_check_digit('202000000000')}202000000000"}
    people = [
        replace(child(**number), authority="860"),
        replace(child(replace(CLOSED, reference="Q"), **number), authority="861"),
    ]
    assert found(*people) == set()


def test_an_id_is_the_same_each_time_of_letters_and_digits_and_tells_nobody_the_case() -> None:
    one = own_id(b"key", "MASH-26-000001", "S1")
    assert one == own_id(b"key", "MASH-26-000001", "S1") and one != own_id(b"other", "MASH-26-000001", "S1")
    assert len(one) == 20 and one.isalnum() and "26" not in one[:4]


@pytest.mark.parametrize(
    ("hub", "expected"),
    [
        ("sandwell", {"": "333"}),
        ("westminster", {"": "213"}),
        ("wiltshire_swindon", {"": "865", "wiltshire": "865", "swindon": "866"}),
        ("staffordshire_stoke", {"": "860", "staffordshire": "860", "stoke": "861"}),
        ("alexi", {"": ""}),
    ],
)
def test_whose_return_it_is_follows_from_the_hubs_area_and_its_places(hub: str, expected: dict[str, str]) -> None:
    assert authorities(load_profile(hub)) == expected
