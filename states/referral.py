"""The folded state of a referral, and `evolve`, which folds one event into it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from mash.states import events as e
from mash.states.clocks import Frozen
from mash.states.commands import SYSTEM, Actor, ReportedConsent, Said
from mash.states.events import Event, Holding, StartedClock
from mash.states.machine import COMMANDS

Verdict = Literal["kept", "missed", "running", "not_needed"]


def verdict_of(due_at: datetime, breached_at: datetime | None, ended_at: datetime | None, met: bool | None) -> Verdict:
    """What has become of a clock. One that ran out is missed, whether it goes on, how it ended, and whether anybody was there to
    record that it ran out; one that ended in time is kept, or was not needed any more."""
    if breached_at or (ended_at and ended_at > due_at):
        return "missed"
    if ended_at is None:
        return "running"
    return "kept" if met else "not_needed"


def whose(clock_id: str) -> str:
    """The agency whose reply a clock waits for, or the disagreement; empty for a clock of the case itself."""
    return clock_id.partition(":")[2].partition(".")[0]


class Clock(StartedClock):
    """A clock with what has become of it."""

    warned: int = 0
    breached_at: datetime | None = None
    rung: int = -1
    next_rung_at: datetime | None = None
    acknowledged_by: str | None = None
    ended_at: datetime | None = None
    met: bool | None = None

    @property
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

    @property
    def outstanding(self) -> bool:
        """Whether the hub still waits for the answer."""
        return self.answered_at is None and not self.closed_without_reply


class SubjectState(Frozen):
    """A subject of the referral and its concluded outcome, if it has one; an adult's capacity and agreement, once recorded."""

    cohort: str
    outcome: str | None = None
    capacity: str | None = None
    agrees: str | None = None


class Proposed(Frozen):
    """A decision that waits to be signed off."""

    outcomes: dict[str, str]
    primary_need: str | None
    transfer_to: str | None
    role: str
    by: str
    said: Said | None


class Disagreement(Frozen):
    """A disagreement and where its procedure stands. `stage` counts the roles that have had their turn."""

    about: str
    agency: str
    by_role: str
    role: str
    stage: int = 0
    outcome: str | None = None
    final: bool = False


