"""Whether everything is as it was written: the logs by themselves, what is stored beside them, and all held against what was
signed."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from mash.config.errors import SettingsError
from mash.config.settings import Settings
from mash.flows.store.checkpoints import check_signatures, read_checkpoints, signing_key
from mash.flows.store.elsewhere import read_folder
from mash.flows.store.held_against import between, verify_against
from mash.flows.store.log import verify
from mash.flows.store.mending import contradictions
from mash.flows.store.store import Store


@dataclass(frozen=True)
class Proof:
    """What came of proving an installation, a sentence each."""

    wrong: list[str]
    restored: list[str] = field(default_factory=list)
    """What is to be known of restores, and what they left behind."""


async def prove(store: Store, settings: Settings, against: Path | None, by: str | None) -> Proof:
    """What is wrong: with the logs by themselves, with what is stored beside them, and held against the signed checkpoints: those
    of a folder that was kept elsewhere, or else those that the database keeps. `by` checks their signatures, in place of the
    installation's own key."""
    wrong = [sentence async for sentence in verify(store)]
    # That a state is not what the log says, and which event broke a chain, has been said.
    wrong += [sentence async for sentence in contradictions(store) if sentence not in wrong]
    checkpoints = read_folder(against) if against else await read_checkpoints(store)
    if against and not checkpoints:
        raise SettingsError(f"there is no checkpoint in {against}: `mash checkpoint export` writes them")
    if not checkpoints:
        return Proof(wrong)
    wrong += check_signatures(checkpoints, public(settings, by))
    wrong += [sentence async for sentence in verify_against(store, checkpoints)]
    return Proof(wrong, await between(store, checkpoints))


def public(settings: Settings, by: str | None) -> Ed25519PublicKey:
    """What checks signatures: as it was given, or the installation's own. Raises SettingsError."""
    if by is None:
        return signing_key(settings).public_key()
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(by, validate=True))
    except (binascii.Error, ValueError):
        raise SettingsError("--key: expected what `mash checkpoint key` prints") from None
