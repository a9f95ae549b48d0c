"""What a person is found by without a plain name at rest: keyed numbers of their name's words, of three letters of each, and of
how each sounds.

What a name is matched by is made comparable first (case, accents, hyphens), never what is kept: names stay as people write them.
docs/run/security.md says what these numbers give away.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jellyfish import metaphone

from mash.flows.store.marks import Facts, columns, day, facts, number
from mash.flows.store.sounds import comparable, heard, spellings, words
from mash.flows.store.writes import Item

NAMED = ("subject", "household")
"""The kinds of items that hold a person."""
MOST_NUMBERS = 56
"""Of a name; one of four words of ten letters has as many. The words come first, then how they sound, then their letters."""


def tokens(key: bytes, name: str) -> list[int]:
    """The numbers of a name, MOST_NUMBERS at most: of each word, of how it sounds in English, and of its letters by threes, as
    they are at its beginning and end too. A word with letters that others have to do without has those of its plain spellings
    besides its own: whoever is found by what was kept before is found by what is kept now."""
    every = [*dict.fromkeys(spelling for word in words(name) for spelling in spellings(word))]
    parts = [f"word:{word}" for word in every]
    parts += [f"sound:{sound}" for word in every if (sound := metaphone(word))]
    for word in every:
        edged = f"  {word} "
        parts += [f"three:{edged[at : at + 3]}" for at in range(len(edged) - 2)]
    return sorted(number(key, part) for part in [*dict.fromkeys(parts)][:MOST_NUMBERS])


def sounds(key: bytes, hub: str, name: str) -> list[int]:
    """By what those in a hub are looked for whose names sound so, word by word."""
    return sorted({number(key, f"{hub}:heard:{heard(word)}") for word in comparable(name)})


def birthdays(key: bytes, born: str) -> tuple[int | None, int | None]:
    """The numbers of a date of birth, and of the one with day and month exchanged; None for what is no date."""
    if (its := day(born)) is None:
        return None, None
    exchanged = its.replace(month=its.day, day=its.month) if its.day <= 12 and its.day != its.month else None
    return number(key, f"born:{its}"), number(key, f"born:{exchanged}") if exchanged else None


def people(key: bytes, reference: str, hub: str, items: Iterable[Item]) -> list[dict[str, Any]]:
    """The rows by which the people in these items are found, which are all of a contact's. Whoever is said to live nowhere lives
    where the contact's others do, if that is one place."""
    named = [item for item in items if item.kind in NAMED]
    rows, address = [], shared_address(named)
    for item in named:
        known = facts(item.content, address)
        if is_somebody(item.content, known):
            born, _ = birthdays(key, str(json.loads(item.content).get("date_of_birth") or ""))
            found_by = {"tokens": tokens(key, name_of(item.content)), "born": born, **columns(key, hub, known)}
            rows.append({"reference": reference, "hub": hub, "subject": item.subject, **found_by})
    return rows


def is_somebody(content: bytes, known: Facts) -> bool:
    """Whether an item says of a person by what they could be found: their name, or a number that is theirs alone."""
    return bool(name_of(content).strip() or known.nhs_number or known.upn)


def shared_address(named: Sequence[Item]) -> str:
    """Where the people in these items live, as JSON, if they live in one place."""
    told = {json.dumps(place, sort_keys=True) for item in named if (place := json.loads(item.content).get("address"))}
    return told.pop() if len(told) == 1 else ""


def name_of(content: bytes) -> str:
    """The name in an item about a person."""
    name = json.loads(content).get("name") or ""
    return " ".join(str(name.get(part) or "") for part in ("given", "family")) if isinstance(name, dict) else str(name)


def initials_of(name: Any) -> str:
    """The initials of a name, in its parts or as text: of the first given name and the last family name, 'E.N.'."""
    if isinstance(name, Mapping):
        given, family = (str(name.get(part) or "").split() for part in ("given", "family"))
        words = [*given[:1], *family[-1:]]
    else:
        every = str(name or "").split()
        words = [*every[:1], *every[1:][-1:]]
    letters = (next((letter for letter in word if letter.isalpha()), "") for word in words)
    return "".join(f"{letter.upper()}." for letter in letters if letter)
