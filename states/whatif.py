"""What other rules would have made of what was done: how much would have been late by other limits, and the first act for which
another hub has no place. The acts are those of the log, at their times; nobody would have acted just so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from mash.states.acts.alerts import FireClocks
from mash.states.acts.parting import ReferralSplit
from mash.states.again import FOLLOWS, Deed, decide_again, deeds
from mash.states.decide import CONTINUED, Decision, continue_split, decide
from mash.states.errors import Refusal
from mash.states.log import RECORDED, Recorded
from mash.states.profile import Profile
from mash.states.rebuild import REBUILDS
from mash.states.referral import Clock, Referral, verdict_of, whose
from mash.states.register import kind_of
from mash.states.values import SYSTEM
from mash.states.world import system

Instead = Callable[[str], Profile]
"""By which profile a case is reckoned that went by the one of this digest."""
Family = Mapping[str, Sequence[Recorded]]
"""The logs of one contact: its own, and those of the parts that it was split into."""
FIRED = kind_of(FireClocks)
OF_ALERTS = ("acknowledge_alert", "pass_alert_on", "see_alert", "say_presence")
"""What answers clocks that spoke: by other limits others speak, at other times. It changes neither a limit nor the path."""
ADOPTED = "adopt_profile"
COME_BACK = ("step_down_offered", "transfer_offered")
"""Stages out of which a case goes by itself, where nobody has accepted in time."""
BEYOND_RULES = "what is in the log cannot be given again"
"""Why a contact cannot be reckoned where no rule refuses: its log says too little."""
NOT_BEGUN = "the part that it was split from is not there"
"""Why a part cannot be reckoned of which the split has not come about."""


class Whose(NamedTuple):
    """A limit, and whose it was: an agency's, or a role's."""

    clock: str
    who: str


@dataclass
class Tally:
    """How many clocks of a limit there were, and how many of them were late."""

    clocks: int = 0
    late: int = 0


@dataclass(frozen=True)
class Stop:
    """Where a contact could not be taken further: the act, and why it would not have been possible."""

    act: str
    why: str


@dataclass
class Played:
    """What a family of logs comes to under other rules."""

    states: dict[str, Referral] = field(default_factory=dict)
    went_by: dict[str, str] = field(default_factory=dict)
    """The digest of the profile that each case goes by."""
    stopped: Stop | None = None
    stopped_at: datetime | None = None

    def stop(self, deed: Deed, why: str) -> Played:
        """It is taken no further than this act."""
        self.stopped, self.stopped_at = Stop(_named(deed), why), deed.at
        return self


@dataclass
class Limits:
    """Re-reckoned contacts: what was late, and what would have been; those that could not be reckoned, by the act at which.

    What stops a contact is often a limit that ran out, so these are not left out by chance: what was late in them, and would have
    been, is counted apart up to the act at which they stopped."""

    contacts: int = 0
    was: dict[Whose, Tally] = field(default_factory=dict)
    would: dict[Whose, Tally] = field(default_factory=dict)
    contacts_late: int = 0
    contacts_would_be_late: int = 0
    not_reckoned: Counter[Stop] = field(default_factory=Counter)
    late_by_then: Counter[Stop] = field(default_factory=Counter)
    """Of those that were not reckoned: in how many something would have been late by the act at which they stopped."""
    was_by_then: Counter[Whose] = field(default_factory=Counter)
    would_by_then: Counter[Whose] = field(default_factory=Counter)
    unset: int = 0
    """Contacts that went by a profile which has no such limit, and are reckoned by it as it is."""

    def add(self, other: Limits) -> None:
        """Count what was reckoned elsewhere too."""
        self.contacts += other.contacts
        self.contacts_late += other.contacts_late
        self.contacts_would_be_late += other.contacts_would_be_late
        self.not_reckoned += other.not_reckoned
        self.late_by_then += other.late_by_then
        self.was_by_then += other.was_by_then
        self.would_by_then += other.would_by_then
        self.unset += other.unset
        for mine, theirs in ((self.was, other.was), (self.would, other.would)):
            for key, tally in theirs.items():
                own = mine.setdefault(key, Tally())
                own.clocks, own.late = own.clocks + tally.clocks, own.late + tally.late


@dataclass
class Coverage:
    """How many contacts another profile has a place for as they were dealt with, and at which act it first has none."""

    contacts: int = 0
    whole: int = 0
    first: Counter[Stop] = field(default_factory=Counter)

    def add(self, other: Coverage) -> None:
        """Count what was covered elsewhere too."""
        self.contacts, self.whole = self.contacts + other.contacts, self.whole + other.whole
        self.first += other.first


def reckon(family: Family, were: Mapping[str, Iterable[Clock]], instead: Instead, until: datetime, limits: Limits) -> None:
    """Count one contact: `were` are its clocks as they ran, by reference; `until` is the moment up to which a clock that runs on
    counts. A contact that cannot be taken to its end is in no count but those of what was not reckoned."""
    limits.contacts += 1
    played = play(family, instead, until)
    if played.stopped and played.stopped_at:
        limits.not_reckoned[played.stopped] += 1
        limits.was_by_then += _late_by(were.values(), played.stopped_at)
        would_by_then = _late_by((state.clocks.values() for state in played.states.values()), played.stopped_at)
        limits.would_by_then += would_by_then
        limits.late_by_then[played.stopped] += bool(would_by_then)
        return
    was = _count(limits.was, (clock for clocks in were.values() for clock in clocks), until)
    would = _count(limits.would, (clock for state in played.states.values() for clock in state.clocks.values()), until)
    limits.contacts_late += was
    limits.contacts_would_be_late += would


def cover(family: Family, profile: Profile, until: datetime, coverage: Coverage) -> None:
    """Count one contact under another hub's profile: whether it has a place for all that was done, or where it first has none."""
    coverage.contacts += 1
    played = play(family, lambda digest: profile, until, adopts=False)
    if played.stopped:
        coverage.first[played.stopped] += 1
    else:
        coverage.whole += 1


