"""What other rules would have made of what was done, as rows and sentences: the same for the command and the page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from mash.config.words import agency_title, sentence, worded
from mash.states.profile import Profile
from mash.states.whatif import Limits, Stop, Tally, Whose

IN_WORDS = (
    "What is reckoned are the acts of the log at their times, by other limits. Nobody would have acted just so: whoever is"
    " warned at another time acts at another time, and whoever has more time takes it. It says how many limits the same work"
    " would have met, and nothing of what people would have done. Reminders, alerts and who took them on are left out."
    " Contacts that are not reckoned are not left out by chance: what stops one is often a limit that ran out before somebody"
    " accepted. What was late in them by then is counted apart."
)
"""What re-reckoning cannot say."""
PARTING = (
    "What is counted is where the rules of the two hubs part. It says nothing of how well anybody works: by other rules people"
    " would have acted otherwise."
)
"""What coverage is not."""


@dataclass(frozen=True)
class Line:
    """One limit, and whose it was."""

    limit: str
    whose: str
    clocks: int
    late: int
    would_run: int
    """How many clocks of it there would have been: another number where the case would have gone another way."""
    would_be_late: int

    @property
    def difference(self) -> int:
        """How many more would have been late."""
        return self.would_be_late - self.late


@dataclass(frozen=True)
class Before:
    """Of contacts that were not reckoned to their end: how many clocks of a limit were late by then, and would have been."""

    limit: str
    whose: str
    late: int
    would_be_late: int


@dataclass(frozen=True)
class Stopped:
    """How many contacts came to an act that is not possible by other rules, and why it is not; and in how many of them something
    would have been late by then."""

    contacts: int
    act: str
    why: str
    late_by_then: int = 0

    @property
    def at(self) -> str:
        """At which act; nothing where it is not known."""
        return f", at {self.act}" if self.act else ""


def lines_of(found: Limits, profile: Profile) -> list[Line]:
    """Each limit: those first whose lateness differs most, then those of which most were late."""
    lines = []
    for key in {**found.was, **found.would}:
        was, would = (of.get(key, Tally()) for of in (found.was, found.would))
        lines.append(Line(*_named(key, profile), was.clocks, was.late, would.clocks, would.late))
    return sorted(lines, key=lambda line: (-abs(line.difference), -line.late, line.limit, line.whose))


def before_stops(found: Limits, profile: Profile) -> list[Before]:
    """Each limit that was late, or would have been, in contacts that were not reckoned to their end: up to the act at which they
    stopped. Those first that would have been late most often."""
    keys = {**found.was_by_then, **found.would_by_then}
    lines = [Before(*_named(key, profile), found.was_by_then[key], found.would_by_then[key]) for key in keys]
    return sorted(lines, key=lambda line: (-line.would_be_late, line.limit, line.whose))


def _named(key: Whose, profile: Profile) -> tuple[str, str]:
    """A limit in words, and whose it is."""
    whose = agency_title(profile, key.who) if key.clock == "check" else worded(key.who, profile)
    return sentence(key.clock, profile), whose


def stops_of(found: Counter[Stop], profile: Profile, late: Counter[Stop] | None = None) -> list[Stopped]:
    """The acts at which contacts stopped, the most frequent first; `late`: in how many something would have been late by then."""
    late = late or Counter()
    return [Stopped(number, worded(stop.act, profile), stop.why, late[stop]) for stop, number in found.most_common()]
