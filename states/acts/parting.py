"""Where subjects' paths part: some go on as a linked referral with a reference and a run of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from pydantic import Field

from mash.states.acts.orders import await_ends
from mash.states.deciding import Deciding
from mash.states.fold import Changes, folds
from mash.states.referral import ProtectionOrder, Referral
from mash.states.values import Actor, EventBase, Match

ONWARD = ("early_help", "transfer")
"""What a case goes on to from its assessment, gravest first; with any other outcome a subject's part in it ends there."""


class Whither(NamedTuple):
    """Whom a transfer goes to: a destination of the profile, and which authority where it is one."""

    destination: str | None
    transfer_to: str | None


NOWHERE = Whither(None, None)


class ReferralSplit(EventBase):
    """Some subjects go on as the linked referral `reference`, on the path of `outcome`: a decision's, or what was found since, of
    which whoever referred is not told anew."""

    kind: Literal["referral_split"] = "referral_split"
    reference: str
    subjects: tuple[str, ...]
    outcome: str
    by_decision: bool = Field(default=True, exclude_if=lambda by_decision: by_decision)
    destination: str | None = Field(default=None, exclude_if=lambda destination: destination is None)
    """Whom they are transferred to."""
    transfer_to: str | None = Field(default=None, exclude_if=lambda authority: authority is None)
    proposed_by: str | None = Field(default=None, exclude_if=lambda by: by is None)
    """Who decided it, where somebody else signed that off."""
    adding_up: int = Field(default=0, exclude_if=lambda number: not number)
    """How many contacts about one child it would close the last of: a second person looks first."""
    matches: tuple[Match, ...] = Field(default=(), exclude_if=lambda matches: not matches)
    rejected: tuple[Match, ...] = Field(default=(), exclude_if=lambda rejected: not rejected)
    undecided: bool = Field(default=False, exclude_if=lambda undecided: not undecided)
    """Whether their outcome is still to be decided: what protects others did not wait for that."""
    orders: dict[str, ProtectionOrder] = Field(default={}, exclude_if=lambda orders: not orders)
    """What protects them at once: it goes where they go."""


def part(
    d: Deciding,
    outcomes: Mapping[str, str],
    path: str,
    *,
    by_decision: bool = True,
    adding_up: int = 0,
    undecided: bool = False,
    whither: Whither = NOWHERE,
) -> None:
    """The subjects with this outcome go on by themselves; what is known of them goes with them."""
    reference = f"{d.reference}-{chr(ord('B') + d.referral.splits)}"
    subjects = tuple(sid for sid, outcome in outcomes.items() if outcome == path)
    matches, rejected = (
        tuple(match for match in some if match.subject in subjects) for some in (d.referral.matches, d.referral.rejected)
    )
    orders = _orders_of(d.referral, subjects)
    about = {"subjects": subjects, "matches": matches, "rejected": rejected, "adding_up": adding_up, "orders": orders}
    goes = whither._asdict() if path == "transfer" else {}
    about |= {"undecided": undecided, "proposed_by": d.proposed_by}
    d.record(ReferralSplit(reference=reference, outcome=path, by_decision=by_decision, **about, **goes))
    await_ends(d, met=False)


def _orders_of(referral: Referral, subjects: Collection[str]) -> dict[str, ProtectionOrder]:
    """What protects some of its subjects at once, as far as it is about them."""
    about = {name: tuple(sid for sid in order.subjects if sid in subjects) for name, order in referral.orders.items()}
    return {name: referral.orders[name].model_copy(update={"subjects": some}) for name, some in about.items() if some}


def part_ways(d: Deciding, outcomes: Mapping[str, str], whither: Whither = NOWHERE) -> str | None:
    """Each further way on is a linked referral of its own, so that one referral is on one path, and is closed, disputed, reopened
    and kept by itself. Returns the way of those who stay; none where somebody's part ends here: they stay."""
    ways = [way for way in ONWARD if way in outcomes.values()]
    stay = ways[0] if set(outcomes.values()) <= set(ways) else None
    for way in ways:
        if way != stay:
            part(d, outcomes, way, by_decision=False, whither=whither)
    return stay


@folds(ReferralSplit)
def _referral_split(referral: Referral, event: ReferralSplit, at: datetime, by: Actor) -> Changes:
    def left(of: dict[str, Any]) -> dict[str, Any]:
        return {subject: each for subject, each in of.items() if subject not in event.subjects}

    def still(matches: tuple[Match, ...]) -> tuple[Match, ...]:
        return tuple(match for match in matches if match.subject not in event.subjects)

    return {
        "subjects": left(referral.subjects),
        "identities": left(referral.identities),
        "across": left(referral.across),
        "possible_matches": left(referral.possible_matches),
        "matches": still(referral.matches),
        "rejected": still(referral.rejected),
        "orders": _orders_of(referral, left(referral.subjects)),
        "splits": referral.splits + 1,
        "left": (*referral.left, *event.subjects),
    }
