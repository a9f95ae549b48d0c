"""Who came to what was held, in which way and on which day: as it was, never as it should have been."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from mash.states.acts import demands
from mash.states.clocks import LONDON, day_of
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, QuorumNotMet
from mash.states.profile import Mode, Profile
from mash.states.referral import Referral
from mash.states.values import Code, Words

Came = Literal["attended", "apologies", "absent"]
WhyMissing = Literal["not_reached", "not_on_duty", "declined", "could_not_wait"]
"""Why somebody who must be there was not: a code for the log; what was tried stands in the words."""
Attendance = Annotated[
    dict[Code, Came],
    Field(
        description="Who attended, sent apologies or was absent, by agency: one table, in place of the two lists.",
        json_schema_extra={"additionalProperties": False, "propertyNames": {"maxLength": 60}},
        exclude_if=lambda came: not came,
    ),
]
HeldOn = Annotated[
    date | None,
    Field(description="The day it was held, began or was completed; today, unless said.", exclude_if=lambda day: day is None),
]
Absent = Annotated[tuple[str, ...], Field(exclude_if=lambda absent: not absent)]
"""Of an event: who was invited, and neither came nor sent apologies."""


class There(NamedTuple):
    """Who came, who sent apologies, and who did neither: nobody is two of them."""

    attended: tuple[str, ...]
    apologies: tuple[str, ...]
    absent: tuple[str, ...]


def there(
    d: Deciding, table: Mapping[str, Came], attended: Iterable[str], apologies: Iterable[str], expected: Iterable[str]
) -> There:
    """The attendance of a meeting, from its table or from the two lists; whoever was `expected` and is in neither was absent.
    Raises Incomplete where it is said twice or somebody is two of them, NotInProfile for somebody whom the hub does not have."""
    lists = {"attended": tuple(dict.fromkeys(attended)), "apologies": tuple(dict.fromkeys(apologies))}
    if table and any(lists.values()):
        raise Incomplete("say who came once: as a table (attendance), or as lists (attended, apologies)")
    if both := [name for name in lists["attended"] if name in lists["apologies"]]:
        raise Incomplete(f"nobody attends and sends apologies as well: {', '.join(both)}")
    of = {came: tuple(name for name, each in table.items() if each == came) for came in ("attended", "apologies", "absent")}
    came, sorry = (of[name] or lists[name] for name in ("attended", "apologies"))
    demands.agencies(d, (*came, *sorry, *of["absent"]))
    not_there = (*of["absent"], *(name for name in expected if name not in (*came, *sorry)))
    return There(came, sorry, tuple(dict.fromkeys(not_there)))


def table(attended: Iterable[str], apologies: Iterable[str], absent: Iterable[str], profile: Profile) -> dict[str, Came]:
    """Who came, as the table of a command that has an event with these lists. Who was expected by an older version of the
    profile, and is in no list of today's, is found to be absent anew."""
    known = demands.named_agencies(profile)
    lists: dict[Came, Iterable[str]] = {"attended": attended, "apologies": apologies, "absent": (n for n in absent if n in known)}
    return {name: came for came, names in lists.items() for name in names}


def short_of_quorum(
    needed: Iterable[str], came: Iterable[str], why: WhyMissing | None, words: Words | None, what: str
) -> tuple[str, ...]:
    """Who of those who must be there was missing. Raises QuorumNotMet unless it is said why, ReasonNeeded without the words."""
    wanted, came = tuple(needed), set(came)
    missing = tuple(name for name in wanted if name not in came)
    if missing and why is None:
        raise QuorumNotMet(
            f"{what} needs {', '.join(wanted)}; missing: {', '.join(missing)}. Where it was held without them, say why"
            " (without_quorum)",
            missing=list(missing),
            needs=["without_quorum"],
        )
    if missing:
        demands.words(words, f"holding {what} without {', '.join(missing)}")
    elif why is not None:
        raise Incomplete(f"{what} had everybody who must take part: leave out why somebody was missing (without_quorum)")
    return missing


def way(usual: tuple[Mode, ...], held: Mode | None, words: Words | None, what: str) -> Mode:
    """How it was held. Another way than the hub's own is no refusal, but needs a reason in words (ReasonNeeded)."""
    if held is not None and held not in usual:
        ways = " or ".join(mode.replace("_", " ") for mode in usual)
        demands.words(words, f"holding {what} {held.replace('_', ' ')}, where this hub holds it {ways},")
    return held or usual[0]


def not_to_come(d: Deciding, planned: datetime | None, day: date | None, what: str) -> None:
    """Raises Incomplete for what is still to be held at its time, unless somebody says on which day it was held before that."""
    if planned is not None and day is None and planned > d.now:
        raise Incomplete(
            f"{what} is to be held on {planned.astimezone(LONDON):%d %B at %H:%M}: if it was held before, say on which day"
            " (held_on)",
            needs=["held_on"],
        )


def held_at(d: Deciding, day: date | None, what: str) -> datetime:
    """The instant from which something counts that happened on a day: now, or the beginning of an earlier day, whose hour nobody
    knows. Raises Incomplete for a day to come, and for one before the contact was received."""
    if day is not None and day > day_of(d.now):
        raise Incomplete(f"{what} is recorded once it has been held: check the date")
    if day is not None and day < day_of(d.referral.received_at):
        raise Incomplete(f"{what} cannot have been held before the contact was received: check the date")
    return instant(day, d.now, d.referral)


def instant(day: date | None, recorded_at: datetime, referral: Referral) -> datetime:
    """The same, of what has been recorded."""
    if day is None or day >= day_of(recorded_at):
        return recorded_at
    return max(datetime.combine(day, time(0), LONDON).astimezone(UTC), referral.received_at)


def judged_by(d: Deciding, day: date | None, what: str) -> None:
    """The clocks that are met now are judged by the day on which it happened, not by when that was typed."""
    happened_at = held_at(d, day, what)
    d.happened_at = happened_at if happened_at < d.now else None
