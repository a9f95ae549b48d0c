"""A second person, with a login of their own, where one alone does not decide: asked before, rung, or countersigning later."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any, Literal, NamedTuple

from pydantic import Field

from mash.states.acts import demands
from mash.states.clocks import Due, Length, Unit, Weekday, local
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotYours
from mash.states.fold import Changes, folds
from mash.states.profile import ClockRule, Profile
from mash.states.rebuild import Caused, says_all, working
from mash.states.referral import AgreedBeforehand, OverrideBasis, Referral, Seconding
from mash.states.register import act
from mash.states.roles import Roles, raters_and_duty
from mash.states.stages import SEEN
from mash.states.values import Actor, Colleague, CommandBase, EventBase, Words

InDanger = Literal["rating_down", "not_sharing", "closing"]
"""What one person alone does not decide about somebody who may be in immediate danger."""
IN_WORDS = {
    "override": "overriding consent",
    "rating_down": "rating an immediate danger below the most urgent",
    "not_sharing": "not sharing about an immediate danger",
    "closing": "closing an immediate danger",
}
KIND = "countersignature"
MORNING = time(9)
"""When the working morning begins by whose noon a second person countersigns."""
WORKING: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")


TELLING_HARMS = ("puts_somebody_at_risk", "prejudices_an_investigation")
"""Reasons not to tell the family that bind whoever is asked too."""
WHO_AGREED = "The login of the second person who agreed by telephone: about an immediate danger one alone does not decide this."
WHEN_AGREED = "When they agreed, if it was not just now."


class AgreeAsSecond(CommandBase):
    """A second person has read the case and agrees beforehand to what one alone does not decide."""

    kind: Literal["agree_as_second"] = "agree_as_second"
    about: InDanger


class SecondAgreed(EventBase):
    """A second person's agreement, which whoever acts may rely on for a while, once."""

    kind: Literal["second_agreed"] = "second_agreed"
    about: str
    words: Words = Field(alias="said")


class SecondNamed(EventBase):
    """What follows was done by one person, and this is who agreed to it and how: by an act of theirs beforehand, or by telephone,
    which they still confirm. `afterwards`: it could not wait for anybody, and somebody else countersigns it."""

    kind: Literal["second_named"] = "second_named"
    id: str
    about: str
    agreement: Literal["signed_in", "telephone", "afterwards"]
    second: str | None = None
    agreed_at: datetime | None = None


class OverrideProposed(EventBase):
    """Consent is to be overridden: nothing leaves until a second person has agreed."""

    kind: Literal["override_proposed"] = "override_proposed"
    id: str
    purpose: str
    lawful_basis: str
    family_informed: bool
    not_informed: str | None = None
    words: Words = Field(alias="said")


def seconds(referral: Referral, profile: Profile) -> Roles:
    """Who may be a second person: whoever rates, decides or is on duty, the rungs of the ladder, and whom the profile names."""
    ladder = (rung.role for rung in profile.ladder)
    return tuple(dict.fromkeys((*raters_and_duty(referral, profile), *ladder, profile.seconding.role)))


@act(
    AgreeAsSecond,
    stages=SEEN,
    when=lambda referral: referral.in_danger,
    roles=seconds,
    called="agreeing as a second person",
    stands_alone=True,
)
def agree(d: Deciding, cmd: AgreeAsSecond, words: Words | None) -> None:
    """Beforehand, with what they think of it."""
    d.record(SecondAgreed(about=cmd.about, words=demands.words(words, "agreeing as a second person")))


says_all(SecondAgreed, AgreeAsSecond)


def demand_agreed(d: Deciding, about: InDanger) -> None:
    """Name the second person of an act that does not say who agreed by telephone. Raises Incomplete where nobody else has agreed
    beforehand."""
    _beforehand(d, about, "they sign in and agree first (agree_as_second)")


def demand_second(d: Deciding, about: InDanger, second: str | None, at: datetime | None) -> None:
    """Name the second person of an act about an immediate danger: `second` agreed by telephone (`at`, or just now), or somebody
    else has agreed beforehand. Raises Incomplete without one, NotYours for whoever names themselves."""
    if second is not None:
        _by_telephone(d, about, second, at or d.now)
        return
    ways = "they sign in and agree (agree_as_second), or agree by telephone: say who (second) and when (second_at)"
    _beforehand(d, about, ways)


def _beforehand(d: Deciding, about: InDanger, ways: str) -> None:
    by_others = (each for each in d.referral.agreed_beforehand if each.about == about and each.by != d.by.id)
    found = [each for each in by_others if d.profile.calendar.add(each.at, d.profile.seconding.holds) >= d.now]
    if not found:
        raise Incomplete(f"{IN_WORDS[about]} needs a second person with a login of their own: {ways}")
    agreed = {"agreement": "signed_in", "second": found[-1].by, "agreed_at": found[-1].at}
    d.record(SecondNamed(id=next_id(d.referral), about=about, **agreed))


