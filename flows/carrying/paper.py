"""Every hour the open cases of each hub are written to a sealed list, so that work goes on on paper when all is down."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import structlog

from mash.config.settings import Settings, SettingsError
from mash.flows.installation.copies import BackupFailed
from mash.flows.installation.paper import keep_newest, sealed_to, write_list
from mash.flows.store.checkpoints import signing_key
from mash.flows.store.nights import PAPER, expect_paper, record_step
from mash.flows.store.reads.on_paper import open_with_words
from mash.flows.store.rounds import begin_counting, begin_round, end_round, take_overdue
from mash.flows.store.store import Store
from mash.flows.store.trouble import tell_administrators
from mash.flows.telling.paper_list import as_page, on_paper

log = structlog.stdlib.get_logger("mash.paper")
EVERY = timedelta(hours=1)
LONGEST = timedelta(minutes=10)
"""One that takes longer has failed: another worker makes it."""
TELL_EVERY = timedelta(hours=6)
NOT_MADE = "the list of open cases for paper could not be made"


class Paper:
    """The lists that one worker makes. Of several workers each hour one makes them."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store, self.settings = store, settings

    async def make_if_due(self) -> None:
        """Make the lists where the last ones are an hour old, or there never were any."""
        await expect_paper(self.store)
        made_before = await begin_counting(self.store, PAPER)
        if made_before and not await take_overdue(self.store, PAPER, EVERY, LONGEST):
            return
        await begin_round(self.store, PAPER)
        try:
            async with asyncio.timeout(LONGEST.total_seconds()):
                await make_lists(self.store, self.settings)
        except Exception as error:
            await self._failed(error)
            return
        await record_step(self.store, PAPER)
        await end_round(self.store, PAPER)

    async def _failed(self, error: Exception) -> None:
        """Say so where it is seen. What an error says may name somebody; what is ours to say names nobody."""
        ours = isinstance(error, BackupFailed | SettingsError)
        why = str(error) if ours else type(error).__name__
        log.error(NOT_MADE, error=type(error).__name__)
        await record_step(self.store, PAPER, why)
        for hub in self.store.hubs:
            detail = f"{why}. It is tried again in some minutes; the lists that were made before are still there."
            await tell_administrators(self.store, hub, NOT_MADE, detail, at_most_every=TELL_EVERY * self.store.time.rate)


async def make_lists(store: Store, settings: Settings) -> list[Path]:
    """Seal the list of each hub that is served, and keep the newest ones. Raises BackupFailed or SettingsError."""
    if (folder := settings.paper_dir) is None:
        raise SettingsError("MASH_PAPER_DIR is needed: where the list of open cases is written")
    to, key, made = sealed_to(settings), signing_key(settings), []
    for hub, profile in store.hubs.items():
        now = store.time.now()
        cases = [on_paper(case, said, store.rules(case.referral), now) async for case, said in open_with_words(store, hub)]
        # Together they take a second or two, for which no clock waits.
        page = await asyncio.to_thread(as_page, profile, cases, now)
        made.append(await asyncio.to_thread(write_list, page, folder, hub, now, to, key))
        keep_newest(folder, hub, settings.paper_keep)
    return made
