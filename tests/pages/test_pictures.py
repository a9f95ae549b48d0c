"""Figures as charts: what is in them, and how they are drawn beside the API."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from mash.api.pages.figures.control_chart import limits_among, limits_of_shares
from mash.api.pages.figures.drawing import CannotDraw, Drawable, Drawing
from mash.api.pages.figures.pictures import Bars, Dots, Panels, Series

COUNTS = [*((86 + (-1) ** week * 3, 100) for week in range(23)), (60, 100), (62, 100), (61, 100)]
MONDAYS = [datetime(2026, 5, 18) + timedelta(weeks=week) for week in range(len(COUNTS))]
SHARES = {monday: 100 * part / of for monday, (part, of) in zip(MONDAYS, COUNTS, strict=True)}
WEEKS = Series(SHARES, limits_of_shares(COUNTS), "%", 100, "Below the limit from 26 October", "61% last week")
BARS = Bars([("Police", 12, 0, "12 (60%)"), ("A <school> & more", 8, 0, "8 (40%)")])
PARTS = Bars([("a.worker", 2, 3, "5, 2 late")])
GROUPS = Panels(["Neglect", "Low income"], {"White (20)": [40, 60], "Asian (10)": [80, 20]})
AMONG = Dots([42.0, 88.0], limits_among(86, [(22, 52), (46, 52)]))


@pytest.fixture(scope="module")
def drawing() -> Iterator[Drawing]:
    """What draws."""
    made = Drawing()
    yield made
    made.close()


def texts(svg: str) -> list[str]:
    """What is written in a chart."""
    return re.findall(r">([^<>]+)</text>", svg)


def test_a_chart_has_its_labels_at_its_lines_and_what_is_to_be_seen_written_into_it(drawing: Drawing) -> None:
    wide, phone, line = drawing.drawn([WEEKS.drawings.wide, WEEKS.drawings.phone, WEEKS.line])
    for said in ("Upper limit", "Lower limit", "Average 86%", "61% last week", "Below the limit from 26 October", "90%", "Nov"):
        assert said in texts(wide), said
    assert "61% last week" in texts(phone) and not texts(line)


def test_what_chance_does_not_explain_has_the_accent_and_its_size_and_all_else_is_quiet(drawing: Drawing) -> None:
    [wide] = drawing.drawn([WEEKS.drawings.wide])
    circles = re.findall(r'<circle [^>]*r="([\d.]+)" fill="var\(--(\w+)\)"', wide)
    accented = {float(radius) for radius, colour in circles if colour == "accent"}
    ordinary = {float(radius) for radius, colour in circles if colour == "soft"}
    assert sum(colour == "accent" for _, colour in circles) == 3 and len(circles) == 26
    assert min(accented) > max(ordinary)


def test_a_chart_takes_its_colours_from_the_page_so_that_it_is_dark_and_printed_as_the_page_is(drawing: Drawing) -> None:
    wanted: list[Drawable] = [WEEKS.drawings.wide, BARS.drawings.wide, PARTS.drawings.phone, GROUPS.drawings.wide, *AMONG.drawn]
    for svg in drawing.drawn(wanted):
        colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg)) - {"none"}
        assert colours and all(colour.startswith("var(--") for colour in colours), colours
        assert 'aria-hidden="true"' in svg and "style=" not in svg and "role=" not in svg


def test_bars_say_their_numbers_and_no_name_is_taken_for_markup(drawing: Drawing) -> None:
    wide, parts = drawing.drawn([BARS.drawings.wide, PARTS.drawings.wide])
    assert {"Police", "12 (60%)", "A &lt;school&gt; &amp; more"} <= set(texts(wide)) and "<school" not in wide
    assert "5, 2 late" in texts(parts) and "var(--accent)" in parts


def test_groups_stand_side_by_side_in_their_order_on_one_scale(drawing: Drawing) -> None:
    [wide] = drawing.drawn([GROUPS.drawings.wide])
    found = texts(wide)
    assert found.index("White (20)") < found.index("Asian (10)") and {"40%", "60%", "80%", "20%"} <= set(found)


def test_shares_beside_one_another_have_a_scale_in_common(drawing: Drawing) -> None:
    *rows, scale = drawing.drawn(AMONG.drawn)
    assert ["var(--accent)" in row for row in rows] == [True, False] and texts(scale)[-1] == "100%"


def test_charts_that_are_drawn_at_once_are_those_that_are_drawn_one_after_the_other(drawing: Drawing) -> None:
    wanted = [[Bars([("Police", number, 0, str(number))]).drawings.wide] for number in range(1, 9)]
    alone = [drawing.drawn(each) for each in wanted]
    again = Drawing()
    try:
        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(again.drawn, wanted)) == alone
    finally:
        again.close()


def test_where_a_chart_cannot_be_drawn_the_next_one_can(drawing: Drawing) -> None:
    with pytest.raises(CannotDraw):
        drawing.drawn([("no_such_chart", {})])
    assert "Police" in drawing.drawn([BARS.drawings.phone])[0]


def test_where_what_draws_cannot_be_begun_no_chart_can_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    another = Drawing()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    for wants in (another.begin, lambda: another.drawn([BARS.drawings.phone])):
        with pytest.raises(CannotDraw):
            wants()


def test_the_api_does_not_load_what_draws() -> None:
    """It takes a second and 120 MB, for pages that managers look at."""
    loaded = "import sys, mash.api.app; print({'altair', 'vl_convert', 'pandas', 'numpy'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", loaded], check=True, stdout=subprocess.PIPE, text=True)
    assert told.stdout.strip() == "set()"
