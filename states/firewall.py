"""Who takes part in a case; and who may read what an agency holds beside it: its owner; others what was released; and otherwise
that it exists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from mash.states.invited import to_discuss, to_meet
from mash.states.profile import Profile
from mash.states.referral import Referral
from mash.states.values import Holding

ADULT_SOCIAL_WORKER = "adult_social_worker"
PARTNERS_READ_FOR = timedelta(days=183)
"""After a case has closed, whoever took part in it from outside the hub reads it for so long: our default, no guidance says. The
policy `partners_part_ends` in the database has it too."""


def past(referral: Referral, now: datetime) -> bool:
    """Whether a case has been closed for so long that partners read it no more."""
    return not referral.open and referral.stage_since + PARTNERS_READ_FOR <= now


def taking_part(referral: Referral, profile: Profile) -> frozenset[str]:
    """The agencies, and the roles of services, that have a part in a case: they were asked, hold something beside it, are invited
    to its meeting or strategy discussion or missed it, are to do something, or are offered its step-down, or something else of
    it. Whoever is none of them has no business reading it."""
    service = profile.services.get(referral.service or "")
    return frozenset(
        (
            *referral.checks,
            *(held.agency for held in referral.held.values()),
            *(to_meet(referral, profile) if referral.meeting_at else ()),
            *(to_discuss(referral, profile) if referral.stage == "strategy_discussion" else ()),
            *referral.short_of,
            *(action.owner for action in referral.actions.values()),
            *((service.role,) if service else ()),
            *handed_over_to(referral),
            *((ADULT_SOCIAL_WORKER,) if "adult" in referral.cohorts else ()),
        )
    )


def handed_over_to(referral: Referral) -> tuple[str, ...]:
    """The roles of those outside to whom something of the case is offered, or who have accepted it."""
    theirs = (each for each in referral.hand_overs.values() if each.result in (None, "accepted"))
    return tuple(each.role for each in theirs if each.role)


View = Literal["whole", "redacted", "signpost"]
AGENCIES_OWN = ("answer_check", "contribute_information")
"""The kinds of items that belong to the agency that gave them; the referrer's words and the hub's are the hub's to read."""


def view(held: Holding, agency: str) -> View:
    """How much of what an agency holds a member of `agency` may read."""
    if held.agency == agency:
        return "whole"
    if not held.released:
        return "signpost"
    return "redacted" if held.redacted else "whole"


@dataclass(frozen=True)
class Contribution:
    """One line of the information product: the item to read there, or a signpost that the agency holds something."""

    agency: str
    at: datetime
    item: str | None


def product(referral: Referral) -> list[Contribution]:
    """The information product of a meeting: what was released, in the version that was; for the rest, signposts."""
    return [
        Contribution(held.agency, held.at, (held.redacted or held.item) if held.released else None)
        for held in referral.held.values()
    ]
