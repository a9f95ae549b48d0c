"""By what a person of one contact is known again in another, as keyed numbers: of their name's words, their birthday and its
parts, where they live, and their NHS number and UPN. Pure.

What is compared is kept on the person's row. What is looked for stands in an index of its own (`known_key`): pairs of such facts,
few of which many people share, so that a common name makes no look slow. The index' numbers are of one hub.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from mash.config.codes import nhs_number_is_valid, upn_is_valid
from mash.flows.store.sounds import comparable, heard, mixed, plain, short_for, words

MOST_WORDS = 3
"""Of a given name, and of a family name, by which somebody is known again."""
MOST_KEYS = 48
_SHORTENED = {"rd": "road", "st": "street", "ave": "avenue", "av": "avenue", "ln": "lane", "cl": "close", "dr": "drive",
              "cres": "crescent", "gr": "grove", "flt": "flat"}  # fmt: skip


def number(key: bytes, part: str) -> int:
    """The number that stands for a part of what is known of somebody."""
    return int.from_bytes(hmac.digest(key, part.encode(), hashlib.sha256)[:8], "big", signed=True)


@dataclass(frozen=True)
class Facts:
    """What is known of a person, in the clear and made comparable; only in memory."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    born: date | None
    postcode: str
    address: str
    nhs_number: str
    upn: str


def facts(content: bytes, address: str = "") -> Facts:
    """What an item about a person says; they live at `address`, which is JSON, where it says of no other."""
    person = json.loads(content)
    given, family = _parts_of_name(person.get("name"))
    postcode, line = _lives(person.get("address") or (json.loads(address) if address else None))
    nhs_number, upn = (_letters(str(person.get(name) or "")).upper() for name in ("nhs_number", "upn"))
    return Facts(
        tuple(given),
        tuple(family),
        day(str(person.get("date_of_birth") or "")),
        postcode,
        line,
        nhs_number if nhs_number_is_valid(nhs_number) else "",
        upn if upn_is_valid(upn) else "",
    )


def day(text: str) -> date | None:
    """A day, or None for what is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def columns(key: bytes, hub: str, known: Facts) -> dict[str, Any]:
    """What stands on a person's row for them to be known again."""
    born = known.born
    return {
        "parts": [number(key, part) for part in _parts_of_day(born)] if born else None,
        "near": sorted({number(key, part) for part in near(known)}),
        "keys": sorted({number(key, f"{hub}:{part}") for part in [*sought(known)][:MOST_KEYS]}),
        **{name: number(key, part) if part else None for name, part in single(known).items()},
    }


def single(known: Facts) -> dict[str, str]:
    """The facts of which somebody has one, by their column."""
    values = {name: getattr(known, name) for name in ("nhs_number", "upn", "postcode", "address")}
    return {name: f"{name}:{value}" if value else "" for name, value in values.items()}


def near(known: Facts) -> Iterator[str]:
    """What a name is told by: the place of each word, how it sounds, and what it is short for."""
    for place, its in (("given", known.given), ("family", known.family)):
        for word in its:
            yield f"{place}:{word}"
            yield f"heard:{heard(word)}"
            yield f"letters:{mixed(word)}"
            if place == "given":
                yield from (f"short:{each}" for each in short_for(word))


def sought(known: Facts) -> Iterator[str]:
    """What somebody is looked for by, what few share first."""
    yield from (part for name, part in single(known).items() if part and name != "postcode")
    born, every = known.born, dict.fromkeys((*known.given[:2], *known.family[:2]))
    for one in known.given[:2]:
        for other in known.family[:2]:
            yield "both:" + ":".join(sorted((heard(one), heard(other))))
    if born:
        yield f"born:{born}"
        for word in every:
            yield from (f"{part}:{heard(word)}" for part in _pairs_of_day(born))
    for word in known.given[:1] if known.postcode else ():
        yield f"{known.postcode}:{heard(word)}"
    for word in dict.fromkeys((*known.given, *known.family)):
        yield f"word:{word}"
        yield f"heard:{heard(word)}"


def _parts_of_day(born: date) -> tuple[str, str, str]:
    return f"year:{born.year}", f"month:{born.month}", f"day:{born.day}"


def _pairs_of_day(born: date) -> Iterator[str]:
    """Two of the three parts of a birthday; day and month in either order."""
    first, last = sorted((born.day, born.month))
    yield f"days:{first}:{last}"
    yield f"year-month:{born.year}:{born.month}"
    yield f"year-day:{born.year}:{born.day}"


def _parts_of_name(name: Any) -> tuple[list[str], list[str]]:
    """The words of the given and of the family name; of a name in one piece the last word is the family's."""
    if isinstance(name, dict):
        given, family = str(name.get("given") or ""), str(name.get("family") or "")
    else:
        given, _, family = " ".join(str(name or "").split()).rpartition(" ")
    return _plain_words(given), _plain_words(family)


def _plain_words(name: str) -> list[str]:
    return [*dict.fromkeys(plain(word) for word in words(name))][:MOST_WORDS]


def _letters(text: str) -> str:
    return "".join(each for each in text if each.isalnum())


def _lives(address: Any) -> tuple[str, str]:
    """The postcode of an address, and its first line's words with it; nothing where it is no address in parts."""
    if not isinstance(address, Mapping):
        return "", ""
    postcode = _letters(str(address.get("postcode") or "")).casefold()
    line = [_SHORTENED.get(word, word) for word in comparable(str(address.get("line1") or ""))]
    numbered = any(re.search(r"\d", word) for word in line)
    return postcode, " ".join((*line, postcode)) if postcode and numbered else ""
