"""Section 47 and what runs beside it: strategy discussion, enquiries, conference, assessment; and the adult's enquiry."""

from __future__ import annotations

from mash.states import commands as c
from mash.states import events as e
from mash.states.acts import demands
from mash.states.clocks import LONDON
from mash.states.commands import Said
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete
from mash.states.machine import BEFORE_DECISION, SECTION_47


def call_strategy_discussion(d: Deciding, cmd: c.CallStrategyDiscussion, said: Said | None) -> None:
    """From any open stage."""
    d.record(e.StrategyDiscussionCalled(said=said))
    d.call_strategy_discussion()


def record_strategy_discussion(d: Deciding, cmd: c.RecordStrategyDiscussion, said: Said | None) -> None:
    """Held with its quorum; it leads to section 47, or back to where it was called."""
    hub = d.profile.strategy_discussion
    demands.agencies(d, (*cmd.attended, *cmd.apologies))
    demands.quorum(hub.quorum, cmd.attended, "a strategy discussion")
    mode = demands.mode(hub.modes, cmd.mode, "a strategy discussion")
    r = d.referral
    back_to, again = r.came_from, r.came_from in SECTION_47
    d.record(e.StrategyDiscussionHeld(attended=cmd.attended, apologies=cmd.apologies, mode=mode, outcome=cmd.outcome, said=said))
    if cmd.outcome == "section_47":
        d.go("start_enquiries")
        if not again:  # a further discussion does not put the conference off
            d.start(d.start_clock("initial_conference", d.profile.statutory["conference"], "initial child protection conference"))
        if "section_47" not in r.outcomes.values():
            d.decided()
        return
    demands.words(said, "ending a strategy discussion without section 47")
    if again:
        d.go("resume_protection")
    else:
        d.go("resume")
        if back_to == "step_down_offered":
            d.go("offer")
        if back_to in BEFORE_DECISION and d.referral.rating:
            d.take_route()
    d.ensure_clocks()


def conclude_enquiries(d: Deciding, cmd: c.ConcludeEnquiries, said: Said | None) -> None:
    """In a conference, or without further child protection action."""
    demands.role(d, "conclude_enquiries", "concluding enquiries")
    d.record(e.EnquiriesConcluded(outcome=cmd.outcome, said=said))
    if cmd.outcome == "conference":
        d.go("open_conference")
    else:
        d.end_protection("no_further_child_protection_action")


def record_conference(d: Deciding, cmd: c.RecordConference, said: Said | None) -> None:
    """The initial child protection conference was held."""
    if cmd.held_on.weekday() >= 5:
        raise Incomplete("an initial child protection conference is not held at a weekend (CIN rule 8875): check the date")
    held_since = d.referral.strategy_held_at or d.referral.received_at
    if not held_since.astimezone(LONDON).date() <= cmd.held_on <= d.now.astimezone(LONDON).date():
        raise Incomplete(
            "the conference is held after the strategy discussion, and recorded once it has been held: check the date"
        )
    d.record(e.ConferenceHeld(held_on=cmd.held_on, outcome=cmd.outcome, said=said))
    d.end_protection(cmd.outcome)


def start_assessment(d: Deciding, cmd: c.StartAssessment, said: Said | None) -> None:
    """A section 17 assessment beside the section 47."""
    d.go("start_assessment")
    d.start_assessment(beside=True)


def complete_assessment(d: Deciding, cmd: c.CompleteAssessment, said: Said | None) -> None:
    """The child and family assessment is finished; alone, its outcome is the referral's."""
    if d.profile.assess_first:  # where the hub decides at the end of its own assessment, that is the decision
        demands.one_of(d, d.profile.deciders, "deciding at the end of an assessment")
    if "21" in cmd.factors and len(cmd.factors) > 1:
        raise Incomplete("factor 21 (no factors identified) stands alone (CIN rule 8869)")
    beside = d.referral.stage != "section_17_assessment"
    if cmd.outcome == "transfer" and (beside or not cmd.transfer_to):
        raise Incomplete("a transfer names the receiving authority (transfer_to), and ends an assessment that stands alone")
    d.record(e.AssessmentCompleted(factors=cmd.factors, outcome=cmd.outcome, transfer_to=cmd.transfer_to, said=said))
    d.stop("assessment")
    if beside:
        d.go("complete_beside", d.referral.came_from)
    elif cmd.outcome == "early_help":
        d.go("end_assessment_in_early_help")
    else:
        d.go("end_assessment_in_transfer" if cmd.outcome == "transfer" else "end_assessment")
        d.conclude(cmd.outcome)


def complete_adult_enquiry(d: Deciding, cmd: c.CompleteAdultEnquiry, said: Said | None) -> None:
    """The adult section 42 enquiry is finished."""
    d.record(e.AdultEnquiryCompleted(outcome=cmd.outcome, said=said))
    d.go("end_adult_enquiry")
    d.conclude("adult_section_42")