def refuse_needless(second: str | None, at: datetime | None) -> None:
    """Raises Incomplete where a second person is named and none is needed: the log would have them confirm nothing."""
    if second is not None or at is not None:
        raise Incomplete("no second person is needed for this: leave out who agreed (second, second_at)")


def _by_telephone(d: Deciding, about: InDanger, named: str, at: datetime) -> None:
    second, wanted = named.lower(), seconds(d.referral, d.profile)
    if second == d.by.id.lower():
        raise NotYours("a second person agrees: not the one who acts")
    if not any(each.role in wanted for each in demands.colleagues(d, second)):
        raise NotYours(
            f"{IN_WORDS[about]} is agreed to by a second person who is {' or '.join(wanted)}: name one of them (second)"
        )
    if not d.referral.received_at <= at <= d.now:
        raise Incomplete("the time lies before the referral or in the future: say when they agreed (second_at)")
    name = next_id(d.referral)
    d.record(SecondNamed(id=name, about=about, agreement="telephone", second=second, agreed_at=at))
    await_countersignature(d, name, about)


def await_countersignature(d: Deciding, name: str, about: str) -> None:
    """A clock of the day team's runs until the next working morning is over: then somebody else has countersigned."""
    rules = d.profile.seconding
    morning = d.profile.calendar.next_time(MORNING, WORKING, d.now)
    at = d.profile.calendar.next_time(rules.by, WORKING, morning)
    why = f"countersigning: {IN_WORDS[about]}, the next working morning ({local(at)})"
    rule = ClockRule(length=Length(amount=1, unit=Unit.WORKING_DAYS), owner=rules.role, source=rules.source)
    d.start_until(KIND, rule, Due(at=at, why=why), clock_id=f"{KIND}:{name}")


def not_to_tell(family_informed: bool, why: str | None) -> str | None:
    """Why the family is not to learn of it, by a basis for sharing that is recorded or proposed."""
    return why if not family_informed and why in TELLING_HARMS else None


class SecondAgain(NamedTuple):
    """The fields of a command that say who agreed by telephone and when, and those people as it found them."""

    fields: dict[str, Any]
    colleagues: tuple[Colleague, ...]


def second_again(caused: Caused) -> SecondAgain:
    """Who agreed by telephone to an act, as its events say; nobody where somebody had agreed beforehand, or nobody was needed."""
    named = next((each for each in caused.every(SecondNamed) if each.agreement == "telephone"), None)
    if named is None:
        return SecondAgain({}, ())
    # Which of the roles that may agree they have, the log does not say, and nothing that follows depends on it.
    colleagues = working(named.second, role=caused.profile.seconding.role)
    return SecondAgain({"second": named.second, "second_at": named.agreed_at}, colleagues)


def next_id(referral: Referral) -> str:
    """The number of the next agreement of a second person."""
    return f"A{len(referral.secondings) + 1}"


def proposed(referral: Referral) -> tuple[str, ...]:
    """What is proposed and of no effect until a second person agrees."""
    return tuple(name for name in referral.uncountersigned if referral.secondings[name].basis)


def dropped(referral: Referral) -> dict[str, Seconding]:
    """The agreements of second persons once another basis for sharing is recorded: what was proposed before waits no more."""
    waited = {name: referral.secondings[name].model_copy(update={"agreed": False}) for name in proposed(referral)}
    return {**referral.secondings, **waited}


@folds(SecondAgreed)
def _second_agreed(referral: Referral, event: SecondAgreed, at: datetime, by: Actor) -> Changes:
    return {"agreed_beforehand": (*referral.agreed_beforehand, AgreedBeforehand(about=event.about, by=by.id, at=at))}


@folds(SecondNamed)
def _second_named(referral: Referral, event: SecondNamed, at: datetime, by: Actor) -> Changes:
    agreed = True if event.agreement == "signed_in" else None
    named = Seconding(about=event.about, by=by.id, second=event.second, agreed=agreed)
    left = tuple(each for each in referral.agreed_beforehand if not (agreed and each.about == event.about))
    return {"secondings": {**referral.secondings, event.id: named}, "agreed_beforehand": left}


@folds(OverrideProposed)
def _override_proposed(referral: Referral, event: OverrideProposed, at: datetime, by: Actor) -> Changes:
    basis = OverrideBasis(**{name: getattr(event, name) for name in OverrideBasis.model_fields})
    waits = Seconding(about="override", by=by.id, basis=basis)
    # The warning waits for nobody: it holds from now on, also where what is proposed is refused.
    warned = not_to_tell(event.family_informed, event.not_informed) or referral.not_to_tell
    return {"secondings": {**dropped(referral), event.id: waits}, "sharing": None, "not_to_tell": warned}
