"""A page of the demonstration's own, on loopback: the mail that it caught, and how one signs in at this moment."""

from __future__ import annotations

import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse
from jinja2 import ChoiceLoader, Environment, FileSystemLoader
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp

from mash.api.demo.mailbox import Mailbox
from mash.api.demo.visit import Visitors
from mash.api.guard import Guard
from mash.api.measured import Measured
from mash.api.pages import assets
from mash.api.pages.page import environment
from mash.config.settings import Settings
from mash.flows.installation.parts import KEPT_OPEN
from mash.states.errors import NotFound

router = APIRouter()
POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""What is shown was sent by others: nothing runs here, and no form leads anywhere."""
Whose = Annotated[str, Query(max_length=320)]
Skipped = Annotated[int, Query(ge=0, le=1_000_000)]
ON_A_PAGE = 50
TEMPLATES = Path(__file__).parent / "templates"


def linked(text: str, address: str) -> list[tuple[str, bool]]:
    """A text in pieces, and whether each is a link that may be followed: only to this address, wherever else a mail may lead."""
    pieces = re.split(rf"({re.escape(address)}/[^\s<>\"']*)", text)
    return [(piece, place % 2 == 1) for place, piece in enumerate(pieces) if piece]


@router.get("/", response_class=HTMLResponse)
def front(request: Request, to: Whose = "", skip: Skipped = 0) -> HTMLResponse:
    """How one signs in, and the mail, the newest first: all of it or somebody's, some at a time."""
    mailbox, visitors = request.app.state.mailbox, request.app.state.visitors
    caught = list(enumerate(list(mailbox.messages)))[::-1]
    found = [(number, mail) for number, mail in caught if to in ("", mail.to)]
    known = {
        "code": visitors.code,
        "logins": visitors.logins,
        "password": visitors.password,
        "whose": sorted(Counter(mail.to for _, mail in caught).items()),
        "to": to,
        "number": len(found),
        "mails": found[skip : skip + ON_A_PAGE],
        "earlier": skip + ON_A_PAGE if skip + ON_A_PAGE < len(found) else None,
    }
    return _page(request, "mails.html", "The demonstration", known)


@router.get("/code", response_class=PlainTextResponse)
def code(request: Request) -> PlainTextResponse:
    """The one-time code of now, and nothing else."""
    return PlainTextResponse(f"{request.app.state.visitors.code}\n")


@router.get("/mail/{number}", response_class=HTMLResponse)
def one(request: Request, number: int) -> HTMLResponse:
    """A mail."""
    messages = request.app.state.mailbox.messages
    if not 0 <= number < len(messages):
        raise NotFound("there is no such mail")
    mail = messages[number]
    known = {"mail": mail, "pieces": linked(mail.text, request.app.state.address)}
    return _page(request, "mail.html", mail.subject or "No subject", known)


def _page(request: Request, template: str, title: str, more: dict[str, Any]) -> HTMLResponse:
    app, time = request.app.state, request.app.state.mailbox.time
    now = time.now() if time else None
    # No script: what pages of the product load is for those that are live.
    loaded = {"styles": app.assets.styles, "icon": app.assets.icon, "scripts": ()}
    known = {"title": title, "assets": loaded, "address": app.address, "now": now, "demo_time": now is not None, **more}
    return HTMLResponse(templates().get_template(template).render(known), headers={"Content-Security-Policy": POLICY})


@cache
def templates() -> Environment:
    """The demonstration's templates, beside those of the product's pages."""
    product = environment()
    assert product.loader
    return product.overlay(loader=ChoiceLoader([FileSystemLoader(TEMPLATES), product.loader]))


def create_mail_page(mailbox: Mailbox, visitors: Visitors, settings: Settings) -> ASGIApp:
    """The application that shows the mail of an installation of these settings."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.mailbox, app.state.visitors, app.state.address = mailbox, visitors, settings.base_url
    app.state.assets = assets.Assets()
    app.include_router(assets.router)
    app.include_router(router)
    app.add_exception_handler(NotFound, lambda _, error: PlainTextResponse(f"{error}\n", 404))
    # Another site that gives itself a name which leads to loopback is not to read codes and links here.
    return Guard(TrustedHostMiddleware(app, allowed_hosts=["127.0.0.1", "localhost"]), settings, Measured())


@contextmanager
def serve_mail_page(mailbox: Mailbox, visitors: Visitors, settings: Settings) -> Iterator[str]:
    """Serve it on a free port; its address is given."""
    listener = socket.create_server(("127.0.0.1", 0))
    application = create_mail_page(mailbox, visitors, settings)
    how: dict[str, Any] = {"timeout_keep_alive": KEPT_OPEN, "timeout_graceful_shutdown": 1}
    config = uvicorn.Config(application, lifespan="off", log_config=None, access_log=False, **how)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
