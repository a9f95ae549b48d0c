"""Who may do what on a case now: asked by whoever offers an act, and by the act itself before it is carried out."""

from __future__ import annotations

from mash.states.acts.demands import not_for
from mash.states.errors import ImpossibleMove, Refusal
from mash.states.messages import STAFF_ACTS, StaffCommand
from mash.states.profile import Profile
from mash.states.referral import Referral
from mash.states.register import Act
from mash.states.values import Actor


def possible(referral: Referral) -> tuple[str, ...]:
    """The commands that a person could give now, whoever they are."""
    return tuple(kind for kind, act in STAFF_ACTS.items() if _possible(referral, act))


def named(referral: Referral) -> tuple[str, ...]:
    """Those of them that a refusal may name, whoever is refused."""
    return tuple(kind for kind in possible(referral) if not STAFF_ACTS[kind].of_child)


def _possible(referral: Referral, act: Act) -> bool:
    return referral.stage in (act.stages or ()) and act.when(referral)


def hindrance(referral: Referral, profile: Profile, by: Actor, kind: str, command: StaffCommand | None = None) -> Refusal | None:
    """Why somebody who takes part in a case cannot give a command now; None when they can. Without the command itself: whether it
    is offered to them. Whether their role may give it at all, the table of rights says."""
    act = STAFF_ACTS[kind]
    if not _possible(referral, act):
        return ImpossibleMove(referral.stage, kind, named(referral))
    roles = act.roles(referral, profile) if act.roles else None
    if roles is not None and by.role not in roles:
        return not_for(by.role, roles, act.called)
    return act.hindrance(referral, profile, by, command) if act.hindrance else None


def open_to(referral: Referral, profile: Profile, by: Actor) -> tuple[str, ...]:
    """The commands that somebody who takes part in a case could give now."""
    return tuple(kind for kind in possible(referral) if hindrance(referral, profile, by, kind) is None)
