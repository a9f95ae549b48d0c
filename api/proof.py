"""Whether the logs are as they were written: by themselves, and held against what was signed."""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from mash.config.settings import Settings, SettingsError
from mash.flows.store.checkpoints import Signed, check_signatures, read_checkpoints, signing_key, verify_against
from mash.flows.store.log import verify
from mash.flows.store.store import Store


async def prove(store: Store, settings: Settings, against: Path | None, by: str | None) -> list[str]:
    """What is wrong with the logs: by themselves, and held against the signed checkpoints: those of a folder that was kept
    elsewhere, or else those that the database keeps. `by` checks their signatures, in place of the installation's own key."""
    wrong = [sentence async for sentence in verify(store)]
    checkpoints = _read(against) if against else await read_checkpoints(store)
    if against and not checkpoints:
        raise SettingsError(f"there is no checkpoint in {against}: `mash checkpoint export` writes them")
    if checkpoints:
        wrong += check_signatures(checkpoints, _public(settings, by))
        wrong += [sentence async for sentence in verify_against(store, checkpoints)]
    return wrong


def _read(folder: Path) -> list[Signed]:
    try:
        return [Signed(**json.loads(path.read_text())) for path in sorted(folder.glob("checkpoint-*.json"))]
    except (OSError, ValueError, TypeError):
        raise SettingsError(f"{folder}: a checkpoint cannot be read; expected what `mash checkpoint export` wrote") from None


def _public(settings: Settings, by: str | None) -> Ed25519PublicKey:
    if by is None:
        return signing_key(settings).public_key()
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(by, validate=True))
    except (binascii.Error, ValueError):
        raise SettingsError("--key: expected what `mash checkpoint key` prints") from None
