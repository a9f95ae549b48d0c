"""A referral on paper, for the file of whoever made it: what they wrote, as they wrote it, and by what it is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mash.api.pages import lettering
from mash.api.pages.refer.looked_over import Part
from mash.states.clocks import dated

MARGIN, LINE = 18, 6
"""Millimetres."""
ASIDE = "Confidential. Keep it where a child’s safeguarding records are kept, apart from their other records."
"""Where a school keeps it: Keeping children safe in education, annex C, on child protection files."""
NOT_GIVEN = "Not given"


def as_pdf(hub: str, reference: str, code: str, sent_at: datetime, parts: Sequence[Part]) -> bytes:
    """What somebody sent to a hub, as a PDF, with the reference and the code by which they learn what becomes of it."""
    # Imported here: it takes a quarter of a second, for which no other page waits.
    from fpdf import FPDF

    class Paper(FPDF):
        def footer(self) -> None:
            self.set_y(-15)
            self.set_font(lettering.LATIN, size=8)
            self.cell(0, 5, f"{reference}, sent {dated(sent_at)}. Page {self.page_no()} of {{nb}}", align="C")

    paper = Paper(format="A4")
    paper.set_title(f"Copy of referral {reference}")
    paper.set_lang("en-GB")
    paper.set_margin(MARGIN)
    paper.set_auto_page_break(True, 22)
    said = "".join(text for _, rows in parts for row in rows for text in (row.asked, row.answer))
    letters = lettering.add_typefaces(paper, said)
    paper.add_page()

    def write(text: str, size: float = 10, style: str = "") -> None:
        lettering.write(paper, text, letters, size=size, style=style, height=LINE * size / 10)

    write("Copy of what was sent to the safeguarding hub", 15, "B")
    write(f"{hub}, {dated(sent_at)}")
    write(f"Reference {reference}, code {code}: with both, its progress is shown on the hub’s website.")
    write(ASIDE)
    if missing := lettering.not_printed(said, letters):
        write(f"This paper cannot show these characters, and has {lettering.MISSING} for them: {missing}. The hub has them all.")
    for title, rows in parts:
        write("")
        write(title, 12, "B")
        for row in rows:
            write(row.asked, 10, "B")
            write(row.answer or NOT_GIVEN)
    return bytes(paper.output())
