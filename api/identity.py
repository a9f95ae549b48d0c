"""The OpenID provider: where staff are sent to sign in, and what it says of who comes back. Authorisation code with PKCE."""

from __future__ import annotations

import hashlib
import secrets
import time
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from mash.api.problems import NotSignedIn, ProviderFailed
from mash.config.sign_on import SignOn
from mash.flows.store.sessions import SignIn, hash_of
from mash.states.values import Actor

log = structlog.stdlib.get_logger("mash.api")
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
"""A provider signs by a key of its own: by none, or by a secret that we know too, anybody could."""
SKEW = 120
"""Seconds by which the provider's clock may differ from ours."""
KEYS_AGAIN = 60.0
"""Seconds at least between two looks for a key that is not known."""
PUBLISHED_FOR = 3600.0
"""Seconds after which what the provider publishes is read again: a key that it took back is believed no longer."""
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
TIMEOUT = 10.0


class Provider:
    """An OpenID provider, found by its issuer's address."""

    def __init__(self, file: SignOn, callback: str) -> None:
        self.file, self.callback = file, callback
        self.found: dict[str, Any] = {}
        self.keys: KeySet | None = None
        self.found_at = self.looked_again_at = float("-inf")

    async def sites(self) -> str:
        """The sites to which signing out leads: the issuer's, and that of where one signs out, which may be another."""
        try:
            ends = str((await self._discover()).get("end_session_endpoint") or self.file.issuer)
        except ProviderFailed:
            ends = self.file.issuer
        parts = (urlsplit(address) for address in (self.file.issuer, ends))
        return " ".join(dict.fromkeys(f"{part.scheme}://{part.netloc}" for part in parts))

    async def send(self, onward: str, browser: str) -> tuple[str, SignIn]:
        """Where to send somebody, and what is remembered until they are back."""
        discovered = await self._discover()
        going = SignIn(secrets.token_urlsafe(32), hash_of(browser), secrets.token_urlsafe(32), secrets.token_urlsafe(48), onward)
        challenge = urlsafe_b64encode(hashlib.sha256(going.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self.file.client_id,
            "redirect_uri": self.callback,
            "scope": self.file.scope,
            "state": going.state,
            "nonce": going.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{discovered['authorization_endpoint']}?{urlencode(asked)}", going

    async def who(self, code: str, going: SignIn) -> tuple[Actor, ...]:
        """What whoever came back with this code may act as. Raises ProviderFailed, or NotSignedIn for somebody in no group."""
        claims = await self._claims(await self._token(code, going.verifier), going.nonce)
        groups = claims.get(self.file.groups_claim) or []
        login = claims.get(self.file.login_claim) or claims["sub"]
        try:
            positions = self.file.positions(str(login), groups if isinstance(groups, list) else [groups])
        except ValueError:
            raise ProviderFailed("your login cannot be used here: it is not of the form that logins have") from None
        if not positions:
            log.warning("signed in at the provider, and in no group that may work here", kind="sign_on")
            raise NotSignedIn("you are signed in there, but in no group that may work here: ask your administrator")
        return positions

    async def sign_out_at(self) -> str | None:
        """Where one signs out of the provider too; None where it does not say."""
        discovered = await self._discover()
        if not (address := discovered.get("end_session_endpoint")):
            return None
        return f"{address}?{urlencode({'client_id': self.file.client_id})}"

    async def _discover(self) -> dict[str, Any]:
        if time.monotonic() - self.found_at > PUBLISHED_FOR:
            found = await self._asked("GET", f"{self.file.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer", "").rstrip("/") != self.file.issuer.rstrip("/"):
                raise ProviderFailed("the identity provider calls itself by another name than the one it was set up with")
            safe = f"{urlsplit(self.file.issuer).scheme}://"
            if not all(str(found.get(name, "")).startswith(safe) for name in ENDPOINTS):
                raise ProviderFailed("the identity provider does not say where to sign in, or not safely")
            self.found, self.keys, self.found_at = found, None, time.monotonic()
        return self.found

    async def _token(self, code: str, verifier: str) -> str:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.callback, "code_verifier": verifier}
        secret, auth = self.file.client_secret, None
        if secret:
            auth = httpx.BasicAuth(self.file.client_id, secret.get_secret_value())
        else:
            form["client_id"] = self.file.client_id
        answer = await self._asked("POST", (await self._discover())["token_endpoint"], data=form, auth=auth)
        return str(answer.get("id_token", ""))

    async def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        """What a token says, if it is the provider's, for us, for this sign-in, and of now."""
        wanted = jwt.JWTClaimsRegistry(
            leeway=SKEW,
            iss={"essential": True, "value": self.found["issuer"]},
            aud={"essential": True, "value": self.file.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        claims = await self._decoded(token)
        try:
            wanted.validate(claims)
        except (JoseError, ValueError):
            raise ProviderFailed("what the identity provider says is not for this sign-in, or not of now: try again") from None
        for_several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if for_several else self.file.client_id) != self.file.client_id:
            raise ProviderFailed("what the identity provider says is for another application")
        return claims

    async def _decoded(self, token: str) -> dict[str, Any]:
        for _ in range(2):
            keys = self.keys or await self._read_keys()
            try:
                return dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
            except (JoseError, ValueError):
                # The provider may have changed its keys: looked for once, and not again and again for a forged one.
                if time.monotonic() - self.looked_again_at < KEYS_AGAIN:
                    break
                self.keys, self.looked_again_at = None, time.monotonic()
        raise ProviderFailed("what the identity provider says is not signed by it: try again in a minute")

    async def _read_keys(self) -> KeySet:
        found = await self._asked("GET", (await self._discover())["jwks_uri"])
        try:
            self.keys = KeySet.import_key_set({"keys": found["keys"]})
        except (JoseError, ValueError, KeyError):
            raise ProviderFailed("the identity provider's keys cannot be read") from None
        return self.keys

    async def _asked(self, method: str, address: str, **more: Any) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
                answer = await client.request(method, address, **more)
                answer.raise_for_status()
                document = answer.json()
        except (httpx.HTTPError, ValueError):
            raise ProviderFailed(
                "the identity provider does not answer as expected: try again, or ask your administrator"
            ) from None
        if not isinstance(document, dict):
            raise ProviderFailed("the identity provider does not answer as expected")
        return document
