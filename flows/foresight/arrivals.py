"""When contacts come in: as they did, where that is known; else in whole weeks of the past, one drawn for each week to come.

Whole weeks keep what single hours lose: that a wave comes together, and that Mondays after a holiday are full.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

from mash.flows.foresight.draws import counted, draw
from mash.states.clocks import LONDON, day_of

Week = tuple[float, ...]
"""The contacts of a week: seconds since Monday 00:00, by the clock on the hub's wall, in their order."""
WEEK = timedelta(weeks=1)
LAST = 52
"""Weeks of the past that are drawn from, at most: of a year each season once."""


def monday_of(at: datetime) -> date:
    """The Monday of the week of an instant, by the hub's own clock."""
    day = day_of(at)
    return day - timedelta(days=day.weekday())


def on_the_wall(monday: date, seconds: float) -> datetime:
    """So long after a Monday's midnight, by the clock on the wall."""
    return (datetime.combine(monday, time(), LONDON) + timedelta(seconds=seconds)).astimezone(UTC)


def weeks_on_record(received: Sequence[datetime], since: datetime, until: datetime) -> tuple[Week, ...]:
    """The last whole weeks within that time, at most 52, whoever came in them."""
    came = defaultdict[date, list[float]](list)
    for at in sorted(received):
        local, monday = at.astimezone(LONDON), monday_of(at)
        came[monday].append((local.replace(tzinfo=None) - datetime.combine(monday, time())).total_seconds())
    monday, found = monday_of(since), list[Week]()
    while (ends := on_the_wall(monday, WEEK.total_seconds())) <= until:
        if on_the_wall(monday, 0) >= since:
            found.append(tuple(came[monday]))
        monday = day_of(ends)
    return tuple(found[-LAST:])


def drawn(weeks: Sequence[Week], run: int, monday: date) -> Iterator[tuple[str, datetime]]:
    """The contacts of a week to come: those of a past week, by the run's chance; each by a name of its own, and when."""
    if weeks:
        week = weeks[int(draw(run, monday, "week") * len(weeks))]
        for place, seconds in enumerate(week):
            yield f"{monday}.{place}", on_the_wall(monday, seconds)


def by_part(part: float, run: int, name: str, at: datetime) -> Iterator[tuple[str, datetime]]:
    """A contact, where so many come in for each that did: itself, none, or itself and further ones within its hour. Those of a
    smaller part are among those of a greater one, at the same times."""
    if draw(run, name, "left out") < 1.0 - part:
        return
    yield name, at
    hour = at.replace(minute=0, second=0, microsecond=0)
    for place in range(counted(max(0.0, part - 1.0), draw(run, name, "more"))):
        further = f"{name}+{place}"
        yield further, hour + timedelta(seconds=3600 * draw(run, further, "minute"))
