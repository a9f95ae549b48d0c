"""What the log of a case says that it is, and where the row that boards and clocks read says otherwise. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from mash.flows.store.edition import EDITION, FOLDED
from mash.flows.store.writes import urgency
from mash.states.firewall import taking_part
from mash.states.fold import evolve
from mash.states.log import GENESIS, RECORDED, Recorded
from mash.states.profile import Profile
from mash.states.referral import Referral

Profiles = Callable[[str], Profile]
"""A profile by its digest."""
Named = dict[str, Any]
MOST_SHOWN = 80
"""Letters of a value that a sentence about it shows."""


class NotProven(Exception):
    """A log does not prove itself: nothing may be derived from it. Says which event, and what is wrong."""


@dataclass(frozen=True)
class Stored:
    """All that is stored of one case, as it was at one moment."""

    reference: str
    row: Row[Any] | None
    events: Sequence[Row[Any]]
    parties: Sequence[Row[Any]] = ()
    items: Sequence[Row[Any]] = ()
    people: Sequence[Row[Any]] = ()
    key: Row[Any] | None = None
    alerts: Sequence[Row[Any]] = ()
    """The notices that ask for an acknowledgement, each with whether a try to deliver it was ever recorded (`tried`)."""
    identities: Sequence[Row[Any]] = ()
    all_anew: bool = True
    """Whether the states of all cases were made by today's rules: until then, one of an older edition is no contradiction."""


@dataclass(frozen=True)
class Difference:
    """What is stored in one place and not what the log says; how it is put back, where the log says enough for that."""

    table: str
    sentence: str
    was: Named
    """What stands there, by column."""
    now: Named | None = None
    """What is to stand there, by column; None where a person has to see to it."""
    row: Named = field(default_factory=dict)
    """By what the row is known."""


@dataclass(frozen=True)
class Case:
    """A case as its log says it is, with what the log implies beside it."""

    reference: str
    root: str
    caller: str
    log: list[Recorded]
    states: list[Referral]
    """What it was after each event."""
    referral: Referral
    profile: Profile
    parties: frozenset[str]
    """Who takes part for certain."""
    at_times: frozenset[str]
    """Who may have come to take part within an act, too."""

    @property
    def urgent(self) -> bool:
        """Whether it is in immediate danger, or rated as urgently as its hub rates, and not finished."""
        return not self.referral.finished and (self.referral.immediate_danger or self.profile.place(self.referral.rating) == 0)


def read_chain(reference: str, events: Sequence[Row[Any]]) -> list[Recorded]:
    """The events of a log that proves itself, in order. Raises NotProven."""
    previous, log = GENESIS, list[Recorded]()
    for expected, row in enumerate(events, 1):
        if row.sequence != expected:
            raise NotProven(f"event {expected} was removed")
        if Recorded.digest(row.canonical) != row.hash:
            raise NotProven(f"event {row.sequence} was changed")
        try:
            recorded = RECORDED.validate_json(row.canonical)
        except ValueError:
            raise NotProven(f"event {row.sequence} cannot be read") from None
        if (recorded.previous, recorded.sequence, recorded.reference) != (previous, row.sequence, reference):
            raise NotProven(f"event {row.sequence} does not follow the one before it: inserted, or one was exchanged")
        log.append(recorded)
        previous = row.hash
    return log


def derive(reference: str, log: list[Recorded], profiles: Profiles, origin: tuple[str, str] | None) -> Case:
    """A case out of its log. `origin`: root and caller of the case that it was split from, where it was."""
    referral: Referral | None = None
    certain, possible, states = set[str](), set[str](), list[Referral]()
    for place, recorded in enumerate(log):
        referral = evolve(referral, recorded.event, recorded.at, recorded.by)
        states.append(referral)
        profile = profiles(recorded.profile)
        parties = taking_part(referral, profile)
        possible |= parties
        following = log[place + 1] if place + 1 < len(log) else None
        # Events of one act have one time and one actor: who takes part is written down after the last of them.
        if following is None or (following.at, following.by) != (recorded.at, recorded.by):
            certain |= parties
    if referral is None:
        raise NotProven("all of its events were removed")
    root, caller = origin or (reference, log[0].by.id)
    return Case(reference, root, caller, log, states, referral, profile, frozenset(certain), frozenset(possible))


