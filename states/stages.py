"""Every stage, once: its name, what may follow it, whether a clock runs in it. Chart, groups, clocks, diagram and walk follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Guard = Callable[[Any, Any], bool]
"""Whether a move leads there: asked of the machine and its model, which remembers where a strategy discussion was called."""


@dataclass(frozen=True)
class Guarded:
    """A place that a move leads to only while `when` holds; otherwise the next of the move's places is tried."""

    to: str
    when: Guard


Leads = Mapping[str, str | tuple[str | Guarded, ...]]
"""Move -> the stage or group that it leads to, or the first of several whose guard holds."""


@dataclass(frozen=True)
class Stage:
    """A stage of a referral, or a state of a strand beside it (`beside`), which people do not speak of as a stage."""

    name: str
    title: str
    leads: Leads = field(default_factory=dict)
    within: str = ""
    """The group that it belongs to."""
    clocked: bool = True
    """Whether a clock of its own runs in it, whose length is the profile's (`[stages]`)."""
    routed: bool = False
    """Whether the route of the case's rating leads on from it."""
    interrupted: bool = False
    """Whether a strategy discussion may be called from it, which leads back when it ends without section 47."""
    concluded: bool = False
    beside: bool = False


@dataclass(frozen=True)
class Group:
    """Stages that may be left together. Of a parallel one, each strand has a state at the same time."""

    name: str
    title: str
    leads: Leads = field(default_factory=dict)
    within: str = ""
    parallel: bool = False
    interrupted: bool = False


def came_from(*stages: str) -> Guard:
    """Whether the strategy discussion was called from one of these stages."""

    def guard(machine: Any, model: Any) -> bool:
        return model.came_from in stages

    guard.__name__ = f"came_from_{stages[0]}"
    return guard


def assessment_continues(machine: Any, model: Any) -> bool:
    """Whether the assessment beside the section 47 goes on after it."""
    return "assessment_under_way" in machine.configuration_values


_ON_DECISION = {
    "decide_section_17": "section_17_assessment",
    "decide_early_help": "step_down",
    "decide_adult_section_42": "adult_section_42",
    "decide_advice": "advice_given",
    "decide_no_further_action": "no_further_action",
    "decide_information_provided": "information_provided",
    "decide_transfer": "transfer_offered",
}
"""What a decision leads to, at once or when it is signed off."""
_REOPENED = {"reopen": "decision"}
_WITHDRAWN = {"withdraw_decision": "decision"}
_TAKEN_OVER = {"accept_transfer": "transferred"}
"""A child who moves is transferred from here: what is under way goes on until the other authority has accepted."""

GROUPS = (
    Group(
        "section_47",
        "Section 47",
        parallel=True,
        leads={
            "end_protection": (Guarded("section_17_assessment", assessment_continues), "section_47_concluded"),
            "end_protection_in_early_help": "step_down",
            **_TAKEN_OVER,
            **_WITHDRAWN,
        },
    ),
    Group("protection", "Child protection", within="section_47"),
    Group("assessment_beside", "Assessment beside it", within="section_47"),
    Group(
        "step_down",
        "Step-down",
        interrupted=True,
        leads={"accept": "step_down_accepted", "step_up": "decision", **_WITHDRAWN},
    ),
)

