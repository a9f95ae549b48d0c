"""Text as people send it: written in one way, without what is no text, and otherwise as they wrote it."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from pydantic_core import PydanticCustomError

DEEPEST = 20
MOST_VALUES = 2_000
LONGEST_KEY = 200
LONGEST_FURTHER = 200_000
"""Bounds of what is kept of further fields: how deep, how many, and how long, in characters, together."""

REFERENCE = r"MASH-[0-9]{2}-[0-9]{6,12}(-[A-Z]+)*"
"""How the reference of a referral, or of one part of it, is written."""

_BREAKS = re.compile("[\x0b\x0c]")
"""A line break within a paragraph, and one of pages: word processors copy them as these."""
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Embeddings, overrides and isolates. Telephones put them around numbers that are copied from their contacts, and whoever wants
to deceive a reader, around other things. Text in Arabic, Urdu or Hebrew reads right without them; the marks and joiners that it
needs (U+200C to U+200F, U+061C) are others."""
_HALF = re.compile("[\ud800-\udfff]")

NO_CONTROLS = "expected text without control characters: remove what was pasted beside the text, and send it again"
WHOLE = "expected whole characters: half of one was sent"


def readable(text: str) -> str:
    """The text with a blank in place of whatever is no text: for what is kept beside an answer, and refused by nobody."""
    return plain(_HALF.sub(" ", _CONTROLS.sub(" ", text)))


def plain(text: str) -> str:
    """The text in Unicode's composed form (NFC: the same letters, never others), without marks that turn its direction.

    Raises PydanticCustomError for control characters and halves of characters: nobody means them, and PostgreSQL, terminals and
    logs each make something else of them.
    """
    if text.isascii() and text.isprintable():
        return text
    if _HALF.search(text):
        raise PydanticCustomError("whole_text", WHOLE)
    text = _BREAKS.sub("\n", text)
    if _CONTROLS.search(text):
        raise PydanticCustomError("plain_text", NO_CONTROLS)
    return unicodedata.normalize("NFC", _DIRECTIONS.sub("", text))


def further(extra: dict[str, Any]) -> dict[str, Any]:
    """Fields that we do not know, plain and within bounds. Raises PydanticCustomError, which repeats none of their names."""
    return _Further().fields(extra, 1)


class _Further:
    """How much may still come."""

    def __init__(self) -> None:
        self.values, self.characters = MOST_VALUES, LONGEST_FURTHER

    def fields(self, extra: dict[str, Any], depth: int) -> dict[str, Any]:
        """Fields by their names."""
        if any(len(name) > LONGEST_KEY for name in extra):
            raise PydanticCustomError("too_long", f"expected names of at most {LONGEST_KEY} characters")
        return {self._text(name): self._value(value, depth) for name, value in extra.items()}

    def _value(self, value: Any, depth: int) -> Any:
        self.values -= 1
        if depth > DEEPEST or self.values < 0:
            raise PydanticCustomError("too_much", f"expected at most {MOST_VALUES:,} values, {DEEPEST} deep: send fewer, flatter")
        if isinstance(value, dict):
            return self.fields(value, depth + 1)
        if isinstance(value, list):
            return [self._value(each, depth + 1) for each in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        self.characters -= len(text)
        if self.characters < 0:
            raise PydanticCustomError("too_long", f"expected at most {LONGEST_FURTHER:,} characters in further fields")
        return plain(text)
