"""Command + state + profile + actor + now -> events, or a refusal. Pure: the same question gets the same answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from mash.states import commands as c
from mash.states import events as e
from mash.states.acts import (
    decisions,
    disagreements,
    intake,
    meetings,
    partners,
    protection,
    sharing,
    step_down,
    upkeep,
)
from mash.states.commands import Actor, Command, Said
from mash.states.deciding import Deciding
from mash.states.errors import ImpossibleMove
from mash.states.events import Event
from mash.states.machine import COMMANDS
from mash.states.profile import Profile
from mash.states.referral import Referral, SubjectState

HANDLERS: dict[str, Callable[[Deciding, Any, Said | None], None]] = {
    "receive_contact": intake.receive,
    "conclude_consultation": intake.conclude_consultation,
    "assign_place": intake.assign_place,
    "rate_referral": intake.rate,
    "rerate_referral": intake.rerate,
    "record_sharing_basis": sharing.record_basis,
    "record_adult_view": sharing.record_adult_view,
    "record_threshold": sharing.record_threshold,
    "record_marker": sharing.record_marker,
    "break_glass": sharing.break_glass,
    "contribute_information": sharing.contribute,
    "release_information": sharing.release,
    "record_categories": intake.record_categories,
    "correct_cohort": intake.correct_cohort,
    "ask_agencies": partners.ask,
    "answer_check": partners.answer,
    "allocate_check": partners.allocate,
    "proceed_without_replies": partners.proceed,
    "convene_meeting": meetings.convene,
    "record_meeting": meetings.record,
    "record_dissent": meetings.dissent,
    "record_decision": decisions.decide,
    "sign_off_decision": decisions.sign_off,
    "reopen_referral": decisions.reopen,
    "call_strategy_discussion": protection.call_strategy_discussion,
    "record_strategy_discussion": protection.record_strategy_discussion,
    "conclude_enquiries": protection.conclude_enquiries,
    "record_conference": protection.record_conference,
    "start_assessment": protection.start_assessment,
    "complete_assessment": protection.complete_assessment,
    "complete_adult_enquiry": protection.complete_adult_enquiry,
    "offer_step_down": step_down.offer,
    "accept_step_down": step_down.accept,
    "return_step_down": step_down.give_back,
    "raise_disagreement": disagreements.raise_it,
    "settle_disagreement": disagreements.settle,
    "take_disagreement_further": disagreements.take_further,
    "acknowledge_alert": upkeep.acknowledge,
    "link_referral": upkeep.link,
    "record_linked": upkeep.link,
    "adopt_profile": upkeep.adopt_profile,
    "add_note": upkeep.add_note,
    "fire_clocks": upkeep.fire_clocks,
    "record_told": upkeep.record_told,
    "erase_people": upkeep.erase_people,
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
    redacted: Said | None = None,
) -> list[Event]:
    """The events that `command` causes. Raises a Refusal, and then nothing has changed.

    `said` points at the words that came with the command, already encrypted, `redacted` at the version of an agency's item that
    it releases. `now` is UTC. A contact that is being received
    has no referral yet (None); `profile` is the hub's, or for `adopt_profile` the one to adopt.
    """
    stages = COMMANDS.get(command.kind)
    if referral is not None and stages is not None and command.kind not in referral.possible():
        raise ImpossibleMove(referral.stage, command.kind, referral.possible())
    d = Deciding(referral, profile, by, now, reference, redacted)
    HANDLERS[command.kind](d, command, said)
    return d.events


def continue_split(
    parent: Referral,
    split: e.ReferralSplit,
    subjects: dict[str, SubjectState],
    profile: Profile,
    by: Actor,
    now: datetime,
    parent_reference: str,
    held: tuple[Said, ...],
    holdings: tuple[e.Holding, ...],
) -> list[Event]:
    """The first events of the linked referral that a split begins: it stands at the decision and takes its own path. `subjects`
    are the parent's, from before the split."""
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
            subjects=tuple(c.Subject.model_validate({"id": sid, "cohort": subjects[sid].cohort}) for sid in split.subjects),
            adult_views={
                sid: e.AdultView(capacity=s.capacity, agrees=s.agrees)
                for sid in split.subjects
                if (s := subjects[sid]).capacity and s.agrees
            },
            significant_harm=parent.significant_harm,
            not_to_share=parent.sharing is False,
            received_at=parent.received_at,
            referrer_reachable=parent.referrer_reachable,
            rating=parent.rating or profile.unrated,
            outcome=split.outcome,
            held=held,
            holdings=holdings,
            factors=parent.factors,
            categories=parent.categories,
            place=parent.place,
            markers=parent.markers,
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