def is_late(clock: Clock, until: datetime) -> bool:
    """Whether a clock ran out before what it waited for; one that still runs, by this moment."""
    if clock.missed:
        return True
    verdict = verdict_of(clock.due_at, clock.breached_at, clock.ended_at, clock.met)
    return verdict == "missed" or (verdict == "running" and clock.due_at <= until)


def _whose(clock: Clock) -> Whose:
    return Whose(clock.kind, whose(clock.id) if clock.kind == "check" else clock.owner)


def _late_by(cases: Iterable[Iterable[Clock]], then: datetime) -> Counter[Whose]:
    """The clocks that had run out by then, before what they waited for."""
    clocks = (clock for case in cases for clock in case)
    return Counter(_whose(clock) for clock in clocks if min((*clock.missed, clock.due_at)) <= then and is_late(clock, then))


def _count(tallies: dict[Whose, Tally], clocks: Iterable[Clock], until: datetime) -> bool:
    """Add these clocks; whether any of them was late."""
    some = False
    for clock in clocks:
        tally = tallies.setdefault(_whose(clock), Tally())
        late = is_late(clock, until)
        tally.clocks, tally.late, some = tally.clocks + 1, tally.late + late, some or late
    return some


def without_reminders(profile: Profile) -> Profile:
    """The same rules, by which nobody is reminded: reminders change no limit, and reckoning them costs a tenth of all."""
    return Profile.model_validate(profile.model_dump() | {"warn_at": (), "chase_at": ()})


# --- reading ----------------------------------------------------------------------------------------------------------

_ACT = '"act":"'


def acts_of(rows: Iterable[tuple[str, str]]) -> list[Recorded]:
    """As much of a log as its acts are rebuilt from: of each event its kind and its stored text, in order."""
    kept, leave_out = list[Recorded](), False
    for kind, canonical in rows:
        begins = canonical.find(_ACT)
        if begins >= 0:
            act = canonical[begins + len(_ACT) : canonical.index('"', begins + len(_ACT))]
            leave_out = act == FIRED or act in OF_ALERTS
        if not leave_out and (begins >= 0 or kind not in FOLLOWS):
            kept.append(RECORDED.validate_json(canonical))
    return kept


# --- playing ----------------------------------------------------------------------------------------------------------


