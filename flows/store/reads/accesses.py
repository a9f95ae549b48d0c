"""Who looked at which case, and at what a person looked: the reports for information governance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Text, cast, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.config.sign_on import same_login
from mash.flows.store.reads.look import note_access, note_accesses
from mash.flows.store.store import Store
from mash.flows.store.tables import ACCESSES, REFERRALS
from mash.states.values import Actor

MOST = 1000
"""Lines of a report at once."""
_ALIKE = tuple(ACCESSES.c[name] for name in ("person", "role", "agency", "reference", "shown", "about", "action", "why"))
_FIRST = func.min(ACCESSES.c.id)
# What one person does again and again within an hour is one line: nobody pushes a look out of sight by reloading a page. A line
# is known by its first look, which stays the first whatever is added: none is passed over on the way from page to page.
_LINES = (
    select(
        _FIRST.label("first"),
        func.min(ACCESSES.c.at).label("at"),
        func.max(ACCESSES.c.at).label("last_at"),
        func.count().label("times"),
        *_ALIKE,
    )
    .group_by(func.date_trunc("hour", ACCESSES.c.at), *_ALIKE)
    .order_by(_FIRST.desc())
    .limit(MOST + 1)
)


ACROSS = "asked_by_another_hub"
"""What is written down where another hub of the installation asked whether this one may know somebody."""
TOKEN = "begin_session_on_the_command_line"  # noqa: S105  # nosec B105  what somebody did
"""What is written down when somebody on the machine begins a session of a member of staff."""


@dataclass(frozen=True)
class Span:
    """Which looks are asked for: since when, and until before when; and to read on, those before the one that a line began
    with."""

    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


async def accesses_to(store: Store, references: Sequence[str], by: Actor, span: Span = Span()) -> Sequence[Row[Any]]:
    """Who looked at these contacts, their linked referrals included: the latest first; MOST lines, and one more where there are
    more. That this was asked is written down too."""
    async with store.transaction(by) as connection:
        rows = await read_accesses_to(connection, references, span, strips=False)
        await note_accesses(connection, store, references or (None,), by, "read_accesses", "examines accesses")
        return rows


async def read_accesses_to(
    connection: AsyncConnection, references: Sequence[str], span: Span, *, strips: bool
) -> Sequence[Row[Any]]:
    """The same, within the transaction of whoever asks, who writes down that they did; with `strips`, looks at other cases too
    beside which one of these contacts was shown in a line."""
    roots = select(REFERRALS.c.root).where(REFERRALS.c.reference.in_(references))
    family = select(REFERRALS.c.reference).where(REFERRALS.c.root.in_(roots))
    names = list((await connection.scalars(family)).all())
    these = cast(names, postgresql.ARRAY(Text))
    which = ACCESSES.c.reference.in_(names) | ACCESSES.c.id.in_(select(func.looks_naming(these)))
    if strips:
        which |= ACCESSES.c.id.in_(select(func.strips_naming(these)))
    return (await connection.execute(_lines(which, span))).all()


async def accesses_of(store: Store, person: str, by: Actor, span: Span = Span()) -> Sequence[Row[Any]]:
    """What a person looked at, by login, and who began a session of theirs on the machine; as `accesses_to`."""
    # What is of before logins had one form, is found by how it was written then.
    names = {person, same_login(person)}
    theirs = ACCESSES.c.person.in_(names) | (ACCESSES.c.about.in_(names) & (ACCESSES.c.action == TOKEN))
    async with store.transaction(by) as connection:
        rows = (await connection.execute(_lines(theirs, span))).all()
        await note_access(connection, store, None, by, "read_accesses", "examines accesses", about=same_login(person))
        return rows


async def accesses_across(store: Store, by: Actor, span: Span = Span()) -> Sequence[Row[Any]]:
    """What other hubs of the installation asked somebody's hub, and who there did; as `accesses_to`."""
    async with store.transaction(by) as connection:
        rows = (await connection.execute(_lines(ACCESSES.c.action == ACROSS, span))).all()
        await note_access(connection, store, None, by, "read_accesses", "examines accesses")
        return rows


async def note_token(store: Store, of: Actor, by: Actor) -> None:
    """Write down that somebody on the machine begins a session of a member of staff: what is done in it has their name."""
    async with store.transaction(by, of_system=True) as connection:
        await note_access(connection, store, None, by, TOKEN, "gives commands on the machine", about=of.id)


def _lines(which: ColumnElement[bool], span: Span) -> Any:
    query = _LINES.where(which)
    if span.since:
        query = query.where(ACCESSES.c.at >= span.since)
    if span.until:
        query = query.where(ACCESSES.c.at < span.until)
    return query.having(span.before > _FIRST) if span.before else query
