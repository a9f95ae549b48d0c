"""An invitation to a meeting as an iCalendar file. No personal data: the reference, the time, the way, the chair's role."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

LASTS = timedelta(hours=1)
TITLES = {"meeting": "MASH meeting", "discussion": "Strategy discussion"}


def invitation(
    reference: str,
    hub_title: str,
    at: datetime,
    mode: str,
    chair: str,
    sequence: int,
    made_at: datetime,
    warnings: Sequence[str] = (),
    *,
    what: Literal["meeting", "discussion"] = "meeting",
    off: bool = False,
) -> bytes:
    """The file, with what whoever comes is warned of. A higher `sequence` replaces an earlier invitation to the same meeting, as
    when it is moved; `off` takes it out of calendars again (METHOD:CANCEL)."""
    # Imported only now: 2 MB that nothing else here needs.
    from icalendar import Calendar, Event

    event = Event()
    event.add("uid", f"{reference}.{what}@mash")
    event.add("dtstamp", made_at)
    event.add("dtstart", at)
    event.add("dtend", at + LASTS)
    event.add("sequence", sequence)
    event.add("summary", f"{TITLES[what]} {reference}")
    said = (f"{hub_title}, {mode.replace('_', ' ')}; chair: {chair.replace('_', ' ')}", *warnings)
    event.add("description", ". ".join(f"{each[0].upper()}{each[1:]}" for each in said))
    event.add("class", "CONFIDENTIAL")
    if off:
        event.add("status", "CANCELLED")
    calendar = Calendar()
    calendar.add("prodid", "-//mash//referral pipeline//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if off else "PUBLISH")
    calendar.add_component(event)
    return bytes(calendar.to_ical())
