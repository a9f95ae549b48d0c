"""What the log of a case implies of everything that is stored beside it, and where what is stored says otherwise. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row

from mash.flows.store.keys import KeyDestroyed, Keyring, unseal
from mash.flows.store.names import NAMED, people
from mash.flows.store.writes import Item, urgency
from mash.states.acts.closing import PeopleErased
from mash.states.acts.contact import ContinuedFrom
from mash.states.acts.information import GlassBroken, InformationReleased
from mash.states.firewall import AGENCIES_OWN, taking_part
from mash.states.fold import evolve
from mash.states.log import GENESIS, RECORDED, Recorded
from mash.states.profile import Profile
from mash.states.referral import Referral

Profiles = Callable[[str], Profile]
"""A profile by its digest."""
Named = dict[str, Any]
OWN_KINDS = {"check_answered": "answer_check", "information_contributed": "contribute_information"}
"""The events by which an agency puts something beside a case, and the kinds of items that they bring."""
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


def derive(reference: str, log: list[Recorded], profiles: Profiles, above: Callable[[str], tuple[str, str]]) -> Case:
    """A case out of its log. `above` gives root and caller of the case that it was split from."""
    referral: Referral | None = None
    certain, possible = set[str](), set[str]()
    for place, recorded in enumerate(log):
        referral = evolve(referral, recorded.event, recorded.at, recorded.by)
        profile = profiles(recorded.profile)
        parties = taking_part(referral, profile)
        possible |= parties
        following = log[place + 1] if place + 1 < len(log) else None
        # Events of one act have one time and one actor: who takes part is written down after the last of them.
        if following is None or (following.at, following.by) != (recorded.at, recorded.by):
            certain |= parties
    if referral is None:
        raise NotProven("all of its events were removed")
    root, caller = above(referral.parent) if referral.parent else (reference, log[0].by.id)
    return Case(reference, root, caller, log, referral, profile, frozenset(certain), frozenset(possible))


def row_of(case: Case, head: str) -> Named:
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
    }


def differences(case: Case, stored: Stored, keyring: Keyring) -> Iterator[Difference]:
    """Where what is stored of a case says otherwise than its log."""
    yield from _of_row(case, stored)
    yield from _of_events(case, stored)
    yield from _of_parties(case, stored)
    yield from _of_items(case, stored)
    yield from _of_key(case, stored)
    yield from _of_people(case, stored, keyring)


def _of_row(case: Case, stored: Stored) -> Iterator[Difference]:
    implied = row_of(case, stored.events[-1].hash)
    known = {"reference": case.reference}
    if stored.row is None:
        yield Difference("referral", "the referral was gone", {}, {**implied, "shown": 0}, known)
        return
    row = stored.row._mapping
    state = _state(row["state"])
    if (cut := _cut_off(case, row["version"], row["head_hash"], state)) is not None:
        # The row is what is left of what was cut off: it stays, and only what it says of itself is put right.
        yield Difference("referral", cut, {"version": row["version"], "head_hash": row["head_hash"]})
        implied = {} if state is None else _as_stated(state)
    was: Named = {}
    for name, value in implied.items():
        standing = state if name == "state" else row[name]
        if standing != value:
            was[name] = row[name]
    if row["shown"] > row["version"]:
        was["shown"] = row["shown"]
    if was:
        now = {name: implied.get(name, 0) for name in was}
        shown = [_changed(name, was[name], now[name]) for name in was if name != "state"]
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


def _of_events(case: Case, stored: Stored) -> Iterator[Difference]:
    for row, recorded in zip(stored.events, case.log, strict=True):
        said: Named = {"kind": recorded.event.kind, "at": recorded.at, "hub": recorded.by.hub}
        was = {name: row._mapping[name] for name, value in said.items() if row._mapping[name] != value}
        if was:
            sentence = f"event {row.sequence}: " + "; ".join(_changed(name, was[name], said[name]) for name in was)
            yield Difference("event", sentence, was, said, {"sequence": row.sequence})


def _of_parties(case: Case, stored: Stored) -> Iterator[Difference]:
    """Who takes part, and who broke the glass."""
    looking = Counter(
        (recorded.event.agency, recorded.by.id, recorded.event.until)
        for recorded in case.log
        if isinstance(recorded.event, GlassBroken)
    )
    hub, there = case.referral.hub, set[str]()
    for row in stored.parties:
        place: Named = {"id": row.id}
        was = {name: row._mapping[name] for name in ("party", "person", "until", "hub")}
        if row.person == "" and row.until is None and row.party in case.at_times and row.hub == hub:
            there.add(row.party)
        elif looking[row.party, row.person, row.until] > 0 and row.hub == hub:
            looking[row.party, row.person, row.until] -= 1
        else:
            yield Difference("participant", f"{row.person or row.party} took part, of which the log says nothing", was, {}, place)
    for party in sorted(case.parties - there):
        now: Named = {"party": party, "person": "", "until": None, "hub": hub}
        yield Difference("participant", f"{party} took no part any more", {}, now)
    for party, person, until in looking.elements():
        now = {"party": party, "person": person, "until": until, "hub": hub}
        yield Difference("participant", f"{person} had broken the glass, and it was gone", {}, now)


def _of_items(case: Case, stored: Stored) -> Iterator[Difference]:
    """Whose each item is, and what others may read of it. What is in it is proven by the digest in its event."""
    implied = _items(case)
    for row in stored.items:
        item, columns = str(row.id), row._mapping
        if item not in implied:
            yield Difference("personal_item", f"an item ({row.kind}) stands there that no event speaks of", {"id": item})
            continue
        said = implied[item]
        was = {name: columns[name] for name, value in said.items() if columns[name] != value}
        kind = columns["kind"]
        if "kind" not in said and kind in (*AGENCIES_OWN, "redacted"):
            yield Difference("personal_item", f"an item is taken for what an agency holds ({kind})", {"kind": kind})
        elif said.get("kind") in AGENCIES_OWN and kind in AGENCIES_OWN and isinstance(case.log[0].event, ContinuedFrom):
            was.pop("kind", None)  # of a copy the log does not say which of the two it was
        if was:
            sentence = f"item {item[:8]}: " + "; ".join(_changed(name, was[name], said[name]) for name in was)
            yield Difference("personal_item", sentence, was, {name: said[name] for name in was}, {"id": UUID(item)})


def _items(case: Case) -> dict[str, Named]:
    """What the log says of each item that it speaks of."""
    implied: dict[str, Named] = {}
    for recorded in case.log:
        event, by = recorded.event, recorded.by
        whose: Named = {"owner_agency": by.agency, "created_by": by.id, "created_at": recorded.at}
        for words in getattr(event, "held", ()):
            # Copies of a split are as old, and whose, as what they are copies of.
            implied[words.item] = {} if isinstance(event, ContinuedFrom) else dict(whose)
        if (words := getattr(event, "words", None)) is not None:
            own = OWN_KINDS.get(event.kind)
            implied[words.item] = {**whose, **({"kind": own} if own else {})}
        if isinstance(event, InformationReleased) and event.redacted:
            implied[event.redacted.item] = {**whose, "kind": "redacted"}
    released = set[str]()
    for held in case.referral.held.values():
        sensitive = "sensitive" if held.sensitive else "not_sensitive"
        known = implied.setdefault(held.item, {"kind": AGENCIES_OWN[0]})
        known |= {"owner_agency": held.agency, "sensitivity": sensitive}
        known.setdefault("kind", AGENCIES_OWN[0])
        if held.redacted:
            implied.setdefault(held.redacted, {})["kind"] = "redacted"
        if held.released:
            released.add(held.redacted or held.item)
    return {
        item: {**said, "release_state": "released" if item in released else "held", "hub": case.referral.hub}
        for item, said in implied.items()
    }


def _of_key(case: Case, stored: Stored) -> Iterator[Difference]:
    key, erased = stored.key, next((r.at for r in case.log if isinstance(r.event, PeopleErased)), None)
    if key is None:
        yield Difference("referral_key", "its key was removed: its people cannot be read", {})
        return
    if erased is None and key.wrapped is None:
        yield Difference("referral_key", "its key is gone, though nobody erased it", {"destroyed_at": key.destroyed_at})
    if erased is not None and key.wrapped is not None:
        gone = {"wrapped": None, "master": None, "destroyed_at": erased}
        yield Difference("referral_key", "its people were erased, and their key was there again", {}, gone)
    if key.hub != case.referral.hub:
        yield Difference(
            "referral_key", _changed("hub", key.hub, case.referral.hub), {"hub": key.hub}, {"hub": case.referral.hub}
        )


def _of_people(case: Case, stored: Stored, keyring: Keyring) -> Iterator[Difference]:
    """By what its people are found."""
    if stored.key is not None and stored.key.master is None and not stored.people:
        return  # of before people could be found by name, when no key said which one wrapped it
    standing = Counter(_person(dict(row._mapping)) for row in stored.people)
    implied: Counter[tuple[Any, ...]] = Counter()
    if not case.referral.erased:
        try:
            cipher = AESGCM(keyring.unwrap(stored.key.wrapped if stored.key else None, case.reference))
            named = [
                Item(row.kind, unseal(cipher, row.sealed, case.reference), row.subject)
                for row in stored.items
                if row.kind in NAMED
            ]
        except KeyDestroyed:
            return  # that is said of the key, or of the words
        implied = Counter(_person(row) for row in people(keyring.search, case.reference, case.referral.hub, named))
    if standing != implied:
        wrong = sum(((standing - implied) + (implied - standing)).values())
        rows = [{"hub": hub, "subject": s, "born": b, "tokens": list(t)} for hub, s, b, t in implied.elements()]
        yield Difference("known_person", f"{wrong} of its people are found by what they are not called", {}, {"rows": rows})


def _person(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["hub"], row["subject"], row["born"], tuple(sorted(row["tokens"]))


def _changed(name: str, was: object, now: object) -> str:
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
