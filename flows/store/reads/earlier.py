"""The child's other contacts, beside a case: what came before and what came since, as far as somebody may read each of them."""

from __future__ import annotations

import difflib
import hashlib
import hmac
import json
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.config.permissions import may
from mash.flows.store.identities import joined
from mash.flows.store.particulars import Particulars, particulars
from mash.flows.store.reads.case import Case, case_of, rightly_shown
from mash.flows.store.reads.items import read_items
from mash.flows.store.reads.look import look_at, note_access
from mash.flows.store.reads.people import Somebody, by_likeness
from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS
from mash.states.accumulation import add_up, contact_of, months_before
from mash.states.errors import Incomplete, NotFound, NotYours
from mash.states.referral import Referral
from mash.states.values import Actor, Likeness, Match

MONTHS = 12
"""How far back contacts are shown one by one; of those before that, how many."""
_CASES = select(REFERRALS).where(REFERRALS.c.reference.in_(bindparam("these", expanding=True)))


@dataclass(frozen=True)
class Contact:
    """Another contact about a person of a case, in a line."""

    subject: str
    """Of the case."""
    reference: str
    other: str | None
    likeness: Likeness
    why: tuple[str, ...]
    received_at: datetime
    source_agency: str
    primary_need: str | None
    rating: str | None
    outcome: str | None
    """Of this person there; none yet while it is open."""
    stage: str
    open: bool
    decided_by: str | None
    """The role of whoever decided."""
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Earlier:
    """What is shown beside a case of its people's other contacts."""

    looked: bool
    """Whether anybody has looked; otherwise nothing is known yet, which is not that nothing is."""
    contacts: tuple[Contact, ...]
    """The latest first."""
    before: dict[str, int]
    """By subject: how many there were before the months that are shown."""
    possible: dict[str, int]
    """By subject: how many more there are that are possible and not likely."""
    adds_up: int
    """How many contacts about one child add up by the hub's rule; 0 where they do not."""
    of_adults: dict[str, int]
    """By an adult subject who was confirmed in several families: in how many contacts. They are opened with a reason."""

    @property
    def confirmed(self) -> tuple[Contact, ...]:
        """Those of which somebody has said that they are about the same person."""
        return tuple(each for each in self.contacts if each.likeness == "confirmed")

    @property
    def likely(self) -> tuple[Contact, ...]:
        """Those of which nobody has said so, nor that they are not."""
        return tuple(each for each in self.contacts if each.likeness == "likely")


async def as_confirmed(connection: AsyncConnection, case: Case) -> Case:
    """A case with its matches as people have confirmed them by now. One that is closed is told neither what was confirmed since,
    nor what was taken back."""
    r = case.referral
    if r.open:
        return case
    same = await joined(connection, case.hub, case.reference)
    confirmed = {(subject, each.reference, each.subject) for subject, some in same.items() for each in some}
    known = {match.pair: match for match in r.matches}
    new = sorted({reference for subject, reference, other in confirmed - known.keys()})
    rows = (await connection.execute(_CASES, {"these": new})).all() if new else []
    there = {row.reference: Referral.model_validate_json(row.state) for row in rows}
    for subject, reference, other in sorted(pair for pair in confirmed - known.keys() if pair[1] in there):
        received_at = there[reference].received_at
        known[subject, reference, other] = Match(
            subject=subject, reference=reference, other=other, likeness="confirmed", why=(), received_at=received_at
        )
    of_contacts = {(subject, contact_of(reference), other) for subject, reference, other in confirmed}
    matches = list[Match]()
    for pair, match in known.items():
        stands = match.likeness == "likely" or match.why
        if pair in confirmed:
            matches.append(match.model_copy(update={"likeness": "confirmed"}))
        elif stands and (match.subject, contact_of(match.reference), match.other) not in of_contacts:
            # What speaks for it does so still where somebody has taken back that they are the same.
            matches.append(match.model_copy(update={"likeness": "likely"}))
    return replace(case, referral=r.model_copy(update={"matches": tuple(matches)}))


