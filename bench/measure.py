"""How the benchmark measures: many at once, until something is so; and how it sums up what it found."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from rich.console import Console

_progress = Console(stderr=True, highlight=False)


class BenchFailed(Exception):
    """The benchmark could not go on: the product did not come to rest, or not to where it should."""


def say(text: str) -> None:
    """Tell how far the benchmark is, on standard error."""
    _progress.print(text)


def spread(values: list[float], digits: int = 1) -> dict[str, float]:
    """The median, and what all but the slowest twentieth and hundredth stay under."""
    ranked = sorted(values)
    return {f"p{p}": round(ranked[min(len(ranked) - 1, len(ranked) * p // 100)], digits) for p in (50, 95, 99)}


async def until(there: Callable[[], Coroutine[Any, Any, bool]], what: str, seconds: float, every: float = 0.5) -> None:
    """Wait for something. Raises BenchFailed when it does not come."""
    deadline = time.monotonic() + seconds
    while not await there():
        if time.monotonic() > deadline:
            raise BenchFailed(f"not within {seconds:.0f} s: {what}")
        await asyncio.sleep(every)


async def each(work: Callable[[int], Coroutine[Any, Any, Any]], number: int, at_once: int) -> None:
    """Do a numbered piece of work `number` times, `at_once` of them at the same time."""
    numbers = iter(range(number))

    async def client() -> None:
        for one in numbers:
            await work(one)

    await asyncio.gather(*(client() for _ in range(at_once)))


def summed(parts: dict[str, float], digits: int = 4) -> dict[str, float]:
    """The figures of the parts, with their sum."""
    return {**{name: round(value, digits) for name, value in parts.items()}, "all": round(sum(parts.values()), digits)}
