"""The local authority's decision: taken, signed off where the hub wants a second person, and each subject's path."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import AwareDatetime, Field

from mash.states.accumulation import LIGHT
from mash.states.acts import demands
from mash.states.acts.assessment import begin_assessment
from mash.states.acts.closing import close, not_over_for_who_came_of_age, not_over_under_an_order
from mash.states.acts.contact import ContinuedFrom
from mash.states.acts.enquiring import FLAG, SameChild, demand_single_enquiry, flagged, likely_elsewhere
from mash.states.acts.handing_over import offer_once, transfer, whither
from mash.states.acts.orders import await_ends
from mash.states.acts.outcomes import PLAN, decided
from mash.states.acts.parting import NOWHERE, ReferralSplit, Whither, part
from mash.states.acts.seconding import WHEN_AGREED, WHO_AGREED, demand_second, refuse_needless, second_again
from mash.states.acts.weighing import adding_up, demand_weighed, not_a_second_person
from mash.states.clocks import local
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, Refusal
from mash.states.fold import Changes, folds
from mash.states.profile import Outcome, Profile
from mash.states.rebuild import Caused, Rebuilt, as_given, rebuilds
from mash.states.referral import Proposed, Referral, SubjectState
from mash.states.register import act
from mash.states.roles import deciders, signing_off
from mash.states.usual import Give, Step, Wait, decider, usually
from mash.states.values import (
    BY_SUBJECT,
    Actor,
    AdultView,
    Authority,
    Code,
    CommandBase,
    Course,
    Enquiry,
    EventBase,
    Holding,
    Need,
    OneWord,
    Subject,
    Words,
)

if TYPE_CHECKING:
    from mash.states.world import World

GRAVEST_FIRST = (
    "section_47",
    "section_17",
    "adult_section_42",
    "early_help",
    "transfer",
    "information_provided",
    "advice",
    "no_further_action",
)
"""When subjects' paths differ, the referral keeps the first of these that occurs; the others become linked referrals."""
CHILDREN = ("child", "unborn")
FOR_CHILDREN = ("section_47", "section_17")
"""Sections of the Children Act 1989."""
PROTECTS = {*FOR_CHILDREN, "adult_section_42"}
"""Outcomes that protect somebody: none of them waits for a second person or for a dispute."""
NEEDS_PRIMARY_NEED = {"section_47", "section_17", "early_help"}
"""CIN rule 8610: a referral that leads to action has a primary need code."""


class RecordDecision(CommandBase):
    """The local authority's manager decides, subject by subject. Paths that differ split into linked referrals."""

    kind: Literal["record_decision"] = "record_decision"
    outcomes: dict[Code, Outcome] = Field(
        min_length=1,
        description="An outcome for each subject id.",
        json_schema_extra=BY_SUBJECT,
    )
    primary_need: Need | None = Field(default=None, description="CIN primary need, N0 to N9; needed unless no further action.")
    transfer_to: Authority | None = Field(default=None, description="The receiving authority, for a transfer.")
    destination: Code | None = Field(
        default=None,
        description="Whom the case is transferred to, if it is not another authority: a team of the hub's own authority.",
        exclude_if=lambda destination: destination is None,
    )
    same_child: SameChild | None = Field(
        default=None, description="Whether a child who is likely the same, and under section 47 elsewhere, is this one."
    )
    second: OneWord | None = Field(default=None, exclude_if=lambda second: second is None, description=WHO_AGREED)
    second_at: AwareDatetime | None = Field(default=None, exclude_if=lambda at: at is None, description=WHEN_AGREED)


class SignOffDecision(CommandBase):
    """A second person agrees to the decision, which then takes effect; or does not, and it is decided anew."""

    kind: Literal["sign_off_decision"] = "sign_off_decision"
    agreed: bool


class DecisionProposed(EventBase):
    """Decided, but of effect only when `role` signs it off."""

    kind: Literal["decision_proposed"] = "decision_proposed"
    outcomes: dict[str, str]
    primary_need: str | None
    transfer_to: str | None
    destination: str | None = Field(default=None, exclude_if=lambda destination: destination is None)
    role: str
    may_be_second: bool = Field(default=False, exclude_if=lambda second: not second)
    """Whether it may be the second section 47 of one child."""
    adding_up: int = Field(default=0, exclude_if=lambda number: not number)
    words: Words | None = Field(alias="said")


