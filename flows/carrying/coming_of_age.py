"""Who comes of age in an open case: said four weeks ahead and on the day, while the hub is open, and once each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal

import structlog

from mash.flows.store.apply import act
from mash.flows.store.reads.birthdays import birthdays
from mash.flows.store.reads.case import Case
from mash.flows.store.store import Store, system_actor
from mash.flows.store.trouble import tell_administrators
from mash.states.acts.of_age import SayOfAge
from mash.states.ages import of_age_on
from mash.states.clocks import day_of

log = structlog.stdlib.get_logger("mash.coming_of_age")
AHEAD = timedelta(days=28)
"""So long before an 18th birthday it is said: a product default, time for a service for adults to meet whom it takes over."""
NOT_SAID = "whether somebody comes of age could not be looked up"
TELL_EVERY = timedelta(days=1)
"""Administrators are told no more often: the round is made every hour, and the log has each case that fails."""
MOST_NAMED = 8


async def say_who_comes_of_age(store: Store) -> None:
    """Look through the open cases of each hub that is open now. On a birthday on which a hub is closed it is said when it opens:
    nobody who is on duty at night can hand a case over."""
    now = store.time.now()
    for hub, profile in store.hubs.items():
        if profile.calendar.is_open(now) and (failed := await _say_at(store, hub, day_of(now))):
            more = f", and {len(failed) - MOST_NAMED} more" if len(failed) > MOST_NAMED else ""
            detail = f"{', '.join(failed[:MOST_NAMED])}{more}. The other cases were looked at, and these are tried again."
            await tell_administrators(store, hub, NOT_SAID, detail, at_most_every=TELL_EVERY)


async def _say_at(store: Store, hub: str, today: date) -> list[str]:
    """Look through the open cases of a hub; those of which that failed, each with the kind of error. One that fails keeps no
    other child's birthday from being said."""
    failed = []
    async for reference, read in birthdays(store, hub):
        try:
            case, born = read()
            for command in _to_say(case, born, today):
                await act(store, reference, command, system_actor(hub))
        except Exception as error:
            why = type(error).__name__  # alone: its words could name somebody
            log.warning("not looked whether somebody comes of age, trying again", reference=reference, error=why)
            failed.append(f"{reference} ({why})")
    return failed


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