class Referral(Frozen, extra="ignore"):
    """A referral as its log says it is; a stored one may have fields that an earlier version folded. `version` is the number of
    events folded, `acted` the version that a person's act last led to: what the system adds afterwards does not outdate what
    somebody has in view."""

    version: int
    acted: int
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
    reopened: bool = False
    markers: tuple[str, ...] = ()
    links: dict[str, str] = {}
    immediate_danger: bool = False
    consent: ReportedConsent = ReportedConsent()
    flags: tuple[str, ...] = ()
    referrer_reachable: bool = False
    configuration: tuple[str, ...] = ("contact",)
    stage: str = "contact"
    stage_since: datetime
    came_from: str | None = None
    rating: str | None = None
    first_rating: str | None = None
    sharing: bool | None = None
    significant_harm: bool | None = None
    checks: dict[str, Check] = {}
    checks_closed: bool = False
    held: dict[str, Holding] = {}
    meeting_at: datetime | None = None
    meeting_mode: str = "face_to_face"
    meeting_held: bool = False
    dissents: tuple[str, ...] = ()
    proposed: Proposed | None = None
    disagreements: dict[str, Disagreement] = {}
    strategy_held_at: datetime | None = None
    decided_at: datetime | None = None
    outcomes: dict[str, str] = {}
    service: str | None = None
    assessment_outcome: str | None = None
    told: tuple[str, ...] = ()
    erased: bool = False
    clocks: dict[str, Clock] = {}

    @property
    def open(self) -> bool:
        """Whether any subject has no concluded outcome."""
        return any(subject.outcome is None for subject in self.subjects.values())

    @property
    def decided(self) -> bool:
        """Whether something is decided that could be disagreed with: also that the hub does not take it."""
        return self.decided_at is not None or not self.open

    @property
    def finished(self) -> bool:
        """Whether nothing more is waited for: not open, and no clock running (the referrer has been told)."""
        return not self.open and self.next_at is None

    @property
    def running(self) -> list[Clock]:
        """The clocks that run now."""
        return [clock for clock in self.clocks.values() if clock.running]

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

    @property
    def outstanding(self) -> tuple[str, ...]:
        """The agencies that have not answered yet."""
        return tuple(agency for agency, check in self.checks.items() if check.outstanding)

    def late_partners(self, now: datetime) -> tuple[str, ...]:
        """The agencies that have not answered in time, whoever has acknowledged that meanwhile."""
        late = {k.whose for k in self.running if k.kind == "check" and k.due_at <= now}
        return tuple(agency for agency in self.outstanding if agency in late)

    @property
    def alerts(self) -> tuple[str, ...]:
        """The clocks whose ladder is climbing, unacknowledged."""
        return tuple(c.id for c in self.running if c.rung >= 0 and c.acknowledged_by is None)

    @property
    def cohorts(self) -> frozenset[str]:
        """The cohorts of its subjects."""
        return frozenset(subject.cohort for subject in self.subjects.values())

    @property
    def adults_unheard(self) -> tuple[str, ...]:
        """The adults it is about whose capacity and wishes are not recorded yet."""
        return tuple(sid for sid, s in self.subjects.items() if s.cohort == "adult" and s.capacity is None)

    @property
    def adults_refusing(self) -> tuple[str, ...]:
        """The adults with capacity who do not agree."""
        return tuple(sid for sid, s in self.subjects.items() if s.capacity == "has" and s.agrees == "no")

    @property
    def disputed(self) -> tuple[str, ...]:
        """The disagreements that somebody is to determine."""
        return tuple(did for did, d in self.disagreements.items() if d.outcome is None)

    @property
    def assessment_under_way(self) -> bool:
        """Whether a section 17 assessment runs, alone or beside a section 47."""
        return "assessment_under_way" in self.configuration or self.stage == "section_17_assessment"

    def possible(self) -> tuple[str, ...]:
        """The commands that a person could give now."""
        names = [name for name, stages in COMMANDS.items() if self.stage in stages]
        answerable = any(check.answered_at is None for check in self.checks.values())
        impossible = {
            "rate_referral": self.rating is not None,
            "rerate_referral": self.rating is None,
            "answer_check": not answerable,
            "allocate_check": not answerable,
            "proceed_without_replies": not self.outstanding and (bool(self.checks) or self.sharing is not True),
            "record_adult_view": "adult" not in self.cohorts,
            "ask_agencies": self.sharing is not True,
            "release_information": all(item.released for item in self.held.values()),
            "record_dissent": self.rating is None and not self.decided,
            "raise_disagreement": self.rating is None and not self.decided,
            "settle_disagreement": not self.disputed,
            "take_disagreement_further": all(d.outcome is None or d.final for d in self.disagreements.values()),
            "acknowledge_alert": not self.alerts,
            "start_assessment": "no_assessment" not in self.configuration,
            "complete_assessment": not self.assessment_under_way,
        }
        return tuple(name for name in names if not impossible.get(name, False))


def _with_clocks(referral: Referral, **changes: dict[str, Any]) -> dict[str, Clock]:
    """The clocks, some of them changed: clock id -> fields."""
    return {**referral.clocks, **{cid: referral.clocks[cid].model_copy(update=fields) for cid, fields in changes.items()}}


def _started(clock: StartedClock, **kept: Any) -> Clock:
    return Clock.model_construct(**{**dict(clock), **kept})


def _begin(event: e.ContactReceived | e.ContinuedFrom, at: datetime) -> Referral:
    new = Referral(
        version=1,
        acted=1,
        hub=event.hub,
        profile=event.profile,
        contact=event.contact,
        source=event.source,
        source_agency=event.source_agency,
        primary_need=event.primary_need,
        factors=event.factors,
        categories=event.categories,
        place=event.place,
        markers=event.markers if isinstance(event, e.ContinuedFrom) else _reported_markers(event.consent),
        flags=event.flags,
        immediate_danger=event.immediate_danger,
        consent=event.consent,
        referrer_reachable=event.referrer_reachable,
        subjects={s.id: SubjectState(cohort=s.cohort) for s in event.subjects},
        received_at=at,
        stage_since=at,
    )
    if isinstance(event, e.ContactReceived):
        return new.model_copy(update={"reported_at": event.reported_at})
    return new.model_copy(
        update={
            "received_at": event.received_at,
            "parent": event.parent,
            "rating": event.rating,
            "first_rating": event.rating,
            "subjects": {
                s.id: SubjectState(cohort=s.cohort, **event.adult_views[s.id].model_dump())
                if s.id in event.adult_views
                else SubjectState(cohort=s.cohort)
                for s in event.subjects
            },
            "significant_harm": event.significant_harm,
            "sharing": False if event.not_to_share else None,
            "held": {holding.item: holding for holding in event.holdings},
            "configuration": event.configuration,
            "stage": event.stage,
            "decided_at": at,
            "outcomes": {s.id: event.outcome for s in event.subjects},
        }
    )


