"""Whoever has a case and is absent, or does not work here any more: said once each, while the hub is open, to its manager."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from mash.flows.store.apply import act
from mash.flows.store.colleagues import colleagues_of, presence_of
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.workload import allocated
from mash.flows.store.store import Store, system_actor
from mash.states.acts.allocating import SayPresence

log = structlog.stdlib.get_logger("mash.presence")


async def say_who_is_away(store: Store) -> None:
    """Look through the allocated cases of each hub that is open now: by night nobody is there who could allocate them anew. One
    that fails holds up no other, and is looked at again within the hour."""
    now = store.time.now()
    for hub, profile in store.hubs.items():
        if not profile.calendar.is_open(now):
            continue
        if cases := await allocated(store, hub):
            await _say_at(store, hub, cases)


async def _say_at(store: Store, hub: str, cases: Iterable[Case]) -> None:
    colleagues = await colleagues_of(store, hub)
    for case in cases:
        worker = case.referral.worker
        if worker is None or (presence := presence_of(worker.login, colleagues)) == worker.presence:
            continue
        try:
            await act(store, case.reference, SayPresence(worker=worker.login, presence=presence), system_actor(hub))
        except Exception as error:
            log.warning("not said that somebody is away, trying again", reference=case.reference, error=type(error).__name__)
