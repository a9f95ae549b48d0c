"""The hand-over to a service: offered, accepted, or returned. A hand-over that nobody accepted is a lost child."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from mash.states.acts import demands
from mash.states.acts.closing import close
from mash.states.deciding import Deciding
from mash.states.errors import NotInProfile, NotYours, Refusal
from mash.states.fold import Changes, changes_nothing, folds
from mash.states.profile import Profile
from mash.states.rebuild import says_all
from mash.states.referral import Referral
from mash.states.register import act
from mash.states.roles import service, service_or_deciders
from mash.states.usual import Give, Step, Wait, rater, usually
from mash.states.values import Actor, Code, CommandBase, EventBase, Words

if TYPE_CHECKING:
    from mash.states.world import World

ACCEPTING, RETURNING = "accepting this step-down", "returning this step-down"


class OfferStepDown(CommandBase):
    """Offer the family's support to an early help or universal service."""

    kind: Literal["offer_step_down"] = "offer_step_down"
    service: Code = Field(description="A service of the hub's profile.")


class AcceptStepDown(CommandBase):
    """The service accepts: only now is the step-down an outcome."""

    kind: Literal["accept_step_down"] = "accept_step_down"


class ReturnStepDown(CommandBase):
    """The service does not take it: the case steps up again, to a new decision."""

    kind: Literal["return_step_down"] = "return_step_down"


class StepDownOffered(EventBase):
    kind: Literal["step_down_offered"] = "step_down_offered"
    service: str
    words: Words | None = Field(alias="said")


class StepDownAccepted(EventBase):
    kind: Literal["step_down_accepted"] = "step_down_accepted"
    service: str
    words: Words | None = Field(alias="said")


class StepDownReturned(EventBase):
    kind: Literal["step_down_returned"] = "step_down_returned"
    service: str
    words: Words | None = Field(alias="said")


def fitting(referral: Referral, profile: Profile) -> list[str]:
    """The services of the profile that take such people."""
    return [
        name
        for name, service in profile.services.items()
        if not service.cohorts or referral.counted & {*service.cohorts, "unknown"}
    ]


@act(OfferStepDown, stages=("step_down_preparing",))
def offer(d: Deciding, cmd: OfferStepDown, words: Words | None) -> None:
    """Offer it to a service of the profile that takes such people."""
    services = fitting(d.referral, d.profile)
    if cmd.service not in services:
        raise NotInProfile(f"that service is not offered here: expected one of {', '.join(services)}")
    d.record(StepDownOffered(service=cmd.service, words=words))
    d.go("offer")


says_all(StepDownOffered, OfferStepDown)


def _offered_by_themselves(referral: Referral, profile: Profile, by: Actor, cmd: AcceptStepDown | None) -> Refusal | None:
    if by.id == referral.service_offered_by:
        return NotYours("whoever offers a step-down cannot accept it: the service does, or another decider writes it down")
    return None


@act(
    AcceptStepDown,
    stages=("step_down_offered",),
    roles=service_or_deciders,
    called=ACCEPTING,
    hindrance=_offered_by_themselves,
)
def accept(d: Deciding, cmd: AcceptStepDown, words: Words | None) -> None:
    """The service accepts: only now is the step-down an outcome."""
    _how_the_service_answered(d, words, ACCEPTING)
    d.record(StepDownAccepted(service=d.referral.service or "", words=words))
    close(d, "accept", "early_help")


says_all(StepDownAccepted, AcceptStepDown)


@act(ReturnStepDown, stages=("step_down_offered",), roles=service_or_deciders, called=RETURNING)
def return_it(d: Deciding, cmd: ReturnStepDown, words: Words | None) -> None:
    """The service does not take it: a new decision."""
    _how_the_service_answered(d, words, RETURNING)
    comes_back(d, demands.words(words, "returning a step-down"))


says_all(StepDownReturned, ReturnStepDown)


def _how_the_service_answered(d: Deciding, words: Words | None, what: str) -> None:
    """A decider of the hub who answers for the service says in words how the service has."""
    if d.by.role not in service(d.referral, d.profile):
        demands.words(words, f"{what} for the service")


def comes_back(d: Deciding, words: Words | None) -> None:
    """The case steps up again: returned, accepted by nobody in time, or not to be stepped down after all."""
    if d.referral.service:
        d.record(StepDownReturned(service=d.referral.service, words=words))
    d.go("step_up")


changes_nothing(StepDownAccepted)


@folds(StepDownOffered)
def _step_down_offered(referral: Referral, event: StepDownOffered, at: datetime, by: Actor) -> Changes:
    return {"service": event.service, "service_offered_by": by.id}


@folds(StepDownReturned)
def _step_down_returned(referral: Referral, event: StepDownReturned, at: datetime, by: Actor) -> Changes:
    return {"service": None, "service_offered_by": None, "outcomes": {}, "decided_at": None}


@usually("step_down_preparing")
def _step_down_preparing(world: World, rating: str) -> Iterator[Step]:
    yield Wait(("step_down_preparing",))
    name = fitting(world.referral, world.profile)[0]
    title = world.profile.services[name].title
    yield Give(OfferStepDown(service=name), rater(world.profile), f"offered to {title}")


@usually("step_down_offered")
def _step_down_offered_in_time(world: World, rating: str) -> Iterator[Step]:
    yield Wait(("step_down_offered",))
    offered = world.profile.services[world.referral.service or ""]
    yield Give(AcceptStepDown(), offered.role, f"{offered.title} accepts", person="second")
