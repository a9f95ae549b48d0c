"""The state of a referral, as its log folds to it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from mash.states.ages import AGE_NOT_KNOWN, ODD, WITHOUT_HAND_OVER, Age, agrees, counts_as, odd_of, unknown_adult
from mash.states.clocks import Frozen, reckoned_of
from mash.states.profile import Mode
from mash.states.stages import SECTION_47, STEP_DOWN
from mash.states.values import AskedAcross, ComingOfAge, Course, Holding, Match, ReportedConsent, Words, Worker

HandOverResult = Literal["accepted", "returned", "not_accepted", "called_off"]
Verdict = Literal["kept", "missed", "running", "not_needed"]


def verdict_of(due_at: datetime, breached_at: datetime | None, ended_at: datetime | None, met: bool | None) -> Verdict:
    """What has become of a clock. One that ran out is missed, whether it goes on, how it ended, and whether anybody was there to
    record that it ran out; one that ended in time is kept, or was not needed any more. What happened in time and was recorded
    late is kept too."""
    if met:
        return "kept"
    if breached_at or (ended_at and ended_at > due_at):
        return "missed"
    if ended_at is None:
        return "running"
    return "not_needed"


def whose(clock_id: str) -> str:
    """The agency whose reply a clock waits for, or the disagreement; empty for a clock of the case itself."""
    return clock_id.partition(":")[2].partition(".")[0]


ASKED = ("check", "confirmation")
"""Kinds of clocks for which an agency is to answer: its check, or what was only told by telephone for it."""
PUBLIC = ("individual", "unknown")
"""Sources that are no professionals: they are thanked, and not told what was decided about other people's children."""
PRIVATE = ("1A", "1B", "1C", "1D")
"""Census codes of referrers who are no professionals, whatever agency's system sends for them."""
NOT_TO_TELL = "do_not_tell_family"
"""The marker of a case of which the family is not to learn."""
BEING_ACTED_ON = "being_acted_on"
"""What whoever referred is told of a section 47 that is held back: the statutory answer, and no more than that."""
ENQUIRED = ("section_47", "section_17", "adult_section_42")
"""What is decided as something that goes on, and ends later."""
OVER_AT: dict[str, tuple[str, ...]] = {
    "section_47": ("section_17_assessment", *STEP_DOWN, "transfer_offered"),
    "section_17": (*STEP_DOWN, "transfer_offered"),
}
"""At which stages it has ended, though the case goes on."""
SAID_AS_IT_ENDED = ("early_help", "no_further_action", "transfer")
"""How it may end that whoever referred is told as it is; of anything else (a conference, a plan), that it has ended."""
BY_OTHER_MEANS = "referrer_by_other_means"
"""The flag of a contact whose referrer gave no address, but another way to be reached."""


def no_professional(source: str | None, source_agency: str | None) -> bool:
    """Whether whoever refers, by census code and sector, is of the public: a member of the family, a neighbour, the person
    themselves; or unknown."""
    return source_agency in PUBLIC or source in PRIVATE


class StartedClock(Frozen):
    """A clock as it was started: when it is due and why is computed once, and kept."""

    id: str
    kind: str
    owner: str
    started_at: datetime
    due_at: datetime
    warn_at: tuple[datetime, ...]
    why: str
    source: str
    by_day: bool = Field(default=False, exclude_if=lambda by_day: not by_day)
    """Whether it is the day team's: it reminds and alerts while the hub is open, and leaves the night alone."""


