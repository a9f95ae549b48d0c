"""The register of acts: for each command in which stages it may be given, by whom, and what it does. A theme enters its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from mash.states.deciding import Deciding
from mash.states.errors import Refusal
from mash.states.profile import Profile
from mash.states.referral import Referral
from mash.states.roles import RolesOf
from mash.states.values import Actor, CommandBase, Words

C = TypeVar("C", bound=CommandBase)
Decide = Callable[[Deciding, C, Words | None], None]
Hindrance = Callable[[Referral, Profile, Actor, Any], Refusal | None]
"""Why somebody may not give a command on a case: for who they are, or for what the hub or the case lacks. Asked with None for the
command when it is only offered."""


@dataclass(frozen=True)
class Act:
    """All that holds of one kind of command."""

    command: type[CommandBase]
    decide: Decide[Any]
    stages: tuple[str, ...] | None
    """In which a person may give it; None for what the system does by itself."""
    when: Callable[[Referral], bool]
    """What must be so on the case, beside its stage."""
    roles: RolesOf | None
    """Whom it is for by the hub's profile; None: for whoever the table of rights lets give it."""
    called: str
    """As a refusal says it: 'rating a referral'."""
    hindrance: Hindrance | None
    of_child: bool
    """Whether that it is possible says that a child is known: a refusal names it to nobody."""
    stands_alone: bool
    """Whether it is right whatever others did meanwhile: twelve agencies answer at once."""

    @property
    def kind(self) -> str:
        """The name of the command."""
        return kind_of(self.command)

    @property
    def place(self) -> str:
        """Where it is decided, as `place_of` says it: looked up where something is missing, as its source has to be read."""
        return place_of(self.decide)


ACTS: dict[str, Act] = {}
"""By the command's kind, in no particular order: `messages.STAFF_ACTS` has one."""


def kind_of(message: type[Any]) -> str:
    """The kind that a class of commands or events stands for."""
    return str(get_args(message.model_fields["kind"].annotation)[0])


def _always(referral: Referral) -> bool:
    return True


def act(
    command: type[C],
    *,
    stages: tuple[str, ...] | None = None,
    when: Callable[[Referral], bool] = _always,
    roles: RolesOf | None = None,
    called: str = "",
    hindrance: Hindrance | None = None,
    of_child: bool = False,
    stands_alone: bool = False,
) -> Callable[[Decide[C]], Decide[C]]:
    """A function is what this kind of command does: it records events in a decision in the making, or raises a Refusal."""

    def enter(decide: Decide[C]) -> Decide[C]:
        if kind_of(command) in ACTS:
            raise ValueError(f"{command.__name__} is decided twice")
        held = (stages, when, roles, called, hindrance, of_child, stands_alone)
        ACTS[kind_of(command)] = Act(command, decide, *held)
        return decide

    return enter


def place_of(there: Any) -> str:
    """The file and line at which a class or function stands, from the project's root."""
    module = inspect.getmodule(there)
    path = (module.__name__ if module else "?").removeprefix("mash.").replace(".", "/")
    return f"{path}.py:{inspect.getsourcelines(there)[1]}"
