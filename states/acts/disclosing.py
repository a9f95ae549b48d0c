"""The duty to disclose (Children Act 2004 s. 16LA): what an agency holds that is relevant it discloses within a clock, or it says
why disclosing it would be more detrimental to the child than not. There is no other exception."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from pydantic import Field

from mash.states.acts import demands
from mash.states.acts.information import demand_threshold
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotYours, Refusal
from mash.states.fold import Changes, folds
from mash.states.profile import Profile
from mash.states.rebuild import says_all
from mash.states.referral import Referral
from mash.states.register import act
from mash.states.stages import ALL
from mash.states.values import Actor, Code, CommandBase, EventBase, Holding, Words

CLOCK = "disclosure"


class DeclineDisclosure(CommandBase):
    """The agency that holds an item does not disclose it: in words, why that would be more detrimental to the child than not."""

    kind: Literal["decline_disclosure"] = "decline_disclosure"
    item: Code


class DisclosureDeclined(EventBase):
    """An item stays with the agency that holds it, for the reason in the words."""

    kind: Literal["disclosure_declined"] = "disclosure_declined"
    item: str
    agency: str
    words: Words = Field(alias="said")


def to_disclose(referral: Referral) -> Iterator[tuple[str, Holding]]:
    """What is to be disclosed, or reasoned about: what agencies hold beside the case under the duty, unless the agency has found
    since that it is not relevant. What a child says has a way of its own."""
    if referral.duty_to_disclose and referral.sharing and referral.open:
        for iid, held in referral.held.items():
            check = referral.checks.get(held.agency)
            answered = (check.confirmed_at or check.answered_at) if check else None
            # An answer is of what was held then: what is put beside the case later is relevant to whoever puts it there.
            irrelevant = check is not None and answered is not None and not check.relevant and held.at <= answered
            if not (held.released or held.declined or held.subject or irrelevant):
                yield iid, held


def require(d: Deciding) -> None:
    """Each agency that has something to disclose has a clock; one that has nothing more to disclose has kept it. Where the hub
    lets nothing into the shared record yet, nobody is late."""
    if d.state is None:
        return
    rule = d.profile.edition.disclosure
    # Who adopts rules of an edition without the duty owes nothing any more.
    held = [each for _, each in to_disclose(d.referral)] if rule else []
    owing = {each.agency for each in held if _may(d, each)}
    running = {clock.whose: clock.id for clock in d.referral.running if clock.kind == CLOCK}
    if kept := [clock for agency, clock in running.items() if agency not in owing]:
        d.stop_clocks(*kept, met=d.referral.duty_to_disclose and rule is not None)
    for name in sorted(owing - set(running)):
        if rule:
            holder = d.profile.agencies.get(name) or d.profile.invited.get(name)
            why = f"disclosure by {holder.title if holder else name.replace('_', ' ')}"
            d.start_clock(CLOCK, rule, why, clock_id=f"{CLOCK}:{name}", owner=owner(d.profile, name))


def owner(profile: Profile, holder: str) -> str:
    """Who sees to it that it is disclosed: the agency that holds it. For whoever is no agency of the hub (only invited, or not
    asked any more since rules were adopted), the hub's manager does: nobody else would."""
    agency = profile.agencies.get(holder)
    return agency.role if agency else profile.ladder[0].role


def _may(d: Deciding, held: Holding) -> bool:
    try:
        demand_threshold(d, held.sensitive)
    except Incomplete:
        return False
    return True


def _not_theirs(referral: Referral, profile: Profile, by: Actor, cmd: DeclineDisclosure | None) -> Refusal | None:
    waiting = dict(to_disclose(referral))
    agencies = profile.agencies
    own = [
        iid
        for iid, held in waiting.items()
        if held.agency == by.agency or (held.agency not in agencies and by.role == owner(profile, held.agency))
    ]
    if (cmd is None and own) or (cmd and cmd.item in own):
        return None
    if cmd and cmd.item in waiting:
        return NotYours("only the agency that holds it says why it is not disclosed")
    return Incomplete(f"no such item is to be disclosed; yours that are: {', '.join(own) or 'none'}")


@act(
    DeclineDisclosure,
    stages=ALL,
    when=lambda referral: any(True for _ in to_disclose(referral)),
    hindrance=_not_theirs,
    stands_alone=True,
)
def decline(d: Deciding, cmd: DeclineDisclosure, words: Words | None) -> None:
    """The only exception, in words. Whoever decides reads them, and not what is held."""
    why = demands.words(words, "not disclosing: why that would be more detrimental to the child than to disclose it,")
    d.record(DisclosureDeclined(item=cmd.item, agency=d.referral.held[cmd.item].agency, words=why))


says_all(DisclosureDeclined, DeclineDisclosure)


@folds(DisclosureDeclined)
def _disclosure_declined(referral: Referral, event: DisclosureDeclined, at: datetime, by: Actor) -> Changes:
    held = referral.held[event.item].model_copy(update={"declined": True})
    return {"held": {**referral.held, event.item: held}}
