"""Every error as problem details (RFC 9457): one table from refusals to HTTP statuses."""

from __future__ import annotations

import re
from typing import Any

from fastapi.responses import JSONResponse

from mash.flows.store.receipts import Answer, KeyReused
from mash.states import errors as e

MEDIA = "application/problem+json"
MAPPING = "outcomes"
"""The field whose keys are the caller's: they are not repeated either."""
AS_TEXT, IN_PARTS = "as text", "in parts"
"""The two ways in which a name or an address is sent. They are no fields: an error does not name them."""
FURTHER = "further_field"
"""The type of an error about a field that the caller made up: its name is not repeated."""


AN_OBJECT = ("model_type", "model_attributes_type", "dict_type")
EXPECTED = {
    "timezone_aware": "expected a time with its zone, such as 2026-11-23T17:00:00Z",
    **dict.fromkeys(AN_OBJECT, "expected an object: fields and values in braces"),
    "missing": "expected; it is missing",
    "extra_forbidden": "not expected: there is no such field here",
    "string_type": "expected text",
    "bool_type": "expected true or false",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "int_type": "expected a whole number",
}
"""What is expected, by the type of a validation error."""
_PYDANTIC = re.compile(r"^(?:Input|String|List|Tuple|Dictionary|Value) should (?:be |have |match )?")
"""How Pydantic begins to say what is expected."""


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


class TooSlow(e.Refusal):
    """The request's body did not arrive in time."""

    title = "The request took too long to arrive"


class TooLong(e.Refusal):
    """The request's address and headers are longer than any of ours."""

    title = "The address or the headers are too long"


class TooMany(e.Refusal):
    """The caller sends more than is good for the others; the facts say after how many seconds to send again."""

    title = "Too many requests"


class Unavailable(e.Refusal):
    """Nothing was changed, and trying again helps; the facts say after how many seconds."""

    title = "Not at the moment"


class NoKeyHere(Unavailable):
    """What is asked for is there, and cannot be opened here. It was not erased."""

    title = "No key opens it here"


STATUS: dict[type[e.Refusal], int] = {
    Malformed: 400,
    NotSignedIn: 401,
    ProviderFailed: 502,
    e.NotYours: 403,
    e.NotFound: 404,
    TooSlow: 408,
    e.ImpossibleMove: 409,
    e.QuorumNotMet: 409,
    e.VersionConflict: 409,
    KeyReused: 409,
    TooLarge: 413,
    TooMany: 429,
    TooLong: 431,
    Unavailable: 503,
    NoKeyHere: 503,
    e.NotInProfile: 422,
    e.ReasonNeeded: 422,
    e.Incomplete: 422,
    e.NothingToActOn: 422,
}
"""Which HTTP status a refusal becomes; decided here and nowhere else."""


DESCRIPTIONS = {
    400: "Malformed",
    401: "Not signed in",
    403: "Not yours",
    404: "Not found",
    408: "It did not arrive in time",
    409: "In conflict with the case as it is",
    410: "Erased",
    413: "Too large",
    422: "Refused, with the reason",
    429: "Too many requests: send again after as many seconds as Retry-After says",
    431: "The address or the headers are too long",
    500: "An error of ours; nothing was changed",
    503: "Not at the moment; nothing was changed: send again after as many seconds as Retry-After says",
    502: "The identity provider does not answer as it should",
}


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The description of a route's answers that are problems."""
    content = {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    retry = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}
    return {
        status: {"description": DESCRIPTIONS[status], "content": content, **({"headers": retry} if status in (429, 503) else {})}
        for status in statuses
    }


ASKING = answers(401, 403)
FINDING = answers(401, 403, 404, 410)
ACTING = answers(401, 403, 404, 409, 410, 422)
"""What can be answered where somebody asks, where a case is looked for, and where it is acted on."""


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
    headers = {}
    if answer.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if "retry_after" in answer.body:
        headers["Retry-After"] = str(answer.body["retry_after"])
    return JSONResponse(answer.body, answer.status, headers, media_type=MEDIA if answer.status >= 400 else "application/json")


def malformed(errors: list[dict[str, Any]]) -> Malformed:
    """What is wrong with a request, field by field, without the values given."""
    if of_body := next((sentence for err in errors if (sentence := _of_body(err))), None):
        return Malformed(of_body, fields=[{"field": "body", "expected": of_body}])
    wrong = [{"field": _place(err), "expected": _expected(err)} for err in errors]
    return Malformed(
        "correct these fields and send it again: " + "; ".join(f"{w['field']}: {w['expected']}" for w in wrong[:10]),
        fields=wrong[:50],
    )


def _of_body(error: dict[str, Any]) -> str | None:
    """What is wrong with a body as a whole; None where something is wrong with a field of it."""
    if error["type"] == "json_invalid":
        return f"the body is not JSON: {error['ctx']['error']}, at character {error['loc'][-1] + 1}"
    if tuple(error["loc"]) != ("body",):
        return None
    if error["type"] == "missing":
        return "the body is missing: send a JSON object, with Content-Type: application/json"
    if error["type"] in AN_OBJECT:
        if isinstance(error.get("input"), bytes):
            return "the body was not sent as JSON: send a JSON object, with Content-Type: application/json"
        return "the body is JSON, but no object: send fields and values in braces"
    return None


def _place(error: dict[str, Any]) -> str:
    """Where in the request: our own names only, none that the caller made up."""
    parts = [str(part) for part in error["loc"] if part not in ("body", AS_TEXT, IN_PARTS)]
    if error["type"] == "extra_forbidden":
        parts = [*parts[:-1], "(a further field)"]
    if error["type"] == FURTHER:
        parts.append("(a further field)")
    if MAPPING in parts:
        parts = [*parts[: parts.index(MAPPING) + 1], "(a key)"] if parts[-1] != MAPPING else parts
    return ".".join(parts) or "body"


def _expected(error: dict[str, Any]) -> str:
    """What is expected in a field, in the words of whoever fills it and not of the library that checks it."""
    if error["type"].startswith("union_tag"):
        return "expected one of the documented kinds"
    sentence = _PYDANTIC.sub("expected ", str(error["msg"]).removeprefix("Value error, "))
    return EXPECTED.get(error["type"]) or sentence
