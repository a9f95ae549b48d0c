"""The people whom contacts name, each with what is said of them there, as far as somebody reads it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.keys import KeyDestroyed, unseal
from mash.flows.store.marks import number
from mash.flows.store.names import NAMED, birthdays, shared_address, tokens
from mash.flows.store.particulars import AGREES, Comparison, Particulars, compared, particulars
from mash.flows.store.reads.case import reader_of
from mash.flows.store.reads.items import reads_whole
from mash.flows.store.sounds import words
from mash.flows.store.store import Store
from mash.flows.store.tables import IDENTITIES, ITEMS, KEYS, REFERRALS
from mash.flows.store.writes import Item
from mash.states.reading import as_read
from mash.states.referral import Referral
from mash.states.values import Actor

_KEYS = select(KEYS.c.reference, KEYS.c.wrapped).where(KEYS.c.reference.in_(bindparam("these", expanding=True)))
_STATES = select(REFERRALS.c.reference, REFERRALS.c.state).where(REFERRALS.c.reference.in_(bindparam("these", expanding=True)))
_CHILDREN = select(IDENTITIES.c.reference, IDENTITIES.c.subject, IDENTITIES.c.child).where(
    IDENTITIES.c.reference.in_(bindparam("these", expanding=True))
)
_NAMED = (
    select(*(ITEMS.c[name] for name in ("id", "reference", "kind", "subject", "sealed", "created_by")))
    .where(ITEMS.c.reference.in_(bindparam("these", expanding=True)), ITEMS.c.kind.in_(NAMED))
    .order_by(ITEMS.c.created_at, ITEMS.c.id)
)


@dataclass(frozen=True)
class Somebody:
    """A person whom a contact names."""

    subject: str | None
    """Which subject they are; None for somebody of the household."""
    who: Particulars
    readable: bool
    """Whether what is said of them is for whoever looks; otherwise that it is there is all that may be said."""
    child: int | None = None
    """The keyed number of the child whom somebody has confirmed them to be."""


@dataclass(frozen=True)
class Naming:
    """A contact as somebody reads it, and the people whom it names."""

    referral: Referral
    people: tuple[Somebody, ...]


@dataclass(frozen=True)
class Named:
    """Somebody as one contact names them, who may be whom somebody looks for."""

    reference: str
    subject: str | None
    who: Particulars | None
    """None where what is on record of them is not for whoever looks."""
    compared: tuple[Comparison, ...]
    """What was asked beside what is on record."""
    referral: Referral
    """Their case, as whoever looks reads it."""
    child: int | None = field(kw_only=True)
    """The keyed number of the child whom somebody has confirmed them to be: of one child, in whatever contacts they are named."""

    @property
    def name(self) -> str:
        """What they are called there; empty where it is not for whoever looks, or nobody knows."""
        return self.who.name if self.who else ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Of their case."""
        return self.referral.warnings

    @property
    def received_at(self) -> datetime:
        """When their case came in."""
        return self.referral.received_at

    @property
    def stage(self) -> str:
        """At which stage their case is."""
        return self.referral.stage


async def people_named(connection: AsyncConnection, store: Store, references: Collection[str], by: Actor) -> dict[str, Naming]:
    """Whom these contacts name as it stands now, by reference; without those whose people are erased."""
    if not references:
        return {}
    these = {"these": sorted(references)}
    keys: dict[str, AESGCM] = {}
    for row in (await connection.execute(_KEYS, these)).all():
        with suppress(KeyDestroyed):
            keys[row.reference] = AESGCM(store.keyring.unwrap(row.wrapped, row.reference))
    rows: dict[str, dict[str, Row[Any]]] = {reference: {} for reference in keys}
    for item in (await connection.execute(_NAMED, these)).all():
        if item.reference in keys:
            rows[item.reference][str(item.id)] = item
    children = {(row.reference, row.subject): row.child for row in (await connection.execute(_CHILDREN, these)).all()}
    contacts: dict[str, Naming] = {}
    for reference, state in (await connection.execute(_STATES, these)).tuples().all():
        if reference in keys:
            referral = Referral.model_validate_json(state)
            named = _people(referral, rows[reference], keys[reference], by)
            people = tuple(replace(each, child=children.get((reference, each.subject))) for each in named)
            contacts[reference] = Naming(as_read(referral, reader_of(store, referral, by)), people)
    return contacts


def _people(referral: Referral, rows: Mapping[str, Row[Any]], key: AESGCM, by: Actor) -> Iterator[Somebody]:
    there = [row for row in rows.values() if referral.stands(str(row.id), row.subject)]
    items = [Item(row.kind, unseal(key, row.sealed, row.reference), row.subject) for row in there]
    address = shared_address(items)
    for item, row in zip(items, there, strict=True):
        yield Somebody(item.subject, particulars(item.content, address), reads_whole(referral, row, rows, by))


def by_numbers(
    key: bytes, numbers: Collection[int], born: int | None, subject: str | None, people: Sequence[Somebody]
) -> Somebody | None:
    """Which of the people of a contact a row is about, by the subject, and the keyed numbers of name and birthday, that it has:
    all of a household are rows without a subject. None where it is about nobody who stands there now."""
    theirs = [each for each in people if each.subject == subject]
    if len(theirs) < 2:
        return theirs[0] if theirs else None
    scores = [_in_common(key, numbers, born, each.who) for each in theirs]
    likest = [each for each, score in zip(theirs, scores, strict=True) if score == max(scores)]
    # Two whose names have the same words may be told apart by how they are written.
    exactly = (each for each in likest if {*numbers} == {*tokens(key, each.who.name)})
    return likest[0] if len(likest) == 1 else next(exactly, likest[0])


def _in_common(key: bytes, numbers: Collection[int], born: int | None, who: Particulars) -> tuple[int, bool]:
    """Of how many words of a name a row has the number, less those of which it has none; and whether it has the birthday's."""
    has = [number(key, f"word:{word}") in numbers for word in words(who.name)]
    return 2 * sum(has) - len(has), birthdays(key, who.born)[0] == born


def by_likeness(asked: Particulars, subject: str | None, people: Sequence[Somebody]) -> Somebody | None:
    """The same where only whom somebody is taken for tells them apart: who agrees in most, and differs in least."""

    def agreement(each: Somebody) -> int:
        return sum(1 if part.how in AGREES else -1 for part in compared(asked, each.who) if part.how != "not_recorded")

    return max((each for each in people if each.subject == subject), key=agreement, default=None)


def beside(somebody: Somebody | None, asked: Particulars | None) -> tuple[Particulars | None, tuple[Comparison, ...]]:
    """What whoever looks may be told of somebody, and how it compares with whom they look for."""
    who = somebody.who if somebody and somebody.readable else None
    return who, compared(asked, who) if asked and who else ()
