"""What happened to one subject of a contact, as the census speaks of it: read out of the events of the referral, and of the
linked ones in which the subject went on.

What was done later than it was entered counts from when it was done: a day that an act names (`held_on`), or the time at which
whoever entered it says it happened. Days are the hub's: 23:30 UTC on 31 March is 1 April in London.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import singledispatchmethod
from typing import Any

from mash.flows.returns.course import Assessment, Case, Course, Ended, Enquiry, Plan
from mash.states.accumulation import contact_of
from mash.states.acts.assessment import AssessmentCompleted, AssessmentStarted
from mash.states.acts.closing import ReferralReopened, SubjectsConcluded
from mash.states.acts.corrections import SubjectAdded
from mash.states.acts.decisions import DecisionProposed, DecisionRecorded, SignOffRefused
from mash.states.acts.episodes import ContactAttached
from mash.states.acts.handing_over import HandedOverToAdults, HandOverAccepted, HandOverOffered, HandOverReturned
from mash.states.acts.outcomes import PLAN
from mash.states.acts.parting import ReferralSplit
from mash.states.acts.protection import ConferenceHeld, EnquiriesConcluded, StrategyDiscussionHeld
from mash.states.acts.step_down import StepDownReturned
from mash.states.acts.withdrawing import DecisionWithdrawn
from mash.states.clocks import day_of
from mash.states.course import StageEntered
from mash.states.log import Recorded

KINDS = (
    "subject_added",
    "stage_entered",
    "decision_proposed",
    "sign_off_refused",
    "decision_recorded",
    "decision_withdrawn",
    "strategy_discussion_held",
    "enquiries_concluded",
    "conference_held",
    "assessment_started",
    "assessment_completed",
    "hand_over_offered",
    "hand_over_accepted",
    "hand_over_returned",
    "step_down_returned",
    "handed_over_to_adults",
    "contact_attached",
    "referral_split",
    "subjects_concluded",
    "referral_reopened",
)
"""The kinds of events that a course is read from; a log has many more."""
CHECKED = ("agency_checks", "mash_meeting")
"""Stages by which a contact has come further than its triage."""


def courses(cases: Mapping[str, Case]) -> Iterable[Course]:
    """The course of each subject who counts as a child, each in the case that has it now. `cases` are a hub's, by reference."""
    for case in cases.values():
        for sid, subject in case.state.subjects.items():
            if subject.counts_as_child or subject.coming_of_age is not None:
                yield _Reader(sid, case, _lines(cases, case)).read()


def _lines(cases: Mapping[str, Case], case: Case) -> list[tuple[str, Recorded]]:
    """The events that led to where a subject of this case stands: of each case on the way up to the split by which it left."""
    lines = [(case.reference, recorded) for recorded in case.log]
    while case.state.parent and (parent := cases.get(case.state.parent)):
        before = []
        for recorded in parent.log:
            if isinstance(recorded.event, ReferralSplit) and recorded.event.reference == case.reference:
                break
            before.append((parent.reference, recorded))
        lines, case = [*before, *lines], parent
    return lines


@dataclass
class _Now:
    """Where a course stands while it is read."""

    decided: str | None = None
    proposed: bool = False
    checked: bool = False
    assessment: Assessment | None = None
    enquiry: Enquiry | None = None
    ended: Ended | None = None
    part_of: str | None = None
    adults: bool = False
    last: date = date.min
    """The day of the last act that says itself when it was: what ends with it ended then."""
    taken_over: dict[str, bool] = field(default_factory=dict)
    """Hand-overs that take the case over, by name: whether another authority has it then."""
    to_authority: bool = True
    """Whether the one that was accepted last was another authority's."""


