"""Where a case goes by itself: the route of its rating, whose legs the themes enter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mash.states.deciding import Deciding


@dataclass(frozen=True)
class Leg:
    """A stage of a route: whether a case has it behind it, how it gets there, and what happens there by itself."""

    done: Callable[[Deciding], bool]
    enter: Callable[[Deciding], None]
    there: Callable[[Deciding], None] = lambda d: None
    """Each time the route leads here, also where the case stands here already."""


LEGS: dict[str, Leg] = {}
"""By the stage."""


def go_by(move: str) -> Callable[[Deciding], None]:
    """Enter a leg by a move of the chart."""
    return lambda d: d.go(move)


LEGS["decision"] = Leg(done=lambda d: False, enter=go_by("open_decision"))


def begin(d: Deciding) -> None:
    """Open the contact to the hub: at triage, or with the decision makers where there is none."""
    d.go("open_triage" if d.profile.triage.stage or d.own_triage else "open_decision")


def take_route(d: Deciding) -> None:
    """Go to the first stage of the rating's route that is not done yet."""
    target = next((stage for stage in d.rating.route if not LEGS[stage].done(d)), "decision")
    if target != d.referral.stage:
        LEGS[target].enter(d)
    LEGS[target].there(d)


def ask_who_is_concerned_now(d: Deciding) -> None:
    """Agencies that are asked only about such people, or such matters, are asked where the case waits for agencies."""
    if d.referral.stage == "agency_checks" and d.referral.rating:
        take_route(d)
