"""A meeting with all that is around it: the case, what is to be held, and the minutes as they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fastapi import Request

from mash.api.pages.filled import Filled
from mash.api.pages.meetings import minutes as writing
from mash.api.pages.meetings.minutes import Minutes
from mash.api.pages.meetings.sitting import (
    Seat,
    Sitting,
    seats,
    sitting_of,
    unsaid,
)
from mash.config.words import agency_title, sentence
from mash.flows.store.colleagues import colleagues_of
from mash.flows.store.drafts import NotWritten
from mash.flows.store.minutes import MEETING, discussions, read_minutes, write_minutes
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.look import look_at
from mash.flows.store.reads.notices import read_notices
from mash.flows.store.store import Store
from mash.states.acts.actions import owners
from mash.states.profile import Profile
from mash.states.values import Actor


@dataclass(frozen=True)
class Table:
    """A meeting with all that is around it: the case, what is to be held, and what has been written down."""

    case: Case
    profile: Profile
    sitting: Sitting | None
    which: str
    """Which of the case's it is; empty where none is to be held."""
    over: tuple[str, ...]
    """Which of them are over, the latest last."""
    minutes: Minutes
    notices: Sequence[Any]
    doers: dict[str, tuple[str, str | None]]
    now: datetime

    @property
    def seats(self) -> list[Seat]:
        """Who is to come, and what is said of each so far."""
        if self.sitting is None:
            return []
        referral, said = self.case.referral, self.minutes
        return seats(self.sitting, referral, self.profile, self.notices, said.came, said.more)

    @property
    def known(self) -> dict[str, Any]:
        """What may be chosen on the form."""
        ways = self.sitting.ways if self.sitting else {}
        others = (*self.profile.agencies, *self.profile.invited, *(self.sitting.expected if self.sitting else ()))
        return {"ways": ways, "could_come": tuple(dict.fromkeys(others)), "doers": self.doers}


async def read_table(request: Request, reference: str, by: Actor) -> Table:
    store = request.app.state.store
    case = await look_at(store, reference, by, "read_agenda")
    profile = store.rules(case.referral) or store.hub(by.hub)
    sitting, notices, minutes = sitting_of(case.referral, profile), [], Minutes()
    called = await discussions(store, reference, by)
    which = "" if sitting is None else called[-1] if sitting.what != MEETING else MEETING
    over = (*((MEETING,) if case.referral.meeting_held else ()), *(each for each in called if each != which))
    if sitting:
        minutes = Minutes.model_validate(await read_minutes(store, reference, which, by))
        notices = list(await read_notices(store, case, by))
    can = {name: owner(name, profile) for name in owners(profile)}
    doers = writing.doers_of(can, profile, await colleagues_of(store, by.hub))
    return Table(case, profile, sitting, which, over, minutes, notices, doers, store.time.now())


async def saved(store: Store, table: Table, sent: Filled, by: Actor) -> Table:
    """The table with what was sent in its minutes; what was not understood is said in `sent`, and nothing else is lost."""
    kept: list[Minutes] = []

    def change(before: dict[str, Any]) -> dict[str, Any]:
        sent.errors.clear()
        after = writing.written(Minutes.model_validate(before), sent, table.known, table.now)
        if sent.value("do") == "all" and table.sitting:
            came = {seat.name: table.sitting.mode for seat in unsaid(replace(table, minutes=after).seats)}
            after = after.model_copy(update={"came": {**after.came, **came}})
        kept.append(after.model_copy(update={"by": by.id, "at": table.now}))
        return kept[-1].model_dump(mode="json")

    try:
        await write_minutes(store, table.case.reference, table.which, by, change)
    except NotWritten as problem:
        sent.errors["text"] = f"{problem}."
        return table
    return replace(table, minutes=kept[-1])


def owner(name: str, profile: Profile) -> str:
    """Who can be given something to do, in words."""
    named_there = name in profile.agencies or name in profile.invited
    return sentence(agency_title(profile, name)) if named_there else sentence(name, profile)