class SignOffRefused(EventBase):
    kind: Literal["sign_off_refused"] = "sign_off_refused"
    words: Words = Field(alias="said")


class DecisionRecorded(EventBase):
    kind: Literal["decision_recorded"] = "decision_recorded"
    outcomes: dict[str, str]
    primary_need: str | None
    transfer_to: str | None
    destination: str | None = Field(default=None, exclude_if=lambda destination: destination is None)
    proposed_by: str | None = None
    may_be_second: bool = Field(default=False, exclude_if=lambda second: not second)
    """Whether it may be the second section 47 of one child."""
    words: Words | None = Field(alias="said")


@act(RecordDecision, stages=("decision",), roles=deciders, called="the decision")
def decide(d: Deciding, cmd: RecordDecision, words: Words | None) -> None:
    """An outcome for each subject. It takes effect at once, unless the hub wants it signed off."""
    reason = demands.words(words, "a decision")
    _complete(d, cmd)
    _fits_everybody(d, cmd)
    demand_no_dispute(d, cmd.outcomes.values())
    enquired = [subject for subject, outcome in cmd.outcomes.items() if outcome == "section_47"]
    demand_single_enquiry(d, enquired, cmd.same_child)
    fields: dict[str, Any] = {
        "may_be_second": flagged(d, enquired),
        "outcomes": dict(cmd.outcomes),
        "primary_need": cmd.primary_need or d.referral.primary_need,
        "transfer_to": cmd.transfer_to,
        "destination": cmd.destination,
    }
    # What protects one child does not wait for a second look at another's contacts: they part, and the look is at that part.
    waits = demand_weighed(d) if set(cmd.outcomes.values()) <= set(LIGHT) else 0
    second = d.profile.signs_off(d.referral.rating, cmd.outcomes.values())
    if (second or waits or not d.referral.in_danger) or not set(cmd.outcomes.values()) <= set(LIGHT):
        refuse_needless(cmd.second, cmd.second_at)
    else:
        demand_second(d, "closing", cmd.second, cmd.second_at)
    if second := second or (d.profile.accumulation.role if waits else None):
        d.record(DecisionProposed(role=second, words=reason, adding_up=waits, **fields))
        d.go("ask_sign_off")
        return
    waiting = to_wait(d, cmd.outcomes.values(), seconded=False)
    d.record(DecisionRecorded(words=reason, **fields))
    _take_effect(d, cmd.outcomes, Whither(cmd.destination, cmd.transfer_to), waiting)


@rebuilds(RecordDecision, DecisionProposed, DecisionRecorded)
def _record_decision_again(caused: Caused, event: DecisionProposed | DecisionRecorded) -> Rebuilt:
    """That it may be the second section 47 of one child, it says; of which case the other one is, was only asked about."""
    again, others = second_again(caused), tuple[Enquiry, ...]()
    if event.may_be_second:
        enquired = next(sid for sid, outcome in event.outcomes.items() if outcome == "section_47")
        others = (likely_elsewhere(enquired),)
    fields = {name: getattr(event, name) for name in ("outcomes", "primary_need", "transfer_to", "destination")}
    decided = as_given(RecordDecision, **fields, **again.fields, same_child="cannot_tell" if others else None)
    return Rebuilt(decided, enquiries=others, colleagues=again.colleagues)


def to_wait(d: Deciding, outcomes: Iterable[str], *, seconded: bool) -> frozenset[str]:
    """Which of these outcomes are not decided yet, where others protect somebody and take effect: while the rating is disputed,
    all that protect nobody; in immediate danger, those by which nothing more is done, unless a second person has looked."""
    disputed = any(d.referral.disagreements[did].about == "rating" for did in d.referral.disputed)
    alone = d.referral.in_danger and not seconded
    return frozenset(each for each in outcomes if (disputed and each not in PROTECTS) or (alone and each in LIGHT))


