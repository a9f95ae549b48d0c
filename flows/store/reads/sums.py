"""What cases add up to, for managers' figures: one way of adding, for those that are read now and those of long ago. Pure.

All in whole numbers that do not depend on which weeks are looked at: days and Mondays as ordinals, times as microseconds.
"""

from __future__ import annotations

import base64
import json
import sys
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from mash.flows.store.reads.figures import Called, Came, Seen, SeenClock, closed_at, decided_at, seen
from mash.flows.store.reads.same_child import About, before
from mash.states.clocks import LONDON
from mash.states.referral import verdict_of, whose

Ended = Literal["as_proposed", "otherwise"] | None
EDITION = 1
"""Of what is kept: raised when something is added up otherwise, so that everything is added up anew."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)

moment = datetime.fromisoformat


def ticks(at: datetime) -> int:
    """A moment as a whole number: microseconds since 1970."""
    return (at - _EPOCH) // _TICK


def day_of(at: datetime) -> int:
    """The day of a moment in London, as an ordinal."""
    return at.astimezone(LONDON).toordinal()


@lru_cache(maxsize=20_000)
def _day_of_hour(hour: int) -> int:
    return day_of(_EPOCH + timedelta(hours=hour))


def day_of_ticks(number: int) -> int:
    """The same of a moment as a whole number. London's days begin with an hour: few are asked for again and again."""
    return _day_of_hour(number // 3_600_000_000)


def monday_of(day: int) -> int:
    """The Monday of a day's week."""
    return day - (day - 1) % 7


class Numbers:
    """Whole numbers, read from how they are kept where somebody asks for them: of most that are kept nobody does."""

    __slots__ = ("_kept", "_values")

    def __init__(self, typecode: str, kept: str = "") -> None:
        self._values, self._kept = array(typecode), kept

    @property
    def values(self) -> array[int]:
        """The numbers."""
        if self._kept:
            values = array(self._values.typecode)
            values.frombytes(base64.b64decode(self._kept))
            self._values, self._kept = _little(values), ""
        return self._values

    def merge(self, other: Numbers) -> None:
        """Add another's."""
        self.values.extend(other.values)

    def dump(self) -> str:
        """As they are kept, by whatever machine: the lowest byte first."""
        return base64.b64encode(_little(self.values).tobytes()).decode()


def _little(values: array[int]) -> array[int]:
    if sys.byteorder == "little":
        return values
    turned = array(values.typecode, values)
    turned.byteswap()
    return turned


@dataclass
class Received:
    """What came in on a day: contacts by what they were; and of every part of them, outcomes and how many were reopened."""

    contacts: int = 0
    referrals: int = 0
    reopened: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    needs: Counter[str] = field(default_factory=Counter)
    ratings: Counter[str] = field(default_factory=Counter)
    """By the first rating and the present one, with a blank between."""
    outcomes: Counter[str] = field(default_factory=Counter)

    def merge(self, other: Received) -> None:
        """Add another's."""
        self.contacts += other.contacts
        self.referrals += other.referrals
        self.reopened += other.reopened
        for name in ("sources", "kinds", "needs", "ratings", "outcomes"):
            getattr(self, name).update(getattr(other, name))


@dataclass
class Due:
    """Clocks that were due in a week: kept, missed, and of the latter escalated further; and how long each took that has ended,
    in tenths of an hour, as it is shown."""

    in_time: int = 0
    missed: int = 0
    climbed: int = 0
    tenths: Numbers = field(default_factory=lambda: Numbers("i"))

    def merge(self, other: Due) -> None:
        """Add another's."""
        self.in_time += other.in_time
        self.missed += other.missed
        self.climbed += other.climbed
        self.tenths.merge(other.tenths)


class Verdict(NamedTuple):
    """A clock that was kept or missed: when it was due, which (`check:AGENCY`, or its kind), and what is counted of it."""

    due: int
    which: str
    in_time: bool
    tenths: int | None
    climbed: bool

    @property
    def now_due(self) -> Due:
        """What it counts as, once it is due."""
        due = Due(int(self.in_time), int(not self.in_time), int(self.climbed))
        if self.tenths is not None:
            due.tenths.values.append(self.tenths)
        return due


@dataclass
class Contact:
    """A contact of which figures take more than its number: because others may be about its child, or it was split. Those others
    that came in within the twelve months before it, and whether each is a referral."""

    day: int
    referral: bool
    split: bool
    sure: dict[str, bool] = field(default_factory=dict)
    likely: dict[str, bool] = field(default_factory=dict)

    def merge(self, other: Contact) -> None:
        """Add what another part of it says."""
        self.split |= other.split
        self.sure |= other.sure
        self.likely |= other.likely


class Sums:
    """What some cases add up to."""

    def __init__(self) -> None:
        self.received = defaultdict[int, Received](Received)
        """By day."""
        self.due = defaultdict[str, defaultdict[int, Due]](lambda: defaultdict(Due))
        """By which clock, and by the week in which it was due."""
        self.ended = dict[str, Counter[int]]()
        """Of several days together: how long those took that have ended, whenever they were due, and how many each."""
        self.to_come = list[Verdict]()
        """Clocks that were kept before they are due."""
        self.took = defaultdict[int, defaultdict[str, Numbers]](lambda: defaultdict(lambda: Numbers("q")))
        """How long it was until something was decided, by the week of that, and by the outcomes, with commas between."""
        self.closed = defaultdict[int, Counter[int]](Counter)
        """How many were closed, by the week in which they came in, and by that in which they were."""
        self.open = list[tuple[int, int | None]]()
        """When what is open came in, and when the first of its clocks is due that runs."""
        self.unheard = 0
        self.called = defaultdict[int, Numbers](lambda: Numbers("q"))
        """How long somebody was called until an alert was acknowledged, by the week of that."""
        self.looks = defaultdict[int, list[tuple[Ended, int | None]]](list)
        """Second looks, by the week in which they were proposed: how each ended, and after how long."""
        self.contacts = dict[str, Contact]()
        self.plain = Counter[tuple[int, bool]]()
        """Contacts beside those, by day and whether they are referrals."""
        self._came, self._about, self._split = dict[str, Came](), dict[str, About](), set[str]()
        """Of contacts that were added and are not placed yet."""

    @property
    def unseen(self) -> set[str]:
        """The contacts about the same children as those that are not placed yet, of which it is not known when they came in."""
        return {other for each in self._about.values() for other in each.sure | each.likely} - self._came.keys()

    @property
    def called_until(self) -> int | None:
        """The last week in which an alert was acknowledged or a second look asked for; None where there was none."""
        return max((*self.called, *self.looks), default=None)

    @property
    def of_calls(self) -> Sums:
        """As much of it as is counted by when it was, whenever the case came in: alerts and second looks."""
        sums = Sums()
        sums.called, sums.looks = self.called, self.looks
        return sums

    # --- adding -----------------------------------------------------------------------------------------------------------

    def add_all(self, found: Iterable[tuple[str, str]], now: datetime) -> None:
        """Cases as they are stored: the contact that each began with, and its state."""
        for root, state in found:
            self.add(root, seen(state), now)

    def add(self, root: str, referral: Seen, now: datetime) -> None:
        """A case, and the contact that it began with: itself, or what it was split from. What is due after `now` is to come."""
        at = moment(referral["received_at"])
        day, number = day_of(at), ticks(now)
        self._received(referral, day)
        self._contact(root, referral, at)
        for clock in referral["clocks"].values():
            for verdict in self._verdicts(clock):
                self._judged(verdict, number)
        ended = closed_at(referral)
        if ended is None:
            running = [ticks(moment(clock["due_at"])) for clock in referral["clocks"].values() if clock["ended_at"] is None]
            self.open.append((ticks(at), min(running, default=None)))
        else:
            self.closed[monday_of(day)][monday_of(day_of(ended))] += 1
        decided = decided_at(referral)
        if decided and not referral["parent"]:
            outcomes = sorted({subject["outcome"] or "" for subject in referral["subjects"].values()})
            self.took[monday_of(day_of(decided))][",".join(outcomes)].values.append((decided - at) // _TICK)

    def _contact(self, root: str, referral: Seen, at: datetime) -> None:
        erased = referral["erased"] or (root in self._came and self._came[root].erased)
        self._came[root] = Came(at, referral["contact"] == "referral", erased)
        self._about.setdefault(root, About()).add(referral)
        if referral["parent"] or referral["splits"]:
            self._split.add(root)

    def _received(self, referral: Seen, day: int) -> None:
        received = self.received[day]
        received.reopened += referral["reopened"]
        received.outcomes.update([subject["outcome"] for subject in referral["subjects"].values() if subject["outcome"]])
        if referral["parent"]:
            return
        received.contacts += 1
        received.referrals += referral["contact"] == "referral"
        received.sources[referral["source"]] += 1
        received.kinds[referral["contact"]] += 1
        received.needs[referral["primary_need"] or ""] += 1
        if referral["first_rating"] and referral["rating"]:
            received.ratings[f"{referral['first_rating']} {referral['rating']}"] += 1

    def _verdicts(self, clock: SeenClock) -> Iterable[Verdict]:
        which = f"check:{whose(clock['id'])}" if clock["kind"] == "check" else clock["kind"]
        for missed in clock.get("missed", ()):  # under a rating that gave it less time
            yield Verdict(ticks(moment(missed)), which, False, None, False)
        due_at = moment(clock["due_at"])
        ended_at, breached_at = (moment(at) if at else None for at in (clock["ended_at"], clock["breached_at"]))
        verdict = verdict_of(due_at, breached_at, ended_at, clock["met"])
        if verdict not in ("kept", "missed"):
            return
        in_time = verdict == "kept"
        self.unheard += not in_time and not ended_at and not clock["acknowledged_by"]
        hours = (ended_at - moment(clock["started_at"])).total_seconds() / 3600 if ended_at else None
        tenths = None if hours is None else round(round(hours, 1) * 10)
        yield Verdict(ticks(due_at), which, in_time, tenths, clock["rung"] > 0)

    def _judged(self, verdict: Verdict, now: int) -> None:
        # By when it was due: of what came in lately, only the short clocks have run out, and only what was done early is done.
        if verdict.due > now:
            self.to_come.append(verdict)
            return
        self.due[verdict.which][monday_of(day_of_ticks(verdict.due))].merge(verdict.now_due)

    def add_called(self, called: Called) -> None:
        """What logs say of alerts and of second looks."""
        for at, took in called.acknowledged:
            self.called[monday_of(day_of(at))].values.append(took // _TICK)
        for at, look in called.looks:
            self.looks[monday_of(day_of(at))].append((look.ended, None if look.took is None else look.took // _TICK))

    def merge(self, other: Sums, now: datetime) -> None:
        """Add what other cases add up to."""
        for day, received in other.received.items():
            self.received[day].merge(received)
        for which, weeks in other.due.items():
            for week, due in weeks.items():
                self.due[which][week].merge(due)
        for verdict in other.to_come:
            self._judged(verdict, ticks(now))
        for week, by_outcome in other.took.items():
            for outcomes, took in by_outcome.items():
                self.took[week][outcomes].merge(took)
        for came, closed in other.closed.items():
            self.closed[came].update(closed)
        for week, waited in other.called.items():
            self.called[week].merge(waited)
        for week, looks in other.looks.items():
            self.looks[week].extend(looks)
        self.open += other.open
        self.unheard += other.unheard
        self.plain.update(other.plain)
        for root, contact in other.contacts.items():
            self._place(root, contact)

    def place(self, came: Mapping[str, Came]) -> None:
        """Count the contacts that were added, and name those of which figures take more than their number. `came` is what is
        known of others about the same children: when a contact came in stays as it is, and so does which of them came before."""
        known = {**came, **self._came}
        for root, at in self._came.items():
            about = self._about[root]
            sure, likely = (
                {other: known[other].referral for other in before(known, root, some)} for some in (about.sure, about.likely)
            )
            if sure or likely or root in self._split:
                self._place(root, Contact(day_of(at.at), at.referral, root in self._split, sure, likely))
            else:
                self.plain[day_of(at.at), at.referral] += 1
        self._came, self._about, self._split = {}, {}, set()

    def _place(self, root: str, contact: Contact) -> None:
        if root in self.contacts:
            self.contacts[root].merge(contact)
        else:
            self.contacts[root] = contact

    def together(self) -> None:
        """Of clocks that have ended, tell no longer in which week which took how long: of several days, that is much."""
        for which, weeks in self.due.items():
            ended = self.ended.setdefault(which, Counter())
            for due in weeks.values():
                ended.update(due.tenths.values)
                due.tenths = Numbers("i")

    # --- keeping ----------------------------------------------------------------------------------------------------------

    def dump(self) -> str:
        """As it is kept."""
        return json.dumps(
            {
                "received": {day: vars(received) for day, received in self.received.items()},
                "due": {
                    which: {week: [d.in_time, d.missed, d.climbed, d.tenths.dump()] for week, d in weeks.items()}
                    for which, weeks in self.due.items()
                },
                "ended": {which: [list(ended.keys()), list(ended.values())] for which, ended in self.ended.items()},
                "to_come": self.to_come,
                "took": {week: {which: took.dump() for which, took in by.items()} for week, by in self.took.items()},
                "closed": self.closed,
                "open": self.open,
                "unheard": self.unheard,
                "called": {week: waited.dump() for week, waited in self.called.items()},
                "looks": self.looks,
                "contacts": {root: [c.day, c.referral, c.split, c.sure, c.likely] for root, c in self.contacts.items()},
                "plain": [[day, referral, number] for (day, referral), number in self.plain.items()],
            },
            separators=(",", ":"),
        )

    @classmethod
    def load(cls, kept: str) -> Sums:
        """What was kept."""
        read, sums = json.loads(kept), cls()
        for day, received in read["received"].items():
            of_day: dict[str, Any] = {name: Counter(each) if isinstance(each, dict) else each for name, each in received.items()}
            sums.received[int(day)] = Received(**of_day)
        for which, weeks in read["due"].items():
            for week, (in_time, missed, climbed, tenths) in weeks.items():
                sums.due[which][int(week)] = Due(in_time, missed, climbed, Numbers("i", tenths))
        sums.ended = {which: Counter(dict(zip(*ended, strict=True))) for which, ended in read["ended"].items()}
        sums.to_come = [Verdict(*each) for each in read["to_come"]]
        for week, by_outcome in read["took"].items():
            for outcomes, took in by_outcome.items():
                sums.took[int(week)][outcomes] = Numbers("q", took)
        for came, closed in read["closed"].items():
            sums.closed[int(came)] = Counter({int(week): number for week, number in closed.items()})
        sums.open = [(at, due) for at, due in read["open"]]
        sums.unheard = read["unheard"]
        for week, waited in read["called"].items():
            sums.called[int(week)] = Numbers("q", waited)
        for week, looks in read["looks"].items():
            sums.looks[int(week)] = [(ended, took) for ended, took in looks]
        sums.contacts = {root: Contact(*contact) for root, contact in read["contacts"].items()}
        sums.plain = Counter({(day, referral): number for day, referral, number in read["plain"]})
        return sums
