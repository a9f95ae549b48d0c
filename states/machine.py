"""Stages and legal moves: the one place that says what may follow what. Add a stage here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from statemachine import State, StateChart
from statemachine.contrib.diagram.formatter import formatter
from statemachine.exceptions import TransitionNotAllowed
from statemachine.orderedset import OrderedSet


@dataclass
class Position:
    """Where a referral stands: the chart's active states, and the stage a strategy discussion was called from."""

    state: OrderedSet[str] | str | None
    came_from: str | None = None


class ReferralChart(StateChart[Position]):
    """A referral's life. Section 47 has two strands: the child's protection, and an assessment that may run beside it."""

    # By default a chart swallows an event it has no transition for, and turns a guard's error into an event.
    allow_event_without_transition = False
    catch_errors_as_events = False

    contact = State("Contact", initial=True)
    consultation = State("Consultation")
    triage = State("Triage")
    agency_checks = State("Agency checks")
    mash_meeting = State("MASH meeting")
    decision = State("Decision")
    sign_off = State("Decision to be signed off")

    class section_47(State.Parallel, name="Section 47"):
        class protection(State.Compound, name="Child protection"):
            strategy_discussion = State("Strategy discussion", initial=True)
            enquiries = State("Enquiries")
            conference = State("Initial child protection conference")

            start_enquiries = strategy_discussion.to(enquiries)
            open_conference = enquiries.to(conference)
            call_again = enquiries.to(strategy_discussion) | conference.to(strategy_discussion)
            resume_protection = strategy_discussion.to(enquiries, cond="came_from_enquiries") | strategy_discussion.to(
                conference, cond="came_from_conference"
            )

        class assessment_beside(State.Compound, name="Assessment beside it"):
            no_assessment = State("None", initial=True)
            assessment_under_way = State("Under way")
            assessment_completed = State("Completed")

            start_assessment = no_assessment.to(assessment_under_way)
            complete_beside = assessment_under_way.to(assessment_completed)

    section_17_assessment = State("Section 17 assessment")

    class step_down(State.Compound, name="Step-down"):
        step_down_preparing = State("Step-down in preparation", initial=True)
        step_down_offered = State("Step-down offered")

        offer = step_down_preparing.to(step_down_offered)

    adult_section_42 = State("Adult section 42 enquiry")

    step_down_accepted = State("Step-down accepted")
    section_47_concluded = State("Section 47 concluded")
    assessment_concluded = State("Assessment concluded")
    adult_enquiry_concluded = State("Adult enquiry concluded")
    advice_given = State("Advice given")
    no_further_action = State("No further action")
    information_provided = State("Information provided")
    transferred = State("Transferred")
    not_taken = State("Not taken by this hub")

    open_consultation = contact.to(consultation)
    end_consultation = consultation.to(advice_given)
    open_triage = contact.to(triage) | consultation.to(triage)
    refuse_contact = contact.to(not_taken)
    open_checks = triage.to(agency_checks) | mash_meeting.to(agency_checks) | decision.to(agency_checks)
    open_meeting = triage.to(mash_meeting) | agency_checks.to(mash_meeting) | decision.to(mash_meeting)
    open_decision = (
        contact.to(decision)
        | consultation.to(decision)
        | triage.to(decision)
        | agency_checks.to(decision)
        | mash_meeting.to(decision)
    )
    ask_sign_off = decision.to(sign_off)
    refuse_sign_off = sign_off.to(decision)
    call_strategy_discussion = (
        consultation.to(section_47)
        | triage.to(section_47)
        | agency_checks.to(section_47)
        | mash_meeting.to(section_47)
        | decision.to(section_47)
        | sign_off.to(section_47)
        | section_17_assessment.to(section_47)
        | step_down.to(section_47)
        | adult_section_42.to(section_47)
    )
    resume = (
        section_47.to(consultation, cond="came_from_consultation")
        | section_47.to(triage, cond="came_from_triage")
        | section_47.to(agency_checks, cond="came_from_agency_checks")
        | section_47.to(mash_meeting, cond="came_from_mash_meeting")
        | section_47.to(decision, cond="came_from_decision")
        | section_47.to(sign_off, cond="came_from_sign_off")
        | section_47.to(section_17_assessment, cond="came_from_section_17_assessment")
        | section_47.to(step_down, cond="came_from_step_down")
        | section_47.to(adult_section_42, cond="came_from_adult_section_42")
    )
    decide_section_17 = decision.to(section_17_assessment) | sign_off.to(section_17_assessment)
    decide_early_help = decision.to(step_down) | sign_off.to(step_down)
    decide_adult_section_42 = decision.to(adult_section_42) | sign_off.to(adult_section_42)
    decide_advice = decision.to(advice_given) | sign_off.to(advice_given)
    decide_no_further_action = decision.to(no_further_action) | sign_off.to(no_further_action)
    decide_information_provided = decision.to(information_provided) | sign_off.to(information_provided)
    decide_transfer = decision.to(transferred) | sign_off.to(transferred)
    end_protection = section_47.to(section_17_assessment, cond="assessment_continues") | section_47.to(section_47_concluded)
    end_protection_in_early_help = section_47.to(step_down)
    end_assessment = section_17_assessment.to(assessment_concluded)
    end_assessment_in_early_help = section_17_assessment.to(step_down)
    end_assessment_in_transfer = section_17_assessment.to(transferred)
    accept = step_down.to(step_down_accepted)
    step_up = step_down.to(decision) | section_17_assessment.to(decision) | adult_section_42.to(decision)
    end_adult_enquiry = adult_section_42.to(adult_enquiry_concluded)
    reopen = (
        step_down_accepted.to(decision)
        | section_47_concluded.to(decision)
        | assessment_concluded.to(decision)
        | adult_enquiry_concluded.to(decision)
        | advice_given.to(decision)
        | no_further_action.to(decision)
        | information_provided.to(decision)
        | transferred.to(decision)
        | not_taken.to(triage)
    )

    def _came_from(self, stage: str) -> bool:
        return self.model.came_from == stage

    def came_from_consultation(self) -> bool:
        return self._came_from("consultation")

    def came_from_triage(self) -> bool:
        return self._came_from("triage")

    def came_from_agency_checks(self) -> bool:
        return self._came_from("agency_checks")

    def came_from_mash_meeting(self) -> bool:
        return self._came_from("mash_meeting")

    def came_from_decision(self) -> bool:
        return self._came_from("decision")

    def came_from_sign_off(self) -> bool:
        return self._came_from("sign_off")

    def came_from_section_17_assessment(self) -> bool:
        return self._came_from("section_17_assessment")

    def came_from_adult_section_42(self) -> bool:
        return self._came_from("adult_section_42")

    def came_from_enquiries(self) -> bool:
        return self._came_from("enquiries")

    def came_from_conference(self) -> bool:
        return self._came_from("conference")

    def came_from_step_down(self) -> bool:
        return self._came_from("step_down_preparing") or self._came_from("step_down_offered")

    def assessment_continues(self) -> bool:
        """Whether the assessment beside the section 47 goes on after it."""
        return "assessment_under_way" in self.configuration_values


