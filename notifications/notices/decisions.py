"""A decision waits for its sign-off, comes back from it, parts the subjects of a referral, or no longer holds."""

from __future__ import annotations

from collections.abc import Iterator

from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.occasion import Occasion, latest, on
from mash.states.acts.decisions import DecisionProposed, SignOffRefused
from mash.states.acts.parting import ReferralSplit
from mash.states.acts.withdrawing import DecisionWithdrawn, WithdrawalProposed, WithdrawalRefused
from mash.states.invited import roles_of


@on(DecisionProposed)
def proposed(event: DecisionProposed, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Whoever signs it off."""
    # That a second person looks because contacts add up says that a child is known: the message only sends them to the case.
    yield occasion.notice("look_at_case" if event.adding_up else "sign_off", event.role)


@on(SignOffRefused)
def refused(event: SignOffRefused, occasion: Occasion) -> Iterator[NoticeDraft]:
    """It is to be decided again."""
    yield occasion.notice("sign_off_refused", occasion.duty)


@on(ReferralSplit)
def split(event: ReferralSplit, occasion: Occasion) -> Iterator[NoticeDraft]:
    """There is a linked referral to look after."""
    yield occasion.notice("referral_split", occasion.duty, linked=event.reference)


@on(WithdrawalProposed)
def withdrawal_proposed(event: WithdrawalProposed, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Whoever signs it off: until then the decision holds."""
    yield occasion.about("withdrawal_sign_off", event.role, latest(occasion.after, "withdrawal_sign_off"))


@on(WithdrawalRefused)
def withdrawal_refused(event: WithdrawalRefused, occasion: Occasion) -> Iterator[NoticeDraft]:
    """The decision stands."""
    yield occasion.notice("withdrawal_refused", occasion.duty)


@on(DecisionWithdrawn)
def withdrawn(event: DecisionWithdrawn, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Whoever had been told of it, and the manager on duty: it is to be decided again."""
    profile = occasion.profile
    agencies = roles_of(event.told, profile)
    services = (service.role for service in profile.services.values() if service.role in event.told)
    for role in dict.fromkeys((*agencies, *services, occasion.duty)):
        yield occasion.notice("decision_withdrawn", role)
