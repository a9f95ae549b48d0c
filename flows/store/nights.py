"""When each step of the night's work, the backup and the list for paper were last done. Wall time."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.exc import ProgrammingError

from mash.flows.store.store import Store
from mash.flows.store.tables import NIGHTS

STEPS = ("checkpoint", "conservation", "retention")
"""What is expected of every night."""
BACKUP = "backup"
PAPER = "paper"
"""The list of open cases for paper: expected once a worker has been told where it goes."""


def _row(step: str, failed: str) -> Insert:
    now = datetime.now(UTC)
    values = {"failed_at": now, "why": failed} if failed else {"done_at": now, "failed_at": None, "why": ""}
    return insert(NIGHTS).values(step=step, since=now, **values).on_conflict_do_update(index_elements=["step"], set_=values)


async def record_step(store: Store, step: str, failed: str = "") -> None:
    """A step was done; or it has `failed`, for this reason, in words that name nobody."""
    async with store.single.connect() as connection:
        await connection.execute(_row(step, failed))


async def expect_paper(store: Store) -> None:
    """From now on the list of open cases for paper is waited for."""
    first = insert(NIGHTS).values(step=PAPER, since=datetime.now(UTC), why="").on_conflict_do_nothing()
    async with store.single.connect() as connection:
        await connection.execute(first)


def record_backup(connection: Connection) -> None:
    """A backup was made. In tables of an older release, of which one is made before an upgrade, there is no place for it."""
    try:
        connection.execute(_row(BACKUP, ""))
        connection.commit()
    except ProgrammingError:
        connection.rollback()
