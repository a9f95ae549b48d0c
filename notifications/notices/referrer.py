"""Whoever made the referral: that it arrived, what was decided, that it no longer holds, what was determined. Where writing to
them is not safe, a person tells them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.occasion import Occasion, latest, on
from mash.states.acts.corrections import ReferrerCorrected
from mash.states.acts.informing import CLOCKS, MATTERS, owed
from mash.states.acts.sharing import MarkerRecorded, SharingBasisRecorded
from mash.states.course import ClocksStarted
from mash.states.referral import NOT_TO_TELL, Referral
from mash.states.roles import REFERRER

_WRITTEN = {"acknowledgement": "acknowledgement", "outcome_told": "outcome", "withdrawal_told": "withdrawal"}
"""By the kind of clock that waits for the referrer to have it: the kind of notice."""


@on(ClocksStarted)
def waits(event: ClocksStarted, occasion: Occasion) -> Iterator[NoticeDraft]:
    """A clock that waits for the referrer to be told has begun."""
    for clock in event.clocks:
        if clock.kind in _WRITTEN:
            yield from _of_clock(occasion, clock.id, clock.kind)


@on(MarkerRecorded)
def safe_or_not(event: MarkerRecorded, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Writing to them has become unsafe, or safe again: what they still wait to hear takes the other way."""
    before, after = occasion.before, occasion.after
    if before and before.not_to_write != after.not_to_write:
        for matter in owed(after):
            kind = CLOCKS[matter]
            if after.not_to_write or kind in _WRITTEN:
                yield from _of_clock(occasion, latest(after, kind), kind)
    yield from _not_to_tell(occasion)


@on(SharingBasisRecorded)
def told_or_not(event: SharingBasisRecorded, occasion: Occasion) -> Iterator[NoticeDraft]:
    """The family is not to be told, which the referrer did not hear with what they were told."""
    yield from _not_to_tell(occasion)


@on(ReferrerCorrected)
def reached_otherwise(event: ReferrerCorrected, occasion: Occasion) -> Iterator[NoticeDraft]:
    """What they still wait to hear goes where they are reached now: what waited to be sent elsewhere is withdrawn with this. What
    begins to be owed by it is told by its own clock."""
    before, after = occasion.before, occasion.after
    waited = owed(before) if before else ()
    for matter in (matter for matter in owed(after) if matter in waited):
        kind = CLOCKS[matter]
        by_person = after.by_person and not (before and before.by_person)
        if by_person or (not after.by_person and "email" in event.fields and kind in _WRITTEN):
            yield from _of_clock(occasion, latest(after, kind), kind)


def to_referrer(
    occasion: Occasion, written: str, clock_kind: str, clock_id: str | None = None, /, **facts: Any
) -> Iterator[NoticeDraft]:
    """A message for the referrer: to their address; or, where writing is not safe or there is none, to whoever sees that a person
    tells them."""
    after = occasion.after
    if after.by_person:
        name = clock_id or latest(after, clock_kind)
        matter = MATTERS[clock_kind]
        how = {"held_back": after.held_back, "no_address": not after.not_to_write}
        yield occasion.about("inform_referrer", after.clocks[name].owner, name, matter=matter, **how)
    elif after.referrer_reachable:
        yield occasion.notice(written, REFERRER, clock_id, **facts)


def _not_to_tell(occasion: Occasion) -> Iterator[NoticeDraft]:
    """To a professional, who sees the family tomorrow; to the public never, who may be of it. Where writing is not safe, or there
    is no address, the manager on duty has them told."""
    before, after = occasion.before, occasion.after
    begins = before and NOT_TO_TELL in after.warnings and NOT_TO_TELL not in before.warnings
    if not (begins and professional(after)):
        return
    if after.by_person:
        yield occasion.notice("tell_not_to_tell", occasion.duty)
    elif after.referrer_reachable:
        yield occasion.notice("not_to_tell", REFERRER)


def undelivered(occasion: Occasion, written: str) -> Iterator[NoticeDraft]:
    """What was written to them arrived nowhere, and no more tries are made: whoever owns the clock tells them by another way, as
    far as they still wait to hear it."""
    after = occasion.after
    if written == "not_to_tell" and NOT_TO_TELL in after.warnings:
        yield occasion.notice("tell_not_to_tell", occasion.duty)
    for matter in owed(after):
        if _WRITTEN.get(kind := CLOCKS[matter]) == written:
            name = latest(after, kind)
            how = {"held_back": matter == "outcome" and after.held_back, "undelivered": True}
            yield occasion.about("inform_referrer", after.clocks[name].owner, name, matter=matter, **how)


def professional(referral: Referral) -> bool:
    """Whether the referrer is told what was decided: a professional is, the public is thanked."""
    return not referral.of_public


def _of_clock(occasion: Occasion, clock_id: str, kind: str) -> Iterator[NoticeDraft]:
    profile, after = occasion.profile, occasion.after
    if kind == "withdrawal_told":
        return to_referrer(occasion, _WRITTEN[kind], kind, clock_id, at=after.reached["outcome"].isoformat())
    return to_referrer(
        occasion,
        _WRITTEN.get(kind, ""),
        kind,
        clock_id,
        outcomes=[outcome for outcome in after.result if outcome != "not_taken"],
        own_words=profile.edition.outcomes,
        taken=after.stage != "not_taken",
        signpost=profile.signpost,
        within=str(profile.decides_within),
        danger=profile.in_danger if after.in_danger else "",
        professional=professional(after),
    )
