"""The rounds of a worker, the watchdog's and the night's: Prefect starts them, and the worker where Prefect does not."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from mash.flows.store.away import DATABASE_AWAY
from mash.flows.store.rounds import begin_counting, begin_round, end_round, leave_round, take_overdue
from mash.flows.store.store import Store

log = structlog.stdlib.get_logger("mash.rounds")


@dataclass(frozen=True)
class Kind:
    """A kind of round. It is overdue when the last one ended longer than `after` ago. None takes longer than `longest`: it is cut
    short then. One that failed is made again after a `rest`."""

    name: str
    after: timedelta
    longest: timedelta
    rest: timedelta


WATCH = Kind("watchdog", timedelta(minutes=2), timedelta(minutes=10), timedelta(seconds=20))
NIGHT = Kind("night", timedelta(days=1, minutes=15), timedelta(hours=6), timedelta(hours=6))


class Rounds:
    """The rounds of one worker process: of each kind one at a time. What it cannot know (that another worker makes one) is in the
    database."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.under_way: dict[Kind, asyncio.Task[None]] = {}
        self.failed: dict[Kind, float] = {}
        """Of which kind the last one failed here, and when."""

    async def begin_counting(self) -> bool:
        """From now on rounds are waited for. Whether the watchdog has looked before: what Prefect lacks then was removed."""
        await begin_counting(self.store, NIGHT.name)
        return await begin_counting(self.store, WATCH.name)

    async def overdue(self, kind: Kind) -> bool:
        """Whether a round has to be made now, and no other worker makes it."""
        failed = self.failed.get(kind)
        if failed is not None and asyncio.get_running_loop().time() >= failed + kind.rest.total_seconds():
            # Or it would count as on its way for as long as a round may take, and where Prefect starts none, none was made.
            await leave_round(self.store, kind.name)
            self.failed.pop(kind, None)
        return await take_overdue(self.store, kind.name, kind.after, kind.longest)

    def on_its_way(self, kind: Kind) -> bool:
        """Whether one is being made."""
        before = self.under_way.get(kind)
        return before is not None and not before.done()

    async def give_up(self, kind: Kind) -> None:
        """End the one that is being made, and wait until it has ended: the next one is not to be left out because of it."""
        while self.on_its_way(kind):
            self.under_way[kind].cancel()  # and again, where Prefect's engine goes on to tell a server that is away
            await asyncio.wait([self.under_way[kind]], timeout=3)

    def begin(self, kind: Kind, work: Coroutine[Any, Any, Any]) -> None:
        """Make a round, in the background; one that is to begin while another is on its way is left out."""
        if self.on_its_way(kind):
            work.close()
            return
        self.under_way[kind] = asyncio.create_task(self._make(kind, work))

    async def _make(self, kind: Kind, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await begin_round(self.store, kind.name)
            async with asyncio.timeout(kind.longest.total_seconds()):
                await work
            await end_round(self.store, kind.name)
            self.failed.pop(kind, None)
        except Exception as error:
            log.warning("a round failed: the next one does it", kind=kind.name, error=type(error).__name__)
            self.failed[kind] = asyncio.get_running_loop().time()
        except asyncio.CancelledError:
            with suppress(*DATABASE_AWAY):
                await leave_round(self.store, kind.name)
            raise
        finally:
            work.close()
