"""Encryption of people's data: a key per referral, wrapped by a master key (AES-256-GCM), and keyed digests."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mash.config.settings import SettingsError

NONCE = 12


class KeyDestroyed(Exception):
    """The referral's key was destroyed, or the master key is not the one that wrapped it: its people cannot be read."""


class Keyring:
    """What the master key can do. Plain keys stay in memory, and only while they are used."""

    def __init__(self, master_base64: str) -> None:
        try:
            master = base64.b64decode(master_base64, validate=True)
        except binascii.Error:
            master = b""
        if len(master) != 32:
            raise SettingsError("MASH_MASTER_KEY: expected 32 random bytes in base64; make them with: openssl rand -base64 32")
        self._wrapping = AESGCM(master)
        self._digesting = hmac.new(master, b"mash receipts", hashlib.sha256).digest()

    def new_key(self, reference: str) -> tuple[bytes, bytes]:
        """A fresh data key for a referral, plain and wrapped."""
        key = AESGCM.generate_key(256)
        return key, seal(self._wrapping, key, reference)

    def unwrap(self, wrapped: bytes | None, reference: str) -> bytes:
        """The referral's data key. Raises KeyDestroyed when there is none any more."""
        if wrapped is None:
            raise KeyDestroyed(reference)
        return unseal(self._wrapping, wrapped, reference)

    def fingerprint(self, content: bytes) -> str:
        """A keyed digest of a request body, to tell a repeated one from another."""
        return hmac.new(self._digesting, content, hashlib.sha256).hexdigest()


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
