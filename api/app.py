"""The HTTP application: made from settings, holding one store."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mash.api import accesses, alerts, cases, duty, gatherings, health, people, referrals, sign_on, status
from mash.api.identity import Provider
from mash.api.permitted import check_routes
from mash.api.problems import HANDLERS, Malformed, TooLarge, answer_for, malformed, on_refusal, reply
from mash.config.settings import Settings, SettingsError
from mash.config.sign_on import read_accounts, read_sign_on
from mash.config.toml_lines import WrongFile
from mash.flows.store.store import open_store
from mash.states.errors import Refusal

log = structlog.stdlib.get_logger("mash.api")
LARGEST_BODY = 1_000_000
"""Bytes; the longest referral of the sources is a few thousand."""


def create_app(settings: Settings) -> FastAPI:
    """The application. It opens the store when it starts, and needs only PostgreSQL: Prefect may be down."""
    if settings.token_key is None:
        raise SettingsError("MASH_TOKEN_KEY is needed to check the links in alerts; `mash up` makes one for you")
    token_key = settings.token_key.get_secret_value()

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        try:
            app.state.store = await open_store(settings)
        except Exception as error:
            # The server's own report of this is a traceback, which we keep out of the logs: it prints values.
            reason = str(error) if isinstance(error, SettingsError | WrongFile) else type(error).__name__
            log.critical("cannot start", reason=reason)
            raise
        # What was loaded stays: a collector that looked it through at every turn would hold up whoever asks then, for 100 ms.
        gc.freeze()
        yield
        await app.state.store.close()

    app = FastAPI(
        title="MASH referral pipeline",
        version="0.1.0",
        lifespan=life,
        description="Submit a referral, see what became of it, and act on it. Every error is an RFC 9457 problem.",
    )
    app.state.token_key, app.state.base_url, app.state.settings = token_key, settings.base_url, settings
    file = read_sign_on(settings)
    app.state.provider = Provider(file, f"{settings.base_url}/sign-in/callback") if file else None
    read_accounts(settings)  # so that a wrong file is said at the start
    routers = [part.router for part in (referrals, status, cases, accesses, people, gatherings, duty, alerts, sign_on, health)]
    for router in routers:
        app.include_router(router)
    check_routes([*app.routes, *(route for router in routers for route in router.routes)])
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, handler)
    app.add_exception_handler(RequestValidationError, on_malformed)
    # Not a function middleware: those run each request in a task group of its own, a tenth of what an answer costs.
    app.add_middleware(Guard)

    return app


class Guard:
    """Refuses a body that is larger than a referral can be, and forbids caches to keep anything."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if refusal := _refusal(scope):
            await reply(answer_for(refusal))(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Cache-Control"] = "no-store"
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
            await send(message)

        await self.app(scope, receive, sent)


def _refusal(scope: Scope) -> Refusal | None:
    length = Headers(scope=scope).get("content-length", "")
    if scope["method"] == "POST" and "/alerts/" not in scope["path"] and not (length.isdigit() and int(length) <= LARGEST_BODY):
        return TooLarge(f"send at most {LARGEST_BODY:,} bytes, and say how many (Content-Length)")
    if b"%00" in scope["raw_path"] + scope["query_string"]:
        return Malformed("an address has no zero byte")
    return None


async def on_malformed(request: Request, error: Exception) -> Response:
    """Answer a malformed request, and keep the receipt of a malformed submission: it is counted, not forgotten."""
    if not isinstance(error, RequestValidationError):
        raise error
    refusal = malformed(list(error.errors()))
    if request.url.path == "/referrals":
        await referrals.record_malformed(request, error.body, answer_for(refusal))
    return await on_refusal(request, refusal)
