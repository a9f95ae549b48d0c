"""What is asked for while the same was being done is done together, next: each alone would cost more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")


class Together(Generic[Ask, Answer]):
    """Does what several ask for, at most so many at once. The first to ask does not wait; those who ask meanwhile have it done
    with one another, by whoever of them came first. `do` returns for each what it is answered, or the exception that is raised
    for it alone; what it raises itself is raised for whoever called it, and the others are done again, together: it must bear
    being asked the same twice."""

    def __init__(self, do: Callable[[Sequence[Ask]], Awaitable[Sequence[Answer | Exception]]], most: int) -> None:
        self._do, self._most = do, most
        self._waiting: list[tuple[Ask, asyncio.Future[Answer]]] = []
        self._turn = asyncio.Lock()

    async def ask(self, what: Ask) -> Answer:
        """Have this done; returns what it is answered."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        mine = what, answer
        self._waiting.append(mine)
        try:
            while not answer.done():
                async with self._turn:
                    if not answer.done():
                        await self._do_waiting()
            return answer.result()
        finally:
            if mine in self._waiting:
                self._waiting.remove(mine)
            if answer.done():
                answer.exception()  # heard of, also where whoever asked was cancelled in the meantime

    async def _do_waiting(self) -> None:
        some = self._waiting[: self._most]
        for each, said in zip(some, await self._do([what for what, _ in some]), strict=True):
            if each not in self._waiting:
                continue  # whoever asked has gone
            self._waiting.remove(each)
            if isinstance(said, Exception):
                each[1].set_exception(said)
            else:
                each[1].set_result(said)
