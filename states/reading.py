"""What somebody reads of a case: what other agencies found before those release it, and what kind of person referred, are not for
everybody. Asked wherever a case or its log is read for somebody, so that no way of showing it has to think of that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mash.states.acts.by_telephone import AnswerTakenDown
from mash.states.acts.checks import CheckAnswered
from mash.states.acts.child_voice import ChildVoiceRecorded
from mash.states.acts.contact import ContactReceived, ContinuedFrom
from mash.states.acts.corrections import ReferrerCorrected
from mash.states.acts.decisions import DecisionProposed, DecisionRecorded, SignOffRefused
from mash.states.acts.disagreements import DisagreementRaised
from mash.states.acts.enquiring import FLAG
from mash.states.acts.information import InformationContributed
from mash.states.acts.parting import ReferralSplit
from mash.states.acts.protection import StrategyDiscussionHeld
from mash.states.acts.shared import EarlierContactShared
from mash.states.course import (
    AcknowledgementEnded,
    AlertAcknowledged,
    AlertSeen,
    ClockBreached,
    ClockEscalated,
    ClocksStarted,
    ClocksStopped,
    ClockWarned,
    StageEntered,
)
from mash.states.log import Recorded
from mash.states.messages import Event
from mash.states.referral import Check, Referral
from mash.states.values import Actor

REFERRER, UNKNOWN = "referrer", "unknown"
NO_FINDINGS: dict[str, Any] = {"known": None, "relevant": None, "recommendation": None, "suggested_rating": None}
ABOUT_THE_REFERRER = ("source_", "referrer_")
"""How flags begin that say something of whoever referred."""
NOT_KNOWN: dict[str, Any] = {
    "matches": (),
    "possible_matches": {},
    "rejected": (),
    "identities": {},
    "opened": (),
    "across": {},
    "weighed_by": None,
    "second_views": (),
    "part_of": None,
    "added": (),
}
"""A case as it is of a child about whom nothing else is known."""
OF_A_SECOND_LOOK = (
    StageEntered,
    SignOffRefused,
    ClocksStarted,
    ClocksStopped,
    ClockWarned,
    ClockBreached,
    ClockEscalated,
    AlertAcknowledged,
    AcknowledgementEnded,
    AlertSeen,
)
"""What happens while a second person looks, and happens to no case whose contacts do not add up."""
SAYS_WHO = ("police_notification", "early_help_assessment", "out_of_hours_report")
"""The kinds of contact that are made by one kind of referrer."""


@dataclass(frozen=True)
class Reader:
    """Who reads: for which agency, whether they read what others found before it is released, and whether they are of the hub
    (or made the referral): those know what kind of person referred, and how sensitive it is what an agency holds. `finds`:
    whether they may find people, and so may know whether a child is known."""

    agency: str
    findings: bool
    inside: bool
    finds: bool


def as_read(referral: Referral, reader: Reader) -> Referral:
    """A case as somebody reads it."""
    changes: dict[str, Any] = {}
    if not reader.findings:
        changes["checks"] = {
            agency: check if open_to(referral, agency, reader) else check.model_copy(update=_unfound(check))
            for agency, check in referral.checks.items()
        }
    if not reader.inside:
        changes["held"] = {
            item: held if held.released or held.agency == reader.agency else held.model_copy(update={"sensitive": True})
            for item, held in referral.held.items()
        }
        changes |= {
            "source": "",
            "source_agency": UNKNOWN,
            "flags": _flags(referral.flags),
            "contact": _contact(referral.contact),
        }
        changes["disagreements"] = {
            did: each.model_copy(update={"agency": UNKNOWN}) if each.by_role == REFERRER else each
            for did, each in referral.disagreements.items()
        }
    if not reader.finds:
        flags = tuple(flag for flag in changes.get("flags", referral.flags) if flag != FLAG)
        changes |= {**NOT_KNOWN, "version": version_of(referral, reader.finds), "flags": flags, **_at_its_decision(referral)}
    return referral.model_copy(update=changes) if changes else referral


def _unfound(check: Check) -> dict[str, Any]:
    """What is left out of a check whose answer is not for everybody: by telephone or in writing."""
    return {**NO_FINDINGS, "told": check.told.model_copy(update=NO_FINDINGS) if check.told else None}


def version_of(referral: Referral, finds: bool) -> int:
    """The version of a case to whoever may find people, or may not."""
    return referral.version if finds else referral.version_for_all or referral.version


def acted_of(referral: Referral, finds: bool) -> int:
    """The version that a person's act last led to, in the same numbers."""
    return referral.acted if finds else referral.acted_for_all or referral.acted


def stage_for_all(referral: Referral) -> str:
    """Where a case stands to whoever may not know that a child is known: while a second person looks at contacts that add up, it
    is being decided."""
    looks_again = referral.proposed is not None and referral.proposed.adding_up > 0
    return "decision" if looks_again and referral.stage == "sign_off" else referral.stage


