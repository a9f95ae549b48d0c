"""The referrer is informed: by the notice that reached them, or by a person where writing to them is not safe or did not work."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from mash.states.acts import demands
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, Refusal
from mash.states.fold import Changes, folds
from mash.states.profile import Profile
from mash.states.rebuild import Caused, Rebuilt, as_given, rebuilds, says_all, working
from mash.states.referral import BEING_ACTED_ON, Referral
from mash.states.register import act
from mash.states.stages import ALL
from mash.states.values import Actor, CommandBase, EventBase, OneWord, Words

Matter = Literal["acknowledgement", "outcome", "disagreement", "withdrawal"]
CLOCKS: dict[Matter, str] = {
    "acknowledgement": "acknowledgement",
    "outcome": "outcome_told",
    "disagreement": "answer_told",
    "withdrawal": "withdrawal_told",
}
"""What a referrer waits to hear, and the kind of clock that runs until they have."""
MATTERS = {clock: matter for matter, clock in CLOCKS.items()}


class RecordTold(CommandBase):
    """The referrer was told: the notice was delivered."""

    kind: Literal["record_told"] = "record_told"
    what: Literal["acknowledgement", "outcome", "withdrawal"]


class InformReferrer(CommandBase):
    """A person informed the referrer by telephone, by letter or in person, or found that they cannot be reached."""

    kind: Literal["inform_referrer"] = "inform_referrer"
    what: Matter
    how: Literal["telephone", "letter", "in_person", "not_reached"]
    whom: Literal["referrer", "on_their_behalf"] = "referrer"
    at: AwareDatetime | None = Field(default=None, description="When it was, if it was not just now.")
    informed_by: OneWord | None = Field(default=None, description="The login of whoever informed them, if not yours.")


class ReferrerTold(EventBase):
    kind: Literal["referrer_told"] = "referrer_told"
    what: str


class ReferrerInformed(EventBase):
    """A person informed the referrer, or tried to and wrote down why they could not be reached."""

    kind: Literal["referrer_informed"] = "referrer_informed"
    what: str
    how: str
    whom: str
    at: datetime
    informed_by: str
    words: Words = Field(alias="said")


def owe(d: Deciding, what: Matter, title: str) -> None:
    """The referrer is to hear of it, in writing or by a person: a clock runs until they have. To whoever gave neither an address
    nor another way to be reached, nothing is owed that anybody could do."""
    r = d.referral
    if r.referrer_reachable or r.by_person:
        rule = "acknowledgement" if what == "acknowledgement" else "outcome_told"
        d.start_clock(CLOCKS[what], d.profile.statutory[rule], title)


def owe_again(d: Deciding, *, not_heard: bool = False) -> None:
    """What the referrer should have heard, and has not, for want of a way to reach them, or because it went to somebody else
    (`not_heard`): the outcome, or before there is one that their contact has arrived."""
    r = d.referral
    what: Matter = "outcome" if r.decided and not r.held_back else "acknowledgement"
    title = f"{what} to the referrer"
    waits = any(clock.kind == CLOCKS[what] for clock in r.running)
    delivered = what == "acknowledgement" and what in r.deliveries and not not_heard
    if not waits and heard_at(r, what) is None and not delivered:
        owe(d, what, title)


def heard_at(referral: Referral, what: Matter) -> datetime | None:
    """When the referrer was told, in time or late; of an outcome, of what is decided now. None where they have not been."""
    since = (referral.decided_at or referral.stage_since) if what == "outcome" else referral.received_at
    at = referral.reached.get(what)
    return at if at and at >= since else None


def owed(referral: Referral) -> tuple[Matter, ...]:
    """What the referrer still waits to hear."""
    return tuple(dict.fromkeys(MATTERS[clock.kind] for clock in referral.running if clock.kind in MATTERS))


def correct(d: Deciding, before: Referral | None) -> None:
    """Whatever was done: an outcome that no longer stands, and is not told yet, is told to nobody; what was held back is told
    once it is not any more. Where a professional was told of another one than stands, and is not about to hear this one, they
    are to hear it; or, where none stands, that it no longer holds. The public is thanked, and was told of none."""
    r = d.state
    if r is None or r.erased:
        return
    if not r.result:
        d.stop(CLOCKS["outcome"], met=False)
    elif before is not None and _differs(before, r):
        waits = {clock.id for clock in before.running if clock.kind == CLOCKS["outcome"]} & {clock.id for clock in r.running}
        d.stop_clocks(*waits, met=False)
        if waits or before.held_back:
            _owe_outcome(d)
    r = d.referral
    if not r.heard or r.of_public or r.heard == r.result or r.held_back:
        return
    if set(r.heard) == {BEING_ACTED_ON}:  # which holds of whatever it becomes: the outcome that follows is all there is to hear
        return
    if {CLOCKS["outcome"], CLOCKS["withdrawal"]} & {clock.kind for clock in r.running}:
        return
    if r.result:
        _owe_outcome(d)
    else:
        owe(d, "withdrawal", "that the decision no longer holds, to the referrer")


def _differs(before: Referral, after: Referral) -> bool:
    """Whether whoever referred would read something else of it now: of the public, only that nothing is held back any more."""
    if before.of_public:
        return before.held_back and not after.held_back
    return before.result != after.result


def _owe_outcome(d: Deciding) -> None:
    if not any(clock.kind == CLOCKS["outcome"] for clock in d.referral.running):
        owe(d, "outcome", "outcome to the referrer")


@act(RecordTold)
def record_told(d: Deciding, cmd: RecordTold, words: Words | None) -> None:
    """The referrer was told: the notice was delivered."""
    if cmd.what in owed(d.referral):
        d.record(ReferrerTold(what=cmd.what))
        d.stop(CLOCKS[cmd.what])


says_all(ReferrerTold, RecordTold)


def _not_owed(referral: Referral, profile: Profile, by: Actor, cmd: InformReferrer | None) -> Refusal | None:
    if cmd is None or cmd.what in owed(referral):
        return None
    return Incomplete(f"the referrer does not wait to hear that; they wait for: {', '.join(owed(referral)) or 'nothing'}")


@act(InformReferrer, stages=ALL, when=lambda referral: bool(owed(referral)), hindrance=_not_owed, stands_alone=True)
def inform(d: Deciding, cmd: InformReferrer, words: Words | None) -> None:
    """Somebody informed the referrer; the words say whom they spoke to and what was passed on. Only this meets the clock of a
    referrer who cannot be written to; that they cannot be reached ends it, and does not meet it."""
    at = cmd.at or d.now
    if not d.referral.received_at <= at <= d.now:
        raise Incomplete("the time lies before the referral or in the future: say when they were informed (at)")
    passed_on = demands.words(words, "informing the referrer (whom you spoke to, what you passed on, why nobody was reached)")
    informed_by = demands.login(d, cmd.informed_by) if cmd.informed_by else d.by.id
    d.record(ReferrerInformed(what=cmd.what, how=cmd.how, whom=cmd.whom, at=at, informed_by=informed_by, words=passed_on))
    d.happened_at = at if at < d.now else None
    d.stop(CLOCKS[cmd.what], met=cmd.how != "not_reached")


@rebuilds(InformReferrer, ReferrerInformed)
def _inform_referrer_again(caused: Caused, event: ReferrerInformed) -> Rebuilt:
    fields = {name: getattr(event, name) for name in ("what", "how", "whom", "at")}
    other = event.informed_by if event.informed_by != caused.by.id else None
    return Rebuilt(as_given(InformReferrer, **fields, informed_by=other), colleagues=working(other))


@folds(ReferrerTold)
def _referrer_told(referral: Referral, event: ReferrerTold, at: datetime, by: Actor) -> Changes:
    return _told(referral, event.what, at)


@folds(ReferrerInformed)
def _referrer_informed(referral: Referral, event: ReferrerInformed, at: datetime, by: Actor) -> Changes:
    if event.how == "not_reached":  # they are not told of the outcome; that it no longer holds, nobody tries again
        return {} if event.what == "outcome" else _heard(referral, event.what)
    return _told(referral, event.what, event.at)


def _told(referral: Referral, what: str, at: datetime) -> Changes:
    told = {"deliveries": (*referral.deliveries, what), "reached": {**referral.reached, what: at}}
    return {**told, **_heard(referral, what)}


def _heard(referral: Referral, what: str) -> Changes:
    return {"heard": referral.result} if what == "outcome" else {"heard": ()} if what == "withdrawal" else {}
