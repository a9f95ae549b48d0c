"""Figures as pictures: SVG, in few colours that are told apart without seeing them, with the numbers written beside the bars."""

from __future__ import annotations

import io
import textwrap
import threading
from typing import Any

from mash.api.pages.figures.tables import Figure, short

INK, BAR, LIMIT, SIGNAL = "#0b0c0c", "#1d4b6d", "#6f777b", "#942514"
WIDTH = 6.4
"""Inches: wide enough for a table's column, and to be read on a phone."""
DRAWING = threading.Lock()
"""One is drawn at a time: matplotlib's settings are the whole process's."""


def drawn(figure: Figure) -> bytes:
    """The picture of a figure. Raises ValueError for one without rows."""
    if not figure.rows:
        raise ValueError("there is nothing to draw")
    # Imported here: it takes half a second and 40 MB, which only managers' pages need.
    from matplotlib import rc_context
    from matplotlib.figure import Figure as Canvas

    height = 0.7 + 0.42 * len(figure.rows) if figure.shape == "bars" else 3.2
    with DRAWING, rc_context({"svg.fonttype": "none", "svg.hashsalt": figure.name, "font.size": 11, "font.family": "sans-serif"}):
        canvas = Canvas(figsize=(WIDTH, height), layout="constrained")
        axes = canvas.add_subplot()
        {"bars": _bars, "weeks": _weeks, "months": _months}[figure.shape](axes, figure)
        axes.spines[["top", "right"]].set_visible(False)
        written = io.BytesIO()
        canvas.savefig(written, format="svg", metadata={"Date": None, "Title": f"{figure.title}. {figure.says}"})
    return written.getvalue()


def _bars(axes: Any, figure: Figure) -> None:
    labels = [textwrap.fill(textwrap.shorten(str(row[0]), 60, placeholder="..."), 34) for row in figure.rows]
    places = range(len(labels))
    bars = axes.barh(places, figure.values, color=BAR)
    axes.bar_label(bars, [f"{value:g}" for value in figure.values], padding=3, color=INK)
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.margins(x=0.12, y=0.01)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)


def _weeks(axes: Any, figure: Figure) -> None:
    values, places = figure.values, range(len(figure.rows))
    axes.plot(places, values, color=BAR, marker="o", markersize=4)
    if limits := figure.limits:
        for at, style, name in ((limits.high, "--", "high"), (limits.mean, "-", "mean"), (limits.low, "--", "low")):
            axes.axhline(at, color=LIMIT, linestyle=style, linewidth=1)
            axes.annotate(f"{name} {short(at)}", (1, at), xycoords=("axes fraction", "data"), fontsize=9, va="bottom", ha="right")
        signals = sorted({*limits.outside, *limits.runs})
        axes.plot(signals, [values[place] for place in signals], "s", color=SIGNAL, markersize=9, fillstyle="none")
    step = max(1, len(values) // 6)
    axes.set_xticks(list(places)[::step], [str(row[0])[:6] for row in figure.rows][::step])
    axes.set_ylim(0, max(1.0, max(values), figure.limits.high if figure.limits else 0.0) * 1.1)


def _months(axes: Any, figure: Figure) -> None:
    """Columns of two parts each, the lower one filled and the upper one hatched, with both numbers above."""
    places = range(len(figure.rows))
    lower, upper = ([float(row[column]) for row in figure.rows] for column in (1, 2))
    axes.bar(places, lower, color=BAR, edgecolor=BAR, label=figure.heads[1])
    axes.bar(places, upper, bottom=lower, color="white", edgecolor=BAR, hatch="////", label=figure.heads[2])
    for place, (sure, likely) in enumerate(zip(lower, upper, strict=True)):
        axes.annotate(f"{sure:g}\n+ {likely:g}", (place, sure + likely), fontsize=9, va="bottom", ha="center", color=INK)
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.set_xticks(list(places), [str(row[0])[:3] for row in figure.rows])
    axes.set_ylim(0, max(1.0, *(sure + likely for sure, likely in zip(lower, upper, strict=True))) * 1.4)
    axes.legend(loc="upper left", ncols=2, frameon=False, fontsize=9)