def _at_its_decision(referral: Referral) -> dict[str, Any]:
    """A case without what a second look at contacts that add up has left in it."""
    if not referral.second_look:
        return {}
    clocks = {cid: clock for cid, clock in referral.clocks.items() if clock.kind != "sign_off"}
    changes: dict[str, Any] = {"clocks": clocks}
    if (stage := stage_for_all(referral)) != referral.stage:
        changes |= {"stage": stage, "configuration": (stage,), "proposed": None}
    return changes


def told_to_all(story: Iterable[Recorded]) -> Iterator[Recorded]:
    """The events that everybody may hear of who takes part: none that says of a child that they are known, and not that a second
    person looked at contacts that add up."""
    apart = ever = False
    for each in story:
        event = each.event
        if event.of_child:
            continue
        if isinstance(event, DecisionProposed) and event.adding_up:
            apart = ever = True
        elif apart and isinstance(event, DecisionRecorded):
            apart = False
            yield each.model_copy(update={"event": event.model_copy(update={"proposed_by": None})})
        elif apart and isinstance(event, StageEntered) and event.stage != "sign_off":
            apart = False
            if event.stage != "decision":
                yield each
        elif ever and isinstance(event, ClocksStopped):
            ids = tuple(name for name in event.ids if not name.startswith("sign_off"))
            yield each.model_copy(update={"event": event.model_copy(update={"ids": ids})})
        elif not apart or not isinstance(event, OF_A_SECOND_LOOK):
            yield each


def story_as_read(story: Iterable[Recorded], referral: Referral, reader: Reader) -> list[Recorded]:
    """A case's log as somebody reads it. To whoever may not know that a child is known, the events that say so are not there, nor
    is a gap where they are."""
    if reader.finds:
        return [_as_read(each, referral, reader) for each in story]
    return [
        _as_read(each.model_copy(update={"event": of_any_child(each.event)}), referral, reader).model_copy(
            update={"sequence": place}
        )
        for place, each in enumerate(told_to_all(story), 1)
    ]


def of_any_child(event: Event) -> Event:
    """An event without what it says of a child who is known."""
    if isinstance(event, DecisionProposed):
        return event.model_copy(update={"adding_up": 0, "may_be_second": False})
    if isinstance(event, DecisionRecorded | StrategyDiscussionHeld):
        return event.model_copy(update={"may_be_second": False})
    if isinstance(event, ReferralSplit):
        return event.model_copy(update={"adding_up": 0, "matches": (), "rejected": ()})
    if isinstance(event, ContinuedFrom):
        flags = tuple(flag for flag in event.flags if flag != FLAG)
        return event.model_copy(update={"matches": (), "rejected": (), "undecided": False, "flags": flags})
    if isinstance(event, EarlierContactShared):
        # What it tells stands in the item, which those read whom it was released to, and nobody who only looks in.
        return InformationContributed(agency=event.agency, sensitive=True, words=event.words)
    return event


def _as_read(recorded: Recorded, referral: Referral, reader: Reader) -> Recorded:
    """An event of a case's log as somebody reads it: it is no more what was hashed. Which command was given is for deciding the
    log again: of an act that somebody may not hear of it would say what it was."""
    changes: dict[str, Any] = {"act": None}
    event = recorded.event
    if isinstance(event, AnswerTakenDown) and not open_to(referral, event.agency, reader):
        changes["event"] = event.model_copy(update=NO_FINDINGS)
    if isinstance(event, CheckAnswered | InformationContributed | ChildVoiceRecorded) and not open_to(
        referral, event.agency, reader
    ):
        hidden = dict(NO_FINDINGS) if isinstance(event, CheckAnswered) else {}
        changes["event"] = event.model_copy(update=hidden if reader.inside else {**hidden, "sensitive": False})
    if not reader.inside:
        if isinstance(event, ContactReceived | ContinuedFrom):
            told = {"source": "", "source_agency": "", "flags": _flags(event.flags), "contact": _contact(event.contact)}
            changes["event"] = event.model_copy(update={**told, "referrer_reachable": True})
        if isinstance(event, ReferrerCorrected):
            changes["event"] = event.model_copy(
                update={"fields": (), "flags": (), "referrer_reachable": True, "not_heard": False}
            )
        if recorded.by.role == REFERRER:
            changes["by"] = Actor(id=REFERRER, role=REFERRER, agency=UNKNOWN, hub=recorded.by.hub)
            if isinstance(event, DisagreementRaised):
                changes["event"] = event.model_copy(update={"agency": UNKNOWN})
    return recorded.model_copy(update=changes) if changes else recorded


def open_to(referral: Referral, agency: str, reader: Reader) -> bool:
    """Whether somebody reads what an agency found: its own people, whoever reads all findings, and others once it has released
    the words that came with its answer, whole or redacted."""
    return reader.findings or agency == reader.agency or _released(referral, agency, referral.checks.get(agency))


def _released(referral: Referral, agency: str, check: Check | None) -> bool:
    at = (check.confirmed_at or check.answered_at) if check else None
    return any(held.agency == agency and held.released and held.at == at for held in referral.held.values())


def _contact(kind: str) -> str:
    return "referral" if kind in SAYS_WHO else kind


def _flags(flags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(flag for flag in flags if not flag.startswith(ABOUT_THE_REFERRER))
