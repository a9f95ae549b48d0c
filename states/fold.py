"""Folding: how each kind of event changes a referral's state, registered by the theme that the event belongs to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from mash.states.referral import Referral
from mash.states.values import SYSTEM, Actor, EventBase

Changes = dict[str, Any]
"""Field of the state -> what it is from now on."""
E = TypeVar("E", bound=EventBase)
Fold = Callable[[Referral, Any, datetime, Actor], Changes]
Begin = Callable[[Any, datetime], Referral]

FOLDS: dict[type[EventBase], Fold] = {}
BEGINNINGS: dict[type[EventBase], Begin] = {}
"""The events by which a log begins."""


def folds(event: type[E]) -> Callable[[Callable[[Referral, E, datetime, Actor], Changes]], Fold]:
    """A function is how this kind of event is folded: what it changes in the state, when, by whom."""

    def register(fold: Fold) -> Fold:
        if event in FOLDS:
            raise ValueError(f"{event.__name__} is folded twice")
        FOLDS[event] = fold
        return fold

    return register


def begins(event: type[E]) -> Callable[[Callable[[E, datetime], Referral]], Begin]:
    """A function makes the first state of a log that begins with this kind of event."""

    def register(begin: Begin) -> Begin:
        BEGINNINGS[event] = begin
        return begin

    return register


def changes_nothing(*events: type[EventBase]) -> None:
    """Events that stand in the log and leave the state as it is."""
    for event in events:
        folds(event)(lambda referral, event, at, by: {})


def evolve(referral: Referral | None, event: EventBase, at: datetime, by: Actor) -> Referral:
    """Fold one event into the state. Never refuses: what is in the log happened. Needs no plaintext."""
    kind = type(event)
    if kind in BEGINNINGS:
        return BEGINNINGS[kind](event, at)
    if referral is None:
        raise ValueError("a log begins with contact_received or continued_from")
    version = referral.version + 1
    # What only some may hear of outdates nobody's view of the case, and is no version of it to the others.
    acted = referral.acted if by.role == SYSTEM or event.of_child else version
    for_all = referral.version_for_all + (not event.of_child)
    acted_for_all = referral.acted_for_all if by.role == SYSTEM or event.of_child else for_all
    changes = FOLDS[kind](referral, event, at, by)
    told = {"version_for_all": for_all, "acted_for_all": acted_for_all}
    return referral.model_copy(update={"version": version, "acted": acted, **told, **changes})
