"""Whatever contacts there are about a child: none is dropped, and no two of their episodes are open at once."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mash.config.profile import load_profile
from mash.flows.returns.children import Known
from mash.flows.returns.course import Assessment, Course, Ended, Enquiry, Plan
from mash.flows.returns.episodes import episodes, is_referral
from mash.flows.returns.people import Person
from mash.flows.returns.rules import Checks, findings
from mash.flows.returns.year import Year, as_of

PROFILE = load_profile("sandwell")
RULE, YEAR = PROFILE.returns, Year(2026)
FIRST = date(2025, 1, 6)
STRUCTURE = {"8815", "8816", "8820", "8890", "8831", "8565", "8869", "8898", "8608", "8614", "2990", "1103", "2889"}
"""Rules of how episodes and what is in them stand to one another: no record of a contact breaks them."""
ENDS = ("no_further_action", "early_help", "child_in_need_plan", "child_protection_plan", "transfer", "no_plan")


@st.composite
def contacts(draw: st.DrawFn, number: int = 0) -> Course:
    """A contact about the child, and what it came to."""
    received = FIRST + timedelta(days=draw(st.integers(0, 500)))
    decision = draw(st.sampled_from(("section_47", "section_17", "no_further_action", "early_help", "transfer", None)))
    day, assessments, enquiries, plans = received, [], [], []

    def later(most: int) -> date:
        nonlocal day
        day += timedelta(days=draw(st.integers(0, most)))
        return day

    going = False
    if decision in ("section_47", "section_17"):
        for _ in range(draw(st.integers(0, 2))):
            start = later(5)
            end = None if (going := draw(st.booleans())) else later(40)
            factors = tuple(draw(st.lists(st.sampled_from(("1A", "3B", "21")), min_size=1, max_size=3))) if end else ()
            assessments.append(Assessment(start, end, factors, "early_help" if end else None, "R"))
            if going:
                break
    if decision == "section_47" and not going:
        start, conference = later(3), draw(st.booleans())
        held = later(15)
        planned = conference and draw(st.booleans())
        enquiries.append(Enquiry(start, held if conference else None, None if conference else held, planned, reference="R"))
        plans += [Plan(held, "NEG", 0, reference="R")] if planned else []
    over = decision is not None and not going and draw(st.booleans())
    how = draw(st.sampled_from(ENDS))
    ended = Ended(later(9), how, to_authority=how == "transfer" and draw(st.booleans())) if over else None
    name = f"MASH-26-{draw(st.integers(1, 10**6)):06}"
    active = {"assessments": tuple(assessments), "enquiries": tuple(enquiries), "plans": tuple(plans)}
    return Course(name, name, "S1", received, "referral", "2A", "N1", decision, draw(st.booleans()), ended=ended, **active)


SOME = st.lists(contacts(), min_size=1, max_size=5, unique_by=lambda course: course.reference)


@given(SOME)
def test_every_referral_is_in_one_episode_and_no_contact_in_two(courses: list[Course]) -> None:
    within = [course.reference for episode in episodes(courses, RULE) for course in episode.courses]
    assert sorted(within) == sorted(course.reference for course in courses if is_referral(course, RULE))


@given(SOME)
def test_at_most_one_episode_is_open_and_it_is_the_last(courses: list[Course]) -> None:
    found = episodes(courses, RULE)
    going = [episode for episode in found if not episode.nfa]
    assert all(before.closed and before.closed <= after.referred for before, after in pairwise(going))
    assert all(episode.closed or episode is found[-1] for episode in going)


@given(SOME)
def test_what_is_in_a_file_breaks_no_rule_of_how_things_stand_to_one_another(courses: list[Course]) -> None:
    details = {"sex": "F", "ethnicity": "WBRI", "disability": ["NONE"], "date_of_birth": "2015-03-04", "upn_unknown": "UN2"}
    child = Known("CHILD1", Person(details), tuple(courses))
    found = findings([child], Checks(YEAR, RULE, PROFILE.calendar))
    assert STRUCTURE.isdisjoint(each.rule for each in found)


@given(SOME, st.sampled_from([Year(2025), Year(2026), Year(2027)]))
def test_a_year_has_nothing_of_another(courses: list[Course], year: Year) -> None:
    for episode in episodes(courses, RULE):
        there, _ = as_of(episode, year)
        if there:
            days = [there.closed, *(each.end for each in there.assessments), *(each.conference for each in there.enquiries)]
            assert all(year.start <= day <= year.end for day in days if day) and there.referred <= year.end
