"""Pages that show what happens as it happens: a browser is told that something has changed, and asks for its page again.

What is sent says nothing of what changed: whoever asks again is let see what they may see.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.types import Receive, Scope, Send

from mash.api.permitted import Permitted
from mash.api.problems import TooMany, answers
from mash.flows.store.reads.board import mark_of
from mash.flows.store.sessions import Session, still_stands
from mash.flows.store.store import Store
from mash.flows.store.writes import CHANNEL
from mash.states.values import Actor

router = APIRouter(include_in_schema=False)
BREATH = 2.0
"""Seconds at least between two looks: a busy hub does not make every screen ask again at each event."""
QUIET = 15.0
"""Seconds after which a line is sent that says nothing, so that proxies keep the connection."""
MOST_OF_ONE = 30
"""Pages that one person keeps up to date at once, by whatever sessions: each is a connection, and a question to the database
every few seconds."""
LASTS = 600.0
"""Seconds after which a browser asks anew."""


class Live:
    """Hears of changes while anybody watches: one connection to the database, whatever the number of screens."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.watching: Counter[tuple[str, str]] = Counter()
        """How many pages each person watches, by hub and login."""
        self.screens = 0
        self.changed = asyncio.Event()
        self.connection: asyncpg.Connection | None = None
        self.connecting = asyncio.Lock()

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Somebody watches meanwhile."""
        async with self.connecting:
            if self.connection is None or self.connection.is_closed():
                self.connection = await self._connect()
            self.screens += 1
        try:
            yield
        finally:
            self.screens -= 1
            async with self.connecting:
                # Somebody may have begun while this waited.
                if not self.screens:
                    await self._disconnect()

    def enter(self, by: Actor) -> None:
        """Somebody is about to watch. Raises TooMany for whoever watches as much already as one may."""
        if self.watching[by.hub, by.id] >= MOST_OF_ONE:
            raise TooMany(f"you have {MOST_OF_ONE} pages open that keep themselves up to date: close some", retry_after=60)
        self.watching[by.hub, by.id] += 1

    def leave(self, by: Actor) -> None:
        """Somebody does not watch any more."""
        self.watching[by.hub, by.id] -= 1
        self.watching += Counter()  # without those who are at none

    async def close(self) -> None:
        """The application ends."""
        async with self.connecting:
            await self._disconnect()

    async def _disconnect(self) -> None:
        if self.connection is not None:
            await self.connection.close()
            self.connection = None

    async def _connect(self) -> asyncpg.Connection:
        connection = await asyncpg.connect(self.store.listen_url)
        try:
            await connection.add_listener(CHANNEL, lambda *_: self._ring())
        except BaseException:
            await connection.close()
            raise
        return connection

    def _ring(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


@router.get("/live", response_class=StreamingResponse, responses=answers(429))
async def live(
    request: Request,
    by: Annotated[Actor, Depends(Permitted("read_board"))],
    reference: Annotated[str, Query(max_length=60)] = "",
    seen: Annotated[str, Query(max_length=60)] = "",
) -> StreamingResponse:
    """An event `changed` whenever something changes that somebody reaches: a case, or their board. `seen` is the mark of what
    their page shows: what came between that and this is a change too, and what came while they were not connected."""
    heard: Live = request.app.state.live
    heard.enter(by)
    return Stream(_events(heard, request.state.session, by, reference, seen), heard, by)


class Stream(StreamingResponse):
    """Events to somebody who was let in; however it ends, begun or not, they have left."""

    def __init__(self, events: AsyncIterator[bytes], heard: Live, by: Actor) -> None:
        super().__init__(events, media_type="text/event-stream")
        self.heard, self.by = heard, by

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them, until whoever watches is gone."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.heard.leave(self.by)


async def _events(heard: Live, session: Session, by: Actor, reference: str, seen: str) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    ends = loop.time() + LASTS
    async with heard.watched():
        while loop.time() < ends:
            changed = heard.changed
            now = await mark_of(heard.store, by, reference)
            stands = await still_stands(heard.store, session)
            # At its end the page is told as well: it asks again, and is led to where one signs in.
            yield KEEPALIVE_COMMENT if stands and now == (seen or now) else format_sse_event(event="changed", data_str="1")
            if not stands:
                return
            seen = now
            await asyncio.sleep(BREATH)
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), QUIET)
