"""What schemathesis needs to know of us: who calls, cases that exist, and a key for each request."""

from __future__ import annotations

import os
import random
import uuid
from typing import Any

import schemathesis

REFERENCES, LINKS = (os.environ[name].split(",") for name in ("FUZZ_REFERENCES", "FUZZ_LINKS"))


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
