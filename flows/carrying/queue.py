"""Which runs wait to be carried: once a burst of events has settled, the most urgent first; what failed, after a rest."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass

from mash.flows.store.runs import urgencies
from mash.flows.store.store import Store

LONGEST_BURST = 10
"""However fast events follow one another, a run is carried after so many times the time it takes to settle."""
LONGEST_REST = 60.0
"""Seconds at most between two attempts that fail."""


@dataclass(frozen=True)
class Stirred:
    """A referral to which something happened: when that began, what its newest event was, and what waits for it to settle."""

    first: float
    version: int
    timer: asyncio.TimerHandle


class Queue:
    """The referrals whose runs wait, each once. One that is being carried, or rests, is left out."""

    def __init__(self, store: Store, settle: float) -> None:
        self.store, self.settle = store, settle
        self.stirred: dict[str, Stirred] = {}
        self.waiting: asyncio.PriorityQueue[tuple[int, int, str]] = asyncio.PriorityQueue()
        self.again: dict[str, bool] = {}
        self.live: set[str] = set()
        self.failed: dict[str, int] = {}
        self.resting: set[str] = set()
        self.order = itertools.count()
        self.idle = asyncio.Event()
        """Set while none waits."""
        self.idle.set()

    def __len__(self) -> int:
        return self.waiting.qsize()

    def stir(self, reference: str, urgent: int, version: int) -> None:
        """Something happened to a referral: its run is carried when it has settled, so that a burst of events is one attempt."""
        loop = asyncio.get_running_loop()
        first = now = loop.time()
        if stirred := self.stirred.get(reference):
            if stirred.version == version:
                return
            stirred.timer.cancel()
            first = stirred.first
        at = min(now + self.settle, first + self.settle * LONGEST_BURST)
        self.stirred[reference] = Stirred(first, version, loop.call_at(at, self._settled, reference, urgent))

    def _settled(self, reference: str, urgent: int) -> None:
        del self.stirred[reference]
        self.add(reference, urgent)

    def add(self, reference: str, urgent: int, *, again: bool = False) -> None:
        """Have a referral's run carried now, the most urgent first; `again` also when it has dealt with all that happened."""
        if reference not in self.live and reference not in self.resting:
            if reference not in self.again:
                self.waiting.put_nowait((-urgent, next(self.order), reference))
                self.idle.clear()
            self.again[reference] = again or self.again.get(reference, False)

    async def add_all(self, references: list[str]) -> None:
        """Have the runs of these referrals carried in any case, each as urgently as its rating says."""
        for reference, urgent in await urgencies(self.store, references):
            self.add(reference, urgent, again=True)

    async def next(self) -> str:
        """The most urgent; it waits on until it is taken."""
        _, _, reference = await self.waiting.get()
        if self.waiting.empty():
            self.idle.set()
        return reference

    def take(self, reference: str) -> bool:
        """It waits no longer; whether it is to be carried in any case."""
        return self.again.pop(reference)

    def rest(self, reference: str) -> int:
        """An attempt failed: the referral stays behind and is found again, but left alone for a moment, longer each time. Returns
        how many have failed in a row."""
        failed = self.failed[reference] = self.failed.get(reference, 0) + 1
        self.resting.add(reference)
        asyncio.get_running_loop().call_later(min(2.0**failed, LONGEST_REST), self.resting.discard, reference)
        return failed

    def succeed(self, reference: str) -> None:
        """An attempt came to its end: what failed before it counts no more."""
        self.failed.pop(reference, None)
