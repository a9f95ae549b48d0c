"""Meetings: which cases are convened for one, and what a gathering discusses."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select

from mash.flows.store.reads.case import Case, case_read_by, rightly_shown
from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS
from mash.states.profile import Gathering, Profile
from mash.states.referral import Referral
from mash.states.values import Actor

MEETING_AHEAD = ("agency_checks", "mash_meeting")


async def convened(store: Store, by: Actor, since: datetime, until: datetime) -> list[Case]:
    """The open cases whose meeting is convened within this time, in its order."""
    query = select(REFERRALS).where(REFERRALS.c.hub == by.hub, REFERRALS.c.is_open, REFERRALS.c.stage.in_(MEETING_AHEAD))
    async with store.transaction(by) as connection:
        cases = [case_read_by(store, row, by) for row in (await connection.execute(query)).all()]
        cases = await rightly_shown(connection, store, cases, by)
    chosen = [(when, case.reference, case) for case in cases if (when := case.referral.meeting_at) and since <= when < until]
    return [case for *_, case in sorted(chosen, key=lambda each: each[:2])]


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
