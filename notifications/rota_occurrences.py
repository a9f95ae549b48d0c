"""What occurs when in a calendar, as `recurring-ical-events` says; and that whatever is taken out or changed is there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from mash.notifications.rota import DAY
from mash.notifications.rota_ical import Event, Written
from mash.notifications.times import in_full
from mash.states.clocks import LONDON

AHEAD = timedelta(days=731)
"""So far ahead turns are written out that no weekly pattern can say."""
_MARGIN = timedelta(days=40)
_MARK = "X-MASH-EVENT"
_PLAIN_RULE = {"FREQ", "INTERVAL", "BYDAY", "WKST", "UNTIL", "COUNT"}


@dataclass(frozen=True)
class Occurrence:
    """Once that an event occurs; `start` and `end` as they stand in the calendar, in its zone."""

    event: Event
    start: date | datetime
    end: date | datetime

    @cached_property
    def spell(self) -> tuple[datetime, datetime]:
        """When it begins and ends, as instants."""
        return instant_of(self.start), instant_of(self.end)


@dataclass(frozen=True)
class Series:
    """An event that recurs, and those that change occurrences of it."""

    written: Written
    master: Event
    changes: tuple[Event, ...]
    now: datetime
    worked_out: dict[Any, list[Occurrence]] = field(default_factory=dict)
    """What was asked before: a series without exceptions is worked out once."""

    @cached_property
    def last(self) -> datetime:
        """Until when it is worked out: beyond every occurrence that is spoken of by itself."""
        named = [instant_of(_start(each)) for name in ("EXDATE", "RDATE") for each in self.master.moments(name)]
        named += [instant_of(each) for change in self.changes for each in (change.start, change.changes) if each]
        return max([self.now + AHEAD, instant_of(self.master.start) + AHEAD, *(each + _MARGIN for each in named)])

    @cached_property
    def goes_on(self) -> bool:
        """Whether there are occurrences after those that are worked out."""
        rule = self.master.rule
        if not rule or "UNTIL" in rule:
            return bool(rule) and self._until > self.last
        return "COUNT" not in rule or bool(self._occurrences([self.master], [], self.last, self.last + AHEAD))

    @property
    def _until(self) -> datetime:
        return instant_of(self.master.component["RRULE"]["UNTIL"][0])

    def last_day(self, event: Event, starts: time) -> date | None:
        """The last day on which a shift begins at this time, of an event of the series by which it goes on; None without end."""
        if "UNTIL" not in self.master.rule:
            return None
        moved = timedelta(0) if event.changes is None else instant_of(event.start) - instant_of(event.changes)
        until = (self._until + moved).astimezone(LONDON)
        return until.date() if starts <= until.time() else until.date() - DAY

    @property
    def every(self) -> int:
        """How many weeks apart it recurs; 0 where it does not recur by whole weeks."""
        rule = self.master.rule
        if not rule or set(rule) - _PLAIN_RULE or ("COUNT" in rule and self.goes_on):
            return 0
        interval = int(rule.get("INTERVAL", 1))
        return {"WEEKLY": interval, "DAILY": interval == 1}.get(rule["FREQ"], 0)

    def occurrences(self, events: Sequence[Event], without: Sequence[str] = ()) -> list[Occurrence]:
        """What occurs by these events of the series, less some of their lines, from its beginning on."""
        less = [name for name in without if any(True for event in events for _ in event.of(name))]
        key = (tuple(events), tuple(less))
        if key not in self.worked_out:
            begins = min(instant_of(event.start) for event in events) - DAY
            self.worked_out[key] = self._occurrences(events, less, begins, self.last)
        return self.worked_out[key]

    def _occurrences(self, events: Sequence[Event], without: Sequence[str], first: datetime, last: datetime) -> list[Occurrence]:
        calendar = icalendar.Calendar()
        if "X-WR-TIMEZONE" in self.written.calendar:
            calendar.add("X-WR-TIMEZONE", self.written.calendar["X-WR-TIMEZONE"])
        by_mark = {str(number): event for number, event in enumerate(events)}
        for mark, event in by_mark.items():
            component = event.component.copy()
            for name in without:
                component.pop(name, None)
            component.add(_MARK, mark)
            calendar.add_component(component)
        # Asked in London's time: asked in UTC, what ends in the hour that comes twice is not found.
        found = recurring_ical_events.of(calendar).between(first.astimezone(LONDON), last.astimezone(LONDON))
        each = (Occurrence(by_mark[str(one[_MARK])], one["DTSTART"].dt, one["DTEND"].dt) for one in found)
        return sorted((one for one in each if one.spell[0] < last), key=lambda one: one.spell)


def all_series(written: Written, now: datetime) -> Iterator[Series]:
    """The events, by their UIDs, each in its last version."""
    by_uid: dict[str, list[Event]] = defaultdict(list)
    for number, event in enumerate(written.events):
        by_uid[str(event.component.get("UID", f"\0{number}"))].append(event)
    for events in by_uid.values():
        versions = {str(each.changes): each for each in sorted(events, key=lambda each: each.sequence)}
        master = versions.pop("None", None)
        if master:
            yield Series(written, master, tuple(versions.values()), now)
            continue
        for change in versions.values():
            if from_then_on(change):
                raise change.refused("it changes this and all later occurrences of a series that the file has not")
            yield Series(written, change, (), now)


def from_then_on(event: Event) -> bool:
    return any(line.params.get("RANGE") for line in event.of("RECURRENCE-ID"))


# --- occurrences that are named -----------------------------------------------------------------------------------------------


def check_named(series: Series) -> None:
    """Each occurrence that is taken out or changed is one that there is, and no other: what misses its shift would leave on duty
    whoever was taken off."""
    master = series.master
    plain = series.occurrences([master], without=("EXDATE",))
    by_id: dict[datetime, list[Occurrence]] = defaultdict(list)
    for one in plain:
        for each in _ids(one.start):
            by_id[each].append(one)
    ends = series.last if series.goes_on or not plain else plain[-1].spell[0]
    out = [_start(each) for each in master.moments("EXDATE")]
    named = [(master, "EXDATE", each) for each in out]
    named += [(master, "RDATE", each[0]) for each in master.moments("RDATE") if isinstance(each, tuple)]
    named += [(change, "RECURRENCE-ID", changed_of(change)) for change in series.changes]
    for event, name, moment in named:
        line = next(event.of(name))
        if isinstance(master.start, datetime) and not isinstance(moment, datetime):
            if not any(isinstance(one.start, datetime) and one.start.date() == moment for one in plain):
                raise event.refused(f"{name}: no shift begins on {moment}", line)
            continue
        matches = {one.spell: one for each in _ids(moment) for one in by_id[each]}
        exact = [spell for spell in matches if spell[0] == instant_of(moment)]
        if len(matches) > len(exact):
            raise event.refused(f"{name}: its shifts are too near to each other to tell them apart: write them as events", line)
        within = plain and plain[0].spell[0] <= instant_of(moment) <= ends
        if not exact and (within or name != "EXDATE"):
            raise event.refused(f"{name}: no shift begins {in_full(instant_of(moment))}: its time or its zone is another", line)
        if name == "RECURRENCE-ID" and instant_of(moment) in [instant_of(each) for each in out]:
            raise event.refused("RECURRENCE-ID: an EXDATE takes out what it changes: one of them is meant", line)


def _ids(moment: date | datetime) -> tuple[datetime, ...]:
    """By what `recurring-ical-events` knows an occurrence: in the summer, that of one is like that of another an hour away."""
    if not isinstance(moment, datetime):
        return (datetime.combine(moment, time()),)
    if moment.tzinfo is None:
        return (moment,)
    return moment.astimezone(UTC).replace(tzinfo=None), moment.replace(tzinfo=None)


# --- times --------------------------------------------------------------------------------------------------------------------


def _start(value: Any) -> date | datetime:
    """When a value of EXDATE or RDATE begins: it may be a period."""
    return value[0] if isinstance(value, tuple) else value  # type: ignore[no-any-return]


def changed_of(event: Event) -> date | datetime:
    assert event.changes is not None
    return event.changes


def end_of(event: Event) -> date | datetime:
    """When an event ends that occurs once."""
    if "DTEND" in event.component:
        return event.component["DTEND"].dt  # type: ignore[no-any-return]
    length: timedelta = event.component["DURATION"].dt if "DURATION" in event.component else DAY
    return event.start + length


def instant_of(value: date | datetime) -> datetime:
    """A time of the calendar as an instant; without a zone it is London's."""
    if isinstance(value, datetime) and not _of_london(value):
        return value.astimezone(UTC)
    return wall_of(value).replace(tzinfo=LONDON).astimezone(UTC)


def wall_of(value: date | datetime) -> datetime:
    """A time of the calendar as the clock on London's walls has it. London's own goes no way through UTC: half past one is half
    past one also in the night that has none."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time())
    return (value if _of_london(value) else value.astimezone(LONDON)).replace(tzinfo=None)


def _of_london(value: date | datetime) -> bool:
    zone = getattr(value, "tzinfo", None)
    return zone is None or (isinstance(zone, ZoneInfo) and zone.key == LONDON.key)
