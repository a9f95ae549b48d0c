"""Which notices events cause, and the facts that each brings. Pure; no personal data: references, codes, times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, computed_field

from mash.config.words import agency_title
from mash.states.acts.checks import ChecksRequested
from mash.states.acts.contact import PlaceAssigned
from mash.states.acts.decisions import DecisionProposed, ReferralSplit, SignOffRefused
from mash.states.acts.disagreements import DisagreementRaised, DisagreementSettled, DisagreementTakenFurther
from mash.states.acts.information import GlassBroken
from mash.states.acts.meetings import MeetingConvened
from mash.states.acts.step_down import StepDownOffered, StepDownReturned
from mash.states.course import AlertAcknowledged, ClockEscalated, ClocksStarted, ClocksStopped, ClockWarned, StageEntered
from mash.states.messages import Event
from mash.states.profile import Profile
from mash.states.referral import Clock, Referral
from mash.states.stages import STAGE_TITLES
from mash.states.values import Actor

REFERRER = "referrer"
"""The role that stands for whoever made the referral: reached by the address they gave."""
ADMINISTRATOR = "administrator"
"""The role that looks after the installation."""
GOVERNANCE = "information_governance"
"""The role that examines who looked at what."""
URGENT = ("immediate_danger", "escalation")
"""Kinds that ask for an acknowledgement: their further channels are used while there is none."""
DANGER, RED, LATE, ORDINARY = range(4)
AWAY = timedelta(minutes=15)
"""A breach that is found so long after the deadline was due while the pipeline was not running."""
PUBLIC = ("individual", "unknown")
"""Sources who are thanked, and not told what was decided about other people's children."""


@dataclass(frozen=True)
class Tried:
    """What became of a try by one channel: whether it was taken, what Apprise said, without secrets, and for how many seconds the
    receiver wants to be left alone."""

    taken: bool
    result: str
    retry_after: float | None = None


class NoticeDraft(BaseModel):
    """A notice as it is queued: to which role, of which kind, with which facts."""

    model_config = ConfigDict(frozen=True)

    reference: str | None
    hub: str
    kind: str
    role: str
    clock: str | None = None
    facts: dict[str, Any] = {}

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def urgency(self) -> int:
        """Its place in the queue: immediate danger; what is red and late, and that somebody broke the glass; what is late; all
        else."""
        if self.kind == "immediate_danger":
            return DANGER
        if self.kind == "escalation":
            return RED if self.facts.get("red") else LATE
        return RED if self.kind == "glass_broken" else ORDINARY


def notices_for(
    reference: str, before: Referral | None, after: Referral, events: list[Event], profile: Profile, now: datetime
) -> list[NoticeDraft]:
    """The notices that these events cause."""
    known = _facts(after, profile)

    def draft(kind: str, role: str, clock: str | None = None, /, **more: Any) -> NoticeDraft:
        return NoticeDraft(reference=reference, hub=after.hub, kind=kind, role=role, clock=clock, facts={**known, **more})

    def about(kind: str, role: str, clock_id: str, **more: Any) -> NoticeDraft:
        clock = after.clocks[clock_id]
        return draft(kind, role, clock_id, due_at=clock.due_at.isoformat(), why=clock.why, what=_what(clock, profile), **more)

    unrated = profile.ratings[profile.unrated].title.lower()
    duty = profile.on_duty(profile.ladder[0].role, now)
    first_seen = before is None or before.stage == "consultation"
    notices: list[NoticeDraft] = []
    for event in events:
        match event:
            case StageEntered(stage="triage") if first_seen and not after.immediate_danger:
                notices.append(draft("contact_to_rate", profile.on_duty(_rater(after, profile), now), counts_as=unrated))
            case StageEntered(stage="decision") if first_seen and after.rating is None and not after.immediate_danger:
                notices.append(draft("contact_to_rate", duty, counts_as=unrated))
            case PlaceAssigned() if after.stage == "triage":
                notices.append(draft("contact_to_rate", profile.on_duty(_rater(after, profile), now), counts_as=unrated))
            case StageEntered(stage="consultation"):
                notices.append(draft("consultation", _consulted(profile, now)))
            case GlassBroken():
                told = {"until": event.until.isoformat(), "agency": agency_title(profile, event.agency)}
                notices += [draft("glass_broken", role, None, **told) for role in (GOVERNANCE, duty)]
            case DecisionProposed():
                notices.append(draft("sign_off", event.role))
            case SignOffRefused():
                notices.append(draft("sign_off_refused", duty))
            case DisagreementRaised() | DisagreementTakenFurther():
                notices.append(about("disagreement", event.role, _latest(after, f"disagreement:{event.id}"), id=event.id))
            case DisagreementSettled():
                if event.outcome == "changed":
                    notices.append(draft("disagreement_changed", duty, about=after.disagreements[event.id].about))
                raised = after.disagreements[event.id]
                partner = profile.agencies.get(raised.agency)
                if raised.by_role == REFERRER:
                    notices += (
                        [draft("disagreement_settled", REFERRER, outcome=event.outcome)] if after.referrer_reachable else []
                    )
                elif partner:
                    notices.append(draft("disagreement_settled", partner.role, outcome=event.outcome))
            case ClockEscalated():
                clock = after.clocks[event.id]
                kind = "escalation" if clock.breached_at else "immediate_danger"
                away = {"away": True} if clock.breached_at and clock.breached_at - clock.due_at > AWAY else {}
                notices.append(about(kind, event.role, event.id, rung=event.rung, **away))
            case ClockWarned():
                kind = "chase" if after.clocks[event.id].kind == "check" else "warning"
                notices.append(about(kind, event.role, event.id))
            case ChecksRequested():
                for agency in event.agencies:
                    clock_id = _latest(after, f"check:{agency}")
                    notices.append(about("check_request", profile.agencies[agency].role, clock_id, agency=agency))
            case MeetingConvened():
                when = {
                    "at": event.at.isoformat(),
                    "mode": event.mode.replace("_", " "),
                    "chair": event.chair,
                    "version": after.version,
                }
                invited = [a for a in profile.agencies if a in after.checks or a in profile.meeting.quorum]
                roles = dict.fromkeys((*(profile.agencies[a].role for a in invited), event.chair))
                notices += [draft("meeting_convened", role, None, **when) for role in roles]
            case StepDownOffered():
                service = profile.services[event.service]
                notices.append(draft("step_down_offered", service.role, service=service.title))
            case StepDownReturned():
                notices.append(draft("step_down_returned" if event.words else "step_down_not_accepted", duty))
            case StageEntered(stage="strategy_discussion"):
                quorum = profile.strategy_discussion.quorum
                invited = [agency.role for name, agency in profile.agencies.items() if name in quorum]
                notices += [draft("strategy_discussion", role) for role in dict.fromkeys((*invited, duty))]
            case ReferralSplit():
                notices.append(draft("referral_split", duty, linked=event.reference))
            case ClocksStarted():
                kinds = {"acknowledgement": "acknowledgement", "outcome_told": "outcome"}
                notices += [
                    draft(
                        kinds[c.kind],
                        REFERRER,
                        c.id,
                        outcomes=sorted({after.outcomes[sid] for sid in after.subjects if sid in after.outcomes}),
                        taken=after.stage != "not_taken",
                        signpost=profile.signpost,
                        within=str(profile.decides_within),
                        professional=professional(after),
                    )
                    for c in event.clocks
                    if c.kind in kinds
                ]
    return notices


