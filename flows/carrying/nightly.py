"""What is done once a night: a checkpoint is signed, and people whose time is over are announced, and later erased."""

from __future__ import annotations

import tempfile
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from prefect import flow

from mash.config.settings import Settings
from mash.flows.store.checkpoints import Signed, make_checkpoint, signing_key
from mash.flows.store.elsewhere import newest, write_checkpoint
from mash.flows.store.erasure import rewrite_after_erasures
from mash.flows.store.held_against import restored_in_words
from mash.flows.store.mending import Mender
from mash.flows.store.retention import erase_listed, list_due
from mash.flows.store.store import Store
from mash.flows.store.trouble import record_repair, tell_role
from mash.notifications.notices import ADMINISTRATOR, GOVERNANCE


@dataclass
class Night:
    """What the night's work needs."""

    store: Store
    settings: Settings


NIGHT: ContextVar[Night] = ContextVar("night")


@flow(name="nightly", persist_result=False, result_storage=Path(tempfile.gettempdir()), validate_parameters=False)
async def nightly() -> None:
    """Hold all cases against their logs, sign a checkpoint, and carry out what the profiles say of retention."""
    night = NIGHT.get()
    await Mender(night.store).look_at_all()
    await take_checkpoint(night.store, night.settings)
    await keep_to_retention(night.store)


async def take_checkpoint(store: Store, settings: Settings) -> Signed:
    """Sign what everything is now, keep it here and where it is to be kept elsewhere; and alarm everybody when a contact is
    missing. Raises SettingsError without a key to sign by."""
    key = signing_key(settings)
    signed = await make_checkpoint(store, key, newest(settings.checkpoint_dir, key.public_key()))
    if settings.checkpoint_dir:
        write_checkpoint(settings.checkpoint_dir, signed)
    await tell_of_restore(store, signed)
    count = signed.contents["contacts"]
    if count["contacts"] != count["outcomes"] + count["open"]:
        what = f"{count['contacts']} contacts were received, {count['outcomes']} have outcomes, {count['open']} are open"
        await record_repair(store, None, f"checkpoint {signed.contents['number']}: conservation fails: {what}")
        for hub in store.hubs:
            for role in (ADMINISTRATOR, GOVERNANCE):
                await tell_role(store, hub, role, "contacts do not add up in the signed checkpoint", what)
    return signed


async def tell_of_restore(store: Store, signed: Signed) -> None:
    """Tell everybody concerned that a new epoch begins: this database was restored, or found to be older than what is kept."""
    if "restored" not in signed.contents:
        return
    what = restored_in_words(signed)
    await record_repair(store, None, what)
    for hub in store.hubs:
        for role in (ADMINISTRATOR, GOVERNANCE):
            await tell_role(store, hub, role, "this database was restored", what)


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


def tonight() -> datetime:
    """When the night's work is done first; it is repeated daily."""
    return datetime.now(UTC).replace(hour=2, minute=30, second=0, microsecond=0)