def demand_no_dispute(d: Deciding, outcomes: Iterable[str]) -> None:
    """Raises Incomplete while somebody is to determine whether the rating is right, unless what is decided protects anybody: that
    waits for nobody."""
    open_ones = [did for did in d.referral.disputed if d.referral.disagreements[did].about == "rating"]
    if open_ones and not set(outcomes) & PROTECTS:
        did = open_ones[0]
        role = d.referral.disagreements[did].role.replace("_", " ")
        by_when = next((clock.due_at for clock in d.referral.running if clock.whose == did), None)
        until = f" by {local(by_when)}" if by_when else ""
        raise Incomplete(
            f"the rating is disputed: {did} is to be determined by the {role}{until} (settle_disagreement), and the decision"
            " waits for that. What protects somebody does not wait: section 47, section 17, section 42"
        )


def _complete(d: Deciding, cmd: RecordDecision) -> None:
    """What the outcomes make necessary."""
    r = d.referral
    if set(cmd.outcomes) != set(r.subjects):
        raise Incomplete(f"a decision gives an outcome to each subject: {', '.join(r.subjects)}")
    if "transfer" in cmd.outcomes.values():
        whither(d.profile, Whither(cmd.destination, cmd.transfer_to))
    assessed = {outcome for sid, outcome in cmd.outcomes.items() if r.subjects[sid].counts_as_child}  # section 17 is for children
    if (early := assessed & set(d.profile.assess_first)) and not r.assessed:
        outcomes = ", ".join(sorted(early)).replace("_", " ")
        raise Incomplete(f"{d.profile.title} completes the assessment itself before {outcomes}: decide section_17 first")


def _fits_everybody(d: Deciding, cmd: RecordDecision) -> None:
    """Whether each outcome is one for such a person, and has its code."""
    r = d.referral
    into_42 = {sid: r.subjects[sid] for sid, outcome in cmd.outcomes.items() if outcome == "adult_section_42"}
    if unheard := [sid for sid, s in into_42.items() if s.cohort == "adult" and s.capacity is None]:
        raise Incomplete(f"record each adult's capacity and wishes first (record_adult_view): {', '.join(unheard)}")
    if minors := [sid for sid, s in into_42.items() if s.surely in CHILDREN]:
        raise Incomplete(f"section 42 is for adults (Care Act 2014): {demands.otherwise(minors, 'a child')}")
    children = {sid: o for sid, o in cmd.outcomes.items() if r.subjects[sid].counts_as_child}
    if adults := [sid for sid, o in cmd.outcomes.items() if o in FOR_CHILDREN and sid not in children]:
        raise Incomplete(f"sections 47 and 17 are for children (Children Act 1989): {demands.otherwise(adults, 'an adult')}")
    if planned := [sid for sid, o in children.items() if r.subjects[sid].conference == PLAN and o not in FOR_CHILDREN]:
        raise Incomplete(f"a child protection plan stands until a conference ends it: decide section_47 for {', '.join(planned)}")
    coded = cmd.primary_need or r.primary_need
    if not coded and any(o in NEEDS_PRIMARY_NEED and r.subjects[s].cohort != "adult" for s, o in cmd.outcomes.items()):
        raise Incomplete("a primary need code (N0 to N9) is needed unless no further action is taken (CIN rule 8610)")


def _not_a_second_person(referral: Referral, profile: Profile, by: Actor, cmd: SignOffDecision | None) -> Refusal | None:
    if referral.proposed is None:
        return Incomplete("no decision waits to be signed off")
    if refusal := not_a_second_person(referral, by):
        return refusal
    if cmd and referral.proposed.adding_up and by.id not in referral.second_views:
        return Incomplete("contacts add up here: write your own view first (write_second_view), then read the first one's words")
    return None


