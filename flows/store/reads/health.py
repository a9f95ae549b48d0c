"""How the pipeline is: the parts' signs of life, and what is late, undelivered or behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from mash.flows.store.drafts import SIZE
from mash.flows.store.store import Store, as_json
from mash.flows.store.tables import NOTICES, PULSES, REFERRALS

SILENT = timedelta(seconds=30)
"""A worker that has given no sign of life for so long is gone (wall time)."""
FORGOTTEN = timedelta(hours=1)
"""A worker that was stopped on purpose is not missed for longer than this."""
LATE = timedelta(seconds=60)
"""A clock that is due and has not fired for so long, or a notice that has not been tried: nobody is at work (wall time)."""


@dataclass(frozen=True)
class Health:
    """What there is to say of the pipeline at one moment."""

    workers: dict[str, tuple[timedelta, dict[str, Any]]]
    """Each worker: how long ago it gave a sign of life, and what it said."""
    overdue: int
    lateness: timedelta
    """Of the clock that has been due for longest without firing; wall time."""
    waiting: int
    """Notices queued."""
    waited: timedelta
    """How long the notice has been waiting whose turn came first."""
    dead: int
    behind: int
    """Referrals whose flow run has not dealt with all that happened."""
    drafts: int
    """Bytes of what is written at /refer and not sent."""

    def wrong(self, drafts_room: int) -> Iterator[str]:
        """What an administrator would want to know, a sentence each; `drafts_room` is how many bytes drafts may have."""
        alive = [pulse for age, pulse in self.workers.values() if age < SILENT]
        if not alive:
            yield "no worker is alive: clocks do not fire and nothing is sent"
        elif not any(pulse.get("prefect") for pulse in alive):
            yield "Prefect cannot be reached: clocks and notices go on, runs are caught up with later"
        if self.lateness > LATE:
            yield f"{self.overdue} clocks are due and have not fired, the first for {_seconds(self.lateness)} s"
        if self.waited > LATE:
            yield f"{self.waiting} notices wait to be sent, the first for {_seconds(self.waited)} s"
        if self.dead:
            yield f"{self.dead} notices could not be delivered: see `mash notify dead`"
        if self.drafts >= drafts_room:
            yield "drafts fill their room: nobody can begin a referral at /refer (MASH_DRAFTS_MEGABYTES)"


def _seconds(span: timedelta) -> int:
    return round(span.total_seconds())


async def read_health(store: Store) -> Health:
    """How the pipeline is now, by one statement."""
    wall, now = datetime.now(UTC), store.time.now()
    due = REFERRALS.c.next_at <= now
    queued = NOTICES.c.status == "queued"
    pulses = select(func.json_agg(func.json_build_array(PULSES.c.part, PULSES.c.at, PULSES.c.said))).where(
        PULSES.c.at > wall - FORGOTTEN
    )
    parts = {
        "pulses": pulses,
        "overdue": select(func.count()).select_from(REFERRALS).where(due),
        "first_due": select(func.min(REFERRALS.c.next_at)).where(due),
        "waiting": select(func.count()).select_from(NOTICES).where(queued),
        "first_try": select(func.min(NOTICES.c.next_try_at)).where(queued),
        "dead": select(func.count()).select_from(NOTICES).where(NOTICES.c.status == "dead"),
        "drafts": SIZE,
        "behind": select(func.count()).select_from(REFERRALS).where(REFERRALS.c.shown < REFERRALS.c.version),
    }
    async with store.single.connect() as connection:
        row = (await connection.execute(select(*(part.scalar_subquery().label(name) for name, part in parts.items())))).one()
    never = timedelta(0)
    return Health(
        workers={part: (wall - datetime.fromisoformat(at), json.loads(pulse)) for part, at, pulse in row.pulses or ()},
        overdue=row.overdue,
        lateness=(now - row.first_due) / store.time.rate if row.first_due else never,
        waiting=row.waiting,
        waited=max(never, wall - row.first_try) if row.first_try else never,
        dead=row.dead,
        behind=row.behind,
        drafts=int(row.drafts),
    )


async def give_sign_of_life(store: Store, part: str, pulse: dict[str, Any]) -> None:
    """A part lives; `pulse` is what it has to say of itself."""
    values = {"at": datetime.now(UTC), "said": as_json(pulse)}
    sign = insert(PULSES).values(part=part, **values).on_conflict_do_update(index_elements=["part"], set_=values)
    async with store.single.connect() as connection:
        await connection.execute(sign)