async def earlier(store: Store, case: Case, by: Actor) -> Earlier | None:
    """The other contacts about the people of a case that somebody looks at, each as far as they may read it on its own; None for
    whoever may not find people. What is shown is written down as one look at the case it stands beside, naming the others."""
    if not may(by.role, "find_people"):
        return None
    stored = case.referral
    async with store.transaction(by) as connection:
        case = await as_confirmed(connection, case)
        r = case.referral
        these = sorted({match.reference for match in r.matches})
        rows = (await connection.execute(_CASES, {"these": these})).all() if these else []
        cases = await rightly_shown(connection, store, [case_of(row) for row in rows], by)
        there = {each.reference: each.referral for each in cases}
        since = months_before(r.received_at, MONTHS)
        apart = _in_several_families(r, there)
        contacts = [
            _contact(match, there[match.reference])
            for match in r.matches
            if match.reference in there and match.subject not in apart
        ]
        shown = tuple(sorted((c for c in contacts if c.received_at > since), key=lambda c: c.received_at, reverse=True))
        if shown:
            named = ", ".join(dict.fromkeys(contact.reference for contact in shown))
            await note_access(connection, store, case.reference, by, "read_earlier_contacts", f"shown beside it: {named}")
        profile = await store.profile(connection, r.profile)
    before: dict[str, int] = {}
    for contact in contacts:
        if contact.received_at <= since:
            before[contact.subject] = before.get(contact.subject, 0) + 1
    return Earlier(r.looked, shown, before, r.possible_matches, add_up(stored, profile.accumulation), apart)


def _in_several_families(referral: Referral, there: dict[str, Referral]) -> dict[str, int]:
    """By each adult subject who was confirmed in contacts about children of other families: in how many. Who they are to those
    families is told to nobody who has no reason to ask."""
    found: dict[str, int] = {}
    children = {subject for subject, state in referral.subjects.items() if state.counts_as_child}
    own = {match.reference for match in referral.matches if match.subject in children}  # contacts of this very family
    for subject, state in referral.subjects.items():
        if state.counts_as_child:
            continue
        families = {
            contact_of(match.reference)
            for match in referral.matches
            if match.subject == subject
            and match.likeness == "confirmed"
            and match.reference in there
            and match.reference not in own
            and any(each.counts_as_child for each in there[match.reference].subjects.values())
        }
        if families:
            found[subject] = len(families)
    return found


async def of_adult(store: Store, case: Case, subject: str, by: Actor) -> list[Contact]:
    """The contacts of an adult who was confirmed in several families; each is a look at it. Raises NotYours for whoever has not
    said why."""
    if f"{by.id} {subject}" not in case.referral.opened:
        raise NotYours("say first why you must know (open_adult): your reason stays with the case")
    async with store.transaction(by) as connection:
        case = await as_confirmed(connection, case)
    opened = []
    for match in case.referral.matches:
        if match.subject == subject:
            with suppress(NotFound):
                there = await look_at(store, match.reference, by, "find_people")
                opened.append(_contact(match, there.referral))
    return opened


async def _looked_at(store: Store, reference: str, by: Actor) -> Case:
    """Another case that somebody looks at, with its matches as people have confirmed them by now."""
    there = await look_at(store, reference, by, "find_people")
    async with store.transaction(by) as connection:
        return await as_confirmed(connection, there)


async def siblings(store: Store, case: Case, by: Actor) -> list[Contact]:
    """The contacts of brothers and sisters, opened on request: of the other children in the contacts that were confirmed to be
    about a child of this case. Each that is opened is a look at it."""
    async with store.transaction(by) as connection:
        case = await as_confirmed(connection, case)
    opened: dict[tuple[str, str | None], Contact] = {}
    here = {(match.reference, match.other) for match in case.referral.matches}
    children = {subject for subject, state in case.referral.subjects.items() if state.counts_as_child}
    for reference in dict.fromkeys(
        m.reference for m in case.referral.matches if m.likeness == "confirmed" and m.subject in children
    ):
        with suppress(NotFound):
            there = (await _looked_at(store, reference, by)).referral
            for sid, state in there.subjects.items():
                if not state.counts_as_child or (reference, sid) in here:
                    continue
                own = Match(
                    subject=sid, reference=reference, other=sid, likeness="confirmed", why=(), received_at=there.received_at
                )
                opened[reference, sid] = _contact(own, there)
                for match in (each for each in there.matches if each.subject == sid and (each.reference, each.other) not in here):
                    with suppress(NotFound):
                        theirs = (await look_at(store, match.reference, by, "find_people")).referral
                        opened.setdefault((match.reference, match.other), _contact(match, theirs))
    return sorted(opened.values(), key=lambda each: each.received_at, reverse=True)


