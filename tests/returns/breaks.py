"""A file that is right, and thirty ways to break it, each by the rule of the outside validator that is meant."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from stdnum.gb import upn

from mash.config.profile import load_profile
from mash.flows.returns.children import Known, in_year
from mash.flows.returns.cin import Conference, census
from mash.flows.returns.course import Assessment, Course, Ended, Enquiry, Plan
from mash.flows.returns.people import Person
from mash.flows.returns.year import Year

YEAR, PROFILE = Year(2026), load_profile("sandwell")
NUMBERS = tuple(f"{upn.calc_check_digit(digits)}{digits}" for digits in ("333400112340", "333400112341"))
ASSESSED = Assessment(date(2025, 6, 10), date(2025, 7, 1), ("1A", "3B"), "no_further_action", "A")


def _person(**details: Any) -> Person:
    return Person({"sex": "F", "ethnicity": "WBRI", "disability": ["NONE"], "date_of_birth": "2014-05-06", **details})


def right() -> ET.Element:
    """Four children: closed after an assessment; under a plan; not born yet; with a referral by which nothing more was done."""
    whole = Course("A", "A", "S1", date(2025, 6, 2), "referral", "2A", "N1", "section_17", checked=True)
    closed = replace(whole, assessments=(ASSESSED,), ended=Ended(date(2025, 7, 1), "no_further_action"))
    held = Enquiry(date(2025, 6, 4), conference=date(2025, 6, 18), planned=True)
    assessed = (replace(ASSESSED, start=date(2025, 6, 5), outcome="child_in_need_plan"),)
    planned = replace(
        whole, decided="section_47", assessments=assessed, enquiries=(held,), plans=(Plan(date(2025, 6, 18), "NEG", 0),)
    )
    nothing = replace(whole, decided="no_further_action", ended=Ended(date(2025, 6, 3), "no_further_action"))
    expected = replace(whole, received=date(2026, 3, 2))
    people = [
        Known("CLOSED1", _person(upn=NUMBERS[0]), (closed,)),
        Known("PLANNED1", _person(upn=NUMBERS[1], disability=["MOB", "LD"]), (planned,)),
        Known("UNBORN1", Person({"ethnicity": "MWBC", "expected_date": "2026-06-01"}), (expected,)),
        Known("NOTHING1", _person(upn_unknown="UN7"), (nothing,)),
    ]
    children, _ = in_year(people, YEAR, PROFILE.returns)
    limit = Conference(PROFILE.statutory["conference"], PROFILE.calendar)
    return ET.fromstring(census(children, YEAR, "333", datetime(2026, 5, 1, tzinfo=UTC), "1", limit))


def _at(root: ET.Element, child: str, name: str) -> ET.Element:
    """An element of a child, wherever it stands."""
    of = next(each for each in root.iter("Child") if each.findtext(".//LAchildID") == child)
    found = of.find(f".//{name}")
    assert found is not None, name
    return found


def _say(child: str, name: str, text: str) -> Callable[[ET.Element], None]:
    def act(root: ET.Element) -> None:
        _at(root, child, name).text = text

    return act


def _drop(child: str, parent: str, name: str) -> Callable[[ET.Element], None]:
    def act(root: ET.Element) -> None:
        within = _at(root, child, parent)
        within.remove(_at(root, child, name))

    return act


def _add(child: str, parent: str, name: str, text: str) -> Callable[[ET.Element], None]:
    def act(root: ET.Element) -> None:
        ET.SubElement(_at(root, child, parent), name).text = text

    return act


def _header(name: str, text: str) -> Callable[[ET.Element], None]:
    def act(root: ET.Element) -> None:
        found = root.find(f".//{name}")
        assert found is not None
        found.text = text

    return act


def _again(root: ET.Element) -> None:
    """A second open episode of the child under a plan, as if a contact had not been attached."""
    child = next(each for each in root.iter("Child") if each.findtext(".//LAchildID") == "PLANNED1")
    module = ET.SubElement(child, "CINdetails")
    for name, text in (
        ("CINreferralDate", "2025-09-01"),
        ("ReferralSource", "2A"),
        ("PrimaryNeedCode", "N1"),
        ("ReferralNFA", "0"),
    ):
        ET.SubElement(module, name).text = text


A, PLANNED, NOTHING, UNBORN = "CLOSED1", "PLANNED1", "NOTHING1", "UNBORN1"
BREAKS: tuple[tuple[str, str, Callable[[ET.Element], None]], ...] = (
    ("100", "the reference date is not 31 March", _header("ReferenceDate", "2026-03-30")),
    ("8500", "a child has no id", _drop(A, "ChildIdentifiers", "LAchildID")),
    ("8510", "two children have one id", _say(A, "LAchildID", PLANNED)),
    ("1570", "an id is too long", _say(A, "LAchildID", "A" * 21)),
    ("1580", "an id has a hyphen", _say(A, "LAchildID", "CLOSED-1")),
    ("1510", "a UPN has the wrong letter", _say(A, "UPN", ("B" if NUMBERS[0][0] != "B" else "C") + NUMBERS[0][1:])),
    ("1520", "two children have one UPN", _say(A, "UPN", NUMBERS[1])),
    ("4180", "sex is no code", _say(A, "Sex", "X")),
    ("8750", "a sex is said of the unborn", _say(UNBORN, "Sex", "F")),
    ("4220", "ethnicity is no code", _say(NOTHING, "Ethnicity", "ABCD")),
    ("8525Q", "there is no birthday", _drop(A, "ChildIdentifiers", "PersonBirthDate")),
    ("8606", "born long after the referral", _say(A, "PersonBirthDate", "2026-03-30")),
    ("8770Q", "no UPN at school age", _drop(A, "ChildIdentifiers", "UPN")),
    ("8772", "UN7, and something was done", _say(NOTHING, "ReferralNFA", "0")),
    ("8600", "referred after the year", _say(UNBORN, "CINreferralDate", "2026-04-01")),
    ("8866", "the source is no code", _say(A, "ReferralSource", "11")),
    ("8568", "it is not said whether more was done", _drop(A, "CINdetails", "ReferralNFA")),
    ("8610", "no primary need", _drop(A, "CINdetails", "PrimaryNeedCode")),
    ("8831", "something was done, and it says that nothing was", _say(A, "ReferralNFA", "1")),
    ("8815", "two open episodes", _again),
    ("1103", "assessed before the referral", _say(A, "AssessmentActualStartDate", "2025-06-01")),
    ("8608", "an assessment ends before it begins", _say(PLANNED, "AssessmentAuthorisationDate", "2025-06-01")),
    ("8867", "closed, and an assessment is not finished", _drop(A, "Assessments", "AssessmentAuthorisationDate")),
    ("2889", "a section 47 before the referral", _say(PLANNED, "S47ActualStartDate", "2025-06-01")),
    ("8875", "a conference on a Saturday", _say(PLANNED, "DateOfInitialCPC", "2025-06-21")),
    ("2885", "a plan from another day", _say(PLANNED, "CPPstartDate", "2025-06-19")),
    ("8905", "a plan without a category", _drop(PLANNED, "ChildProtectionPlans", "InitialCategoryOfAbuse")),
    ("8810", "a reason, and no closure", _drop(A, "CINdetails", "CINclosureDate")),
    ("8640", "a reason that is no code", _say(A, "ReasonForClosure", "RC10")),
    ("8620", "closed after the year", _say(A, "CINclosureDate", "2026-04-02")),
    ("8565", "assessed after the closure", _say(A, "CINclosureDate", "2025-06-20")),
    ("8790", "no disability, and one", _add(PLANNED, "Disabilities", "Disability", "NONE")),
)
"""The rule that is meant, what is broken, and how."""
