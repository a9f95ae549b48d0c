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

from mash.flows.returns.course import Assessment, Before, Case, Course, Ended, Enquiry, Plan
from mash.states.accumulation import contact_of
from mash.states.acts.assessment import AssessmentCompleted, AssessmentStarted
from mash.states.acts.child_voice import ChildVoiceRecorded
from mash.states.acts.closing import ReferralReopened, SubjectsConcluded
from mash.states.acts.corrections import SubjectAdded
from mash.states.acts.decisions import DecisionRecorded
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
from mash.states.referral import SubjectState

CHECKED = ("agency_checks", "mash_meeting")
"""Stages by which a contact has come further than its triage."""


def courses(cases: Mapping[str, Case]) -> Iterable[Course]:
    """The course of each subject who counts as a child, each in the case that has it now. `cases` are a hub's, by reference. Of
    one contact all are referred on one day, wherever they go on, but who was added to it later."""
    readers = [
        _Reader(sid, case, *_lines(cases, case))
        for case in cases.values()
        for sid, subject in case.state.subjects.items()
        if subject.counts_as_child or subject.coming_of_age is not None
    ]
    found = [(reader.read(), reader.added_on) for reader in readers]
    first: dict[str, date] = {}
    for course, added_on in found:
        if added_on is None:
            first[course.root] = min(course.received, first.get(course.root, date.max))
    for course, added_on in found:
        day = added_on or first[course.root]
        before = (replace(each, course=replace(each.course, received=day)) for each in course.before)
        yield replace(course, received=day, before=tuple(before))


def _lines(cases: Mapping[str, Case], case: Case) -> tuple[Case, list[Recorded]]:
    """The case that the contact began as, and the events that led to where a subject of this one stands: of each case on the way
    up to the split by which it left."""
    lines = list(case.log)
    while case.state.parent and (parent := cases.get(case.state.parent)):
        before = []
        for recorded in parent.log:
            if isinstance(recorded.event, ReferralSplit) and recorded.event.reference == case.reference:
                break
            before.append(recorded)
        lines, case = [*before, *lines], parent
    return case, lines


def _taken_for_an_adult(subject: SubjectState) -> bool:
    """Whether somebody is taken for an adult, and nothing that is recorded says of which age they are. They are protected as a
    child is, and are not returned as one."""
    return subject.cohort == "adult" and subject.age in (None, "doubtful") and subject.coming_of_age is None


@dataclass
class _Now:
    """Where a course stands while it is read."""

    stage: str = ""
    decided: str | None = None
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
    to_authority: bool | None = None
    """Whether the one that this act accepts is another authority's; None where it accepts none."""


