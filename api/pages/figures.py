"""How a hub is doing, reckoned from its referrals: counts, shares, percentiles, charts that tell change from chance. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean
from typing import Any

from mash.api.pages.words import duration
from mash.config import codes
from mash.config.words import sentence, worded
from mash.flows.store.figures import Open
from mash.states.clocks import LONDON

PERCENTILES = (50, 85, 95)
MOVING = 2.66
"""Of the mean moving range: the natural limits of a process (XmR chart; Wheeler, Understanding Variation)."""
PLACES, NEAR = 6, 1e-6
RUN = 8
"""So many weeks in a row on one side of the mean are a change too."""
AGES = (("under 1 day", 1), ("1 to 3 days", 3), ("3 to 10 days", 10), ("10 to 45 days", 45), ("over 45 days", math.inf))
MOST_ROWS = 20
AGAIN = timedelta(days=365)
"""A re-referral is one within twelve months of another about the same child: children in need census."""
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
    """What became of the clocks of one kind: kept and missed, and how many hours each took that has ended."""

    kept: int = 0
    missed: int = 0
    hours: list[float] = field(default_factory=list)

    def row(self, name: str) -> tuple[str | int | float, ...]:
        """A row of a table: the share that was kept, how many, and the percentiles of the hours."""
        number = self.kept + self.missed
        within = (round(percentile(self.hours, p), 1) if self.hours else "none ended" for p in PERCENTILES)
        return name, round(100 * self.kept / number), number, *within


class Tally:
    """Adds up the referrals of so many whole weeks, from Monday to Monday, and of the one that is not over."""

    def __init__(self, weeks: int, now: datetime, titles: Mapping[str, str]) -> None:
        """`titles` is what the agencies are called."""
        self.titles = titles
        self.now, self.first, self.number = now, _monday(now) - timedelta(weeks=weeks), weeks + 1
        self.weeks, self.kept, self.told = ([0] * self.number for _ in range(3))
        self.by: dict[str, Counter[str]] = {name: Counter() for name in ("source", "kind", "need", "rerated", "outcome")}
        self.stages, self.agencies = dict[str, Clocks](), dict[str, Clocks]()
        self.contacts = self.today = self.decided = self.breached = self.climbed = self.unheard = 0
        self.again = set[str]()
        self.linked = dict[str, tuple[datetime, list[str]]]()

    def add_all(self, found: Iterable[dict[str, Any]]) -> None:
        """Several referrals."""
        for state in found:
            self.add(state)

    def add(self, state: dict[str, Any]) -> None:
        """One referral. A linked one that was split from a contact is no contact of its own."""
        at = datetime.fromisoformat(state["received_at"])
        week = self._week(at)
        self.decided += bool(state.get("decided_at")) and _midnight(datetime.fromisoformat(state["decided_at"])) == _midnight(
            self.now
        )
        if not state.get("parent"):
            self.contacts += 1
            self.weeks[week] += 1
            self.today += _midnight(at) == _midnight(self.now)
            self.by["source"][codes.label("referral_source", state["source"])] += 1
            self.by["kind"][sentence(state["contact"])] += 1
            if state.get("reopened"):
                self.again.add(state["reference"])
            if others := [other for other, relation in (state.get("links") or {}).items() if relation == "same_child"]:
                self.linked[state["reference"]] = at, others
        need = state.get("primary_need")
        self.by["need"][codes.label("primary_need", need) if need else "Not recorded"] += 1
        if state.get("first_rating"):
            self.by["rerated"][f"{sentence(state['first_rating'])} to {worded(state['rating'])}"] += 1
        self.by["outcome"].update(sentence(s["outcome"]) for s in state["subjects"].values() if s.get("outcome"))
        for clock in state["clocks"].values():
            self._clock(clock, week)

    def _clock(self, clock: dict[str, Any], week: int) -> None:
        missed = clock.get("breached_at") is not None
        ended = bool(clock.get("ended_at"))
        self.breached += missed
        self.climbed += clock.get("rung", -1) > 0
        self.unheard += missed and not ended and not clock.get("acknowledged_by")
        # One that is late and goes on is missed already; one that ended because it was no longer needed is neither.
        if not missed and not (ended and clock.get("met")):
            return
        kind = clock["kind"]
        groups = [self.stages.setdefault(kind, Clocks())]
        if kind == "check":
            groups.append(self.agencies.setdefault(clock["id"].split(":")[1].split(".")[0], Clocks()))
        for group in groups:
            group.kept += not missed
            group.missed += missed
            if ended:
                began, until = (datetime.fromisoformat(clock[name]) for name in ("started_at", "ended_at"))
                group.hours.append((until - began) / timedelta(hours=1))
        self.told[week] += 1
        self.kept[week] += not missed

    def _week(self, at: datetime) -> int:
        return min(self.number - 1, max(0, (_monday(at) - self.first).days // 7))

    @property
    def others(self) -> set[str]:
        """The referrals that those added up are linked with as the same child's."""
        return {other for _, others in self.linked.values() for other in others}

    def figures(self, opened: Sequence[Open], acknowledged: Sequence[timedelta], others: Mapping[str, datetime]) -> list[Figure]:
        """All figures, in the order in which a manager asks. `others` says when linked referrals came in."""
        return [
            self._today(opened),
            self._weekly("contacts", "Contacts by week", self._contacts(), "contacts"),
            _counted("sources", "Contacts by source", self.by["source"]),
            _counted("kinds", "Contacts by kind", self.by["kind"]),
            _counted("needs", "Primary need", self.by["need"]),
            _counted("ratings", "Rating at first and now", self.by["rerated"]),
            _clocks("stages", "Clocks kept, by what they are for", self.stages),
            _clocks("agencies", "Replies in time, by agency", {self.titles.get(k, k): v for k, v in self.agencies.items()}),
            self._weekly("in-time", "Share of clocks kept, by week", self._shares(), "per cent"),
            self._repeats(others),
            _counted("outcomes", "Outcomes", self.by["outcome"]),
            _ages(opened, self.now),
            self._alerts(acknowledged),
        ]

    def _contacts(self) -> dict[int, float]:
        """By week, from the first that had any. The one that is not over would look like a fall."""
        first = next((week for week, number in enumerate(self.weeks) if number), self.number)
        return {week: self.weeks[week] for week in range(first, self.number - 1)}

    def _shares(self) -> dict[int, float]:
        """By the week in which the referral came in, of those whose clocks were kept or missed."""
        weeks = (week for week in range(self.number - 1) if self.told[week])
        return {week: round(100 * self.kept[week] / self.told[week], 1) for week in weeks}

    def _weekly(self, name: str, title: str, found: dict[int, float], unit: str) -> Figure:
        limits = limits_of(list(found.values()))
        rows = tuple(
            (f"{self.first + timedelta(weeks=week):%d %b %Y}", value, "signal" if limits and place in limits.signals else "")
            for place, (week, value) in enumerate(found.items())
        )
        return Figure(name, title, _said(limits, unit), ("Week from", unit.capitalize(), "Change"), rows, "weeks", limits)

    def _today(self, opened: Sequence[Open]) -> Figure:
        late = sum(each.due_at is not None and each.due_at < self.now for each in opened)
        rows: Rows = (
            ("Came in today", self.today),
            ("Decided today", self.decided),
            ("Open", len(opened)),
            ("Late", late),
            ("Missed clocks that nobody has", self.unheard),
        )
        says = f"{len(opened)} open, {late} of them late; {self.today} came in and {self.decided} were decided today."
        return Figure("today", "Today", says, ("What", "Number"), rows)

    def _repeats(self, others: Mapping[str, datetime]) -> Figure:
        earlier = {
            reference
            for reference, (at, linked) in self.linked.items()
            if any(at - AGAIN <= others[other] < at for other in linked if other in others)
        }
        repeats = len(earlier | self.again)
        share = round(100 * repeats / self.contacts) if self.contacts else 0
        says = f"{repeats} of {self.contacts} contacts ({share} per cent): the same child within twelve months, or reopened."
        rows = (("The same child within twelve months, or reopened", repeats), ("Others", self.contacts - repeats))
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
    heads = ("What", "Kept, per cent", "Clocks", *(f"{p} per cent within, hours" for p in PERCENTILES))
    return Figure(name, title, says, heads, rows)


def _ages(opened: Sequence[Open], now: datetime) -> Figure:
    ages = Counter(next(label for label, days in AGES if now - each.received_at < _days(days)) for each in opened)
    rows: Rows = tuple((label, ages[label]) for label, _ in AGES)
    says = f"{ages.total()} are open, {ages[AGES[-1][0]]} of them for more than 45 days."
    return Figure("ages", "Open, by age", says, ("Age", "Number"), rows if ages else ())


def _days(days: float) -> timedelta:
    return timedelta(days=days) if days < math.inf else timedelta.max


def _midnight(at: datetime) -> datetime:
    day = at.astimezone(LONDON)
    return datetime(day.year, day.month, day.day, tzinfo=LONDON)


def _monday(at: datetime) -> datetime:
    day = _midnight(at)
    return day - timedelta(days=day.weekday())


def as_csv_cell(value: str | int | float) -> str | int | float:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" else value
