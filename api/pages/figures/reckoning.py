"""How a hub is doing, in numbers: adds up its referrals by what their states say, without a word of it. Pure."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate, dropwhile
from typing import TypeVar

from mash.api.pages.figures.same_child import Month, SameChild, month_of
from mash.flows.store.reads.figures import SecondLook
from mash.flows.store.reads.sums import Due, Numbers, Received, Sums, day_of, day_of_ticks, monday_of, ticks
from mash.states.clocks import LONDON

LONGEST = timedelta(weeks=10)
"""What came in so long before may be due now: a statutory assessment has 45 working days, and Christmas may be among them."""
LATELY = 4
"""The last whole weeks, in which agencies are compared."""

HOUR = 3_600_000_000
"""In microseconds."""
_TICK = timedelta(microseconds=1)
Measure = TypeVar("Measure", int, float, timedelta)


def percentile(values: Sequence[Measure], rank: float) -> Measure:
    """The value that `rank` per cent do not exceed (nearest rank). Raises ValueError for none."""
    if not values:
        raise ValueError("there are no values")
    return sorted(values)[max(0, math.ceil(len(values) * rank / 100) - 1)]


def percentile_of(counted: Mapping[int, int], rank: float) -> int:
    """The same of whole numbers, of which it is counted how often there is each."""
    left = max(1, math.ceil(sum(counted.values()) * rank / 100))
    for value in sorted(counted):
        left -= counted[value]
        if left <= 0:
            return value
    raise ValueError("there are no values")


def share(part: int, whole: int) -> float:
    """Per cent, to one place and never rounded up: a hundred is all of them."""
    return 1000 * part // whole / 10


@dataclass
class Clocks:
    """What became of the clocks of one kind: kept and missed, and how long each took that has ended, in tenths of an hour."""

    in_time: int = 0
    missed: int = 0
    tenths: Counter[int] = field(default_factory=Counter)

    def add(self, due: Due) -> None:
        """Some that were due."""
        self.in_time += due.in_time
        self.missed += due.missed
        self.tenths.update(due.tenths.values)

    @property
    def number(self) -> int:
        """How many there were."""
        return self.in_time + self.missed

    def within(self, rank: float) -> float:
        """Hours that `rank` per cent of those that have ended did not exceed. Raises ValueError where none has."""
        return percentile_of(self.tenths, rank) / 10


class Tally:
    """Adds up so many whole weeks, from Monday to Monday, and the one that is not over: what came in, and which clocks were due,
    in them; and all that is open, whenever it came in."""

    def __init__(self, weeks: int, now: datetime) -> None:
        self.now, self.midnight = now.astimezone(UTC), _midnight(now)
        self._today = day_of(now)
        self._first = monday_of(self._today) - 7 * weeks
        monday = self.midnight - timedelta(days=self.midnight.weekday())
        self.mondays = [monday - timedelta(weeks=back) for back in range(weeks, -1, -1)]
        # Of what came in, by week and by what it was.
        self.contacts = [0] * len(self.mondays)
        self.came_today = self.referrals = self.reopened = 0
        self.sources, self.kinds, self.needs, self.outcomes = (Counter[str]() for _ in range(4))
        self.ratings = Counter[tuple[str, str]]()
        self.same_child = SameChild()
        # Of the clocks that were due, by week, stage and agency.
        self.due, self.in_time = [0] * len(self.mondays), [0] * len(self.mondays)
        self.stages, self.agencies = defaultdict[str, Clocks](Clocks), defaultdict[str, Clocks](Clocks)
        self.rated, self.answered = ([[0, 0] for _ in self.mondays] for _ in range(2))
        """How many clocks of ratings and of agencies' answers were kept, and how many were due, by week."""
        self.lately = defaultdict[str, list[int]](lambda: [0, 0])
        """The same of each agency's answers in the last whole weeks."""
        self.climbed = 0
        # Of what has an outcome: how long after it came in, by the week of the outcome, and by what it is.
        self._took_in = [list[int]() for _ in self.mondays]
        self.took_for = defaultdict[str, list[int]](list)
        """In microseconds."""
        self.acknowledged = list[timedelta]()
        """How long somebody was called until an alert was acknowledged."""
        self.second_looks = list[SecondLook]()
        # Of what was open at the end of each whole week, and what is open now.
        self._opened, self._closed = [0] * len(self.mondays), [0] * len(self.mondays)
        self.ages = list[timedelta]()
        self.late = self.unheard = 0

    @property
    def first(self) -> datetime:
        """When the weeks that are looked at begin."""
        return self.mondays[0]

    @property
    def since(self) -> datetime:
        """Since when referrals are to be added up, so that none is missing whose clocks ran out in these weeks."""
        return self.first - LONGEST

    def take_all(self, parts: Iterable[Sums]) -> None:
        """Count what several parts of them add up to."""
        for sums in parts:
            self.take(sums)

    def take(self, sums: Sums) -> None:
        """Count what some referrals add up to."""
        self.same_child.take(sums, lambda day: self._week(day) is not None)
        for day, received in sums.received.items():
            self._received(received, day)
        for which, weeks in sums.due.items():
            for monday, due in weeks.items():
                self._due(which, monday, due)
        for which, ended in sums.ended.items():
            self._ended(which, ended)
        for verdict in sums.to_come:
            if verdict.due <= ticks(self.now):
                self._due(verdict.which, monday_of(day_of_ticks(verdict.due)), verdict.now_due)
        for monday, by_outcomes in sums.took.items():
            if (week := self._week(monday)) is not None:
                self._took(week, by_outcomes)
        self._still_open(sums)
        self.unheard += sums.unheard
        for monday, waited in sums.called.items():
            if self._week(monday) is not None:
                self.acknowledged += [timedelta(microseconds=took) for took in waited.values]
        for monday, looks in sums.looks.items():
            if self._week(monday) is not None:
                self.second_looks += [
                    SecondLook(ended, None if took is None else timedelta(microseconds=took)) for ended, took in looks
                ]

    def _received(self, received: Received, day: int) -> None:
        week = self._week(day)
        if week is None:
            return
        self.contacts[week] += received.contacts
        self.came_today += received.contacts if day == self._today else 0
        self.referrals += received.referrals
        self.reopened += received.reopened
        self.sources.update(received.sources)
        self.kinds.update(received.kinds)
        self.needs.update(received.needs)
        self.outcomes.update(received.outcomes)
        for ratings, number in received.ratings.items():
            first, now = ratings.split(" ")
            self.ratings[first, now] += number

    def _due(self, which: str, monday: int, due: Due) -> None:
        week = self._week(monday)
        if week is None:
            return
        kind, _, agency = which.partition(":")
        number = due.in_time + due.missed
        self.due[week] += number
        self.in_time[week] += due.in_time
        self.climbed += due.climbed
        self.stages[kind].add(due)
        counts = {"triage": self.rated, "check": self.answered}.get(kind)
        if counts:
            counts[week][0] += due.in_time
            counts[week][1] += number
        if kind == "check":
            self.agencies[agency].add(due)
            if len(self.mondays) - 1 - LATELY <= week < len(self.mondays) - 1:
                self.lately[agency][0] += due.in_time
                self.lately[agency][1] += number

    def _ended(self, which: str, ended: Counter[int]) -> None:
        kind, _, agency = which.partition(":")
        self.stages[kind].tenths.update(ended)
        if kind == "check":
            self.agencies[agency].tenths.update(ended)

    def _took(self, week: int, by_outcomes: Mapping[str, Numbers]) -> None:
        for outcomes, numbers in by_outcomes.items():
            self._took_in[week].extend(numbers.values)
            for outcome in outcomes.split(","):
                self.took_for[outcome].extend(numbers.values)

    def _still_open(self, sums: Sums) -> None:
        """Count what is or was open at the end of each week from the one that it came in to the one before it was closed."""
        for came, closed in sums.closed.items():
            self._ends(self._opened, came, closed.total())
            for monday, number in closed.items():
                self._ends(self._closed, monday, number)
        for at, due in sums.open:
            self._ends(self._opened, monday_of(day_of_ticks(at)), 1)
            self.ages.append((ticks(self.now) - at) * _TICK)
            self.late += due is not None and due < ticks(self.now)

    def _ends(self, counted: list[int], monday: int, number: int) -> None:
        # The weeks end where the next ones begin; before the first of them nothing is counted.
        ends = max((monday - self._first) // 7 + 1, 1)
        if ends < len(counted):
            counted[ends] += number

    def _week(self, day: int) -> int | None:
        """The number of the week that a day is in; None for one before them all, or still to come."""
        return (day - self._first) // 7 if self._first <= day <= self._today else None

    @property
    def months(self) -> list[Month]:
        """The months that the weeks are in, the first and the last as far as they go."""
        (year, month), (last_year, last_month) = month_of(self.first), month_of(self.now)
        count = 12 * (last_year - year) + last_month - month + 1
        return [(year + (month - 1 + after) // 12, (month - 1 + after) % 12 + 1) for after in range(count)]

    def contacts_by_week(self) -> dict[datetime, float]:
        """By whole week, from the first that had any. The one that is not over would look like a fall."""
        begun = next((week for week, number in enumerate(self.contacts) if number), len(self.contacts))
        return {self.mondays[week]: self.contacts[week] for week in range(begun, len(self.contacts) - 1)}

    def shares_by_week(self, counts: Sequence[Sequence[int]]) -> dict[datetime, tuple[int, int]]:
        """Parts and what they are of, by whole week, where it is of any."""
        return {monday: (part, of) for monday, (part, of) in zip(self.mondays[:-1], counts, strict=False) if of}

    def back_by_week(self) -> dict[datetime, tuple[int, int]]:
        """Of the referrals that came in in each whole week: how many are about the same child as another within twelve months."""
        found = self.same_child.back(self._week)
        weeks = range(len(self.mondays))
        return self.shares_by_week([(found[week, True], found[week, True] + found[week, False]) for week in weeks])

    @property
    def kept_by_week(self) -> list[tuple[int, int]]:
        """The clocks of every kind that were kept, and how many were due."""
        return list(zip(self.in_time, self.due, strict=True))

    def open_by_week(self) -> dict[datetime, float]:
        """How many were open at the end of each whole week, from the first that ended with any."""
        counted = accumulate(came - went for came, went in zip(self._opened[1:], self._closed[1:], strict=True))
        found = list(zip(self.mondays, counted, strict=False))
        return dict(dropwhile(lambda week: not week[1], found))

    def half_took_by_week(self) -> dict[datetime, float]:
        """Hours within which half of those had their outcome that had it in each whole week."""
        weeks = zip(self.mondays[:-1], self._took_in, strict=False)
        return {monday: percentile(took, 50) * _TICK / timedelta(hours=1) for monday, took in weeks if took}

    def took_last_week(self, *ranks: float) -> list[timedelta]:
        """How long that part of those took, or less, that had their outcome in the last whole week; nothing where none had."""
        took = self._took_in[-2]
        return [percentile(took, rank) * _TICK for rank in ranks] if took else []


def _midnight(at: datetime) -> datetime:
    day = at.astimezone(LONDON)
    return datetime(day.year, day.month, day.day, tzinfo=LONDON)
