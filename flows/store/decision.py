"""What is decided about a referral: the events, and the referral after each. The one place where the store asks the core."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mash.states.commands import Actor, Command, Said
from mash.states.decide import continue_split, decide
from mash.states.events import Event, Holding, ReferralSplit
from mash.states.profile import Profile
from mash.states.referral import Referral, SubjectState, evolve


@dataclass(frozen=True)
class Decision:
    """The events that come about together, and the referral as it is after each of them."""

    events: list[Event]
    states: list[Referral]

    @property
    def after(self) -> Referral:
        """The referral as it is after all of them."""
        return self.states[-1]


def by_command(
    referral: Referral | None,
    command: Command,
    profile: Profile,
    by: Actor,
    now: datetime,
    *,
    reference: str,
    said: Said | None = None,
    redacted: Said | None = None,
) -> Decision:
    """What a command causes; raises a Refusal."""
    events = decide(referral, command, profile, by, now, reference=reference, said=said, redacted=redacted)
    return _folded(referral, events, by, now)


def by_split(
    parent: Referral,
    split: ReferralSplit,
    subjects: dict[str, SubjectState],
    profile: Profile,
    by: Actor,
    now: datetime,
    parent_reference: str,
    held: tuple[Said, ...],
    holdings: tuple[Holding, ...],
) -> Decision:
    """How the linked referral of a split begins."""
    return _folded(None, continue_split(parent, split, subjects, profile, by, now, parent_reference, held, holdings), by, now)


def _folded(referral: Referral | None, events: list[Event], by: Actor, now: datetime) -> Decision:
    states = []
    for event in events:
        referral = evolve(referral, event, now, by)
        states.append(referral)
    return Decision(events, states)
