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
from mash.flows.store.reads.case import Case, case_of, read_family, split_from
from mash.flows.store.reads.look import note_access, note_accesses, note_shown
from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS
from mash.states.acts.sharing import SharingBasisRecorded
from mash.states.auditing import AskedFor, decided_by
from mash.states.errors import Incomplete, NotFound, Refusal
from mash.states.log import RECORDED
from mash.states.overrides import KINDS, Seconded, overrides_of
from mash.states.referral import Referral
from mash.states.values import Actor

_CASES = select(REFERRALS).where(REFERRALS.c.reference.in_(bindparam("these", expanding=True)))
# By when they were recorded: a basis for sharing is never entered later.
_OVERRIDDEN = text("""
    SELECT reference, sequence FROM event WHERE hub = :hub AND kind = 'sharing_basis_recorded'
        AND CAST(canonical AS json) #>> '{event,consent}' = 'overridden'
        AND (CAST(:since AS timestamptz) IS NULL OR at >= :since) AND (CAST(:until AS timestamptz) IS NULL OR at < :until)
    ORDER BY at, reference, sequence""")
_OF_OVERRIDES = text("""
    SELECT canonical FROM event WHERE reference = ANY(:these) AND kind = ANY(:kinds)
    ORDER BY reference, sequence""")


@dataclass(frozen=True)
class Child:
    """A child, by one of the contacts about them: its reference, and which of its subjects they are, as S1 or its number alone;
    of a contact about one child that need not be said."""

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
    parent: str | None
    """Which referral it was split from, where it was."""
    erased: bool


@dataclass(frozen=True)
class Override:
    """That consent was overridden: in which case, when, by whom, on which basis, and who was beside them in it."""

    reference: str
    at: datetime
    person: str
    """Whoever brought it into effect: recorded it, or agreed as the second person to what another had proposed."""
    role: str
    others: tuple[str, ...]
    """Who else proposed this one or agreed to it, by login; nobody, where nobody has yet."""
    waits: bool
    """Whether a second person has still to say whether it stands."""
    stands: bool
    """Whether no second person has said that it does not."""
    purpose: str
    lawful_basis: str
    family_informed: bool
    not_informed: str | None
    shared: bool
    """Whether information was to be shared."""
    erased: bool


async def looks_at_child(
    store: Store, child: Child, asked_for: AskedFor, by: Actor, span: Span, *, of_system: bool = False
) -> tuple[list[Child], Sequence[Row[Any]]]:
    """Who looked at a child: at any contact about the same confirmed child, its linked referrals included, in whatever way:
    opened, found, on a board, beside another case, by a link or a code. The child as each contact names them, whoever was asked
    about first, and the looks as `accesses_to`. Raises NotFound and Incomplete as `contacts_of_child`."""
    why = _why(asked_for, "who looked at this child")
    async with store.transaction(by, of_system=of_system) as connection:
        found = await _contacts_of(connection, child, by.hub)
        if isinstance(found, Refusal):
            await note_access(connection, store, None, by, "inspect_looks", f"{why}: nobody was found")
        else:
            contacts = sorted({each.reference for each in found})
            rows = await read_accesses_to(connection, contacts, span, strips=True)
            await note_accesses(connection, store, contacts, by, "inspect_looks", why)
    if isinstance(found, Refusal):
        raise found
    return found, rows


async def contacts_of_child(
    store: Store, child: Child, asked_for: AskedFor, by: Actor, *, of_system: bool = False
) -> list[ContactLine]:
    """All contacts about a child, the first one first: of all that people have confirmed to be about the same child. Raises
    NotFound for a referral that is not there, Incomplete where it has to be said which of its people is meant. That somebody
    asked is recorded all the same."""
    why = _why(asked_for, "all contacts about this child")
    async with store.transaction(by, of_system=of_system) as connection:
        found = await _contacts_of(connection, child, by.hub)
        if isinstance(found, Refusal):
            await note_access(connection, store, None, by, "inspect_contacts", f"{why}: nobody was found")
        else:
            theirs = {each.reference: each.subject for each in found}
            cases = [case_of(row) for row in (await connection.execute(_CASES, {"these": sorted(theirs)})).all()]
            before = await split_from(connection, {case.reference: case.referral for case in cases})
            await note_accesses(connection, store, sorted(theirs), by, "inspect_contacts", why)
    if isinstance(found, Refusal):
        raise found
    lines = (_line(case, theirs[case.reference], before.get(case.reference, [])) for case in cases)
    return sorted(lines, key=lambda each: (each.received_at, each.reference))


