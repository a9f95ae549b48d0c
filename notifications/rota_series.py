"""The events of a calendar, worked out: what recurs weekly becomes patterns without end, everything else single turns, written
out some time ahead. What occurs when, `recurring-ical-events` says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from pydantic import ValidationError

from mash.notifications.rota import DAY, Pattern
from mash.notifications.rota_calendar import BANK_HOLIDAYS, SUMMARIES, WRITTEN_OUT, of_summary
from mash.notifications.rota_entries import Entry, RotaFile, RotaFileWrong, entry_of
from mash.notifications.rota_ical import ODD, Event, Written, check_zone, read_ical
from mash.notifications.rota_occurrences import (
    Occurrence,
    Series,
    all_series,
    changed_of,
    check_named,
    end_of,
    from_then_on,
    instant_of,
    wall_of,
)
from mash.notifications.times import in_full
from mash.states.clocks import WEEKDAYS

BEHIND = timedelta(weeks=8)
"""Turns that were over so long ago are left out. Who was on duty then, the rota of that time says."""
MOST_TURNS = 5_000
"""As many turns may be written out: twelve people's, for two years, are fewer."""


def from_ical(text: str, now: datetime) -> RotaFile:
    """What a calendar holds. Raises RotaFileWrong, naming the line or the event."""
    written = read_ical(text)
    entries: list[Entry] = []
    until = _written_out(written)
    for series in all_series(written, now):
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


# --- what becomes of a series -------------------------------------------------------------------------------------------------


def _entries(series: Series) -> tuple[list[Entry], datetime | None]:
    """The entries of a series; and until when its turns are written out, where it goes on."""
    master, changes = series.master, series.changes
    if not changes and not any(master.of("RRULE", "RDATE", "EXDATE")):
        alone = Occurrence(master, master.start, end_of(master))
        check_zone(series.written, master, (alone.start, alone.end))
        return ([] if _cancelled(master) else [_entry(alone)]), None
    check_named(series)
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
    return [series.master, *sorted(filter(from_then_on, series.changes), key=lambda each: instant_of(changed_of(each)))]


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
    for begins, ends in ((wall_of(one.start), wall_of(one.end)) for one in mine):
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
