"""Which notices events cause, and the facts that each brings. Pure; no personal data: references, codes, times.

A theme's module says of each kind of event whom it is told to (`occasion.on`); every module of this folder is asked."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from pkgutil import iter_modules

from mash.notifications.notices.corrections import corrections
from mash.notifications.notices.draft import (
    ADMINISTRATOR,
    DANGER,
    GOVERNANCE,
    LATE,
    OF_CHILD,
    ORDINARY,
    RED,
    URGENT,
    NoticeDraft,
    Over,
    Tried,
)
from mash.notifications.notices.occasion import Occasion, caused
from mash.notifications.notices.over import over_for
from mash.notifications.notices.referrer import professional
from mash.states.messages import Event
from mash.states.profile import Profile
from mash.states.referral import Referral
from mash.states.roles import REFERRER
from mash.states.values import Actor

__all__ = [
    "ADMINISTRATOR",
    "DANGER",
    "GOVERNANCE",
    "LATE",
    "OF_CHILD",
    "ORDINARY",
    "RED",
    "REFERRER",
    "URGENT",
    "NoticeDraft",
    "Over",
    "Tried",
    "notices_for",
    "over_for",
    "professional",
]
# Found rather than listed: a theme that was forgotten in a list would tell nobody, and nothing would say so.
for _theme in iter_modules(__path__, f"{__name__}."):
    import_module(_theme.name)


def notices_for(
    reference: str, before: Referral | None, after: Referral, events: list[Event], profile: Profile, by: Actor, now: datetime
) -> list[NoticeDraft]:
    """The notices that these events cause, in their order; then what corrects what roles were told before."""
    occasion = Occasion(reference, before, after, profile, now)
    drafts = [draft for event in events for draft in caused(event, occasion)]
    return [*drafts, *corrections(occasion, by, drafts)]
