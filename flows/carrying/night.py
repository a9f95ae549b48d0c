"""What is done once a night: a checkpoint is signed, contacts are counted, a sample of cases is decided again, people whose time
is over are announced, and later erased, and what the census' rules find is counted. Each step stands alone: one that fails holds
up none of the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mash.config.errors import SettingsError
from mash.config.settings import Settings
from mash.flows.returns.extract import count_findings
from mash.flows.store.checkpoints import Signed, make_checkpoint, read_checkpoints, signing_key
from mash.flows.store.elsewhere import newest, write_checkpoint
from mash.flows.store.erasure import rewrite_after_erasures
from mash.flows.store.held_against import restored_in_words
from mash.flows.store.mending import Mender
from mash.flows.store.nights import record_step
from mash.flows.store.reads.children import children
from mash.flows.store.reads.counts import conservation
from mash.flows.store.replay import replay
from mash.flows.store.retention import erase_listed, list_due
from mash.flows.store.store import Store
from mash.flows.store.sums import owe_what_is_gone
from mash.flows.store.trouble import record_repair, tell_administrators, tell_role
from mash.notifications.notices import ADMINISTRATOR, GOVERNANCE

log = structlog.stdlib.get_logger("mash.nightly")


@dataclass
class Night:
    """What the night's work needs."""

    store: Store
    settings: Settings


OTHERWISE, OTHERWISE_AGAIN = "acts come out otherwise when they are decided again", timedelta(days=7)
"""What a hub's administrators are told of that, and after how long again: until it is mended, each night finds the like."""


class NightNotWhole(Exception):
    """A step of the night's work has failed; says which. The others were done."""


async def _derive(night: Night) -> None:
    await Mender(night.store).look_at_all()


async def _checkpoint(night: Night) -> None:
    await take_checkpoint(night.store, night.settings)


async def _copy(night: Night) -> None:
    if folder := night.settings.checkpoint_dir:
        await copy_checkpoints(night.store, folder)


async def _count(night: Night) -> None:
    await check_conservation(night.store)


async def _returns(night: Night) -> None:
    await count_findings(night.store)


async def _figures(night: Night) -> None:
    await owe_what_is_gone(night.store)


async def _replay(night: Night) -> None:
    await check_replay(night.store)


async def _retain(night: Night) -> None:
    await keep_to_retention(night.store)


STEPS: dict[str, Callable[[Night], Awaitable[None]]] = {
    "derivation": _derive,
    "checkpoint": _checkpoint,
    "checkpoint_copy": _copy,
    "conservation": _count,
    "replay": _replay,
    "retention": _retain,
    "returns": _returns,
    "figures": _figures,
}
"""What is done every night, in this order."""


async def work_through(night: Night, steps: Mapping[str, Callable[[Night], Awaitable[None]]]) -> None:
    """Do each of the steps, and write down what became of it; the administrators are told of those that failed, by name and kind
    of error. Raises NightNotWhole then."""
    failed = {}
    for step, work in steps.items():
        if step == "checkpoint_copy" and not night.settings.checkpoint_dir:
            continue
        try:
            await work(night)
        except Exception as error:
            # What an error says may name somebody; what is wrong with a setting is ours.
            failed[step] = str(error) if isinstance(error, SettingsError) else type(error).__name__
            log.error("a step of the night has failed", step=step, error=type(error).__name__)
        await record_step(night.store, step, failed.get(step, ""))
    for step, why in failed.items():
        what = f"the night's {step.replace('_', ' ')} has failed"
        for hub in night.store.hubs:
            await tell_administrators(night.store, hub, what, f"{why}. The other steps were done; see /health.")
    if failed:
        raise NightNotWhole(f"failed: {', '.join(failed)}")


async def take_checkpoint(store: Store, settings: Settings) -> Signed:
    """Sign what everything is now, and keep it here. Raises SettingsError without a key to sign by."""
    key = signing_key(settings)
    signed = await make_checkpoint(store, key, _elsewhere(settings, key))
    await tell_of_restore(store, signed)
    return signed


def _elsewhere(settings: Settings, key: Ed25519PrivateKey) -> Signed | None:
    """The newest checkpoint that is kept elsewhere; none where that cannot be read: what is to be signed here does not wait for
    it, and the step that copies says what is wrong there."""
    try:
        return newest(settings.checkpoint_dir, key.public_key())
    except SettingsError:
        return None


async def check_conservation(store: Store) -> None:
    """Alarm everybody when a contact is missing, or a child: nobody's turn, without a date, or ended by no person."""
    count = await conservation(store)
    if count["contacts"] != count["outcomes"] + count["open"]:
        what = f"{count['contacts']} contacts were received, {count['outcomes']} have outcomes, {count['open']} are open"
        await _alarm(store, "contacts do not add up", what)
    if wrong := (await children(store)).wrong:
        await _alarm(store, "children do not add up", wrong)


async def check_replay(store: Store) -> None:
    """Decide the cases again whose turn it is, and tell a hub's administrators where one of theirs comes out otherwise: the rules
    were changed without a new edition, or a log does not say what was asked."""
    found = await replay(store, store.time.now().date())
    for hub, different in found.by_hub.items():
        what = f"of the acts decided again tonight {len(different)} came out otherwise, first {different[0]}"
        await record_repair(store, different[0].reference, f"the night's replay: {what}")
        if hub in store.hubs:
            detail = f"{what}. See `mash log replay`."
            await tell_administrators(store, hub, OTHERWISE, detail, at_most_every=OTHERWISE_AGAIN)


async def _alarm(store: Store, title: str, what: str) -> None:
    await record_repair(store, None, f"the night's count: conservation fails: {what}")
    for hub in store.hubs:
        for role in (ADMINISTRATOR, GOVERNANCE):
            await tell_role(store, hub, role, title, what)


async def tell_of_restore(store: Store, signed: Signed) -> None:
    """Tell everybody concerned that a new epoch begins: this database was restored, or found to be older than what is kept."""
    if "restored" not in signed.contents:
        return
    what = restored_in_words(signed)
    await record_repair(store, None, what)
    for hub in store.hubs:
        for role in (ADMINISTRATOR, GOVERNANCE):
            await tell_role(store, hub, role, "this database was restored", what)


async def copy_checkpoints(store: Store, folder: Path) -> int:
    """Write what is missing where checkpoints are kept elsewhere, also what could not be written there on another night; returns
    how many."""
    written = 0
    for signed in await read_checkpoints(store):
        try:
            write_checkpoint(folder, signed)
            written += 1
        except FileExistsError:
            continue
    return written


async def keep_to_retention(store: Store) -> None:
    """Erase what has been announced for long enough, then announce what is due, hub by hub; and have the keys that were destroyed
    leave the files."""
    for hub, profile in store.hubs.items():
        erased, new = await erase_listed(store, profile), await list_due(store, profile)
        if erased:
            some = f"{len(erased)} contacts, the first {erased[0]}"
            await tell_role(store, hub, GOVERNANCE, "people were erased, their time being over", some)
        if new:
            days = profile.retention.listed_days
            what = (
                f"{len(new)} contacts, the first {new[0]}, in {days} days. See `mash retention list`; hold those that are needed."
            )
            await tell_role(store, hub, GOVERNANCE, "people are about to be erased", what)
    await rewrite_after_erasures(store)
