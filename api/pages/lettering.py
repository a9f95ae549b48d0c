"""Text of any script on paper: in a typeface that has it, joined and ordered as it is read; what no typeface has is named.

A paragraph is drawn in one typeface, so that no word is put together of two: letters would not join. Whatever that one has not,
which is then of another script, is drawn in the other.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from importlib.util import find_spec
from pathlib import Path
from typing import Any

LATIN, ARABIC = "DejaVu", "NotoArabic"
"""Free typefaces: one has the letters of most of Europe's languages and of Hebrew, the other those of Arabic, Urdu, Persian,
Pashto, Kurdish and Sindhi."""
MISSING = "\N{REPLACEMENT CHARACTER}"
"""What stands for a character that no typeface here has."""
LEFT_TO_RIGHT = "\N{LEFT-TO-RIGHT MARK}"
_NUMBER = re.compile(r"[+(]?\d[\d\s()+./:,-]*\d")
_BETWEEN = re.compile(r"[^\d]+")
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\u0870-\u08ff\ufb50-\ufdff\ufe70-\ufefc]")


def add_typefaces(paper: Any, text: str) -> set[int]:
    """Have the typefaces on a paper that this text needs; returns the code points of the characters that one of them has."""
    for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        paper.add_font(LATIN, style, _matplotlibs() / name)
    if _ARABIC.search(text):  # it takes a while to be read
        paper.add_font(ARABIC, "", _noto_arabic())
    return {code for face in paper.fonts.values() for code in face.cmap}


def write(paper: Any, text: str, letters: Container[int], *, size: float, style: str, height: float) -> None:
    """Write a text, paragraph by paragraph: from the right where it begins with a script that is read from there."""
    if not any(turned(each) for each in text):
        paper.set_font(LATIN, style, size)
        paper.multi_cell(0, height, printable(text, letters), new_x="LMARGIN", new_y="NEXT", align="L")
        return
    for paragraph in text.split("\n"):
        from_right = is_from_right(paragraph)
        arabic = bool(_ARABIC.search(paragraph))
        paper.set_font(ARABIC if arabic else LATIN, "" if arabic else style, size)
        paper.set_fallback_fonts([LATIN] if arabic else [], exact_match=False)
        paper.set_text_shaping(True, direction="rtl" if from_right else "ltr")
        shown = printable(_with_numbers_in_order(paragraph), letters)
        paper.multi_cell(0, height, shown, new_x="LMARGIN", new_y="NEXT", align="R" if from_right else "L")
    paper.set_text_shaping(False)
    paper.set_fallback_fonts([])


def turned(letter: str) -> bool:
    """Whether a letter is of a script that is read from right to left."""
    return unicodedata.bidirectional(letter) in ("R", "AL")


def is_from_right(paragraph: str) -> bool:
    """Whether a paragraph is read from the right: its first letter says so (Unicode's annex 9, P2 and P3)."""
    first = next((each for each in paragraph if unicodedata.bidirectional(each) in ("L", "R", "AL")), "")
    return bool(first) and turned(first)


def _with_numbers_in_order(paragraph: str) -> str:
    """The paragraph with each number held together: within Arabic the groups of a telephone number and the parts of a date would
    change places, and a date and a number are read as they are written everywhere else."""

    def held(number: re.Match[str]) -> str:
        parts = _BETWEEN.sub(lambda between: f"{LEFT_TO_RIGHT}{between[0]}{LEFT_TO_RIGHT}", number[0])
        return f"{LEFT_TO_RIGHT}{parts}{LEFT_TO_RIGHT}"

    return _NUMBER.sub(held, paragraph)


def printable(text: str, letters: Container[int]) -> str:
    """The text, with a sign for each character that no typeface has. Line breaks and tabs are no letters; marks that are not seen
    are left out where no typeface has them."""
    return "".join(
        each if ord(each) in letters or each.isspace() else "" if unicodedata.category(each) == "Cf" else MISSING for each in text
    )


def not_printed(text: str, letters: Container[int]) -> str:
    """Which characters of a text no typeface has, by their names in Unicode."""
    missing = dict.fromkeys(each for each in text if printable(each, letters) == MISSING != each)
    return ", ".join(f"{unicodedata.name(each, 'without a name')} (U+{ord(each):04X})" for each in missing)


def _matplotlibs() -> Path:
    """Where matplotlib, which managers' pictures need, has its typefaces."""
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("matplotlib")
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"


def _noto_arabic() -> Path:
    import fontpkg

    return Path(fontpkg.path("Noto Sans Arabic"))
