"""Meetings: which cases are convened for one, and what a gathering discusses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from mash.config.permissions import reach
from mash.flows.store.reads.case import Case, case_read_by, rightly_shown
from mash.flows.store.reads.look import WHY, note_accesses
from mash.flows.store.reads.opened import said_of
from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS
from mash.states.profile import Gathering, Profile
from mash.states.referral import Referral
from mash.states.values import Actor

MEETING_AHEAD = ("agency_checks", "mash_meeting", "strategy_discussion")


def held_next_at(referral: Referral) -> datetime | None:
    """When the meeting or the strategy discussion is to be held that a case waits for; None where no time is set."""
    if referral.stage == "strategy_discussion":
        return referral.discussion_at
    return None if referral.meeting_held else referral.meeting_at


async def convened(store: Store, by: Actor, since: datetime, until: datetime) -> list[Case]:
    """The open cases whose meeting or strategy discussion is to be held within this time, in its order."""
    cases = [(when, case.reference, case) for case in await _to_meet(store, by) if (when := held_next_at(case.referral))]
    return [case for when, _, case in sorted(cases, key=lambda each: each[:2]) if since <= when < until]


async def without_time(store: Store, by: Actor) -> list[Case]:
    """The open cases whose strategy discussion was called, and nobody has set a time for it; longest waiting first."""
    return [
        case
        for case in await _to_meet(store, by)
        if case.referral.stage == "strategy_discussion" and not held_next_at(case.referral)
    ]


async def _to_meet(store: Store, by: Actor) -> list[Case]:
    query = select(REFERRALS).where(REFERRALS.c.hub == by.hub, REFERRALS.c.is_open, REFERRALS.c.stage.in_(MEETING_AHEAD))
    async with store.transaction(by) as connection:
        rows = (await connection.execute(query.order_by(REFERRALS.c.received_at))).all()
        return await rightly_shown(connection, store, [case_read_by(store, row, by) for row in rows], by)


async def read_subjects(store: Store, cases: Sequence[Case], by: Actor) -> dict[str, list[dict[str, Any]]]:
    """Who cases are about, as what was given of each subject, by reference; none of whoever was erased, or cannot be
    opened here. Whoever reads that of a list has looked at each of its cases, which is written down."""
    async with store.transaction(by) as connection:
        said = await said_of(connection, store, cases, ("subject",))
        found = {reference: [each.fields for each in some] for reference, some in said.items() if some}
        await note_accesses(connection, store, list(found), by, "read_agenda", WHY[reach(by.role)])
    return found


async def agenda(store: Store, by: Actor, profile: Profile, gathering: Gathering, at: datetime) -> list[Case]:
    """What a gathering at `at` discusses: what came in since the last one and belongs on its agenda, and what was convened
    for it; most urgent first."""
    since = profile.calendar.last_time(gathering.at, gathering.days, at)
    async with store.transaction(by) as connection:
        # What is closed again on the day is reviewed all the same.
        recent = or_(REFERRALS.c.is_open, REFERRALS.c.received_at > since)
        query = select(REFERRALS).where(REFERRALS.c.hub == by.hub, recent).order_by(REFERRALS.c.received_at)
        cases = [case_read_by(store, row, by) for row in (await connection.execute(query)).all()]
    chosen = [case for case in cases if _on_agenda(case.referral, profile, gathering, since, at)]
    return sorted(chosen, key=lambda case: profile.place(case.referral.rating))


def _on_agenda(referral: Referral, profile: Profile, gathering: Gathering, since: datetime, at: datetime) -> bool:
    if referral.meeting_at is not None and not referral.meeting_held and since < referral.meeting_at <= at:
        return True
    # What came in unrated counts as the most urgent; what was rated only after a gathering is new to the next one.
    came_in = max(referral.received_at, referral.rated_at or referral.received_at)
    fresh = since < came_in <= at or since < referral.received_at <= at
    return fresh and gathering.discusses(referral.rating or profile.unrated, frozenset(referral.categories))
