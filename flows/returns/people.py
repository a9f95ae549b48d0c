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

_RANGES = (
    "001-005 201-213 301-320 330-336 340-344 350-359 370-373 380-384 390-394 420 660-681 701-708 800-803 805-808 810-813 815 816"
    " 820-823 825 826 830 831 835-841 845 846 850-852 855-857 860 861 865-896 908 909 916 919 921 925 926 928 929 931 933 935-938"
    " 940-943"
)
"""Numbers of authorities, present and past, and of none, that a UPN may begin with (rule 1530), with those founded since."""
SCHOOL_AGE = 5
"""From how many years on a child has a UPN, or a reason for having none (rule 8770Q asks from six on)."""
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


def _numbers() -> Iterable[str]:
    for part in _RANGES.split():
        first, _, last = part.partition("-")
        yield from (f"{number:03}" for number in range(int(first), int(last or first) + 1))


UPN_AUTHORITIES = frozenset(_numbers())


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
        """Codes of the census, each once; NONE stands alone (rules 8790, 8794)."""
        given = self.recorded.get("disability") or ()
        written = [given] if isinstance(given, str) else list(given)
        known = dict.fromkeys(str(code).strip().upper() for code in written)
        some = tuple(code for code in known if codes.known("disability", code))
        return tuple(code for code in some if code != "NONE") or some

    @cached_property
    def upn(self) -> str | None:
        """A unique pupil number whose form, check letter and authority are right (rules 1510 to 1550)."""
        number = self._text("upn").replace(" ", "").upper()
        right = bool(_UPN.fullmatch(number)) and codes.upn_is_valid(number) and number[1:4] in UPN_AUTHORITIES
        return number if right else None

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
