"""What is drawn of a figure: on a wide page, on a phone, and in a line. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mash.api.pages.figures.control_chart import Limits
from mash.api.pages.figures.drawing import Drawable

WIDE, PHONE = (880, 310), (328, 250)
LINE = (232, 40)
HALF, PANELS = (640, 0), (1360, 0)
DOT = (260, 22)
STEPS = (1, 2, 2.5, 5, 10)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Drawings:
    """A figure's chart for a wide page and for a phone."""

    wide: Drawable
    phone: Drawable


@dataclass(frozen=True)
class Series:
    """A number by week, in a unit, within limits where there are any; `most` is what it cannot exceed."""

    weeks: Mapping[datetime, float]
    limits: Limits | None
    unit: str = ""
    most: float = math.inf
    note: str = ""
    """What is to be seen, written at it."""
    said: str = ""
    """The latest value in words, written at it."""

    @property
    def drawings(self) -> Drawings:
        """The chart with its scale, its months and what its lines are called."""
        values: dict[str, Any] = {"weeks": list(self._rows()), "mean": self._mean, "extent": self._extent(scale=True)}
        values |= {"labels": self._labels(), "note": self.note, "unit": self.unit}
        return Drawings(("trend", {**values, "size": WIDE}), ("trend", {**values, "size": PHONE}))

    @property
    def line(self) -> Drawable:
        """The series alone, in a line's height."""
        values = {"weeks": list(self._rows()), "mean": self._mean, "extent": self._extent(scale=False)}
        return "spark", {**values, "size": LINE}

    @property
    def _mean(self) -> float | None:
        return self.limits.mean if self.limits else None

    def _rows(self) -> Iterator[dict[str, Any]]:
        before: datetime | None = None
        for place, (monday, value) in enumerate(self.weeks.items()):
            new = before is not None and before.month != monday.month
            year = f" {monday.year}" if before and before.year != monday.year else ""
            low, high = (self.limits.low[place], self.limits.high[place]) if self.limits else (None, None)
            yield {
                "value": value,
                "low": low,
                "high": high,
                "signal": self.limits is not None and place in self.limits.signals,
                "month": f"{MONTHS[monday.month - 1]}{year}" if new else "",
            }
            before = monday

    def _labels(self) -> list[dict[str, Any]]:
        values = list(self.weeks.values())
        latest = {"text": self.said, "value": values[-1], "accent": bool(self.note)}
        if self.limits is None:
            return [latest]
        lines = (("Upper limit", self.limits.high[-1]), (f"Average {whole(self.limits.mean)}{self.unit}", self.limits.mean))
        lower = () if self.limits.low[-1] <= 0 else (("Lower limit", self.limits.low[-1]),)
        return [*({"text": text, "value": value, "accent": False} for text, value in (*lines, *lower)), latest]

    def _extent(self, *, scale: bool) -> list[float]:
        """From below the lowest to above the highest: on a scale, in even steps."""
        values = [*self.weeks.values(), *((*self.limits.low, *self.limits.high) if self.limits else ())]
        low, high = min(values), max(values)
        spread = (high - low) or max(abs(high), 1)
        if not scale:
            return [low - spread / 12, high + spread / 12]
        step = _step(spread / 3)
        bottom, top = math.floor(low / step) * step, min(self.most, math.ceil(high / step) * step or step)
        # Weeks that are all alike and stand on a step have one below them: no scale is without height.
        return [max(0.0, bottom if bottom < top else top - step), top]


@dataclass(frozen=True)
class Bars:
    """Rows of a name, a number, the rest that it is a part of, and what is written behind it."""

    rows: Sequence[tuple[str, float, float, str]]

    @property
    def drawings(self) -> Drawings:
        """The bars, half a page wide and as wide as a phone."""
        names = ("label", "value", "rest", "says")
        rows = [dict(zip(names, row, strict=True)) for row in self.rows]
        return Drawings(("bars", {"rows": rows, "size": HALF}), ("bars", {"rows": rows, "size": (PHONE[0], 0)}))


@dataclass(frozen=True)
class Panels:
    """Shares of several groups side by side on one scale, in per cent: by group, one for each of these names."""

    names: Sequence[str]
    groups: Mapping[str, Sequence[float]]

    @property
    def drawings(self) -> Drawings:
        """The groups side by side, and on a phone below one another."""
        values = {"names": list(self.names), "groups": [[name, list(shares)] for name, shares in self.groups.items()]}
        return Drawings(("panels", {**values, "size": PANELS}), ("panels", {**values, "size": (PHONE[0], 0)}))


@dataclass(frozen=True)
class Dots:
    """Shares on one scale, each with the limits of what chance explains of so many."""

    shares: Sequence[float]
    limits: Limits | None

    @property
    def drawn(self) -> list[Drawable]:
        """A drawing for each row of the table, and the scale that they have in common."""
        lows = [*self.shares, *(self.limits.low if self.limits else ())]
        least = max(0.0, math.floor((min(lows) - 5) / 20) * 20.0)
        values: dict[str, Any] = {"extent": [least - 6, 114.0], "size": DOT}
        mean = self.limits and self.limits.mean
        rows: list[Drawable] = [("dot", {**values, "mean": mean, "row": self._row(at)}) for at in range(len(self.shares))]
        return [*rows, ("scale", {**values, "marks": [least, (least + 100) / 2, 100]})]

    def _row(self, at: int) -> dict[str, Any]:
        low, high = (self.limits.low[at], self.limits.high[at]) if self.limits else (None, None)
        signal = self.limits is not None and at in self.limits.outside
        return {"value": self.shares[at], "low": low, "high": high, "signal": signal}


def whole(value: float) -> str:
    """A number without its fraction; a small one with one place of it. Never rounded up."""
    return f"{math.floor(value * 10) / 10:g}" if value < 10 else f"{math.floor(value)}"


def _step(about: float) -> float:
    """The next even step that is not smaller."""
    power = 10.0 ** math.floor(math.log10(about))
    return next(each * power for each in STEPS if each * power >= about - 1e-9)
