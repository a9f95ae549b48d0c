"""Episodes of need: what the census counts. One child has at most one at a time, whatever number of contacts there are: a contact
about a child with an open episode is attached to it, never a second episode and never dropped (rules 8815, 8816, 8820)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from mash.flows.returns.course import Assessment, Course, Enquiry, Plan
from mash.states.census import FURTHER_ACTION, GOES_ON
from mash.states.profile import Returns

NO_FACTORS = "21"
"""The factor that says that there is none, and stands alone (rule 8869)."""


@dataclass(frozen=True)
class Episode:
    """From a referral until it is closed or handed over; or a referral by which nothing more is done (`nfa`)."""

    courses: tuple[Course, ...]
    """What it is made of: the referral first, then those of the child's contacts that were attached to it."""
    nfa: bool
    assessments: tuple[Assessment, ...] = ()
    enquiries: tuple[Enquiry, ...] = ()
    plans: tuple[Plan, ...] = ()
    closed: date | None = None
    reason: str | None = None
    """Why it was closed, by the census' codes."""

    @property
    def referred(self) -> date:
        """The day of the referral."""
        return self.courses[0].received

    @property
    def source(self) -> str:
        """Who referred, by the census' codes, as it was recorded."""
        return self.courses[0].source

    @property
    def need(self) -> str | None:
        """The primary need that was recorded first."""
        return next((course.need for course in self.courses if course.need), None)

    @property
    def reference(self) -> str:
        """The case in which the child of the referral stands."""
        return self.courses[0].reference

    @property
    def subject(self) -> str:
        """Who the child is there."""
        return self.courses[0].subject


def is_referral(course: Course, rule: Returns) -> bool:
    """Whether a contact is a referral, by its hub's rule: something was begun or decided that goes on, or it was decided after
    its triage. What is not decided yet is none yet; what was added to an open case is that case's."""
    if course.active or course.decided in rule.outcomes:
        return True
    if course.part_of or course.decided is None or course.contact in rule.never:
        return False
    return rule.after_triage and course.checked


def no_further_action(course: Course) -> bool:
    """Whether a referral is one by which nothing more was done."""
    return not course.active and course.decided not in FURTHER_ACTION


def episodes(courses: Iterable[Course], rule: Returns, until: date = date.max) -> list[Episode]:
    """The episodes of one child, in order of their referrals, out of the courses of all contacts about them. What
    is in one is joined as it stood at the end of the day `until`: what a year's return says does not hang on the next year."""
    referrals = sorted((c for c in courses if is_referral(c, rule)), key=lambda c: (c.received, c.root, c.reference))
    groups: list[list[Course]] = []
    for course in referrals:
        if not no_further_action(course):
            if groups and _during(course, groups[-1]):
                groups[-1].append(course)
            else:
                groups.append([course])
    alone = []
    for course in referrals:
        if no_further_action(course):
            if there := next(
                (group for group in groups if group[0].received <= course.received and _during(course, group)), None
            ):
                there.append(course)
            else:
                alone.append(Episode((course,), nfa=True))
    return sorted([*(_joined(group, until) for group in groups), *alone], key=lambda each: (each.referred, not each.nfa))


def _during(course: Course, group: Sequence[Course]) -> bool:
    """Whether a contact came while what these are about was open. One that came on the day it was closed begins anew."""
    closed = _closed(group)
    return closed is None or course.received < closed or course.received == group[0].received


def _closed(group: Sequence[Course]) -> date | None:
    days = [_closed_on(course) for course in group if not no_further_action(course)]
    return None if None in days else max(day for day in days if day)


def _closed_on(course: Course) -> date | None:
    """When it ended for the child; None while it goes on, here, under a plan, or with another team of the authority. A plan too
    goes where another authority has taken the case over."""
    ended = course.ended
    if ended is None or (ended.outcome in (*GOES_ON, "transfer") and not ended.to_authority):
        return None
    return ended.on


