"""Which notices events cause, and their words. Pure; no personal data: references, codes, times."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from mash.notifications.invitation import invitation
from mash.states import events as e
from mash.states.clocks import local
from mash.states.events import Event
from mash.states.machine import NAMES
from mash.states.profile import Profile
from mash.states.referral import Referral

REFERRER = "referrer"
"""The role that stands for whoever made the referral: reached by the address they gave."""


class NoticeDraft(BaseModel):
    """A notice as it is queued: to which role, of which kind, with which facts."""

    model_config = ConfigDict(frozen=True)

    reference: str | None
    hub: str
    kind: str
    role: str
    clock: str | None = None
    facts: dict[str, Any] = {}


class Message(BaseModel):
    """A notice in words."""

    model_config = ConfigDict(frozen=True)

    title: str
    body: str
    invitation: bytes | None = None


def notices_for(
    reference: str, before: Referral | None, after: Referral, events: list[Event], profile: Profile, now: datetime
) -> list[NoticeDraft]:
    """The notices that these events cause."""
    facts = {
        "stage": NAMES[after.stage],
        "rating": after.rating or "unrated",
        "hub_title": profile.title,
        "warnings": [WARNINGS[marker] for marker in after.markers if marker in WARNINGS],
    }

    def draft(kind: str, role: str, clock: str | None = None, /, **more: Any) -> NoticeDraft:
        return NoticeDraft(reference=reference, hub=after.hub, kind=kind, role=role, clock=clock, facts={**facts, **more})

    def about(kind: str, role: str, clock_id: str, **more: Any) -> NoticeDraft:
        clock, name = after.clocks[clock_id], clock_id.split(".")[0]
        agency = name.removeprefix("check:")
        what = (
            f"reply of {profile.agencies[agency].title if agency in profile.agencies else agency}"
            if clock.kind == "check"
            else name.replace("_", " ")
        )
        return draft(kind, role, clock_id, due_at=clock.due_at.isoformat(), why=clock.why, what=what, **more)

    unrated = profile.ratings[profile.unrated].title.lower()
    duty = profile.on_duty(profile.ladder[0].role, now)
    first_seen = before is None or before.stage == "consultation"
    notices: list[NoticeDraft] = []
    for event in events:
        match event:
            case e.StageEntered(stage="triage") if first_seen and not after.immediate_danger:
                notices.append(draft("contact_to_rate", profile.on_duty(_rater(after, profile), now), counts_as=unrated))
            case e.StageEntered(stage="decision") if first_seen and after.rating is None and not after.immediate_danger:
                notices.append(draft("contact_to_rate", duty, counts_as=unrated))
            case e.PlaceAssigned() if after.stage == "triage":
                notices.append(draft("contact_to_rate", profile.on_duty(_rater(after, profile), now), counts_as=unrated))
            case e.StageEntered(stage="consultation"):
                notices.append(draft("consultation", _consulted(profile, now)))
            case e.DecisionProposed():
                notices.append(draft("sign_off", event.role))
            case e.SignOffRefused():
                notices.append(draft("sign_off_refused", duty))
            case e.DisagreementRaised() | e.DisagreementTakenFurther():
                notices.append(about("disagreement", event.role, _latest(after, f"disagreement:{event.id}"), id=event.id))
            case e.DisagreementSettled():
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
            case e.ClockEscalated():
                clock = after.clocks[event.id]
                kind = "escalation" if clock.breached_at else "immediate_danger"
                notices.append(about(kind, event.role, event.id, rung=event.rung))
            case e.ClockWarned():
                kind = "chase" if after.clocks[event.id].kind == "check" else "warning"
                notices.append(about(kind, event.role, event.id))
            case e.ChecksRequested():
                for agency in event.agencies:
                    clock_id = _latest(after, f"check:{agency}")
                    notices.append(about("check_request", profile.agencies[agency].role, clock_id, agency=agency))
            case e.MeetingConvened():
                when = {
                    "at": event.at.isoformat(),
                    "mode": event.mode.replace("_", " "),
                    "chair": event.chair,
                    "version": after.version,
                }
                invited = [a for a in profile.agencies if a in after.checks or a in profile.meeting.quorum]
                roles = dict.fromkeys((*(profile.agencies[a].role for a in invited), event.chair))
                notices += [draft("meeting_convened", role, None, **when) for role in roles]
            case e.StepDownOffered():
                service = profile.services[event.service]
                notices.append(draft("step_down_offered", service.role, service=service.title))
            case e.StepDownReturned():
                notices.append(draft("step_down_returned" if event.said else "step_down_not_accepted", duty))
            case e.StageEntered(stage="strategy_discussion"):
                quorum = profile.strategy_discussion.quorum
                invited = [agency.role for name, agency in profile.agencies.items() if name in quorum]
                notices += [draft("strategy_discussion", role) for role in dict.fromkeys((*invited, duty))]
            case e.ReferralSplit():
                notices.append(draft("referral_split", duty, linked=event.reference))
            case e.ClocksStarted():
                kinds = {"acknowledgement": "acknowledgement", "outcome_told": "outcome"}
                notices += [
                    draft(
                        kinds[c.kind],
                        REFERRER,
                        c.id,
                        outcomes=sorted({after.outcomes[sid] for sid in after.subjects if sid in after.outcomes}),
                        taken=after.stage != "not_taken",
                        signpost=profile.signpost,
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


OUTCOMES_SAID = {
    "section_47": "social care, police and health are looking into the child's protection together (section 47)",
    "section_17": "a social worker will assess what help the child and family need (section 17)",
    "early_help": "support from early help is being arranged",
    "no_further_action": "no further action will be taken by children's social care",
    "advice": "advice was given",
    "information_provided": "the information asked for was provided",
    "adult_section_42": "an adult safeguarding enquiry (section 42) has begun",
    "transfer": "the matter was transferred to another authority",
}


def lateness(due_at: datetime, now: datetime) -> str:
    """How late (or how soon due) something is, in the hub's units."""
    minutes = round((now - due_at).total_seconds() / 60)
    size = f"{abs(minutes) // 60} h {abs(minutes) % 60} min" if abs(minutes) >= 60 else f"{abs(minutes)} min"
    return f"{size} late" if minutes >= 0 else f"due in {size}"


