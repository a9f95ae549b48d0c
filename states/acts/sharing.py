"""The sharing gate and the firewall: what must be recorded before anybody is asked, and who may release what they hold."""

from __future__ import annotations

from datetime import timedelta

from mash.states import commands as c
from mash.states import events as e
from mash.states.acts import demands
from mash.states.commands import Said
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotInProfile, NotYours
from mash.states.firewall import taking_part
from mash.states.machine import BEFORE_DECISION
from mash.states.whose import raters_and_deciders

NOT_TO_SHARE = "it is recorded that information about this referral is not to be shared, and why: talk to the hub first"


def record_basis(d: Deciding, cmd: c.RecordSharingBasis, said: Said | None) -> None:
    """Record why information may, or may not, be shared. The checks that wait for it leave at once."""
    hub = d.profile.sharing
    if cmd.lawful_basis == "consent" and cmd.consent != "given":
        raise Incomplete("consent is the lawful basis only when it was given: choose the basis that applies without it")
    if cmd.share and cmd.consent == "refused":
        raise Incomplete("to share although consent was refused is to override it: record 'overridden', and why")
    if cmd.share and d.referral.adults_refusing and cmd.consent != "overridden":
        refusing = ", ".join(d.referral.adults_refusing)
        raise Incomplete(f"an adult with capacity refuses ({refusing}): to share all the same is to override it, and why")
    if cmd.share and d.referral.adults_unheard:
        raise Incomplete(
            f"record each adult's capacity and wishes first (record_adult_view): {', '.join(d.referral.adults_unheard)}"
        )
    if hub.consent == "sought_unless_child_protection" and cmd.consent == "not_sought" and cmd.purpose != "child_protection":
        raise Incomplete(f"{d.profile.title} always seeks consent, unless the purpose is child protection")
    if hub.families_told == "beforehand_unless_at_risk" and not cmd.family_informed and cmd.not_informed is None:
        raise Incomplete(f"{d.profile.title} tells families beforehand: say why not (not_informed)")
    reason = said
    if not cmd.share or cmd.consent == "overridden" or not cmd.family_informed:
        reason = demands.words(said, "not sharing, overriding consent, or not informing the family")
    fields = {name: getattr(cmd, name) for name in c.RecordSharingBasis.model_fields if name != "kind"}
    d.record(e.SharingBasisRecorded(said=reason, **fields))
    if not cmd.share and d.referral.outstanding:  # what has left cannot be called back, but nobody waits for it any more
        d.record(e.ProceededWithoutReplies(agencies=d.referral.outstanding, said=reason))
        d.stop("check", met=False)
    if d.referral.stage in BEFORE_DECISION and d.referral.rating:
        d.take_route()


def record_adult_view(d: Deciding, cmd: c.RecordAdultView, said: Said | None) -> None:
    """An adult with capacity may refuse; what the adult wants is recorded in their words, or why nobody could ask."""
    subject = d.referral.subjects.get(cmd.subject)
    if subject is None or subject.cohort != "adult":
        adults = ", ".join(sid for sid, s in d.referral.subjects.items() if s.cohort == "adult")
        raise Incomplete(f"that is not an adult of this referral: expected one of {adults}")
    reason = demands.words(said, "an adult's view: their wishes, or why they could not be asked,")
    d.record(e.AdultViewRecorded(subject=cmd.subject, capacity=cmd.capacity, agrees=cmd.agrees, said=reason))


def record_threshold(d: Deciding, cmd: c.RecordThreshold, said: Said | None) -> None:
    """Whether the significant-harm threshold is met; where the hub asks for it, nothing is released before."""
    demands.role(d, "record_threshold", "finding the threshold met")
    reason = demands.words(said, "the threshold")
    d.record(e.ThresholdRecorded(significant_harm=cmd.significant_harm, said=reason))


def record_marker(d: Deciding, cmd: c.RecordMarker, said: Said | None) -> None:
    """A warning goes up, or comes down with a reason."""
    if cmd.holds == (cmd.marker in d.referral.markers):
        raise Incomplete(
            f"that marker {'is up already' if cmd.holds else 'is not up'}; up: {', '.join(d.referral.markers) or 'none'}"
        )
    if not cmd.holds:
        demands.one_of(d, raters_and_deciders(d.referral, d.profile), "taking a warning down")
    reason = said if cmd.holds else demands.words(said, "taking a warning down")
    d.record(e.MarkerRecorded(marker=cmd.marker, holds=cmd.holds, said=reason))


def break_glass(d: Deciding, cmd: c.BreakGlass, said: Said | None) -> None:
    """Somebody from outside the case reads it for some hours."""
    if taking_part(d.referral, d.profile) & {d.by.agency, d.by.role}:
        raise Incomplete("your agency takes part in this case: read it as it is")
    reason = demands.words(said, "breaking the glass: why you must read this case now,")
    until = d.now + timedelta(hours=d.profile.firewall.glass_hours)
    d.record(e.GlassBroken(agency=d.by.agency, until=until, said=reason))


def contribute(d: Deciding, cmd: c.ContributeInformation, said: Said | None) -> None:
    """An agency puts something beside the case. It is the agency's own, and a signpost to everybody else."""
    if d.by.agency not in d.profile.agencies:
        raise NotInProfile(f"information is contributed by an agency of the hub: {', '.join(d.profile.agencies)}")
    if d.referral.sharing is False:
        raise Incomplete(NOT_TO_SHARE)
    d.record(
        e.InformationContributed(
            agency=d.by.agency, sensitive=cmd.sensitive, said=demands.words(said, "contributing information: the information")
        )
    )


def release(d: Deciding, cmd: c.ReleaseInformation, said: Said | None) -> None:
    """Only the owning agency releases, with necessity and proportionality stated; an extract or a gist is its own words."""
    item = d.referral.held.get(cmd.item)
    if item is None or item.released:
        waiting = [iid for iid, held in d.referral.held.items() if held.agency == d.by.agency and not held.released]
        raise Incomplete(f"no such item waits to be released; yours that do: {', '.join(waiting) or 'none'}")
    if item.agency != d.by.agency:
        raise NotYours("only the agency that holds it releases it: ask the agency")
    if d.referral.sharing is False:
        raise Incomplete(NOT_TO_SHARE)
    justification = demands.words(said, "releasing information: why it is necessary, and not more than that,")
    if d.profile.firewall.threshold == "significant_harm" and not d.referral.significant_harm:
        raise Incomplete(
            "here information enters the shared record only when the significant-harm threshold is met: record_threshold first"
        )
    if d.profile.triage.low_level_only and item.sensitive and d.referral.stage in ("consultation", "triage"):
        raise Incomplete(
            "triage shares low-level information only: sensitive information is released once the case is in the MASH"
        )
    if d.redacted is None and (cmd.proportionality != "whole" or d.profile.firewall.redaction == "always"):
        raise Incomplete("give the redacted version that others are to read (redacted)")
    d.record(
        e.InformationReleased(
            item=cmd.item,
            agency=item.agency,
            necessity=cmd.necessity,
            proportionality=cmd.proportionality,
            said=justification,
            redacted=d.redacted,
        )
    )