@act(
    SignOffDecision,
    stages=("sign_off",),
    roles=signing_off,
    called="signing this decision off",
    hindrance=_not_a_second_person,
)
def sign_off(d: Deciding, cmd: SignOffDecision, words: Words | None) -> None:
    """A second person, of the role the hub names, agrees; or sends it back with a reason."""
    proposed = d.referral.proposed
    if not cmd.agreed or proposed is None:
        withdraw(d, demands.words(words, "not agreeing"))
        return
    demand_no_dispute(d, proposed.outcomes.values())
    if proposed.adding_up:
        demand_weighed(d)  # more may have become known meanwhile
    demand_single_enquiry(d, [subject for subject, o in proposed.outcomes.items() if o == "section_47"], "cannot_tell")
    waiting = to_wait(d, proposed.outcomes.values(), seconded=True)
    d.record(
        DecisionRecorded(
            outcomes=proposed.outcomes,
            primary_need=proposed.primary_need,
            transfer_to=proposed.transfer_to,
            destination=proposed.destination,
            proposed_by=proposed.by,
            words=words or proposed.words,
        )
    )
    d.proposed_by = proposed.by
    _take_effect(d, proposed.outcomes, Whither(proposed.destination, proposed.transfer_to), waiting)


@rebuilds(SignOffDecision, DecisionRecorded, SignOffRefused)
def _sign_off_decision_again(caused: Caused, event: DecisionRecorded | SignOffRefused) -> SignOffDecision:
    return as_given(SignOffDecision, agreed=isinstance(event, DecisionRecorded))


def withdraw(d: Deciding, words: Words) -> None:
    """A proposed decision is not signed off: it is decided anew."""
    d.record(SignOffRefused(words=words))
    d.go("refuse_sign_off")


def _take_effect(d: Deciding, outcomes: Mapping[str, str], to: Whither, waiting: Collection[str]) -> None:
    not_over_for_who_came_of_age(d, outcomes)
    not_over_under_an_order(d, outcomes)
    paths = sorted(set(outcomes.values()), key=GRAVEST_FIRST.index)
    protects = not set(paths) <= set(LIGHT)
    for path in paths[1:]:
        number = adding_up(d.referral, d.profile) if path in LIGHT and protects else 0
        part(d, outcomes, path, adding_up=number, undecided=path in waiting and not number, whither=to)
    decided(d, to_be_discussed=paths[0] == "section_47")
    take_path(d, paths[0], to)


def take_path(d: Deciding, outcome: str, to: Whither = NOWHERE) -> None:
    """Set out on the path of a decision."""
    if outcome == "section_47":
        d.go("call_strategy_discussion", "decision")
    elif outcome == "section_17":
        d.go("decide_section_17")
        begin_assessment(d, beside=False)
    elif outcome in ("early_help", "adult_section_42", "transfer"):
        d.go(f"decide_{outcome}")
        if outcome == "transfer":
            transfer(d, to)
        elif outcome == "adult_section_42":
            offer_once(d, "adults")
    else:
        close(d, f"decide_{outcome}", outcome, path_of_decision=True)


def continue_split(
    d: Deciding,
    parent: Referral,
    split: ReferralSplit,
    subjects: dict[str, SubjectState],
    parent_reference: str,
    held: tuple[Words, ...],
    holdings: tuple[Holding, ...],
    superseded: Mapping[str, str],
) -> None:
    """The linked referral that a split begins: it stands at the decision and takes its own path. `subjects` are the parent's,
    from just before the split."""
    views = {
        sid: AdultView(capacity=s.capacity, agrees=s.agrees)
        for sid in split.subjects
        if (s := subjects[sid]).capacity and s.agrees
    }
    d.record(
        ContinuedFrom(
            parent=parent_reference,
            parent_sequence=parent.version,
            hub=parent.hub,
            profile=parent.profile,
            contact=parent.contact,
            source=parent.source,
            source_agency=parent.source_agency,
            primary_need=parent.primary_need,
            subjects=tuple(_goes_on(sid, subjects[sid]) for sid in split.subjects),
            adult_views=views,
            courses={sid: course for sid in split.subjects if (course := _course(subjects[sid])) != Course()},
            decided_at=None if split.by_decision else parent.decided_at,
            significant_harm=parent.significant_harm,
            not_to_share=parent.sharing is False,
            received_at=parent.received_at,
            referrer_reachable=parent.referrer_reachable,
            rating=parent.rating or d.profile.unrated,
            outcome=split.outcome,
            held=held,
            holdings=tuple(each for each in holdings if each.subject is None or each.subject in split.subjects),
            factors=parent.factors,
            categories=parent.categories,
            place=parent.place,
            markers=parent.warnings,
            immediate_danger=parent.immediate_danger,
            danger_since=parent.danger_since,
            consent=parent.consent,
            flags=tuple(f for f in parent.flags if (f[0] != "S" or f.split("_")[0] in split.subjects) and f != FLAG),
            superseded=dict(superseded),
            worker=parent.worker,
            configuration=("decision",),
            stage="decision",
            matches=split.matches,
            rejected=split.rejected,
            undecided=split.undecided or bool(split.adding_up),
            orders=split.orders,
        )
    )
    await_ends(d)
    if split.adding_up:
        _wait_for_second_look(d, split)
        return
    if split.undecided:
        d.ensure_clocks()
        return
    d.proposed_by = split.proposed_by
    if split.by_decision:
        decided(d, to_be_discussed=split.outcome == "section_47")
    take_path(d, split.outcome, Whither(split.destination, split.transfer_to))


