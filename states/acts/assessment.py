"""Assessments: the child and family assessment, alone or beside a section 47, and the adult's section 42 enquiry."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from mash.states.acts import attendance, demands
from mash.states.acts.attendance import HeldOn
from mash.states.acts.child_voice import WhyNotSeen, demand_seen, seen
from mash.states.acts.closing import close
from mash.states.acts.handing_over import accepted_there, answered_by_doing, not_answered, transfer, whither
from mash.states.acts.outcomes import PLAN, each_changed, final, of_each, said_once
from mash.states.acts.parting import Whither, part_ways
from mash.states.clocks import day_of
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, Refusal
from mash.states.fold import Changes, changes_nothing, folds
from mash.states.profile import Profile
from mash.states.rebuild import says_all
from mash.states.referral import Referral
from mash.states.register import act
from mash.states.stages import SECTION_47
from mash.states.usual import Give, Step, Wait, decider, usually
from mash.states.values import BY_SUBJECT, Actor, Authority, Code, CommandBase, EventBase, Factor, Words

if TYPE_CHECKING:
    from mash.states.world import World


AssessmentOutcome = Literal["child_in_need_plan", "early_help", "no_further_action", "transfer"]


class StartAssessment(CommandBase):
    """Start a section 17 assessment beside the section 47."""

    kind: Literal["start_assessment"] = "start_assessment"
    held_on: HeldOn = None


class CompleteAssessment(CommandBase):
    """The child and family assessment is finished."""

    kind: Literal["complete_assessment"] = "complete_assessment"
    factors: tuple[Factor, ...] = Field(
        default=(),
        min_length=1,
        description="CIN assessment factors of all subjects; 21 stands alone (rule 8869).",
        exclude_if=lambda factors: not factors,
    )
    factors_of: dict[Code, Annotated[tuple[Factor, ...], Field(min_length=1)]] = Field(
        default={},
        description="The factors of each subject id, where they are not said of all.",
        json_schema_extra=BY_SUBJECT,
        exclude_if=lambda factors: not factors,
    )
    outcome: AssessmentOutcome | None = Field(
        default=None, description="What all subjects need.", exclude_if=lambda outcome: outcome is None
    )
    outcomes: dict[Code, AssessmentOutcome] = Field(
        default={},
        description="What each subject id needs, where that is not said of all.",
        json_schema_extra=BY_SUBJECT,
        exclude_if=lambda outcomes: not outcomes,
    )
    not_seen_because: dict[Code, WhyNotSeen] = Field(
        default={},
        description="Why nobody has seen a child, for each whom nobody has.",
        json_schema_extra=BY_SUBJECT,
        exclude_if=lambda why: not why,
    )
    transfer_to: Authority | None = Field(default=None, description="The receiving authority, for a transfer.")
    destination: Code | None = Field(
        default=None,
        description="Whom the case is transferred to, if it is not another authority: a team of the hub's own authority.",
        exclude_if=lambda destination: destination is None,
    )
    held_on: HeldOn = None


class CompleteAdultEnquiry(CommandBase):
    """The adult section 42 enquiry is finished (Care Act 2014)."""

    kind: Literal["complete_adult_enquiry"] = "complete_adult_enquiry"
    outcome: Literal["risk_removed", "risk_reduced", "risk_remains", "no_risk_found"]


class AssessmentStarted(EventBase):
    kind: Literal["assessment_started"] = "assessment_started"
    beside_section_47: bool
    held_on: HeldOn = None


class AssessmentCompleted(EventBase):
    """What was found of all subjects (`factors`, `outcome`), or of each."""

    kind: Literal["assessment_completed"] = "assessment_completed"
    factors: tuple[str, ...] = Field(default=(), exclude_if=lambda factors: not factors)
    factors_of: dict[str, tuple[str, ...]] = Field(default={}, exclude_if=lambda factors: not factors)
    outcome: str | None = Field(default=None, exclude_if=lambda outcome: outcome is None)
    outcomes: dict[str, str] = Field(default={}, exclude_if=lambda outcomes: not outcomes)
    transfer_to: str | None = None
    destination: str | None = Field(default=None, exclude_if=lambda destination: destination is None)
    held_on: HeldOn = None
    not_seen_because: dict[str, str] = Field(default={}, exclude_if=lambda why: not why)
    words: Words | None = Field(alias="said")


class AdultEnquiryCompleted(EventBase):
    kind: Literal["adult_enquiry_completed"] = "adult_enquiry_completed"
    outcome: str
    words: Words | None = Field(alias="said")


def begin_assessment(d: Deciding, beside: bool, held_on: date | None = None) -> None:
    """The assessment's clock is statutory: 45 working days from the referral, on whichever day it began."""
    d.record(AssessmentStarted(beside_section_47=beside, held_on=held_on))
    d.start_clock("assessment", d.profile.statutory["assessment"], "child and family assessment")


def _only_adults(referral: Referral, profile: Profile, by: Actor, cmd: StartAssessment | None) -> Refusal | None:
    if not referral.only_adults:
        return None
    return Incomplete(f"section 17 is for children (Children Act 1989): {demands.otherwise(referral.subjects, 'an adult')}")


@act(
    StartAssessment,
    stages=SECTION_47[1:],
    when=lambda referral: "no_assessment" in referral.configuration,
    hindrance=_only_adults,
)
def start(d: Deciding, cmd: StartAssessment, words: Words | None) -> None:
    """A section 17 assessment beside the section 47."""
    attendance.held_at(d, cmd.held_on, "an assessment")
    d.go("start_assessment")
    begin_assessment(d, beside=True, held_on=cmd.held_on)


says_all(AssessmentStarted, StartAssessment)