STAGES = (
    Stage(
        "contact",
        "Contact",
        clocked=False,
        leads={
            "open_consultation": "consultation",
            "open_triage": "triage",
            "propose_not_ours": "to_confirm_not_ours",
            "open_decision": "decision",
        },
    ),
    Stage(
        "to_confirm_not_ours",
        "Not ours, to be confirmed",
        interrupted=True,
        leads={
            "refuse_contact": "not_taken",
            "open_consultation": "consultation",
            "open_triage": "triage",
            "open_decision": "decision",
        },
    ),
    Stage(
        "consultation",
        "Consultation",
        interrupted=True,
        leads={
            "consider": "considered",
            "end_consultation": "advice_given",
            "open_triage": "triage",
            "open_decision": "decision",
        },
    ),
    Stage(
        "triage",
        "Triage",
        routed=True,
        interrupted=True,
        leads={
            "open_checks": "agency_checks",
            "open_meeting": "mash_meeting",
            "open_decision": "decision",
            "consider": "considered",
        },
    ),
    Stage(
        "agency_checks",
        "Agency checks",
        routed=True,
        interrupted=True,
        leads={"open_meeting": "mash_meeting", "open_decision": "decision", "consider": "considered"},
    ),
    Stage(
        "mash_meeting",
        "MASH meeting",
        routed=True,
        interrupted=True,
        leads={"open_checks": "agency_checks", "open_decision": "decision", "consider": "considered"},
    ),
    Stage(
        "decision",
        "Decision",
        routed=True,
        interrupted=True,
        leads={
            "open_checks": "agency_checks",
            "open_meeting": "mash_meeting",
            "ask_sign_off": "sign_off",
            "consider": "considered",
            **_ON_DECISION,
        },
    ),
    Stage("sign_off", "Decision to be signed off", interrupted=True, leads={"refuse_sign_off": "decision", **_ON_DECISION}),
    Stage(
        "strategy_discussion",
        "Strategy discussion",
        within="protection",
        leads={
            "start_enquiries": "enquiries",
            "resume_protection": (
                Guarded("enquiries", came_from("enquiries")),
                Guarded("conference", came_from("conference")),
            ),
        },
    ),
    Stage(
        "enquiries",
        "Enquiries",
        within="protection",
        leads={"open_conference": "conference", "call_again": "strategy_discussion"},
    ),
    Stage("conference", "Initial child protection conference", within="protection", leads={"call_again": "strategy_discussion"}),
    Stage(
        "no_assessment",
        "None",
        within="assessment_beside",
        beside=True,
        leads={"start_assessment": "assessment_under_way"},
    ),
    Stage(
        "assessment_under_way",
        "Under way",
        within="assessment_beside",
        beside=True,
        leads={"complete_beside": "assessment_completed"},
    ),
    Stage("assessment_completed", "Completed", within="assessment_beside", beside=True),
    Stage(
        "section_17_assessment",
        "Section 17 assessment",
        clocked=False,
        interrupted=True,
        leads={
            "end_assessment": "assessment_concluded",
            "end_assessment_in_early_help": "step_down",
            "end_assessment_in_transfer": "transfer_offered",
            "step_up": "decision",
            **_TAKEN_OVER,
            **_WITHDRAWN,
        },
    ),
    Stage("step_down_preparing", "Step-down in preparation", within="step_down", leads={"offer": "step_down_offered"}),
    Stage("step_down_offered", "Step-down offered", within="step_down"),
    Stage(
        "transfer_offered",
        "Transfer offered",
        clocked=False,
        interrupted=True,
        leads={"step_up": "decision", **_TAKEN_OVER, **_WITHDRAWN},
    ),
    Stage(
        "adult_section_42",
        "Adult section 42 enquiry",
        interrupted=True,
        leads={"step_up": "decision", "end_adult_enquiry": "adult_enquiry_concluded", **_WITHDRAWN},
    ),
    Stage("step_down_accepted", "Step-down accepted", concluded=True, leads=_REOPENED),
    Stage("section_47_concluded", "Section 47 concluded", concluded=True, leads=_REOPENED),
    Stage("assessment_concluded", "Assessment concluded", concluded=True, leads=_REOPENED),
    Stage("adult_enquiry_concluded", "Adult enquiry concluded", concluded=True, leads=_REOPENED),
    Stage("advice_given", "Advice given", concluded=True, leads=_REOPENED),
    Stage("no_further_action", "No further action", concluded=True, leads=_REOPENED),
    Stage("considered", "Received and considered", concluded=True, leads=_REOPENED),
    Stage("information_provided", "Information provided", concluded=True, leads=_REOPENED),
    Stage("transferred", "Transferred", concluded=True, leads=_REOPENED),
    Stage("not_taken", "Not taken by this hub", concluded=True, leads={"reopen": "triage"}),
)
"""In the order of a case's life; the first of a group is the one that the group is entered by. A stage without a move that leads
to it, or an open one without a move that leads on, does not load."""

_SPOKEN = tuple(stage for stage in STAGES if not stage.beside)
ALL = tuple(stage.name for stage in _SPOKEN)
OPEN = tuple(stage.name for stage in _SPOKEN if not stage.concluded)
CONCLUDED = tuple(stage.name for stage in _SPOKEN if stage.concluded)
CLOCKED = tuple(stage.name for stage in _SPOKEN if stage.clocked and not stage.concluded)
ROUTED = tuple(stage.name for stage in _SPOKEN if stage.routed)
"""Where the route of the case's rating leads on."""
SECTION_47 = tuple(stage.name for stage in _SPOKEN if stage.within == "protection")
TRANSFERABLE = ("transfer_offered", *SECTION_47, "section_17_assessment")
"""Where another authority may be asked to take a case over, without a decision that begins it."""
STEP_DOWN = tuple(stage.name for stage in _SPOKEN if stage.within == "step_down")
SEEN = tuple(stage for stage in OPEN if stage != "contact")
"""Open stages of what has been received."""
STAGE_TITLES = {place.name: place.title for place in (*GROUPS, *STAGES)}


def awaiting(stage: str) -> str:
    """What is said of a referral that waits in a stage: 'Awaiting triage', 'Awaiting MASH meeting'."""
    title = STAGE_TITLES[stage]
    return f"Awaiting {title if title[:4] == 'MASH' else title[0].lower() + title[1:]}"