def _row_of(case: Case, head: str) -> Named:
    """The columns of `referral` that its log implies: all but how far its flow run has come."""
    referral = case.referral
    return {
        "root": case.root,
        "hub": referral.hub,
        "caller": case.caller,
        "version": referral.version,
        "head_hash": head,
        "state": referral,
        "stage": referral.stage,
        "rating": referral.rating,
        "is_open": referral.open,
        "finished": referral.finished,
        "received_at": referral.received_at,
        "due_at": referral.due_at,
        "next_at": referral.next_at,
        "urgency": urgency(referral, case.profile),
        "made": EDITION,
    }


def of_row(case: Case, stored: Stored) -> Iterator[Difference]:
    """What the board and the clocks read."""
    implied = _row_of(case, stored.events[-1].hash)
    known = {"reference": case.reference}
    if stored.row is None:
        yield Difference("referral", "the referral was gone", {}, {**implied, "shown": 0, "told": 0}, known)
        return
    row = stored.row._mapping
    state = _state(row["state"])
    if row["made"] < EDITION and not stored.all_anew:
        implied = {name: value for name, value in implied.items() if name not in (*FOLDED, "made")}
        state = case.referral
    if (cut := _cut_off(case, row["version"], row["head_hash"], state)) is not None:
        # The row is what is left of what was cut off: it stays, and only what it says of itself is put right.
        yield Difference("referral", cut, {"version": row["version"], "head_hash": row["head_hash"]})
        implied = {} if state is None else _as_stated(state)
    was: Named = {}
    for name, value in implied.items():
        standing = state if name == "state" else row[name]
        if standing != value:
            was[name] = row[name]
    was |= {name: row[name] for name in ("shown", "told") if row[name] > row["version"]}
    if was:
        now = {name: implied.get(name, 0) for name in was}
        shown = [changed(name, was[name], now[name]) for name in was if name != "state"]
        if state != case.referral and "state" in was:
            shown.append(f"the state ({_fields(state, case.referral)})")
        yield Difference("referral", "; ".join(shown), was, now, known)


def _state(document: str) -> Referral | None:
    try:
        return Referral.model_validate_json(document)
    except ValueError:
        return None


def _cut_off(case: Case, version: int, head: str, state: Referral | None) -> str | None:
    """What is wrong with a log that ends elsewhere than its row says; None where it ends there, or the row contradicts itself."""
    length = len(case.log)
    if state is None or state.version != version:
        return None
    if version > length:
        return f"the log was cut off after event {length}; it had {version}"
    if version < length:
        return f"event {version + 1} was inserted at the end"
    if state != case.referral and head != Recorded.digest(case.log[-1].canonical()):
        return "the last event is not the one that was recorded"
    return None


def _as_stated(state: Referral) -> Named:
    """The columns that repeat what the stored state says."""
    names = ("stage", "rating", "finished", "due_at", "next_at", "hub", "received_at")
    return {**{name: getattr(state, name) for name in names}, "is_open": state.open}


def changed(name: str, was: object, now: object) -> str:
    """What stood there, and what the log says."""
    return f"{name} was {_shown(was)}, and the log says {_shown(now)}"


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return "nothing" if value is None else str(value)[:MOST_SHOWN]


def _fields(was: Referral | None, now: Referral) -> str:
    """In what two states differ, by field."""
    if was is None:
        return "unreadable"
    return ", ".join(name for name in Referral.model_fields if getattr(was, name) != getattr(now, name))
