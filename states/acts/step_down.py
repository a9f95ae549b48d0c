"""The hand-over to a service: offered, accepted, or given back. A hand-over that nobody accepted is a lost child."""

from __future__ import annotations

from mash.states import commands as c
from mash.states import events as e
from mash.states.acts import demands
from mash.states.commands import Said
from mash.states.deciding import Deciding
from mash.states.errors import NotInProfile
from mash.states.whose import service


def offer(d: Deciding, cmd: c.OfferStepDown, said: Said | None) -> None:
    """Offer it to a service of the profile that takes such people."""
    fitting = [
        name
        for name, service in d.profile.services.items()
        if not service.cohorts or d.referral.cohorts & {*service.cohorts, "unknown"}
    ]
    if cmd.service not in fitting:
        raise NotInProfile(f"that service is not offered here: expected one of {', '.join(fitting)}")
    d.record(e.StepDownOffered(service=cmd.service, said=said))
    d.go("offer")


def accept(d: Deciding, cmd: c.AcceptStepDown, said: Said | None) -> None:
    """The service accepts: only now is the step-down an outcome."""
    _for_the_service(d, "accept_step_down", said, "accepting this step-down")
    d.record(e.StepDownAccepted(service=d.referral.service or "", said=said))
    d.go("accept")
    d.conclude("early_help")


def give_back(d: Deciding, cmd: c.ReturnStepDown, said: Said | None) -> None:
    """The service does not take it: a new decision."""
    _for_the_service(d, "return_step_down", said, "returning this step-down")
    comes_back(d, demands.words(said, "returning a step-down"))


def _for_the_service(d: Deciding, kind: str, said: Said | None, what: str) -> None:
    """Who answers an offer: the service it was made to, or a decider of the hub, who says in words how the service has."""
    demands.role(d, kind, what)
    if d.by.role not in service(d.referral, d.profile):
        demands.words(said, f"{what} for the service")


def comes_back(d: Deciding, said: Said | None) -> None:
    """The case steps up again: given back, accepted by nobody in time, or not to be stepped down after all."""
    if d.referral.service:
        d.record(e.StepDownReturned(service=d.referral.service, said=said))
    d.go("step_up")
