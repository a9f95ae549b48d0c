"""What the API says of itself: its OpenAPI description, with every answer that each operation can give. Generators of clients
read it: what they cannot read, or read wrongly, has no place in it (docs/use/integrators.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from mash.api.problems import answers

Operation = dict[str, Any]
Schema = dict[str, Any]
ANYWHERE = answers(400, 408, 413, 429, 431, 500, 503)
"""What the guard answers, and the answers to an error of ours and while the database is away."""
PROBLEM = {
    "title": "Problem",
    "description": "What is wrong (RFC 9457). Nothing of the request is repeated; further members are facts.",
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "description": "Tells problems apart, for programs."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What to do about it, for people."},
        "fields": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/FieldProblem"},
            "description": "What is expected of each field.",
        },
        "retry_after": {"type": "integer", "description": "Seconds after which to send it again."},
        "stage": {"type": "string", "description": "Where the case stands."},
        "command": {"type": "string", "description": "What is not possible there."},
        "possible": {"type": "array", "items": {"type": "string"}, "description": "What is possible there, by kind of command."},
        "missing": {"type": "array", "items": {"type": "string"}, "description": "Who is missing for a quorum."},
        "version": {"type": ["integer", "null"], "description": "The version of the case, which has changed since you saw it."},
    },
    "additionalProperties": True,
}
FIELD_PROBLEM = {
    "title": "FieldProblem",
    "description": "A field, and what is expected of it; never its value.",
    "type": "object",
    "required": ["field", "expected"],
    "properties": {
        "field": {"type": "string", "examples": ["subjects.0.name"]},
        "expected": {"type": "string"},
    },
}
PAGE: Schema = {"text/html": {"schema": {"type": "string"}}}
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
        for schema in parts["schemas"].values():
            _complete_schema(schema)
        parts["schemas"] |= {"Problem": PROBLEM, "FieldProblem": FIELD_PROBLEM}
        parts["securitySchemes"] = SCHEMES
        for operation in operations(made):
            _complete(operation, parts["schemas"])
        app.openapi_schema = made
    return app.openapi_schema


def operations(described: dict[str, Any]) -> Iterator[Operation]:
    """Every operation of a description."""
    for methods in described["paths"].values():
        yield from methods.values()


def _complete_schema(schema: Schema) -> None:
    """What Pydantic says of a model, as generators of clients take it."""
    properties = schema.get("properties", {})
    # Pydantic takes a command's kind as given, having a default for it; by it they are told apart.
    if "const" in properties.get("kind", {}):
        schema["required"] = ["kind", *schema.get("required", ())]
    for of in properties.values():
        # openapi-typescript requires a field that has a default, openapi-python-client does not read one of a choice.
        default = of.pop("default", None)
        if default not in (None, [], {}, "") and "const" not in of:
            of["description"] = f"{of.get('description', '')} Unless given: {json.dumps(default)}.".strip()


def _complete(operation: Operation, schemas: dict[str, Schema]) -> None:
    """What holds for every operation: what a credential is, which answers it shares with all, and what its own one is."""
    answers_ = operation["responses"]
    for answer in answers_.values():
        name = str(answer.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")).rpartition("/")[2]
        answer["description"] = schemas.get(name, {}).get("description") or answer["description"]
    # FastAPI's own answer to a malformed request, which we answer with 400.
    if "HTTPValidationError" in str(answers_.get("422")):
        del answers_["422"]
    answers_.update({str(status): of for status, of in ANYWHERE.items() if str(status) not in answers_})
    if "text/html" in answers_.get("200", {}).get("content", {}):
        # A page says in a page what is wrong, mostly, whatever it is.
        answers_ = {status: of | {"content": of["content"] | PAGE} if status >= "400" else of for status, of in answers_.items()}
    operation["responses"] = dict(sorted(answers_.items()))
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "Idempotency-Key":
            # Asked for by us, who say why.
            parameter |= {"required": True, "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"\S"}}
    if "401" in answers_:
        operation["security"] = [{"key" if operation["tags"] == ["referrers"] else "staff": []}]
