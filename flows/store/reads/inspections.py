"""Inspectors' questions, each answered at once: who looked at this child, all contacts about this child, and in which cases
consent was overridden. Whoever asks is written down, with what they asked and for whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.identities import joined
from mash.flows.store.reads.accesses import Span, read_accesses_to
from mash.flows.store.reads.case import case_of
from mash.flows.store.reads.look import note_access, note_accesses, note_shown
from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS
from mash.states.acts.sharing import SharingBasisRecorded
from mash.states.auditing import AskedFor
from mash.states.errors import NotFound
from mash.states.log import RECORDED
from mash.states.referral import Referral
from mash.states.values import Actor

OVERRIDE = "override"
"""What a second person agrees to where consent is overridden."""
_CASES = select(REFERRALS).where(REFERRALS.c.reference.in_(bindparam("these", expanding=True)))
_OVERRIDDEN = text("""
    SELECT reference, canonical FROM event WHERE hub = :hub AND kind = 'sharing_basis_recorded'
        AND CAST(canonical AS json) #>> '{event,consent}' = 'overridden'
        AND (CAST(:since AS timestamptz) IS NULL OR at >= :since) AND (CAST(:until AS timestamptz) IS NULL OR at < :until)
    ORDER BY at, reference, sequence""")


@dataclass(frozen=True)
class Child:
    """A child, by one of the contacts about them: its reference, and which of its subjects they are, or the how manieth; of a
    contact about one child that need not be said."""

    reference: str
    subject: str = ""


@dataclass(frozen=True)
class ContactLine:
    """One contact about a child, in codes and times."""

    reference: str
    subject: str
    received_at: datetime
    source: str
    source_agency: str
    primary_need: str | None
    first_rating: str | None
    rating: str | None
    stage: str
    outcome: str | None
    """Of this child there; none while it is open."""
    decided_at: datetime | None
    decided_by: str | None
    """The role of whoever decided."""
    erased: bool


@dataclass(frozen=True)
class Override:
    """That consent was overridden: in which case, when, by whom, on which basis, and who was beside them in it."""

    reference: str
    at: datetime
    """When it happened: where it was entered later, when it was said to have."""
    person: str
    """Whoever brought it into effect: recorded it, or agreed as the second person to what another had proposed."""
    role: str
    others: tuple[str, ...]
    """Who else proposed it or agreed, by login; nobody, where nobody has yet."""
    purpose: str
    lawful_basis: str
    family_informed: bool
    not_informed: str | None
    shared: bool
    """Whether information was to be shared."""
    erased: bool


async def looks_at_child(
    store: Store, child: Child, asked_for: AskedFor, by: Actor, span: Span, *, of_system: bool = False
) -> tuple[list[str], Sequence[Row[Any]]]:
    """Who looked at a child: at any contact about the same confirmed child, its linked referrals included, in whatever way:
    opened, found, on a board, beside another case, by a link or a code. The contacts, and the looks as `accesses_to`."""
    async with store.transaction(by, of_system=of_system) as connection:
        contacts = sorted({each.reference for each in await _contacts_of(connection, child, by.hub)})
        rows = await read_accesses_to(connection, contacts, span, strips=True)
        await note_accesses(connection, store, contacts, by, "inspect_looks", _why(asked_for, "who looked at this child"))
    return contacts, rows


async def contacts_of_child(
    store: Store, child: Child, asked_for: AskedFor, by: Actor, *, of_system: bool = False
) -> list[ContactLine]:
    """All contacts about a child, the first one first: of all that people have confirmed to be about the same child."""
    async with store.transaction(by, of_system=of_system) as connection:
        theirs = {each.reference: each.subject for each in await _contacts_of(connection, child, by.hub)}
        rows = (await connection.execute(_CASES, {"these": sorted(theirs)})).all()
        why = _why(asked_for, "all contacts about this child")
        await note_accesses(connection, store, sorted(theirs), by, "inspect_contacts", why)
    return sorted((_line(row, theirs[row.reference]) for row in rows), key=lambda each: (each.received_at, each.reference))


async def overridden(store: Store, asked_for: AskedFor, by: Actor, span: Span, *, of_system: bool = False) -> list[Override]:
    """Every case of somebody's hub in which consent was overridden, by when that was recorded."""
    async with store.transaction(by, of_system=of_system) as connection:
        asked = {"hub": by.hub, "since": span.since, "until": span.until}
        found = (await connection.execute(_OVERRIDDEN, asked)).all()
        references = sorted({row.reference for row in found})
        rows = (await connection.execute(_CASES, {"these": references})).all() if references else []
        why = _why(asked_for, "every case where consent was overridden")
        if references:
            await note_shown(connection, store, references, by, "inspect_overridden", why)
        else:
            await note_access(connection, store, None, by, "inspect_overridden", f"{why}: none")
    cases = {row.reference: row for row in rows}
    return [_override(row.canonical, cases[row.reference]) for row in found if row.reference in cases]


def _why(asked_for: AskedFor, question: str) -> str:
    return f"asked for {asked_for}: {question}"


async def _contacts_of(connection: AsyncConnection, child: Child, hub: str) -> list[Child]:
    """The child as every contact names them that somebody has confirmed to be about the same one."""
    row = (await connection.execute(_CASES, {"these": [child.reference]})).one_or_none()
    if row is None or row.hub != hub:
        raise NotFound(f"there is no referral {child.reference} at this hub")
    known = Child(child.reference, _subject(child, case_of(row).referral))
    same = (await joined(connection, hub, child.reference)).get(known.subject, [])
    return [known, *(Child(each.reference, each.subject) for each in same)]


def _subject(child: Child, referral: Referral) -> str:
    """Which subject is meant. Raises NotFound where that has to be said, or is nobody."""
    names = list(referral.subjects)
    if child.subject in names:
        return child.subject
    if child.subject.isdecimal() and 0 < int(child.subject) <= len(names):
        return names[int(child.subject) - 1]
    children = [name for name in names if referral.subjects[name].counts_as_child]
    if not child.subject and len(children) == 1:
        return children[0]
    raise NotFound(f"say which of its people it is about, by number: {child.reference} has {len(names)}, 1 to {len(names)}")


def _line(row: Row[Any], subject: str) -> ContactLine:
    case = case_of(row)
    r = case.referral
    there = r.subjects.get(subject)
    return ContactLine(
        reference=case.reference,
        subject=subject,
        received_at=r.received_at,
        source=r.source,
        source_agency=r.source_agency,
        primary_need=r.primary_need,
        first_rating=r.first_rating,
        rating=r.rating,
        stage=r.stage,
        outcome=there.outcome if there else None,
        decided_at=r.decided_at,
        decided_by=r.decided_by,
        erased=r.erased,
    )


def _override(canonical: str, row: Row[Any]) -> Override:
    recorded, referral = RECORDED.validate_json(canonical), case_of(row).referral
    basis = recorded.event
    if not isinstance(basis, SharingBasisRecorded):
        raise TypeError(f"{row.reference}: expected the basis for sharing")
    agreed = [each for each in referral.secondings.values() if each.about == OVERRIDE and each.agreed is not False]
    people = dict.fromkeys(login for each in agreed for login in (each.by, each.second) if login and login != recorded.by.id)
    return Override(
        reference=row.reference,
        at=recorded.happened_at or recorded.at,
        person=recorded.by.id,
        role=recorded.by.role,
        purpose=basis.purpose,
        lawful_basis=basis.lawful_basis,
        family_informed=basis.family_informed,
        not_informed=basis.not_informed,
        others=tuple(people),
        shared=basis.share,
        erased=referral.erased,
    )
