"""Resolving professional differences: an agency or the referrer disagrees, and roles determine it, stage by stage."""

from __future__ import annotations

from mash.states import commands as c
from mash.states import events as e
from mash.states.acts import demands
from mash.states.acts.step_down import comes_back
from mash.states.commands import Said
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotInProfile, NotYours
from mash.states.machine import BEFORE_DECISION, CONCLUDED, STEP_DOWN
from mash.states.profile import ClockRule, Referee
from mash.states.referral import Disagreement

KIND = "disagreement"


def raise_it(d: Deciding, cmd: c.RaiseDisagreement, said: Said | None) -> None:
    """The procedure begins with its first role."""
    r = d.referral
    if cmd.about == "rating" and (r.rating is None or not r.open):
        raise Incomplete(
            "a rating is disputed once it is given, and as long as the referral is open: dispute the decision instead"
        )
    if cmd.about == "decision" and not r.decided:
        raise Incomplete("nothing is decided yet: dispute the rating instead")
    if cmd.rating:
        demands.rating(d, cmd.rating)
    reason = demands.words(said, "a disagreement")
    name, referee = f"D{len(r.disagreements) + 1}", _referees(d, cmd.about)[0]
    d.record(
        e.DisagreementRaised(id=name, about=cmd.about, agency=d.by.agency, rating=cmd.rating, role=referee.role, said=reason)
    )
    _start_clock(d, name, referee)


def settle(d: Deciding, cmd: c.SettleDisagreement, said: Said | None) -> None:
    """The role whose turn it is determines. A changed rating moves the clocks; a changed decision is decided anew."""
    found = _found(d, cmd.disagreement)
    if found.outcome is not None:
        raise Incomplete(f"that disagreement is settled; to be determined: {', '.join(d.referral.disputed) or 'none'}")
    demands.one_of(d, (found.role,), "determining this disagreement")
    reason = demands.words(said, "determining a disagreement")
    changes_rating = found.about == "rating" and cmd.outcome == "changed"
    if changes_rating != bool(cmd.rating):
        raise Incomplete("say the rating from now on when a rating is changed, and only then (rating)")
    if cmd.rating:
        demands.rating(d, cmd.rating)
    final = found.stage + 1 >= len(_referees(d, found.about))
    d.record(e.DisagreementSettled(id=cmd.disagreement, outcome=cmd.outcome, role=found.role, final=final, said=reason))
    _stop_clock(d, cmd.disagreement)
    if cmd.rating and cmd.rating != d.referral.rating and d.referral.open:
        d.rerate(cmd.rating, reason)
        if d.referral.stage in BEFORE_DECISION:
            d.take_route()
    if found.about == "decision" and cmd.outcome == "changed":
        _decide_anew(d, reason)


def _decide_anew(d: Deciding, reason: Said) -> None:
    """A concluded referral is reopened, one that waits for a service comes back; on any other path its people act from there."""
    if d.referral.stage in CONCLUDED:
        d.reopen(reason)
    elif d.referral.stage in STEP_DOWN:
        comes_back(d, reason)
    elif d.referral.stage == "sign_off":
        d.withdraw(reason)
    elif d.referral.stage in ("section_17_assessment", "adult_section_42"):
        d.stop("assessment", met=False)
        d.go("step_up")


def take_further(d: Deciding, cmd: c.TakeDisagreementFurther, said: Said | None) -> None:
    """Whoever raised it is not satisfied with what was determined: the next role's turn."""
    found = _found(d, cmd.disagreement)
    referees = _referees(d, found.about)
    if found.outcome is None or found.final:
        why = "is not determined yet" if found.outcome is None else "was determined for good"
        raise Incomplete(f"that disagreement {why}")
    if (found.agency, found.by_role) != (d.by.agency, d.by.role):
        raise NotYours("only whoever raised a disagreement takes it further")
    if found.stage + 1 >= len(referees):
        raise NotInProfile(f"by the profile that the referral has adopted, {referees[-1].role} determines for good")
    referee = referees[found.stage + 1]
    reason = demands.words(said, "taking a disagreement further")
    d.record(e.DisagreementTakenFurther(id=cmd.disagreement, role=referee.role, said=reason))
    _start_clock(d, cmd.disagreement, referee)


def _referees(d: Deciding, about: str) -> tuple[Referee, ...]:
    return d.profile.disagreements.rating if about == "rating" else d.profile.disagreements.decision


def _found(d: Deciding, name: str) -> Disagreement:
    if name not in d.referral.disagreements:
        raise Incomplete(f"there is no such disagreement; there are: {', '.join(d.referral.disagreements) or 'none'}")
    return d.referral.disagreements[name]


def _start_clock(d: Deciding, name: str, referee: Referee) -> None:
    within = referee.within or d.profile.settle_within
    rule = ClockRule(length=within, owner=referee.role, source=f"{d.profile.title}: resolving professional differences")
    d.start(d.start_clock(KIND, rule, "determining the disagreement", clock_id=f"{KIND}:{name}"))


def _stop_clock(d: Deciding, name: str) -> None:
    ids = tuple(k.id for k in d.referral.running if k.kind == KIND and k.whose == name)
    if ids:
        d.record(e.ClocksStopped(ids=ids, met=True))
