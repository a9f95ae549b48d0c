"""Whether Prefect's tables are there as its release wants them, found out without Prefect: it imports all it ever did to them."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import psycopg

STEPS = "server/database/_migrations/versions/postgresql"
"""Where Prefect has what it ever did to its tables, a file for each step."""
_NAME = re.compile(r'^revision\b.*?"(\w+)"', re.MULTILINE)
_AFTER = re.compile(r"^down_revision\b.*$", re.MULTILINE)


def newest() -> set[str]:
    """The names of the steps after which none comes; none where Prefect keeps them in another way than it did."""
    prefect = find_spec("prefect")
    if prefect is None or prefect.origin is None:
        return set()
    steps = [path.read_text(encoding="utf-8") for path in (Path(prefect.origin).parent / STEPS).glob("*.py")]
    before = {name for step in steps for line in _AFTER.findall(step) for name in re.findall(r'"(\w+)"', line)}
    return {name for step in steps for name in _NAME.findall(step)} - before


def up_to_date(database_url: str) -> bool:
    """Whether every step was made in this database. Where that cannot be told it was not: Prefect's server then looks itself."""
    wanted = newest()
    try:
        with psycopg.connect(re.sub(r"^postgresql\+\w+", "postgresql", database_url), connect_timeout=5) as connection:
            made = {str(row[0]) for row in connection.execute("SELECT version_num FROM alembic_version").fetchall()}
    except psycopg.Error:
        return False
    return bool(wanted) and made == wanted