def _no_decider(referral: Referral, profile: Profile, by: Actor, cmd: CompleteAssessment | None) -> Refusal | None:
    """Where the hub decides at the end of its own assessment, that is the decision."""
    if not profile.assess_first or by.role in profile.deciders:
        return None
    return demands.not_for(by.role, profile.deciders, "deciding at the end of an assessment")


@act(
    CompleteAssessment,
    stages=("section_17_assessment", *SECTION_47[1:]),
    when=lambda referral: referral.assessment_under_way,
    hindrance=_no_decider,
)
def complete(d: Deciding, cmd: CompleteAssessment, words: Words | None) -> None:
    """The child and family assessment is finished, once each child has been seen; alone, its outcome is each subject's, beside a
    section 47 that ends in no plan for them."""
    beside = d.referral.stage != "section_17_assessment"
    _complete(d, cmd, beside)
    demand_seen(d, cmd.not_seen_because, words)
    _not_before_it_was_decided(d, cmd.held_on)
    attendance.judged_by(d, cmd.held_on, "an assessment")
    fields = {name: getattr(cmd, name) for name in CompleteAssessment.model_fields if name != "kind"}
    if not beside and "no_further_action" in of_each(d.referral, str(cmd.outcome), cmd.outcomes).values():
        demands.words(words, "ending a case in no further action")
    d.record(AssessmentCompleted(words=words, **fields))
    d.stop("assessment")
    if beside:
        d.go("complete_beside", d.referral.came_from)
        return
    found = of_each(d.referral, str(cmd.outcome), cmd.outcomes)
    outcomes = {sid: final(d.referral.subjects[sid], outcome) for sid, outcome in found.items()}
    to = Whither(cmd.destination, cmd.transfer_to)
    way = part_ways(d, outcomes, to)
    if way == "early_help":
        d.go("end_assessment_in_early_help")
    elif way == "transfer":
        d.go("end_assessment_in_transfer")
        transfer(d, to)
    else:
        close(d, "end_assessment", outcomes)


says_all(AssessmentCompleted, CompleteAssessment)


def _not_before_it_was_decided(d: Deciding, held_on: date | None) -> None:
    """Raises Incomplete for a day before the one on which it was decided to assess, or to enquire."""
    decided_at = d.referral.decided_at
    if held_on is not None and decided_at is not None and held_on < day_of(decided_at):
        raise Incomplete(f"an assessment is completed after it began: {day_of(decided_at):%d %b %Y} at the earliest (held_on)")


def _complete(d: Deciding, cmd: CompleteAssessment, beside: bool) -> None:
    """Whether it says of each subject what it must, and what can be."""
    said_once(d.referral, "outcome", cmd.outcome, "outcomes", cmd.outcomes)
    said_once(d.referral, "factors", cmd.factors, "factors_of", cmd.factors_of)
    if any("21" in factors and len(factors) > 1 for factors in (cmd.factors, *cmd.factors_of.values())):
        raise Incomplete("factor 21 (no factors identified) stands alone (CIN rule 8869)")
    found = of_each(d.referral, str(cmd.outcome), cmd.outcomes)
    going = [sid for sid, outcome in found.items() if outcome == "transfer"]
    if going and beside:
        raise Incomplete("a transfer ends an assessment that stands alone: beside a section 47, offer it (offer_hand_over)")
    if going:
        whither(d.profile, Whither(cmd.destination, cmd.transfer_to))
    if planned := [sid for sid in going if d.referral.subjects[sid].conference == PLAN]:
        raise Incomplete(
            f"a child protection plan stands until the receiving authority's conference takes it over: {', '.join(planned)}"
        )


def _not_theirs(referral: Referral, profile: Profile, by: Actor, cmd: CompleteAdultEnquiry | None) -> Refusal | None:
    return not_answered(referral, profile, by, "adults")


@act(CompleteAdultEnquiry, stages=("adult_section_42",), hindrance=_not_theirs)
def complete_adult_enquiry(d: Deciding, cmd: CompleteAdultEnquiry, words: Words | None) -> None:
    """The adult section 42 enquiry is finished."""
    d.record(AdultEnquiryCompleted(outcome=cmd.outcome, words=demands.words(words, "ending an adult enquiry")))
    answered_by_doing(d, "adults")
    close(d, "end_adult_enquiry", "adult_section_42")


says_all(AdultEnquiryCompleted, CompleteAdultEnquiry)


changes_nothing(AdultEnquiryCompleted)


@folds(AssessmentStarted)
def _assessment_started(referral: Referral, event: AssessmentStarted, at: datetime, by: Actor) -> Changes:
    """What an earlier one found is not what this one finds."""
    return each_changed(referral, {sid: {"assessment": None, "factors": ()} for sid in referral.subjects})


@folds(AssessmentCompleted)
def _assessment_completed(referral: Referral, event: AssessmentCompleted, at: datetime, by: Actor) -> Changes:
    outcomes = of_each(referral, event.outcome, event.outcomes)
    factors = of_each(referral, event.factors, event.factors_of)
    return each_changed(referral, {sid: {"assessment": outcomes[sid], "factors": factors[sid]} for sid in referral.subjects})


@usually("section_17_assessment")
def _section_17_assessment(world: World, rating: str) -> Iterator[Step]:
    yield Wait(("assessment",))
    yield from seen(world)
    done = CompleteAssessment(factors=("1A",), outcome="early_help")
    yield Give(done, decider(world.profile), "assessment completed: early help")


@usually("adult_section_42")
def _adult_section_42(world: World, rating: str) -> Iterator[Step]:
    yield Wait(("hand_over",))
    yield from accepted_there(world)
    yield Wait(("adult_section_42",))
    done = CompleteAdultEnquiry(outcome="risk_reduced")
    yield Give(done, "adult_social_worker", "adult enquiry completed: risk reduced")
