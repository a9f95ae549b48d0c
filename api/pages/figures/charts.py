"""Managers' charts: labels at what they are of, one accent colour, what chance explains as a band. Drawn by Vega-Altair.

Colours are the pages' own tokens, so that one drawing is light, dark and on paper what the style sheet says there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import altair as alt
import vl_convert

INK, SOFT, ACCENT, BAND, LINE = (f"var(--{name})" for name in ("ink", "soft", "accent", "band", "line"))
TEXT, APART = 14, 18
"""Pixels: the size of a text, and the least from one line of text to the next."""
LETTER = 7.6
"""Pixels that a letter takes, about."""
SCALE, LABELS, MONTHS = 48, 140, 28
"""Pixels left of a chart for its scale, right of it for what its lines are called, and below it for the months."""
BAR, ROW = 18, 26
PANEL = 132
"""Pixels that one of several groups takes side by side, at least."""
# What a chart says stands at it as a whole, and in the table beside it: a screen reader is spared its strokes. What else is left
# out, a page does not need either, and is half of what a phone would load.
_UNNEEDED = re.compile(
    r' (?:role|aria-[a-z]+|class|xmlns(?::xlink)?|version|font-family|pointer-events|stroke-miterlimit|opacity)="[^"]*"'
    r'|<path class="(?:background|foreground)"[^>]*>'
)
_EMPTY = re.compile(r"<g[^>]*></g>")
_ROUND = re.compile(r'<path transform="translate\(([^,]+),([^)]+)\)" d="M([\d.]+),0A[^"]*" fill="([^"]+)" stroke-width="2"/>')
_AGAIN = re.compile(r"(L[^LMZ]+)\1+")
_FRACTIONS = re.compile(r"(\d\.\d)\d+")
Row = Mapping[str, Any]
Weight = Literal["normal", "bold"]
Extent = Sequence[float]
"""The lowest and the highest value of a scale."""


def trend(
    weeks: Sequence[Row], mean: float | None, labels: Sequence[Row], note: str, unit: str, extent: Extent, size: Extent
) -> str:
    """A series by week. A week has `value`, `low` and `high` (the band, or None), whether it is a `signal`, and the `month` that
    is written under it, if any; a label has its `text`, the `value` that it stands at, and whether it is in `accent`."""
    width, height = size[0] - SCALE - LABELS, size[1] - MONTHS
    axis = alt.Axis(
        title=None, labelExpr=f"datum.label + '{unit}'", tickCount=5, domain=False, ticks=False, gridColor=LINE, labelColor=SOFT,
        labelFontSize=TEXT, labelPadding=8,
    )  # fmt: skip
    placed = _apart([(label, _pixel(label["value"], extent, height)) for label in labels])
    months = _thinned([{"at": at, "text": week["month"]} for at, week in enumerate(weeks) if week["month"]], width / len(weeks))
    below = {"x": _week(len(weeks)), "y": alt.value(height)}
    layers = [
        *_series(weeks, mean, extent, axis, dots=True),
        *(_text(label, x=width + 8, y=at) for label, at in placed),
        _data(months).mark_tick(color=SOFT, size=6, thickness=1, yOffset=3, orient="vertical").encode(**below),
        _data(months).mark_text(color=SOFT, fontSize=TEXT, dy=18).encode(text="text:N", **below),
    ]
    if note and LETTER * len(note) < width / 2:
        layers.append(_note(note, weeks, extent, width, height))
    return _svg(layers, width, height, {"left": SCALE, "right": LABELS, "top": 8, "bottom": MONTHS})


def spark(weeks: Sequence[Row], mean: float | None, extent: Extent, size: Extent) -> str:
    """A series by week in a line of text's height; what it says is written below it."""
    # What stands at an edge is not cut off.
    edge = {"left": 0, "right": 4, "top": 4, "bottom": 4}
    return _svg(_series(weeks, mean, extent, None, dots=False), size[0] - 4, size[1] - 8, edge)


def bars(rows: Sequence[Row], size: Extent) -> str:
    """A bar for each row, with its `label` before it and what it `says` behind it; where a row has a `rest`, that is another part
    of it, in outline, and the `value` is in the accent colour."""
    before = min(size[0] / 2, 12 + LETTER * max(len(row["label"]) for row in rows))
    behind = 12 + LETTER * max(len(row["says"]) for row in rows)
    letters = int((before - 8) / LETTER)
    data = [
        {**row, "at": at, "total": row["value"] + row["rest"], "label": _short(row["label"], letters)}
        for at, row in enumerate(rows)
    ]
    longest = alt.Scale(domain=[0, max(row["total"] for row in data) or 1], nice=False)
    row_, whole = alt.Y("at:O", axis=None, sort=None), alt.X("total:Q", scale=longest, axis=None)
    parts = any(row["rest"] for row in rows)
    filled = alt.X("value:Q", scale=longest, axis=None)
    layers = [
        _data(data).mark_bar(color=BAND, stroke=SOFT, strokeWidth=1 if parts else 0, size=BAR).encode(x=whole, y=row_),
        _data(data).mark_bar(color=ACCENT if parts else SOFT, size=BAR).encode(x=filled, y=row_),
        _data(data).mark_text(align="right", dx=-8, fontSize=TEXT, color=INK).encode(x=alt.value(0), y=row_, text="label:N"),
        _data(data).mark_text(align="left", dx=6, fontSize=TEXT, color=INK).encode(x=whole, y=row_, text="says:N"),
    ]
    sides = {"left": before, "right": behind, "top": 0, "bottom": 0}
    return _svg(layers, size[0] - before - behind, ROW * len(rows), sides)


