"""Each hub's simulation: one at a time in an installation, how far it is, and the last report, which is kept until there is
another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from mash.flows.store.store import Store
from mash.flows.store.tables import SIMULATIONS
from mash.states.values import Actor

BEAT = timedelta(seconds=30)
"""How often whoever waits for a simulation says that they still do."""
GIVEN_UP = 4 * BEAT
"""After so long without a word whoever waited is gone, and so is the simulation's process: another may begin."""
GONE = "It was ended before it was done, as the machine or a service of it was: ask again."
_BEGIN = text("""
    INSERT INTO simulation AS s (hub, asked_by, begun_at, touched_at) VALUES (:hub, :by, :now, :now)
    ON CONFLICT (hub) DO UPDATE SET asked_by = excluded.asked_by, begun_at = excluded.begun_at,
        touched_at = excluded.touched_at, done = 0, of_runs = 0, ready_at = NULL, failed = NULL
    WHERE s.begun_at IS NULL RETURNING begun_at""")


@dataclass(frozen=True)
class Standing:
    """Where a hub's simulation stands: since when one runs, how many runs of how many are done, and by when all are, as far as
    that is known; why the last gave nothing; and the last report, and of when it is. By the clock on the wall."""

    begun_at: datetime | None = None
    done: int = 0
    of_runs: int = 0
    ready_at: datetime | None = None
    failed: str | None = None
    report: str | None = None
    reported_at: datetime | None = None


async def begin_simulation(store: Store, by: Actor) -> datetime | None:
    """Since when a simulation of somebody's hub runs, which begins with this; None where one runs, of whatever hub. The moment
    stands for it: whoever says later how far it is says of which."""
    now = datetime.now(UTC)
    gone = update(SIMULATIONS).where(SIMULATIONS.c.begun_at.is_not(None), SIMULATIONS.c.touched_at < now - GIVEN_UP)
    try:
        async with store.transaction(by, of_system=True) as connection:
            await connection.execute(gone.values(begun_at=None, failed=GONE))
            begun: datetime | None = await connection.scalar(_BEGIN, {"hub": by.hub, "by": by.id, "now": now})
    except IntegrityError:  # another hub's runs
        return None
    return begun


async def note_runs(store: Store, by: Actor, since: datetime, done: int, of_runs: int, ready_at: datetime | None) -> bool:
    """Write down that the simulation that began then lives, and how far it is. Whether it is still the one that runs."""
    return await _note(store, by, since, done=done, of_runs=of_runs, ready_at=ready_at)


async def end_simulation(
    store: Store, by: Actor, since: datetime, *, report: str | None = None, failed: str | None = None
) -> None:
    """Write down what came of the simulation that began then: a report, or why there is none. Nothing where it was given up."""
    found = {"report": report, "reported_at": datetime.now(UTC)} if report else {}
    await _note(store, by, since, begun_at=None, failed=failed, **found)


async def simulation_of(store: Store, by: Actor) -> Standing:
    """Where the simulation of somebody's hub stands."""
    async with store.transaction(by) as connection:
        row = (await connection.execute(select(SIMULATIONS).where(SIMULATIONS.c.hub == by.hub))).one_or_none()
    if row is None:
        return Standing()
    gone = row.begun_at is not None and row.touched_at < datetime.now(UTC) - GIVEN_UP
    begun_at, failed = (None, GONE) if gone else (row.begun_at, row.failed)
    return Standing(begun_at, row.done, row.of_runs, row.ready_at, failed, row.report, row.reported_at)


async def _note(store: Store, by: Actor, since: datetime, **what: object) -> bool:
    one = update(SIMULATIONS).where(SIMULATIONS.c.hub == by.hub, SIMULATIONS.c.begun_at == since)
    async with store.transaction(by, of_system=True) as connection:
        noted = await connection.execute(one.values(**what, touched_at=datetime.now(UTC)))
        return noted.rowcount == 1
