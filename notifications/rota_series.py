"""The events of a calendar, worked out: what recurs weekly becomes patterns without end, everything else single turns, written
out some time ahead. What occurs when, `recurring-ical-events` says."""

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
from pydantic import ValidationError

from mash.notifications.rota import DAY, Pattern
from mash.notifications.rota_calendar import BANK_HOLIDAYS, SUMMARIES, WRITTEN_OUT, of_summary
from mash.notifications.rota_entries import Entry, RotaFile, RotaFileWrong, entry_of
from mash.notifications.rota_ical import ODD, Event, Written, check_zone, read_ical
from mash.notifications.times import in_full
from mash.states.clocks import LONDON, WEEKDAYS

AHEAD = timedelta(days=731)
"""So far ahead turns are written out that no weekly pattern can say."""
BEHIND = timedelta(weeks=8)
"""Turns that were over so long ago are left out. Who was on duty then, the rota of that time says."""
MOST_TURNS = 5_000
"""As many turns may be written out: twelve people's, for two years, are fewer."""
_MARK = "X-MASH-EVENT"
_PLAIN_RULE = {"FREQ", "INTERVAL", "BYDAY", "WKST", "UNTIL", "COUNT"}
_MARGIN = timedelta(days=40)


@dataclass(frozen=True)
class Occurrence:
    """Once that an event occurs; `start` and `end` as they stand in the calendar, in its zone."""

    event: Event
    start: date | datetime
    end: date | datetime

    @cached_property
    def spell(self) -> tuple[datetime, datetime]:
        """When it begins and ends, as instants."""
        return _instant(self.start), _instant(self.end)


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
        named = [_instant(_start(each)) for name in ("EXDATE", "RDATE") for each in self.master.moments(name)]
        named += [_instant(each) for change in self.changes for each in (change.start, change.changes) if each]
        return max([self.now + AHEAD, _instant(self.master.start) + AHEAD, *(each + _MARGIN for each in named)])

    @cached_property
    def goes_on(self) -> bool:
        """Whether there are occurrences after those that are worked out."""
        rule = self.master.rule
        if not rule or "UNTIL" in rule:
            return bool(rule) and self._until > self.last
        return "COUNT" not in rule or bool(self._occurrences([self.master], [], self.last, self.last + AHEAD))

    @property
    def _until(self) -> datetime:
        return _instant(self.master.component["RRULE"]["UNTIL"][0])

    def last_day(self, event: Event, starts: time) -> date | None:
        """The last day on which a shift begins at this time, of an event of the series by which it goes on; None without end."""
        if "UNTIL" not in self.master.rule:
            return None
        moved = timedelta(0) if event.changes is None else _instant(event.start) - _instant(event.changes)
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
            begins = min(_instant(event.start) for event in events) - DAY
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


def from_ical(text: str, now: datetime) -> RotaFile:
    """What a calendar holds. Raises RotaFileWrong, naming the line or the event."""
    written = read_ical(text)
    entries: list[Entry] = []
    until = _written_out(written)
    for series in _all_series(written, now):
        try:
            found, ends = _entries(series)
        except ODD:
            raise series.master.refused(
                "when it occurs cannot be worked out: expected DTSTART, DTEND and RRULE by RFC 5545"
            ) from None
        entries += found
        until = min(filter(None, (until, ends)), default=None)
        if len(entries) > MOST_TURNS:
            raise series.master.refused(f"with it there are more than {MOST_TURNS:,} turns: a rota has fewer")
    return RotaFile(entries=tuple(entries), written_out_until=until)


def _written_out(written: Written) -> datetime | None:
    """Until when a calendar of ours has its turns written out."""
    try:
        text = str(written.calendar.get(WRITTEN_OUT, ""))
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if text else None
    except ValueError:
        raise RotaFileWrong(f"{WRITTEN_OUT}: expected a time in UTC, such as 20270101T090000Z") from None


def _all_series(written: Written, now: datetime) -> Iterator[Series]:
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
            if _from_then_on(change):
                raise change.refused("it changes this and all later occurrences of a series that the file has not")
            yield Series(written, change, (), now)


def _from_then_on(event: Event) -> bool:
    return any(line.params.get("RANGE") for line in event.of("RECURRENCE-ID"))