class _Reader:
    """Reads one subject's course, event by event."""

    def __init__(self, subject: str, case: Case, lines: Sequence[tuple[str, Recorded]]) -> None:
        self.subject, self.case, self.lines = subject, case, lines
        self.now = _Now()
        self.assessments: list[Assessment] = []
        self.enquiries: list[Enquiry] = []
        self.plans: list[Plan] = []
        self.reopened: list[date] = []
        self.reference, self.on = case.reference, date.min
        self.earliest = date.max

    def read(self) -> Course:
        """The course, once every event is read."""
        moment = None
        for reference, recorded in self.lines:
            if recorded.at != moment:
                moment, self.now.last = recorded.at, date.min
            self.reference, self.on = reference, day_of(recorded.happened_at or recorded.at)
            self.event(recorded.event)
        state, now = self.case.state, self.now
        subject = state.subjects[self.subject]
        return Course(
            reference=self.case.reference,
            root=contact_of(self.case.reference),
            subject=self.subject,
            received=self._received(),
            contact=state.contact,
            source=state.source,
            need=state.primary_need,
            decided=now.decided,
            checked=now.checked,
            assessments=(*self.assessments, *([now.assessment] if now.assessment else [])),
            enquiries=(*self.enquiries, *([now.enquiry] if now.enquiry else [])),
            plans=tuple(self.plans),
            ended=now.ended,
            part_of=now.part_of,
            cohort=subject.cohort,
            place=state.place,
            worker=state.worker.login if state.worker else None,
            seen=subject.seen_on is not None,
            reopened_on=tuple(self.reopened),
        )

    def _received(self) -> date:
        """The day of the referral: when it was received; when it was reported, where it was worked on from paper before that."""
        state = self.case.state
        received = day_of(state.received_at)
        reported = day_of(min(state.reported_at or state.received_at, state.received_at))
        return received if self.earliest >= received else max(reported, min(self.earliest, received))

    def _day(self, held_on: date | None) -> date:
        """The day of an act that may name it."""
        day = held_on or self.on
        self.now.last = max(self.now.last, day)
        self.earliest = min(self.earliest, day)
        return day

    @singledispatchmethod
    def event(self, event: Any) -> None:
        """Read one event; most say nothing of a course."""

    @event.register
    def _added(self, event: SubjectAdded) -> None:
        """What was found of the others before was not found of whoever is added; what is under way is about them too."""
        if event.subject == self.subject:
            self.assessments, self.enquiries, self.plans = [], [], []

    @event.register
    def _entered(self, event: StageEntered) -> None:
        self.now.checked = self.now.checked or event.stage in CHECKED

    @event.register
    def _proposed(self, event: DecisionProposed) -> None:
        self.now.proposed = True

    @event.register
    def _refused(self, event: SignOffRefused) -> None:
        self.now.proposed = False

    @event.register
    def _decided(self, event: DecisionRecorded) -> None:
        self.now.proposed = False
        self.now.decided = event.outcomes.get(self.subject)
        self.earliest = min(self.earliest, self.on)

    @event.register
    def _withdrawn(self, event: DecisionWithdrawn) -> None:
        """What was begun on a decision that holds no more was begun by mistake; one that waits to be signed off began nothing."""
        if self.now.proposed:
            self.now.proposed = False
            return
        self.now.assessment = None
        self._cut_short()
        self.now.decided, self.now.part_of = None, None
        self._reopen()

    def _cut_short(self) -> None:
        if self.now.enquiry:
            self.enquiries.append(replace(self.now.enquiry, end=max(self.on, self.now.enquiry.start), cut_short=True))
        self.now.enquiry = None

    def _reopen(self) -> None:
        if self.now.ended:
            self.reopened.append(self.on)
        self.now.ended = None

    @event.register
    def _reopened(self, event: ReferralReopened) -> None:
        self._reopen()
        self.now.decided, self.now.part_of = None, None

    @event.register
    def _discussed(self, event: StrategyDiscussionHeld) -> None:
        """The first one that leads to section 47 begins the enquiry; further ones are held in it."""
        day = self._day(event.held_on)
        if event.outcome == "section_47" and self.now.enquiry is None:
            self.now.enquiry = Enquiry(start=day, reference=self.reference)
            self.now.decided = "section_47"
        elif event.outcome != "section_47" and self.now.enquiry is None and self.now.decided == "section_47":
            self.now.decided = None  # the section 47 that was decided is not to be

    @event.register
    def _enquired(self, event: EnquiriesConcluded) -> None:
        day = self._day(None)
        if event.outcome != "conference" and self.now.enquiry:
            self.enquiries.append(replace(self.now.enquiry, end=max(day, self.now.enquiry.start)))
            self.now.enquiry = None

    @event.register
    def _conferred(self, event: ConferenceHeld) -> None:
        day = self._day(event.held_on)
        result = event.outcomes.get(self.subject) or event.outcome
        if self.now.enquiry:
            self.enquiries.append(replace(self.now.enquiry, conference=day, planned=result == PLAN))
            self.now.enquiry = None
        standing = next((plan for plan in self.plans if plan.end is None), None)
        if result == PLAN and standing is None:
            category = (getattr(event, "abuse_categories", None) or {}).get(self.subject)
            previous = (getattr(event, "previous_plans", None) or {}).get(self.subject)
            self.plans.append(Plan(start=day, category=category, previous=previous, reference=self.reference))
        elif result != PLAN and standing is not None:
            self.plans.remove(standing)
            if day > standing.start:
                self.plans.append(replace(standing, end=day))

    @event.register
    def _began(self, event: AssessmentStarted) -> None:
        """One that is begun while another is not finished is the same assessment, decided anew."""
        day = self._day(event.held_on)
        if self.now.assessment is None:
            self.now.assessment = Assessment(start=day, reference=self.reference)

    @event.register
    def _assessed(self, event: AssessmentCompleted) -> None:
        day = self._day(event.held_on)
        begun = self.now.assessment or Assessment(start=day, reference=self.reference)
        factors = event.factors_of.get(self.subject) or event.factors
        outcome = event.outcomes.get(self.subject) or event.outcome
        self.assessments.append(replace(begun, end=max(day, begun.start), factors=tuple(factors), outcome=outcome))
        self.now.assessment = None

    @event.register
    def _offered(self, event: HandOverOffered) -> None:
        if event.takes_over:
            self.now.taken_over[event.hand_over] = event.destination_kind == "authority"

    @event.register
    def _accepted(self, event: HandOverAccepted) -> None:
        if event.hand_over in self.now.taken_over:
            self._day(day_of(event.accepted_at))
            self.now.to_authority = self.now.taken_over[event.hand_over]

    @event.register
    def _returned(self, event: HandOverReturned | StepDownReturned) -> None:
        """What nobody took is decided anew; an offer beside the case decides nothing of it."""
        if isinstance(event, StepDownReturned) or self.now.decided == "transfer":
            self.now.decided = None

    @event.register
    def _of_age(self, event: HandedOverToAdults) -> None:
        self.now.adults = self.now.adults or event.subject == self.subject

    @event.register
    def _attached(self, event: ContactAttached) -> None:
        self.now.part_of = event.other

    @event.register
    def _concluded(self, event: SubjectsConcluded) -> None:
        """On the day of the act that ended it, where that says its day."""
        if self.subject not in event.subjects:
            return
        on = self.now.last if self.now.last > date.min else self.on
        self._cut_short()
        to_authority = event.outcome == "transfer" and self.now.to_authority
        self.now.ended = Ended(max(on, self._latest()), event.outcome, to_authority, self.now.adults)

    def _latest(self) -> date:
        """The last day on which something happened: nothing ends before it."""
        days: list[date | None] = []
        for assessment in self.assessments:
            days += [assessment.start, assessment.end]
        for enquiry in self.enquiries:
            days += [enquiry.start, enquiry.conference, enquiry.end]
        return max((day for day in days if day), default=date.min)
