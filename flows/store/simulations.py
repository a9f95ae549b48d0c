"""Each hub's simulation: one at a time, how far it is, and the last report, which is kept until there is another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, text, update

from mash.flows.store.store import Store
from mash.flows.store.tables import SIMULATIONS
from mash.states.values import Actor

GIVEN_UP = timedelta(minutes=10)
"""After so long without a word of how far it is, a simulation's process is gone, and another may begin."""
_BEGIN = text("""
    INSERT INTO simulation AS s (hub, asked_by, begun_at, touched_at) VALUES (:hub, :by, :now, :now)
    ON CONFLICT (hub) DO UPDATE SET asked_by = excluded.asked_by, begun_at = excluded.begun_at,
        touched_at = excluded.touched_at, done = 0, of_runs = 0, failed = NULL
    WHERE s.begun_at IS NULL OR s.touched_at < :given_up RETURNING hub""")


@dataclass(frozen=True)
class Standing:
    """Where a hub's simulation stands: since when one runs and how many runs of how many are done; why the last gave nothing; and
    the last report, and of when it is."""

    begun_at: datetime | None = None
    done: int = 0
    of_runs: int = 0
    failed: str | None = None
    report: str | None = None
    reported_at: datetime | None = None


async def begin_simulation(store: Store, by: Actor) -> bool:
    """Whether one may begin now: none runs for the hub."""
    now = datetime.now(UTC)
    asked = {"hub": by.hub, "by": by.id, "now": now, "given_up": now - GIVEN_UP}
    async with store.transaction(by) as connection:
        return await connection.scalar(_BEGIN, asked) is not None


async def note_runs(store: Store, by: Actor, done: int, of_runs: int) -> None:
    """Write down how many runs are done."""
    await _note(store, by, done=done, of_runs=of_runs)


async def end_simulation(store: Store, by: Actor, *, report: str | None = None, failed: str | None = None) -> None:
    """Write down what came of it: a report, or why there is none."""
    found = {"report": report, "reported_at": datetime.now(UTC)} if report else {}
    await _note(store, by, begun_at=None, failed=failed, **found)


async def simulation_of(store: Store, by: Actor) -> Standing:
    """Where the simulation of somebody's hub stands."""
    async with store.transaction(by) as connection:
        row = (await connection.execute(select(SIMULATIONS).where(SIMULATIONS.c.hub == by.hub))).one_or_none()
    if row is None:
        return Standing()
    runs = row.begun_at is not None and row.touched_at >= datetime.now(UTC) - GIVEN_UP
    return Standing(row.begun_at if runs else None, row.done, row.of_runs, row.failed, row.report, row.reported_at)


async def _note(store: Store, by: Actor, **what: object) -> None:
    async with store.transaction(by) as connection:
        noted = {**what, "touched_at": datetime.now(UTC)}
        await connection.execute(update(SIMULATIONS).where(SIMULATIONS.c.hub == by.hub).values(noted))
