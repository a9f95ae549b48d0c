"""Alerts that nobody has any more: whoever took one on is away by now, or their shift is over. They are raised again."""

from __future__ import annotations

import structlog

from mash.flows.store.apply import act
from mash.flows.store.reads.taken_on import taken_on
from mash.flows.store.rotas import read_rotas
from mash.flows.store.store import Store, system_actor
from mash.notifications.routing import gone
from mash.states.acts.alerts import FireClocks

log = structlog.stdlib.get_logger("mash.off_duty")


async def raise_what_was_left(store: Store) -> int:
    """Raise the alerts again that somebody has left, with whoever is on duty; returns of how many cases. One that fails holds up
    no other."""
    now, raised = store.time.now(), 0
    for hub, rota in (await read_rotas(store)).items():
        if (profile := store.hubs.get(hub)) is None:
            continue
        left: dict[str, dict[str, str]] = {}
        for alert in await taken_on(store, hub):
            if gone(rota, profile.calendar, alert.person, alert.at, now):
                left.setdefault(alert.reference, {})[alert.clock] = alert.person
        for reference, by_clock in left.items():
            try:
                await act(store, reference, FireClocks(left=by_clock), system_actor(hub))
                raised += 1
            except Exception as error:
                log.warning("an alert could not be raised again, trying again", reference=reference, error=type(error).__name__)
    return raised
