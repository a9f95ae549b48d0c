"""What schemathesis needs to know of us: who calls, cases that exist, and a key for each request."""

from __future__ import annotations

import os
import random
import uuid
from typing import Any

import schemathesis

from mash.api.schemas.contact import Submission
from mash.api.schemas.fields import MOMENT, PLAIN
from mash.api.text import LONGEST_KEY
from mash.config import codes

REFERENCES, LINKS = (os.environ[name].split(",") for name in ("FUZZ_REFERENCES", "FUZZ_LINKS"))


NAMES = {"maxLength": LONGEST_KEY, **PLAIN}
FURTHER = {
    "anyOf": [
        {"type": ["null", "boolean", "number"]},
        {"type": "string", **PLAIN},
        {"type": "array", "items": {"$ref": "#/components/schemas/Further"}},
        {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Further"}, "propertyNames": NAMES},
    ]
}

YES_OR_NO = [{"type": "boolean"}, {"type": "string"}, {"type": "null"}]


TO_AN_AUTHORITY = {"authority", "transfer_to"}
"""Fields that take the code of an authority that there is; which there are is a list that grows, and in no schema."""
WHICH = ("reference", "person", "name", "questions")


def _only(name: str) -> dict[str, Any]:
    others = {other: {"type": "null"} for other in WHICH if other != name}
    return {"required": [name], "properties": {name: {"type": "string"}, **others}}


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """What the description says in words alone, as generators of clients cannot read it: what is taken as a further field, or
    instead of yes and no, and that accesses are asked for by one thing or the other."""
    schemas = raw_schema["components"]["schemas"]
    taking = {name for name, of in schemas.items() if of.get("additionalProperties") is True} - {"Problem"}
    assert Submission.__name__ in taking
    for name in taking:
        schemas[name] |= {"additionalProperties": {"$ref": "#/components/schemas/Further"}, "propertyNames": NAMES}
        for field, of in schemas[name]["properties"].items():
            if of.get("anyOf") == YES_OR_NO:
                schemas[name]["properties"][field] = {}
    schemas["Further"] = FURTHER
    asked = schemas["AccessQuestion"]
    asked["oneOf"] = [_only(name) for name in WHICH]
    # A beginning of any kind, and no end: one before the beginning is refused.
    asked["properties"]["since"] = {"anyOf": [{"type": "string", "format": "date-time", "pattern": MOMENT}, {"type": "null"}]}
    asked["properties"]["until"] = {"type": "null"}
    for of in schemas.values():
        for field in TO_AN_AUTHORITY & {*of.get("properties", {})}:
            of["properties"][field] = {"anyOf": [{"enum": sorted(codes.authorities())}, {"type": "null"}]}


@schemathesis.auth(refresh_interval=None, retry_on=[])
class Credentials:
    """A referrer's key where the operation says so, a staff token elsewhere."""

    def get(self, case: schemathesis.Case, context: Any) -> str:
        """Theirs, for the operation."""
        key = {"key": []} in case.operation.definition.raw.get("security", [])
        role = "FUZZ_GOVERNANCE" if case.operation.path == "/accesses" else "FUZZ_STAFF"
        return f"Bearer {os.environ['FUZZ_KEY']}" if key else os.environ[role]

    def set(self, case: schemathesis.Case, data: str, context: Any) -> None:
        """Shown as everybody shows it."""
        case.headers["Authorization"] = data


@schemathesis.hook
def before_call(context: Any, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """A valid request is a new one, half of the time about a case that exists: else nothing would get beyond the door."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    for name, real in (("reference", REFERENCES), ("token", LINKS)):
        if name in case.path_parameters and random.random() < 0.7:
            case.path_parameters[name] = random.choice(real)
