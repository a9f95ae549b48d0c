"""The occasion of notices: an event, and the referral it happened to. Each kind of event finds what says who is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from mash.config.permissions import reach
from mash.config.words import ASK_THE_HUB, agency_title, destination_title, stage_title
from mash.notifications.notices.draft import NoticeDraft
from mash.states.acts.handing_over import KIND as HAND_OVER
from mash.states.acts.seconding import KIND as COUNTERSIGNATURE
from mash.states.clocks import Frozen
from mash.states.course import StageEntered
from mash.states.messages import Event
from mash.states.profile import Profile
from mash.states.referral import NOT_TO_TELL, Clock, Referral
from mash.states.roles import REFERRER
from mash.states.stages import STAGE_TITLES

E = TypeVar("E", bound=Frozen)
Causes = Callable[[E, "Occasion"], Iterator[NoticeDraft]]
"""Says which notices an event causes."""
WARNINGS = {
    "safe_contact": "safe contact: do not contact the family before you have read on the case how they are safely reached",
    NOT_TO_TELL: "do not tell the family: they must not learn of this case, nor that anybody is asked or meets about them",
    "do_not_write": "whoever referred must not be written to: read the case before you contact them",
    "staff_safety": "staff-safety warning: read the case before you visit",
}
"""Markers that are said wherever somebody might make contact. That there is one names nobody."""


@dataclass(frozen=True)
class Occasion:
    """What happened to a referral, under which profile and when."""

    reference: str
    before: Referral | None
    after: Referral
    profile: Profile
    now: datetime

    def notice(self, kind: str, role: str, clock: str | None = None, /, **more: Any) -> NoticeDraft:
        """A notice about the referral, with these facts besides those that every notice brings."""
        warnings = self._for_referrer if role == REFERRER else warnings_of(self.after, role)
        facts = {**self._facts, "warnings": warnings, **more}
        return NoticeDraft(reference=self.reference, hub=self.after.hub, kind=kind, role=role, clock=clock, facts=facts)

    def about(self, kind: str, role: str, clock_id: str, **more: Any) -> NoticeDraft:
        """A notice about a clock of the referral: what it waits for, until when and why."""
        clock = self.after.clocks[clock_id]
        waits = {"due_at": clock.due_at.isoformat(), "why": clock.why, "what": subject_of(clock, self.profile)}
        return self.notice(kind, role, clock_id, **waits, **more)

    @property
    def duty(self) -> str:
        """Who manages the hub's contacts now: the first rung of its ladder, or whoever stands in at night."""
        return self.profile.on_duty(self.profile.ladder[0].role, self.now)

    @property
    def _for_referrer(self) -> list[str]:
        """What a professional who referred is warned of. The public is not: they may be of the family."""
        silent = NOT_TO_TELL in self.after.warnings and not self.after.of_public
        return [WARNINGS[NOT_TO_TELL]] if silent else []

    @cached_property
    def _facts(self) -> dict[str, Any]:
        return facts_of(self.after, self.profile)


def facts_of(referral: Referral, profile: Profile) -> dict[str, Any]:
    """What every notice about a referral says."""
    return {
        "stage": stage_title(referral.stage, profile),
        "rating": referral.rating or "unrated",
        "red": referral.rating is not None and profile.place(referral.rating) == 0,
        "hub_title": profile.title,
        "warnings": warnings_of(referral),
    }


def warnings_of(referral: Referral, role: str = "") -> list[str]:
    """What a role is warned of; without one, whoever reads the case. Who is not of the hub does not read how the family is
    reached."""
    said = {**WARNINGS, "safe_contact": ASK_THE_HUB} if role and reach(role) != "hub" else WARNINGS
    return [said[marker] for marker in referral.warnings if marker in said]


def called(occasion: Occasion) -> dict[str, str]:
    """What a step-down is called, where the edition of the guidance has a name of its own for it."""
    own = occasion.profile.edition.words.get("step_down")
    return {"step_down": own} if own else {}


def subject_of(clock: Clock, profile: Profile) -> str:
    """What a clock waits for, in words."""
    if clock.kind == "check":
        return f"reply of {agency_title(profile, clock.whose)}"
    if clock.kind == COUNTERSIGNATURE:
        return "a second person countersigns"
    if clock.kind == HAND_OVER:
        return f"acceptance by {destination_title(profile, clock.whose)}"
    if clock.kind == "disclosure":
        return f"disclosure by {agency_title(profile, clock.whose)}"
    code = clock.id.split(".")[0]
    return profile.edition.words.get(code) or code.replace("_", " ")


def latest(referral: Referral, name: str) -> str:
    """The latest clock of this name: one that was started again has a number behind it."""
    return next(clock.id for clock in reversed(referral.clocks.values()) if clock.id.split(".")[0] == name)


_CAUSES: dict[type[Frozen] | str, Causes[Any]] = {}
"""By the event's class; where a stage is entered, by the stage."""


def on(kind: type[E]) -> Callable[[Causes[E]], Causes[E]]:
    """Have this function say which notices an event of this kind causes. A second one for the same kind is refused."""
    if issubclass(kind, StageEntered):
        raise TypeError("whom a stage's beginning is told to is said of each stage: use on_entering")

    def register(causes: Causes[E]) -> Causes[E]:
        _register(kind, causes)
        return causes

    return register


def on_entering(*stages: str) -> Callable[[Causes[StageEntered]], Causes[StageEntered]]:
    """Have this function say which notices it causes that one of these stages is entered."""
    if unknown := [stage for stage in stages if stage not in STAGE_TITLES]:
        raise TypeError(f"there is no such stage: {', '.join(unknown)}")

    def register(causes: Causes[StageEntered]) -> Causes[StageEntered]:
        for stage in stages:
            _register(stage, causes)
        return causes

    return register


def _register(key: type[Frozen] | str, causes: Causes[Any]) -> None:
    if key in _CAUSES:
        name = key if isinstance(key, str) else key.__name__
        raise TypeError(f"{name} has its notices in {_CAUSES[key].__module__} already, and again in {causes.__module__}")
    _CAUSES[key] = causes


def caused(event: Event, occasion: Occasion) -> Iterator[NoticeDraft]:
    """The notices that one event causes; none where nothing says so."""
    causes = _CAUSES.get(event.stage if isinstance(event, StageEntered) else type(event))
    if causes:
        yield from causes(event, occasion)