def _joined(group: Sequence[Course], until: date) -> Episode:
    closed = _closed(group)
    enquiries = _one_at_a_time([as_it_stood(each, until) for course in group for each in course.enquiries if each.start <= until])
    plans = _not_overlapping([each for course in group for each in course.plans])
    assessments = _one_unfinished([each for course in group for each in course.assessments], until)
    made = Episode(tuple(group), False, assessments, enquiries, plans, closed)
    if closed is None:
        return made
    latest = max(
        (course for course in group if not no_further_action(course)),
        key=lambda course: (_closed_on(course) or date.min, course.received),
    )
    # A plan that was given on the day of the closure has no day here: the census takes none that ends as it begins (rule 8840).
    ended = tuple(plan if plan.end else replace(plan, end=closed) for plan in plans if plan.end or plan.start < closed)
    return replace(made, plans=ended, reason=_reason(latest, made))


def _reason(course: Course, episode: Episode) -> str:
    """Why an episode was closed. After an assessment alone it is RC8 or RC9; beside anything that protects a child these are not
    for it (rule 2990)."""
    ended = course.ended
    outcome = ended.outcome if ended else ""
    if ended and ended.to_authority:
        return "RC5"
    if ended and (ended.to_adults or outcome == "adult_section_42"):
        return "RC6"
    assessed = any(each.end for each in episode.assessments)
    if assessed and not episode.enquiries and not episode.plans:
        return {"no_further_action": "RC8", "early_help": "RC9"}.get(outcome, "RC7")
    return "RC7"


def as_it_stood(enquiry: Enquiry, until: date) -> Enquiry:
    """An enquiry as it stood at the end of a day."""
    if enquiry.conference and enquiry.conference > until:
        return replace(enquiry, conference=None, planned=False)
    return replace(enquiry, end=None, cut_short=False) if enquiry.end and enquiry.end > until else enquiry


def _one_at_a_time(enquiries: Iterable[Enquiry]) -> tuple[Enquiry, ...]:
    """Enquiries that ran beside one another are one: no child is enquired about twice at once (rules 8839, 8890)."""
    found: list[Enquiry] = []
    for each in sorted(enquiries, key=lambda e: (e.start, e.conference or e.end or date.max)):
        before = found[-1] if found else None
        if before and (before.open or each.start <= (before.conference or date.min) or each.start < (before.end or date.min)):
            found[-1] = _both(before, each)
        else:
            found.append(each)
    return tuple(found)


def _both(one: Enquiry, other: Enquiry) -> Enquiry:
    """Two enquiries as one: the conference that gave a plan counts, or else the last; one that is still open leaves both open."""
    held = sorted((e for e in (one, other) if e.conference), key=lambda e: (e.planned, e.conference))
    if held:
        return replace(one, conference=held[-1].conference, planned=held[-1].planned, end=None, cut_short=False)
    if one.open or other.open:
        return replace(one, end=None, cut_short=False)
    return replace(one, end=max(one.end or one.start, other.end or other.start), cut_short=one.cut_short and other.cut_short)


def _not_overlapping(plans: Iterable[Plan]) -> tuple[Plan, ...]:
    """A child has one plan at a time (rules 8935, 8940): while one stands, another conference's is the same."""
    found: list[Plan] = []
    for each in sorted(plans, key=lambda plan: plan.start):
        if found and (found[-1].end is None or each.start <= found[-1].end):
            continue
        found.append(each)
    return tuple(found)


def _one_unfinished(assessments: Iterable[Assessment], until: date) -> tuple[Assessment, ...]:
    """Of assessments that are not finished at the end of a day the first counts (rule 8896)."""
    ordered = sorted(assessments, key=lambda each: (each.start, each.end or date.max))
    unfinished = [each for each in ordered if each.end is None or each.end > until]
    return tuple(each for each in ordered if each not in unfinished or each is unfinished[0])
