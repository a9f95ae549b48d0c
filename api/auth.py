"""Who calls: referrers' systems by API key, staff by the session they began when they signed in. Nobody else, but where the table
of permissions says that nobody is asked."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Literal
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response

from mash.api.guard import SESSION_COOKIE, SIGNED_IN, WHO, bearer_of, cookie_called
from mash.api.problems import NotSignedIn
from mash.flows.store.api_keys import PREFIX, find_api_key
from mash.flows.store.reads.case import Case
from mash.flows.store.sessions import SHOWN, Session, find_session
from mash.states.errors import NotYours
from mash.states.values import Actor

REFERRER_ROLE = "referrer"
READING = ("GET", "HEAD", "OPTIONS")
CSRF_FIELD, CSRF_HEADER = "csrf", "X-CSRF-Token"
BY_ITSELF = "MASH-By-Itself"
"""The header of what a page asks for to keep itself up to date."""


def _bearer(request: Request) -> str | None:
    return bearer_of(request.headers.get("authorization", ""))


def referrer(scope: str) -> Callable[[Request], Awaitable[Actor]]:
    """Who calls, if it is a referrer's system whose key has this scope. Raises NotSignedIn, or NotYours without the scope."""

    async def check(request: Request) -> Actor:
        key = _bearer(request)
        if key is None:
            raise NotSignedIn("send 'Authorization: Bearer ...' with your API key")
        if not key.startswith(PREFIX):
            raise NotSignedIn(f"this is no API key of a referrer's system, which begins with '{PREFIX}': staff work at /cases")
        row = await find_api_key(request.app.state.store, key)
        if row is None:
            raise NotSignedIn("this API key is not valid: it is unknown, has expired, or was revoked")
        if scope not in row.scopes:
            raise NotYours(f"this API key has not the scope '{scope}': ask the hub's administrator for one that has")
        request.scope["state"][SIGNED_IN] = row.hash
        return Actor(id=row.caller, role=REFERRER_ROLE, agency=row.agency, hub=row.hub)

    return check


def holder(case: Case) -> Actor:
    """Whoever asks about a referral of theirs by something they hold, and is not asked who they are."""
    return Actor(id=REFERRER_ROLE, role=REFERRER_ROLE, agency=case.referral.source_agency, hub=case.hub)


async def staff(request: Request) -> Actor:
    """The member of staff who calls. Raises NotSignedIn."""
    return (await signed_in(request)).actor


async def signed_in(request: Request, *, by_itself: bool = False) -> Session:
    """The session of whoever calls; what a page asks for `by_itself` is no use of it. A browser sends its cookie wherever it is
    sent itself: what would change something must come from a page of ours. Raises NotSignedIn, or NotYours where it does not."""
    bearer = _bearer(request)
    if bearer and bearer.startswith(PREFIX):
        raise NotSignedIn("this is the API key of a referrer's system, good for /referrals: this is for staff, who sign in")
    secret = bearer or request.cookies.get(cookie_name(request))
    used = not by_itself and BY_ITSELF not in request.headers
    session = await find_session(request.app.state.store, secret, used=used) if secret else None
    if session is None or secret is None:
        raise NotSignedIn("sign in (again): your session is over, or there was none")
    if bearer is None and request.method not in READING:
        same_origin(request)
        if not hmac.compare_digest((await _csrf_token_of(request)).encode(), csrf_token(secret).encode()):
            raise NotYours("this did not come from a page of ours, or from one that is out of date: load it again")
    request.scope["state"] |= {SIGNED_IN: session.hash, WHO: {"session": session.hash[:SHOWN]}}
    request.state.csrf, request.state.session = csrf_token(secret), session
    return session


def same_origin(request: Request) -> None:
    """Refuse what the browser says another site has sent. Raises NotYours."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    # What the browser says of the site decides. The origin it sends with forms of ours is "null", as it is with those of a frame
    # without one: our answers ask it to tell nobody where one comes from (Fetch, 3.2 "append a request Origin header").
    if site:
        ours = site in ("same-origin", "none")
    else:
        ours = not origin or urlsplit(origin)[:2] == urlsplit(request.app.state.base_url)[:2]
    if not ours:
        raise NotYours("this was sent by another site")


async def _csrf_token_of(request: Request) -> str:
    if header := request.headers.get(CSRF_HEADER):
        return header
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return str((await request.form(max_files=0, max_fields=400)).get(CSRF_FIELD, ""))
    return ""


def csrf_token(secret: str) -> str:
    """What a page of ours puts into its forms: reckoned from the session's secret, which no other site knows."""
    return hmac.digest(secret.encode(), b"csrf", "sha256").hex()


def _secure(request: Request) -> bool:
    return str(request.app.state.base_url).startswith("https:")


def cookie_name(request: Request, name: str = SESSION_COOKIE, path: str = "/") -> str:
    """What a cookie of ours is called here."""
    return cookie_called(name, _secure(request), path)


def set_cookie(
    request: Request, answer: Response, secret: str, name: str = SESSION_COOKIE, seconds: int | None = None, path: str = "/"
) -> None:
    """Have the browser keep a secret, for this site alone and unreadable to scripts; until it is closed, or so many seconds. One
    for a path of ours is sent there alone, and never by a link on another site."""
    called = cookie_name(request, name, path)
    strictness: Literal["lax", "strict"] = "lax" if path == "/" else "strict"
    answer.set_cookie(called, secret, max_age=seconds, path=path, secure=_secure(request), httponly=True, samesite=strictness)


def drop_cookie(request: Request, answer: Response, name: str = SESSION_COOKIE) -> None:
    """Have the browser forget it."""
    answer.delete_cookie(cookie_name(request, name), path="/", secure=_secure(request), httponly=True, samesite="lax")
