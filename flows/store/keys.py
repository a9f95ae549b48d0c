"""Encryption of people's data: a key per referral, wrapped by a master key (AES-256-GCM), and keyed digests."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import shlex
import subprocess
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mash.config.errors import SettingsError
from mash.config.settings import Settings, read_secret_file

NONCE = 12
READ_AGAIN = 1.0
"""Seconds at least between two looks whether the master key has been rotated meanwhile."""
COMMAND_SECONDS = 30


class KeyDestroyed(Exception):
    """The referral's key was destroyed: its people cannot be read, here or anywhere."""


class NoKeyHere(Exception):
    """No master key that is here opens the referral's key: one that is elsewhere wrapped it. That says nothing of the case."""


@dataclass(frozen=True)
class Master:
    """A master key, and the name by which rows say which one wrapped them; it tells nothing of the key."""

    cipher: AESGCM
    name: str
    plain: bytes


def master_source(settings: Settings) -> Callable[[], str]:
    """Where the master keys come from, to be read again when they are rotated: a program that asks a key service, a file, or the
    environment. The newest is first; older ones, behind it, still open what they wrapped."""
    if settings.master_key_command:
        return lambda: _ask(settings.master_key_command)
    if path := settings.master_key_file:
        return lambda: read_secret_file(path, "MASH_MASTER_KEY_FILE")
    if settings.master_key is None:
        raise SettingsError("MASH_MASTER_KEY is needed; `mash up` makes one for you")
    plain = settings.master_key.get_secret_value()
    return lambda: plain


def _ask(command: str) -> str:
    # Its own credentials may be in the environment; ours are not for it.
    rest = {name: value for name, value in os.environ.items() if not name.startswith(("MASH_", "PREFECT_"))}
    try:
        done = subprocess.run(
            shlex.split(command), capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False, env=rest
        )
    except (OSError, subprocess.TimeoutExpired) as failed:
        raise SettingsError(
            f"MASH_MASTER_KEY_COMMAND: {type(failed).__name__}: is the program there, and does it answer?"
        ) from None
    if done.returncode:
        raise SettingsError(f"MASH_MASTER_KEY_COMMAND ended with code {done.returncode}")
    return done.stdout


def _masters(text: str) -> tuple[Master, ...]:
    found = []
    for word in text.split():
        try:
            plain = base64.b64decode(word, validate=True)
        except binascii.Error:
            plain = b""
        if len(plain) != 32:
            raise SettingsError("MASH_MASTER_KEY: expected 32 random bytes in base64; make them with: openssl rand -base64 32")
        found.append(Master(AESGCM(plain), hashlib.sha256(b"mash master" + plain).hexdigest()[:12], plain))
    if not found:
        raise SettingsError("MASH_MASTER_KEY is empty: expected 32 random bytes in base64")
    return tuple(found)


class Keyring:
    """What the master keys can do. Plain keys stay in memory, and only while they are used."""

    def __init__(self, source: Callable[[], str]) -> None:
        self._source, self._read_at = source, float("-inf")
        self.masters = _masters(source())
        self.receipts = self.search = self.rows = self.near_misses = b""
        """Keys of the installation, kept wrapped in the database: `open_store` gives them."""

    @property
    def current(self) -> Master:
        """The master key that wraps from now on."""
        return self.masters[0]

    def new_key(self, reference: str) -> tuple[bytes, bytes]:
        """A fresh data key for a referral, plain and wrapped."""
        key = AESGCM.generate_key(256)
        return key, self.wrap(key, reference)

    def wrap(self, key: bytes, name: str) -> bytes:
        """A key, wrapped by the current master key and bound to what it is for."""
        return seal(self.current.cipher, key, name)

    def unwrap(self, wrapped: bytes | None, reference: str) -> bytes:
        """The referral's data key. Raises KeyDestroyed when there is none any more, and NoKeyHere when it is another master
        key's."""
        if wrapped is None:
            raise KeyDestroyed(reference)
        for _ in range(2):
            for master in self.masters:
                try:
                    return unseal(master.cipher, wrapped, reference)
                except KeyDestroyed:
                    continue
            if not self._changed():
                break
        raise NoKeyHere(reference)

    def _changed(self) -> bool:
        """Whether there are other master keys than a moment ago; a place that cannot be read has no new ones."""
        try:
            return self.read_again()
        except SettingsError:
            return False

    def unknown(self, names: Collection[str]) -> set[str]:
        """Which of the master keys of these names are not here; where one is missing, they are read again first."""
        if not set(names) <= self._names:
            self._changed()
        return set(names) - self._names

    @property
    def _names(self) -> set[str]:
        return {master.name for master in self.masters}

    def read_again(self, *, at_once: bool = False) -> bool:
        """Look whether the master keys have changed, unless that was just done (`at_once`: even then); whether they have."""
        if not at_once and time.monotonic() - self._read_at < READ_AGAIN:
            return False
        before, self._read_at = self.masters, time.monotonic()
        self.masters = _masters(self._source())
        return [m.name for m in before] != [m.name for m in self.masters]

    def fingerprint(self, content: bytes) -> str:
        """A keyed digest of a request body, to tell a repeated one from another."""
        return hmac.new(self.receipts, content, hashlib.sha256).hexdigest()

    def first_receipts_key(self) -> bytes:
        """The key of receipts as it was before it was kept: reckoned from the oldest master key: earlier receipts hold."""
        return hmac.new(self.masters[-1].plain, b"mash receipts", hashlib.sha256).digest()


def seal(key: AESGCM, plain: bytes, bound_to: str) -> bytes:
    """Encrypt, bound to a reference so that a row copied to another referral does not open."""
    nonce = os.urandom(NONCE)
    return nonce + key.encrypt(nonce, plain, bound_to.encode())


def unseal(key: AESGCM, sealed: bytes, bound_to: str) -> bytes:
    """Decrypt what `seal` made. Raises KeyDestroyed when key or binding are not the ones it was made with."""
    try:
        return key.decrypt(sealed[:NONCE], sealed[NONCE:], bound_to.encode())
    except InvalidTag:
        raise KeyDestroyed(bound_to) from None


def digest(key: bytes, content: bytes) -> str:
    """A digest keyed by the referral's own key: worthless once that key is destroyed."""
    return hmac.new(hashlib.sha256(b"mash digest" + key).digest(), content, hashlib.sha256).hexdigest()
