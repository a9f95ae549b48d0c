"""The information product of a meeting on paper: what the agencies released, as they released it; for the rest, signposts."""

from __future__ import annotations

import unicodedata
from collections.abc import Container
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from mash.config.words import agency_title, sentence, worded
from mash.flows.store.reads.case import Case
from mash.states.clocks import dated
from mash.states.profile import Profile
from mash.states.values import Actor

MARGIN, LINE = 18, 6
"""Millimetres."""
FONT = "DejaVu"
"""A free typeface that has the letters of most of Europe's languages; PDF's own have those of western Europe alone."""
MISSING = "\N{REPLACEMENT CHARACTER}"
"""What stands for a character that the typeface has not."""


def as_pdf(profile: Profile, case: Case, lines: list[dict[str, Any]], at: datetime, by: Actor) -> bytes:
    """The product of a case as a PDF; each page says whose it is, of when, and for whom it was made."""
    # Imported here: it takes a quarter of a second, for which no other page waits.
    from fpdf import FPDF
    from fpdf.fonts import TTFFont

    class Paper(FPDF):
        def footer(self) -> None:
            self.set_y(-15)
            self.set_font(FONT, size=8)
            self.cell(0, 5, f"{case.reference}, {dated(at)}, for {by.id}. Page {self.page_no()} of {{nb}}", align="C")

    paper = Paper(format="A4")
    paper.set_title(f"Information product {case.reference}")
    paper.set_lang("en-GB")
    paper.set_margin(MARGIN)
    paper.set_auto_page_break(True, 22)
    for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        paper.add_font(FONT, style, _fonts() / name)
    paper.add_page()
    face = paper.fonts[FONT.lower()]
    letters = face.cmap if isinstance(face, TTFFont) else ()

    def write(text: str, size: float = 10, style: str = "") -> None:
        paper.set_font(FONT, style, size)
        paper.multi_cell(0, LINE * size / 10, printable(text, letters), new_x="LMARGIN", new_y="NEXT", align="L")

    rating = worded(case.referral.rating)
    write(f"{profile.title}: information product", 15, "B")
    write(f"{case.reference}, {f'rated {rating}' if rating else 'not yet rated'}, as of {dated(at)}")
    for marker in case.referral.markers:
        write(f"Warning. {sentence(marker)}", 11, "B")
    if missing := not_printed("".join(line["content"] or "" for line in lines), letters):
        write(f"This paper cannot show these characters, and has {MISSING} for them: {missing}. Read them on the case's page.")
    write("")
    for line in lines:
        write(f"{sentence(agency_title(profile, line['agency']))}, {dated(line['at'])}", 12, "B")
        write(line["content"] or sentence(line["signpost"]))
        write("")
    if not lines:
        write("No agency has provided information on this case.")
    return bytes(paper.output())


def printable(text: str, letters: Container[int]) -> str:
    """The text, with a sign for each character that a typeface has not. Line breaks and tabs are no letters."""
    return "".join(each if ord(each) in letters or each.isspace() else MISSING for each in text)


def not_printed(text: str, letters: Container[int]) -> str:
    """Which characters of a text a typeface has not, by their names in Unicode."""
    missing = dict.fromkeys(each for each in text if printable(each, letters) != each)
    return ", ".join(f"{unicodedata.name(each, 'without a name')} (U+{ord(each):04X})" for each in missing)


@cache
def _fonts() -> Path:
    """Where matplotlib, which managers' pictures need, has its typefaces."""
    from importlib.util import find_spec

    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("matplotlib")
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