class _Reader:
    """Reads one subject's course, event by event."""

    def __init__(self, subject: str, case: Case, root: Case, lines: Sequence[Recorded]) -> None:
        self.subject, self.case, self.root, self.lines = subject, case, root.state, lines
        self.now = _Now()
        self.assessments: list[Assessment] = []
        self.enquiries: list[Enquiry] = []
        self.plans: list[Plan] = []
        self.withdrawn: list[Enquiry] = []
        self.seen: list[date] = []
        self.before: list[Before] = []
        self.on, self.earliest = date.min, date.max
        self.added: date | None = None

    def read(self) -> Course:
        """The course, once every event is read."""
        moment = None
        for recorded in self.lines:
            if recorded.at != moment:
                moment, self.now.last, self.now.to_authority = recorded.at, date.min, None
            self.on = day_of(recorded.happened_at or recorded.at)
            self.event(recorded.event)
        return replace(self._course(), before=tuple(self.before))

    def _course(self) -> Course:
        """How it stands now."""
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
            taken_for_an_adult=_taken_for_an_adult(subject),
            place=state.place,
            worker=state.worker.login if state.worker else None,
            seen=tuple(self.seen),
            withdrawn=tuple(self.withdrawn),
        )

    @property
    def added_on(self) -> date | None:
        """When whoever was added was referred: as they were, or with what was done about them before that was entered; None for
        whom the contact was about from the first."""
        return self.added and min(self.added, self.earliest)

    def _received(self) -> date:
        """The day of the referral: when it was received; when it was reported, where it was worked on from paper before that."""
        state = self.root
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
        """Whoever is added is referred on that day: what was found or taken back of the others before was not of them. What is
        under way then is about them too, from that day on."""
        if event.subject != self.subject:
            return
        self.added, self.earliest = self.on, date.max
        self.assessments, self.enquiries, self.plans, self.withdrawn, self.before = [], [], [], [], []
        under_way = self.now.assessment and replace(self.now.assessment, start=self.on)
        enquired = self.now.enquiry and replace(self.now.enquiry, start=self.on)
        checked, offered = self.now.stage in CHECKED, self.now.taken_over
        self.now = _Now(self.now.stage, checked=checked, assessment=under_way, enquiry=enquired, taken_over=offered)

    @event.register
    def _entered(self, event: StageEntered) -> None:
        self.now.stage = event.stage
        self.now.checked = self.now.checked or event.stage in CHECKED

    @event.register
    def _decided(self, event: DecisionRecorded) -> None:
        self.now.decided = event.outcomes.get(self.subject)
        self.earliest = min(self.earliest, self.on)

    @event.register
    def _withdrawn(self, event: DecisionWithdrawn) -> None:
        """What was begun on a decision that holds no more was begun by mistake, and what was finished by then was done all the
        same. One that waits to be signed off has begun nothing."""
        if self.now.stage == "sign_off":
            return
        self._taken_back()
        if self.now.enquiry:
            self.withdrawn.append(self.now.enquiry)
        self.now.assessment, self.now.enquiry = None, None

    @event.register
    def _reopened(self, event: ReferralReopened) -> None:
        self._taken_back()

    def _taken_back(self) -> None:
        """What was decided holds no more, and what was closed was never closed."""
        self.before.append(Before(self.on, self._course()))
        self.now.decided, self.now.part_of, self.now.ended = None, None, None

    @event.register
    def _discussed(self, event: StrategyDiscussionHeld) -> None:
        """The first one that leads to section 47 begins the enquiry; further ones are held in it."""
        day = self._day(event.held_on)
        if event.outcome == "section_47" and self.now.enquiry is None:
            self.now.enquiry = Enquiry(start=day, reference=self.case.reference, subject=self.subject)
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
            category, previous = event.abuse_categories.get(self.subject), event.previous_plans.get(self.subject)
            self.plans.append(Plan(day, category, previous, reference=self.case.reference, subject=self.subject))
        elif result != PLAN and standing is not None:
            self.plans.remove(standing)
            if day > standing.start:
                self.plans.append(replace(standing, end=day))

    @event.register
    def _began(self, event: AssessmentStarted) -> None:
        """One that is begun while another is not finished is the same assessment, decided anew."""
        day = self._day(event.held_on)
        if self.now.assessment is None:
            self.now.assessment = Assessment(start=day, reference=self.case.reference, subject=self.subject)

    @event.register
    def _assessed(self, event: AssessmentCompleted) -> None:
        day = self._day(event.held_on)
        begun = self.now.assessment or Assessment(start=day, reference=self.case.reference, subject=self.subject)
        factors = event.factors_of.get(self.subject) or event.factors
        outcome = event.outcomes.get(self.subject) or event.outcome
        self.assessments.append(replace(begun, end=max(day, begun.start), factors=tuple(factors), outcome=outcome))
        self.now.assessment = None

    @event.register
    def _was_seen(self, event: ChildVoiceRecorded) -> None:
        if event.subject == self.subject and event.seen_on:
            self.seen.append(event.seen_on)

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
        """On the day of the act that ended it, where that says its day. Whoever has a plan keeps it as another authority takes
        the case over, so that the outcome alone does not say that somebody has."""
        if self.subject not in event.subjects:
            return
        on = self.now.last if self.now.last > date.min else self.on
        self._cut_short(on)
        there = self.now.to_authority
        to_authority = event.outcome == "transfer" if there is None else there
        self.now.ended = Ended(max(on, self._latest()), event.outcome, to_authority, self.now.adults)

    def _cut_short(self, on: date) -> None:
        if self.now.enquiry:
            self.enquiries.append(replace(self.now.enquiry, end=max(on, self.now.enquiry.start), cut_short=True))
        self.now.enquiry = None

    def _latest(self) -> date:
        """The last day on which something happened: nothing ends before it."""
        days: list[date | None] = []
        for assessment in self.assessments:
            days += [assessment.start, assessment.end]
        for enquiry in self.enquiries:
            days += [enquiry.start, enquiry.conference, enquiry.end]
        return max((day for day in days if day), default=date.min)


READ = {ReferralSplit, *vars(_Reader)["event"].dispatcher.registry} - {object}
KINDS: tuple[str, ...] = tuple(sorted(kind.model_fields["kind"].default for kind in READ))
"""The kinds of events that a course is read from, as many as there are readers of; a log has many more."""
