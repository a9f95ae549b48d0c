"""Whatever else is imported in a process, a query of the product means the same: SQLAlchemy keeps one registry of named functions
for all, and Prefect's server has its own `greatest` and `least` in it from the moment that it is imported."""

from __future__ import annotations

import ast
from pathlib import Path

import prefect.server.utilities.database  # noqa: F401  # what it registers is looked for
from sqlalchemy.sql import functions

ROOT = Path(__file__).parents[2]
PARTS = ("flows", "states", "api", "notifications", "config", "bench")


def named_functions() -> dict[str, set[str]]:
    """Each function of the database that the product asks for by name, and the files that do."""
    found: dict[str, set[str]] = {}
    for path in (path for part in PARTS for path in (ROOT / part).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "func":
                found.setdefault(node.attr, set()).add(str(path.relative_to(ROOT)))
    return found


def test_no_query_asks_for_a_function_that_another_library_has_taken_for_itself() -> None:
    registered = functions._registry["_default"]
    taken = {name for name, of in registered.items() if not of.__module__.startswith("sqlalchemy.")}
    assert {"greatest", "least"} <= taken, "Prefect's server registers them: else this finds nothing"
    asked = named_functions()
    assert "coalesce" in asked
    assert {name: files for name, files in asked.items() if name in taken} == {}
