"""How a hub is doing, reckoned from its referrals: counts, shares, percentiles, charts that tell change from chance. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean
from typing import Any

from mash.api.pages.words import duration, sentence, worded
from mash.config import codes
from mash.states.clocks import LONDON

PERCENTILES = (50, 85, 95)
MOVING = 2.66
"""Of the mean moving range: the natural limits of a process (XmR chart; Wheeler, Understanding Variation)."""
PLACES, NEAR = 6, 1e-6
RUN = 8
"""So many weeks in a row on one side of the mean are a change too."""
AGES = (("under 1 day", 1), ("1 to 3 days", 3), ("3 to 10 days", 10), ("10 to 45 days", 45), ("over 45 days", math.inf))
MOST_ROWS = 20
Rows = tuple[tuple[str | int | float, ...], ...]


@dataclass(frozen=True)
class Figure:
    """One figure: its table, and which of its columns the picture shows. `shape` is 'bars' or 'weeks'."""

    name: str
    title: str
    says: str
    heads: tuple[str, ...]
    rows: Rows
    shape: str = "bars"
    limits: Limits | None = None

    @property
    def values(self) -> list[float]:
        """What the picture shows: the column beside the names."""
        return [float(row[1]) for row in self.rows]


@dataclass(frozen=True)
class Limits:
    """Of a process that goes on as it is: its mean, its natural limits, and the places that say it does not."""

    mean: float
    low: float
    high: float
    signals: tuple[int, ...]


def limits_of(values: Sequence[float]) -> Limits | None:
    """The limits of a series, each value compared with the one before; None for one that is too short to say."""
    if len(values) < 4:
        return None
    # Rounded, or the mean of a series that stays the same would lie beside it by what a machine cannot write.
    values = [round(value, PLACES) for value in values]
    mean = round(fmean(values), PLACES)
    spread = MOVING * fmean(abs(b - a) for a, b in pairwise(values))
    low, high = max(0.0, mean - spread), mean + spread
    outside = {place for place, value in enumerate(values) if not low - NEAR <= value <= high + NEAR}
    return Limits(mean, low, high, tuple(sorted(outside | _runs(values, mean))))


def _runs(values: Sequence[float], mean: float) -> set[int]:
    found, begun = set[int](), 0
    for place in range(1, len(values) + 1):
        if place < len(values) and (values[place] > mean) == (values[begun] > mean) and values[place] != mean:
            continue
        if place - begun >= RUN and values[begun] != mean:
            found |= set(range(begun, place))
        begun = place
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` per cent do not exceed (nearest rank). Raises ValueError for none."""
    if not values:
        raise ValueError("there are no values")
    return sorted(values)[max(0, math.ceil(len(values) * share / 100) - 1)]


@dataclass
class Clocks:
    """What became of the clocks of one kind: kept and missed, and how many hours each took."""

    kept: int = 0
    hours: list[float] = field(default_factory=list)

    def row(self, name: str) -> tuple[str | int | float, ...]:
        """A row of a table: the share that was kept, how many, and the percentiles of the hours."""
        share = round(100 * self.kept / len(self.hours))
        return name, share, len(self.hours), *(round(percentile(self.hours, p), 1) for p in PERCENTILES)


