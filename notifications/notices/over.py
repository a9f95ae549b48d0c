"""The end of alerts: the clock that raised them has stopped, or somebody has taken them on."""

from __future__ import annotations

from collections.abc import Iterator

from mash.notifications.notices.draft import Over
from mash.notifications.notices.occasion import facts_of, subject_of
from mash.states.course import AlertAcknowledged, ClocksStopped
from mash.states.messages import Event
from mash.states.profile import Profile
from mash.states.referral import Clock, Referral
from mash.states.values import Actor


def over_for(reference: str, after: Referral, events: list[Event], profile: Profile, by: Actor) -> Iterator[Over]:
    """The alerts that these events end."""

    def over(kind: str, clock_id: str, **more: object) -> Over:
        facts = {**facts_of(after, profile), "what": subject_of(after.clocks[clock_id], profile), **more}
        return Over(reference=reference, hub=after.hub, clock=clock_id, kind=kind, role=by.role, facts=facts)

    for event in events:
        if isinstance(event, ClocksStopped):
            spoke = [cid for cid in event.ids if _spoke(after.clocks[cid])]
            yield from (over("all_clear", clock_id, met=event.met) for clock_id in spoke)
        elif isinstance(event, AlertAcknowledged):
            yield over("taken", event.id, holder=by.role.replace("_", " "))


def _spoke(clock: Clock) -> bool:
    return clock.warned > 0 or clock.rung >= 0