def message_for(kind: str, reference: str | None, facts: dict[str, Any], now: datetime, link: str) -> Message:
    """The words of a notice. `link` is where to acknowledge, or to look."""
    rating, stage = str(facts.get("rating", "")), str(facts.get("stage", ""))
    due = datetime.fromisoformat(facts["due_at"]) if "due_at" in facts else None
    timing = f"{lateness(due, now)} (due {local(due)})" if due else ""
    warnings = "".join(f" {warning[0].upper()}{warning[1:]}." for warning in facts.get("warnings", ()))
    head = f"{reference}: {rating}, at {stage}.{warnings}"
    match kind:
        case "acknowledgement" if not facts["taken"]:
            return Message(
                title=f"Your contact {reference}",
                body=f"Thank you. Your contact {reference} was received and recorded. {facts['signpost']}",
            )
        case "acknowledgement":
            return Message(
                title=f"Your referral {reference} was received",
                body=f"Thank you. {facts['hub_title']} has received "
                f"your referral {reference}. A manager decides on the response within one working day, and you will be "
                "told the outcome. If somebody is in immediate danger, call 999.",
            )
        case "outcome":
            said = "; ".join(OUTCOMES_SAID[o] for o in facts["outcomes"]) or facts["signpost"]
            return Message(
                title=f"The outcome of your referral {reference}",
                body=f"Your referral {reference} to "
                f"{facts['hub_title']}: {said}. If you disagree, reply to the hub and quote the reference.",
            )
        case "contact_to_rate":
            return Message(
                title=f"{reference} waits for a rating", body=f"{head} It counts as {facts['counts_as']} until rated.\n{link}"
            )
        case "consultation":
            return Message(
                title=f"{reference}: somebody asks for advice",
                body=f"{head} A professional consults the hub before any threshold is applied.\n{link}",
            )
        case "sign_off":
            return Message(
                title=f"{reference}: a decision waits for your agreement", body=f"{head} Agree, or say why not.\n{link}"
            )
        case "sign_off_refused":
            return Message(
                title=f"{reference}: the decision was not signed off", body=f"{head} It is to be decided anew.\n{link}"
            )
        case "disagreement":
            return Message(
                title=f"{reference}: you are to determine a disagreement",
                body=f"{head} Disagreement {facts['id']}: {timing}. {facts['why']}.\n{link}",
            )
        case "disagreement_settled":
            what = {"stands": "what was decided stands", "changed": "what was decided is changed"}[facts["outcome"]]
            return Message(
                title=f"{reference}: your disagreement was determined",
                body=f"Your disagreement about {reference} was determined: {what}. "
                "If you are not satisfied and the procedure allows it, you can take it further.",
            )
        case "disagreement_changed":
            return Message(
                title=f"{reference}: a disagreement has changed the {facts['about']}",
                body=f"{head} It was determined that the {facts['about']} is changed: see what is to be done now.\n{link}",
            )
        case "strategy_discussion":
            return Message(
                title=f"{reference}: a strategy discussion is called",
                body=f"{head} Social care, police and health are needed: please take part.\n{link}",
            )
        case "step_down_returned":
            return Message(
                title=f"{reference}: the step-down was returned",
                body=f"{head} The service does not take it; it is to be decided anew.\n{link}",
            )
        case "step_down_not_accepted":
            return Message(
                title=f"{reference}: nobody accepted the step-down in time",
                body=f"{head} It has come back to the hub and is to be decided anew.\n{link}",
            )
        case "immediate_danger":
            return Message(
                title=f"IMMEDIATE DANGER: {reference}",
                body=f"{head} The referrer sees immediate danger. {timing}.\nAcknowledge: {link}",
            )
        case "escalation":
            return Message(
                title=f"LATE: {reference}, {facts['what']}",
                body=f"{head} {timing}. {facts['why']}.\n"
                f"You are told because nobody acknowledged before you or it is your turn first. Acknowledge: {link}",
            )
        case "warning":
            return Message(title=f"{reference}: {facts['what']} {timing}", body=f"{head} {facts['why']}.\n{link}")
        case "check_request":
            return Message(
                title=f"{reference}: a check is asked of you", body=f"{head} {facts['why']}. Please answer in time.\n{link}"
            )
        case "chase":
            return Message(
                title=f"{reference}: your reply is {timing}", body=f"{head} {facts['why']}. The hub still waits for you.\n{link}"
            )
        case "meeting_convened":
            when = local(datetime.fromisoformat(facts["at"]))
            at = datetime.fromisoformat(facts["at"])
            return Message(
                title=f"{reference}: MASH meeting {when}",
                body=f"{head} The meeting is on {when}, {facts['mode'].replace('_', ' ')}.\n{link}",
                invitation=invitation(
                    str(reference), facts["hub_title"], at, facts["mode"], facts["chair"], facts["version"], now
                ),
            )
        case "step_down_offered":
            return Message(
                title=f"{reference}: a step-down is offered",
                body=f"{head} Offered to {facts['service']}: accept it or return it.\n{link}",
            )
        case "referral_split":
            return Message(
                title=f"{reference}: part continues as {facts['linked']}",
                body=f"{head} Some subjects go on as {facts['linked']}.\n{link}",
            )
        case "system":
            return Message(title=f"MASH system: {facts['what']}", body=f"{facts['what']}. {facts['detail']}\n{link}")
        case _:
            raise ValueError(f"no words for a notice of kind {kind}")
