"""Section 47: strategy discussion, enquiries, conference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from mash.states.acts import attendance, demands
from mash.states.acts.actions import AllAgreed, agree, agreed_again
from mash.states.acts.attendance import Absent, Attendance, HeldOn, WhyMissing
from mash.states.acts.birth import PRE_BIRTH, await_pre_birth_conference
from mash.states.acts.child_voice import WhyNotSeen, demand_seen, seen
from mash.states.acts.closing import close
from mash.states.acts.enquiring import FLAG, SameChild, demand_single_enquiry, flagged, likely_elsewhere
from mash.states.acts.outcomes import PLAN, decided, each_changed, final, of_each, said_once, same_for_all
from mash.states.acts.parting import part_ways
from mash.states.acts.quorum import await_quorum
from mash.states.acts.scheduling import NOT_SCHEDULED
from mash.states.clocks import LONDON, day_of
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete
from mash.states.fold import Changes, changes_nothing, folds
from mash.states.invited import to_discuss
from mash.states.profile import Mode
from mash.states.rebuild import Caused, Rebuilt, as_given, rebuilds, says_all, working
from mash.states.referral import Referral, SubjectState
from mash.states.register import act
from mash.states.roles import deciders
from mash.states.route import LEGS, Leg, take_route
from mash.states.stages import ROUTED, SECTION_47, SEEN
from mash.states.usual import Give, Step, Until, Wait, decider, rater, usually
from mash.states.values import BY_SUBJECT, Actor, Code, CommandBase, EventBase, Words

if TYPE_CHECKING:
    from mash.states.world import World


ConferenceResult = Literal["child_protection_plan", "no_plan"]
AbuseCategory = Literal["NEG", "PHY", "SAB", "EMO", "MUL"]
"""Why a child has a child protection plan, by code of the Children in Need census."""
MOST_PLANS = 50
"""More plans than anybody has had."""


class CallStrategyDiscussion(CommandBase):
    """Call a strategy discussion, from any open stage."""

    kind: Literal["call_strategy_discussion"] = "call_strategy_discussion"


class RecordStrategyDiscussion(CommandBase):
    """The strategy discussion was held; it may end without section 47."""

    kind: Literal["record_strategy_discussion"] = "record_strategy_discussion"
    attended: tuple[Code, ...] = ()
    apologies: tuple[Code, ...] = ()
    attendance: Attendance = {}
    without_quorum: WhyMissing | None = Field(
        default=None, description="Why somebody who must take part was missing.", exclude_if=lambda why: why is None
    )
    mode: Mode | None = None
    held_on: HeldOn = None
    outcome: Literal["section_47", "no_section_47"]
    enquiry: Literal["joint", "single_agency"] | None = Field(
        default=None,
        description="Whether social care and police enquire together, or one of them alone.",
        exclude_if=lambda enquiry: enquiry is None,
    )
    actions: AllAgreed = ()
    same_child: SameChild | None = Field(
        default=None, description="Whether a child who is likely the same, and under section 47 elsewhere, is this one."
    )


class ConcludeEnquiries(CommandBase):
    """Section 47 enquiries end in a conference, or without further child protection action."""

    kind: Literal["conclude_enquiries"] = "conclude_enquiries"
    outcome: Literal["conference", "no_further_child_protection_action"]
    not_seen_because: dict[Code, WhyNotSeen] = Field(
        default={},
        description="Why nobody has seen a child, for each whom nobody has.",
        json_schema_extra=BY_SUBJECT,
        exclude_if=lambda why: not why,
    )


class RecordConference(CommandBase):
    """The initial child protection conference was held (never at a weekend: CIN rule 8875)."""

    kind: Literal["record_conference"] = "record_conference"
    held_on: date
    outcome: ConferenceResult | None = Field(
        default=None, description="What it decided for all subjects.", exclude_if=lambda outcome: outcome is None
    )
    outcomes: dict[Code, ConferenceResult] = Field(
        default={},
        description="What it decided for each subject id, where that is not said of all.",
        json_schema_extra=BY_SUBJECT,
        exclude_if=lambda outcomes: not outcomes,
    )
    abuse_categories: dict[Code, AbuseCategory] = Field(
        default={},
        description="The category of abuse of each subject id that gets a plan (CIN census, InitialCategoryOfAbuse).",
        json_schema_extra=BY_SUBJECT,
        exclude_if=lambda categories: not categories,
    )
    previous_plans: dict[Code, Annotated[int, Field(ge=0, le=MOST_PLANS)]] = Field(
        default={},
        description="How many plans each subject id that gets one has had before (CIN census, NumberOfPreviousCPP).",
        json_schema_extra=BY_SUBJECT,
        exclude_if=lambda plans: not plans,
    )


class StrategyDiscussionCalled(EventBase):
    kind: Literal["strategy_discussion_called"] = "strategy_discussion_called"
    words: Words | None = Field(alias="said")


class StrategyDiscussionHeld(EventBase):
    kind: Literal["strategy_discussion_held"] = "strategy_discussion_held"
    attended: tuple[str, ...]
    apologies: tuple[str, ...] = ()
    absent: Absent = ()
    missing: Absent = ()
    without_quorum: str | None = Field(default=None, exclude_if=lambda why: why is None)
    mode: str = "face_to_face"
    held_on: HeldOn = None
    outcome: str
    enquiry: str | None = Field(default=None, exclude_if=lambda enquiry: enquiry is None)
    may_be_second: bool = Field(default=False, exclude_if=lambda second: not second)
    """Whether it may be the second section 47 of one child."""
    words: Words | None = Field(alias="said")


class EnquiriesConcluded(EventBase):
    kind: Literal["enquiries_concluded"] = "enquiries_concluded"
    outcome: str
    not_seen_because: dict[str, str] = Field(default={}, exclude_if=lambda why: not why)
    words: Words | None = Field(alias="said")


class ConferenceHeld(EventBase):
    """What was decided for all subjects (`outcome`), or for each; of each plan why, and the how many-eth it is. Logs from before
    that was asked do not say it."""

    kind: Literal["conference_held"] = "conference_held"
    held_on: date
    outcome: str | None = Field(default=None, exclude_if=lambda outcome: outcome is None)
    outcomes: dict[str, str] = Field(default={}, exclude_if=lambda outcomes: not outcomes)
    abuse_categories: dict[str, str] = Field(default={}, exclude_if=lambda categories: not categories)
    previous_plans: dict[str, int] = Field(default={}, exclude_if=lambda plans: not plans)
    words: Words | None = Field(alias="said")


def call(d: Deciding) -> None:
    """Enter the strategy discussion, remembering where from; an open assessment goes on beside it."""
    came_from = d.referral.stage
    if came_from in SECTION_47:
        d.go("call_again", came_from)
        return
    d.go("call_strategy_discussion", came_from)
    if came_from == "section_17_assessment":
        d.go("start_assessment", came_from)


LEGS["strategy_discussion"] = Leg(done=lambda d: d.referral.strategy_held_at is not None, enter=call)


@act(CallStrategyDiscussion, stages=tuple(stage for stage in SEEN if stage != "strategy_discussion"))
def call_strategy_discussion(d: Deciding, cmd: CallStrategyDiscussion, words: Words | None) -> None:
    """From any open stage."""
    d.record(StrategyDiscussionCalled(words=words))
    call(d)


says_all(StrategyDiscussionCalled, CallStrategyDiscussion)


@act(RecordStrategyDiscussion, stages=("strategy_discussion",))
def record_strategy_discussion(d: Deciding, cmd: RecordStrategyDiscussion, words: Words | None) -> None:
    """Held as it was held; it leads to section 47, or back to where it was called."""
    before = d.referral
    held = _as_it_was(d, cmd, words)
    if cmd.outcome == "section_47" and before.only_adults:
        raise Incomplete(f"section 47 is for children (Children Act 1989): {demands.otherwise(before.subjects, 'an adult')}")
    # What was decided as section 47 was asked about then.
    begun = before.came_from in SECTION_47 or "section_47" in before.outcomes.values()
    begins = tuple(before.subjects) if cmd.outcome == "section_47" and not begun else ()
    demand_single_enquiry(d, begins, cmd.same_child or ("cannot_tell" if FLAG in before.flags else None))
    d.record(StrategyDiscussionHeld(**held, may_be_second=flagged(d, begins), words=words))
    await_quorum(d, held["missing"])
    agree(d, cmd.actions, words)
    if cmd.outcome == "section_47":
        _begin_enquiries(d, before)
        return
    demands.words(words, "ending a strategy discussion without section 47")
    _go_back(d, before.came_from)


@rebuilds(RecordStrategyDiscussion, StrategyDiscussionHeld)
def _record_strategy_discussion_again(caused: Caused, event: StrategyDiscussionHeld) -> Rebuilt:
    before = caused.referral
    fields = {name: getattr(event, name) for name in ("without_quorum", "held_on", "outcome", "enquiry")}
    held = as_given(
        RecordStrategyDiscussion,
        **fields,
        attendance=attendance.table(event.attended, event.apologies, event.absent, caused.profile),
        mode=None if event.mode == before.discussion_mode else event.mode,
        actions=agreed_again(caused),
        same_child="cannot_tell" if event.may_be_second else None,
    )
    others = (likely_elsewhere(next(iter(before.subjects))),) if event.may_be_second else ()
    return Rebuilt(held, enquiries=others, colleagues=working(*(each.login for each in held.actions)))


def _as_it_was(d: Deciding, cmd: RecordStrategyDiscussion, words: Words | None) -> dict[str, Any]:
    """What the record says of a strategy discussion: who was there, how, on which day, and who is to enquire."""
    hub, what = d.profile.strategy_discussion, "a strategy discussion"
    attendance.not_to_come(d, d.referral.discussion_at, cmd.held_on, "the strategy discussion")
    attendance.judged_by(d, cmd.held_on, what)
    expected = to_discuss(d.referral, d.profile)
    came = attendance.there(d, cmd.attendance, cmd.attended, cmd.apologies, expected)
    missing = attendance.short_of_quorum(hub.quorum, came.attended, cmd.without_quorum, words, what)
    mode = attendance.way(hub.modes, cmd.mode or d.referral.discussion_mode, words, what)
    if cmd.enquiry and cmd.outcome != "section_47":
        raise Incomplete("who enquires is said of section 47 enquiries: leave it out (enquiry)")
    if hub.joint_or_single and cmd.outcome == "section_47" and not cmd.enquiry:
        raise Incomplete("say whether the enquiries are joint, or one agency's alone (enquiry)", needs=["enquiry"])
    said = {"outcome": cmd.outcome, "enquiry": cmd.enquiry, "without_quorum": cmd.without_quorum, "held_on": cmd.held_on}
    return {**came._asdict(), "missing": missing, "mode": mode, **said}


def _begin_enquiries(d: Deciding, before: Referral) -> None:
    d.go("start_enquiries")
    if before.came_from not in SECTION_47:  # a further discussion does not put the conference off
        rule, what = d.profile.statutory["conference"], "initial child protection conference"
        d.start_clock("initial_conference", rule, what, since=d.referral.strategy_held_at)
        await_pre_birth_conference(d)
    if "section_47" not in before.outcomes.values():
        decided(d)


def _go_back(d: Deciding, to: str | None) -> None:
    """The discussion ended without section 47: the case goes on from where it was called."""
    if to in SECTION_47:
        d.go("resume_protection")
    else:
        d.go("resume")
        if to == "step_down_offered":
            d.go("offer")
        if to in ROUTED and d.referral.rating:
            take_route(d)
    d.ensure_clocks()


@act(ConcludeEnquiries, stages=("enquiries",), roles=deciders, called="concluding enquiries")
def conclude_enquiries(d: Deciding, cmd: ConcludeEnquiries, words: Words | None) -> None:
    """In a conference, or without further child protection action; once each child has been seen."""
    demand_seen(d, cmd.not_seen_because, words)
    if cmd.outcome != "conference":
        demands.words(words, "ending enquiries without a conference")
    d.record(EnquiriesConcluded(outcome=cmd.outcome, not_seen_because=dict(cmd.not_seen_because), words=words))
    if cmd.outcome == "conference":
        d.go("open_conference")
    else:
        _end(d, dict.fromkeys(d.referral.subjects, "no_further_child_protection_action"))


says_all(EnquiriesConcluded, ConcludeEnquiries)


@act(RecordConference, stages=("conference",))
def record_conference(d: Deciding, cmd: RecordConference, words: Words | None) -> None:
    """The initial child protection conference was held: each child has a plan, or none."""
    said_once(d.referral, "outcome", cmd.outcome, "outcomes", cmd.outcomes)
    if cmd.held_on.weekday() >= 5:
        raise Incomplete("an initial child protection conference is not held at a weekend (CIN rule 8875): check the date")
    held_since = d.referral.strategy_held_at or d.referral.received_at
    if not day_of(held_since) <= cmd.held_on <= day_of(d.now):
        raise Incomplete(
            "the conference is held after the strategy discussion, and recorded once it has been held: check the date"
        )
    attendance.judged_by(d, cmd.held_on, "the conference")
    results = of_each(d.referral, str(cmd.outcome), cmd.outcomes)
    _of_each_plan([sid for sid, result in results.items() if result == PLAN], cmd)
    if "no_plan" in results.values():
        demands.words(words, "ending a conference without a plan")
    fields = {name: getattr(cmd, name) for name in RecordConference.model_fields if name != "kind"}
    d.record(ConferenceHeld(words=words, **fields))
    d.stop(PRE_BIRTH)
    _end(d, results)


def _of_each_plan(planned: Sequence[str], cmd: RecordConference) -> None:
    """Raises Incomplete where it is not said of each child with a plan, and of nobody else, why and the how many-eth it is."""
    for name, what, said in (
        ("abuse_categories", "the category of abuse", cmd.abuse_categories),
        ("previous_plans", "how many child protection plans there were before", cmd.previous_plans),
    ):
        if missing := [sid for sid in planned if sid not in said]:
            raise Incomplete(f"say {what} of each child who gets a plan: {', '.join(missing)} ({name})", needs=[name])
        if needless := len(set(said) - set(planned)):
            of = ", ".join(planned) or "nobody"
            raise Incomplete(f"{needless} of whom it is said {what} get no plan: leave them out, and say it of {of} ({name})")


says_all(ConferenceHeld, RecordConference)


def _end(d: Deciding, results: Mapping[str, str]) -> None:
    """Section 47 is over: an assessment beside it goes on alone, and what the conference gave each child is remembered. One that
    is complete says what help there is to be, unless the child is protected by a plan; otherwise the referral concludes."""
    d.stop("initial_conference")
    d.stop(PRE_BIRTH, met=False)
    if "assessment_under_way" in d.referral.configuration:
        d.go("end_protection")
        return
    outcomes = {sid: _outcome(d.referral.subjects[sid], result) for sid, result in results.items()}
    if part_ways(d, outcomes) == "early_help":
        d.go("end_protection_in_early_help")
    else:
        close(d, "end_protection", outcomes)


def _outcome(subject: SubjectState, result: str) -> str:
    """Of one subject: the help that their assessment found they need, or what the section 47 came to."""
    found = subject.assessment
    return final(subject, found if found in ("early_help", "child_in_need_plan") else result)


changes_nothing(StrategyDiscussionCalled, EnquiriesConcluded)


@folds(ConferenceHeld)
def _conference_held(referral: Referral, event: ConferenceHeld, at: datetime, by: Actor) -> Changes:
    results = of_each(referral, event.outcome, event.outcomes)
    return each_changed(referral, {sid: {"conference": result} for sid, result in results.items()})


@folds(StrategyDiscussionHeld)
def _strategy_discussion_held(referral: Referral, event: StrategyDiscussionHeld, at: datetime, by: Actor) -> Changes:
    held_at = attendance.instant(event.held_on, at, referral)
    held: Changes = {"strategy_held_at": held_at, "discussed": event.attended, "short_of": event.missing, **NOT_SCHEDULED}
    if event.outcome == "section_47":
        second = {"flags": tuple(dict.fromkeys((*referral.flags, FLAG)))} if event.may_be_second else {}
        enquiry = {"enquiry": event.enquiry} if event.enquiry else {}
        return {**held, **enquiry, "proposed": None, **second, **same_for_all(referral, "section_47", held_at)}
    if referral.held_back:  # the section 47 that was decided is not to be: it is decided anew
        return {**held, "outcomes": {}, "decided_at": None, "decided_by": None}
    return held


@usually("strategy_discussion")
def _strategy_discussion(world: World, rating: str) -> Iterator[Step]:
    yield Wait(("strategy_discussion",))
    hub = world.profile.strategy_discussion
    outcome: Literal["section_47", "no_section_47"] = "no_section_47" if world.referral.only_adults else "section_47"
    enquiry: Literal["joint"] | None = "joint" if hub.joint_or_single and outcome == "section_47" else None
    discussion = RecordStrategyDiscussion(attended=hub.quorum, outcome=outcome, enquiry=enquiry)
    how = hub.modes[0].replace("_", " ")
    yield Give(discussion, rater(world.profile), f"strategy discussion held, {how}: {outcome.replace('_', ' ')}")


@usually("enquiries")
def _enquiries(world: World, rating: str) -> Iterator[Step]:
    yield Wait(("enquiries",))
    yield from seen(world)
    yield Give(ConcludeEnquiries(outcome="conference"), decider(world.profile), "enquiries concluded: conference")


@usually("conference")
def _conference(world: World, rating: str) -> Iterator[Step]:
    yield Wait(("conference",))
    while world.now.astimezone(LONDON).weekday() >= 5:
        yield Until(world.now + timedelta(days=1))
    subjects = world.referral.subjects
    why = {"abuse_categories": dict.fromkeys(subjects, "NEG"), "previous_plans": dict.fromkeys(subjects, 0)}
    conference = RecordConference(held_on=day_of(world.now), outcome=PLAN, **why)
    yield Give(conference, decider(world.profile), "conference held: child protection plan")
