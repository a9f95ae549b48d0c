"""The worker: fires clocks, sends notices, and has flow runs carried. Clocks and notices do not need Prefect."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg
import structlog
from prefect.exceptions import TerminationSignal

from mash.config.settings import Settings
from mash.flows.carrying.carrier import Carrier
from mash.flows.carrying.coming_of_age import say_who_comes_of_age
from mash.flows.carrying.confirmed import ask_what_became
from mash.flows.carrying.connection import check_login
from mash.flows.carrying.duty import look_ahead
from mash.flows.carrying.liaison import Liaison
from mash.flows.carrying.off_duty import raise_what_was_left
from mash.flows.carrying.paper import Paper
from mash.flows.carrying.postman import Postman, check_alerts
from mash.flows.carrying.presence import say_who_is_away
from mash.flows.carrying.pulse import SIGN_EVERY, Pulse
from mash.flows.installation.paper import sealed_to
from mash.flows.store import outbox
from mash.flows.store.anew import Anew
from mash.flows.store.apply import fire_due, next_due
from mash.flows.store.away import DATABASE_AWAY
from mash.flows.store.checkpoints import signing_key
from mash.flows.store.looking import look_next
from mash.flows.store.mending import Mender
from mash.flows.store.runs import behind
from mash.flows.store.spare import LOOKED_AT, Spare
from mash.flows.store.store import Store, open_store
from mash.flows.store.sums import add_months, add_up, add_waiting
from mash.flows.store.writes import CHANNEL
from mash.notifications.mail import OPEN

log = structlog.stdlib.get_logger("mash.worker")
BATCH = 1000
TRIES = 30
WORKING = 7_052_602
"""The advisory lock that every living worker shares; the number is arbitrary and ours."""
AT_ONCE = 1000
HAND_OVER = 60.0
"""Seconds of the domain's time between two looks for alerts that were left by whoever went off duty."""
ASK_WHAT_BECAME = 60.0
"""Seconds between two looks for messages of which a delivery service has said nothing."""
LOOK_AHEAD = 3600.0
"""Seconds of the domain's time between two looks for gaps in the rotas, and for who comes of age."""
HOLD_AGAINST = 300.0
"""Seconds of the domain's time between two looks whether what is stored of urgent cases is what their logs say."""
ROUNDS_LOOKED_AT = 10.0
"""Seconds between two looks whether Prefect has started the rounds that it is to start."""
PAPER_LOOKED_AT = 60.0
"""Seconds between two looks whether the lists of open cases for paper are an hour old."""
MADE_ANEW_LOOKED_AT = 60.0
"""Seconds between two looks whether states of an earlier release are left: after an upgrade, or a restore."""
ADDED_UP = 60.0
"""Seconds between two times that what has ended is added up for managers' figures."""
RUNG, RUNG_FOR_A_LOOK = 1.0, 5.0
"""Seconds for which a bell is waited for before it is asked all the same: what is tried again rings nobody."""
BREATH = 0.1
"""Seconds between two looks at what there is to do: rings that come thick and fast are one."""