BEFORE_DECISION = ("triage", "agency_checks", "mash_meeting", "decision")
SECTION_47 = ("strategy_discussion", "enquiries", "conference")
STEP_DOWN = ("step_down_preparing", "step_down_offered")
OPEN = (
    "contact",
    "consultation",
    *BEFORE_DECISION,
    "sign_off",
    *SECTION_47,
    "section_17_assessment",
    *STEP_DOWN,
    "adult_section_42",
)
CONCLUDED = (
    "step_down_accepted",
    "section_47_concluded",
    "assessment_concluded",
    "adult_enquiry_concluded",
    "advice_given",
    "no_further_action",
    "information_provided",
    "transferred",
    "not_taken",
)
STAGES = (*OPEN, *CONCLUDED)
NAMES = {state.value: state.name for state in ReferralChart.states_map.values()}

_SEEN = OPEN[1:]
_RATED = tuple(stage for stage in _SEEN if stage not in ("consultation", "triage"))
_PARTNERS_ASKED = ("agency_checks", "mash_meeting", "decision", *SECTION_47, "section_17_assessment", "adult_section_42")
COMMANDS: dict[str, tuple[str, ...]] = {
    "conclude_consultation": ("consultation",),
    "assign_place": _SEEN,
    "rate_referral": ("triage", "decision"),
    "rerate_referral": _RATED,
    "record_sharing_basis": _SEEN,
    "record_adult_view": _SEEN,
    "record_threshold": _SEEN,
    "record_marker": STAGES,
    "record_categories": _SEEN,
    "correct_cohort": _SEEN,
    "ask_agencies": _PARTNERS_ASKED,
    "answer_check": STAGES,
    "allocate_check": STAGES,
    "break_glass": STAGES,
    "contribute_information": STAGES,
    "release_information": STAGES,
    "proceed_without_replies": ("agency_checks",),
    "convene_meeting": ("agency_checks", "mash_meeting"),
    "record_meeting": ("mash_meeting",),
    "record_dissent": STAGES,
    "record_decision": ("decision",),
    "sign_off_decision": ("sign_off",),
    "call_strategy_discussion": tuple(stage for stage in _SEEN if stage != "strategy_discussion"),
    "record_strategy_discussion": ("strategy_discussion",),
    "conclude_enquiries": ("enquiries",),
    "record_conference": ("conference",),
    "start_assessment": SECTION_47[1:],
    "complete_assessment": ("section_17_assessment", *SECTION_47[1:]),
    "offer_step_down": ("step_down_preparing",),
    "accept_step_down": ("step_down_offered",),
    "return_step_down": ("step_down_offered",),
    "complete_adult_enquiry": ("adult_section_42",),
    "raise_disagreement": STAGES,
    "settle_disagreement": STAGES,
    "take_disagreement_further": STAGES,
    "link_referral": STAGES,
    "acknowledge_alert": STAGES,
    "reopen_referral": CONCLUDED,
    "adopt_profile": _SEEN,
    "add_note": STAGES,
}
"""In which stages each command of a person may be given."""


def awaiting(stage: str) -> str:
    """What is said of a referral that waits in a stage: 'Awaiting triage', 'Awaiting MASH meeting'."""
    name = NAMES[stage]
    return f"Awaiting {name if name[:4] == 'MASH' else name[0].lower() + name[1:]}"


def stage_of(configuration: Iterable[str]) -> str:
    """The one stage people speak of, out of the chart's active states."""
    active = set(configuration)
    return next(stage for stage in STAGES if stage in active)


@cache  # A chart costs 0.6 ms to make, and where a move leads depends on nothing else.
def move(configuration: tuple[str, ...], event: str, came_from: str | None = None) -> tuple[str, ...]:
    """The active states after `event`. Raises LookupError when the chart has no such move from here."""
    chart = ReferralChart(model=Position(OrderedSet(configuration), came_from))
    try:
        chart.send(event)
    except TransitionNotAllowed as refused:
        raise LookupError(f"no move '{event}' from {stage_of(configuration)}") from refused
    return tuple(sorted(chart.configuration_values))


def diagram() -> str:
    """The chart as a Mermaid state diagram."""
    return str(formatter.render(ReferralChart, "mermaid"))
