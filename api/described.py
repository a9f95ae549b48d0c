"""What the API says of itself: its OpenAPI description, with every answer that each operation can give."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from mash.api.problems import answers
from mash.api.schemas.contact import FURTHER_SCHEMA

Operation = dict[str, Any]
ANYWHERE = answers(400, 408, 413, 429, 431, 500, 503)
"""What the guard answers, and the answers to an error of ours and while the database is away."""
PROBLEM = {
    "title": "Problem",
    "description": "What is wrong (RFC 9457). Nothing of the request is repeated; further members are facts, such as `possible`.",
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "description": "Tells problems apart, for programs."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What to do about it, for people."},
        "fields": {"type": "array", "items": {"type": "object"}, "description": "What is expected of each field."},
    },
}
SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "The API key of a referrer's system."},
    "staff": {"type": "http", "scheme": "bearer", "description": "The token of a member of staff."},
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The description of all operations: made once, and then kept by the application."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        parts = made.setdefault("components", {})
        parts["schemas"] = {name: of for name, of in parts["schemas"].items() if "ValidationError" not in name}
        parts["schemas"] |= {"Problem": PROBLEM, "Further": FURTHER_SCHEMA}
        for schema in parts["schemas"].values():
            # Pydantic takes a command's kind as given, having a default for it; by it they are told apart.
            if "const" in schema.get("properties", {}).get("kind", {}):
                schema["required"] = ["kind", *schema.get("required", ())]
        parts["securitySchemes"] = SCHEMES
        for operation in operations(made):
            _complete(operation)
        app.openapi_schema = made
    return app.openapi_schema


def operations(described: dict[str, Any]) -> Iterator[Operation]:
    """Every operation of a description."""
    for methods in described["paths"].values():
        yield from methods.values()


def _complete(operation: Operation) -> None:
    """What holds for every operation: what a credential is, and which answers it shares with all."""
    answers_ = operation["responses"]
    # FastAPI's own answer to a malformed request, which we answer with 400.
    if "HTTPValidationError" in str(answers_.get("422")):
        del answers_["422"]
    answers_.update({str(status): of for status, of in ANYWHERE.items() if str(status) not in answers_})
    operation["responses"] = dict(sorted(answers_.items()))
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "Idempotency-Key":
            # Asked for by us, who say why.
            parameter |= {"required": True, "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"\S"}}
    if "401" in answers_:
        operation["security"] = [{"key" if operation["tags"] == ["referrers"] else "staff": []}]
