"""The sharing gate: what must be recorded before anybody is asked; adults' views, the threshold, and warnings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import AwareDatetime, Field

from mash.states.acts import demands
from mash.states.acts.checks import close_checks
from mash.states.acts.disclosing import to_disclose
from mash.states.acts.handing_over import call_off, on_the_basis
from mash.states.acts.seconding import KIND as COUNTERSIGNATURE
from mash.states.acts.seconding import (
    WHEN_AGREED,
    WHO_AGREED,
    OverrideProposed,
    SecondNamed,
    await_countersignature,
    demand_second,
    dropped,
    next_id,
    not_to_tell,
    proposed,
    refuse_needless,
    second_again,
)
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotInProfile
from mash.states.fold import Changes, folds
from mash.states.profile import PROFESSIONAL
from mash.states.rebuild import Caused, Rebuilt, as_given, rebuilds, says_all
from mash.states.referral import OverrideBasis, Referral
from mash.states.register import act
from mash.states.roles import hub_raters_and_deciders, raters_and_deciders
from mash.states.route import take_route
from mash.states.stages import ALL, ROUTED, SEEN
from mash.states.usual import Give, Step
from mash.states.values import Actor, Code, CommandBase, EventBase, Marker, OneWord, Words

UNLESS_ACCUSED = "; of whom the concern is about, who works with children, say that instead (record_accused)"

if TYPE_CHECKING:
    from mash.states.world import World


DUTY_TO_DISCLOSE = "duty_to_disclose"
"""The lawful basis of whoever must disclose what is relevant to a child's safety (Children Act 2004 s. 16LA)."""


class RecordSharingBasis(CommandBase):
    """Record why information may (or may not) be shared, before any check leaves (Haringey [2013] EWHC 416)."""

    kind: Literal["record_sharing_basis"] = "record_sharing_basis"
    share: bool = Field(default=True, description="False records a reason not to share: no check leaves.")
    purpose: Literal["safeguarding_child", "child_protection", "safeguarding_adult", "prevention_of_crime", "information_request"]
    lawful_basis: Literal["public_task", "legal_obligation", "vital_interests", "consent", "duty_to_disclose"]
    consent: Literal["given", "refused", "overridden", "not_sought", "no_answer"]
    family_informed: bool
    not_informed: Literal["puts_somebody_at_risk", "prejudices_an_investigation", "cannot_be_reached"] | None = Field(
        default=None, description="Why the family is not told beforehand."
    )
    second: OneWord | None = Field(default=None, exclude_if=lambda second: second is None, description=WHO_AGREED)
    second_at: AwareDatetime | None = Field(default=None, exclude_if=lambda at: at is None, description=WHEN_AGREED)


class RecordAdultView(CommandBase):
    """An adult's capacity to decide about this, and what the adult wants (Care Act 2014: making safeguarding personal)."""

    kind: Literal["record_adult_view"] = "record_adult_view"
    subject: Code
    capacity: Literal["has", "lacks", "not_assessed"]
    agrees: Literal["yes", "no", "not_asked"]


class RecordThreshold(CommandBase):
    """Whether the significant-harm threshold is met, so that agencies may release into the shared record."""

    kind: Literal["record_threshold"] = "record_threshold"
    significant_harm: bool


class RecordMarker(CommandBase):
    """A warning or a status that everybody on the case must see; or that it no longer holds."""

    kind: Literal["record_marker"] = "record_marker"
    marker: Marker
    holds: bool = True


class SharingBasisRecorded(EventBase):
    kind: Literal["sharing_basis_recorded"] = "sharing_basis_recorded"
    share: bool
    purpose: str
    lawful_basis: str
    consent: str
    family_informed: bool
    not_informed: str | None = None
    words: Words | None = Field(alias="said")


class AdultViewRecorded(EventBase):
    kind: Literal["adult_view_recorded"] = "adult_view_recorded"
    subject: str
    capacity: str
    agrees: str
    words: Words | None = Field(alias="said")


class ThresholdRecorded(EventBase):
    kind: Literal["threshold_recorded"] = "threshold_recorded"
    significant_harm: bool
    words: Words | None = Field(alias="said")


class MarkerRecorded(EventBase):
    kind: Literal["marker_recorded"] = "marker_recorded"
    marker: str
    holds: bool
    words: Words | None = Field(alias="said")


_BASIS = tuple(name for name in SharingBasisRecorded.model_fields if name not in ("kind", "words"))


