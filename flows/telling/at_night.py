"""What walks tell people at night: how much is late and reminded of outside a hub's hours, and of which clocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mash.flows.telling.walk import Walk

REMINDERS = ("warning", "chase")


@dataclass(frozen=True)
class AtNight:
    """How often people were alerted and reminded; how often outside the hub's hours; and how often that was of a clock that is
    the day team's."""

    late: int
    late_outside: int
    late_of_day: int
    reminders: int
    reminders_outside: int
    reminders_of_day: int

    def __str__(self) -> str:
        return (
            f"{self.late} alerts, {self.late_outside} of them outside the hub's hours ({self.late_of_day} of the day team's); "
            f"{self.reminders} reminders, {self.reminders_outside} of them outside ({self.reminders_of_day} of the day team's)"
        )


def at_night(walks: Iterable[Walk]) -> AtNight:
    """What these walks told people, and when."""
    counts = [0] * 6
    for done in walks:
        for line in done.lines:
            if line.notice != "escalation" and line.notice not in REMINDERS:
                continue
            outside = not done.profile.calendar.is_open(line.at) or line.who == done.profile.out_of_hours.role
            place = 3 if line.notice in REMINDERS else 0
            for after, counted in enumerate((True, outside, outside and line.by_day)):
                counts[place + after] += counted
    return AtNight(*counts)