def _contact(match: Match, there: Referral) -> Contact:
    subject = there.subjects.get(match.other or "")
    return Contact(
        subject=match.subject,
        reference=match.reference,
        other=match.other,
        likeness=match.likeness,
        why=match.why,
        received_at=match.received_at,
        source_agency=there.source_agency,
        primary_need=there.primary_need,
        rating=there.rating,
        outcome=subject.outcome if subject else None,
        stage=there.stage,
        open=there.open,
        decided_by=there.decided_by,
        warnings=there.warnings,
    )


@dataclass(frozen=True)
class Side:
    """One of two people who may be one, as their contact has them."""

    reference: str
    subject: str | None
    details: dict[str, Any]
    household: tuple[dict[str, Any], ...]
    concern: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """Two people who may be one, side by side, and what differs in what was said of them."""

    here: Side
    there: Side
    why: tuple[str, ...]
    differs: tuple[tuple[str, str], ...]
    """Sentences that stand in one of the two only: 'here' or 'there', and the sentence."""
    compared: str
    """Proves that this was shown to whoever then says that the two are one concern."""


async def side_by_side(store: Store, case: Case, subject: str, other: str, other_subject: str | None, by: Actor) -> Pair:
    """A person of a case and one of another contact; the other is looked at with it. Raises NotFound for a contact or a person
    that somebody does not reach."""
    there = await look_at(store, other, by, "find_people")
    if subject not in case.referral.subjects or (other_subject and other_subject not in there.referral.subjects):
        raise NotFound("there is nobody of that number in that contact")
    here_side = await _side(store, case, subject, by)
    there_side = await _side(store, there, other_subject, by, like=here_side.details)
    pair = (subject, other, other_subject)
    why = next((m.why for m in (*case.referral.matches, *case.referral.rejected) if m.pair == pair), ())
    differs = tuple(_differences(here_side.concern, there_side.concern))
    return Pair(here_side, there_side, why, differs, proof(store, by, case.reference, other))


async def _side(store: Store, case: Case, subject: str | None, by: Actor, like: dict[str, Any] | None = None) -> Side:
    """A person as a contact has them: a subject, or whoever of its household is most like somebody."""
    items = [item for item in await read_items(store, case, by) if item["view"] == "whole"]
    household = tuple(item["fields"] for item in items if item["kind"] == "household" and item["fields"])
    if subject is None:
        asked, people = (_who(like or {}), [Somebody(None, _who(each), readable=True) for each in household])
        somebody = by_likeness(asked, None, people)
        details: dict[str, Any] = json.loads(somebody.who.content) if somebody else {}
    else:
        subjects = (i["fields"] for i in items if i["kind"] == "subject" and i["subject"] == subject and i["fields"])
        details = next(subjects, {})
    concern: dict[str, Any] = next((item["fields"] for item in items if item["kind"] == "concern" and item["fields"]), {})
    words = " ".join(str(concern.get(name) or "") for name in ("summary", "narrative")).strip()
    return Side(case.reference, subject, details, household, words, case.referral.warnings)


def _who(details: dict[str, Any]) -> Particulars:
    return particulars(json.dumps(details).encode())


_SENTENCE = re.compile(r"[^.!?\n]+[.!?]?")


def _differences(here: str, there: str) -> list[tuple[str, str]]:
    """The sentences that only one of two texts has."""
    mine, theirs = ([each.strip() for each in _SENTENCE.findall(text) if each.strip()] for text in (here, there))
    found = []
    for line in difflib.ndiff(theirs, mine):
        if line[:2] in ("+ ", "- "):
            found.append(("here" if line[0] == "+" else "there", line[2:]))
    return found


def proof(store: Store, by: Actor, reference: str, other: str) -> str:
    """What shows that two contacts were set beside each other for this person; it tells nothing of them."""
    what = json.dumps(["compared", by.hub, by.id, reference, other])
    return hmac.new(store.keyring.rows, what.encode(), hashlib.sha256).hexdigest()[:20]


def demand_compared(store: Store, by: Actor, reference: str, other: str, compared: str) -> None:
    """Raises Incomplete for whoever was not shown what differs."""
    if not hmac.compare_digest(compared, proof(store, by, reference, other)):
        raise Incomplete("look at the two beside each other first: the page, or GET /cases/{reference}/earlier/{other}, gives it")