# --- what becomes of a series -------------------------------------------------------------------------------------------------


def _entries(series: Series) -> tuple[list[Entry], datetime | None]:
    """The entries of a series; and until when its turns are written out, where it goes on."""
    master, changes = series.master, series.changes
    if not changes and not any(master.of("RRULE", "RDATE", "EXDATE")):
        alone = Occurrence(master, master.start, _end(master))
        check_zone(series.written, master, (alone.start, alone.end))
        return ([] if _cancelled(master) else [_entry(alone)]), None
    _check_named(series)
    found = series.occurrences([master, *changes])
    for event in (master, *changes):
        check_zone(series.written, event, (moment for one in found if one.event is event for moment in (one.start, one.end)))
    held = {(_meaning(one.event), one.spell) for one in found if not _cancelled(one.event)}
    entries, covered = [], set()
    patterns = _patterns(series)
    for event, pattern in patterns:
        shifts = dict(_shifts(pattern, series.last))
        covered |= {(_meaning(event), spell) for spell in shifts.values()}
        off = tuple(day for day, spell in shifts.items() if (_meaning(event), spell) not in held)
        entries.append(Entry(where=event.where, item=pattern.model_copy(update={"not_on": off})))
    for one in found:
        over = one.spell[1] <= series.now - BEHIND
        if not _cancelled(one.event) and not over and (_meaning(one.event), one.spell) not in covered:
            entries.append(_entry(one))
    final = _segments(series)[-1]
    written = series.goes_on and not _cancelled(final) and final not in [event for event, _ in patterns]
    return entries, series.last if written else None


def _meaning(event: Event) -> tuple[str, ...]:
    """What an event says, whenever it occurs: the kind of entry, the role, the people."""
    if (said := of_summary(str(event.component["SUMMARY"]))) is None:
        raise event.refused(f"its summary must be such as {SUMMARIES}", next(event.of("SUMMARY")))
    kind, values = said
    # Calendars of earlier releases have the name in a line of its own.
    if values.get("why") in ("cover", "swap") and "X-MASH-INSTEAD-OF" in event.component:
        values.setdefault("instead_of", str(event.component["X-MASH-INSTEAD-OF"]))
    return kind, *(str(values.get(name, "")) for name in ("role", "person", "why", "instead_of"))


def _entry(one: Occurrence) -> Entry:
    kind, *said = _meaning(one.event)
    if not _on_bank_holidays(one.event):
        raise one.event.refused(f"{BANK_HOLIDAYS} is only for what recurs weekly without end or until a time")
    values = {name: value for name, value in zip(("role", "person", "why", "instead_of"), said, strict=True) if value}
    begins, ends = one.spell
    if ends <= begins:
        raise one.event.refused(f"the shift of {in_full(begins)} is in the hour that never comes: the clocks go forward")
    return entry_of(one.event.where, kind, {**values, "begins": begins, "ends": ends})


def _cancelled(event: Event) -> bool:
    return str(event.component.get("STATUS", "")).upper() == "CANCELLED"


def _on_bank_holidays(event: Event) -> bool:
    return str(event.component.get(BANK_HOLIDAYS, "yes")).lower() != "no"


# --- weekly patterns ----------------------------------------------------------------------------------------------------------


def _segments(series: Series) -> list[Event]:
    """The events that say how the series goes, from its beginning, and from each change of this and all later ones on."""
    return [series.master, *sorted(filter(_from_then_on, series.changes), key=lambda each: _instant(_changed(each)))]


def _patterns(series: Series) -> list[tuple[Event, Pattern]]:
    """The weekly patterns that say just what the series' rule says; none where no pattern can."""
    if not 1 <= series.every <= 52:
        return []
    segments = _segments(series)
    bare = series.occurrences(segments, without=("EXDATE", "RDATE"))
    found: list[tuple[Event, Pattern]] = []
    for event in segments:
        mine = [one for one in bare if one.event is event]
        if not mine or _cancelled(event) or _meaning(event)[0] != "shift" or _meaning(event)[3] != "turn":
            continue
        goes_on = series.goes_on and event is segments[-1]
        found += [(event, pattern) for pattern in _fitted(series, event, mine, goes_on)]
    return found


