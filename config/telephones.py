"""Telephone numbers as people type them, perhaps among words: whether there is one that can be rung from here."""

from __future__ import annotations

import re

from phonenumbers import (
    Leniency,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberMatcher,
    ValidationResult,
    is_possible_number_with_reason,
    national_significant_number,
)

HERE, HERE_CODE = "GB", 44
"""The region whose numbers are typed without the code of a country, and that code."""


def can_be_rung(text: str) -> bool:
    """Whether a text has a whole number: with its area code, or with that of another country. Whether it has been given to
    anybody is not asked: new ranges are opened, and those kept for fiction were given to nobody (Ofcom)."""
    return any(_whole(each.number) for each in PhoneNumberMatcher(text, HERE, leniency=Leniency.POSSIBLE))


def _whole(number: PhoneNumber) -> bool:
    if number.country_code != HERE_CODE:
        return is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    plan = PhoneMetadata.metadata_for_region(HERE)
    pattern = plan.general_desc.national_number_pattern if plan and plan.general_desc else None
    # The library takes the 0 before an area for a figure of the number where it knows no such number.
    return bool(re.fullmatch(pattern or "", national_significant_number(number).lstrip("0")))
