"""What goes wrong, as whoever asked can read it: people get a page, programs problem details."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import structlog
from fastapi import Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from mash.api.pages.page import caller, is_page, problem_page
from mash.api.pages.refusals import answer_in_words, title_of
from mash.api.problems import NoKeyHere, Unavailable, answer_for, reply
from mash.flows.store import keys
from mash.flows.store.away import passing
from mash.flows.store.receipts import Answer
from mash.states import errors as e

SOON, LATER = 10, 60
"""Seconds after which it is worth trying again: while the database is away; while somebody brings a key."""
log = structlog.stdlib.get_logger("mash.api")


def readable(request: Request, answer: Answer) -> Response:
    """What is wrong, as whoever asked can read it: people a page, programs problem details."""
    if not is_page(request):
        return reply(answer)
    page = problem_page(request, title_of(answer.body), answer_in_words(answer.body, caller(request)), answer.status)
    if "retry_after" in answer.body:
        page.headers["Retry-After"] = str(answer.body["retry_after"])
    return page


async def on_refusal(request: Request, refusal: Exception) -> Response:
    """Answer a refusal."""
    if not isinstance(refusal, e.Refusal):
        raise refusal
    return readable(request, answer_for(refusal))


async def on_http_error(request: Request, error: Exception) -> JSONResponse:
    """Answer what the framework refuses (unknown path, wrong method)."""
    if not isinstance(error, HTTPException):
        raise error
    answer = reply(Answer(error.status_code, {"type": "about:blank", "title": str(error.detail), "status": error.status_code}))
    answer.headers.update(error.headers or {})
    return answer


async def on_erased(request: Request, error: Exception) -> Response:
    """Answer for people who have been erased."""
    erased = {"type": "urn:mash:Erased", "title": "The people of this referral have been erased", "status": 410}
    return readable(request, Answer(410, erased))


async def on_no_key(request: Request, error: Exception) -> Response:
    """Answer for people whose key is wrapped by a master key that is not here: nothing is said of the case."""
    log.error("no key opens it here", kind="key", reason="an older or another copy of the master key: see /health")
    why = (
        "the case is there, and cannot be opened by the master key that is here. Tell your administrator, who sees why at /health"
    )
    return readable(request, answer_for(NoKeyHere(why, retry_after=LATER)))


async def on_crash(request: Request, error: Exception) -> Response:
    """Answer that the database is away, where trying again helps; or else an error of ours: nothing was changed, and nothing of
    the request is repeated. The log gets the type of the error and the places in the code, not its message: messages print
    values, and values name people."""
    if why := passing(error):
        log.error("no answer", error=type(error).__name__, method=request.method, reason=why)
        again = "nothing was taken in or changed: try again in a moment (a program: with the same Idempotency-Key)"
        return readable(request, answer_for(Unavailable(again, retry_after=SOON)))
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-6:]]
    log.error("no answer", error=type(error).__name__, method=request.method, places=" < ".join(reversed(places)))
    ours = "An error of ours; nothing was changed. Send it again with the same Idempotency-Key."
    return readable(request, Answer(500, {"type": "urn:mash:Internal", "title": ours, "status": 500}))


HANDLERS: dict[type[Exception], Any] = {
    e.Refusal: on_refusal,
    keys.KeyDestroyed: on_erased,
    keys.NoKeyHere: on_no_key,
    SQLAlchemyError: on_crash,
    OSError: on_crash,
    Exception: on_crash,
}
"""Who answers for each kind of error."""
