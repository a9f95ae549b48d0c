"""What a simulation is judged by: a few measures, reckoned alike of cases as they are stored and as they were simulated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from mash.states.referral import Referral, whose

Kind = Literal["count", "per cent", "hours"]


class Ran(NamedTuple):
    """A clock of a case: which kind, whose, when it was due, when it ended, and whether what it waited for had come."""

    kind: str
    whose: str
    due_at: datetime
    ended_at: datetime | None
    met: bool


class Went(NamedTuple):
    """As much of a case as is measured: when it came, how it was rated, when it was decided or ended, and its clocks."""

    received_at: datetime
    rating: str | None
    decided_at: datetime | None
    clocks: tuple[Ran, ...]


@dataclass(frozen=True)
class Measure:
    """One measure, in words and in its unit; held against what happened, or only shown."""

    name: str
    title: str
    kind: Kind
    held: bool = False


CONTACTS = Measure("contacts", "Contacts that came in", "count")
RATED = Measure("rated_in_time", "Rated in time", "per cent", held=True)
RESPONSE = Measure("response_in_time", "Response in the rating's time", "per cent", held=True)
ANSWERS = Measure("answers_in_time", "Agencies’ answers in time", "per cent", held=True)
HALF = Measure("half_decided", "Half are decided within", "hours", held=True)
MOST = Measure("most_decided", "9 in 10 are decided within", "hours")
LEFT = Measure("undecided", "Undecided at the end", "count")
MEASURES = (CONTACTS, RATED, RESPONSE, ANSWERS, HALF, MOST, LEFT)
MEASURED = ("triage", "response", "check")
"""Kinds of clocks that are measured."""


def measure_of(name: str, ratings: dict[str, str], agencies: dict[str, str]) -> Measure:
    """A measure by its name; those of one rating or one agency are called by its title."""
    what, _, whose_ = name.partition(":")
    if not whose_:
        return next(each for each in MEASURES if each.name == name)
    of_rating = what == RESPONSE.name
    title = (ratings if of_rating else agencies).get(whose_, whose_)
    return Measure(name, f"{title}: {'response' if of_rating else 'answers'} in time", "per cent")


def went(referral: Referral) -> Went:
    """A simulated case."""
    decided = referral.decided_at or (None if referral.open else referral.stage_since)
    clocks = (c for c in referral.clocks.values() if c.kind in MEASURED)
    ran = tuple(Ran(c.kind, c.whose, c.due_at, c.ended_at, bool(c.met)) for c in clocks if not c.missed)
    return Went(referral.received_at, referral.rating, decided, ran)


def went_as_stored(state: dict[str, Any]) -> Went:
    """A case as it is stored."""
    ended = all(subject.get("outcome") for subject in state["subjects"].values())
    decided = state.get("decided_at") or (state["stage_since"] if ended else None)
    ran = (_ran(clock) for clock in state["clocks"].values() if clock["kind"] in MEASURED and not clock.get("missed"))
    return Went(moment(state["received_at"]), state.get("rating"), moment(decided) if decided else None, tuple(ran))


def moment(written: str) -> datetime:
    """An instant as it is stored."""
    return datetime.fromisoformat(written)


def _ran(clock: dict[str, Any]) -> Ran:
    ended = clock.get("ended_at")
    return Ran(
        clock["kind"], whose(clock["id"]), moment(clock["due_at"]), moment(ended) if ended else None, bool(clock.get("met"))
    )


def measured(cases: Iterable[Went], begins: datetime, ends: datetime) -> dict[str, float]:
    """The measures of the cases that came in within these weeks, as they stood at their end. What nothing was measured of is left
    out."""
    shares: defaultdict[str, list[bool]] = defaultdict(list)
    took, contacts, left = list[float](), 0, 0
    for case in cases:
        if not begins <= case.received_at < ends:
            continue
        contacts += 1
        if case.decided_at is None or case.decided_at > ends:
            left += 1
        else:
            took.append((case.decided_at - case.received_at).total_seconds() / 3600)
        for clock in case.clocks:
            if _after(clock, case.decided_at):
                continue
            for name in _named(clock, case.rating):
                _share(shares[name], clock, ends)
    found = {name: 100 * sum(kept) / len(kept) for name, kept in shares.items() if kept}
    if took:
        # What is not decided yet is slower than all that is.
        found |= {HALF.name: _within(took, left, 0.5), MOST.name: _within(took, left, 0.9)}
    return {CONTACTS.name: float(contacts), LEFT.name: float(left), **found}


def _after(clock: Ran, decided_at: datetime | None) -> bool:
    """Whether it was decided while a clock still had time, and nobody was waited for: the simulation ends there."""
    return decided_at is not None and clock.due_at > decided_at and (clock.ended_at is None or clock.ended_at > decided_at)


def _named(clock: Ran, rating: str | None) -> tuple[str, ...]:
    if clock.kind == "triage":
        return (RATED.name,)
    if clock.kind == "response":
        return (RESPONSE.name, f"{RESPONSE.name}:{rating}") if rating else (RESPONSE.name,)
    return (ANSWERS.name, f"{ANSWERS.name}:{clock.whose}")


def _share(kept: list[bool], clock: Ran, ends: datetime) -> None:
    """What was in time, and what was not, by the end of these weeks; what still had time then, or was not needed, is neither."""
    if clock.ended_at is not None and clock.ended_at <= min(ends, clock.due_at):
        if clock.met:
            kept.append(True)
    elif clock.due_at <= ends:
        kept.append(clock.met and clock.ended_at is not None and clock.ended_at <= clock.due_at)


def _within(took: list[float], left: int, part: float) -> float:
    """Within how many hours such a part is decided; the longest there was, where less than that is."""
    return sorted(took)[min(len(took) - 1, int(part * (len(took) + left)))]
