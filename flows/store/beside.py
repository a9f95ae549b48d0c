"""What stands beside a case: who takes part, whose each item is, its key, by what its people are found, and its alerts; and where
that says otherwise than the case's log. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mash.flows.store.derived import Case, Difference, Named, Stored, changed, of_row
from mash.flows.store.identities import bound_to, number_of
from mash.flows.store.keys import KeyDestroyed, Keyring, unseal
from mash.flows.store.names import NAMED, people
from mash.flows.store.tables import PEOPLE
from mash.flows.store.writes import Item, queued
from mash.notifications.notices import notices_for
from mash.states.acts.birth import BirthRecorded
from mash.states.acts.child_voice import ChildVoiceRecorded
from mash.states.acts.closing import PeopleErased
from mash.states.acts.contact import ContinuedFrom
from mash.states.acts.corrections import DetailsCorrected, ReferrerCorrected, SubjectAdded
from mash.states.acts.information import GlassBroken, InformationReleased
from mash.states.course import ClockEscalated
from mash.states.firewall import AGENCIES_OWN

OWN_KINDS = {
    "check_answered": "answer_check",
    "information_contributed": "contribute_information",
    "child_voice_recorded": "contribute_information",
    "earlier_contact_shared": "contribute_information",
}
"""The events by which an agency puts something beside a case, and the kinds of items that they bring."""

_FOUND_BY = sorted({*PEOPLE.c.keys()} - {"id", "reference"})


def differences(case: Case, stored: Stored, keyring: Keyring) -> Iterator[Difference]:
    """Where what is stored of a case says otherwise than its log."""
    yield from of_row(case, stored)
    yield from _of_events(case, stored)
    yield from _of_parties(case, stored)
    yield from _of_items(case, stored)
    yield from _of_key(case, stored)
    yield from _of_people(case, stored, keyring)
    yield from _of_identities(case, stored, keyring)
    yield from _of_alerts(case, stored)


def _of_events(case: Case, stored: Stored) -> Iterator[Difference]:
    for row, recorded in zip(stored.events, case.log, strict=True):
        stated: Named = {"kind": recorded.event.kind, "at": recorded.at, "hub": recorded.by.hub}
        was = {name: row._mapping[name] for name, value in stated.items() if row._mapping[name] != value}
        if was:
            sentence = f"event {row.sequence}: " + "; ".join(changed(name, was[name], stated[name]) for name in was)
            yield Difference("event", sentence, was, stated, {"sequence": row.sequence})


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
        stated = implied[item]
        was = {name: columns[name] for name, value in stated.items() if columns[name] != value}
        kind = columns["kind"]
        if "kind" not in stated and kind in (*AGENCIES_OWN, "redacted"):
            yield Difference("personal_item", f"an item is taken for what an agency holds ({kind})", {"kind": kind})
        elif stated.get("kind") in AGENCIES_OWN and kind in AGENCIES_OWN and isinstance(case.log[0].event, ContinuedFrom):
            was.pop("kind", None)  # of a copy the log does not say which of the two it was
        if was:
            sentence = f"item {item[:8]}: " + "; ".join(changed(name, was[name], stated[name]) for name in was)
            yield Difference("personal_item", sentence, was, {name: stated[name] for name in was}, {"id": UUID(item)})


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
            if isinstance(event, ChildVoiceRecorded):
                implied[words.item]["subject"] = event.subject
        if isinstance(event, DetailsCorrected | ReferrerCorrected | SubjectAdded | BirthRecorded):
            implied[event.details.item] = {**whose, "kind": _kind_of(event), "subject": getattr(event, "subject", None)}
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
        item: {**stated, "release_state": "released" if item in released else "held", "hub": case.referral.hub}
        for item, stated in implied.items()
    }


def _kind_of(event: DetailsCorrected | ReferrerCorrected | SubjectAdded | BirthRecorded) -> str:
    """The kind of the item that came with a correction."""
    if isinstance(event, ReferrerCorrected):
        return "referrer"
    return "subject" if event.subject is not None else "household"


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
        yield Difference("referral_key", changed("hub", key.hub, case.referral.hub), {"hub": key.hub}, {"hub": case.referral.hub})


def _of_people(case: Case, stored: Stored, keyring: Keyring) -> Iterator[Difference]:
    """By what its people are found."""
    if stored.key is not None and stored.key.master is None and not stored.people:
        return  # of before people could be found by name, when no key stated which one wrapped it
    standing = Counter(_person(dict(row._mapping)) for row in stored.people)
    implied: Counter[tuple[Any, ...]] = Counter()
    if not case.referral.erased:
        try:
            cipher = AESGCM(keyring.unwrap(stored.key.wrapped if stored.key else None, case.reference))
            named = [
                Item(row.kind, unseal(cipher, row.sealed, case.reference), row.subject)
                for row in stored.items
                if row.kind in NAMED and case.referral.stands(str(row.id), row.subject)
            ]
        except KeyDestroyed:
            return  # that is stated of the key, or of the words
        made = people(keyring.search, case.reference, case.referral.hub, named)
        implied = Counter(_person(row) for row in made)
        if _of_before([dict(row._mapping) for row in stored.people], made):
            return
    if standing != implied:
        wrong = sum(((standing - implied) + (implied - standing)).values())
        rows = [dict(row) for row in implied.elements()]
        yield Difference("known_person", f"{wrong} of its people are found by what they are not called", {}, {"rows": rows})


def _of_identities(case: Case, stored: Stored, keyring: Keyring) -> Iterator[Difference]:
    """Which child each subject was confirmed to be: by the link in the log, and the id that is sealed with it."""
    links = {link: subject for subject, link in case.referral.identities.items()}
    for row in stored.identities:
        place: Named = {"link": row.link}
        if links.pop(row.link, None) != row.subject or row.hub != case.referral.hub:
            yield Difference("identity", f"{row.subject} was joined to a child, of which the log says nothing", place, {}, place)
            continue
        try:
            cipher = AESGCM(keyring.unwrap(stored.key.wrapped if stored.key else None, case.reference))
            child = unseal(cipher, row.sealed, bound_to(case.reference, row.link)).decode()
        except KeyDestroyed:
            yield Difference("identity", f"the child whom {row.subject} was joined to cannot be read", place)
            continue
        if (right := number_of(keyring.search, child)) != row.child:
            yield Difference("identity", f"{row.subject} was joined to another child", place, {"child": right}, place)
    for link, subject in links.items():
        sentence = f"what joins {subject} to a child is gone: confirm it anew, or take it back"
        yield Difference("identity", sentence, {"link": link})


def _of_before(standing: list[Named], made: list[Named]) -> bool:
    """Whether rows are as they were made before people were known again by more than their names: by some of today's numbers."""
    left = [row for row in made if row["tokens"]]  # whoever has a number and no name was not found before
    if len(standing) != len(left) or any(row["keys"] for row in standing):
        return False
    for row in standing:
        its = ("hub", "subject", "born")
        same = (each for each in left if all(each[n] == row[n] for n in its) and {*row["tokens"]} <= {*each["tokens"]})
        if (found := next(same, None)) is None:
            return False
        left.remove(found)
    return True


