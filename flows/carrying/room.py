"""How many runs are carried at once: as many as Prefect answers promptly. More would wait in its server, which is one process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

FIRST = 4
"""So many fill its server on a machine that has nothing else to do."""
PROMPT = 2.0
"""Seconds that an attempt takes at most where there is room for more."""
SLOW = 10.0
"""Seconds after which there is too little room: a minute later the attempt's requests would be given up, and made again."""


class Room:
    """Room for attempts, at most so many. It grows by one as often as that many were prompt, and is halved when one was slow."""

    def __init__(self, most: int, now: Callable[[], float] = time.monotonic) -> None:
        self.most, self.places, self.now = most, float(min(FIRST, most)), now
        self.inside, self.halved = 0, 0.0
        self.changed = asyncio.Condition()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[Callable[[], None]]:
        """A place, once there is one. Whoever has it says when the attempt begins: until then it waits for something to do."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.inside < int(self.places))
            self.inside += 1
        began: list[float] = []
        try:
            yield lambda: began.append(self.now())
        finally:
            self.inside -= 1
            if began:
                self._judge(began[-1])
            async with self.changed:
                self.changed.notify_all()

    def _judge(self, began: float) -> None:
        took = self.now() - began
        if took < PROMPT:
            self.places = min(self.most, self.places + 1 / self.places)
        elif took > SLOW and began > self.halved:  # those that began before were slow for the same reason
            self.places, self.halved = max(1.0, self.places / 2), self.now()
