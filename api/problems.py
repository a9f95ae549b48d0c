"""Every error as problem details (RFC 9457): one table from refusals to HTTP statuses."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import structlog
from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from mash.flows.store.keys import KeyDestroyed
from mash.flows.store.receipts import Answer, KeyReused
from mash.states import errors as e

log = structlog.stdlib.get_logger("mash.api")
MEDIA = "application/problem+json"


class NotSignedIn(e.Refusal):
    """No key or token, or one that is not valid."""

    title = "Not signed in"


class ProviderFailed(NotSignedIn):
    """The identity provider cannot be reached, or what it says cannot be believed."""

    title = "Signing in failed"


class Malformed(e.Refusal):
    """The request is not of the form that is described in the API's documentation."""

    title = "The request is malformed"


class TooLarge(e.Refusal):
    """The request's body is larger than a referral can be."""

    title = "The request is too large"


STATUS: dict[type[e.Refusal], int] = {
    Malformed: 400,
    NotSignedIn: 401,
    ProviderFailed: 502,
    e.NotYours: 403,
    e.NotFound: 404,
    e.ImpossibleMove: 409,
    e.QuorumNotMet: 409,
    e.VersionConflict: 409,
    KeyReused: 409,
    TooLarge: 413,
    e.NotInProfile: 422,
    e.ReasonNeeded: 422,
    e.Incomplete: 422,
    e.NothingToActOn: 422,
}
"""Which HTTP status a refusal becomes; decided here and nowhere else."""


def answer_for(refusal: e.Refusal) -> Answer:
    """A refusal as the API's answer."""
    status = STATUS[type(refusal)]
    return Answer(
        status,
        {
            "type": f"urn:mash:{type(refusal).__name__}",
            "title": refusal.title,
            "status": status,
            "detail": refusal.reason,
            **refusal.facts,
        },
    )


def reply(answer: Answer) -> JSONResponse:
    """An answer as a response."""
    headers = {"WWW-Authenticate": "Bearer"} if answer.status == 401 else None
    return JSONResponse(answer.body, answer.status, headers, media_type=MEDIA if answer.status >= 400 else "application/json")


def malformed(errors: list[dict[str, Any]]) -> Malformed:
    """What is wrong with a request, field by field, without the values given."""
    wrong = [{"field": _place(err), "expected": _expected(err)} for err in errors]
    return Malformed(
        "correct these fields and send it again: " + "; ".join(f"{w['field']}: {w['expected']}" for w in wrong[:10]),
        fields=wrong[:50],
    )


def _place(error: dict[str, Any]) -> str:
    """Where in the request: our own names only, none that the caller made up."""
    parts = [str(part) for part in error["loc"] if part != "body"]
    if error["type"] == "extra_forbidden":
        parts = [*parts[:-1], "(a further field)"]
    if "[key]" in parts:
        parts = [*parts[: parts.index("[key]") - 1], "(a key)"]
    return ".".join(parts) or "body"


def _expected(error: dict[str, Any]) -> str:
    return "expected one of the documented kinds" if error["type"].startswith("union_tag") else str(error["msg"])


async def on_refusal(request: Request, refusal: Exception) -> JSONResponse:
    """Answer a refusal."""
    if not isinstance(refusal, e.Refusal):
        raise refusal
    return reply(answer_for(refusal))


async def on_http_error(request: Request, error: Exception) -> JSONResponse:
    """Answer what the framework refuses (unknown path, wrong method)."""
    if not isinstance(error, HTTPException):
        raise error
    return reply(Answer(error.status_code, {"type": "about:blank", "title": str(error.detail), "status": error.status_code}))


async def on_erased(request: Request, error: Exception) -> JSONResponse:
    """Answer for people who have been erased."""
    return reply(Answer(410, {"type": "urn:mash:Erased", "title": "The people of this referral have been erased", "status": 410}))


async def on_crash(request: Request, error: Exception) -> JSONResponse:
    """Answer an error of ours: nothing was changed, and nothing of the request is repeated. The log gets the type of the error
    and the places in the code, not its message: messages print values, and values name people."""
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-6:]]
    log.error("no answer", error=type(error).__name__, method=request.method, places=" < ".join(reversed(places)))
    return reply(
        Answer(
            500,
            {
                "type": "urn:mash:Internal",
                "title": "An error of ours; nothing was changed. Send it again with the same Idempotency-Key.",
                "status": 500,
            },
        )
    )


HANDLERS: dict[type[Exception], Any] = {
    e.Refusal: on_refusal,
    HTTPException: on_http_error,
    KeyDestroyed: on_erased,
    Exception: on_crash,
}
