"""A contact that the profile of the hub does not take: a person confirms that, and says whose it is; or takes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from mash.states.acts import demands
from mash.states.acts.closing import close
from mash.states.acts.contact import lead_in
from mash.states.clocks import due
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete
from mash.states.fold import changes_nothing
from mash.states.rebuild import says_all
from mash.states.register import act
from mash.states.roles import raters_and_duty
from mash.states.usual import Give, Step, Wait, rater, usually
from mash.states.values import CommandBase, EventBase, Words

if TYPE_CHECKING:
    from mash.states.world import World

Signposted = Literal[
    "childrens_social_care",
    "adults_social_care",
    "police",
    "health",
    "education",
    "early_help",
    "housing",
    "another_authority",
    "another_service",
]
"""Where whoever referred is sent."""


class ConfirmNotOurs(CommandBase):
    """Somebody has read the contact: it is not for this hub, and whoever referred is told where to turn."""

    kind: Literal["confirm_not_ours"] = "confirm_not_ours"
    signposted_to: Signposted


class TakeContact(CommandBase):
    """Somebody has read the contact: the hub acts on it, whatever its profile takes."""

    kind: Literal["take_contact"] = "take_contact"


class NotOursConfirmed(EventBase):
    """A person's word that a contact is not the hub's, and which service it is for."""

    kind: Literal["not_ours_confirmed"] = "not_ours_confirmed"
    signposted_to: str
    words: Words = Field(alias="said")


class ContactTaken(EventBase):
    kind: Literal["contact_taken"] = "contact_taken"
    words: Words = Field(alias="said")


@act(ConfirmNotOurs, stages=("to_confirm_not_ours",), roles=raters_and_duty, called="confirming that a contact is not the hub's")
def confirm(d: Deciding, cmd: ConfirmNotOurs, words: Words | None) -> None:
    """The contact ends here, by a person who says why, what was said and to whom."""
    if d.referral.in_danger:  # told of since, by another contact
        raise Incomplete("somebody may be in immediate danger: take the contact (take_contact)")
    reason = demands.words(words, "confirming that a contact is not the hub's (why, what was said and to whom)")
    d.record(NotOursConfirmed(signposted_to=cmd.signposted_to, words=reason))
    close(d, "refuse_contact", "signposted", decided=True)


says_all(NotOursConfirmed, ConfirmNotOurs)


@act(TakeContact, stages=("to_confirm_not_ours",), roles=raters_and_duty, called="taking a contact")
def take(d: Deciding, cmd: TakeContact, words: Words | None) -> None:
    """It goes where the hub's other contacts go; its times count from receipt."""
    d.record(ContactTaken(words=demands.words(words, "taking a contact that the profile does not take")))
    lead_in(d)


says_all(ContactTaken, TakeContact)


def hasten(d: Deciding) -> None:
    """Whatever was done: where the contact turns out to be perhaps about a child, whoever is to look at it has a child's time."""
    r = d.state
    if r is None or r.stage != "to_confirm_not_ours" or r.only_adults:
        return
    rule = d.rule_of_stage(r.stage)
    for clock in (clock for clock in r.running if clock.kind == r.stage):
        when = due(rule.length, clock.started_at, "the start of its clock", "it may be about a child", d.profile.calendar)
        if when.at < clock.due_at:
            d.move_clock(clock, rule, when)


changes_nothing(NotOursConfirmed, ContactTaken)


@usually("to_confirm_not_ours")
def _to_confirm_not_ours(world: World, rating: str) -> Iterator[Step]:
    yield Wait(("to_confirm_not_ours",))
    yield Give(TakeContact(), rater(world.profile), "takes it")
