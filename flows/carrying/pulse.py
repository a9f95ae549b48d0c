"""The worker's signs of life, what it counts, and the pulse by which an outside monitor notices that the pipeline has stopped."""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx
import psutil
import structlog

from mash.config.settings import Settings
from mash.flows.store.away import DATABASE_AWAY, passing
from mash.flows.store.reads.health import WriteProof, forget_signs, give_sign_of_life, living_signs, read_health
from mash.flows.store.store import Store

log = structlog.stdlib.get_logger("mash.pulse")
SIGN_EVERY = 5.0
PULSE_EVERY = 60.0
BUCKETS = (0.1, 0.5, 1.0, 5.0, 10.0, 60.0, 600.0)
"""Seconds, wall time: up to how late clocks fired."""


class Pulse:
    """What a worker has to say of itself."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings, self.store = settings, store
        self.proof = WriteProof(store)
        self.host = f"worker {socket.gethostname()}-"
        self.part = f"{self.host}{os.getpid()}"
        self.fired: Counter[float] = Counter()
        self.lateness = 0.0
        self.sent: Counter[str] = Counter()
        self.pulsed = float("-inf")
        self.latest: dict[str, Any] = {}

    def count_fired(self, late: timedelta) -> None:
        """A batch of clocks was fired, the first of them so late (as the domain's time runs)."""
        seconds = late.total_seconds() / self.store.time.rate
        self.lateness += seconds
        self.fired[next((bucket for bucket in BUCKETS if seconds <= bucket), float("inf"))] += 1

    async def beat(self, prefect: bool, *, refused: str = "", amiss: Sequence[str] = ()) -> None:
        """Give a sign of life; and once a minute, while nothing is wrong, let the outside monitor know. `prefect`: whether it is
        there; `refused`: that it refuses our login, in a sentence; `amiss`: what was removed or switched off there."""
        running, buckets = 0, []
        for bucket in (*BUCKETS, float("inf")):
            running += self.fired[bucket]
            buckets.append([str(bucket), running])
        late = {"buckets": buckets, "sum": self.lateness}
        if not self.latest:
            await self._forget_the_dead()
        self.latest = {"prefect": prefect, "refused": refused, "amiss": list(amiss), "late": late, "sent": dict(self.sent)}
        await give_sign_of_life(self.store, self.part, self.latest)
        if self.settings.pulse_url and time.monotonic() - self.pulsed > PULSE_EVERY:
            await self._tell_the_monitor(self.settings.pulse_url.get_secret_value())

    async def _forget_the_dead(self) -> None:
        """Whoever was killed on this machine is replaced by us: nobody need look for them."""
        numbers = {part: part.removeprefix(self.host) for part in await living_signs(self.store, self.host)}
        gone = [part for part, number in numbers.items() if number.isdigit() and not psutil.pid_exists(int(number))]
        await forget_signs(self.store, gone)

    async def leave(self) -> None:
        """Let it be known that this worker was stopped on purpose: whoever sees it silent need not look for it."""
        if self.latest:
            await give_sign_of_life(self.store, self.part, {**self.latest, "stopped": True})

    async def _tell_the_monitor(self, url: str) -> None:
        try:
            await self.proof.renew()
            wrong = list((await read_health(self.store)).wrong(self.settings))
        except DATABASE_AWAY as error:
            if not (reason := passing(error)):
                raise
            wrong = [reason]
        if wrong:
            log.warning("no pulse while something is wrong", reason="; ".join(wrong))
            return
        try:
            async with httpx.AsyncClient(timeout=10) as client:
                (await client.get(url)).raise_for_status()
            self.pulsed = time.monotonic()
        except httpx.HTTPError as error:
            log.warning("the monitor does not take the pulse", error=type(error).__name__)  # its address is a secret