def _person(row: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """By what a person is found, apart from their row's own number and its case."""
    told = ((name, row[name]) for name in _FOUND_BY)
    return tuple((name, tuple(each) if isinstance(each, list) else each) for name, each in told)


def _of_alerts(case: Case, stored: Stored) -> Iterator[Difference]:
    """That whoever has to be alerted now is: the notice of each clock that climbs, and that nobody has acknowledged."""
    for clock in case.referral.alerts:
        place, recorded = max((n, r) for n, r in enumerate(case.log) if getattr(r.event, "id", None) == clock)
        if not isinstance(recorded.event, ClockEscalated):
            continue  # something has been done about it since
        rows = [row for row in stored.alerts if row.clock == clock and row.created_at == recorded.at]
        if not rows:
            before = case.states[place - 1] if place else None
            event, profile = recorded.event, case.profile
            for draft in notices_for(case.reference, before, case.states[place], [event], profile, recorded.by, recorded.at):
                yield Difference("notice", f"the alert to {event.role} was gone", {}, queued(draft, recorded.at))
        elif not any(_goes_out(row) for row in rows):
            was = {name: rows[0]._mapping[name] for name in ("status", "over", "delivered_at")}
            sentence = f"the alert to {rows[0].role} was {rows[0].status}, and nobody had got or acknowledged it"
            now = {"status": "queued", "over": False, "ended": None, "tries": 0, "step": 0, "step_at": None, "delivered_at": None}
            yield Difference("notice", sentence, was, now, {"id": rows[0].id})


def _goes_out(row: Any) -> bool:
    """Whether an alert waits to be sent, was sent by a try that is recorded, or is known to be dead."""
    return not row.over and (row.status == "queued" or (row.status in ("delivered", "dead") and bool(row.tried)))