class Clock(StartedClock):
    """A clock with what has become of it."""

    warned: int = 0
    breached_at: datetime | None = None
    missed: tuple[datetime, ...] = Field(default=(), exclude_if=lambda missed: not missed)
    """When it was due before a re-rating gave it more time, of each limit that had run out by then."""
    rung: int = -1
    next_rung_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_for: str | None = Field(default=None, exclude_if=lambda rating: rating is None)
    """The rating for which somebody has it; None where nobody has, and for a case without a rating."""
    seen_rung: int = Field(default=-1, exclude_if=lambda rung: rung < 0)
    """The last rung whose alert was seen by its link; the ladder waited for whoever saw it."""
    stood_in: tuple[int, ...] = Field(default=(), exclude_if=lambda rungs: not rungs)
    """The rungs of its ladder that were told to the out-of-hours role, which stood in for the rung's own."""
    ended_at: datetime | None = None
    met: bool | None = None

    @reckoned_of("id")
    def whose(self) -> str:
        """The agency whose reply it waits for, or the disagreement; empty for a clock of the case itself."""
        return whose(self.id)

    @property
    def running(self) -> bool:
        """Whether what it waits for is still waited for."""
        return self.ended_at is None

    @property
    def verdict(self) -> Verdict:
        """What has become of it."""
        if self.missed and not self.running:  # before a re-rating gave it more time
            return "missed"
        return verdict_of(self.due_at, self.breached_at, self.ended_at, self.met)

    @property
    def next_at(self) -> datetime | None:
        """When it next has something to say: a warning, the breach, or a rung; None once it has ended."""
        if not self.running:
            return None
        moments = [self.next_rung_at] if self.next_rung_at else []
        if self.breached_at is None:
            moments.append(self.warn_at[self.warned] if self.warned < len(self.warn_at) else self.due_at)
        return min(moments) if moments else None


class Told(Frozen):
    """What an agency answered by telephone: when, to whom (a login), whether it was read back. Its own answer stands beside."""

    at: datetime
    to: str
    read_back: bool
    known: bool | None
    relevant: bool | None
    recommendation: str | None
    suggested_rating: str | None


class Check(Frozen):
    """What was asked of an agency, and whether it has answered."""

    requested_at: datetime
    answered_at: datetime | None = None
    closed_without_reply: bool = False
    known: bool | None = None
    relevant: bool | None = None
    recommendation: str | None = None
    suggested_rating: str | None = None
    allocated_to: str | None = None
    told: Told | None = Field(default=None, exclude_if=lambda told: told is None)
    """What it answered by telephone, if it did."""
    confirmed_at: datetime | None = Field(default=None, exclude_if=lambda at: at is None)
    """When it answered itself, after that."""

    @property
    def answerable(self) -> bool:
        """Whether the agency can still answer itself: it has not, or was only heard by telephone. What it answers once nobody
        asks any more is welcome."""
        return self.answered_at is None or (self.told is not None and self.confirmed_at is None)

    @property
    def outstanding(self) -> bool:
        """Whether the hub still waits for the answer."""
        return self.answered_at is None and not self.closed_without_reply


class ProtectionOrder(Frozen):
    """Police protection or an emergency protection order: of whom, since when, until when, and how it ended."""

    order: str
    subjects: tuple[str, ...]
    since: datetime
    until: datetime
    ended: str | None = Field(default=None, exclude_if=lambda how: how is None)


class Action(Frozen):
    """What was agreed that somebody does: who, by when. What it is stands in the words, sealed."""

    owner: str
    due_at: datetime
    login: str | None = Field(default=None, exclude_if=lambda login: login is None)
    words: Words
    done_at: datetime | None = Field(default=None, exclude_if=lambda at: at is None)
    outcome: str | None = Field(default=None, exclude_if=lambda outcome: outcome is None)
    """How it ended: done, or no longer needed."""


