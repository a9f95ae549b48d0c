"""Handing over to somebody outside the hub: offered, accepted by them, or returned. Until they accept, it is the hub's.

A hand-over that takes the case over (a transfer) ends it here once it is accepted; every other one (designated officer, MARAC,
adults' services, the authority whose plan a child is on) runs beside the case, and outlives it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, Field

from mash.states.acts import demands
from mash.states.acts.closing import close
from mash.states.acts.parting import Whither
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotInProfile, NotYours, Refusal
from mash.states.fold import Changes, folds
from mash.states.profile import ClockRule, Profile
from mash.states.rebuild import says_all
from mash.states.referral import HandOver, HandOverResult, Referral
from mash.states.register import act
from mash.states.stages import CONCLUDED, SEEN, TRANSFERABLE
from mash.states.usual import Give, Step, Wait, decider, usually
from mash.states.values import Actor, Authority, Code, CommandBase, EventBase, Words

if TYPE_CHECKING:
    from mash.states.world import World

_AS_OFFERED = ("destination", "subjects", "authority", "role", "takes_over", "proposed_by")
KIND = "hand_over"
"""The kind of the clock that runs until somebody accepts."""


class OfferHandOver(CommandBase):
    """Hand something of the case over to somebody outside the hub, who is to accept it."""

    kind: Literal["offer_hand_over"] = "offer_hand_over"
    destination: Code = Field(description="A destination of the hub's profile.")
    subjects: tuple[Code, ...] = Field(default=(), description="Whom it is about; everybody where nobody is named.")
    authority: Authority | None = Field(default=None, description="Which authority, where it goes to one.")


class AcceptHandOver(CommandBase):
    """They have it: accepted by their own login, or as somebody of the hub who did not offer it heard by telephone."""

    kind: Literal["accept_hand_over"] = "accept_hand_over"
    hand_over: Code
    accepted_at: AwareDatetime | None = Field(default=None, description="When they said so, if it was not just now.")


class ReturnHandOver(CommandBase):
    """They do not take it."""

    kind: Literal["return_hand_over"] = "return_hand_over"
    hand_over: Code


class HandOverOffered(EventBase):
    """What was offered to whom (`destination_kind`); with `takes_over`, the case itself."""

    kind: Literal["hand_over_offered"] = "hand_over_offered"
    hand_over: str
    destination: str
    destination_kind: str
    subjects: tuple[str, ...]
    authority: str | None = None
    role: str | None = None
    takes_over: bool = False
    proposed_by: str | None = Field(default=None, exclude_if=lambda by: by is None)
    """Who decided it, where somebody else signed that off."""
    words: Words | None = Field(alias="said")


class HandOverAccepted(EventBase):
    """They have it, since `accepted_at`. Who said so by telephone, the words say."""

    kind: Literal["hand_over_accepted"] = "hand_over_accepted"
    hand_over: str
    destination: str
    how: str
    accepted_at: datetime
    words: Words | None = Field(alias="said")


class HandOverReturned(EventBase):
    """They do not take it; without words, nobody accepted it in time."""

    kind: Literal["hand_over_returned"] = "hand_over_returned"
    hand_over: str
    destination: str
    words: Words | None = Field(alias="said")


class HandOverCalledOff(EventBase):
    """The case went another way, before they answered or after they had accepted: nothing is theirs any more."""

    kind: Literal["hand_over_called_off"] = "hand_over_called_off"
    hand_over: str
    destination: str


class HandedOverToAdults(EventBase):
    """Whoever comes of age was handed over to a service for adults. Version 0.6 recorded it before the service had accepted."""

    kind: Literal["handed_over_to_adults"] = "handed_over_to_adults"
    subject: str
    to: str
    words: Words | None = Field(alias="said")


# --- offering ---------------------------------------------------------------------------------------------------------


def offer(d: Deciding, name: str, subjects: Iterable[str] = (), authority: str | None = None, words: Words | None = None) -> None:
    """Offer something to a destination of the profile, and start the clock until they accept."""
    destination = d.profile.destinations[name]
    before = sum(each.destination == name for each in d.referral.hand_overs.values())
    number = f"{name}-{before + 1}" if before else name
    about = {"subjects": tuple(subjects) or tuple(d.referral.subjects), "authority": authority, "role": destination.role}
    d.record(
        HandOverOffered(
            hand_over=number,
            destination=name,
            destination_kind=destination.kind,
            takes_over=destination.takes_over,
            proposed_by=d.proposed_by,
            words=words,
            **about,
        )
    )
    rule = ClockRule(length=destination.within, owner=destination.owner, source=destination.source)
    d.start_clock(KIND, rule, f"acceptance by {destination.title}", clock_id=f"{KIND}:{number}")


def offer_once(d: Deciding, kind: Literal["lado", "adults"], subjects: Iterable[str] = ()) -> None:
    """Offer it to the first destination of a kind, unless one has it, or has been asked."""
    asked = {each.kind for each in d.referral.hand_overs.values() if each.result in (None, "accepted")}
    if kind not in asked and (there := d.profile.of_kind(kind)):
        offer(d, there[0], subjects)


def whither(profile: Profile, to: Whither) -> Whither:
    """Whom a transfer goes to, by name: another authority, unless a team of the hub's own is named. Raises Incomplete where that
    is not said, NotInProfile for whom the hub does not transfer to."""
    there = profile.serving("transfer")
    name = to.destination or next((each for each in there if profile.destinations[each].kind == "authority"), None)
    if name not in there:
        raise NotInProfile(f"{profile.title} transfers nothing to that: expected one of {', '.join(there) or 'none'}")
    if profile.destinations[name].kind == "authority" and not to.transfer_to:
        raise Incomplete("a transfer names the receiving authority (transfer_to)")
    return Whither(name, to.transfer_to)


def transfer(d: Deciding, to: Whither) -> None:
    """Offer the case to whom it is transferred."""
    name, authority = whither(d.profile, to)
    offer(d, str(name), (), authority)


@act(OfferHandOver, stages=(*SEEN, *CONCLUDED), when=lambda referral: not referral.erased)
def offer_hand_over(d: Deciding, cmd: OfferHandOver, words: Words | None) -> None:
    """Beside the case; the case itself only from where it is worked on."""
    destination = d.profile.destinations.get(cmd.destination)
    if destination is None:
        raise NotInProfile(f"that is no destination of {d.profile.title}: expected one of {', '.join(d.profile.destinations)}")
    for sid in cmd.subjects:
        demands.subject(d, sid)
    if destination.kind == "authority" and cmd.authority is None:
        raise Incomplete("say which authority it is offered to (authority)")
    if any(each.destination == cmd.destination and each.authority == cmd.authority for each in d.referral.offered.values()):
        raise Incomplete(f"that is offered to {destination.title} already: wait for their answer, or record it")
    if destination.takes_over:
        _can_be_taken_over(d.referral, cmd.subjects)
    elif d.referral.sharing is False and destination.kind != "lado":  # who works with children is not for the family to allow
        raise Incomplete(
            "by the basis that is recorded nothing is shared outside the hub: record the basis anew (record_sharing_basis) first"
        )
    offer(d, cmd.destination, cmd.subjects, cmd.authority, demands.words(words, "a hand-over (what they are told, and why)"))


says_all(HandOverOffered, OfferHandOver)


def _can_be_taken_over(referral: Referral, subjects: tuple[str, ...]) -> None:
    """A case is offered as a whole; before anything was decided, the decision is what offers it."""
    if referral.stage not in TRANSFERABLE:
        raise Incomplete("whoever accepts this has the case: decide transfer (record_decision), and it is offered by that")
    if set(subjects) not in (set(), set(referral.subjects)):
        raise Incomplete("a case is transferred as a whole: name everybody, or nobody")
    if any(each.takes_over for each in referral.offered.values()):
        raise Incomplete("the case is offered to somebody already: wait for their answer, or record it")


# --- answering --------------------------------------------------------------------------------------------------------


def _no_answer(referral: Referral, profile: Profile, by: Actor, cmd: AcceptHandOver | ReturnHandOver | None) -> Refusal | None:
    """Why somebody does not answer for a destination; of an offer of theirs, or of any that waits."""
    if cmd is not None and cmd.hand_over not in referral.offered:
        return Incomplete(f"nothing of that name waits for an answer; waiting: {', '.join(referral.offered) or 'none'}")
    waiting = [referral.offered[cmd.hand_over]] if cmd else list(referral.offered.values())
    refused = [refusal for each in waiting if (refusal := _not_for(each, referral, profile, by))]
    return refused[0] if refused and len(refused) == len(waiting) else None


def _not_for(offered: HandOver, referral: Referral, profile: Profile, by: Actor) -> Refusal | None:
    roles = answering(offered, referral, profile)
    return None if by.role in roles else demands.not_for(by.role, roles, "answering for them")


def answering(offered: HandOver, referral: Referral, profile: Profile) -> tuple[str, ...]:
    """The roles that answer an offer: the destination's own; and, where they are rung, whoever of the hub rates, decides, or is
    told that it is late."""
    there = profile.destinations.get(offered.destination)
    ways = there.accepted_by if there else ("login", "telephone")  # an adopted profile may no longer have it
    theirs = (offered.role,) if offered.role and "login" in ways else ()
    return tuple(dict.fromkeys((*theirs, *(writing_down(profile) if "telephone" in ways else ()))))


def writing_down(profile: Profile) -> tuple[str, ...]:
    """Who of the hub writes down what was answered by telephone."""
    return tuple(dict.fromkeys((*profile.raters, *profile.deciders, *(rung.role for rung in profile.ladder))))


def to_answer(referral: Referral, profile: Profile, by: Actor) -> tuple[str, ...]:
    """What is offered that somebody answers for."""
    return tuple(name for name, each in referral.offered.items() if _not_for(each, referral, profile, by) is None)


def to_accept(referral: Referral, profile: Profile, by: Actor) -> tuple[str, ...]:
    """What somebody may accept: of what is offered, what they have neither offered themselves nor decided to."""
    return tuple(name for name in to_answer(referral, profile, by) if not _their_own(referral.offered[name], by))


def _their_own(offered: HandOver, by: Actor) -> bool:
    return by.id in (offered.offered_by, offered.proposed_by)


def _no_acceptance(referral: Referral, profile: Profile, by: Actor, cmd: AcceptHandOver | None) -> Refusal | None:
    if refusal := _no_answer(referral, profile, by, cmd):
        return refusal
    theirs = to_accept(referral, profile, by)
    if cmd.hand_over in theirs if cmd else theirs:
        return None
    return NotYours(
        "whoever offers something, or decided to, cannot accept it: they do by their own login, or somebody else writes it down"
    )


@act(AcceptHandOver, stages=(*SEEN, *CONCLUDED), when=lambda r: bool(r.offered), hindrance=_no_acceptance)
def accept_hand_over(d: Deciding, cmd: AcceptHandOver, words: Words | None) -> None:
    """They have it. Where the case itself was offered, it ends here; whoever comes of age is an adult of the case from now."""
    offered, at = d.referral.offered[cmd.hand_over], cmd.accepted_at or d.now
    if not offered.offered_at <= at <= d.now:
        raise Incomplete("the time lies before the offer, or in the future: say when they accepted (accepted_at)")
    how = "login" if d.by.role == offered.role else "telephone"
    if how == "telephone":
        demands.words(words, "accepting for them (who said so, and what they were told)")
    d.record(HandOverAccepted(hand_over=cmd.hand_over, destination=offered.destination, how=how, accepted_at=at, words=words))
    d.happened_at = at if at < d.now else None
    d.stop_clocks(*_clock_of(d, cmd.hand_over))
    for sid in offered.subjects if offered.kind == "adults" else ():
        if sid in d.referral.subjects and d.referral.subjects[sid].coming_of_age in ("soon", "today"):
            d.record(HandedOverToAdults(subject=sid, to=offered.destination, words=words))
    if offered.takes_over:
        close(d, "accept_transfer", "transfer")


says_all(HandOverAccepted, AcceptHandOver)


@act(ReturnHandOver, stages=(*SEEN, *CONCLUDED), when=lambda r: bool(r.offered), hindrance=_no_answer)
def return_hand_over(d: Deciding, cmd: ReturnHandOver, words: Words | None) -> None:
    """They do not take it: a case that was offered is decided anew, and the hub has it all the time."""
    comes_back(d, cmd.hand_over, demands.words(words, "returning a hand-over"))


says_all(HandOverReturned, ReturnHandOver)


def comes_back(d: Deciding, name: str, words: Words | None) -> None:
    """What was offered is not taken, for the reason in the words, or because nobody accepted it in time."""
    transfer = d.referral.stage == "transfer_offered" and d.referral.offered[name].takes_over
    d.record(HandOverReturned(hand_over=name, destination=d.referral.offered[name].destination, words=words))
    d.stop_clocks(*_clock_of(d, name), met=words is not None)
    if transfer:
        undecided(d)


def undecided(d: Deciding) -> None:
    """A case that was offered by its decision is decided again: whoever referred hears of no decision that holds no more."""
    d.stop("outcome_told", met=False)
    d.go("step_up")


def nobody_accepted(d: Deciding, name: str) -> None:
    """The time is over. A case that waits for nothing else comes back to be decided anew; where it is worked on meanwhile, and
    for what runs beside it, whoever is to see to it is told, higher and higher, until somebody has accepted."""
    if d.referral.stage == "transfer_offered" and name in d.referral.offered and d.referral.offered[name].takes_over:
        comes_back(d, name, None)


def answered_by_doing(d: Deciding, kind: str) -> None:
    """What was handed over is done by whom it was offered to: with that they have accepted it."""
    for name, each in d.referral.offered.items():
        if each.kind == kind:
            d.record(HandOverAccepted(hand_over=name, destination=each.destination, how="login", accepted_at=d.now, words=None))
            d.stop_clocks(*_clock_of(d, name))


def not_answered(referral: Referral, profile: Profile, by: Actor, kind: str) -> Refusal | None:
    """Why somebody does not finish what was handed over: others have been offered it, and have not said that they have it."""
    for each in referral.offered.values():
        if each.kind == kind and (each.role != by.role or _their_own(each, by)):
            there = profile.destinations.get(each.destination)
            return Incomplete(
                f"{there.title if there else each.destination} has not answered: they finish it by their own login, or somebody"
                " who did not offer it records first that they have it (accept_hand_over), or do not take it (return_hand_over)"
            )
    return None


def call_off(d: Deciding, *names: str) -> None:
    """These offers hold no more, and what was accepted of them neither."""
    for name in names:
        d.record(HandOverCalledOff(hand_over=name, destination=d.referral.hand_overs[name].destination))
        d.stop_clocks(*_clock_of(d, name), met=False)


def on_the_basis(referral: Referral) -> tuple[str, ...]:
    """What is offered because it may be shared: neither the case itself, nor a concern about somebody who works with children."""
    return tuple(name for name, each in referral.offered.items() if each.kind != "lado" and not each.takes_over)


def call_off_transfers(d: Deciding) -> None:
    """Whatever was done: a case that has gone another way is offered to nobody any more."""
    if d.state is not None and d.state.stage not in TRANSFERABLE:
        call_off(d, *(name for name, each in d.state.offered.items() if each.takes_over))


def call_off_undone(d: Deciding, before: Referral | None) -> None:
    """Whatever was done: where a case is to be decided anew, what its decision handed over is nobody else's any more, also where
    they had accepted it."""
    if before is None or d.state is None or not before.stage != d.state.stage == "decision":
        return
    enquired = "adult_section_42" in before.outcomes.values()
    theirs = _theirs(d.state)
    since = {name: each for name, each in theirs.items() if before.decided_at is None or each.offered_at >= before.decided_at}
    taken = (name for name, each in theirs.items() if each.takes_over)
    call_off(d, *taken, *(name for name, each in since.items() if each.kind == "adults" and enquired))


def call_off_kind(d: Deciding, kind: str) -> None:
    """What it was offered for has turned out not to be so."""
    call_off(d, *(name for name, each in _theirs(d.referral).items() if each.kind == kind))


def _theirs(referral: Referral) -> dict[str, HandOver]:
    """What is offered, or has been accepted."""
    return {name: each for name, each in referral.hand_overs.items() if each.result in (None, "accepted")}


def _clock_of(d: Deciding, name: str) -> tuple[str, ...]:
    return tuple(clock.id for clock in d.referral.running if clock.kind == KIND and clock.whose == name)


# --- folding ----------------------------------------------------------------------------------------------------------


@folds(HandOverOffered)
def _hand_over_offered(referral: Referral, event: HandOverOffered, at: datetime, by: Actor) -> Changes:
    fields = {name: getattr(event, name) for name in _AS_OFFERED}
    offered = HandOver(kind=event.destination_kind, offered_by=by.id, offered_at=at, **fields)
    return {"hand_overs": {**referral.hand_overs, event.hand_over: offered}}


def _answered(referral: Referral, name: str, result: HandOverResult, at: datetime) -> Changes:
    """A case that was offered by its decision, and is not taken, is undecided again."""
    offered = referral.hand_overs[name]
    answered = offered.model_copy(update={"result": result, "answered_at": at})
    undecided = referral.stage == "transfer_offered" and offered.takes_over and result != "accepted"
    return {
        "hand_overs": {**referral.hand_overs, name: answered},
        **({"outcomes": {}, "decided_at": None} if undecided else {}),
    }


@folds(HandOverAccepted)
def _hand_over_accepted(referral: Referral, event: HandOverAccepted, at: datetime, by: Actor) -> Changes:
    return _answered(referral, event.hand_over, "accepted", event.accepted_at)


@folds(HandOverReturned)
def _hand_over_returned(referral: Referral, event: HandOverReturned, at: datetime, by: Actor) -> Changes:
    return _answered(referral, event.hand_over, "returned" if event.words else "not_accepted", at)


@folds(HandOverCalledOff)
def _hand_over_called_off(referral: Referral, event: HandOverCalledOff, at: datetime, by: Actor) -> Changes:
    return _answered(referral, event.hand_over, "called_off", at)


@folds(HandedOverToAdults)
def _handed_over_to_adults(referral: Referral, event: HandedOverToAdults, at: datetime, by: Actor) -> Changes:
    subject = referral.subjects[event.subject]
    cohort = "adult" if subject.age == "adult" else subject.cohort
    return referral.with_known(event.subject, cohort=cohort, coming_of_age="handed_over")


def accepted_there(world: World) -> Iterator[Step]:
    """Whoever was offered something accepts it: by their login, or somebody of the hub writes down who said so."""
    for name, offered in world.referral.offered.items():
        destination = world.profile.destinations[offered.destination]
        theirs = destination.role if "login" in destination.accepted_by else None
        yield Give(
            AcceptHandOver(hand_over=name), theirs or decider(world.profile), f"{destination.title} accepts", person="second"
        )


@usually("transfer_offered")
def _transfer_offered(world: World, rating: str) -> Iterator[Step]:
    yield Wait((KIND,))
    yield from accepted_there(world)
