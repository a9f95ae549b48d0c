"""Whom somebody looks for, kept by their browser so that Back leads to who was found: sealed by this server, for ten minutes, and
opened for the person, the session and the hub alone that asked. Wall time."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from fastapi import Request
from fastapi.responses import Response

from mash.api.auth import cookie_name, set_cookie
from mash.flows.store.keys import KeyDestroyed, seal, unseal

COOKIE, PATH = "mash-find", "/find"
LIFE = timedelta(minutes=10)


@dataclass(frozen=True)
class Sought:
    """What was typed, until when it is kept, and which looks are written down for it already."""

    text: str
    born: str
    until: datetime
    noted: frozenset[str] = frozenset()

    def with_looks(self, looks: Iterable[str]) -> Sought:
        """The same, of which these looks are written down too."""
        return replace(self, noted=self.noted | {*looks})


def begin(text: str, born: str) -> Sought:
    """A new search: nothing of it was shown, so that no look is written down for it yet."""
    return Sought(text, born, datetime.now(UTC) + LIFE)


def keep(request: Request, answer: Response, sought: Sought) -> None:
    """Have the browser keep it until its time is over: showing it again makes it no younger."""
    plain = json.dumps(
        [sought.text, sought.born, sought.until.timestamp(), sorted(sought.noted)], ensure_ascii=False, separators=(",", ":")
    )
    # Half a character is no text, and cannot be sealed.
    sealed = seal(_key(request), plain.encode(errors="replace"), _bound_to(request))
    seconds = max(0, int((sought.until - datetime.now(UTC)).total_seconds()))
    set_cookie(request, answer, base64.urlsafe_b64encode(sealed).decode(), COOKIE, seconds, PATH)


def kept(request: Request) -> Sought | None:
    """What whoever calls looked for; None where they looked for nobody in the last ten minutes. What another person kept, or
    they themselves at another hub or in another role, does not open."""
    try:
        sealed = base64.urlsafe_b64decode(request.cookies.get(cookie_name(request, COOKIE, PATH), ""))
        text, born, until, noted = json.loads(unseal(_key(request), sealed, _bound_to(request)))
    except (binascii.Error, KeyDestroyed, ValueError):
        return None
    sought = Sought(text, born, datetime.fromtimestamp(until, UTC), frozenset(noted))
    return sought if datetime.now(UTC) < sought.until else None


def _bound_to(request: Request) -> str:
    session = request.state.session
    by = session.actor
    return json.dumps([session.hash, by.id, by.role, by.agency, by.hub])


def _key(request: Request) -> AESGCM:
    """Of a key that is the server's alone: whoever could write what is kept could say that their look is written down."""
    rows: bytes = request.app.state.store.keyring.rows
    return AESGCM(HKDF(SHA256(), length=32, salt=None, info=b"mash find").derive(rows))
