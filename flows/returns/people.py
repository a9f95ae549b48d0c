"""Who a child is, as the census takes it: out of what was recorded of them, as it was written, only what is one of its codes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from mash.config import codes
from mash.flows.store.details import NOTHING, day

TAKEN_AS = {
    "sex": "sex",
    "ethnicity": "ethnicity",
    "disability": "disabilities",
    "upn": "upn",
    "former_upn": "former_upn",
    "upn_unknown": "upn_unknown",
    "date_of_birth": "born",
    "expected_date": "expected",
    "died_on": "died",
}
"""What is read of a subject's details, nothing by which they are called or found; and what of a person it is in the census."""
FIELDS = tuple(TAKEN_AS)
_UPN = re.compile(r"[A-Z][0-9]{11}[0-9A-Z]", re.ASCII)


@dataclass(frozen=True)
class Person:
    """What is recorded of a child, as it was written; and what of that the census takes."""

    recorded: Mapping[str, Any]
    written_in: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Of each field, in which case and of which subject it was written: it is put right there."""

    def _text(self, name: str) -> str:
        return str(self.recorded.get(name) or "").strip()

    def _code(self, name: str, code_set: str) -> str | None:
        code = self._text(name).upper()
        return code if code and codes.known(code_set, code) else None

    @cached_property
    def sex(self) -> str | None:
        """M, F or U; None where none of them is recorded."""
        return self._code("sex", "sex")

    @cached_property
    def ethnicity(self) -> str | None:
        """A code of the census."""
        return self._code("ethnicity", "ethnicity")

    @cached_property
    def disabilities(self) -> tuple[str, ...]:
        """Codes of the census, each once; NONE stands alone."""
        return codes.disabilities_of_census(self.recorded.get("disability"))

    @cached_property
    def upn(self) -> str | None:
        """A unique pupil number whose form, check letter and authority are right (rules 1510 to 1550)."""
        return codes.upn_of_census(self._text("upn"))

    @cached_property
    def former_upn(self) -> str | None:
        """The one that they had before."""
        number = self._text("former_upn").replace(" ", "").upper()
        return number if _UPN.fullmatch(number) else None

    @cached_property
    def upn_unknown(self) -> str | None:
        """Why no UPN is known; nothing beside one that is."""
        return None if self.upn else self._code("upn_unknown", "upn_unknown")

    @cached_property
    def born(self) -> date | None:
        """The day of birth; None where it is not recorded, or in words."""
        return day(self._text("date_of_birth"))

    @cached_property
    def expected(self) -> date | None:
        """When an unborn child is, or was, expected."""
        return day(self._text("expected_date"))

    @cached_property
    def died(self) -> date | None:
        """The day of death."""
        return day(self._text("died_on"))

    def born_by(self, on: date) -> date | None:
        """The day of birth, of who was born by then: at the end of a census year a child may be unborn who is not any more."""
        return self.born if self.born and self.born <= on else None

    def expected_after(self, on: date) -> date | None:
        """Of who was not born by then: when they were expected, or else were born."""
        return None if self.born_by(on) else (self.expected or self.born)

    def wrong(self, name: str) -> bool:
        """Whether something is recorded in this field that the census does not take."""
        return bool(self._text(name)) and not getattr(self, TAKEN_AS[name])


NOBODY = Person({})


@dataclass(frozen=True)
class Written:
    """What is recorded of a subject in one case: each field with the time since which it says so."""

    reference: str
    subject: str
    fields: Mapping[str, tuple[Any, datetime]]


def merged(records: Iterable[Written]) -> Person:
    """One child's details out of several cases: of each field what the census takes rather than what it does not, and of that
    what was written last, in whichever case."""
    found: dict[str, tuple[bool, datetime, Any, tuple[str, str]]] = {}
    for record in records:
        for name, (value, since) in record.fields.items():
            if value not in NOTHING:
                taken = bool(getattr(Person({name: value}), TAKEN_AS[name]))
                if name not in found or (taken, since) > found[name][:2]:
                    found[name] = (taken, since, value, (record.reference, record.subject))
    return Person({name: each[2] for name, each in found.items()}, {name: each[3] for name, each in found.items()})
