"""Figures as pictures."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from mash.api.pages.figures.control_chart import limits_of
from mash.api.pages.figures.pictures import drawn
from mash.api.pages.figures.tables import Figure

VALUES = tuple(float(value) for value in (12, 9, 14, 11, 40, 10, 13, 9))
WEEKS = Figure("in-time", "Kept", "Says so.", ("Week", "N"), tuple((f"{n} Nov", v) for n, v in enumerate(VALUES)), "weeks")
MONTHS = Figure(
    "same-child", "Twice", "Says so.", ("Month", "Confirmed", "Suggested"), (("Oct 2026", 6, 2), ("Nov 2026", 0, 0)), "months"
)
BARS = [Figure(f"bars-{n}", f"Bars {n}", "Says so.", ("What", "N"), (("Police", n), ("Health", 2.5))) for n in range(1, 6)]


def test_pictures_that_are_drawn_at_once_are_those_that_are_drawn_one_after_the_other() -> None:
    figures = [WEEKS, MONTHS, *BARS] * 3
    alone = [drawn(figure) for figure in figures]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(drawn, figures)) == alone


def test_a_picture_has_its_title_what_it_says_and_the_numbers_as_text() -> None:
    limits = limits_of(VALUES)
    assert limits
    picture = drawn(Figure(**{**vars(WEEKS), "limits": limits})).decode()
    assert "<title>Kept. Says so.</title>" in picture and f"mean {limits.mean:.1f}"[:7] in picture
    assert ">Police<" in drawn(BARS[0]).decode() and ">2.5<" in drawn(BARS[0]).decode()


def test_two_numbers_of_a_month_are_told_apart_by_words_and_hatching_and_not_by_colour_alone() -> None:
    picture = drawn(MONTHS).decode()
    for text in ("Confirmed", "Suggested", "6", "+ 2", "+ 0", "Oct"):
        assert f">{text}<" in picture
    assert "<pattern" in picture


def test_there_is_no_picture_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        drawn(Figure("empty", "Empty", "", ("What", "N"), ()))
