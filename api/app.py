"""The HTTP application: made from settings, holding one store."""

from __future__ import annotations

import asyncio
import gc
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from mash.api.described import describe
from mash.api.guard import Guard
from mash.api.identity import Provider
from mash.api.limits import ByPlace
from mash.api.measured import Measured
from mash.api.pages import (
    admin,
    alerts,
    assets,
    audits,
    beside,
    board,
    case,
    checks,
    dataset,
    docs,
    handover,
    inspections,
    live,
    looked,
    near_misses,
    returns,
    sign_on,
    start,
    status,
    wall,
)
from mash.api.pages.assets import Assets
from mash.api.pages.figures import manager, simulation, whatif
from mash.api.pages.find import find
from mash.api.pages.meetings import agenda, meeting
from mash.api.pages.problem import HANDLERS, on_http_error, on_refusal
from mash.api.pages.refer import journey, pages
from mash.api.permitted import check_routes
from mash.api.problems import Malformed, answer_for, malformed
from mash.api.routes import (
    accesses,
    cases,
    duty,
    earlier,
    gatherings,
    health,
    metrics,
    notify_receipts,
    people,
    referrals,
    workload,
)
from mash.api.simulating import Simulating
from mash.config.errors import NotYet, SettingsError
from mash.config.settings import Settings
from mash.config.sign_on import read_accounts, read_sign_on
from mash.config.toml_lines import WrongFile
from mash.config.version import VERSION
from mash.flows.store.reads.health import WriteProof
from mash.flows.store.spare import Spare
from mash.flows.store.store import open_store

PAGES = (
    admin, agenda, assets, audits, beside, board, case, checks, dataset, find, handover, inspections, journey, live, looked,
    manager, meeting, near_misses, pages, returns, simulation, start, wall, whatif,
)  # fmt: skip
log = structlog.stdlib.get_logger("mash.api")


class Guarded(FastAPI):
    """An application behind the guard, which sees its answers to errors of ours too: `add_middleware` would put it inside those.

    Nothing here is a function middleware: those run each request in a task group of its own, a tenth of what an answer costs.
    """

    settings: Settings

    def openapi(self) -> dict[str, Any]:
        """What the API says of itself."""
        return describe(self)

    def build_middleware_stack(self) -> ASGIApp:
        """The application, with the guard around it."""
        return Guard(super().build_middleware_stack(), self.settings, self.state.measured)


def create_app(settings: Settings) -> FastAPI:
    """The application. It opens the store when it starts, and needs only PostgreSQL: Prefect may be down."""
    if settings.token_key is None:
        raise SettingsError("MASH_TOKEN_KEY is needed to check the links in alerts; `mash up` makes one for you")
    app = Guarded(
        title="MASH referral pipeline",
        version=VERSION,
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        description="Submit a referral, see what became of it, and act on it. Every error is an RFC 9457 problem.",
    )
    app.settings = settings
    app.state.token_key, app.state.base_url = settings.token_key.get_secret_value(), settings.base_url
    app.state.settings, app.state.measured = settings, Measured()
    app.state.begun = ByPlace(settings.drafts_per_hour, 3600.0)
    file = read_sign_on(settings)
    app.state.assets = Assets()
    app.state.provider = Provider(file, f"{settings.base_url}/sign-in/callback") if file else None
    read_accounts(settings)  # so that a wrong file is said at the start
    _route(app)
    return app


@asynccontextmanager
async def life(app: Guarded) -> AsyncIterator[None]:
    """From the opening of the store to its closing."""
    try:
        app.state.store = await open_store(app.settings)
    except Exception as error:
        # The server's own report of this is a traceback, which we keep out of the logs: it prints values.
        reason = str(error) if isinstance(error, SettingsError | WrongFile | NotYet) else type(error).__name__
        log.critical("cannot start", reason=reason)
        if isinstance(error, SettingsError | WrongFile | NotYet):
            app.state.cannot_start = error
        raise
    # What was loaded stays: a collector that looked it through at every turn would hold up whoever asks then, for 100 ms.
    gc.freeze()
    app.state.proof = WriteProof(app.state.store)
    app.state.live, app.state.figures = live.Live(app.state.store), manager.Reckoned()
    app.state.taking_dataset, app.state.drawing = asyncio.Lock(), asyncio.Lock()
    app.state.gathering = defaultdict[str, asyncio.Lock](asyncio.Lock)
    app.state.reckoning = whatif.Reckoning()
    app.state.simulating = Simulating(app.state.store)
    few = asyncio.create_task(Spare(app.state.store).keep_few())
    yield
    few.cancel()
    await app.state.simulating.close()
    app.state.figures.drawing.close()
    await app.state.live.close()
    await app.state.store.close()


def _route(app: FastAPI) -> None:
    """What is answered, and by whom; errors too."""
    parts = (
        docs,
        referrals,
        status,
        cases,
        earlier,
        accesses,
        people,
        gatherings,
        duty,
        workload,
        alerts,
        sign_on,
        health,
        notify_receipts,
        metrics,
        *PAGES,
    )
    routers = [part.router for part in parts]
    for router in routers:
        app.include_router(router)
    app.state.routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    check_routes([*app.routes, *(route for router in routers for route in router.routes)])
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, handler)
    for kind in (Malformed, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, on_malformed)


async def on_malformed(request: Request, error: Exception) -> Response:
    """Answer a malformed request, and keep the receipt of a malformed submission: it is counted, not forgotten."""
    if isinstance(error, Malformed):
        refusal = error
    elif isinstance(error, RequestValidationError):
        refusal = malformed(list(error.errors()))
    elif isinstance(error, HTTPException) and error.status_code == 400:
        # All that FastAPI says of a body that it cannot read.
        refusal = Malformed("the body cannot be read: send JSON in UTF-8, and not nested deeply")
    else:
        answer = await on_http_error(request, error)
        if answer.status_code == 405:
            # The framework names the methods of one route; a form and what takes it are two.
            matching = [route for route in request.app.state.routes if route.path_regex.match(request.url.path)]
            answer.headers["Allow"] = ", ".join(sorted({method for route in matching for method in route.methods}))
        return answer
    if request.url.path == "/referrals":
        await referrals.record_malformed(request, answer_for(refusal))
    return await on_refusal(request, refusal)
