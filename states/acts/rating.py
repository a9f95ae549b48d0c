"""Rating: the first one, and the one place that changes it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, Field

from mash.states.acts import demands
from mash.states.acts.allocating import AllocateCase
from mash.states.acts.decisions import withdraw
from mash.states.acts.seconding import WHEN_AGREED, WHO_AGREED, demand_second, refuse_needless, second_again
from mash.states.acts.sharing import why_shared
from mash.states.clocks import due
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete
from mash.states.fold import Changes, folds
from mash.states.profile import ClockRule
from mash.states.rebuild import Caused, Rebuilt, as_given, rebuilds
from mash.states.referral import Clock, Referral
from mash.states.register import act
from mash.states.roles import Roles, any_rater, raters
from mash.states.route import take_route
from mash.states.stages import ROUTED, SEEN
from mash.states.usual import WORKERS, Give, Step, Wait, rater, usually
from mash.states.values import Actor, Code, CommandBase, EventBase, OneWord, Words

if TYPE_CHECKING:
    from mash.states.world import World

RE_RATING = "re-rating a referral"


class RateReferral(CommandBase):
    """Give the first rating, which sets the clocks and the route."""

    kind: Literal["rate_referral"] = "rate_referral"
    rating: Code
    agreed: tuple[Code, ...] = Field(default=(), description="The agencies that decided it jointly, where the hub has them.")
    second: OneWord | None = Field(default=None, exclude_if=lambda second: second is None, description=WHO_AGREED)
    second_at: AwareDatetime | None = Field(default=None, exclude_if=lambda at: at is None, description=WHEN_AGREED)


class RerateReferral(CommandBase):
    """Change the rating, with a reason, at any open stage."""

    kind: Literal["rerate_referral"] = "rerate_referral"
    rating: Code
    agreed: tuple[Code, ...] = Field(
        default=(), description="The agencies that decided it jointly, where it now goes into the MASH."
    )
    second: OneWord | None = Field(default=None, exclude_if=lambda second: second is None, description=WHO_AGREED)
    second_at: AwareDatetime | None = Field(default=None, exclude_if=lambda at: at is None, description=WHEN_AGREED)


class ReferralRated(EventBase):
    kind: Literal["referral_rated"] = "referral_rated"
    rating: str
    agreed: tuple[str, ...] = ()
    words: Words | None = Field(alias="said")


class ReferralRerated(EventBase):
    kind: Literal["referral_rerated"] = "referral_rerated"
    rating: str
    before: str
    agreed: tuple[str, ...] = ()
    words: Words | None = Field(alias="said")


@act(
    RateReferral,
    stages=("triage", "decision"),
    when=lambda referral: referral.rating is None,
    roles=raters,
    called="rating a referral",
)
def rate(d: Deciding, cmd: RateReferral, words: Words | None) -> None:
    """The first rating sets the clocks and the route. Where agencies decide jointly what goes into the MASH, they all agree."""
    demands.rating(d, cmd.rating)
    _agreed(d, cmd.rating, cmd.agreed)
    _seconded(d, cmd)
    d.record(ReferralRated(rating=cmd.rating, agreed=cmd.agreed, words=words))
    d.stop("triage")
    if d.rating.response:
        d.start_clock("response", d.rating.response, cmd.rating)
    take_route(d)
    d.ensure_allocation()


@rebuilds(RateReferral, ReferralRated)
def _rate_referral_again(caused: Caused, event: ReferralRated) -> Rebuilt:
    again = second_again(caused)
    rated = as_given(RateReferral, rating=event.rating, agreed=event.agreed, **again.fields)
    return Rebuilt(rated, colleagues=again.colleagues)


@act(
    RerateReferral,
    stages=tuple(stage for stage in SEEN if stage not in ("consultation", "triage")),
    when=lambda referral: referral.rating is not None,
    roles=any_rater,
    called=RE_RATING,
)
def rerate(d: Deciding, cmd: RerateReferral, words: Words | None) -> None:
    """Change the rating; the clocks that hang on it move."""
    demands.rating(d, cmd.rating)
    demands.words(words, "re-rating")
    if d.referral.rating == cmd.rating:
        raise Incomplete(f"the referral is already rated {cmd.rating}")
    _seconded(d, cmd)
    change(d, cmd.rating, words, agreed=cmd.agreed)
    if d.referral.stage in ROUTED:
        take_route(d)


@rebuilds(RerateReferral, ReferralRerated)
def _rerate_referral_again(caused: Caused, event: ReferralRerated) -> Rebuilt:
    again = second_again(caused)
    rated = as_given(RerateReferral, rating=event.rating, agreed=event.agreed, **again.fields)
    return Rebuilt(rated, colleagues=again.colleagues)


def _seconded(d: Deciding, cmd: RateReferral | RerateReferral) -> None:
    """One person alone does not rate an immediate danger down."""
    if rates_danger_down(d, cmd.rating):
        demand_second(d, "rating_down", cmd.second, cmd.second_at)
    else:
        refuse_needless(cmd.second, cmd.second_at)


def rates_danger_down(d: Deciding, rating: str) -> bool:
    """Whether somebody may be in immediate danger, and this is less than the most urgent rating and than the present one."""
    before = d.profile.place(d.referral.rating)
    return d.referral.in_danger and d.profile.place(rating) > before


def change(
    d: Deciding, rating: str, words: Words | None, *, agreed: tuple[str, ...] = (), also: Roles = (), determined: bool = False
) -> None:
    """Change the rating: the one place that does. It is for whoever changes ratings here, and for `also` (the chair of a meeting
    that gives the second rating; the referee of a dispute over it); it needs words; and where agencies decide jointly what goes
    into the MASH, their agreement, unless a dispute over it is `determined`.

    Clocks that hang on the rating move. Up: the earlier of the old due time and now plus the new length. Down: the new length
    from the original start. Raises NotYours, ReasonNeeded or QuorumNotMet.
    """
    before = d.referral.rating or d.profile.unrated
    demands.one_of(d, tuple(dict.fromkeys((*any_rater(d.referral, d.profile), *also))), RE_RATING)
    reason = demands.words(words, "re-rating")
    old = d.profile.ratings.get(before)  # an adopted profile may not have it any more
    if not determined and not (old and _goes_into_the_mash(d, before)):
        _agreed(d, rating, agreed)
    if d.referral.stage == "sign_off":  # what was proposed under the old rating is decided anew
        withdraw(d, reason)
    up = old is None or d.profile.ratings[rating].severity > old.severity
    d.record(ReferralRerated(rating=rating, before=before, agreed=agreed, words=reason))
    for clock in d.referral.running:
        _move(d, clock, f"{clock.id} re-rated {before} to {rating}", up)
        if up:
            d.raise_again(clock.id)
    if d.rating.response is None:
        d.stop("response", met=False)
    d.ensure_clocks()


def _move(d: Deciding, clock: Clock, why: str, up: bool) -> None:
    rule = _rule_of_rating(d, clock)
    if rule is None:
        return
    start, from_what = (d.now, "re-rating") if up else (clock.started_at, "the original start")
    when = due(rule.length, start, from_what, why, d.profile.calendar)
    if not up or when.at < clock.due_at:
        d.move_clock(clock, rule, when)


def _rule_of_rating(d: Deciding, clock: Clock) -> ClockRule | None:
    """The rule of the present rating that a clock hangs on; an agency's own time to reply hangs on none."""
    if clock.kind == "response":
        return d.rating.response
    if clock.kind != "check":
        return None
    agency = d.profile.agencies.get(clock.whose)
    return None if agency and agency.reply else d.rating.reply