def _wait_for_second_look(d: Deciding, split: ReferralSplit) -> None:
    """What is decided of these subjects is of effect once a second person has looked at the contacts that add up."""
    outcomes, role = dict.fromkeys(split.subjects, split.outcome), d.profile.accumulation.role
    need, number = d.referral.primary_need, split.adding_up
    d.record(DecisionProposed(outcomes=outcomes, primary_need=need, transfer_to=None, role=role, adding_up=number, words=None))
    d.go("ask_sign_off")


def _course(subject: SubjectState) -> Course:
    return Course(**{name: getattr(subject, name) for name in Course.model_fields})


def _goes_on(sid: str, subject: SubjectState) -> Subject:
    return Subject.model_validate({"id": sid, **subject.model_dump(include={*Subject.model_fields})})


@folds(DecisionProposed)
def _decision_proposed(referral: Referral, event: DecisionProposed, at: datetime, by: Actor) -> Changes:
    fields = {name: value for name, value in event if name in Proposed.model_fields}
    second = referral.second_look or event.adding_up > 0
    return {"proposed": Proposed(by=by.id, **fields), "second_look": second, **_may_be_second(referral, event)}


def _may_be_second(referral: Referral, event: DecisionProposed | DecisionRecorded) -> Changes:
    return {"flags": tuple(dict.fromkeys((*referral.flags, FLAG)))} if event.may_be_second else {}


@folds(SignOffRefused)
def _sign_off_refused(referral: Referral, event: SignOffRefused, at: datetime, by: Actor) -> Changes:
    return {"proposed": None, "second_views": ()}


@folds(DecisionRecorded)
def _decision_recorded(referral: Referral, event: DecisionRecorded, at: datetime, by: Actor) -> Changes:
    outcomes = dict(event.outcomes)
    done: Changes = {"proposed": None, "second_views": (), "decided_by": by.role, "danger_since": None}
    done |= _may_be_second(referral, event)
    return {"outcomes": outcomes, "primary_need": event.primary_need, "decided_at": at, **done}


@usually("decision")
def _decision(world: World, rating: str) -> Iterator[Step]:
    yield Wait(("decision",))
    outcome = _usual_outcome(world, rating)
    decision = RecordDecision(outcomes=dict.fromkeys(world.referral.subjects, outcome))
    yield Give(decision, decider(world.profile), f"decides: {outcome.replace('_', ' ')}")


def _usual_outcome(world: World, rating: str) -> Outcome:
    """The gravest path for the most urgent rating, a step-down for the next, no further action for the least of many."""
    profile, referral = world.profile, world.referral
    order = sorted(profile.ratings, key=lambda name: -profile.ratings[name].severity)
    wanted: Outcome = "early_help"
    if rating == order[0]:
        wanted = "adult_section_42" if referral.cohorts == {"adult"} else "section_47"
    elif len(order) > 2 and rating == order[-1]:
        wanted = "no_further_action"
    if referral.strategy_held_at and wanted == "section_47":
        wanted = "early_help"
    assesses = wanted in profile.assess_first and not referral.assessed and not referral.only_adults
    return "section_17" if assesses else wanted


@usually("sign_off")
def _sign_off(world: World, rating: str) -> Iterator[Step]:
    yield Wait(("sign_off",))
    role = world.referral.proposed.role if world.referral.proposed else ""
    yield Give(SignOffDecision(agreed=True), role, "signs the decision off", person="second")