def _reported_markers(consent: ReportedConsent) -> tuple[str, ...]:
    return ("safe_contact",) if consent.safe_contact_warning else ()


def evolve(referral: Referral | None, event: Event, at: datetime, by: Actor) -> Referral:
    """Fold one event into the state. Never refuses: what is in the log happened. Needs no plaintext."""
    if isinstance(event, e.ContactReceived | e.ContinuedFrom):
        return _begin(event, at)
    if referral is None:
        raise ValueError("a log begins with contact_received or continued_from")
    version = referral.version + 1
    acted = referral.acted if by.role == SYSTEM else version
    return referral.model_copy(update={"version": version, "acted": acted, **_changes(referral, event, at, by)})


def _changes(referral: Referral, event: Event, at: datetime, by: Actor) -> dict[str, Any]:
    match event:
        case e.StageEntered():
            return {"stage": event.stage, "configuration": event.configuration, "came_from": event.came_from, "stage_since": at}
        case e.ReferralRated():
            return {"rating": event.rating, "first_rating": event.rating, "rated_at": at}
        case e.ReferralRerated():
            return {"rating": event.rating, "rated_at": at}
        case e.ConsultationConcluded(outcome="advice"):
            return {"consulted_at": at, **_all_decided(referral, "advice", at)}
        case e.ConsultationConcluded():
            return {"consulted_at": at}
        case e.PlaceAssigned():
            return {"place": event.place}
        case e.PeopleErased():
            return {"erased": True}
        case e.SharingBasisRecorded():
            return {"sharing": event.share}
        case e.AdultViewRecorded():
            adult = referral.subjects[event.subject].model_copy(update={"capacity": event.capacity, "agrees": event.agrees})
            # An adult's later refusal outdates the basis: nothing more leaves until it is recorded anew.
            refused = event.capacity == "has" and event.agrees == "no" and referral.sharing
            return {"subjects": {**referral.subjects, event.subject: adult}, **({"sharing": None} if refused else {})}
        case e.ThresholdRecorded():
            return {"significant_harm": event.significant_harm}
        case e.CategoriesRecorded():
            return {"categories": event.categories}
        case e.CohortCorrected():
            corrected = referral.subjects[event.subject].model_copy(update={"cohort": event.cohort})
            return {"subjects": {**referral.subjects, event.subject: corrected}}
        case e.MarkerRecorded():
            others = tuple(marker for marker in referral.markers if marker != event.marker)
            return {"markers": (*others, event.marker) if event.holds else others}
        case e.ReferralLinked():
            return {"links": {**referral.links, event.other: event.relation}}
        case e.InformationContributed():
            return {"held": _holding(referral, event, event.said, at)}
        case e.InformationReleased():
            released = {"released": True, "redacted": event.redacted.item if event.redacted else None}
            return {"held": {**referral.held, event.item: referral.held[event.item].model_copy(update=released)}}
        case e.ChecksRequested():
            new = {agency: Check(requested_at=at) for agency in event.agencies}
            return {"checks": {**referral.checks, **new}}
        case e.CheckAnswered():
            check = referral.checks[event.agency].model_copy(
                update={
                    "answered_at": at,
                    "known": event.known,
                    "relevant": event.relevant,
                    "recommendation": event.recommendation,
                    "suggested_rating": event.suggested_rating,
                }
            )
            held = referral.held
            if event.said:
                held = _holding(referral, event, event.said, at)
            return {"checks": {**referral.checks, event.agency: check}, "held": held}
        case e.CheckAllocated():
            handed = referral.checks[event.agency].model_copy(update={"allocated_to": event.to})
            return {"checks": {**referral.checks, event.agency: handed}}
        case e.ProceededWithoutReplies():
            closed = {a: referral.checks[a].model_copy(update={"closed_without_reply": True}) for a in event.agencies}
            return {"checks": {**referral.checks, **closed}, "checks_closed": True}
        case e.MeetingConvened():
            return {"meeting_at": event.at, "meeting_mode": event.mode}
        case e.MeetingHeld():
            return {"meeting_held": True}
        case e.DissentRecorded():
            return {"dissents": (*referral.dissents, f"{event.agency}:{event.about}")}
        case e.DecisionProposed():
            return {"proposed": Proposed(by=by.id, **{name: value for name, value in event if name != "kind"})}
        case e.SignOffRefused():
            return {"proposed": None}
        case e.DecisionRecorded():
            outcomes = dict(event.outcomes)
            return {"outcomes": outcomes, "primary_need": event.primary_need, "decided_at": at, "proposed": None}
        case e.ReferralSplit():
            left = {sid: s for sid, s in referral.subjects.items() if sid not in event.subjects}
            return {"subjects": left, "splits": referral.splits + 1}
        case e.StrategyDiscussionHeld(outcome="section_47"):
            return {"strategy_held_at": at, "proposed": None, **_all_decided(referral, "section_47", at)}
        case e.StrategyDiscussionHeld():
            return {"strategy_held_at": at}
        case e.AssessmentCompleted():
            return {"assessment_outcome": event.outcome}
        case e.StepDownOffered():
            return {"service": event.service}
        case e.StepDownReturned():
            return {"service": None, "outcomes": {}, "decided_at": None}
        case e.DisagreementRaised():
            raised = Disagreement(about=event.about, agency=event.agency, by_role=by.role, role=event.role)
            return {"disagreements": {**referral.disagreements, event.id: raised}}
        case e.DisagreementSettled():
            return _disagreement(referral, event.id, outcome=event.outcome, final=event.final)
        case e.DisagreementTakenFurther():
            stage = referral.disagreements[event.id].stage + 1
            return _disagreement(referral, event.id, outcome=None, role=event.role, stage=stage)
        case e.SubjectsConcluded():
            done = {sid: referral.subjects[sid].model_copy(update={"outcome": event.outcome}) for sid in event.subjects}
            return {"subjects": {**referral.subjects, **done}}
        case e.ReferralReopened():
            reopened = {sid: s.model_copy(update={"outcome": None}) for sid, s in referral.subjects.items()}
            return {"subjects": reopened, "outcomes": {}, "decided_at": None, "reopened": True}
        case e.ProfileAdopted():
            return {"profile": event.profile}
        case e.ReferrerTold():
            return {"told": (*referral.told, event.what)}
        case _:
            return _clock_changes(referral, event, at, by)