def panels(names: Sequence[str], groups: Sequence[tuple[str, Sequence[float]]], size: Extent) -> str:
    """Shares of several groups on one scale: side by side with the names at the left, or below one another where there is no
    room. Each has its number at its bar."""
    before = min(size[0] / 1.9, 16 + LETTER * max(map(len, names)))
    fits = int((size[0] - before) // PANEL) or 1
    across = min(fits, len(groups))
    width, tall = (size[0] - before) / across, ROW * (len(names) + 1) + 16
    most = max((share for _, shares in groups for share in shares), default=0) or 1
    marks: list[Row] = []
    for number, (group, shares) in enumerate(groups):
        left, top = before + number % across * width, number // across * tall
        marks.append({"x": left, "y": top + BAR / 2, "text": _short(group, int(width / LETTER)), "bold": True})
        for at, (name, share) in enumerate(zip(names, shares, strict=True), 1):
            y = top + ROW * at
            if not number % across:
                marks.append({"x": 0, "y": y + BAR / 2, "text": _short(name, int(before / LETTER) - 1), "bold": False})
            end = left + share / most * (width - 56)
            marks.append({"x": end + 6, "y": y + BAR / 2, "text": f"{int(share)}%", "bold": False})
            marks.append({"left": left, "end": max(end, left + 1), "top": y, "bottom": y + BAR})
    height = -(-len(groups) // across) * tall
    return _svg(_placed(marks, size[0], height), size[0], height, 0)


def _placed(marks: Sequence[Row], width: float, height: float) -> list[alt.Chart]:
    """Bars and texts at their pixels."""
    x, y = alt.Scale(domain=[0, width], nice=False), alt.Scale(domain=[height, 0], nice=False)
    sides = {
        "x": alt.X("left:Q", scale=x, axis=None), "x2": "end:Q", "y": alt.Y("top:Q", scale=y, axis=None), "y2": "bottom:Q"
    }  # fmt: skip
    at = {"x": alt.X("x:Q", scale=x, axis=None), "y": alt.Y("y:Q", scale=y, axis=None), "text": "text:N"}
    weights: tuple[Weight, Weight] = ("normal", "bold")
    texts = [[mark for mark in marks if mark.get("bold") is bold] for bold in (False, True)]
    return [
        _data([mark for mark in marks if "left" in mark]).mark_rect(color=SOFT).encode(**sides),
        *(
            _data(some).mark_text(align="left", baseline="middle", fontSize=TEXT, color=INK, fontWeight=weight).encode(**at)
            for some, weight in zip(texts, weights, strict=True)
        ),
    ]


def dot(row: Row, mean: float | None, extent: Extent, size: Extent) -> str:
    """One share on a scale that others have too, with the band and the average of what chance explains of so many."""
    scale = alt.Scale(domain=list(extent), nice=False, zero=False)
    x = {field: alt.X(f"{field}:Q", scale=scale, axis=None) for field in ("value", "low", "mean")}
    middle = alt.value(size[1] / 2)
    layers = []
    if row["low"] is not None and mean is not None:
        layers.append(_data([row]).mark_bar(color=BAND, size=16).encode(x=x["low"], x2="high:Q", y=middle))
        layers.append(_data([{"mean": mean}]).mark_rule(color=SOFT, strokeDash=[3, 3]).encode(x=x["mean"]))
    colour, area = (ACCENT, 120) if row["signal"] else (SOFT, 60)
    layers.append(_data([row]).mark_circle(color=colour, size=area, opacity=1).encode(x=x["value"], y=middle))
    return _svg(layers, size[0], size[1], 0)


def scale(marks: Sequence[float], extent: Extent, size: Extent) -> str:
    """The per cents of a scale that rows of a table have in common."""
    x = alt.X("at:Q", scale=alt.Scale(domain=list(extent), nice=False, zero=False), axis=None)
    texts = _data([{"at": at, "text": f"{at:g}%"} for at in marks]).mark_text(fontSize=TEXT, color=SOFT)
    return _svg([texts.encode(x=x, y=alt.value(size[1] / 2), text="text:N")], size[0], size[1], 0)


def _series(weeks: Sequence[Row], mean: float | None, extent: Extent, axis: alt.Axis | None, *, dots: bool) -> list[alt.Chart]:
    """The band, the average, the line, and what stands out of it; in a line alone the latest week does, if nothing else."""
    data = [{**week, "at": at} for at, week in enumerate(weeks)]
    scale = alt.Scale(domain=list(extent), nice=False, zero=False)
    x, y = _week(len(data)), alt.Y("value:Q", scale=scale, axis=axis)
    low = alt.Y("low:Q", scale=scale, axis=axis)
    signals = [week for week in data if week["signal"]]
    layers = []
    if mean is not None:
        band = _data(_steps(data)).mark_area(color=BAND, opacity=1, interpolate="step")
        layers.append(band.encode(x=x, y=low, y2="high:Q"))
        layers.append(_data([{"value": mean}]).mark_rule(color=SOFT, strokeDash=[4, 4], strokeWidth=1.5).encode(y=y))
    layers.append(_data(data).mark_line(color=SOFT, strokeWidth=1.5).encode(x=x, y=y))
    if dots:
        ordinary = [week for week in data if not week["signal"]]
        layers.append(_data(ordinary).mark_circle(color=SOFT, size=28, opacity=1).encode(x=x, y=y))
    stand_out = signals if dots else signals or data[-1:]
    layers.append(_data(stand_out).mark_circle(color=ACCENT, size=120 if dots else 60, opacity=1).encode(x=x, y=y))
    return layers


def _steps(weeks: Sequence[Row]) -> list[Row]:
    """The weeks at which the band begins, ends or changes: in steps, it does so in the middle between two of them."""
    every = [{**weeks[0], "at": -0.5}, *weeks, {**weeks[-1], "at": len(weeks) - 0.5}]
    band = [(week["low"], week["high"]) for week in every]
    changes = {at for at in range(1, len(every)) if band[at] != band[at - 1]}
    return [week for at, week in enumerate(every) if at in (0, len(every) - 1) or at in changes or at + 1 in changes]


def _note(note: str, weeks: Sequence[Row], extent: Extent, width: float, height: float) -> alt.Chart:
    """What is to be seen, written before the first of the latest weeks that stand out, on whichever side the line is not."""
    first = next(at for at in range(len(weeks) - 1, -1, -1) if not at or not weeks[at - 1]["signal"])
    value, low = weeks[first]["value"], weeks[first]["low"]
    below = low is not None and value < low
    x, y = (first - 0.5) * width / len(weeks), _pixel(value, extent, height) + (APART if below else -APART)
    side: Literal["left", "right"] = "right" if x > LETTER * len(note) else "left"
    return _text({"text": note, "accent": True}, x=x if side == "right" else x + 8, y=min(max(y, 8), height - 8), align=side)


def _text(label: Row, *, x: float, y: float, align: Literal["left", "right"] = "left") -> alt.Chart:
    colour = ACCENT if label["accent"] else SOFT
    weight: Weight = "bold" if label["accent"] else "normal"
    mark = _data([label]).mark_text(align=align, baseline="middle", fontSize=TEXT, color=colour, fontWeight=weight)
    placed: alt.Chart = mark.encode(x=alt.value(x), y=alt.value(y), text="text:N")
    return placed


def _week(number: int) -> alt.X:
    """Where a week stands among so many."""
    return alt.X("at:Q", scale=alt.Scale(domain=[-0.5, number - 0.5], nice=False, zero=False), axis=None)


def _apart(labels: Sequence[tuple[Row, float]]) -> list[tuple[Row, float]]:
    """Labels with where they stand from above, moved down so far that none lies on another."""
    placed: list[tuple[Row, float]] = []
    for label, at in sorted(labels, key=lambda each: each[1]):
        placed.append((label, max(at, placed[-1][1] + APART) if placed else at))
    return placed


def _thinned(months: Sequence[Row], week: float) -> list[Row]:
    """The months that have room to be written, a week being so many pixels wide; the latest is one of them."""
    shown: list[Row] = []
    for month in reversed(months):
        room = LETTER * (len(month["text"]) + len(shown[-1]["text"])) / 2 + 8 if shown else 0
        if not shown or (shown[-1]["at"] - month["at"]) * week >= room:
            shown.append(month)
    return shown


def _pixel(value: float, extent: Extent, height: float) -> float:
    return height * (extent[1] - value) / (extent[1] - extent[0])


def _short(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1].rstrip()}…"


def _data(rows: Sequence[Row]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=[dict(row) for row in rows]))


def _svg(layers: Sequence[alt.Chart], width: float, height: float, padding: float | Mapping[str, float]) -> str:
    """The drawing as part of a page: as large as its column lets it be, without a word for screen readers."""
    autosize = alt.AutoSizeParams(type="none")
    chart = alt.layer(*layers).properties(
        width=width, height=height, padding=padding, autosize=autosize, background="transparent"
    )
    chart = chart.configure(aria=False, font="Arial, sans-serif").configure_view(stroke=None)
    drawn = _EMPTY.sub("", _UNNEEDED.sub("", vl_convert.vegalite_to_svg(chart.to_dict())))
    short = _FRACTIONS.sub(r"\1", _ROUND.sub(r'<circle cx="\1" cy="\2" r="\3" fill="\4"/>', drawn))
    return _AGAIN.sub(r"\1", short).replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
