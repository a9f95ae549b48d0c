"""A new contact: whoever rates it, or is asked for advice, is told."""

from __future__ import annotations

from collections.abc import Iterator

from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.occasion import Occasion, latest, on, on_entering
from mash.states.acts.contact import PlaceAssigned
from mash.states.course import StageEntered


@on_entering("triage")
def to_triage(event: StageEntered, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Immediate danger is told by its alert."""
    if _first_seen(occasion) and not occasion.after.immediate_danger:
        yield _to_rate(occasion, _rater(occasion))


@on_entering("decision")
def to_decide(event: StageEntered, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Where nothing is triaged, the manager rates what they decide."""
    after = occasion.after
    if _first_seen(occasion) and after.rating is None and not after.immediate_danger:
        yield _to_rate(occasion, occasion.duty)


@on_entering("to_confirm_not_ours")
def to_confirm(event: StageEntered, occasion: Occasion) -> Iterator[NoticeDraft]:
    """The profile only proposes that a contact is not the hub's."""
    if _first_seen(occasion):
        yield occasion.about("not_ours_to_confirm", _rater(occasion), latest(occasion.after, "to_confirm_not_ours"))


@on(PlaceAssigned)
def to_a_place(event: PlaceAssigned, occasion: Occasion) -> Iterator[NoticeDraft]:
    """The place's own rater has it now."""
    if occasion.after.stage == "triage":
        yield _to_rate(occasion, _rater(occasion))


@on_entering("consultation")
def for_advice(event: StageEntered, occasion: Occasion) -> Iterator[NoticeDraft]:
    """What the hub's own people are asked at night, whoever is on duty is."""
    profile = occasion.profile
    role = profile.consultation.role
    yield occasion.notice("consultation", profile.on_duty(role, occasion.now) if role == profile.advises else role)


def _first_seen(occasion: Occasion) -> bool:
    return occasion.before is None or occasion.before.stage in ("to_confirm_not_ours", "consultation")


def _to_rate(occasion: Occasion, role: str) -> NoticeDraft:
    profile = occasion.profile
    return occasion.notice("contact_to_rate", role, counts_as=profile.ratings[profile.unrated].title.lower())


def _rater(occasion: Occasion) -> str:
    """Who rates a contact now: whoever triages at its place, if it has one."""
    profile = occasion.profile
    place = profile.places.get(occasion.after.place or "")
    return profile.on_duty(place.triage_role, occasion.now) if place and place.triage_role else occasion.duty
