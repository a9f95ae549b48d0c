"""Who calls: referrer systems by API key (stored hashed), staff by signed token. Nobody else, beyond the health check."""

from __future__ import annotations

import hashlib
import secrets
import time

from fastapi import Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from pydantic import ValidationError

from mash.api.problems import NotSignedIn
from mash.flows.store.queries import find_api_key
from mash.states.commands import Actor

KEY_PREFIX = "mash_"
TOKEN_HOURS = 12
REFERRER_ROLE = "referrer"


def new_api_key() -> tuple[str, str]:
    """A new key, to be shown once, and the hash to store."""
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    return key, hash_of(key)


def hash_of(key: str) -> str:
    """The stored form of a key; it is random and long, so a plain hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()


def staff_token(token_key: str, actor: Actor, hours: float = TOKEN_HOURS) -> str:
    """A signed token for a member of staff, valid for some hours (wall time)."""
    claims = {**actor.model_dump(), "exp": int(time.time() + hours * 3600)}
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(token_key))


def _bearer(request: Request) -> str:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not value:
        raise NotSignedIn("send 'Authorization: Bearer ...' with your API key or staff token")
    return value.strip()


async def referrer(request: Request) -> Actor:
    """The referrer system that calls."""
    key = _bearer(request)
    row = await find_api_key(request.app.state.store, hash_of(key)) if key.startswith(KEY_PREFIX) else None
    if row is None:
        raise NotSignedIn("this API key is not known, or was revoked")
    return Actor(id=row.caller, role=REFERRER_ROLE, agency=row.agency, hub=row.hub)


async def staff(request: Request) -> Actor:
    """The member of staff who calls."""
    try:
        token = jwt.decode(_bearer(request), OctKey.import_key(request.app.state.token_key), algorithms=["HS256"])
        jwt.JWTClaimsRegistry(exp={"essential": True}).validate(token.claims)
        return Actor(**{name: token.claims[name] for name in Actor.model_fields})
    except (JoseError, ValueError, KeyError, ValidationError):
        raise NotSignedIn("this token is not valid, or has expired: sign in again") from None