def _agreed(d: Deciding, rating: str, agreed: tuple[str, ...]) -> None:
    """Where agencies decide jointly what goes into the MASH, those it needs have agreed."""
    demands.agencies(d, agreed)
    if _goes_into_the_mash(d, rating):
        demands.quorum(d.profile.triage.joint, agreed, "the joint decision that a case goes into the MASH")


def _goes_into_the_mash(d: Deciding, rating: str) -> bool:
    return d.profile.ratings[rating].route[0] != "decision"


@folds(ReferralRated)
def _referral_rated(referral: Referral, event: ReferralRated, at: datetime, by: Actor) -> Changes:
    return {"rating": event.rating, "first_rating": event.rating, "rated_at": at, "rated_by": _raters(referral, by)}


@folds(ReferralRerated)
def _referral_rerated(referral: Referral, event: ReferralRerated, at: datetime, by: Actor) -> Changes:
    return {"rating": event.rating, "rated_at": at, "rated_by": _raters(referral, by)}


def _raters(referral: Referral, by: Actor) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*referral.rated_by, by.id)))


@usually("triage")
def triage(world: World, rating: str) -> Iterator[Step]:
    """Why information may be shared is recorded, and the case is rated; rated most urgent, consent is overridden."""
    yield Wait(("triage",))
    role, urgent = rater(world.profile), world.profile.place(rating) == 0
    if not urgent:
        yield from why_shared(world, role)
    yield Give(RateReferral(rating=rating, agreed=world.profile.triage.joint), role, f"rates it {rating}")
    if urgent:
        yield from why_shared(world, role, consent="overridden")
    if world.profile.ratings[rating].allocation:
        yield Wait(("allocation",))
        yield Give(AllocateCase(worker=WORKERS[0]), role, "allocates it to a social worker")
