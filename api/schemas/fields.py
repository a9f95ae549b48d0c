"""Single fields, as people and their systems write them: codes, days, times and texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from mash.api.problems import AS_TEXT, IN_PARTS
from mash.api.text import DEEPEST, REFERENCE, plain, readable

NAME_PARTS = ("title", "given", "first", "middle", "family", "last", "full")
"""What the parts of a name are called, in the order in which they are written."""


def as_text(value: Any) -> Any:
    """Text, however it was sent: a number as it is written, a list and an object part by part. Nothing is lost. Raises
    PydanticCustomError for what is too deep to be meant."""
    return value if value is None or isinstance(value, str) else _in_words(value, DEEPEST)


def _in_words(value: Any, depth: int) -> str:
    if depth == 0:
        raise PydanticCustomError("too_much", f"expected text, or at most {DEEPEST} objects within each other: send it flatter")
    if isinstance(value, dict):
        parts = {name: _in_words(each, depth - 1) for name, each in value.items() if each not in (None, "")}
        return "; ".join(f"{name}: {text}" for name, text in parts.items())
    if isinstance(value, list):
        return ", ".join(_in_words(each, depth - 1) for each in value if each not in (None, ""))
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_name(value: Any) -> Any:
    """A name in one piece, however it was sent: of one in parts, the parts one after another."""
    if isinstance(value, dict) and value.keys() <= set(NAME_PARTS):
        value = [value[part] for part in NAME_PARTS if part in value]
    if isinstance(value, list):
        return " ".join(as_text(each) for each in value if each not in (None, "", []))
    return as_text(value)


_ANSWERS = {
    **dict.fromkeys(("true", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "no", "n", "0", "none"), False),
    **dict.fromkeys(("", "-", "n/a", "not stated"), None),
}


UNSURE = ("?", "not known", "not sure", "unknown")
"""Answers by which somebody says that they do not know."""


def as_truth(value: Any) -> Any:
    """Yes, no, or not said; anything else is not said."""
    return _ANSWERS.get(_answer(value))


def is_answer(value: Any) -> bool:
    """Whether what was sent says yes or no, or says nothing; anything else somebody has to read, that they do not know too."""
    return value in (None, [], {}) or _answer(value) in _ANSWERS


def as_said(value: Any) -> str:
    """What was said instead of yes or no, as text that somebody can read."""
    try:
        return readable(str(as_text(value)))
    except PydanticCustomError:
        return "more than can be read"


def is_unsure(value: Any) -> bool:
    """Whether somebody says that they do not know."""
    return _answer(value) in UNSURE


def _answer(value: Any) -> str:
    return str(value).strip(" .!").lower() if isinstance(value, str | int) else repr(value)


def as_list(value: Any) -> Any:
    """Nothing given is an empty list, and one thing given alone is a list of it."""
    return [each for each in (value if isinstance(value, list) else [value]) if each is not None]


def as_object(field: str) -> Callable[[Any], Any]:
    """Nothing given is an empty object, and text given instead of one is its `field`."""

    def read(value: Any) -> Any:
        if value is None or isinstance(value, dict):
            return value or {}
        return value[0] if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) else {field: value}

    return read


Reference = Annotated[str, Path(pattern=f"^{REFERENCE}$", max_length=60, examples=["MASH-26-000001"])]
CODE = r"^[a-z0-9_-]{1,60}$"
SUBJECT = r"^[A-Za-z0-9]{1,20}$"
"""The number of a person in a case: S1, S2."""
_YEAR = "20(1[3-9]|2[0-9]|3[0-5])"
"""Those whose bank holidays are known."""
DAY = f"^{_YEAR}-[01][0-9]-[0-3][0-9]$"
MOMENT = f"^{_YEAR}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-5][0-9]"


def written(pattern: str, expected: str) -> BeforeValidator:
    """A day or a time as people write it: Pydantic would take a bare number for seconds since 1970."""

    def check(value: Any) -> Any:
        if not isinstance(value, str) or not re.match(pattern, value):
            raise PydanticCustomError("time", expected)
        return value

    return BeforeValidator(check)


Moment = Annotated[
    AwareDatetime,
    written(MOMENT, "expected a time such as 2026-11-23T17:00:00Z, from 2013 to 2035"),
    Field(json_schema_extra={"pattern": MOMENT}),
]
Day = Annotated[
    date, written(DAY, "expected a day such as 2026-11-23, from 2013 to 2035"), Field(json_schema_extra={"pattern": DAY})
]
PLAIN = {"pattern": r"^[^\u0000-\u0008\u000e-\u001f\u007f-\u009f]*$"}
"""Said in the documentation; `plain` sees to it, and says it in words."""
LONGEST_LINE, LONGEST_TEXT = 2_000, 100_000
"""Characters of a field, and of one that tells something."""
_Short = Annotated[str, Field(max_length=LONGEST_LINE, json_schema_extra=PLAIN), AfterValidator(plain)]
_Long = Annotated[str, Field(max_length=LONGEST_TEXT, json_schema_extra=PLAIN), AfterValidator(plain)]
_Code = Annotated[_Short, BeforeValidator(as_text, json_schema_input_type=_Short | float)]
Text = Annotated[_Short | None, BeforeValidator(as_text, json_schema_input_type=_Short | float | None), Field(default=None)]
Named = Annotated[_Short | None, BeforeValidator(as_name, json_schema_input_type=_Short | float | None), Field(default=None)]
Long = Annotated[_Long | None, BeforeValidator(as_text, json_schema_input_type=_Long | float | None), Field(default=None)]
_Codes = Annotated[list[_Code], Field(max_length=100)]
Codes = Annotated[_Codes, BeforeValidator(as_list, json_schema_input_type=_Codes | _Code | None), Field(default=[])]
Truth = Annotated[bool | None, BeforeValidator(as_truth, json_schema_input_type=bool | str | None), Field(default=None)]
TOLD_APART = Discriminator(lambda value: AS_TEXT if isinstance(value, str) else IN_PARTS)
"""Whether something that has parts was sent as an object, or in one piece."""
InOnePiece = Annotated[_Short, Tag(AS_TEXT)]
LONGEST_WORDS = 20_000
Words = Annotated[str, Field(min_length=1, max_length=LONGEST_WORDS, json_schema_extra=PLAIN), AfterValidator(plain)]
