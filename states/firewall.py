"""Who may read what an agency holds beside a case: its owner; others what was released; and otherwise that it exists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mash.states.referral import Referral

View = Literal["whole", "redacted", "signpost"]
AGENCIES_OWN = ("answer_check", "contribute_information")
"""The kinds of items that belong to the agency that gave them; the referrer's words and the hub's are the hub's to read."""


def view(referral: Referral, item: str, kind: str, owner: str, agency: str) -> View:
    """How much of an item of `owner` a member of `agency` may read."""
    if kind not in AGENCIES_OWN or owner == agency:
        return "whole"
    held = referral.held.get(item)
    if held is None or not held.released:
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
