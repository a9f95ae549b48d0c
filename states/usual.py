"""What usually happens in each stage, as steps: for a walk through a hub's rules. A theme enters the stages that are its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mash.states.profile import Profile

if TYPE_CHECKING:
    from mash.states.messages import Command
    from mash.states.world import World


@dataclass(frozen=True)
class Wait:
    """The usual part passes of the time that these clocks leave."""

    clocks: tuple[str, ...]


@dataclass(frozen=True)
class Until:
    """Time passes to an instant."""

    at: datetime


@dataclass(frozen=True)
class Give:
    """Somebody of this role and agency gives a command; `what` says it in words."""

    command: Command
    role: str
    what: str
    agency: str = "social_care"
    person: str = ""


WORKERS = ("a.worker", "another.worker")
"""Who has cases at a hub that is nowhere but in memory, by login."""
Step = Wait | Until | Give
Steps = Callable[["World", str], Iterator[Step]]
"""The steps in a stage, of a case that is going to be rated so."""

USUAL: dict[str, Steps] = {}
"""By the stage."""


def usually(stage: str) -> Callable[[Steps], Steps]:
    """A function says what usually happens in this stage."""

    def enter(steps: Steps) -> Steps:
        USUAL[stage] = steps
        return steps

    return enter


def rater(profile: Profile) -> str:
    """The role that usually rates."""
    return profile.raters[0]


def decider(profile: Profile) -> str:
    """The role that usually decides."""
    return profile.deciders[0]
