"""The information product of a meeting on paper: what the agencies released, as they released it; for the rest, signposts."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from mash.api.pages.words import moment
from mash.config.words import sentence, worded
from mash.flows.store.queries import Case
from mash.states.commands import Actor
from mash.states.profile import Profile

MARGIN, LINE = 18, 6
"""Millimetres."""
FONT = "DejaVu"
"""A free typeface that has the letters of most of Europe's languages; PDF's own have those of western Europe alone."""


def as_pdf(profile: Profile, case: Case, lines: list[dict[str, Any]], at: datetime, by: Actor) -> bytes:
    """The product of a case as a PDF; each page says whose it is, of when, and for whom it was made."""
    # Imported here: it takes a quarter of a second, for which no other page waits.
    from fpdf import FPDF

    class Paper(FPDF):
        def footer(self) -> None:
            self.set_y(-15)
            self.set_font(FONT, size=8)
            self.cell(0, 5, f"{case.reference}, {moment(at)}, for {by.id}. Page {self.page_no()} of {{nb}}", align="C")

    paper = Paper(format="A4")
    paper.set_title(f"Information product {case.reference}")
    paper.set_lang("en-GB")
    paper.set_margin(MARGIN)
    paper.set_auto_page_break(True, 22)
    for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        paper.add_font(FONT, style, _fonts() / name)
    paper.add_page()

    def write(text: str, size: float = 10, style: str = "") -> None:
        paper.set_font(FONT, style, size)
        paper.multi_cell(0, LINE * size / 10, text, new_x="LMARGIN", new_y="NEXT", align="L")

    write(f"{profile.title}: information product", 15, "B")
    write(f"{case.reference}, rated {worded(case.referral.rating) or 'not yet'}, as of {moment(at)}")
    for marker in case.referral.markers:
        write(f"Warning. {sentence(marker)}", 11, "B")
    write("")
    for line in lines:
        write(f"{sentence(line['agency'])}, {moment(line['at'])}", 12, "B")
        write(line["content"] or sentence(line["signpost"]))
        write("")
    if not lines:
        write("No agency holds anything beside this case.")
    return bytes(paper.output())


@cache
def _fonts() -> Path:
    """Where matplotlib, which managers' pictures need, has its typefaces."""
    from importlib.util import find_spec

    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("matplotlib")
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