@act(RecordSharingBasis, stages=SEEN)
def record_basis(d: Deciding, cmd: RecordSharingBasis, words: Words | None) -> None:
    """Record why information may, or may not, be shared. The checks that wait for it leave at once; where consent is overridden
    and nobody is in immediate danger, once a second person has agreed."""
    _lawful(d, cmd)
    _as_the_hub_wants_it(d, cmd)
    reason = words
    if not cmd.share or cmd.consent == "overridden" or not cmd.family_informed:
        reason = demands.words(words, "not sharing, overriding consent, or not informing the family")
    elif cmd.lawful_basis != DUTY_TO_DISCLOSE and (owing := sorted({held.agency for _, held in to_disclose(d.referral)})):
        reason = demands.words(
            words,
            f"another basis than the duty to disclose, while {', '.join(owing)} still had to disclose: why it does not hold,",
        )
    if _seconded(d, cmd, reason):
        d.record(SharingBasisRecorded(words=reason, **{name: getattr(cmd, name) for name in _BASIS}))
    if not cmd.share:
        share_no_more(d, reason)
    if d.referral.stage in ROUTED and d.referral.rating:
        take_route(d)


@rebuilds(RecordSharingBasis, SharingBasisRecorded, OverrideProposed)
def _record_sharing_basis_again(caused: Caused, event: SharingBasisRecorded | OverrideProposed) -> Rebuilt:
    again = second_again(caused)
    names = ("purpose", "lawful_basis", "family_informed", "not_informed")
    basis: dict[str, Any] = {name: getattr(event, name) for name in names} | {"share": True, "consent": "overridden"}
    if isinstance(event, SharingBasisRecorded):
        basis |= {"share": event.share, "consent": event.consent}
    return Rebuilt(as_given(RecordSharingBasis, **basis, **again.fields), colleagues=again.colleagues)


def share_no_more(d: Deciding, reason: Words | None) -> None:
    """What has left cannot be called back, but nobody waits for it any more; what was offered on the basis is called off."""
    if d.referral.outstanding:
        close_checks(d, reason)
    call_off(d, *on_the_basis(d.referral))


def _seconded(d: Deciding, cmd: RecordSharingBasis, reason: Words | None) -> bool:
    """Whether the basis stands with this. What protects waits for nobody: in immediate danger, or rated most urgent, one person
    overrides consent, and a second countersigns. Otherwise the first proposes it."""
    waits = proposed(d.referral)
    d.stop_clocks(
        *(clock.id for clock in d.referral.running if clock.kind == COUNTERSIGNATURE and clock.whose in waits), met=False
    )
    if not cmd.share and d.referral.in_danger:
        demand_second(d, "not_sharing", cmd.second, cmd.second_at)
        return True
    refuse_needless(cmd.second, cmd.second_at)
    if not cmd.share or cmd.consent != "overridden" or reason is None:
        return True
    name, r = next_id(d.referral), d.referral
    at_once = r.in_danger or (r.rating is not None and d.profile.place(r.rating) == 0)
    if at_once:
        d.record(SecondNamed(id=name, about="override", agreement="afterwards"))
    else:
        fields = {each: getattr(cmd, each) for each in OverrideBasis.model_fields if each != "words"}
        d.record(OverrideProposed(id=name, words=reason, **fields))
    await_countersignature(d, name, "override")
    return at_once


def _lawful(d: Deciding, cmd: RecordSharingBasis) -> None:
    """What must be so at every hub."""
    if cmd.lawful_basis == DUTY_TO_DISCLOSE and d.profile.edition.disclosure is None:
        raise NotInProfile(f"{d.profile.edition.title}, by which this case goes, knows no duty to disclose: choose another basis")
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
            f"{UNLESS_ACCUSED if PROFESSIONAL in d.referral.categories else ''}"
        )


def _as_the_hub_wants_it(d: Deciding, cmd: RecordSharingBasis) -> None:
    hub = d.profile.sharing
    if hub.consent == "sought_unless_child_protection" and cmd.consent == "not_sought" and cmd.purpose != "child_protection":
        raise Incomplete(f"{d.profile.title} always seeks consent, unless the purpose is child protection")
    if hub.families_told == "beforehand_unless_at_risk" and not cmd.family_informed and cmd.not_informed is None:
        raise Incomplete(f"{d.profile.title} tells families beforehand: say why not (not_informed)")


