"""The sealed list of open cases: a page that prints, signed, encrypted as backups are, in a folder that is there without us.

Inside the encryption it is plain HTML: who has the identity opens it with any program of the age format too. The signature stands
behind the page as a comment, which no browser shows.
"""

from __future__ import annotations

import base64
import binascii
import io
import os
import re
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from mash.config.settings import Settings
from mash.flows.installation.copies import BackupFailed
from mash.flows.installation.envelope import decrypt, encrypt, recipients

PURPOSE = b"mash list of open cases\n"
"""Signed with it: neither a checkpoint nor a backup is such a list."""
_SIGNED = re.compile(rb"\n<!-- signed ([A-Za-z0-9+/=]{88}) -->\n\Z")
_NAME = re.compile(r"open-cases-(?P<hub>[a-z0-9_]+)-\d{4}-\d\d-\d\dT\d{6}Z\.html\.age")


def sealed_to(settings: Settings) -> list[Any]:
    """To whom the list is encrypted: its own recipients, or else those of backups. Raises SettingsError."""
    if settings.paper_recipient:
        return recipients(settings.paper_recipient, "MASH_PAPER_RECIPIENT")
    return recipients(settings.backup_recipient, "MASH_PAPER_RECIPIENT (or MASH_BACKUP_RECIPIENT)")


def write_list(page: str, folder: Path, hub: str, at: datetime, to: list[Any], key: Ed25519PrivateKey) -> Path:
    """Seal a hub's list into a folder, under its time; it has its name once it is whole. Raises BackupFailed."""
    path = folder / f"open-cases-{hub}-{at.astimezone(UTC):%Y-%m-%dT%H%M%SZ}.html.age"
    content = page.encode()
    signature = base64.b64encode(key.sign(PURPOSE + content))
    try:
        descriptor, made = tempfile.mkstemp(prefix=".open-cases-", suffix=".part", dir=folder)
    except OSError as failed:
        raise BackupFailed(f"nothing can be written to MASH_PAPER_DIR: {failed.strerror}") from None
    unfinished = Path(made)
    try:
        with os.fdopen(descriptor, "wb") as file:
            encrypt(io.BytesIO(content + b"\n<!-- signed " + signature + b" -->\n"), file, to)
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as failed:
        raise BackupFailed(f"the list cannot be written to MASH_PAPER_DIR: {failed.strerror}") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def lists_of(folder: Path, hub: str) -> list[Path]:
    """A hub's lists, the newest first."""
    found = (path for path in folder.iterdir() if (match := _NAME.fullmatch(path.name)) and match["hub"] == hub)
    return sorted(found, key=lambda path: path.name, reverse=True)


def keep_newest(folder: Path, hub: str, keep: int) -> None:
    """Remove all but the newest of a hub's lists."""
    for path in lists_of(folder, hub)[keep:]:
        path.unlink(missing_ok=True)


def newest(folder: Path, hub: str) -> timedelta | None:
    """How long ago a hub's newest list was written; None where there is none."""
    there = lists_of(folder, hub)
    return datetime.now(UTC) - datetime.fromtimestamp(there[0].stat().st_mtime, UTC) if there else None


def open_list(path: Path, by: list[Any], key: Ed25519PublicKey | None) -> tuple[bytes, str]:
    """The page of a sealed list; and what is to be said of who made it, empty where that was checked. Raises BackupFailed for
    what does not open, or is signed by another key."""
    opened = io.BytesIO()
    try:
        with path.open("rb") as file:
            decrypt(file, opened, by)
    except BackupFailed as failed:
        raise BackupFailed(f"{path}: {failed}") from None
    except OSError as failed:
        raise BackupFailed(f"{path} cannot be read: {failed.strerror}") from None
    content = opened.getvalue()
    signed = _SIGNED.search(content)
    if signed is None:
        raise BackupFailed(f"{path}: nobody signed it: whoever knows the recipient, which is public, can have made it")
    page = content[: signed.start()]
    if key is None:
        return page, "who made it was not checked: say --key, as `mash checkpoint key` printed it where it was made"
    try:
        key.verify(base64.b64decode(signed[1]), PURPOSE + page)
    except (InvalidSignature, binascii.Error):
        raise BackupFailed(f"{path}: its signature does not hold: it was forged, or made by another installation") from None
    return page, ""
