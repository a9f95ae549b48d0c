"""Contacts that add up: what they come to together is said in words, and a second person looks before nothing more is done."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from mash.states.accumulation import add_up, within
from mash.states.acts import demands
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotYours, Refusal
from mash.states.fold import Changes, folds
from mash.states.profile import Profile
from mash.states.rebuild import says_all
from mash.states.referral import Referral
from mash.states.register import act
from mash.states.roles import hub_raters_and_deciders, signing_off
from mash.states.stages import SEEN
from mash.states.values import Actor, CommandBase, EventBase, Words


class WeighContacts(CommandBase):
    """Say what the child's contacts of the last months come to, taken together."""

    kind: Literal["weigh_contacts"] = "weigh_contacts"


class WriteSecondView(CommandBase):
    """Whoever is to sign off a decision on contacts that add up writes what they think of them, before they read what the first
    person wrote."""

    kind: Literal["write_second_view"] = "write_second_view"


class ContactsWeighed(EventBase):
    of_child: ClassVar[bool] = True
    kind: Literal["contacts_weighed"] = "contacts_weighed"
    words: Words = Field(alias="said")


class SecondViewWritten(EventBase):
    of_child: ClassVar[bool] = True
    kind: Literal["second_view_written"] = "second_view_written"
    words: Words = Field(alias="said")


def adding_up(referral: Referral, profile: Profile) -> int:
    """How many contacts about one child add up by the profile's rule; those counted that somebody has rejected, as a second
    person sees that. 0 where they do not."""
    return add_up(referral, profile.accumulation, rejected=True)


def demand_weighed(d: Deciding) -> int:
    """Where contacts add up, before nothing more is done for the child: how many they are, once each likely match was confirmed
    or rejected and what they come to was said; else 0. Raises Incomplete."""
    rule, number = d.profile.accumulation, adding_up(d.referral, d.profile)
    if not number:
        return 0
    if unsettled := within(d.referral, rule, d.referral.unsettled):
        named = ", ".join(dict.fromkeys(match.reference for match in unsettled))
        raise Incomplete(
            f"this may be contact number {number} about one child within {rule.months} months: confirm or reject first"
            f" (identify_subject, reject_match): {named}"
        )
    if d.referral.weighed_by is None:
        raise Incomplete(
            f"this is contact number {number} about one child within {rule.months} months: say first what they come to together"
            " (weigh_contacts)"
        )
    return number


def _nothing_to_weigh(referral: Referral, profile: Profile, by: Actor, cmd: WeighContacts | None) -> Refusal | None:
    return None if adding_up(referral, profile) else Incomplete("there are no contacts that add up: there is nothing to weigh")


@act(
    WeighContacts,
    of_child=True,
    stages=SEEN,
    when=lambda r: bool(r.matches or r.rejected),
    roles=hub_raters_and_deciders,
    called="weighing contacts",
    hindrance=_nothing_to_weigh,
    stands_alone=True,
)
def weigh(d: Deciding, cmd: WeighContacts, words: Words | None) -> None:
    """In words, for whoever decides and whoever looks again."""
    d.record(ContactsWeighed(words=demands.words(words, "weighing the contacts (what they come to together)")))


says_all(ContactsWeighed, WeighContacts)


def _not_a_second_view(referral: Referral, profile: Profile, by: Actor, cmd: WriteSecondView | None) -> Refusal | None:
    if referral.proposed is None or not referral.proposed.adding_up:
        return Incomplete("no decision waits for a second view")
    return not_a_second_person(referral, by)


def not_a_second_person(referral: Referral, by: Actor) -> Refusal | None:
    """Whoever decided, or rated a case whose contacts add up, has looked already."""
    if referral.proposed and by.id == referral.proposed.by:
        return NotYours("a second person signs off: not the one who decided")
    if referral.proposed and referral.proposed.adding_up and by.id in referral.rated_by:
        return NotYours("where contacts add up, a second person signs off: not one who rated the case")
    return None


@act(
    WriteSecondView,
    of_child=True,
    stages=("sign_off",),
    roles=signing_off,
    called="a second view",
    hindrance=_not_a_second_view,
    stands_alone=True,
)
def write_second_view(d: Deciding, cmd: WriteSecondView, words: Words | None) -> None:
    """Their own view, before they read another's."""
    d.record(SecondViewWritten(words=demands.words(words, "a second view")))


says_all(SecondViewWritten, WriteSecondView)


@folds(ContactsWeighed)
def _contacts_weighed(referral: Referral, event: ContactsWeighed, at: datetime, by: Actor) -> Changes:
    return {"weighed_by": by.id}


@folds(SecondViewWritten)
def _second_view_written(referral: Referral, event: SecondViewWritten, at: datetime, by: Actor) -> Changes:
    return {"second_views": tuple(dict.fromkeys((*referral.second_views, by.id)))}