def _all_decided(referral: Referral, outcome: str, at: datetime) -> dict[str, Any]:
    """Decided without a decision of its own: a discussion led to section 47, a consultation to advice."""
    return {"outcomes": dict.fromkeys(referral.subjects, outcome), "decided_at": at}


def _holding(
    referral: Referral, event: e.CheckAnswered | e.InformationContributed, said: Said, at: datetime
) -> dict[str, Holding]:
    return {**referral.held, said.item: Holding(item=said.item, agency=event.agency, sensitive=event.sensitive, at=at)}


def _disagreement(referral: Referral, did: str, **changes: Any) -> dict[str, Any]:
    changed = referral.disagreements[did].model_copy(update=changes)
    return {"disagreements": {**referral.disagreements, did: changed}}


def _clock_changes(referral: Referral, event: Event, at: datetime, by: Actor) -> dict[str, Any]:
    match event:
        case e.ClocksStarted():
            return {"clocks": {**referral.clocks, **{clock.id: _started(clock) for clock in event.clocks}}}
        case e.ClocksStopped():
            return {
                "clocks": _with_clocks(
                    referral, **{cid: {"ended_at": at, "met": event.met and _in_time(referral, cid, at)} for cid in event.ids}
                )
            }
        case e.ClockMoved():
            old = referral.clocks[event.clock.id]
            return {
                "clocks": {
                    **referral.clocks,
                    old.id: _started(
                        event.clock,
                        warned=old.warned if event.clock.warn_at == old.warn_at else 0,
                        breached_at=old.breached_at,
                        rung=old.rung,
                        next_rung_at=old.next_rung_at,
                        acknowledged_by=old.acknowledged_by,
                    ),
                }
            }
        case e.ClockWarned():
            passed = sum(moment <= at for moment in referral.clocks[event.id].warn_at)
            return {"clocks": _with_clocks(referral, **{event.id: {"warned": passed}})}
        case e.ClockBreached():
            return {"clocks": _with_clocks(referral, **{event.id: {"breached_at": at}})}
        case e.ClockEscalated():
            return {
                "clocks": _with_clocks(
                    referral, **{event.id: {"rung": event.rung, "next_rung_at": event.next_at, "acknowledged_by": None}}
                )
            }
        case e.AlertAcknowledged():
            return {"clocks": _with_clocks(referral, **{event.id: {"acknowledged_by": by.id, "next_rung_at": event.renew_at}})}
        case _:
            return {}


def _in_time(referral: Referral, clock_id: str, at: datetime) -> bool:
    clock = referral.clocks[clock_id]
    return clock.breached_at is None and at <= clock.due_at
