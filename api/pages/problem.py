"""What goes wrong, as whoever asked can read it: people get a page, programs problem details."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import structlog
from fastapi import Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from mash.api.pages.page import caller, is_page, problem_page
from mash.api.pages.refusals import answer_in_words, title_of
from mash.api.problems import answer_for, reply
from mash.flows.store.keys import KeyDestroyed
from mash.flows.store.receipts import Answer
from mash.states import errors as e

log = structlog.stdlib.get_logger("mash.api")


def readable(request: Request, answer: Answer) -> Response:
    """What is wrong, as whoever asked can read it: people a page, programs problem details."""
    if is_page(request):
        return problem_page(request, title_of(answer.body), answer_in_words(answer.body, caller(request)), answer.status)
    return reply(answer)


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


async def on_crash(request: Request, error: Exception) -> Response:
    """Answer an error of ours: nothing was changed, and nothing of the request is repeated. The log gets the type of the error
    and the places in the code, not its message: messages print values, and values name people."""
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-6:]]
    log.error("no answer", error=type(error).__name__, method=request.method, places=" < ".join(reversed(places)))
    ours = "An error of ours; nothing was changed. Send it again with the same Idempotency-Key."
    return readable(request, Answer(500, {"type": "urn:mash:Internal", "title": ours, "status": 500}))


HANDLERS: dict[type[Exception], Any] = {
    e.Refusal: on_refusal,
    KeyDestroyed: on_erased,
    Exception: on_crash,
}
"""Who answers for each kind of error."""
