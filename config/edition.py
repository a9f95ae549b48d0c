"""The editions of the guidance, as layers over the product's defaults: a hub's file chooses one by name."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from mash.config.toml_lines import Document, read_document

SHIPPED = Path(__file__).parent / "editions"
DEFAULT = "2023"
EDITIONS = tuple(sorted(path.stem for path in SHIPPED.glob("*.toml")))


@cache
def read_edition(name: str) -> Document:
    """One edition. What it adds to the hub's own lists (a quorum, services) stands in its own table."""
    return read_document(SHIPPED / f"{name}.toml")


def with_additions(settings: dict[str, Any]) -> dict[str, Any]:
    """A hub's settings with what its edition adds to those that it states itself: whom a strategy discussion needs, and services
    that a step-down can be offered to."""
    edition = dict(settings["edition"])
    quorum, services = edition.pop("quorum", {}), edition.pop("services", {})
    added = {**settings, "edition": edition}
    for meeting, needed in quorum.items():
        stated = settings[meeting].get("quorum", [])
        added[meeting] = {**settings[meeting], "quorum": [*stated, *(each for each in needed if each not in stated)]}
    if services:
        added["services"] = {**settings["services"], **{n: s for n, s in services.items() if n not in settings["services"]}}
    return added
