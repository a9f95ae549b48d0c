"""The Children in Need census as XML: elements, their order and their codes as in the collections of 2024-25 to 2026-27."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from xml.etree.ElementTree import Element, SubElement, indent, tostring  # nosec B405  it writes, and reads none

from mash.config import codes
from mash.flows.returns.course import Assessment, Enquiry, Plan
from mash.flows.returns.episodes import Episode
from mash.flows.returns.people import Person
from mash.flows.returns.year import Year
from mash.states.clocks import LONDON, Calendar, day_of
from mash.states.profile import ClockRule

NOT_OBTAINED, NOT_KNOWN, NOT_STATED = "NOBT", "U", "N0"
"""What the census has for what is not recorded: ethnicity not obtained, sex unknown, primary need not stated."""
UNKNOWN_SOURCE = "10"
SOFTWARE = "MASH front-door extract"


@dataclass(frozen=True)
class Child:
    """A child as they stand in one authority's return: an id that says nothing, who they are, and their episodes there."""

    id: str
    person: Person
    episodes: tuple[Episode, ...]
    authority: str = ""
    """Its number at the Department for Education; empty where the hub's is not known."""


@dataclass(frozen=True)
class Conference:
    """By when an initial child protection conference is to be held: the statutory limit, in working days of a hub's calendar."""

    rule: ClockRule
    calendar: Calendar

    def target(self, enquiry: Enquiry) -> date:
        """So many working days after the strategy discussion."""
        noon = datetime.combine(enquiry.start, time(12), LONDON).astimezone(UTC)
        return day_of(self.calendar.add(noon, self.rule.length))


def census(children: Iterable[Child], year: Year, authority: str, made_at: datetime, release: str, limit: Conference) -> bytes:
    """The file of one authority, children by their id. `authority` is its number at the Department for Education."""
    message = Element("Message")
    header = SubElement(message, "Header")
    collection = SubElement(header, "CollectionDetails")
    _texts(collection, Collection="CIN", Year=str(year.number), ReferenceDate=year.end.isoformat())
    source = SubElement(header, "Source")
    made = made_at.astimezone(LONDON).replace(tzinfo=None).isoformat(timespec="seconds")
    _texts(source, SourceLevel="L", LEA=authority, SoftwareCode=SOFTWARE, Release=release, SerialNo="001", DateTime=made)
    some = SubElement(message, "Children")
    for child in sorted(children, key=lambda each: each.id):
        _child(SubElement(some, "Child"), child, year, limit)
    indent(message)
    written: bytes = tostring(message, encoding="utf-8", xml_declaration=True)
    return written


def _texts(parent: Element, **texts: str | date | None) -> None:
    """Elements in this order; nothing of what is None."""
    for name, text in texts.items():
        if text is not None:
            SubElement(parent, name).text = text if isinstance(text, str) else text.isoformat()


def _child(element: Element, child: Child, year: Year, limit: Conference) -> None:
    person, born = child.person, child.person.born_by(year.end)
    _texts(
        SubElement(element, "ChildIdentifiers"),
        LAchildID=child.id,
        UPN=person.upn,
        FormerUPN=person.former_upn,
        UPNunknown=person.upn_unknown,
        PersonBirthDate=born,
        ExpectedPersonBirthDate=person.expected_after(year.end),
        Sex=(person.sex or NOT_KNOWN) if born or not person.expected_after(year.end) else NOT_KNOWN,
        PersonDeathDate=person.died if person.died and person.died <= year.end else None,
    )
    characteristics = SubElement(element, "ChildCharacteristics")
    _texts(characteristics, Ethnicity=person.ethnicity or NOT_OBTAINED)
    if person.disabilities:
        disabilities = SubElement(characteristics, "Disabilities")
        for code in person.disabilities:
            _texts(disabilities, Disability=code)
    for episode in child.episodes:
        _episode(SubElement(element, "CINdetails"), episode, limit)


def _episode(element: Element, episode: Episode, limit: Conference) -> None:
    _texts(
        element,
        CINreferralDate=episode.referred,
        ReferralSource=source_of(episode),
        PrimaryNeedCode=need_of(episode),
        CINclosureDate=episode.closed,
        ReasonForClosure=episode.reason,
    )
    for assessment in episode.assessments:
        _assessment(SubElement(element, "Assessments"), assessment)
    for enquiry in episode.enquiries:
        _enquiry(SubElement(element, "Section47"), enquiry, limit)
    _texts(element, ReferralNFA=_yes(episode.nfa))
    for plan in episode.plans:
        _plan(SubElement(element, "ChildProtectionPlans"), plan)


def source_of(episode: Episode) -> str:
    """Who referred, or that it is not known."""
    return episode.source if codes.known("referral_source", episode.source) else UNKNOWN_SOURCE


def need_of(episode: Episode) -> str | None:
    """The primary need; not stated where it should be, and is not recorded (rule 8610)."""
    if episode.need and codes.known("primary_need", episode.need):
        return episode.need
    return None if episode.nfa else NOT_STATED


def _yes(holds: bool) -> str:
    return "1" if holds else "0"


def _assessment(element: Element, assessment: Assessment) -> None:
    _texts(element, AssessmentActualStartDate=assessment.start, AssessmentAuthorisationDate=assessment.end)
    if assessment.factors:
        factors = SubElement(element, "FactorsIdentifiedAtAssessment")
        for factor in assessment.factors:
            _texts(factors, AssessmentFactors=factor)


def _enquiry(element: Element, enquiry: Enquiry, limit: Conference) -> None:
    _texts(
        element,
        S47ActualStartDate=enquiry.start,
        InitialCPCtarget=limit.target(enquiry),
        DateOfInitialCPC=enquiry.conference,
        ICPCnotRequired=_yes(enquiry.conference is None and enquiry.end is not None),
    )


def _plan(element: Element, plan: Plan) -> None:
    _texts(
        element,
        CPPstartDate=plan.start,
        CPPendDate=plan.end,
        InitialCategoryOfAbuse=plan.category,
        LatestCategoryOfAbuse=plan.category,
        NumberOfPreviousCPP=None if plan.previous is None else str(plan.previous),
    )