WARNINGS = {
    "safe_contact": "safe-contact warning: read the case before you contact anybody",
    "staff_safety": "staff-safety warning: read the case before you visit",
}
"""Markers that are said wherever somebody might make contact. That there is one names nobody."""


def _facts(referral: Referral, profile: Profile) -> dict[str, Any]:
    """What every notice about a referral says."""
    return {
        "stage": STAGE_TITLES[referral.stage],
        "rating": referral.rating or "unrated",
        "red": referral.rating is not None and profile.place(referral.rating) == 0,
        "hub_title": profile.title,
        "warnings": [WARNINGS[marker] for marker in referral.markers if marker in WARNINGS],
    }


class Over(BaseModel):
    """The cause of alerts is gone, or somebody has it: what is not sent yet is withdrawn, and whoever was alerted is told."""

    model_config = ConfigDict(frozen=True)

    reference: str
    hub: str
    clock: str
    kind: str
    role: str
    facts: dict[str, Any]
    urgency: int = ORDINARY


def over_for(
    reference: str, before: Referral | None, after: Referral, events: list[Event], profile: Profile, by: Actor
) -> Iterator[Over]:
    """The alerts that these events end."""

    def over(kind: str, clock_id: str, **more: Any) -> Over:
        facts = {**_facts(after, profile), "what": _what(after.clocks[clock_id], profile), **more}
        return Over(reference=reference, hub=after.hub, clock=clock_id, kind=kind, role=by.role, facts=facts)

    for event in events:
        match event:
            case ClocksStopped():
                spoke = [cid for cid in event.ids if before and cid in before.clocks and _spoke(before.clocks[cid])]
                yield from (over("all_clear", clock_id, met=event.met) for clock_id in spoke)
            case AlertAcknowledged():
                yield over("taken", event.id, holder=by.role.replace("_", " "))


def professional(referral: Referral) -> bool:
    """Whether the referrer is told what was decided: a professional is, the public is thanked."""
    return referral.source_agency not in PUBLIC


def _spoke(clock: Clock) -> bool:
    return clock.warned > 0 or clock.rung >= 0


def _what(clock: Clock, profile: Profile) -> str:
    """What a clock waits for, in words."""
    if clock.kind == "check":
        return f"reply of {agency_title(profile, clock.whose)}"
    return clock.id.split(".")[0].replace("_", " ")


def _rater(referral: Referral, profile: Profile) -> str:
    place = profile.places.get(referral.place or "")
    return place.triage_role if place and place.triage_role else profile.ladder[0].role


def _consulted(profile: Profile, now: datetime) -> str:
    """Who is asked for advice; what the duty manager is asked at night, whoever is on duty is."""
    role = profile.consultation.role
    return profile.on_duty(role, now) if role == profile.ladder[0].role else role


def _latest(referral: Referral, name: str) -> str:
    """The latest clock of this name: one that was started again has a number behind it."""
    return next(clock.id for clock in reversed(referral.clocks.values()) if clock.id.split(".")[0] == name)
