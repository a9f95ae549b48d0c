"""What other rules would have made of what was done, as rows and sentences: the same for the command and the page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from mash.config.words import agency_title, sentence, worded
from mash.states.profile import Profile
from mash.states.whatif import Limits, Stop, Tally

IN_WORDS = (
    "These are the acts of the log at their times, by other limits. Nobody would have acted just so: whoever is warned at another"
    " time acts at another time, and whoever has more time takes it. It says how many limits the same work would have met, and"
    " nothing of what people would have done. Reminders, alerts and who took them on are left out."
)
"""What re-reckoning cannot say."""
PARTING = (
    "This is where the rules of the two hubs part, and says nothing of how well anybody works: by other rules people would have"
    " acted otherwise."
)
"""What coverage is not."""


@dataclass(frozen=True)
class Line:
    """One limit, and whose it was."""

    limit: str
    whose: str
    clocks: int
    late: int
    would_be_late: int

    @property
    def difference(self) -> int:
        """How many more would have been late."""
        return self.would_be_late - self.late


@dataclass(frozen=True)
class Stopped:
    """How many contacts came to an act that is not possible by other rules, and why it is not."""

    contacts: int
    act: str
    why: str


def lines_of(found: Limits, profile: Profile) -> list[Line]:
    """Each limit: those first whose lateness differs most, then those of which most were late."""
    lines = []
    for key in {**found.was, **found.would}:
        was, would = (of.get(key, Tally()) for of in (found.was, found.would))
        whose = agency_title(profile, key.who) if key.clock == "check" else worded(key.who, profile)
        lines.append(Line(sentence(key.clock, profile), whose, max(was.clocks, would.clocks), was.late, would.late))
    return sorted(lines, key=lambda line: (-abs(line.difference), -line.late, line.limit, line.whose))


def stops_of(found: Counter[Stop], profile: Profile) -> list[Stopped]:
    """The acts at which contacts stopped, the most frequent first."""
    return [Stopped(number, worded(stop.act, profile), stop.why) for stop, number in found.most_common()]