async def overridden(store: Store, asked_for: AskedFor, by: Actor, span: Span, *, of_system: bool = False) -> list[Override]:
    """Every case of somebody's hub in which consent was overridden, by when that was recorded."""
    why = _why(asked_for, "every case where consent was overridden")
    async with store.transaction(by, of_system=of_system) as connection:
        asked = {"hub": by.hub, "since": span.since, "until": span.until}
        found = [(row.reference, row.sequence) for row in (await connection.execute(_OVERRIDDEN, asked)).all()]
        references = sorted({reference for reference, _ in found})
        rows = (await connection.execute(_CASES, {"these": references})).all() if references else []
        events = await connection.scalars(_OF_OVERRIDES, {"these": references, "kinds": list(KINDS)})
        story = [RECORDED.validate_json(canonical) for canonical in events.all()]
        if references:
            await note_shown(connection, store, references, by, "inspect_overridden", why)
        else:
            await note_access(connection, store, None, by, "inspect_overridden", f"{why}: none")
    erased = {row.reference: case_of(row).referral.erased for row in rows}
    each_of = overrides_of(story)
    return [_override(each_of[which], erased[which[0]]) for which in found if which[0] in erased]


def _why(asked_for: AskedFor, question: str) -> str:
    return f"asked for {asked_for}: {question}"


async def _contacts_of(connection: AsyncConnection, child: Child, hub: str) -> list[Child] | Refusal:
    """The child as every contact names them that somebody has confirmed to be about the same one, whoever was asked about
    first; or why nobody was found."""
    row = (await connection.execute(_CASES, {"these": [child.reference]})).one_or_none()
    if row is None or row.hub != hub:
        return NotFound(f"there is no referral {child.reference} at this hub")
    known = _meant(child, case_of(row), await read_family(connection, row.root))
    if isinstance(known, Refusal):
        return known
    same = (await joined(connection, hub, known.reference)).get(known.subject, [])
    return [known, *(Child(each.reference, each.subject) for each in same)]


def _meant(child: Child, case: Case, family: Sequence[Case]) -> Child | Refusal:
    """Which subject is meant, and in which referral they are now: one that went its own way is found where it went. Nobody is
    counted: the number is that of the subject, whoever else has left."""
    referral = case.referral
    names = {*referral.subjects, *referral.left}
    if child.subject:
        wanted = [child.subject] if child.subject in names else [sid for sid in names if _called(sid, child.subject)]
    else:
        wanted = [sid for sid in names if sid in referral.left or referral.subjects[sid].counts_as_child]
    if len(wanted) == 1:
        there = [case] if wanted[0] in referral.subjects else [each for each in family if wanted[0] in each.referral.subjects]
        if len(there) == 1:
            return Child(there[0].reference, wanted[0])
    went = {sid: each.reference for each in family for sid in each.referral.subjects if sid in referral.left}
    said = ", ".join([*referral.subjects, *(f"{sid} (now in {where})" for sid, where in sorted(went.items()))])
    return Incomplete(f"say which of its people it is about: {case.reference} is about {said}")


def _called(sid: str, given: str) -> bool:
    """Whether a subject is called by what was given: its name in any letters, or the number in it."""
    return sid.lower() in (given.lower(), f"s{given}".lower())


def _line(case: Case, subject: str, before: Sequence[Referral]) -> ContactLine:
    r = case.referral
    there = r.subjects.get(subject)
    return ContactLine(
        reference=case.reference,
        subject=subject,
        received_at=r.received_at,
        source=r.source,
        source_agency=r.source_agency,
        primary_need=r.primary_need,
        first_rating=(before[-1] if before else r).first_rating,
        rating=r.rating,
        stage=r.stage,
        outcome=there.outcome if there else None,
        decided_at=r.decided_at,
        decided_by=decided_by(r, before),
        parent=r.parent,
        erased=r.erased,
    )


def _override(of: Seconded, erased: bool) -> Override:
    recorded, basis = of.recorded, of.recorded.event
    if not isinstance(basis, SharingBasisRecorded):
        raise TypeError(f"{recorded.reference}: expected the basis for sharing")
    beside = (of.proposed_by, of.signed_by if of.agreed else None)
    return Override(
        reference=recorded.reference,
        at=recorded.at,
        person=recorded.by.id,
        role=recorded.by.role,
        others=tuple(login for login in beside if login),
        waits=of.owed and of.agreed is None,
        stands=of.agreed is not False,
        purpose=basis.purpose,
        lawful_basis=basis.lawful_basis,
        family_informed=basis.family_informed,
        not_informed=basis.not_informed,
        shared=basis.share,
        erased=erased,
    )
