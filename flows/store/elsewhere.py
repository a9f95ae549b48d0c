"""Checkpoints as files, in a place that whoever runs the database cannot change."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from mash.config.errors import SettingsError
from mash.flows.store.checkpoints import Signed, is_signed
from mash.flows.store.store import as_json


def write_checkpoint(folder: Path, signed: Signed) -> Path:
    """Write a checkpoint to a folder, under its number. One that is there is not written over: where another has the number, as
    after a restore, its digest tells them apart. Raises FileExistsError where this very one is there, and NotADirectoryError
    where the folder is none."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(f"{folder} is no folder") from None
    path = folder / f"checkpoint-{signed.contents['number']:06d}.json"
    content = as_json({"document": signed.document, "signature": signed.signature})
    if path.exists() and path.read_text(encoding="utf-8") != content:
        path = path.with_stem(f"{path.stem}-{signed.digest[:12]}")
    with path.open("x", encoding="utf-8") as file:
        file.write(content)
    return path


def read_folder(folder: Path) -> list[Signed]:
    """The checkpoints in a folder, by number. Raises SettingsError for one that cannot be read."""
    try:
        files = [Signed(**json.loads(path.read_text(encoding="utf-8"))) for path in folder.glob("checkpoint-*.json")]
        return sorted(files, key=lambda signed: (signed.contents["number"], signed.contents["at"]))
    except (OSError, ValueError, TypeError, KeyError):
        raise SettingsError(f"{folder}: a checkpoint cannot be read; expected what `mash checkpoint export` wrote") from None


def newest(folder: Path | None, key: Ed25519PublicKey) -> Signed | None:
    """The newest checkpoint that is kept in a folder and signed by this key; None where there is none. What else lies there, or
    cannot be read, stops nobody from signing the next one."""
    if folder is None or not folder.is_dir():
        return None
    by_number = groupby(sorted(folder.glob("checkpoint-*.json"), key=_number, reverse=True), key=_number)
    for _, files in by_number:
        signed = [each for path in files if (each := _read(path)) and is_signed(each, key)]
        if signed:
            return max(signed, key=lambda each: str(each.contents["at"]))
    return None


def _number(path: Path) -> int:
    digits = path.stem.split("-")[1]
    return int(digits) if digits.isdecimal() else 0


def _read(path: Path) -> Signed | None:
    try:
        return Signed(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
