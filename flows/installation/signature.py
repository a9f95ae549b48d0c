"""Who made a backup: what is signed of it stands behind the dump, within the encryption.

Anybody may encrypt to a recipient, who is public. What was dumped is signed by the installation's key, which signs checkpoints
too. A program that restores the dump by hand stops where it ends, and never sees the signature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from mash.flows.installation.copies import BackupFailed, Snapshot
from mash.flows.installation.envelope import Reads, Writes
from mash.flows.store.store import as_json

SIZE = 8192
"""Bytes of what is signed, filled up with blanks."""
MAGIC = b"MASH-SIGNED-BACKUP-1\n"
PURPOSE = b"mash backup\n"
"""Signed with it: a checkpoint is no backup, and none of its bytes are."""


@dataclass(frozen=True)
class Statement:
    """What whoever made a backup says of it, exactly as it was signed."""

    document: str
    signature: str

    @property
    def contents(self) -> dict[str, Any]:
        """What it says."""
        return dict(json.loads(self.document))

    @property
    def at(self) -> str:
        """The moment of the database that the backup holds."""
        return str(self.contents["at"])


class Signing:
    """A dump on its way into a backup: read through, and signed at its end."""

    def __init__(self, dump: Reads, key: Ed25519PrivateKey, of: Snapshot) -> None:
        self.dump, self.key, self.of = dump, key, of
        self.digest, self.bytes, self.rest = hashlib.sha256(), 0, b""
        self.ended = False

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes: of the dump, and after its end of what is signed."""
        if not self.ended:
            if piece := self.dump.read(size):
                self.digest.update(piece)
                self.bytes += len(piece)
                return piece
            self.ended, self.rest = True, self._signed()
        piece, self.rest = (self.rest, b"") if size < 0 else (self.rest[:size], self.rest[size:])
        return piece

    def _signed(self) -> bytes:
        document = as_json(
            {
                "sha256": self.digest.hexdigest(),
                "bytes": self.bytes,
                "at": self.of.at.isoformat(),
                "counts": self.of.counts,
                "checkpoint": self.of.checkpoint,
            }
        )
        signature = base64.b64encode(self.key.sign(PURPOSE + document.encode())).decode()
        content = MAGIC + as_json({"document": document, "signature": signature}).encode()
        if len(content) > SIZE:
            raise BackupFailed("what is to be signed of this backup does not fit behind it")
        return content.ljust(SIZE)


class Opening:
    """What is decrypted of a backup, piece by piece: the dump goes on to its target, what is signed stays here."""

    def __init__(self, target: Writes) -> None:
        self.target, self.digest, self.bytes = target, hashlib.sha256(), 0
        self.tail = b""

    def write(self, data: bytes, /) -> int:
        """Take a piece; the last bytes that came are held back, for they may be what is signed."""
        come = self.tail + data
        self._pass_on(come[:-SIZE])
        self.tail = come[-SIZE:]
        return len(data)

    def flush(self) -> None:
        """The target's."""
        self.target.flush()

    def end(self) -> Statement | None:
        """All has come. What is signed of it; None, and the rest is dump, where nobody signed it. Raises BackupFailed."""
        if not self.tail.startswith(MAGIC):
            self._pass_on(self.tail)
            self.target.flush()
            return None
        self.target.flush()
        try:
            statement = Statement(**json.loads(self.tail[len(MAGIC) :]))
            contents = statement.contents
            same = (contents["sha256"], contents["bytes"]) == (self.digest.hexdigest(), self.bytes)
            datetime.fromisoformat(contents["at"])
        except (ValueError, TypeError, KeyError):
            raise BackupFailed("what is signed of it cannot be read") from None
        if not same:
            raise BackupFailed("what is signed is another backup: its dump was exchanged")
        return statement

    def _pass_on(self, piece: bytes) -> None:
        if piece:
            self.digest.update(piece)
            self.bytes += len(piece)
            self.target.write(piece)


def check_statement(statement: Statement | None, by: Ed25519PublicKey | None) -> str | None:
    """What is wrong with who made a backup; None when it is signed by this key."""
    if statement is None:
        return "nobody signed it: whoever knows the recipient, which is public, can have made it"
    if by is None:
        return "there is nothing here to check its signature by: say --key, as `mash checkpoint key` printed it where it was made"
    try:
        by.verify(base64.b64decode(statement.signature), PURPOSE + statement.document.encode())
    except (InvalidSignature, binascii.Error):
        return "its signature does not hold: it was forged, or made by another installation or an older key (--key)"
    return None


@dataclass(frozen=True)
class Signer:
    """By whom a backup must be signed."""

    key: Ed25519PublicKey | None
    anybody: bool = False
    """Take one that nobody signed, or somebody else, too: it may be forged."""

    def holds(self, statement: Statement | None) -> bool:
        """Whether they signed it."""
        return check_statement(statement, self.key) is None
