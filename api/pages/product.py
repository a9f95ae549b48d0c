"""The information product of a meeting on paper: who it is about, and what the agencies released, as they released it; for the
rest, signposts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from mash.api.pages import lettering
from mash.api.pages.words import day
from mash.config.words import agency_title, sentence, warning, worded
from mash.flows.store.reads.case import Case
from mash.states.clocks import dated
from mash.states.profile import Profile
from mash.states.referral import NOT_TO_TELL, SubjectState
from mash.states.values import Actor

MARGIN, LINE = 18, 6
"""Millimetres."""
SILENCE = sentence(NOT_TO_TELL).partition(":")[0]
"""In a few words, at the foot of each page: the first one says it in full."""


def as_pdf(
    profile: Profile, case: Case, lines: list[dict[str, Any]], at: datetime, by: Actor, about: Sequence[str] = ()
) -> bytes:
    """The product of a case as a PDF, with who it is `about`; each page says whose it is, of when, and for whom it was made."""
    # Imported here: it takes a quarter of a second, for which no other page waits.
    from fpdf import FPDF

    class Paper(FPDF):
        def footer(self) -> None:
            self.set_y(-15)
            if NOT_TO_TELL in case.referral.warnings:  # pages lie about alone
                self.set_y(-20)
                self.set_font(lettering.LATIN, "B", 9)
                self.cell(0, 5, SILENCE, align="C", new_x="LMARGIN", new_y="NEXT")
            self.set_font(lettering.LATIN, size=8)
            self.cell(0, 5, f"{case.reference}, {dated(at)}, for {by.id}. Page {self.page_no()} of {{nb}}", align="C")

    paper = Paper(format="A4")
    paper.set_title(f"Information product {case.reference}")
    paper.set_lang("en-GB")
    paper.set_margin(MARGIN)
    paper.set_auto_page_break(True, 22)
    said = "".join((*about, *(line["content"] or "" for line in lines)))
    letters = lettering.add_typefaces(paper, said)
    paper.add_page()

    def write(text: str, size: float = 10, style: str = "") -> None:
        lettering.write(paper, text, letters, size=size, style=style, height=LINE * size / 10)

    rating = worded(case.referral.rating)
    write(f"{profile.title}: information product", 15, "B")
    write(f"{case.reference}, {f'rated {rating}' if rating else 'not yet rated'}, as of {dated(at)}")
    for person in about:
        write(person)
    for sid, subject in case.referral.subjects.items():
        write(f"{sid}, {worded(subject.cohort)}: {_found(subject, profile)}")
    for marker in case.referral.warnings:
        write(f"Warning. {warning(marker, by.role)}.", 11, "B")
    if missing := lettering.not_printed(said, letters):
        sign = lettering.MISSING
        write(f"This paper cannot show these characters, and has {sign} for them: {missing}. Read them on the case's page.")
    write("")
    for line in lines:
        write(f"{sentence(agency_title(profile, line['agency']))}, {dated(line['at'])}", 12, "B")
        write(line["content"] or sentence(line["signpost"]))
        write("")
    if not lines:
        write("No agency has provided information on this case.")
    return bytes(paper.output())


def _found(subject: SubjectState, profile: Profile) -> str:
    """Whether somebody has seen one of its people, and what was found of them."""
    seen = f"seen on {day(subject.seen_on)}" if subject.seen_on else "not yet seen" if subject.to_be_seen else ""
    results = dict.fromkeys(filter(None, (subject.conference, subject.assessment, subject.outcome)))
    return "; ".join(filter(None, (seen, *(worded(result, profile) for result in results)))) or "nothing found yet"
