"""Playing a hub's contacts by other rules, in a process that does nothing else: it imports rules and states, and no database."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from pydantic import TypeAdapter

from mash.config.instead import instead_of
from mash.config.profile import stored_profile
from mash.config.toml_lines import WrongFile
from mash.states.log import Recorded
from mash.states.profile import Profile
from mash.states.referral import Clock
from mash.states.whatif import Coverage, Limits, Stop, acts_of, cover, reckon, without_reminders

NICE = 10
"""How far behind everything else they stand: a referral that comes in meanwhile waits for none of them."""
UNREADABLE = Stop("", "an event of its log, or its clocks, cannot be read: `mash log verify` says which")
_CLOCKS = TypeAdapter(dict[str, Clock])


class Case(NamedTuple):
    """A case as it is stored: its reference, its contact's, the clocks of its state, and the events that say what was done."""

    reference: str
    root: str
    clocks: str
    events: list[tuple[str, str]]


@dataclass(frozen=True)
class Rules:
    """By which rules is reckoned, up to when: by `other`, a profile as it is stored; or with `settings` in place of the same
    ones in `profiles`, those that the hub's cases went by, as they are stored, by digest."""

    until: datetime
    other: str = ""
    settings: tuple[str, ...] = ()
    profiles: Mapping[str, str] = field(default_factory=dict)


class _Playing:
    """What a process that plays goes by."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._other = without_reminders(stored_profile(rules.other)) if rules.other else None
        self._by_digest = dict[str, Profile]()
        self._unset = set[str]()

    def instead(self, digest: str) -> Profile:
        """By which profile is reckoned what went by the one of this digest. Raises LookupError for one that is not stored."""
        if self._other:
            return self._other
        if digest not in self._by_digest:
            profile = stored_profile(self.rules.profiles[digest])
            try:
                profile = instead_of(profile, self.rules.settings)
            except WrongFile:  # an earlier one has no such rating or agency, or allows no such value
                self._unset.add(digest)
            self._by_digest[digest] = without_reminders(profile)
        return self._by_digest[digest]

    def unset(self, digests: Iterable[str]) -> bool:
        """Whether one of these profiles has no such limit, and is gone by as it is."""
        return not self._unset.isdisjoint(digests)


_playing: list[_Playing] = []


def begin(rules: Rules) -> None:
    """A process that plays reads its rules once. What it makes is short-lived: looking for cycles in it costs a tenth of all."""
    os.nice(NICE)
    _playing.append(_Playing(rules))
    gc.freeze()
    gc.set_threshold(500_000)


def reckon_some(cases: list[Case]) -> Limits:
    """What some contacts come to by other limits. One of which something cannot be read is not reckoned."""
    (playing,), whole = _playing, Limits()
    for family in _families(cases):
        limits = Limits()
        try:
            logs, were = _logs(family), {case.reference: _CLOCKS.validate_json(case.clocks).values() for case in family}
            reckon(logs, were, playing.instead, playing.rules.until, limits)
            limits.unset += playing.unset(each.profile for log in logs.values() for each in log)
        except ValueError:
            limits = Limits(contacts=1, not_reckoned=Counter([UNREADABLE]))
        whole.add(limits)
    return whole


def cover_some(cases: list[Case]) -> Coverage:
    """How many of some contacts another profile has a place for. One of which something cannot be read is not covered."""
    (playing,), whole = _playing, Coverage()
    for family in _families(cases):
        coverage = Coverage()
        try:
            cover(_logs(family), playing.instead(""), playing.rules.until, coverage)
        except ValueError:
            coverage = Coverage(contacts=1, first=Counter([UNREADABLE]))
        whole.add(coverage)
    return whole


def _families(cases: Iterable[Case]) -> list[list[Case]]:
    return [list(family) for _, family in groupby(cases, key=lambda case: case.root)]


def _logs(family: Iterable[Case]) -> dict[str, list[Recorded]]:
    return {case.reference: acts_of(case.events) for case in family}
