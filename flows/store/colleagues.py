"""Who works at a hub and for its partners: whoever is in the rota from now on, and whoever has signed in lately."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import select

from mash.config.permissions import may
from mash.flows.store.rotas import read_rota
from mash.flows.store.sessions import RETENTION
from mash.flows.store.store import Store
from mash.flows.store.tables import SESSIONS
from mash.notifications.rota import Rota
from mash.states.acts.allocating import GiveCaseBack
from mash.states.profile import Profile
from mash.states.register import kind_of
from mash.states.values import Colleague, Presence

SOCIAL_CARE = "social_care"
"""The agency of whoever is in a rota by a role of the hub itself."""
HAS_CASES = kind_of(GiveCaseBack)
"""Whoever may give a case back can have one."""
Position = tuple[str, str, str]
"""A login, a role and an agency."""


async def colleagues_of(store: Store, hub: str) -> tuple[Colleague, ...]:
    """Everybody, in each of their positions, by login. Absent is who has an absence in the rota now."""
    profile, rota, now = store.hub(hub), await read_rota(store, hub), store.time.now()
    positions = dict.fromkeys(sorted({*_of_rota(rota, profile, now), *await _signed_in(store, hub)}))
    away = {absence.person: absence.ends for absence in rota.absences if absence.covers(now)}
    return tuple(
        Colleague(login=login, role=role, agency=agency, has_cases=may(role, HAS_CASES), away_until=away.get(login))
        for login, role, agency in positions
    )


def presence_of(login: str, colleagues: tuple[Colleague, ...]) -> Presence:
    """Whether somebody who has cases is there."""
    found = [each for each in colleagues if each.login == login]
    if not found:
        return "left"
    return "absent" if found[0].away_until else "there"


def _of_rota(rota: Rota, profile: Profile, now: datetime) -> Iterator[Position]:
    """Whoever still has a turn. An agency's roles are those that its checks and its alerts go to."""
    agencies = {role: name for name, agency in profile.agencies.items() for role in (agency.role, agency.lead)}
    for role in rota.roles:
        for person in rota.people(role):
            if rota.of(person).goes_on(role, now):
                yield person, role, agencies.get(role, SOCIAL_CARE)


async def _signed_in(store: Store, hub: str) -> Iterator[Position]:
    """What each person could act as when they signed in last, of the sessions that are kept."""
    columns = (SESSIONS.c.person, SESSIONS.c.positions)
    lately = select(*columns).where(SESSIONS.c.ends_at > datetime.now(UTC) - RETENTION).order_by(SESSIONS.c.started_at)
    async with store.single.connect() as connection:
        last = {row.person: row.positions for row in (await connection.execute(lately)).all()}
    return (
        (person, position["role"], position["agency"])
        for person, positions in last.items()
        for position in json.loads(positions)
        if position["hub"] == hub
    )
