"""What somebody typed where a reference or a name is asked for: a reference in whatever way people write one, or a name, perhaps
with a birthday behind it. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime

from mash.config.codes import nhs_number_is_valid, upn_is_valid

YEARS_BACK = 20
"""Of a reference without its year: the hub's numbers do not begin anew each year, so there is one that has it."""
_BEFORE = re.compile(r"^(?:(?:MASH|CASE|REFERENCE|REFERRAL|REF|NO|NUMBER)-?)+(?=\d)")
_WHOLE = re.compile(r"(?:20)?(\d\d)-(\d{1,12})((?:-?[A-Z])?(?:-[A-Z]+)*)|(\d\d)(\d{6,12})((?:-?[A-Z])?(?:-[A-Z]+)*)")
_NUMBER = re.compile(r"(\d{1,7})((?:-?[A-Z])?(?:-[A-Z]+)*)")
_DAY = re.compile(r"(?:^|\s)((?:\d{1,2}[\s./-]+){2}\d{4}|\d{4}-\d{1,2}-\d{1,2}|\d{1,2}\s+[a-z]{3,9}\s+\d{4})$", re.IGNORECASE)
_WRITTEN = ("%d %m %Y", "%Y %m %d", "%d %b %Y", "%d %B %Y")


def number_of_a_person(text: str) -> dict[str, str]:
    """The NHS number or the UPN that was typed, by which of them it is; nothing where it is neither."""
    plain = "".join(text.split()).upper()
    if nhs_number_is_valid(plain):
        return {"nhs_number": " ".join(text.split())}
    return {"upn": plain} if upn_is_valid(plain) else {}


def references(text: str, year: int) -> tuple[str, ...]:
    """The references that may be meant, of which one exists at most; none where it is no reference. `year` is this one."""
    if number_of_a_person(text):
        return ()
    plain = _BEFORE.sub("", re.sub(r"[\W_]+", "-", text.upper()).strip("-"))
    if whole := _WHOLE.fullmatch(plain):
        of_year, number, part = whole.group(1, 2, 3) if whole[1] else whole.group(4, 5, 6)
        return (_reference(int(of_year), number, part),)
    if short := _NUMBER.fullmatch(plain):
        return tuple(_reference(each % 100, short[1], short[2]) for each in range(year, year - YEARS_BACK, -1))
    return ()


def _reference(year: int, number: str, part: str) -> str:
    letters = "".join(f"-{each}" for each in part.split("-") if each)
    return f"MASH-{year:02d}-{int(number):06d}{letters}"


def name_and_birthday(text: str) -> tuple[str, str]:
    """A name, and the birthday behind it as ISO writes it, if there is one: 'Isla Example 20/12/2015'."""
    text = " ".join(text.split())
    if (found := _DAY.search(text)) and (born := birthday(found[1])):
        return text[: found.start()].rstrip(" ,;(").removesuffix("born").rstrip(" ,;"), born.isoformat()
    return text, ""


def birthday(text: str) -> date | None:
    """A day as people here write one, day first; None for what is none."""
    plain = " ".join(re.split(r"[\s./-]+", text.strip()))
    for form in _WRITTEN:
        try:
            return datetime.strptime(plain, form).date()
        except ValueError:
            continue
    return None
