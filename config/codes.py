"""The Children in Need census code sets, and the checks of NHS numbers and UPNs. Checks answer yes or no, and never raise."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from stdnum.gb import nhs

UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"


@cache
def code_sets() -> dict[str, dict[str, str]]:
    """Every code set: code -> label."""
    sets = json.loads(files("mash.config").joinpath("codesets.json").read_text(encoding="utf-8"))
    return {name: codes for name, codes in sets.items() if isinstance(codes, dict)}


def known(code_set: str, code: str) -> bool:
    """Whether a code is in a code set."""
    return code in code_sets()[code_set]


def nhs_number_is_valid(text: str) -> bool:
    """Whether an NHS number's check digit is right."""
    return bool(nhs.is_valid(text))


def upn_is_valid(text: str) -> bool:
    """Whether a unique pupil number's check letter is right (sum of digit times position 2 to 13, modulo 23). The authority
    part is not looked up: fictional and former authorities have numbers too."""
    upn = text.strip().upper()
    if len(upn) != 13 or not (upn[1:12].isascii() and upn[1:12].isdigit()) or not (upn[12].isdigit() or upn[12] in UPN_LETTERS):
        return False
    # A temporary UPN ends in a letter, which counts by its place in the alphabet of check letters.
    digits = [int(c) if c.isdigit() else UPN_LETTERS.index(c) for c in upn[1:]]
    return upn[0] == UPN_LETTERS[sum(d * place for place, d in enumerate(digits, 2)) % 23]
