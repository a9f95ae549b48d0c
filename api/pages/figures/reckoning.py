"""How a hub is doing, in numbers: adds up its referrals by what their states say, without a word of it. Pure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate, dropwhile
from typing import TypeVar

from mash.api.pages.figures.same_child import Month, SameChild, month_of
from mash.flows.store.reads.figures import Came, Seen, SeenClock, closed_at, decided_at, seen
from mash.states.clocks import LONDON
from mash.states.referral import verdict_of, whose

LONGEST = timedelta(weeks=10)
"""What came in so long before may be due now: a statutory assessment has 45 working days, and Christmas may be among them."""
LATELY = 4
"""The last whole weeks, in which agencies are compared."""

moment = datetime.fromisoformat
Measure = TypeVar("Measure", float, timedelta)


def percentile(values: Sequence[Measure], rank: float) -> Measure:
    """The value that `rank` per cent do not exceed (nearest rank). Raises ValueError for none."""
    if not values:
        raise ValueError("there are no values")
    return sorted(values)[max(0, math.ceil(len(values) * rank / 100) - 1)]


def share(part: int, whole: int) -> float:
    """Per cent, to one place and never rounded up: a hundred is all of them."""
    return 1000 * part // whole / 10


@dataclass
class Clocks:
    """What became of the clocks of one kind: kept and missed, and how many hours each took that has ended."""

    in_time: int = 0
    missed: int = 0
    hours: list[float] = field(default_factory=list)

    def add(self, in_time: bool, hours: float | None) -> None:
        """One that was kept or missed; it has ended after so many hours, or goes on."""
        self.in_time += in_time
        self.missed += not in_time
        if hours is not None:
            self.hours.append(hours)

    @property
    def number(self) -> int:
        """How many there were."""
        return self.in_time + self.missed


class Tally:
    """Adds up so many whole weeks, from Monday to Monday, and the one that is not over: what came in, and which clocks were due,
    in them; and all that is open, whenever it came in."""

    def __init__(self, weeks: int, now: datetime) -> None:
        self.now, self.midnight = now.astimezone(UTC), _midnight(now)
        monday = self.midnight - timedelta(days=self.midnight.weekday())
        self.mondays = [monday - timedelta(weeks=back) for back in range(weeks, -1, -1)]
        # In UTC, like what they are compared with: moments of two zones are compared by asking each, a million times over.
        self._begin = [at.astimezone(UTC) for at in self.mondays]
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
        self.took: list[list[timedelta]] = [[] for _ in self.mondays]
        self.took_for = defaultdict[str, list[timedelta]](list)
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

    def add_all(self, found: Iterable[tuple[str, str]]) -> None:
        """Referrals as they are stored: the contact that each began with, and its state."""
        for root, state in found:
            self.add(root, seen(state))

    def add(self, root: str, referral: Seen) -> None:
        """A referral, and the contact that it began with: itself, or what it was split from."""
        at, late = moment(referral["received_at"]), False
        week = self._week(at)
        self.same_child.add(root, referral, week is not None)
        if week is not None:
            self._received(referral, at, week)
        for clock in referral["clocks"].values():
            due_at = moment(clock["due_at"])
            late |= clock["ended_at"] is None and due_at < self.now
            self._clock(clock, due_at)
        ended = closed_at(referral)
        if ended is None:
            self.ages.append(self.now - at)
            self.late += late
        self._open_between(at, ended)
        decided = decided_at(referral)
        if decided and not referral["parent"]:
            self._decided(referral, at, decided)

    def _received(self, referral: Seen, at: datetime, week: int) -> None:
        self.reopened += referral["reopened"]
        self.outcomes.update([subject["outcome"] for subject in referral["subjects"].values() if subject["outcome"]])
        if referral["parent"]:
            return
        self.referrals += referral["contact"] == "referral"
        self.contacts[week] += 1
        self.came_today += at >= self.midnight
        self.sources[referral["source"]] += 1
        self.kinds[referral["contact"]] += 1
        self.needs[referral["primary_need"] or ""] += 1
        if referral["first_rating"] and referral["rating"]:
            self.ratings[referral["first_rating"], referral["rating"]] += 1

    def _open_between(self, at: datetime, closed_at: datetime | None) -> None:
        """Count it at the end of each week from the one that it came in to the one before it was closed."""
        began = bisect_right(self._begin, at)
        ended = len(self._begin) if closed_at is None else bisect_right(self._begin, closed_at)
        # The weeks end where the next ones begin; before the first of them nothing is counted.
        for ends, counted in ((began, self._opened), (ended, self._closed)):
            if max(ends, 1) < len(self._begin):
                counted[max(ends, 1)] += 1

    def _decided(self, referral: Seen, at: datetime, decided_at: datetime) -> None:
        week = self._week(decided_at)
        if week is None:
            return
        self.took[week].append(decided_at - at)
        for outcome in {subject["outcome"] or "" for subject in referral["subjects"].values()}:
            self.took_for[outcome].append(decided_at - at)

    def _clock(self, clock: SeenClock, due_at: datetime) -> None:
        for missed in clock.get("missed", []):  # under a rating that gave it less time
            self._verdict(clock, moment(missed), False, None)
        ended_at, breached_at = (moment(at) if at else None for at in (clock["ended_at"], clock["breached_at"]))
        verdict = verdict_of(due_at, breached_at, ended_at, clock["met"])
        if verdict not in ("kept", "missed"):
            return
        in_time = verdict == "kept"
        self.unheard += not in_time and not ended_at and not clock["acknowledged_by"]
        took = (ended_at - moment(clock["started_at"])).total_seconds() / 3600 if ended_at else None
        self._verdict(clock, due_at, in_time, took, climbed=clock["rung"] > 0)

    def _verdict(self, clock: SeenClock, due_at: datetime, in_time: bool, took: float | None, *, climbed: bool = False) -> None:
        """Whether one limit was kept, and after how many hours what it waited for was done."""
        # By when it was due: of what came in lately, only the short clocks have run out, and only what was done early is done.
        week = self._week(due_at)
        if week is None:
            return
        self.due[week] += 1
        self.in_time[week] += in_time
        self.climbed += climbed
        self.stages[clock["kind"]].add(in_time, took)
        counts = {"triage": self.rated, "check": self.answered}.get(clock["kind"])
        if counts:
            counts[week][0] += in_time
            counts[week][1] += 1
        if clock["kind"] == "check":
            self.agencies[whose(clock["id"])].add(in_time, took)
            if len(self.mondays) - 1 - LATELY <= week < len(self.mondays) - 1:
                self.lately[whose(clock["id"])][0] += in_time
                self.lately[whose(clock["id"])][1] += 1

    def _week(self, at: datetime) -> int | None:
        """The number of the week that a moment is in; None for one before them all, or still to come."""
        return bisect_right(self._begin, at) - 1 if self._begin[0] <= at <= self.now else None

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

    def back_by_week(self, came: Mapping[str, Came]) -> dict[datetime, tuple[int, int]]:
        """Of the referrals that came in in each whole week: how many are about the same child as another within twelve months."""
        found = self.same_child.back(came, self._week)
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
        weeks = zip(self.mondays[:-1], self.took, strict=False)
        return {monday: percentile(took, 50) / timedelta(hours=1) for monday, took in weeks if took}


def _midnight(at: datetime) -> datetime:
    day = at.astimezone(LONDON)
    return datetime(day.year, day.month, day.day, tzinfo=LONDON)