def _fitted(series: Series, event: Event, mine: list[Occurrence], goes_on: bool) -> list[Pattern]:
    groups: dict[tuple[int, time, time], set[date]] = defaultdict(set)
    for begins, ends in ((_wall(one.start), _wall(one.end)) for one in mine):
        if ends.date() != begins.date() + (DAY if ends.time() <= begins.time() else timedelta(0)):
            return []
        # Weeks begin on Mondays here, wherever the rule has them begin (WKST).
        week = (begins.date().toordinal() - 1) // 7 % series.every
        groups[week, begins.time(), ends.time()].add(begins.date())
    _, role, person, *_ = _meaning(event)
    try:
        patterns = [
            Pattern(
                role=role,
                person=person,
                days=tuple(WEEKDAYS[day] for day in sorted({day.weekday() for day in days})),
                starts=starts,
                ends=ends,
                since=min(days),
                until=series.last_day(event, starts) if goes_on else max(days),
                every=series.every,
                bank_holidays=_on_bank_holidays(event),
            )
            for (_, starts, ends), days in groups.items()
        ]
    except ValidationError as wrong:
        column = wrong.errors(include_input=False)[0]["loc"][0]
        raise event.refused(f"{column}: its summary must be such as {SUMMARIES}", next(event.of("SUMMARY"))) from None
    shifts = [spell for pattern in patterns for _, spell in _shifts(pattern, series.last)]
    return patterns if sorted(shifts) == [one.spell for one in mine] else []


def _shifts(pattern: Pattern, last: datetime) -> Iterator[tuple[date, tuple[datetime, datetime]]]:
    """The days on which a pattern's shifts begin, and the shifts, bank holidays or not."""
    day = pattern.since
    while (spell := pattern.shift_on(day))[0] < last:
        if pattern.begins_on(day, ()):
            yield day, spell
        day += DAY


# --- occurrences that are named -----------------------------------------------------------------------------------------------


def _check_named(series: Series) -> None:
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
    named += [(change, "RECURRENCE-ID", _changed(change)) for change in series.changes]
    for event, name, moment in named:
        line = next(event.of(name))
        if isinstance(master.start, datetime) and not isinstance(moment, datetime):
            if not any(isinstance(one.start, datetime) and one.start.date() == moment for one in plain):
                raise event.refused(f"{name}: no shift begins on {moment}", line)
            continue
        matches = {one.spell: one for each in _ids(moment) for one in by_id[each]}
        exact = [spell for spell in matches if spell[0] == _instant(moment)]
        if len(matches) > len(exact):
            raise event.refused(f"{name}: its shifts are too near to each other to tell them apart: write them as events", line)
        within = plain and plain[0].spell[0] <= _instant(moment) <= ends
        if not exact and (within or name != "EXDATE"):
            raise event.refused(f"{name}: no shift begins {in_full(_instant(moment))}: its time or its zone is another", line)
        if name == "RECURRENCE-ID" and _instant(moment) in [_instant(each) for each in out]:
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


def _changed(event: Event) -> date | datetime:
    assert event.changes is not None
    return event.changes


def _end(event: Event) -> date | datetime:
    """When an event ends that occurs once."""
    if "DTEND" in event.component:
        return event.component["DTEND"].dt  # type: ignore[no-any-return]
    length: timedelta = event.component["DURATION"].dt if "DURATION" in event.component else DAY
    return event.start + length


def _instant(value: date | datetime) -> datetime:
    """A time of the calendar as an instant; without a zone it is London's."""
    if isinstance(value, datetime) and not _of_london(value):
        return value.astimezone(UTC)
    return _wall(value).replace(tzinfo=LONDON).astimezone(UTC)


def _wall(value: date | datetime) -> datetime:
    """A time of the calendar as the clock on London's walls has it. London's own goes no way through UTC: half past one is half
    past one also in the night that has none."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time())
    return (value if _of_london(value) else value.astimezone(LONDON)).replace(tzinfo=None)


def _of_london(value: date | datetime) -> bool:
    zone = getattr(value, "tzinfo", None)
    return zone is None or (isinstance(zone, ZoneInfo) and zone.key == LONDON.key)
