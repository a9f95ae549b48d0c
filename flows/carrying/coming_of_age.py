"""Who comes of age in an open case: said four weeks ahead and on the day, while the hub is open, and once each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal

from mash.flows.store.apply import act
from mash.flows.store.reads.birthdays import birthdays
from mash.flows.store.reads.case import Case
from mash.flows.store.store import Store, system_actor
from mash.states.acts.of_age import SayOfAge
from mash.states.ages import of_age_on
from mash.states.clocks import day_of

AHEAD = timedelta(days=28)
"""So long before an 18th birthday it is said: a product default, time for a service for adults to meet whom it takes over."""


async def say_who_comes_of_age(store: Store) -> None:
    """Look through the open cases of each hub that is open now. On a birthday on which a hub is closed it is said when it opens:
    nobody who is on duty at night can hand a case over."""
    now = store.time.now()
    for hub, profile in store.hubs.items():
        if not profile.calendar.is_open(now):
            continue
        async for case, born in birthdays(store, hub):
            for command in _to_say(case, born, day_of(now)):
                await act(store, case.reference, command, system_actor(hub))


def _to_say(case: Case, born: dict[str, date], today: date) -> Iterator[SayOfAge]:
    """Of whom something is to be said that has not been. Who was of age on receipt, though taken for a child, does not come of
    age: that contradicts, and is flagged."""
    received = day_of(case.referral.received_at)
    for sid, subject in case.referral.subjects.items():
        if subject.outcome is not None or subject.age == "adult" or sid not in born:
            continue
        of_age = of_age_on(born[sid])
        when: Literal["soon", "today"] = "today" if of_age <= today else "soon"
        said = when == "soon" and subject.coming_of_age is not None
        if received < of_age <= today + AHEAD and not said:
            yield SayOfAge(subject=sid, when=when)