def play(family: Family, instead: Instead, until: datetime, *, adopts: bool = True) -> Played:
    """The acts of these logs at their times, by other rules, up to the first one that these refuse. `adopts`: whether a case
    that adopted another version of its profile does so here too."""
    played = Played()
    for reference in sorted(family, key=lambda name: (len(name), name)):
        for deed in deeds(family[reference]):
            if deed.kind in OF_ALERTS or deed.kind == FIRED or (deed.kind == ADOPTED and not adopts):
                continue
            if deed.kind == CONTINUED and reference not in played.states:
                return played.stop(deed, NOT_BEGUN)
            try:
                _play_one(played, reference, deed, instead)
            except Refusal as refusal:
                return played.stop(deed, type(refusal).title)
            except LookupError:
                return played.stop(deed, BEYOND_RULES)
    last = {reference: instead(log[-1].profile) for reference, log in family.items()}
    played.states = {ref: _let_run(ref, state, last[ref], until) for ref, state in played.states.items() if ref in last}
    return played


def _play_one(played: Played, reference: str, deed: Deed, instead: Instead) -> None:
    """One act: time passes up to it by the rules that the case went by until then, and it is decided by its own. Raises a
    Refusal, or LookupError."""
    digest = deed.recorded[-1].profile
    profile, old = instead(digest), instead(played.went_by.get(reference, digest))
    played.went_by[reference] = digest
    if deed.kind == CONTINUED:
        return
    before = played.states.get(reference)
    if before is not None:
        before = played.states[reference] = _let_run(reference, before, old, deed.at)
    decision = _decided(reference, deed, before, profile, old)
    if decision is not None and decision.events:
        played.states[reference] = decision.after
        _begin_parts(played, reference, before, decision, deed, profile)


def _named(deed: Deed) -> str:
    return deed.kind or next(iter(_candidates(deed)), deed.events[0].kind)


def _decided(reference: str, deed: Deed, before: Referral | None, profile: Profile, old: Profile) -> Decision | None:
    """What an act comes to; None for one that only clocks caused. `old` are the rules that an adoption leaves. Of an older log it
    is the first of the acts that may have caused such events which is possible."""
    if deed.kind:
        return decide_again(reference, deed, before, profile, old if deed.kind == ADOPTED else None)
    refused: Exception | None = None
    if deed.by.role == SYSTEM and FIRED in _candidates(deed):
        return None
    for kind in _candidates(deed):
        if kind in OF_ALERTS or kind == FIRED:
            return None
        try:
            return decide_again(reference, deed, before, profile, old if kind == ADOPTED else None, kind)
        except (Refusal, LookupError) as refusal:
            refused = refused or refusal
    raise refused or LookupError("no command leaves such events")


def _candidates(deed: Deed) -> Iterator[str]:
    """The commands that leave such events, in the order of these."""
    for event in deed.events:
        yield from (kind for kind, rebuild in REBUILDS.items() if isinstance(event, rebuild.events))


def _begin_parts(
    played: Played, reference: str, before: Referral | None, decision: Decision, deed: Deed, profile: Profile
) -> None:
    """The linked referrals that an act begins, as far as deciding goes: what was copied for them changes no limit."""
    for number, event in enumerate(decision.events):
        if isinstance(event, ReferralSplit) and before is not None:
            parted = decision.states[number - 1] if number else before
            holdings = tuple(parted.held.values())
            begun = continue_split(
                decision.after, event, parted.subjects, profile, deed.by, deed.at, reference, (), holdings, parted.superseded
            )
            played.states[event.reference] = begun.after


def _let_run(reference: str, referral: Referral, profile: Profile, until: datetime) -> Referral:
    """Time passes: clocks run out, and what nobody accepted in time comes back. Reminders and the ladder change no limit, and are
    left out."""
    while referral.stage in COME_BACK and (at := _comes_back_at(referral)) and at <= until:
        decision = decide(referral, FireClocks(), profile, system(profile), at, reference=reference)
        if not decision.events:
            break
        referral = decision.after
    late = {
        cid: clock.model_copy(update={"breached_at": clock.due_at})
        for cid, clock in referral.clocks.items()
        if clock.ended_at is None and clock.breached_at is None and clock.due_at <= until
    }
    return referral.model_copy(update={"clocks": {**referral.clocks, **late}}) if late else referral


def _comes_back_at(referral: Referral) -> datetime | None:
    """When the clock next speaks by which a case comes back."""
    kinds = ("step_down_offered",) if referral.stage == "step_down_offered" else ("hand_over",)
    return min((clock.next_at for clock in referral.running if clock.kind in kinds and clock.next_at), default=None)