class Worker:
    """One worker process. Everything it holds can be lost: the log has the truth."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings, self.store = settings, store
        self.pulse = Pulse(settings, store)
        self.postman = Postman(settings, store, self.pulse)
        self.started = False
        self.rang, self.outbox_rang, self.look_rang = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.carrier = Carrier(store, settings)
        self.mender, self.anew = Mender(store), Anew(store)
        self.liaison = Liaison(store, settings, self.carrier)
        self.paper = Paper(store, settings)
        self.spare = Spare(store)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            loops = (self._listen, self._find_behind, self._fire_clocks, self._send_notices, self._beat)
            child = (self._look_whether_known, self._make_anew)
            more = (
                *child,
                self._tell_stories,
                self._end_idle,
                self._close_spare,
                self._hand_over,
                self._ask_what_became,
                self._look_ahead,
                self._hold_against_the_log,
                self.liaison.keep_in_touch,
                self._make_rounds,
                self._add_up,
            )
            paper = (self._make_paper,) if self.settings.paper_dir else ()
            for loop in (*loops, *more, *paper):
                group.create_task(self._forever(loop))
            for _ in range(self.settings.attempts_at_once):
                group.create_task(self._forever(self.carrier.carry_next))

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeat a step; when it fails, say so without details that could name a person, wait a moment, go on. A step may keep
        that it was cancelled to itself, as Prefect's engine does, and `wait_for` at times: the task still knows. And where only
        what it waited for was cancelled, by whatever library, the loop would end without a word."""
        task = asyncio.current_task()
        while task and not task.cancelling():
            try:
                await step()
            except (Exception, asyncio.CancelledError) as error:
                if isinstance(error, asyncio.CancelledError) and task.cancelling():
                    raise
                log.warning("failed, trying again", step=step.__name__.strip("_"), error=type(error).__name__)
                await asyncio.sleep(1)

    async def _listen(self) -> None:
        gone = asyncio.Event()
        connection = await asyncpg.connect(self.store.listen_url)
        try:
            connection.add_termination_listener(lambda _: gone.set())
            await self._take_over(connection)
            await connection.add_listener(CHANNEL, lambda *_: self._ring())
            self._ring()
            await gone.wait()
        finally:
            await connection.close()

    async def _take_over(self, connection: asyncpg.Connection) -> None:
        """A worker that starts while no other lives sends at once what one that died was sending: its lease is not waited for.
        Every worker holds the lock as long as it lives, and the database a moment longer, until it sees that it is dead."""
        for _ in range(0 if self.started else TRIES):
            if await connection.fetchval("SELECT pg_try_advisory_lock($1)", WORKING):
                await outbox.take_over(self.store)
                await connection.execute("SELECT pg_advisory_unlock($1)", WORKING)
                break
            await asyncio.sleep(BREATH)
        await connection.execute("SELECT pg_advisory_lock_shared($1)", WORKING)
        self.started = True

    def _ring(self) -> None:
        self.rang.set()
        self.outbox_rang.set()
        self.look_rang.set()

    async def _find_behind(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.rang.wait(), 2)
        self.rang.clear()
        await self.carrier.calm.wait()
        if self.carrier.connected:  # with Prefect away they stay behind; the clocks and notices do not
            for reference, urgent, version in await behind(self.store, AT_ONCE):
                self.carrier.queue.stir(reference, urgent, version)
            await asyncio.sleep(BREATH)

    async def _fire_clocks(self) -> None:
        upcoming = await next_due(self.store)
        try:
            if upcoming and upcoming <= self.store.time.now():
                # Clocks go first: while many are due, no run is carried (at 1,000 due at once: 50 s late with carrying going on).
                self.carrier.calm.clear()
                while await fire_due(self.store, limit=BATCH, late=self.pulse.count_fired) == BATCH:
                    pass
                upcoming = await next_due(self.store)
        finally:
            self.carrier.calm.set()
        await asyncio.sleep(min(1.0, max(0.02, self.store.time.wait(upcoming))) if upcoming else 1.0)

    async def _beat(self) -> None:
        await self.pulse.beat(self.carrier.connected, refused=self.carrier.refused, amiss=self.carrier.amiss)
        await asyncio.sleep(SIGN_EVERY)

    async def _hand_over(self) -> None:
        await raise_what_was_left(self.store)
        await self.postman.hand_over()
        await asyncio.sleep(max(1.0, HAND_OVER / self.store.time.rate))

    async def _ask_what_became(self) -> None:
        await ask_what_became(self.store, self.postman.channels, self.settings.mail_url)
        await asyncio.sleep(ASK_WHAT_BECAME)

    async def _look_ahead(self) -> None:
        await look_ahead(self.store)
        await say_who_comes_of_age(self.store)
        await say_who_is_away(self.store)
        await asyncio.sleep(LOOK_AHEAD / self.store.time.rate)

    async def _hold_against_the_log(self) -> None:
        await self.mender.look_at_urgent()
        await asyncio.sleep(max(1.0, HOLD_AGAINST / self.store.time.rate))

    async def _make_rounds(self) -> None:
        await self.liaison.make_overdue_rounds()
        await asyncio.sleep(ROUNDS_LOOKED_AT)

    async def _make_paper(self) -> None:
        await self.carrier.calm.wait()  # clocks go first
        await self.paper.make_if_due()
        await asyncio.sleep(PAPER_LOOKED_AT)

    async def _look_whether_known(self) -> None:
        await self.carrier.calm.wait()  # clocks go first
        if await look_next(self.store):
            return
        await self._until_rung(self.look_rang, RUNG_FOR_A_LOOK)

    async def _make_anew(self) -> None:
        await self.carrier.calm.wait()
        await asyncio.sleep(BREATH if await self.anew.batch() else MADE_ANEW_LOOKED_AT)

    async def _add_up(self) -> None:
        for hub in self.store.hubs:
            for add in (add_up, add_months, add_waiting):
                await add(self.store, hub, self.carrier.calm.wait)  # clocks go first
        await asyncio.sleep(ADDED_UP)

    async def _end_idle(self) -> None:
        OPEN.end_idle()
        await asyncio.sleep(1)

    async def _close_spare(self) -> None:
        await self.spare.close()
        await asyncio.sleep(LOOKED_AT)

    async def _tell_stories(self) -> None:
        began = asyncio.get_running_loop().time()
        await self.carrier.tell_stories()
        took = asyncio.get_running_loop().time() - began
        await asyncio.sleep(max(BREATH, self.settings.story_seconds - took))

    async def _send_notices(self) -> None:
        await self.carrier.calm.wait()  # while a storm breaks it is not sent piecemeal
        if not (await outbox.anything_waits(self.store) and await self.postman.send_next()):
            await self._until_rung(self.outbox_rang)

    async def _until_rung(self, bell: asyncio.Event, seconds: float = RUNG) -> None:
        """Until something may be there to do, or so many seconds have passed."""
        with suppress(TimeoutError):
            await asyncio.wait_for(bell.wait(), seconds)
            await asyncio.sleep(BREATH)
            bell.clear()


def work(settings: Settings) -> None:
    """Be a worker process until SIGINT or SIGTERM. Raises SettingsError when the channels file is wrong, the key that signs
    checkpoints is missing, nobody could open the list for paper, or Prefect's server is there and refuses our login."""
    # While a run is carried, the engine has SIGTERM raise this, wherever the process is; the loop has heard the signal too. Not
    # on uvloop, though it takes less time: what such a handler raises is lost there, and the signal with it.
    with suppress(TerminationSignal):
        asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    signing_key(settings)  # what the night needs is asked for by day
    check_alerts(settings)
    if settings.paper_dir:
        sealed_to(settings)
    await check_login()
    store = await open_store(settings)
    try:
        worker = Worker(settings, store)
        task = asyncio.ensure_future(worker.run())
        for stop in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(stop, task.cancel)
        with suppress(asyncio.CancelledError):
            await task
        with suppress(*DATABASE_AWAY):  # its database may have gone first
            await worker.pulse.leave()
    finally:
        await store.close()
