"""The API's documentation as a page of ours: no script, no style and no picture, from here or anywhere."""

from __future__ import annotations

import gzip
import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from mash.api.described import ANYWHERE
from mash.api.pages.page import page

router = APIRouter()


@router.get("/docs", response_class=HTMLResponse, include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    """Each operation: what it does, who may call it, what it takes with an example, and what it answers; and each model of those,
    with its fields and the words of their codes."""
    described = request.app.openapi()
    shown = [
        _shown(path, method, operation, described["components"])
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    anywhere = [(status, answer["description"]) for status, answer in ANYWHERE.items()]
    models = [_model(name, of) for name, of in sorted(described["components"]["schemas"].items())]
    info = described["info"]
    known: dict[str, Any] = {"operations": shown, "anywhere": anywhere, "models": models}
    return _small(request, page(request, "docs.html", info["title"], about=info["description"], **known))


def _small(request: Request, answer: HTMLResponse) -> HTMLResponse:
    """The page compressed, for whoever takes that: it is five times as long as any other, and says nothing of anybody."""
    answer.headers["vary"] = "accept-encoding"
    if "gzip" in request.headers.get("accept-encoding", ""):
        answer.body = gzip.compress(answer.body)
        answer.headers["content-encoding"] = "gzip"
        answer.headers["content-length"] = str(len(answer.body))
    return answer


def _shown(path: str, method: str, operation: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    """An operation as the page shows it."""
    body = _name(_schema(operation.get("requestBody", {})))
    model = parts["schemas"].get(body, {})
    asked = [name for scheme in operation.get("security", ()) for name in scheme]
    return {
        "id": operation["operationId"],
        "name": f"{method.upper()} {path}",
        "about": operation.get("description", ""),
        "who": parts["securitySchemes"][asked[0]]["description"] if asked else "",
        "parameters": [
            {**parameter, "expected": _expected(parameter["schema"])} for parameter in operation.get("parameters", ())
        ],
        "body": body,
        "examples": [json.dumps(example, indent=2, ensure_ascii=False) for example in model.get("examples", ())],
        "answers": [
            (status, answer["description"], _name(_schema(answer)))
            for status, answer in operation["responses"].items()
            if int(status) not in ANYWHERE
        ],
    }


def _schema(content: dict[str, Any]) -> dict[str, Any]:
    """The schema of a body or an answer in JSON; empty for any other."""
    for kind, of in content.get("content", {}).items():
        if kind.endswith("json"):
            schema: dict[str, Any] = of.get("schema", {})
            listed: dict[str, Any] = schema.get("items", schema)
            return listed
    return {}


def _name(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _model(name: str, of: dict[str, Any]) -> dict[str, Any]:
    """A model as the page shows it."""
    fields = [_field(each, part, of) for each, part in of.get("properties", {}).items()]
    return {"name": name, "about": of.get("description", ""), "fields": fields}


def _field(name: str, of: dict[str, Any], model: dict[str, Any]) -> dict[str, Any]:
    about = of.get("description", "")
    return {"name": name, "needed": name in model.get("required", ()), "about": about, "expected": _expected(of)}


def _expected(schema: dict[str, Any]) -> str:
    """What a value is, in a few words."""
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        words = list(dict.fromkeys(_expected(choice) for choice in choices))
        return " or ".join(words) if len(words) <= 4 else f"one of {len(words)} kinds: see the examples"
    if "$ref" in schema:
        return _name(schema)
    if "const" in schema:
        return f"“{schema['const']}”"
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    if schema.get("type") == "array":
        return f"a list of {_expected(schema.get('items', {}))}"
    bounds = {"pattern": "", "maxLength": "at most {} characters", "minimum": "from {}", "maximum": "to {}"}
    phrases = [sentence.format(schema[name]) for name, sentence in bounds.items() if name in schema and sentence]
    return ", ".join([str(schema.get("format") or schema.get("type") or "anything"), *phrases])
