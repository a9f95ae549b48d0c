"""What a person is found by without a plain name at rest: keyed numbers of their name's words, of three letters of each, and of
how each sounds.

What a name is matched by is made comparable first (case, accents, hyphens), never what is kept: names stay as people write them.
docs/run/security.md says what these numbers give away.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import Any

from jellyfish import metaphone

from mash.flows.store.writes import Item

NAMED = ("subject", "household")
"""The kinds of items that hold a person."""
LONGEST_NAME = 200
"""Characters of a name by which somebody is found. What is longer is kept as it was given, and flagged: it is no name, or more
than one."""
MOST_NUMBERS = 40
"""Of a name; one of three words of ten letters has as many. The words come first, then how they sound, then their letters."""


def comparable(name: str) -> list[str]:
    """The words of a name as they are compared: without case, accents and what stands between letters."""
    name = name[:LONGEST_NAME].casefold()
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return re.findall(r"\w+", plain.replace("'", "").replace("’", ""))


def tokens(key: bytes, name: str) -> list[int]:
    """The numbers of a name, MOST_NUMBERS at most: of each word, of how it sounds in English, and of its letters by threes, as
    they are at its beginning and end too. What hyphens join is a word of its own as well: Al-Haddad is Alhaddad to others."""
    name = name[:LONGEST_NAME]
    words = [*dict.fromkeys((*comparable(name), *("".join(comparable(part)) for part in name.split())))]
    words = [word for word in words if word]
    parts = [f"word:{word}" for word in words]
    parts += [f"sound:{sound}" for word in words if (sound := metaphone(word))]
    for word in words:
        edged = f"  {word} "
        parts += [f"three:{edged[at : at + 3]}" for at in range(len(edged) - 2)]
    return sorted(_number(key, part) for part in [*dict.fromkeys(parts)][:MOST_NUMBERS])


def birthdays(key: bytes, born: str) -> tuple[int | None, int | None]:
    """The numbers of a date of birth, and of the one with day and month exchanged; None for what is no date."""
    try:
        day = date.fromisoformat(born)
    except ValueError:
        return None, None
    exchanged = day.replace(month=day.day, day=day.month) if day.day <= 12 and day.day != day.month else None
    return _number(key, f"born:{day}"), _number(key, f"born:{exchanged}") if exchanged else None


def _number(key: bytes, part: str) -> int:
    return int.from_bytes(hmac.digest(key, part.encode(), hashlib.sha256)[:8], "big", signed=True)


def people(key: bytes, reference: str, hub: str, items: Iterable[Item]) -> list[dict[str, Any]]:
    """The rows by which the people in these items are found."""
    rows = []
    for item in items:
        if item.kind in NAMED and (name := name_of(item.content)).strip():
            born, _ = birthdays(key, str(json.loads(item.content).get("date_of_birth") or ""))
            row = {"reference": reference, "hub": hub, "subject": item.subject, "tokens": tokens(key, name), "born": born}
            rows.append(row)
    return rows


def name_of(content: bytes) -> str:
    """The name in an item about a person."""
    name = json.loads(content).get("name") or ""
    return " ".join(str(name.get(part) or "") for part in ("given", "family")) if isinstance(name, dict) else str(name)
