"""A log decided again: the commands that caused its events are rebuilt from them, and have to lead to the same events."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any

from mash.states.acts.contact import ContinuedFrom
from mash.states.acts.information import InformationReleased
from mash.states.acts.known import SubjectIdentified
from mash.states.acts.parting import ReferralSplit
from mash.states.acts.upkeep import NoteAdded
from mash.states.decide import CONTINUED, Decision, continue_split, decide
from mash.states.errors import Refusal
from mash.states.fold import evolve
from mash.states.log import RECORDED, RULES_EDITION, Recorded, chained
from mash.states.messages import Event
from mash.states.profile import Profile
from mash.states.rebuild import REBUILDS, Caused, Rebuilt
from mash.states.referral import Referral
from mash.states.values import Actor

Profiles = Callable[[str], Profile]
"""A profile by its digest. Raises LookupError for one that is not known."""


FOLLOWS = {
    "clocks_started", "clocks_stopped", "clock_moved", "clock_warned", "clock_breached", "clock_escalated",
    "alert_acknowledged", "acknowledgement_ended", "alert_seen", "stage_entered",
}  # fmt: skip
"""Kinds of events of a case's course: they say what followed from an act, rarely what was asked, and are most of a log."""


@dataclass(frozen=True)
class Deed:
    """One act as it stands in a log: all events that one command caused."""

    recorded: Sequence[Recorded]

    @property
    def kind(self) -> str | None:
        """The command's kind; None where it is of a time that did not write it down."""
        return self.recorded[0].act

    @property
    def edition(self) -> int | None:
        """The edition of the rules that decided it."""
        return self.recorded[0].edition

    @property
    def at(self) -> datetime:
        """When it was recorded."""
        return self.recorded[0].at

    @property
    def by(self) -> Actor:
        """Who gave it."""
        return self.recorded[0].by

    @property
    def events(self) -> list[Event]:
        """What it caused, in order."""
        return [each.event for each in self.recorded]


@dataclass(frozen=True)
class Difference:
    """An act that comes out otherwise when it is decided again: its first event, its command, and what is different."""

    reference: str
    sequence: int
    act: str
    what: str

    def __str__(self) -> str:
        return f"{self.reference}: event {self.sequence} ({self.act}): {self.what}"


@dataclass(frozen=True)
class Again:
    """What deciding a log again comes to."""

    decided: int
    """Acts that were decided again."""
    older: int
    """Acts of another edition of the rules, which are counted and not decided again."""
    differences: tuple[Difference, ...]


def deeds(log: Sequence[Recorded]) -> Iterator[Deed]:
    """The acts of a log, in order."""
    begun = 0
    for place in range(1, len(log) + 1):
        if place == len(log) or _begins(log[place], log[place - 1]):
            yield Deed(log[begun:place])
            begun = place


def _begins(recorded: Recorded, before: Recorded) -> bool:
    """Whether an act begins with this event. Before it was written down: when somebody else acts, or at another moment; and
    words for which an act had no place stand behind it, as a note."""
    if recorded.edition is not None:
        return recorded.act is not None
    return (recorded.at, recorded.by) != (before.at, before.by) or isinstance(recorded.event, NoteAdded)


def decide_log_again(reference: str, logs: Mapping[str, Sequence[str]], profiles: Profiles) -> Again:
    """Decide each act of a log again that is of the present edition: it has to lead to the texts that are stored. `logs`: those
    of this log and, for one that a split began, of its parent's, by reference; without that, its beginning is counted as
    older."""
    state, place, decided, older, differences = None, 0, 0, 0, list[Difference]()
    try:
        read = {name: [RECORDED.validate_json(text) for text in texts] for name, texts in logs.items()}
    except ValueError:
        return Again(0, 0, (Difference(reference, 1, "all of it", "its log cannot be read: `mash log verify` says where"),))
    for deed in deeds(read[reference]):
        begun_elsewhere = deed.kind == CONTINUED and _parent(deed) not in logs
        if deed.edition != RULES_EDITION or begun_elsewhere:
            older += 1
        else:
            decided += 1
            stored = logs[reference][place : place + len(deed.recorded)]
            if what := _difference(reference, deed, stored, state, read, profiles):
                differences.append(Difference(reference, deed.recorded[0].sequence, str(deed.kind), what))
        for each in deed.recorded:
            state = evolve(state, each.event, each.at, each.by)
        place += len(deed.recorded)
    return Again(decided, older, tuple(differences))


