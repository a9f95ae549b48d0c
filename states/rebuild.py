"""The register of what a log says of a command: how it is rebuilt from the events that it caused. A theme enters its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from mash.states.profile import Profile
from mash.states.referral import Referral
from mash.states.register import kind_of
from mash.states.values import Actor, Colleague, CommandBase, Details, Enquiry, EventBase, Heard

C = TypeVar("C", bound=CommandBase)
E = TypeVar("E", bound=EventBase)


@dataclass(frozen=True)
class Caused:
    """What one act left in a log, and what it found: who gave it when, the case before it, and the rules it was decided by."""

    reference: str
    before: Referral | None
    profile: Profile
    by: Actor
    at: datetime
    events: tuple[EventBase, ...]

    @property
    def referral(self) -> Referral:
        """The case before it. Raises LookupError for the act that received it."""
        if self.before is None:
            raise LookupError("nothing had been received yet")
        return self.before

    def every(self, kind: type[E]) -> list[E]:
        """Its events of a kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    def first(self, kind: type[E]) -> E | None:
        """The first of them; None where there is none."""
        return next(iter(self.every(kind)), None)


@dataclass(frozen=True)
class Rebuilt:
    """A command, with what came beside it that the log still says. Words, the redacted version, the number of a link and when it
    was done are read from any event alike."""

    command: CommandBase
    details: Details | None = None
    enquiries: tuple[Enquiry, ...] = ()
    heard: Heard | None = None
    colleagues: tuple[Colleague, ...] = ()


@dataclass(frozen=True)
class Rebuild:
    """How one kind of command is rebuilt: from the first of these kinds of events, by this function."""

    command: type[CommandBase]
    events: tuple[type[EventBase], ...]
    make: Callable[[Caused, Any], CommandBase | Rebuilt]

    def of(self, caused: Caused) -> Rebuilt:
        """The command that caused this. Raises LookupError where none of its events is there."""
        found = next((event for event in caused.events if isinstance(event, self.events)), None)
        if found is None:
            names = ", ".join(kind_of(event) for event in self.events)
            raise LookupError(f"{kind_of(self.command)} leaves one of {names}, and none is there")
        made = self.make(caused, found)
        return made if isinstance(made, Rebuilt) else Rebuilt(made)


REBUILDS: dict[str, Rebuild] = {}
"""By the command's kind."""


def rebuilds(
    command: type[C], *events: type[E]
) -> Callable[[Callable[[Caused, Any], C | Rebuilt]], Callable[[Caused, Any], C | Rebuilt]]:
    """A function rebuilds this kind of command, from what it caused and the first event of these kinds in it."""

    def enter(make: Callable[[Caused, Any], C | Rebuilt]) -> Callable[[Caused, Any], C | Rebuilt]:
        if kind_of(command) in REBUILDS:
            raise ValueError(f"{command.__name__} is rebuilt twice")
        REBUILDS[kind_of(command)] = Rebuild(command, events, make)
        return make

    return enter


def says_all(event: type[E], command: type[C], **renamed: str) -> None:
    """This kind of event has every field of the command that it comes of; `renamed`: a field of the command -> the event's."""

    def make(caused: Caused, event: E) -> C:
        return same_fields(command, event, **renamed)

    rebuilds(command, event)(make)


def same_fields(command: type[C], event: EventBase, **renamed: str) -> C:
    """A command made of the fields that it shares with an event; `renamed`: a field of the command -> the event's."""
    fields = {name: renamed.get(name, name) for name in command.model_fields if name != "kind"}
    return as_given(command, **{name: getattr(event, theirs) for name, theirs in fields.items()})


def as_given(command: type[C], **fields: Any) -> C:
    """A command of these fields. Nothing is checked anew: what stands in the log was accepted, by the codes of its day."""
    return cast(C, command.model_construct(**fields))  # known to the plug-in of types as the base


def working(*logins: str | None, role: str = "", agency: str = "") -> tuple[Colleague, ...]:
    """Colleagues with these logins, as an act that named them found them."""
    return tuple(Colleague(login=login, role=role, agency=agency) for login in logins if login)
