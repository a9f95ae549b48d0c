"""A disagreement reaches whoever determines it, and what they say reaches whoever disagreed."""

from __future__ import annotations

from collections.abc import Iterator

from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.occasion import Occasion, latest, on
from mash.notifications.notices.referrer import to_referrer
from mash.states.acts.disagreements import DisagreementRaised, DisagreementSettled, DisagreementTakenFurther
from mash.states.roles import REFERRER


@on(DisagreementRaised)
def raised(event: DisagreementRaised, occasion: Occasion) -> Iterator[NoticeDraft]:
    """The first referee."""
    yield _to_determine(event, occasion)


@on(DisagreementTakenFurther)
def taken_further(event: DisagreementTakenFurther, occasion: Occasion) -> Iterator[NoticeDraft]:
    """The next referee."""
    yield _to_determine(event, occasion)


def _to_determine(event: DisagreementRaised | DisagreementTakenFurther, occasion: Occasion) -> NoticeDraft:
    return occasion.about("disagreement", event.role, latest(occasion.after, f"disagreement:{event.id}"), id=event.id)


@on(DisagreementSettled)
def settled(event: DisagreementSettled, occasion: Occasion) -> Iterator[NoticeDraft]:
    """The manager on duty, where something is to be changed; and the agency or the referrer who disagreed."""
    dispute = occasion.after.disagreements[event.id]
    if event.outcome == "changed":
        yield occasion.notice("disagreement_changed", occasion.duty, about=dispute.about)
    partner = occasion.profile.agencies.get(dispute.agency)
    if dispute.by_role == REFERRER:
        yield from to_referrer(occasion, "disagreement_settled", "answer_told", outcome=event.outcome)
    elif partner:
        yield occasion.notice("disagreement_settled", partner.role, outcome=event.outcome)