@act(RecordAdultView, stages=SEEN, when=lambda referral: "adult" in referral.cohorts)
def record_adult_view(d: Deciding, cmd: RecordAdultView, words: Words | None) -> None:
    """An adult with capacity may refuse; what the adult wants is recorded in their words, or why nobody could ask."""
    subject = d.referral.subjects.get(cmd.subject)
    if subject is None or subject.cohort != "adult":
        adults = ", ".join(sid for sid, s in d.referral.subjects.items() if s.cohort == "adult")
        raise Incomplete(f"that is not an adult of this referral: expected one of {adults}")
    if subject.accused:
        raise Incomplete(
            "the concern is about what this adult has done: they are not asked before others hear of it; where it is not"
            " (record_accused), ask"
        )
    reason = demands.words(words, "an adult's view: their wishes, or why they could not be asked,")
    shared = d.referral.sharing
    d.record(AdultViewRecorded(subject=cmd.subject, capacity=cmd.capacity, agrees=cmd.agrees, words=reason))
    if shared and d.referral.sharing is None:
        share_no_more(d, reason)


says_all(AdultViewRecorded, RecordAdultView)


@act(RecordThreshold, stages=SEEN, roles=hub_raters_and_deciders, called="finding the threshold met")
def record_threshold(d: Deciding, cmd: RecordThreshold, words: Words | None) -> None:
    """Whether the significant-harm threshold is met; where the hub asks for it, nothing is released before."""
    d.record(ThresholdRecorded(significant_harm=cmd.significant_harm, words=demands.words(words, "the threshold")))


says_all(ThresholdRecorded, RecordThreshold)


@act(RecordMarker, stages=ALL, stands_alone=True)
def record_marker(d: Deciding, cmd: RecordMarker, words: Words | None) -> None:
    """A warning goes up, or comes down with a reason."""
    if not cmd.holds and cmd.marker not in d.referral.markers and cmd.marker in d.referral.warnings:
        raise Incomplete("that the family is not told follows from the basis for sharing: record the basis anew")
    if cmd.holds == (cmd.marker in d.referral.markers):
        raise Incomplete(
            f"that marker {'is up already' if cmd.holds else 'is not up'}; up: {', '.join(d.referral.markers) or 'none'}"
        )
    if not cmd.holds:
        demands.one_of(d, raters_and_deciders(d.referral, d.profile), "taking a warning down")
    reason = words if cmd.holds else demands.words(words, "taking a warning down")
    d.record(MarkerRecorded(marker=cmd.marker, holds=cmd.holds, words=reason))


says_all(MarkerRecorded, RecordMarker)


@folds(SharingBasisRecorded)
def _sharing_basis_recorded(referral: Referral, event: SharingBasisRecorded, at: datetime, by: Actor) -> Changes:
    return {
        "sharing": event.share,
        "sharing_consent": event.consent,
        "not_to_tell": not_to_tell(event.family_informed, event.not_informed),
        "duty_to_disclose": event.share and event.lawful_basis == DUTY_TO_DISCLOSE,
        "secondings": dropped(referral),
    }


@folds(AdultViewRecorded)
def _adult_view_recorded(referral: Referral, event: AdultViewRecorded, at: datetime, by: Actor) -> Changes:
    adult = referral.subjects[event.subject].model_copy(update={"capacity": event.capacity, "agrees": event.agrees})
    # An adult's later refusal outdates the basis: nothing more leaves until it is recorded anew.
    refused = event.capacity == "has" and event.agrees == "no" and referral.sharing
    return {"subjects": {**referral.subjects, event.subject: adult}, **({"sharing": None} if refused else {})}


@folds(ThresholdRecorded)
def _threshold_recorded(referral: Referral, event: ThresholdRecorded, at: datetime, by: Actor) -> Changes:
    return {"significant_harm": event.significant_harm}


@folds(MarkerRecorded)
def _marker_recorded(referral: Referral, event: MarkerRecorded, at: datetime, by: Actor) -> Changes:
    others = tuple(marker for marker in referral.markers if marker != event.marker)
    return {"markers": (*others, event.marker) if event.holds else others}


def why_shared(world: World, role: str, consent: Literal["given", "overridden"] = "given") -> Iterator[Step]:
    """Adults are heard, and the basis for sharing is recorded, where neither is yet."""
    for adult in world.referral.adults_unheard:
        view = RecordAdultView(subject=adult, capacity="has", agrees="yes")
        yield Give(view, role, "records the adult's capacity and wishes")
    if world.referral.sharing is None:
        basis = RecordSharingBasis(
            purpose="safeguarding_child", lawful_basis="public_task", consent=consent, family_informed=True
        )
        yield Give(basis, role, f"records the basis for sharing: consent {consent}")