class Tally:
    """Adds up referrals, one after another."""

    def __init__(self, since: datetime, now: datetime) -> None:
        self.first = _monday(since)
        self.number = (_monday(now) - self.first).days // 7 + 1
        self.weeks, self.kept, self.ended = ([0] * self.number for _ in range(3))
        self.by: dict[str, Counter[str]] = {name: Counter() for name in ("source", "kind", "need", "rerated", "outcome")}
        self.stages, self.agencies = dict[str, Clocks](), dict[str, Clocks]()
        self.contacts = self.repeats = self.breached = self.climbed = 0

    def add_all(self, found: Iterable[dict[str, Any]]) -> None:
        """Several referrals."""
        for state in found:
            self.add(state)

    def add(self, state: dict[str, Any]) -> None:
        """One referral. A linked one that was split from a contact is no contact of its own."""
        week = self._week(datetime.fromisoformat(state["received_at"]))
        if not state.get("parent"):
            self.contacts += 1
            self.weeks[week] += 1
            self.by["source"][codes.label("referral_source", state["source"])] += 1
            self.by["kind"][sentence(state["contact"])] += 1
            self.repeats += state.get("reopened", False) or "same_child" in (state.get("links") or {}).values()
        need = state.get("primary_need")
        self.by["need"][codes.label("primary_need", need) if need else "Not recorded"] += 1
        if state.get("first_rating"):
            self.by["rerated"][f"{sentence(state['first_rating'])} to {worded(state['rating'])}"] += 1
        self.by["outcome"].update(sentence(s["outcome"]) for s in state["subjects"].values() if s.get("outcome"))
        for clock in state["clocks"].values():
            self._clock(clock, week)

    def _clock(self, clock: dict[str, Any], week: int) -> None:
        missed = clock.get("breached_at") is not None
        self.breached += missed
        self.climbed += clock.get("rung", -1) > 0
        if not clock.get("ended_at") or (clock.get("met") is None and not missed):
            return
        began, ended = (datetime.fromisoformat(clock[name]) for name in ("started_at", "ended_at"))
        kind = clock["kind"]
        groups = [self.stages.setdefault(kind, Clocks())]
        if kind == "check":
            groups.append(self.agencies.setdefault(clock["id"].split(":")[1].split(".")[0], Clocks()))
        for group in groups:
            group.kept += not missed and bool(clock.get("met"))
            group.hours.append((ended - began) / timedelta(hours=1))
        self.ended[week] += 1
        self.kept[week] += not missed and bool(clock.get("met"))

    def _week(self, at: datetime) -> int:
        return min(self.number - 1, max(0, (_monday(at) - self.first).days // 7))

    def figures(self, opened: Iterable[datetime], acknowledged: Sequence[timedelta], now: datetime) -> list[Figure]:
        """All figures, in the order in which a manager asks."""
        return [
            self._weekly("contacts", "Contacts by week", self._contacts(), "contacts"),
            _counted("sources", "Contacts by source", self.by["source"]),
            _counted("kinds", "Contacts by kind", self.by["kind"]),
            _counted("needs", "Primary need", self.by["need"]),
            _counted("ratings", "Rating at first and now", self.by["rerated"]),
            _clocks("stages", "Clocks kept, by what they are for", self.stages),
            _clocks("agencies", "Replies in time, by agency", self.agencies),
            self._weekly("in-time", "Share of clocks kept, by week", self._shares(), "per cent"),
            self._repeats(),
            _counted("outcomes", "Outcomes", self.by["outcome"]),
            _ages(opened, now),
            self._alerts(acknowledged),
        ]

    def _contacts(self) -> dict[int, float]:
        """By week, from the first that had any. The one that is not over would look like a fall."""
        first = next((week for week, number in enumerate(self.weeks) if number), self.number)
        return {week: self.weeks[week] for week in range(first, self.number - 1)}

    def _shares(self) -> dict[int, float]:
        """By week, of those in which clocks ended."""
        weeks = (week for week in range(self.number - 1) if self.ended[week])
        return {week: round(100 * self.kept[week] / self.ended[week], 1) for week in weeks}

    def _weekly(self, name: str, title: str, found: dict[int, float], unit: str) -> Figure:
        limits = limits_of(list(found.values()))
        rows = tuple(
            (f"{self.first + timedelta(weeks=week):%d %b %Y}", value, "signal" if limits and place in limits.signals else "")
            for place, (week, value) in enumerate(found.items())
        )
        return Figure(name, title, _said(limits, unit), ("Week from", unit.capitalize(), "Change"), rows, "weeks", limits)

    def _repeats(self) -> Figure:
        share = round(100 * self.repeats / self.contacts) if self.contacts else 0
        says = f"{self.repeats} of {self.contacts} contacts ({share} per cent) were about a child linked to an earlier one."
        rows = (("Linked to the same child, or reopened", self.repeats), ("Others", self.contacts - self.repeats))
        return Figure("re-referrals", "Re-referrals", says, ("Contacts", "Number"), rows if self.contacts else ())

    def _alerts(self, acknowledged: Sequence[timedelta]) -> Figure:
        rows: Rows = (
            ("Clocks missed", self.breached),
            ("Went further up the ladder", self.climbed),
            ("Acknowledged", len(acknowledged)),
        )
        says = "No alert was acknowledged."
        if acknowledged:
            minutes = [took / timedelta(minutes=1) for took in acknowledged]
            half, most = (timedelta(minutes=percentile(minutes, p)) for p in (50, 95))
            says = f"Half of the alerts were acknowledged within {duration(half)}, 95 per cent within {duration(most)}."
        return Figure("alerts", "Alerts", says, ("What", "Number"), rows if self.contacts else ())


def _said(limits: Limits | None, unit: str) -> str:
    if limits is None:
        return "Too few whole weeks to tell a change from chance: four are needed."
    usual = f"Usually between {limits.low:.0f} and {limits.high:.0f} {unit} a week, {limits.mean:.0f} on average."
    if not limits.signals:
        return f"{usual} Nothing but chance: no week tells of a change."
    return f"{usual} {len(limits.signals)} weeks tell of a change: look for its cause."


def _counted(name: str, title: str, counter: Counter[str]) -> Figure:
    total, rows = counter.total(), counter.most_common(MOST_ROWS)
    most = f"{rows[0][0]} comes first with {rows[0][1]} of {total}." if rows else "Nothing to show yet."
    table = tuple((label, number, round(100 * number / total)) for label, number in rows)
    return Figure(name, title, most, ("What", "Number", "Per cent"), table)


def _clocks(name: str, title: str, found: dict[str, Clocks]) -> Figure:
    rows: Rows = tuple(sorted((clocks.row(sentence(key)) for key, clocks in found.items()), key=lambda row: float(row[1])))
    says = f"{rows[0][0]} is kept least often: {rows[0][1]} per cent." if rows else "No clock has ended yet."
    heads = ("What", "Kept, per cent", "Clocks", *(f"Hours, {p} per cent within" for p in PERCENTILES))
    return Figure(name, title, says, heads, rows)


def _ages(opened: Iterable[datetime], now: datetime) -> Figure:
    ages = Counter(next(label for label, days in AGES if now - at < _days(days)) for at in opened)
    rows: Rows = tuple((label, ages[label]) for label, _ in AGES)
    says = f"{ages.total()} are open, {ages[AGES[-1][0]]} of them for more than 45 days."
    return Figure("ages", "Open, by age", says, ("Age", "Number"), rows if ages else ())


def _days(days: float) -> timedelta:
    return timedelta(days=days) if days < math.inf else timedelta.max


def _monday(at: datetime) -> datetime:
    day = at.astimezone(LONDON)
    return datetime(day.year, day.month, day.day, tzinfo=LONDON) - timedelta(days=day.weekday())


def as_csv_cell(value: str | int | float) -> str | int | float:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" else value
