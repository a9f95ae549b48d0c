"""Signing on and off: at the identity provider, or by a local account; and one's own sessions."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from mash.api.auth import cookie_name, drop_cookie, same_origin, set_cookie
from mash.api.limits import WIDER, place_of
from mash.api.pages.page import page
from mash.api.pages.refusals import in_words
from mash.api.permitted import Permitted
from mash.api.problems import ASKING, STATUS, NotSignedIn, answers
from mash.config.errors import SettingsError
from mash.config.sign_on import read_accounts, same_login
from mash.config.words import agency_title, sentence
from mash.flows.store.sessions import (
    SHOWN,
    TO_SIGN_IN,
    How,
    begin_attempt,
    begin_session,
    end_sessions,
    has_succeeded,
    hash_of,
    keep_sign_in,
    sessions_of,
    take_position,
    take_sign_in,
)
from mash.states.errors import NotYours, Refusal
from mash.states.values import Actor

# Pages for browsers: what programs call is described elsewhere.
router = APIRouter(tags=["signing on"], include_in_schema=False)
log = structlog.stdlib.get_logger("mash.api")
BROWSER = "mash-sign-in"
"""The cookie that ties whoever comes back from the provider to whoever was sent there."""
ONWARD = {"description": "On to another page"}
START = "/"
"""Where whoever signs in goes on to, unless they came from somewhere."""
SIGN_IN, ACCOUNT = "Sign in", "Your account"
HOW: dict[How, str] = {
    "single_sign_on": "By single sign-on",
    "local": "By a local account",
    "command_line": "On the command line",
}
WRONG = "Your login, password or code is not right, or the code has been used already. Check them and try again."
TOO_OFTEN = "Signing in has failed too often. Wait 15 minutes, then try again, or ask your administrator."
NO_ACCOUNTS = "No one can sign in by a local account at the moment: the file of accounts cannot be read. Tell your administrator."
MOST_OF_A_LOGIN, MOST_OF_A_PLACE = 5, 50
"""How often signing in may fail within a quarter of an hour: by a login from an address, so that nobody locks out somebody who
calls from elsewhere; and from an address, which a whole office may share."""
Onward = Annotated[str, Query(max_length=1_000, description="Where to go on to afterwards: a path of ours.")]
Back = Annotated[str, Query(max_length=4_000, description="What the identity provider sends back.")]
Staff = Annotated[Actor, Depends(Permitted("use_account"))]


@router.get("/sign-in", response_class=HTMLResponse)
async def sign_in(request: Request, onward: Onward = "") -> Response:
    """Where staff sign in: at the identity provider, or by a local account, as the installation is set up."""
    return _sign_in_page(request, _local_path(onward))


def _sign_in_page(request: Request, onward: str, problem: str = "", status: int = 200) -> Response:
    app = request.app.state
    ways: dict[str, Any] = {"provider": app.provider is not None, "local": app.settings.local_accounts}
    return page(request, "sign_in.html", SIGN_IN, status, onward=onward, problem=problem, **ways)


def _local_path(onward: str) -> str:
    """Where to go on to afterwards: a path of ours, and nowhere else."""
    inside = onward.startswith("/") and not onward.startswith(("//", "/\\")) and all(" " < c < "\x7f" for c in onward)
    return onward if inside else START


@router.get("/sign-in/start", response_class=HTMLResponse, responses={303: ONWARD, **answers(404, 502)})
async def start(request: Request, onward: Onward = "") -> Response:
    """On to the identity provider."""
    if (provider := request.app.state.provider) is None:
        return _sign_in_page(request, START, "Single sign-on is not set up here.", 404)
    browser = secrets.token_urlsafe(32)
    try:
        address, going = await provider.send(_local_path(onward), browser)
    except Refusal as refusal:
        return _sign_in_page(request, _local_path(onward), in_words(refusal), STATUS[type(refusal)])
    await keep_sign_in(request.app.state.store, going)
    answer = RedirectResponse(address, 303)
    set_cookie(request, answer, browser, BROWSER, int(TO_SIGN_IN.total_seconds()))
    return answer


@router.get("/sign-in/callback", response_class=HTMLResponse, responses={303: ONWARD, **answers(401, 502)})
async def callback(request: Request, code: Back = "", state: Back = "") -> Response:
    """Back from the identity provider."""
    app = request.app.state
    try:
        browser = request.cookies.get(cookie_name(request, BROWSER), "")
        going = await take_sign_in(app.store, state, hash_of(browser))
        if app.provider is None or going is None:
            raise NotSignedIn("this way of signing in was used before, took too long, or began elsewhere: begin again")
        if not code:
            raise NotSignedIn(
                "you turned back, or the identity provider did not let you in: begin again, or ask your administrator"
            )
        positions = await app.provider.who(code, going)
    except Refusal as refusal:
        log.warning("did not sign in", kind="sign_on", reason="single_sign_on", error=type(refusal).__name__)
        answer = _sign_in_page(request, START, in_words(refusal), STATUS[type(refusal)])
        drop_cookie(request, answer, BROWSER)
        return answer
    answer = await _begin(request, positions, "single_sign_on", going.onward)
    drop_cookie(request, answer, BROWSER)
    return answer


@router.post("/sign-in/local", response_class=HTMLResponse, responses={303: ONWARD, **answers(401, 403)})
async def sign_in_locally(request: Request) -> Response:
    """By a local account: login, password and one-time code."""
    if not request.app.state.settings.local_accounts:
        return _sign_in_page(request, START, "Local accounts are not set up here.", 404)
    form = await request.form(max_files=0, max_fields=10)
    login, password, code, onward = (str(form.get(name, ""))[:200] for name in ("login", "password", "code", "onward"))
    login = same_login(login)
    try:
        same_origin(request)
    except Refusal as refusal:
        return _sign_in_page(request, START, in_words(refusal), STATUS[type(refusal)])
    positions, problem, status = await _by_account(request, login, password, code)
    if positions is None:
        return _sign_in_page(request, _local_path(onward), problem, status)
    return await _begin(request, positions, "local", _local_path(onward))


async def _by_account(request: Request, login: str, password: str, code: str) -> tuple[tuple[Actor, ...] | None, str, int]:
    """What whoever has these may act as; or None, what to say, and the status."""
    # Imported here: where there are no local accounts, Argon2 need not be there.
    from mash.api.accounts import who_signs_in

    app = request.app.state
    place = place_of(request.client.host if request.client else "")
    most = {f"login:{login}@{place.near}": MOST_OF_A_LOGIN, f"place:{place.near}": MOST_OF_A_PLACE}
    if place.wide:
        most |= {f"login:{login}@{place.wide}": MOST_OF_A_LOGIN * WIDER, f"place:{place.wide}": MOST_OF_A_PLACE * WIDER}
    if (attempt := await begin_attempt(app.store, most)) is None:
        log.warning("signing in has failed too often", kind="sign_on", network=place.network)
        return None, TOO_OFTEN, 429
    try:
        # Read each time: whoever was taken out of the file is out at once.
        accounts = read_accounts(app.settings)
    except SettingsError as wrong:
        log.error("the accounts cannot be read", kind="sign_on", reason=str(wrong))
        return None, NO_ACCOUNTS, 503
    positions = await who_signs_in(app.store, accounts, login, password, code)
    if positions is None:
        log.warning("did not sign in", kind="sign_on", reason="local", network=place.network)
        return None, WRONG, 401
    await has_succeeded(app.store, attempt)
    return positions, "", 200


async def _begin(request: Request, positions: Sequence[Actor], how: How, onward: str) -> Response:
    settings, store = request.app.state.settings, request.app.state.store
    # The browser forgets it, and nobody could end it any more but everywhere.
    if earlier := request.cookies.get(cookie_name(request)):
        await end_sessions(store, hash_=hash_of(earlier))
    lasts = {"hours": settings.session_hours, "idle_minutes": settings.session_idle_minutes}
    secret = await begin_session(store, positions, how, **lasts)
    log.info("signed in", kind="sign_on", reason=how, session=hash_of(secret)[:SHOWN])
    answer = RedirectResponse(onward, 303)
    set_cookie(request, answer, secret)
    return answer


@router.get("/account", response_class=HTMLResponse, responses=ASKING)
async def account(request: Request, by: Staff) -> Response:
    """Who you are here, what you act as, and where you are signed in."""
    return await _account_page(request, by)


async def _account_page(request: Request, by: Actor, problem: str = "", status: int = 200) -> Response:
    session, hubs = request.state.session, request.app.state.store.hubs

    def position_of(each: Actor) -> str:
        profile = hubs.get(each.hub)
        hub = profile.title if profile else sentence(each.hub)
        return f"{sentence(each.role)}, {agency_title(profile, each.agency)}, {hub}"

    rows = await sessions_of(request.app.state.store, by.id)
    known: dict[str, Any] = {
        "by": by,
        "csrf": request.state.csrf,
        "positions": [(place, position_of(each)) for place, each in enumerate(session.positions)],
        "acts": position_of(session.actor),
        "local": session.how == "local" and request.app.state.settings.local_accounts,
        "problem": problem,
        "sessions": [(HOW[row.how], row.started_at, row.seen_at, row.hash == session.hash) for row in rows],
    }
    # Signing out leads on to the provider, which a browser must be let follow.
    provider = request.app.state.provider
    return page(request, "account.html", ACCOUNT, status, leads_to=await provider.sites() if provider else "", **known)


@router.post("/account/position", response_class=HTMLResponse, responses={303: ONWARD, **ASKING})
async def position(request: Request, by: Staff) -> Response:
    """Act from now on in another of your positions."""
    session = request.state.session
    place = str((await request.form(max_files=0, max_fields=10)).get("position", ""))
    if place in map(str, range(len(session.positions))):
        await take_position(request.app.state.store, session, int(place))
    return RedirectResponse("/account", 303)


@router.post("/account/password", response_class=HTMLResponse, responses={303: ONWARD, **ASKING, **answers(422)})
async def password(request: Request, by: Staff) -> Response:
    """Another password for one's local account; then sign in anew, everywhere."""
    settings, session = request.app.state.settings, request.state.session
    if session.how != "local" or not settings.local_accounts or settings.accounts_file is None:
        raise NotYours("your password is not kept here: change it where you signed in")
    from mash.api.accounts import change_password

    form = await request.form(max_files=0, max_fields=10)
    old, code, new = (str(form.get(name, ""))[:200] for name in ("password", "code", "new"))
    positions, problem, status = await _by_account(request, by.id, old, code)
    if positions is None:
        return await _account_page(request, by, problem, status)
    try:
        await asyncio.to_thread(change_password, settings.accounts_file, by.id, new)
    except SettingsError as wrong:
        return await _account_page(
            request, by, f"Your password was not changed: {wrong}. Wait for the next code, then try again.", 422
        )
    log.info("changed the own password", kind="sign_on", session=session.hash[:SHOWN])
    await end_sessions(request.app.state.store, person=by.id)
    return await _out(request, session.how)


@router.post("/sign-out", response_class=HTMLResponse, responses={303: ONWARD, **ASKING})
async def sign_out(request: Request, by: Staff) -> Response:
    """Out of here; and of the identity provider, if it offers that."""
    session = request.state.session
    await end_sessions(request.app.state.store, hash_=session.hash)
    return await _out(request, session.how)


@router.post("/sign-out-everywhere", response_class=HTMLResponse, responses={303: ONWARD, **ASKING})
async def sign_out_everywhere(request: Request, by: Staff) -> Response:
    """Out of every browser and script that you are signed in by."""
    session = request.state.session
    await end_sessions(request.app.state.store, person=by.id)
    return await _out(request, session.how)


async def _out(request: Request, how: str) -> Response:
    onward, provider = "/sign-in", request.app.state.provider
    if how == "single_sign_on" and provider is not None:
        try:
            onward = await provider.sign_out_at() or onward
        except Refusal:
            onward = "/sign-in"  # we are out; the provider cannot be reached
    log.info("signed out", kind="sign_on", session=request.state.session.hash[:SHOWN])
    answer = RedirectResponse(onward, 303)
    drop_cookie(request, answer)
    # What a browser has kept of our pages goes too.
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer
