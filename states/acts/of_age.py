"""Coming of age in an open case: said beforehand and on the day; adults' services accept it, or it stays with a reason."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from mash.states.acts import demands
from mash.states.acts.handing_over import HandOverOffered, offer
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotInProfile
from mash.states.fold import Changes, folds
from mash.states.rebuild import Caused, as_given, rebuilds, says_all
from mash.states.referral import Referral
from mash.states.register import act
from mash.states.stages import CONCLUDED, SEEN
from mash.states.values import Actor, Code, CommandBase, EventBase, Words


class SayOfAge(CommandBase):
    """Somebody comes of age within four weeks (`soon`), or has come of age (`today`)."""

    kind: Literal["say_of_age"] = "say_of_age"
    subject: Code
    when: Literal["soon", "today"]


class HandOverToAdults(CommandBase):
    """Whoever comes of age is offered to adults' services, and handed over once they have accepted."""

    kind: Literal["hand_over_to_adults"] = "hand_over_to_adults"
    subject: Code
    to: Code


class KeepPastEighteen(CommandBase):
    """The case of somebody who comes of age stays with children's services, with a reason in words."""

    kind: Literal["keep_past_eighteen"] = "keep_past_eighteen"
    subject: Code


class ComingOfAgeSaid(EventBase):
    """The hub was told that somebody comes of age. The birthday itself is in no log; the day of this event tells it roughly: four
    weeks before it or less, or on it or the hub's next open day."""

    kind: Literal["coming_of_age_said"] = "coming_of_age_said"
    subject: str
    when: str


class KeptPastEighteen(EventBase):
    """The case stays with children's services, for the reason in the words."""

    kind: Literal["kept_past_eighteen"] = "kept_past_eighteen"
    subject: str
    words: Words = Field(alias="said")


def _somebody_comes_of_age(referral: Referral) -> bool:
    """Somebody of an open case; of one that is over, whom it ended for before anybody handed them over."""
    if referral.open:
        return any(subject.coming_of_age for subject in referral.subjects.values())
    return not referral.erased and any(subject.coming_of_age == "today" for subject in referral.subjects.values())


@act(SayOfAge)
def say(d: Deciding, cmd: SayOfAge, words: Words | None) -> None:
    """Once each, and only of whom the case is still open."""
    subject = d.referral.subjects.get(cmd.subject)
    if subject is None or subject.outcome is not None or subject.age == "adult":
        return
    if cmd.when == "today" or subject.coming_of_age is None:
        d.record(ComingOfAgeSaid(subject=cmd.subject, when=cmd.when))


says_all(ComingOfAgeSaid, SayOfAge)


@act(HandOverToAdults, stages=(*SEEN, *CONCLUDED), when=_somebody_comes_of_age)
def hand_over(d: Deciding, cmd: HandOverToAdults, words: Words | None) -> None:
    """Once they have accepted, somebody who is 18 is an adult of the case."""
    _comes_of_age(d, cmd.subject)
    services = d.profile.of_kind("adults")
    if cmd.to not in services:
        raise NotInProfile(f"that is no service for adults here: expected one of {', '.join(services)}")
    if any(each.kind == "adults" and cmd.subject in each.subjects for each in d.referral.offered.values()):
        raise Incomplete("that is offered to adults' services already: record their answer (accept_hand_over, return_hand_over)")
    offer(d, cmd.to, (cmd.subject,), words=words)


@rebuilds(HandOverToAdults, HandOverOffered)
def _hand_over_to_adults_again(caused: Caused, event: HandOverOffered) -> HandOverToAdults:
    return as_given(HandOverToAdults, subject=event.subjects[0], to=event.destination)


@act(KeepPastEighteen, stages=(*SEEN, *CONCLUDED), when=_somebody_comes_of_age)
def keep(d: Deciding, cmd: KeepPastEighteen, words: Words | None) -> None:
    """They are protected as they were until somebody corrects the cohort, or hands them over."""
    _comes_of_age(d, cmd.subject)
    d.record(KeptPastEighteen(subject=cmd.subject, words=demands.words(words, "keeping somebody's case past eighteen")))


says_all(KeptPastEighteen, KeepPastEighteen)


def _comes_of_age(d: Deciding, sid: str) -> None:
    if demands.subject(d, sid).coming_of_age is None:
        raise Incomplete(f"{sid} does not come of age within four weeks: nobody needs to be handed over")


@folds(ComingOfAgeSaid)
def _coming_of_age_said(referral: Referral, event: ComingOfAgeSaid, at: datetime, by: Actor) -> Changes:
    before = referral.subjects[event.subject]
    done = before.coming_of_age in ("handed_over", "stays")
    stands = before.coming_of_age if done else event.when
    if event.when == "soon":
        return referral.with_known(event.subject, coming_of_age=stands)
    cohort = "adult" if before.coming_of_age == "handed_over" else before.cohort
    return referral.with_known(event.subject, cohort=cohort, age="adult", coming_of_age=stands)


@folds(KeptPastEighteen)
def _kept_past_eighteen(referral: Referral, event: KeptPastEighteen, at: datetime, by: Actor) -> Changes:
    return referral.with_known(event.subject, coming_of_age="stays")