class SubjectState(Course):
    """A subject of the referral and its concluded outcome, if it has one; an adult's capacity and agreement, once recorded; and
    what is known of their age."""

    cohort: str
    outcome: str | None = None
    ended_by: str | None = Field(default=None, exclude_if=lambda by: by is None)
    """The login of whoever gave the outcome; `system` where no person did."""
    capacity: str | None = None
    agrees: str | None = None
    age: Age | None = Field(default=None, exclude_if=lambda age: age is None)
    expected_week: date | None = Field(default=None, exclude_if=lambda week: week is None)
    accused: bool = Field(default=False, exclude_if=lambda accused: not accused)
    coming_of_age: ComingOfAge | None = Field(default=None, exclude_if=lambda stands: stands is None)

    @property
    def surely(self) -> str | None:
        """What they are, where cohort and age agree; None while they contradict, or the age is doubtful or not known."""
        return self.cohort if agrees(self.cohort, self.age) else None

    @property
    def counts_as_child(self) -> bool:
        """Whether they are protected as a child is: everybody but who is surely an adult, or an adult whom a concern about
        somebody who works with children is about."""
        return self.surely != "adult" and not self.accused

    @property
    def has_a_say(self) -> bool:
        """Whether what they want is asked before anything is shared: an adult, to whom something may have been done."""
        return not self.counts_as_child and not self.accused

    @property
    def to_be_seen(self) -> bool:
        """Whether somebody is to see them, as a child: whoever counts as one and is born."""
        return self.counts_as_child and self.cohort != "unborn"


class Proposed(Frozen):
    """A decision that waits to be signed off."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    outcomes: dict[str, str]
    primary_need: str | None
    transfer_to: str | None
    destination: str | None = Field(default=None, exclude_if=lambda destination: destination is None)
    role: str
    by: str
    words: Words | None = Field(alias="said")
    adding_up: int = 0
    """How many contacts about one child it would close the last of; 0 where they do not add up to what the profile names."""


class Withdrawing(Frozen):
    """A withdrawal of the decision that waits for its second person, of this role."""

    role: str
    by: str


class OverrideBasis(Frozen):
    """Why consent is to be overridden, as the first person has put it."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    purpose: str
    lawful_basis: str
    family_informed: bool
    not_informed: str | None
    words: Words = Field(alias="said")


class Seconding(Frozen):
    """What a second person is to agree to: done by one person already, or proposed (`basis`: then it is of no effect yet)."""

    about: str
    by: str
    second: str | None = None
    """Who is said to have agreed; None where it is for anybody else."""
    basis: OverrideBasis | None = None
    agreed: bool | None = None
    """What the second person said; None until they have."""


class AgreedBeforehand(Frozen):
    """A second person's agreement that nobody has relied on yet."""

    about: str
    by: str
    at: datetime


class HandOver(Frozen):
    """Something of the case that was offered to somebody outside the hub. It is theirs once they have accepted it, and until then
    the hub's."""

    destination: str
    """By its name in the profile."""
    kind: str
    subjects: tuple[str, ...]
    authority: str | None = None
    role: str | None = None
    """Whose login may accept it, and reads the case; none where they are rung."""
    takes_over: bool = False
    """Whether whoever accepts has the case from then on."""
    offered_by: str
    proposed_by: str | None = Field(default=None, exclude_if=lambda by: by is None)
    """Who decided it, where somebody else signed that off."""
    offered_at: datetime
    result: HandOverResult | None = None
    answered_at: datetime | None = None


class Disagreement(Frozen):
    """A disagreement and where its procedure stands. `stage` counts the roles that have had their turn."""

    about: str
    agency: str
    by_role: str
    raised_by: str | None = Field(default=None, exclude_if=lambda by: by is None)
    """Who raised it, by login."""
    role: str
    stage: int = 0
    outcome: str | None = None
    final: bool = False


