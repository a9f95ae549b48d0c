"""The codes a contact may carry, and the check letters of NHS numbers and UPNs. Nothing here repeats what it was given."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from stdnum.gb import nhs, upn

_CODESETS = Path(__file__).parent / "codesets.json"
_UPN = re.compile(r"[A-HJ-NP-RT-Z][0-9]{11}[0-9A-HJ-NP-RT-Z]", re.ASCII)
"""Check letter, authority (3), school (4), year (2), serial (3); a temporary UPN ends in a letter."""
_UPN_AUTHORITIES = (
    "001-005 201-213 301-320 330-336 340-344 350-359 370-373 380-384 390-394 420 660-681 701-708 800-803 805-808 810-813 815 816"
    " 820-823 825 826 830 831 835-841 845 846 850-852 855-857 860 861 865-896 908 909 916 919 921 925 926 928 929 931 933 935-938"
    " 940-943"
)
"""Numbers of authorities, present and past, and of none, that a UPN may begin with (rule 1530). The published rule ends at 941;
942 and 943 were founded since."""
_CAPITALS = re.compile(r"\b(?!(?:LA|GP|CAFCASS|UASC|FGM)\b)[A-Z]{2,}\b")
"""Words that the census shouts; what stays is an abbreviation. Of A&E each letter is a word of its own."""


@cache
def code_sets() -> dict[str, dict[str, str]]:
    """Code set -> code -> label, as in the Children in Need census."""
    sets: dict[str, dict[str, str]] = json.loads(_CODESETS.read_text(encoding="utf-8"))
    return {name: codes for name, codes in sets.items() if not name.startswith("_")}


def known(code_set: str, code: str) -> bool:
    """Whether the code is in the set. Raises LookupError for a code set that does not exist."""
    return code in _codes(code_set)


def label(code_set: str, code: str) -> str:
    """What the code means; the code itself when the set does not say. Raises LookupError for an unknown code set."""
    return _codes(code_set).get(code) or code


def spoken(code_set: str, code: str) -> str:
    """What the code means, as a sentence begins: the census writes some words in capitals. What is no code is not touched."""
    if not known(code_set, code):
        return code
    text = _CAPITALS.sub(lambda word: word[0].lower(), label(code_set, code))
    return text[:1].upper() + text[1:]


@cache
def _categories() -> dict[str, list[str]]:
    return tomllib.loads((_CODESETS.parent / "categories.toml").read_text(encoding="utf-8"))


def categories(factors: Iterable[str]) -> tuple[str, ...]:
    """What a contact with these assessment factors is about: domestic abuse, missing, exploitation, gangs."""
    present = set(factors)
    return tuple(category for category, codes in _categories().items() if present & set(codes))


@cache
def authorities() -> dict[str, str]:
    """Local authorities with children's services, by their number at the Department for Education and by their ONS code."""
    lists = json.loads((_CODESETS.parent / "authorities.json").read_text(encoding="utf-8"))
    return {**lists["dfe"], **lists["ons"]}


def authority(code: str) -> str:
    """The name of the authority with this code; empty for a code that none has."""
    return authorities().get(code, "")


NEVER_ASKED_WHY = "UN1"
"""The census' reason of a child who is too young for school: of them it wants no UPN, and asks for no reason."""
NO_FURTHER_ACTION = "UN7"
"""Its reason of a child of whom every referral came to nothing further (rule 8772)."""


@cache
def reasons_without_upn(*, further_action: bool = False) -> dict[str, str]:
    """Why a child's UPN is not known: code -> what it means; where there is `further_action`, those that the census takes."""
    left_out = (NEVER_ASKED_WHY, *((NO_FURTHER_ACTION,) if further_action else ()))
    return {code: spoken("upn_unknown", code) for code in _codes("upn_unknown") if code not in left_out}


def nhs_number_is_valid(text: str) -> bool:
    """Whether this is a possible NHS number: ten digits, spaces and hyphens allowed, with the right check digit."""
    # Ten equal digits pass the check, but they are what systems fill in when they do not know.
    return bool(nhs.is_valid(text)) and len(set(nhs.compact(text))) > 1


def upn_is_valid(text: str) -> bool:
    """Whether this is a possible unique pupil number: its form and its check letter."""
    # stdnum's own check also wants a local authority of its list of 2011, which refuses authorities founded since.
    number = upn.compact(text)
    return bool(_UPN.fullmatch(number)) and upn.calc_check_digit(number[1:]) == number[0]


def several(written: object) -> tuple[str, ...]:
    """The codes that somebody wrote where several may stand, in capitals and each once; a single one may stand as a text."""
    some = (written,) if isinstance(written, str) else tuple(written) if isinstance(written, Iterable) else ()
    return tuple(dict.fromkeys(code for each in some if (code := str(each).strip().upper())))


def disabilities_of_census(written: object) -> tuple[str, ...]:
    """Those that the census takes of what was written; NONE stands alone (rules 8790, 8794), and holds only where nothing was
    written that is no code: it may be a disability."""
    given = several(written)
    some = tuple(code for code in given if code != "NONE" and known("disability", code))
    return some or (("NONE",) if given == ("NONE",) else ())


def upn_of_census(text: str) -> str | None:
    """The unique pupil number as the census takes it, without spaces and in capitals; None where its form, its check letter or
    its authority is wrong (rules 1510 to 1550)."""
    number = upn.compact(text)
    return number if upn_is_valid(number) and number[1:4] in _upn_authorities() else None


@cache
def _upn_authorities() -> frozenset[str]:
    numbers: set[str] = set()
    for part in _UPN_AUTHORITIES.split():
        first, _, last = part.partition("-")
        numbers |= {f"{number:03}" for number in range(int(first), int(last or first) + 1)}
    return frozenset(numbers)


def _codes(code_set: str) -> dict[str, str]:
    if code_set not in code_sets():
        raise LookupError(f"no code set of this name: expected one of {', '.join(code_sets())}")
    return code_sets()[code_set]
