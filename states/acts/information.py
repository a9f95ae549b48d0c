"""The firewall: what agencies hold beside a case, who may release it, and reading a case from outside."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from mash.states.acts import demands
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotInProfile, NotYours, Refusal
from mash.states.firewall import past, taking_part
from mash.states.fold import Changes, changes_nothing, folds
from mash.states.profile import Profile
from mash.states.rebuild import says_all
from mash.states.referral import Referral
from mash.states.register import act
from mash.states.stages import ALL
from mash.states.values import Actor, Code, CommandBase, EventBase, Holding, Words

Necessity = Literal["to_decide_the_threshold", "to_protect_a_child", "to_protect_an_adult", "to_prevent_crime"]
NOT_TO_SHARE = "it is recorded that information about this referral is not to be shared, and why: talk to the hub first"
WHY_GLASS = "breaking the glass: why you must read this case now,"


class BreakGlass(CommandBase):
    """Read a case that the own agency takes no part in, for some hours: with a reason in words, told to information governance at
    once. For somebody who meets a child at night and must know now."""

    kind: Literal["break_glass"] = "break_glass"


class ContributeInformation(CommandBase):
    """An agency puts what it holds beside the case. It stays the agency's own until the agency releases it."""

    kind: Literal["contribute_information"] = "contribute_information"
    sensitive: bool


class ReleaseInformation(CommandBase):
    """The owning agency releases an item to the decision makers: whole, or the redacted version given with it."""

    kind: Literal["release_information"] = "release_information"
    item: Code
    necessity: Necessity
    proportionality: Literal["whole", "extract", "gist"] = Field(description="How much of it the purpose needs.")


class GlassBroken(EventBase):
    """Somebody whose agency takes no part reads the case until then; the words are their reason."""

    kind: Literal["glass_broken"] = "glass_broken"
    agency: str
    until: datetime
    words: Words = Field(alias="said")


class InformationContributed(EventBase):
    kind: Literal["information_contributed"] = "information_contributed"
    agency: str
    sensitive: bool
    words: Words = Field(alias="said")


class InformationReleased(EventBase):
    """The words justify it; `redacted` is the version that others may read, unless they may read the whole."""

    kind: Literal["information_released"] = "information_released"
    item: str
    agency: str
    necessity: str
    proportionality: str
    words: Words = Field(alias="said")
    redacted: Words | None


@act(BreakGlass, stages=ALL, stands_alone=True)
def break_glass(d: Deciding, cmd: BreakGlass, words: Words | None) -> None:
    """Somebody from outside the case reads it for some hours."""
    if taking_part(d.referral, d.profile) & {d.by.agency, d.by.role} and not past(d.referral, d.now):
        raise Incomplete("your agency takes part in this case: read it as it is")
    reason = demands.words(words, WHY_GLASS)
    until = d.now + timedelta(hours=d.profile.firewall.glass_hours)
    d.record(GlassBroken(agency=d.by.agency, until=until, words=reason))


says_all(GlassBroken, BreakGlass)


def _holds_nothing_here(referral: Referral, profile: Profile, by: Actor, cmd: ContributeInformation | None) -> Refusal | None:
    if by.agency not in profile.agencies:
        return NotInProfile(f"information is contributed by an agency of the hub: {', '.join(profile.agencies)}")
    return Incomplete(NOT_TO_SHARE) if referral.sharing is False else None


@act(ContributeInformation, stages=ALL, hindrance=_holds_nothing_here, stands_alone=True)
def contribute(d: Deciding, cmd: ContributeInformation, words: Words | None) -> None:
    """An agency puts something beside the case. It is the agency's own, and a signpost to everybody else."""
    information = demands.words(words, "contributing information: the information")
    d.record(InformationContributed(agency=d.by.agency, sensitive=cmd.sensitive, words=information))


says_all(InformationContributed, ContributeInformation)


def _not_theirs_to_release(referral: Referral, profile: Profile, by: Actor, cmd: ReleaseInformation | None) -> Refusal | None:
    waiting = [iid for iid, held in referral.held.items() if held.agency == by.agency and not held.released]
    item = referral.held.get(cmd.item) if cmd else None
    if (cmd is None and waiting) or (item and not item.released and item.agency == by.agency):
        return None
    if item is None or item.released:
        return Incomplete(f"no such item waits to be released; yours that do: {', '.join(waiting) or 'none'}")
    return NotYours("only the agency that holds it releases it: ask the agency")


@act(
    ReleaseInformation,
    stages=ALL,
    when=lambda referral: any(not item.released for item in referral.held.values()),
    hindrance=_not_theirs_to_release,
    stands_alone=True,
)
def release(d: Deciding, cmd: ReleaseInformation, words: Words | None) -> None:
    """Only the owning agency releases, with necessity and proportionality stated; an extract or a gist is its own words."""
    item = d.referral.held[cmd.item]
    if d.referral.sharing is False:
        raise Incomplete(NOT_TO_SHARE)
    justification = demands.words(words, "releasing information: why it is necessary, and not more than that,")
    demand_threshold(d, item.sensitive)
    if d.redacted is None and (cmd.proportionality != "whole" or d.profile.firewall.redaction == "always"):
        raise Incomplete("give the redacted version that others are to read (redacted)")
    d.record(
        InformationReleased(
            item=cmd.item,
            agency=item.agency,
            necessity=cmd.necessity,
            proportionality=cmd.proportionality,
            words=justification,
            redacted=d.redacted,
        )
    )


says_all(InformationReleased, ReleaseInformation)


def demand_threshold(d: Deciding, sensitive: bool) -> None:
    """Refuse to let information into the shared record before the case has come as far as the hub asks for."""
    if d.profile.firewall.threshold == "significant_harm" and not d.referral.significant_harm:
        raise Incomplete(
            "here information enters the shared record only when the significant-harm threshold is met: record_threshold first"
        )
    if d.profile.triage.low_level_only and sensitive and d.referral.stage in ("consultation", "triage"):
        raise Incomplete(
            "triage shares low-level information only: sensitive information is released once the case is in the MASH"
        )


def beside(
    referral: Referral, agency: str, words: Words, sensitive: bool, at: datetime, subject: str | None = None
) -> dict[str, Holding]:
    """What agencies hold beside the case, with these words of one more; perhaps those of a child."""
    holding = Holding(item=words.item, agency=agency, sensitive=sensitive, at=at, subject=subject)
    return {**referral.held, words.item: holding}


changes_nothing(GlassBroken)


@folds(InformationContributed)
def _information_contributed(referral: Referral, event: InformationContributed, at: datetime, by: Actor) -> Changes:
    return {"held": beside(referral, event.agency, event.words, event.sensitive, at)}


@folds(InformationReleased)
def _information_released(referral: Referral, event: InformationReleased, at: datetime, by: Actor) -> Changes:
    released = {"released": True, "redacted": event.redacted.item if event.redacted else None}
    return {"held": {**referral.held, event.item: referral.held[event.item].model_copy(update=released)}}
