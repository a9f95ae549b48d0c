"""How many open cases each person of a hub has, and the most urgent of them; and how many nobody has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Row, Text, func, literal_column, select

from mash.flows.store.colleagues import colleagues_of, presence_of
from mash.flows.store.reads.case import Case, case_of
from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS
from mash.states.profile import Profile
from mash.states.values import Actor, Presence

# In whose hands a case is begins with whoever has it, where somebody has: ten thousand states are not read for that.
_ALLOCATED: ColumnElement[bool] = literal_column("starts_with(hands[1], 'login:')", Boolean)
_WORKER: ColumnElement[Any] = literal_column("CASE WHEN starts_with(hands[1], 'login:') THEN substr(hands[1], 7) END", Text)


@dataclass
class Load:
    """What somebody has: open cases, the late ones, and the most urgent rating among them; none while no case of theirs is
    rated, or they have none."""

    login: str
    roles: tuple[str, ...] = ()
    presence: Presence = "there"
    open: int = 0
    late: int = 0
    most_urgent: str | None = None


@dataclass
class Workload:
    """Everybody who has cases or can have them, whoever has most first; and how many open cases nobody has."""

    workers: list[Load] = field(default_factory=list)
    unallocated: int = 0


async def workload(store: Store, by: Actor) -> Workload:
    """Of the hub of whoever asks."""
    late = func.count().filter(REFERRALS.c.due_at < store.time.now()).label("late")
    query = select(_WORKER.label("worker"), REFERRALS.c.rating, func.count().label("n"), late)
    query = query.where(REFERRALS.c.is_open, REFERRALS.c.hub == by.hub).group_by(_WORKER, REFERRALS.c.rating)
    async with store.transaction(by) as connection:
        rows = (await connection.execute(query)).all()
    colleagues, loads = await colleagues_of(store, by.hub), dict[str, Load]()
    for each in colleagues:
        if each.has_cases:
            load = loads.setdefault(each.login, Load(each.login))
            load.roles = (*load.roles, each.role)
    _add_up(loads, (row for row in rows if row.worker), store.hub(by.hub))
    for load in loads.values():
        load.presence = presence_of(load.login, colleagues)
    ordered = sorted(loads.values(), key=lambda load: (-load.open, load.login))
    return Workload(ordered, sum(row.n for row in rows if not row.worker))


async def allocated(store: Store, hub: str) -> list[Case]:
    """The open cases of a hub that somebody has, as the software itself reads them."""
    query = select(REFERRALS).where(REFERRALS.c.hub == hub, REFERRALS.c.is_open, _ALLOCATED)
    async with store.single.connect() as connection:
        return [case_of(row) for row in (await connection.execute(query.order_by(REFERRALS.c.reference))).all()]


def _add_up(loads: dict[str, Load], rows: Iterable[Row[Any]], profile: Profile) -> None:
    for row in rows:
        load = loads.setdefault(row.worker, Load(row.worker))
        load.open += row.n
        load.late += row.late
        more_urgent = load.most_urgent is None or profile.place(row.rating) < profile.place(load.most_urgent)
        if row.rating and more_urgent:
            load.most_urgent = row.rating
