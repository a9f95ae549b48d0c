"""Every hour the open cases of each hub are written to a sealed list, so that work goes on on paper when all is down."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from mash.config.errors import SettingsError
from mash.config.settings import Settings
from mash.flows.installation.copies import BackupFailed
from mash.flows.installation.paper import keep_newest, sealed_to, write_list
from mash.flows.store.checkpoints import signing_key
from mash.flows.store.nights import PAPER, expect_paper, record_step
from mash.flows.store.reads.on_paper import Open, open_with_words
from mash.flows.store.rounds import begin_counting, begin_round, end_round, take_overdue
from mash.flows.store.store import Store
from mash.flows.store.trouble import tell_administrators
from mash.flows.telling.paper_list import OnPaper, as_page, by_reference, on_paper

log = structlog.stdlib.get_logger("mash.paper")
EVERY = timedelta(hours=1)
LONGEST = timedelta(minutes=10)
"""One that takes longer has failed: another worker makes it."""
TELL_EVERY = timedelta(hours=6)
NOT_MADE = "the list of open cases for paper could not be made"
NOT_WHOLE = "some cases could not be written on the list of open cases for paper"
MOST_NAMED = 20
"""Cases that are named where administrators are told; the log has all."""


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
    """Seal the list of each hub that is served, and keep the newest ones. Raises SettingsError; and BackupFailed where some could
    not be made, once all others have been."""
    if (folder := settings.paper_dir) is None:
        raise SettingsError("MASH_PAPER_DIR is needed: where the list of open cases is written")
    to, key, made = sealed_to(settings), signing_key(settings), list[Path]()
    failed: dict[str, list[str]] = {}
    for hub, profile in store.hubs.items():
        try:
            now = store.time.now()
            cases = [(each, _written(store, each, now)) async for each in open_with_words(store, hub)]
            # Together they take a second or two, for which no clock waits.
            page = await asyncio.to_thread(as_page, profile, [case for _, case in cases], now)
            made.append(await asyncio.to_thread(write_list, page, folder, hub, now, to, key))
            keep_newest(folder, hub, settings.paper_keep)
            await _tell_of_bare(store, hub, cases)
        except Exception as error:  # the lists of the other hubs are made all the same
            log.error("the list of one hub could not be made", hub=hub, error=type(error).__name__)
            failed.setdefault(str(error) if isinstance(error, BackupFailed) else type(error).__name__, []).append(hub)
    if failed:
        whose = "; ".join(f"{why} ({', '.join(hubs)})" for why, hubs in failed.items())
        raise BackupFailed(f"{whose}; {len(made)} of {len(store.hubs)} lists were made")
    return made


def _written(store: Store, found: Open, now: datetime) -> OnPaper:
    """A case as it stands on paper; where anything of it fails, its reference and when it is due."""
    try:
        if found.case is not None:
            return on_paper(found.case, found.said, store.rules(found.case.referral), now)
    except Exception as error:  # what it says may name somebody
        log.error("a case cannot be written on paper", reference=found.reference, error=type(error).__name__)
    return by_reference(found.reference, found.due_at, now)


async def _tell_of_bare(store: Store, hub: str, cases: Sequence[tuple[Open, OnPaper]]) -> None:
    """Administrators are told how many cases could not be written out: not of those whose people were erased."""
    erased = {found.reference for found, _ in cases if found.case and found.case.referral.erased}
    bare = [case.reference for found, case in cases if (case.bare or found.said is None) and case.reference not in erased]
    if not bare:
        return
    log.error(NOT_WHOLE, hub=hub, cases=len(bare))
    more = f" and {len(bare) - MOST_NAMED} more" if len(bare) > MOST_NAMED else ""
    detail = f"{len(bare)} of {len(cases)} stand there without who they are about: {', '.join(bare[:MOST_NAMED])}{more}"
    await tell_administrators(store, hub, NOT_WHOLE, detail, at_most_every=TELL_EVERY * store.time.rate)
