"""Command + state + profile + actor + now -> events, or a refusal. Pure: the same question gets the same answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from mash.states import commands as c
from mash.states import events as e
from mash.states.clocks import LONDON
from mash.states.commands import Actor, Command, Said
from mash.states.deciding import Deciding
from mash.states.errors import ImpossibleMove, Incomplete, NothingToActOn, NotInProfile, NotYours, QuorumNotMet, ReasonNeeded
from mash.states.events import Event
from mash.states.machine import BEFORE_DECISION, COMMANDS, SECTION_47
from mash.states.profile import Profile
from mash.states.referral import Referral

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
NEEDS_PRIMARY_NEED = {"section_47", "section_17", "early_help"}
"""CIN rule 8610: a referral that leads to action has a primary need code."""


def _needs_reason(said: Said | None, what: str) -> None:
    if said is None:
        raise ReasonNeeded(f"{what} needs a reason in words")


def _known_rating(d: Deciding, rating: str) -> None:
    if rating not in d.profile.ratings:
        raise NotInProfile(f"that is not a rating of {d.profile.title}: expected one of {', '.join(d.profile.ratings)}")


def _may(d: Deciding, roles: tuple[str, ...], what: str) -> None:
    if d.by.role not in roles:
        raise NotYours(f"{what} is for {' or '.join(roles)}, not for {d.by.role}")


def _attended(d: Deciding, attended: tuple[str, ...]) -> None:
    """Attendance is by agency: a name typed here would stay in the log for good."""
    if set(attended) - set(d.profile.agencies) - set(d.profile.quorum):
        raise NotInProfile(f"attendance is recorded by agency: expected some of {', '.join(d.profile.agencies)}")


def _receive(d: Deciding, cmd: c.ReceiveContact, said: Said | None) -> None:
    if said is None:
        raise NothingToActOn("a contact needs a concern, or something to identify somebody by")
    fields = {name: getattr(cmd, name) for name in c.ReceiveContact.model_fields if name != "kind"}
    d.record(e.ContactReceived(hub=d.profile.name, profile=d.profile.digest, said=said, **fields))
    if cmd.referrer_reachable:
        d.start(d.start_clock("acknowledgement", d.profile.statutory["acknowledgement"], "acknowledgement to the referrer"))
    cohorts = {subject.cohort for subject in cmd.subjects}
    taken = cmd.contact in d.profile.kinds and bool(cohorts & {*d.profile.cohorts, "unknown"})
    # Immediate danger is always seen by a person, whatever the hub takes.
    if not taken and not cmd.immediate_danger:
        d.go("refuse_contact")
        d.decided()
        d.conclude("signposted")
        return
    d.start(d.start_clock("decision_on_response", d.profile.statutory["decision"], "decision on the response"))
    d.go("open_triage")
    if cmd.immediate_danger:
        d.escalate(next(clock for clock in d.referral.running if clock.kind == "triage"))


def _rate(d: Deciding, cmd: c.RateReferral, said: Said | None) -> None:
    _may(d, d.profile.raters, "rating a referral")
    _known_rating(d, cmd.rating)
    d.record(e.ReferralRated(rating=cmd.rating, said=said))
    if d.rating.response:
        d.start(d.start_clock("response", d.rating.response, cmd.rating))
    d.take_route()


def _rerate(d: Deciding, cmd: c.RerateReferral, said: Said | None) -> None:
    _may(d, d.profile.raters, "re-rating a referral")
    _known_rating(d, cmd.rating)
    _needs_reason(said, "re-rating")
    before = d.referral.rating
    if before is None or before == cmd.rating:
        raise Incomplete(f"the referral is already rated {before}" if before else "the referral has no rating yet: rate it first")
    d.rerate(cmd.rating, said)
    if d.referral.stage in BEFORE_DECISION:
        d.take_route()


def _share(d: Deciding, cmd: c.RecordSharingBasis, said: Said | None) -> None:
    if cmd.lawful_basis == "consent" and cmd.consent != "given":
        raise Incomplete("consent is the lawful basis only when it was given: choose the basis that applies without it")
    if not cmd.share or cmd.consent == "overridden" or not cmd.family_informed:
        _needs_reason(said, "not sharing, overriding consent, or not informing the family")
    if not cmd.share and d.referral.checks_requested:
        raise Incomplete("the checks have already left: record a note, or proceed without the replies")
    d.record(
        e.SharingBasisRecorded(
            share=cmd.share,
            purpose=cmd.purpose,
            lawful_basis=cmd.lawful_basis,
            consent=cmd.consent,
            family_informed=cmd.family_informed,
            said=said,
        )
    )
    if d.referral.stage in BEFORE_DECISION and d.referral.rating:
        d.take_route()


def _answer(d: Deciding, cmd: c.AnswerCheck, said: Said | None) -> None:
    check = d.referral.checks.get(cmd.agency)
    if check is None or check.answered_at is not None:
        raise Incomplete(f"nothing is asked of that agency now; waited for: {', '.join(d.referral.outstanding) or 'nobody'}")
    if d.by.agency != cmd.agency:
        raise NotYours(f"only the agency itself answers, not {d.by.agency} for it")
    if cmd.suggested_rating:
        _known_rating(d, cmd.suggested_rating)
    clock = next((k for k in d.referral.clocks.values() if k.kind == "check" and k.id.split(":")[1] == cmd.agency), None)
    d.record(
        e.CheckAnswered(
            agency=cmd.agency,
            known=cmd.known,
            relevant=cmd.relevant,
            recommendation=cmd.recommendation,
            suggested_rating=cmd.suggested_rating,
            late=clock is None or d.now > clock.due_at,
            said=said,
        )
    )
    if clock and clock.running:
        d.record(e.ClocksStopped(ids=(clock.id,), met=True))
    if d.referral.stage == "agency_checks":
        d.take_route()


def _proceed(d: Deciding, cmd: c.ProceedWithoutReplies, said: Said | None) -> None:
    _may(d, d.profile.raters, "going on without replies")
    _needs_reason(said, "going on without replies")
    d.record(e.ProceededWithoutReplies(agencies=d.referral.outstanding, said=said))
    d.stop("check", met=False)
    d.take_route()


def _convene(d: Deciding, cmd: c.ConveneMeeting, said: Said | None) -> None:
    if cmd.at.tzinfo is None or cmd.at < d.now:
        raise Incomplete("a meeting is convened for a time to come, given with its offset from UTC")
    d.record(e.MeetingConvened(at=cmd.at, chair=d.profile.meeting.chair, said=said))


def _meeting(d: Deciding, cmd: c.RecordMeeting, said: Said | None) -> None:
    if cmd.rating:
        _known_rating(d, cmd.rating)
    elif d.profile.meeting.second_rating:
        raise Incomplete(f"{d.profile.title} gives a second rating after the meeting: say which")
    _attended(d, cmd.attended)
    d.record(e.MeetingHeld(attended=cmd.attended, rating=cmd.rating, said=said))
    if cmd.rating and cmd.rating != d.referral.rating:
        d.rerate(cmd.rating, said)
    d.take_route()


def _decide(d: Deciding, cmd: c.RecordDecision, said: Said | None) -> None:
    r = d.referral
    _may(d, d.profile.deciders, "the decision")
    _needs_reason(said, "a decision")
    if set(cmd.outcomes) != set(r.subjects):
        raise Incomplete(f"a decision gives an outcome to each subject: {', '.join(r.subjects)}")
    if "transfer" in cmd.outcomes.values() and not cmd.transfer_to:
        raise Incomplete("a transfer names the receiving authority (transfer_to)")
    need = cmd.primary_need or r.primary_need
    if need is None and any(o in NEEDS_PRIMARY_NEED and r.subjects[s].cohort != "adult" for s, o in cmd.outcomes.items()):
        raise Incomplete("a primary need code (N0 to N9) is needed unless no further action is taken (CIN rule 8610)")
    d.record(e.DecisionRecorded(outcomes=dict(cmd.outcomes), primary_need=need, transfer_to=cmd.transfer_to, said=said))
    paths = sorted(set(cmd.outcomes.values()), key=GRAVEST_FIRST.index)
    for path in paths[1:]:
        subjects = tuple(sid for sid, outcome in cmd.outcomes.items() if outcome == path)
        d.record(e.ReferralSplit(reference=f"{d.reference}-{chr(ord('B') + d.referral.splits)}", subjects=subjects, outcome=path))
    d.decided()
    d.take_path(paths[0])


def _call_strategy(d: Deciding, cmd: c.CallStrategyDiscussion, said: Said | None) -> None:
    d.record(e.StrategyDiscussionCalled(said=said))
    d.call_strategy_discussion()


def _strategy(d: Deciding, cmd: c.RecordStrategyDiscussion, said: Said | None) -> None:
    _attended(d, cmd.attended)
    if missing := [agency for agency in d.profile.quorum if agency not in cmd.attended]:
        raise QuorumNotMet(f"a strategy discussion needs {', '.join(d.profile.quorum)}; missing: {', '.join(missing)}")
    r = d.referral
    back_to, again = r.came_from, r.came_from in SECTION_47
    d.record(e.StrategyDiscussionHeld(attended=cmd.attended, outcome=cmd.outcome, said=said))
    if cmd.outcome == "section_47":
        d.go("start_enquiries")
        if not again:  # a further discussion does not put the conference off
            d.start(d.start_clock("initial_conference", d.profile.statutory["conference"], "initial child protection conference"))
        if "section_47" not in r.outcomes.values():
            d.decided()
        return
    _needs_reason(said, "ending a strategy discussion without section 47")
    if again:
        d.go("resume_protection")
    else:
        d.go("resume")
        if back_to == "step_down_offered":
            d.go("offer")
        if back_to in BEFORE_DECISION and d.referral.rating:
            d.take_route()
    d.ensure_stage_clock()


def _enquiries(d: Deciding, cmd: c.ConcludeEnquiries, said: Said | None) -> None:
    _may(d, d.profile.deciders, "concluding enquiries")
    d.record(e.EnquiriesConcluded(outcome=cmd.outcome, said=said))
    if cmd.outcome == "conference":
        d.go("open_conference")
    else:
        d.end_protection("no_further_child_protection_action")


def _conference(d: Deciding, cmd: c.RecordConference, said: Said | None) -> None:
    if cmd.held_on.weekday() >= 5:
        raise Incomplete("an initial child protection conference is not held at a weekend (CIN rule 8875): check the date")
    held_since = d.referral.strategy_held_at or d.referral.received_at
    if not held_since.astimezone(LONDON).date() <= cmd.held_on <= d.now.astimezone(LONDON).date():
        raise Incomplete(
            "the conference is held after the strategy discussion, and recorded once it has been held: check the date"
        )
    d.record(e.ConferenceHeld(held_on=cmd.held_on, outcome=cmd.outcome, said=said))
    d.end_protection(cmd.outcome)


def _start_assessment(d: Deciding, cmd: c.StartAssessment, said: Said | None) -> None:
    d.go("start_assessment")
    d.start_assessment(beside=True)


def _complete_assessment(d: Deciding, cmd: c.CompleteAssessment, said: Said | None) -> None:
    if "21" in cmd.factors and len(cmd.factors) > 1:
        raise Incomplete("factor 21 (no factors identified) stands alone (CIN rule 8869)")
    beside = d.referral.stage != "section_17_assessment"
    d.record(e.AssessmentCompleted(factors=cmd.factors, outcome=cmd.outcome, said=said))
    d.stop("assessment")
    if beside:
        d.go("complete_beside", d.referral.came_from)
    elif cmd.outcome == "early_help":
        d.go("end_assessment_in_early_help")
    else:
        d.go("end_assessment")
        d.conclude(cmd.outcome)


def _offer(d: Deciding, cmd: c.OfferStepDown, said: Said | None) -> None:
    d.record(e.StepDownOffered(service=cmd.service, said=said))
    d.go("offer")


def _accept(d: Deciding, cmd: c.AcceptStepDown, said: Said | None) -> None:
    d.record(e.StepDownAccepted(service=d.referral.service or "", said=said))
    d.go("accept")
    d.conclude("early_help")


def _return(d: Deciding, cmd: c.ReturnStepDown, said: Said | None) -> None:
    _needs_reason(said, "returning a step-down")
    d.record(e.StepDownReturned(service=d.referral.service or "", said=said))
    d.go("step_up")


def _adult_enquiry(d: Deciding, cmd: c.CompleteAdultEnquiry, said: Said | None) -> None:
    d.record(e.AdultEnquiryCompleted(outcome=cmd.outcome, said=said))
    d.go("end_adult_enquiry")
    d.conclude("adult_section_42")


def _acknowledge(d: Deciding, cmd: c.AcknowledgeAlert, said: Said | None) -> None:
    if cmd.clock not in d.referral.alerts:
        raise Incomplete(f"no alert on that clock waits for acknowledgement; waiting: {', '.join(d.referral.alerts) or 'none'}")
    d.record(e.AlertAcknowledged(id=cmd.clock, renew_at=d.profile.calendar.add(d.now, d.profile.renew)))


def _reopen(d: Deciding, cmd: c.ReopenReferral, said: Said | None) -> None:
    _may(d, d.profile.deciders, "reopening a referral")
    _needs_reason(said, "reopening")
    d.record(e.ReferralReopened(said=said))
    d.stop("outcome_told", met=False)
    d.go("reopen")
    decision = d.profile.statutory["decision"].model_copy(update={"start": "stage"})
    d.start(d.start_clock("decision_on_response", decision, "decision on the response, reopened"))
    d.ensure_stage_clock()


def _adopt(d: Deciding, cmd: c.AdoptProfile, said: Said | None) -> None:
    if d.referral.rating and d.referral.rating not in d.profile.ratings:
        raise NotInProfile(f"the adopted profile has no rating '{d.referral.rating}': re-rate first")
    if d.profile.name != d.referral.hub:
        raise NotInProfile(f"{d.profile.title} is another hub's profile: transfer the referral instead")
    d.record(e.ProfileAdopted(profile=cmd.digest))


def _note(d: Deciding, cmd: c.AddNote, said: Said | None) -> None:
    if said is None:
        raise ReasonNeeded("a note needs words")
    d.record(e.NoteAdded(said=said))


def _fire(d: Deciding, cmd: c.FireClocks, said: Said | None) -> None:
    for clock_id in tuple(d.referral.clocks):
        clock = d.referral.clocks[clock_id]
        if clock.next_at is None or clock.next_at > d.now:
            continue
        if clock.breached_at is None and clock.due_at <= d.now:
            d.record(e.ClockBreached(id=clock.id, due_at=clock.due_at))
            d.escalate(d.referral.clocks[clock_id])
        elif clock.next_rung_at and clock.next_rung_at <= d.now:
            d.escalate(clock)
        else:
            owner = clock.owner if clock.kind == "check" else d.profile.on_duty(clock.owner, d.profile.calendar.is_open(d.now))
            d.record(e.ClockWarned(id=clock.id, role=owner, due_at=clock.due_at))


def _told(d: Deciding, cmd: c.RecordTold, said: Said | None) -> None:
    kind = {"acknowledgement": "acknowledgement", "outcome": "outcome_told"}[cmd.what]
    if any(clock.kind == kind for clock in d.referral.running):
        d.record(e.ReferrerTold(what=cmd.what))
        d.stop(kind)


HANDLERS: dict[str, Callable[[Deciding, Any, Said | None], None]] = {
    "receive_contact": _receive,
    "rate_referral": _rate,
    "rerate_referral": _rerate,
    "record_sharing_basis": _share,
    "answer_check": _answer,
    "proceed_without_replies": _proceed,
    "convene_meeting": _convene,
    "record_meeting": _meeting,
    "record_decision": _decide,
    "call_strategy_discussion": _call_strategy,
    "record_strategy_discussion": _strategy,
    "conclude_enquiries": _enquiries,
    "record_conference": _conference,
    "start_assessment": _start_assessment,
    "complete_assessment": _complete_assessment,
    "offer_step_down": _offer,
    "accept_step_down": _accept,
    "return_step_down": _return,
    "complete_adult_enquiry": _adult_enquiry,
    "acknowledge_alert": _acknowledge,
    "reopen_referral": _reopen,
    "adopt_profile": _adopt,
    "add_note": _note,
    "fire_clocks": _fire,
    "record_told": _told,
}


def decide(
    referral: Referral | None,
    command: Command,
    profile: Profile,
    by: Actor,
    now: datetime,
    *,
    reference: str,
    said: Said | None = None,
) -> list[Event]:
    """The events that `command` causes. Raises a Refusal, and then nothing has changed.

    `said` points at the words that came with the command, already encrypted. `now` is UTC. A contact that is being received
    has no referral yet (None); `profile` is the hub's, or for `adopt_profile` the one to adopt.
    """
    stages = COMMANDS.get(command.kind)
    if referral is not None and stages is not None and command.kind not in referral.possible():
        raise ImpossibleMove(referral.stage, command.kind, referral.possible())
    d = Deciding(referral, profile, by, now, reference)
    HANDLERS[command.kind](d, command, said)
    return d.events


def continue_split(
    parent: Referral,
    split: e.ReferralSplit,
    cohorts: dict[str, str],
    profile: Profile,
    by: Actor,
    now: datetime,
    parent_reference: str,
    held: tuple[Said, ...],
) -> list[Event]:
    """The first events of the linked referral that a split begins: it stands at the decision and takes its own path."""
    d = Deciding(None, profile, by, now, split.reference)
    d.record(
        e.ContinuedFrom(
            parent=parent_reference,
            parent_sequence=parent.version,
            hub=parent.hub,
            profile=parent.profile,
            contact=parent.contact,
            source=parent.source,
            source_agency=parent.source_agency,
            primary_need=parent.primary_need,
            subjects=tuple(c.Subject.model_validate({"id": sid, "cohort": cohorts[sid]}) for sid in split.subjects),
            received_at=parent.received_at,
            referrer_reachable=parent.referrer_reachable,
            rating=parent.rating or profile.unrated_counts_as,
            outcome=split.outcome,
            held=held,
            factors=parent.factors,
            immediate_danger=parent.immediate_danger,
            consent=parent.consent,
            flags=tuple(f for f in parent.flags if f[0] != "S" or f.split("_")[0] in split.subjects),
            configuration=("decision",),
            stage="decision",
        )
    )
    d.decided()
    d.take_path(split.outcome)
    return d.events
