"""Encrypting what leaves the installation: the age format (age-encryption.org), to those who keep elsewhere what opens it.

The only import of pyrage. A stream is encrypted piece by piece, each authenticated, and the last one marked: a file that was
changed or cut off anywhere does not open. Other programs of the format (age, rage) open it too.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from pyrage import DecryptError, EncryptError, IdentityError, RecipientError, decrypt_io, encrypt_io, x25519

from mash.config.errors import SettingsError
from mash.flows.installation.copies import BackupFailed


class Reads(Protocol):
    """Something to read bytes from."""

    def read(self, size: int = -1, /) -> bytes: ...


class Writes(Protocol):
    """Something to write bytes to."""

    def write(self, data: bytes, /) -> int: ...

    def flush(self) -> None: ...


class Beginning:
    """Keeps the first bytes of what is written to it, and lets the rest go."""

    def __init__(self, size: int) -> None:
        self.size, self.content = size, b""

    def write(self, data: bytes, /) -> int:
        """Take a piece."""
        self.content += data[: self.size - len(self.content)]
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""


def make_identity(path: Path) -> str:
    """Write a new identity to a file that only its owner can read; returns its recipient, which is public."""
    identity = x25519.Identity.generate()
    recipient = str(identity.to_public())
    try:
        # Made closed: there is no moment in which another could read it.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"# made by mash, {datetime.now(UTC):%Y-%m-%d}\n# public key: {recipient}\n{identity}\n")
    except OSError as failed:
        raise BackupFailed(f"{path} cannot be made: {failed.strerror}") from None
    return recipient


def recipients(setting: str, name: str = "MASH_BACKUP_RECIPIENT") -> list[Any]:
    """Those to whom is encrypted, each of whom can open: of the setting of this name, separated by commas. Raises
    SettingsError."""
    try:
        found = [x25519.Recipient.from_str(each.strip()) for each in setting.split(",") if each.strip()]
    except RecipientError:
        raise SettingsError(f"{name}: expected age1..., as `mash backup-key FILE` prints it") from None
    if not found:
        raise SettingsError(
            f"{name} is needed: to whom it is encrypted (age1...); `mash backup-key FILE` makes an identity and prints its"
            " recipient"
        )
    return found


def identities(content: str) -> list[Any]:
    """The identities in the content of an identity file, as age-keygen writes them too. Raises SettingsError."""
    lines = [line.strip() for line in content.splitlines() if line.strip() and not line.startswith("#")]
    try:
        found = [x25519.Identity.from_str(line) for line in lines]
    except IdentityError:
        found = []
    if not found:
        raise SettingsError("the identity file: expected a line AGE-SECRET-KEY-1..., as `mash backup-key FILE` writes it")
    return found


def encrypt(source: Reads, target: Writes, to: list[Any]) -> None:
    """Encrypt all of a stream. Raises BackupFailed when it cannot be written."""
    try:
        encrypt_io(source, target, to)
        target.flush()
    except (EncryptError, OSError) as failed:
        raise BackupFailed(f"it cannot be written: {failed}") from None


def decrypt(source: Reads, target: Writes, by: list[Any]) -> None:
    """Decrypt all of a stream. What is handed on before an error was authentic, but is not all of it.

    Raises BackupFailed; BrokenPipeError when nobody takes what is decrypted.
    """
    try:
        decrypt_io(source, target, by)
    except DecryptError as failed:
        if "matching keys" in str(failed):
            raise BackupFailed(
                "this identity does not open it: it was made for another recipient, or its beginning was changed"
            ) from None
        raise BackupFailed("it was not encrypted by us, or its beginning was changed or cut off") from None
    except BrokenPipeError:
        raise
    except OSError as failed:
        if failed.errno is not None:
            raise BackupFailed(f"it cannot be read: {failed.strerror}") from None
        raise BackupFailed("it was changed or cut off after it was made") from None