def _difference(
    reference: str,
    deed: Deed,
    stored: Sequence[str],
    before: Referral | None,
    logs: Mapping[str, Sequence[Recorded]],
    profiles: Profiles,
) -> str:
    """What is different in an act that is decided again; empty where it leads to what is stored, letter by letter."""
    first = deed.recorded[0]
    try:
        rules = profiles(first.profile)
        if deed.kind == CONTINUED:
            decision = _continued_again(deed, logs[_parent(deed)], rules)
        else:
            old = profiles(before.profile) if before and deed.kind == "adopt_profile" else None
            decision = decide_again(reference, deed, before, rules, old)
    except Refusal as refusal:
        return f"it was carried out, and would be refused now ({type(refusal).__name__})"
    except LookupError as unknown:
        return f"it cannot be rebuilt: {unknown}"
    now = [link.canonical for link in chained(reference, decision, deed.by, deed.at, first.previous, first.happened_at)]
    place = next((n for n, (was, is_now) in enumerate(zip_longest(stored, now)) if was != is_now), None)
    if place is None:
        return ""
    kinds = [events[place].kind if place < len(events) else "nothing" for events in (deed.events, decision.events)]
    if kinds[0] != kinds[1]:
        return f"its event {place + 1} was {kinds[0]}, and is {kinds[1]} now"
    return f"its event {place + 1} ({kinds[0]}) says something else now: {', '.join(_fields_apart(stored[place], now[place]))}"


def _fields_apart(was: str, is_now: str) -> list[str]:
    """The names of the fields in which two texts of an event differ, those of the event itself first."""
    apart = list[str]()
    one, other = json.loads(was), json.loads(is_now)
    for old, new in ((one.pop("event"), other.pop("event")), (one, other)):
        apart += sorted(name for name in {**old, **new} if old.get(name) != new.get(name))
    return apart or ["how it is written"]


def decide_again(
    reference: str, deed: Deed, before: Referral | None, profile: Profile, old_rules: Profile | None = None, kind: str = ""
) -> Decision:
    """What the command comes to now that this act is of; `kind`: which it is taken for, where the log does not say. Raises a
    Refusal; LookupError where the command cannot be rebuilt."""
    caused = Caused(reference, before, profile, deed.by, deed.at, tuple(deed.events))
    rebuilt = REBUILDS[kind or deed.kind or ""].of(caused)
    return decide_rebuilt(rebuilt, deed, before, profile, reference, old_rules)


def decide_rebuilt(
    rebuilt: Rebuilt, deed: Deed, before: Referral | None, profile: Profile, reference: str, old_rules: Profile | None = None
) -> Decision:
    """Give a command that was rebuilt, when and by whom it was given, with all that came beside it. Raises a Refusal."""
    came: dict[str, Any] = {name: getattr(rebuilt, name) for name in ("details", "enquiries", "heard", "colleagues")}
    came |= _beside(deed.events) | {"happened_at": deed.recorded[0].happened_at, "old_rules": old_rules}
    return decide(before, rebuilt.command, profile, deed.by, deed.at, reference=reference, **came)  # type: ignore[arg-type]  # one of the union


def _beside(events: Sequence[Event]) -> dict[str, Any]:
    """What came beside any command: the words, of which the first event that has some has its; the redacted version of an item;
    the number of a link."""
    words = next((words for event in events if (words := getattr(event, "words", None))), None)
    redacted = next((event.redacted for event in events if isinstance(event, InformationReleased)), None)
    fresh = next((event.link for event in events if isinstance(event, SubjectIdentified)), "")
    return {"words": words, "redacted": redacted, "fresh": fresh}


def _parent(deed: Deed) -> str:
    first = deed.recorded[0].event
    return first.parent if isinstance(first, ContinuedFrom) else ""


def _continued_again(deed: Deed, parent: Sequence[Recorded], profile: Profile) -> Decision:
    """The beginning of a linked referral, out of its parent's log. What was copied for it stands in its own."""
    begun, reference = deed.recorded[0].event, deed.recorded[0].reference
    state: Referral | None = None
    for each in parent:
        if isinstance(each.event, ReferralSplit) and each.event.reference == reference:
            split, before = each.event, state
        state = evolve(state, each.event, each.at, each.by)
        if isinstance(begun, ContinuedFrom) and each.sequence == begun.parent_sequence:
            break
    else:
        raise LookupError("the log of the case that it was split from is shorter")
    if state is None or before is None:
        raise LookupError("the log of the case that it was split from begins with the split")
    copied = (begun.held, begun.holdings, begun.superseded)
    return continue_split(state, split, before.subjects, profile, deed.by, deed.at, begun.parent, *copied)