class Referral(Frozen):
    """A referral as its log says it is; a stored one may have fields that an earlier version folded. `version` is the number of
    events folded, `acted` the version that a person's act last led to: what the system adds afterwards does not outdate what
    somebody has in view."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True, serialize_by_alias=True)

    version: int
    acted: int
    version_for_all: int = 0
    """How many events everybody may hear of who takes part: the version to whoever may not know that a child is known."""
    acted_for_all: int = 0
    """The same as a person's act last led to it."""
    hub: str
    profile: str
    contact: str
    source: str
    source_agency: str
    received_at: datetime
    reported_at: datetime | None = None
    subjects: dict[str, SubjectState]
    parent: str | None = None
    splits: int = 0
    primary_need: str | None = None
    factors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    place: str | None = None
    consulted_at: datetime | None = None
    rated_at: datetime | None = None
    rated_by: tuple[str, ...] = ()
    """Who has rated it, by login."""
    reopened: bool = False
    markers: tuple[str, ...] = ()
    links: dict[str, str] = {}
    linked_subjects: dict[str, tuple[str, ...]] = Field(default={}, exclude_if=lambda linked: not linked)
    """Which of its subjects a link is about, where that is said."""
    immediate_danger: bool = False
    danger_since: datetime | None = Field(default=None, exclude_if=lambda at: at is None)
    """When the case was told of an immediate danger that its decision did not know of."""
    consent: ReportedConsent = ReportedConsent()
    flags: tuple[str, ...] = ()
    referrer_reachable: bool = False
    configuration: tuple[str, ...] = ("contact",)
    stage: str = "contact"
    stage_since: datetime
    stage_began: datetime | None = Field(default=None, exclude_if=lambda at: at is None)
    """When what led to the stage happened, where it was entered later."""
    came_from: str | None = None
    rating: str | None = None
    first_rating: str | None = None
    sharing: bool | None = None
    sharing_consent: str | None = Field(default=None, exclude_if=lambda consent: consent is None)
    """What the basis for sharing says of consent, as it was recorded last."""
    not_to_tell: str | None = Field(default=None, exclude_if=lambda why: why is None)
    """Why the family is not to learn of it, by the basis for sharing that was recorded last."""
    duty_to_disclose: bool = Field(default=False, exclude_if=lambda duty: not duty)
    """Whether information is shared because the agencies must disclose it (Children Act 2004 s. 16LA)."""
    significant_harm: bool | None = None
    checks: dict[str, Check] = {}
    checks_closed: bool = False
    held: dict[str, Holding] = {}
    meeting_at: datetime | None = None
    meeting_mode: str = "face_to_face"
    meeting_held: bool = False
    meeting_invited: tuple[str, ...] = Field(default=(), exclude_if=lambda none: not none)
    """Who is invited to the meeting besides the agencies that were asked and those that must be there."""
    discussion_at: datetime | None = Field(default=None, exclude_if=lambda at: at is None)
    """For when the strategy discussion is scheduled."""
    discussion_mode: Mode | None = Field(default=None, exclude_if=lambda mode: mode is None)
    discussion_invited: tuple[str, ...] = Field(default=(), exclude_if=lambda none: not none)
    """Who is invited to it besides those that must take part."""
    short_of: tuple[str, ...] = Field(default=(), exclude_if=lambda none: not none)
    """Who must take part in the strategy discussion that was held, and did not, until that is put right."""
    enquiry: str | None = Field(default=None, exclude_if=lambda enquiry: enquiry is None)
    """Whether the section 47 enquiries are joint, or one agency's alone, where that is said."""
    orders: dict[str, ProtectionOrder] = Field(default={}, exclude_if=lambda none: not none)
    """What the court or the police did to protect a child at once."""
    actions: dict[str, Action] = Field(default={}, exclude_if=lambda none: not none)
    """What was agreed that somebody does."""
    dissents: tuple[str, ...] = ()
    proposed: Proposed | None = None
    disagreements: dict[str, Disagreement] = {}
    secondings: dict[str, Seconding] = Field(default={}, exclude_if=lambda none: not none)
    """What one person alone did not decide, and who was the second."""
    agreed_beforehand: tuple[AgreedBeforehand, ...] = Field(default=(), exclude_if=lambda none: not none)
    strategy_held_at: datetime | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    """The role of whoever decided."""
    outcomes: dict[str, str] = {}
    service: str | None = None
    service_offered_by: str | None = Field(default=None, exclude_if=lambda by: by is None)
    """Who offered the step-down to the service, by login."""
    hand_overs: dict[str, HandOver] = Field(default={}, exclude_if=lambda offered: not offered)
    """What was offered to somebody outside: by the destination's name, with a number from the second offer on."""
    deliveries: tuple[str, ...] = Field(default=(), alias="told")
    """What reached the referrer: the acknowledgement, the outcome, what was determined of their disagreement."""
    heard: tuple[str, ...] = Field(default=(), exclude_if=lambda heard: not heard)
    """The outcome that the referrer was told last, by codes; none once they were told that it no longer holds."""
    reached: dict[str, datetime] = Field(default={}, exclude_if=lambda reached: not reached)
    """When the referrer was last told what they waited to hear, in time or late."""
    erased: bool = False
    superseded: dict[str, str] = Field(default={}, exclude_if=lambda none: not none)
    """Items that were put right, by the item that stands in their place."""
    put_right: int = Field(default=0, exclude_if=lambda none: not none)
    """How often who it is about was put right: a name, a birthday, a household, a birth."""
    removed: tuple[str, ...] = Field(default=(), exclude_if=lambda none: not none)
    """Subjects who were entered in error, and have been taken out."""
    left: tuple[str, ...] = Field(default=(), exclude_if=lambda none: not none)
    """Subjects who go on in a linked referral."""
    to_ask_again: tuple[str, ...] = Field(default=(), exclude_if=lambda none: not none)
    """Agencies that were asked before a subject was added, and so not about them."""
    discussed: tuple[str, ...] = Field(default=(), exclude_if=lambda none: not none)
    """Who attended the strategy discussion."""
    worker: Worker | None = Field(default=None, exclude_if=lambda worker: worker is None)
    """Who has the case, by name."""
    withdrawing: Withdrawing | None = Field(default=None, exclude_if=lambda none: none is None)
    looked: bool = False
    """Whether the hub's other contacts have been looked through for its people."""
    matches: tuple[Match, ...] = ()
    """The hub's other contacts that are, or are likely to be, about one of its subjects."""
    possible_matches: dict[str, int] = {}
    """By subject: how many more there are that are possible, and not likely."""
    rejected: tuple[Match, ...] = ()
    """Matches of which somebody has said that they are another person's."""
    identities: dict[str, str] = {}
    """By subject: the number of the link to the child that somebody has confirmed them to be."""
    across: dict[str, AskedAcross] = Field(default={}, exclude_if=lambda across: not across)
    """By subject: what the other hubs of the installation answered when they were last asked."""
    opened: tuple[str, ...] = ()
    """By whom, and of which adult subject, contacts in several families were opened: 'd.manager S2'."""
    weighed_by: str | None = None
    """Who has said in words what the child's earlier contacts add up to, since the last of them became known."""
    second_look: bool = False
    """Whether a decision on contacts that add up ever waited for a second person."""
    second_views: tuple[str, ...] = ()
    """Who has written a view of their own on the decision that waits, before they read the first one's words."""
    part_of: str | None = None
    """The open case that this contact was added to, or was a second copy for."""
    added: tuple[str, ...] = ()
    """The contacts that were added to this case."""
    clocks: dict[str, Clock] = {}

    @reckoned_of("subjects")
    def open(self) -> bool:
        """Whether any subject has no concluded outcome."""
        return any(subject.outcome is None for subject in self.subjects.values())

    @property
    def in_danger(self) -> bool:
        """Whether somebody may be in immediate danger, and nothing has been decided yet, or since it was told of."""
        decided = self.decided_at is not None and (self.danger_since is None or self.danger_since < self.decided_at)
        return self.immediate_danger and self.open and not decided

    @property
    def decided(self) -> bool:
        """Whether something is decided that could be disagreed with: also that the hub does not take it."""
        return self.decided_at is not None or not self.open

    @property
    def finished(self) -> bool:
        """Whether nothing more is waited for: not open, and no clock running (the referrer has been told)."""
        return not self.open and self.next_at is None

    # Asked some eighty times an act, and most events change no clock.
    @reckoned_of("clocks")
    def running(self) -> tuple[Clock, ...]:
        """The clocks that run now."""
        return tuple(clock for clock in self.clocks.values() if clock.ended_at is None)

    @property
    def next_at(self) -> datetime | None:
        """When some clock next has something to say."""
        return min((at for clock in self.clocks.values() if (at := clock.next_at)), default=None)

    @property
    def due_at(self) -> datetime | None:
        """The nearest due time of the running clocks."""
        return min((clock.due_at for clock in self.running), default=None)

    @property
    def owner(self) -> str | None:
        """The role whose clock runs out first: whose turn it is."""
        return min(self.running, key=lambda clock: clock.due_at).owner if self.running else None

    @reckoned_of("checks")
    def outstanding(self) -> tuple[str, ...]:
        """The agencies that have not answered yet."""
        return tuple(agency for agency, check in self.checks.items() if check.outstanding)

    @property
    def to_answer(self) -> dict[str, Clock]:
        """The agencies that are asked for an answer of their own, each with the clock that says by when. Once it has stopped,
        nobody is asked: the hub has gone on, or the case has ended."""
        return {clock.whose: clock for clock in self.running if clock.kind in ASKED}

    @property
    def offered(self) -> dict[str, HandOver]:
        """What was offered to somebody outside who has not answered yet."""
        return {name: each for name, each in self.hand_overs.items() if each.result is None}

    def late_partners(self, now: datetime) -> tuple[str, ...]:
        """The agencies that have not answered in time, whoever has acknowledged that meanwhile."""
        late = {k.whose for k in self.running if k.kind == "check" and k.due_at <= now}
        return tuple(agency for agency in self.outstanding if agency in late)

    @property
    def alerts(self) -> tuple[str, ...]:
        """The clocks whose ladder is climbing, unacknowledged."""
        return tuple(c.id for c in self.running if c.rung >= 0 and c.acknowledged_by is None)

    @property
    def result(self) -> tuple[str, ...]:
        """What has become of it, by codes, as whoever referred is told: that it is not taken here, that it is being acted on, or
        each different outcome."""
        if self.stage == "not_taken":
            return ("not_taken",)
        return tuple(sorted({self._became(sid) for sid in self.subjects if sid in self.outcomes}))

    def _became(self, sid: str) -> str:
        """What has become of one subject: what was decided, until it has ended; then how, or that it has."""
        decided, ended = self.outcomes[sid], self.subjects[sid].outcome
        if ended is None and decided == "section_47" and self.held_back:
            return BEING_ACTED_ON
        at = self.came_from if self.stage == "strategy_discussion" else self.stage
        if ended is None and at not in OVER_AT.get(decided, ()):
            return decided
        as_it_ended = ended is not None and (decided not in ENQUIRED or ended in SAID_AS_IT_ENDED)
        return str(ended) if as_it_ended else f"{decided}_concluded"

    @property
    def held_back(self) -> bool:
        """Whether a section 47 was decided on which the strategy discussion has not decided yet: whoever referred might warn the
        family, so that they hear of it once social care, police and health have agreed what may be said (Working Together).
        Where the case ends without that discussion, they hear how it ended."""
        if "section_47" not in self.outcomes.values() or not self.open:
            return False
        if self.stage == "strategy_discussion":  # an earlier one, before the decision, is not this one
            return self.came_from not in SECTION_47
        return self.strategy_held_at is None

    @property
    def of_public(self) -> bool:
        """Whether whoever referred is no professional."""
        return no_professional(self.source, self.source_agency)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Its markers, with the one that follows from the basis for sharing: a family that was not told, so that nobody is put at
        risk and no investigation is prejudiced, is told by nobody who is asked either."""
        derived = (NOT_TO_TELL,) if self.not_to_tell and NOT_TO_TELL not in self.markers else ()
        return (*self.markers, *derived)

    @property
    def not_to_write(self) -> bool:
        """Whether writing to whoever referred is not safe: they said so, or they are of the public and the case warns of contact.
        Of the public, whoever refers may live with whom the warning is about."""
        return "do_not_write" in self.markers or ("safe_contact" in self.markers and self.of_public)

    @property
    def by_person(self) -> bool:
        """Whether a person tells whoever referred what they are to hear: writing is not safe, or they gave another way."""
        return self.not_to_write or (not self.referrer_reachable and BY_OTHER_MEANS in self.flags)

    def stands(self, item: str, subject: str | None) -> bool:
        """Whether an item is what is known now: not put right since, and of nobody who was entered in error."""
        return item not in self.superseded and (subject is None or subject not in self.removed)

    def first_of(self, item: str) -> str:
        """The item that was stored first of what this one stands for now: who gave that decides who reads it."""
        before = {new: old for old, new in self.superseded.items()}
        while item in before:
            item = before[item]
        return item

    @property
    def unsettled(self) -> tuple[Match, ...]:
        """The likely matches that nobody has confirmed or rejected."""
        return tuple(match for match in self.matches if match.likeness == "likely")

    @property
    def cohorts(self) -> frozenset[str]:
        """The cohorts of its subjects."""
        return frozenset(subject.cohort for subject in self.subjects.values())

    @reckoned_of("subjects")
    def counted(self) -> frozenset[str]:
        """The cohorts as which its subjects count: who may be a child counts as one too."""
        return frozenset().union(*(counts_as(s.cohort, "adult" if s.accused else s.age) for s in self.subjects.values()))

    @reckoned_of("subjects")
    def only_adults(self) -> bool:
        """Whether everybody it is about is surely an adult: sections 47 and 17 of the Children Act 1989 protect nobody in it."""
        return not any(subject.counts_as_child for subject in self.subjects.values())

    @property
    def adults_unheard(self) -> tuple[str, ...]:
        """The adults it is about whose capacity and wishes are not recorded yet. For those of who may be a child nobody waits,
        and whom a concern about a professional is about is not asked before others hear of it."""
        return tuple(sid for sid, s in self.subjects.items() if s.has_a_say and s.capacity is None)

    @property
    def unseen(self) -> tuple[str, ...]:
        """The children whom nobody has seen yet. Whoever may be a child counts as one; an unborn is not to be seen."""
        return tuple(sid for sid, s in self.subjects.items() if s.to_be_seen and s.seen_on is None)

    @property
    def adults_refusing(self) -> tuple[str, ...]:
        """The adults with capacity who do not agree; of who may be a child, or is accused, a refusal binds nobody."""
        return tuple(sid for sid, s in self.subjects.items() if s.has_a_say and s.capacity == "has" and s.agrees == "no")

    def with_known(self, sid: str, **known: Any) -> dict[str, Any]:
        """What changes of the referral where a person's cohort, age or week becomes known: the person, and the flags of their
        age. Whoever is not of age after all has not come of it."""
        subject = self.subjects[sid].model_copy(update=known)
        if subject.cohort != "adult":
            subject = subject.model_copy(update={"accused": False})
        if "age" in known and subject.age != "adult":
            subject = subject.model_copy(update={"coming_of_age": None})
        known_now = () if unknown_adult(subject.cohort, subject.age) else (AGE_NOT_KNOWN,)
        settled = () if subject.coming_of_age == "today" else (WITHOUT_HAND_OVER,)
        of_age = {f"{sid}_{flag}" for flag in (*ODD, *known_now, *settled)}
        odd = (f"{sid}_{flag}" for flag in odd_of(subject.cohort, subject.age))
        flags = (*(flag for flag in self.flags if flag not in of_age), *odd)
        return {"subjects": {**self.subjects, sid: subject}, "flags": flags}

    @property
    def uncountersigned(self) -> tuple[str, ...]:
        """What waits for a second person: what one alone has done, or proposed."""
        return tuple(name for name, each in self.secondings.items() if each.agreed is None)

    @property
    def disputed(self) -> tuple[str, ...]:
        """The disagreements that somebody is to determine."""
        return tuple(did for did, d in self.disagreements.items() if d.outcome is None)

    @property
    def assessed(self) -> bool:
        """Whether an assessment is complete, and no other one has begun since."""
        return all(subject.assessment is not None for subject in self.subjects.values())

    @property
    def assessment_under_way(self) -> bool:
        """Whether a section 17 assessment runs, alone or beside a section 47."""
        return "assessment_under_way" in self.configuration or self.stage == "section_17_assessment"
