"""A look at one case: as far as somebody reaches, which the database holds them to, and written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.config.permissions import may, reach
from mash.flows.store.log import events_of
from mash.flows.store.reads.case import Case, case_read_by, reader_of
from mash.flows.store.reads.participants import reached, takes_part
from mash.flows.store.store import Store
from mash.flows.store.tables import ACCESSES, REFERRALS
from mash.states.entitled import open_to
from mash.states.errors import NotFound
from mash.states.log import Recorded
from mash.states.reading import story_as_read
from mash.states.referral import Referral
from mash.states.roles import to_pass_on
from mash.states.values import Actor

_CASE = select(REFERRALS).where(REFERRALS.c.reference == bindparam("of"))
_ROOT = select(REFERRALS.c.root).where(REFERRALS.c.reference == bindparam("of")).scalar_subquery()
_FAMILY = select(REFERRALS).where(REFERRALS.c.root == _ROOT).order_by(REFERRALS.c.reference)
# Inline: asked for the number of its row, the database would refuse it to those who may not read rows.
_LOOKED = insert(ACCESSES).inline()
WHY = {"hub": "works at the hub", "own": "made the referral"}
"""What lets somebody look, by how far their role reaches."""
GLASS = "broke the glass"


async def look_at(store: Store, reference: str, by: Actor, action: str, *, holds: str = "") -> Case:
    """A case that somebody looks at; who they are, and what let them, is written down with it: how far they reach, or else what
    they hold. Raises NotFound for one that they do not reach: whether it exists is not theirs to know."""
    return (await _looked_at(store, _CASE, reference, by, action, holds))[0]


async def look_at_family(store: Store, reference: str, by: Actor, action: str, *, holds: str = "") -> list[Case]:
    """A contact's referral and the linked ones it was split into, by one of them; each is looked at as by `look_at`."""
    return await _looked_at(store, _FAMILY, reference, by, action, holds)


async def _looked_at(store: Store, query: Select[Any], reference: str, by: Actor, action: str, holds: str) -> list[Case]:
    async with store.transaction(by, of_system=bool(holds)) as connection:
        cases = [case_read_by(store, row, by) for row in (await connection.execute(query, {"of": reference})).all()]
        parts = await reached(connection, store, [case.reference for case in cases], by) if not holds else {}
        cases = [case for case in cases if holds or case.reference in parts]
        await store.read_rules(connection, (case.referral for case in cases))
        if not cases:
            raise NotFound("there is no such referral at this hub, or you take no part in it")
        for case in cases:
            why = holds or WHY.get(reach(by.role)) or (f"{by.agency} takes part" if parts[case.reference] else GLASS)
            await note_access(connection, store, case.reference, by, action, why)
    return cases


async def first_reached(store: Store, references: Sequence[str], by: Actor) -> str | None:
    """The first of these references whose case somebody reaches, to be led there: it is not looked at yet."""
    there = select(REFERRALS.c.reference).where(REFERRALS.c.reference.in_(references))
    async with store.transaction(by) as connection:
        shown = set(await connection.scalars(there))
        theirs = await reached(connection, store, sorted(shown), by)
    return next((reference for reference in references if reference in theirs), None)


async def note_access(
    connection: AsyncConnection,
    store: Store,
    reference: str | None,
    by: Actor,
    action: str,
    why: str,
    *,
    about: str | None = None,
) -> None:
    """Write down that somebody looks at a case, or at what a person (`about`) looked at, within the transaction in which they
    do."""
    await note_accesses(connection, store, (reference,), by, action, why, about=about)


async def note_accesses(
    connection: AsyncConnection,
    store: Store,
    references: Sequence[str | None],
    by: Actor,
    action: str,
    why: str,
    *,
    about: str | None = None,
) -> None:
    """The same of several cases at once."""
    who = {"person": by.id, "role": by.role, "agency": by.agency, "hub": by.hub}
    looked = {"about": about, "at": store.time.now(), "action": action, "why": why}
    if references:
        await connection.execute(_LOOKED, [{**who, **looked, "reference": reference} for reference in references])


async def note_list(store: Store, references: Sequence[str], by: Actor, action: str) -> None:
    """Write down, as one look, that somebody is shown the people of several cases beside one another."""
    if references:
        async with store.transaction(by) as connection:
            await note_shown(connection, store, references, by, action, why_of(by))


def why_of(by: Actor) -> str:
    """Why somebody sees several cases beside one another, as it is written down."""
    return WHY.get(reach(by.role)) or f"{by.agency} takes part"


async def note_shown(
    connection: AsyncConnection, store: Store, references: Sequence[str], by: Actor, action: str, why: str
) -> None:
    """Write down, as one look, that somebody is shown several cases at once, within the transaction in which they are."""
    who = {"person": by.id, "role": by.role, "agency": by.agency, "hub": by.hub}
    looked = {"at": store.time.now(), "action": action, "why": why, "shown": [*references]}
    await connection.execute(_LOOKED, [{**who, **looked, "reference": None, "about": None}])


async def offered(connection: AsyncConnection, store: Store, reference: str, referral: Referral, by: Actor) -> list[str]:
    """The commands that somebody may give now about a case that they reach: nothing that would be refused for who they are."""
    if reach(by.role) == "involved" and not await takes_part(connection, store, reference, by):
        return []
    profile = await store.profile(connection, referral.profile)
    never = {"break_glass", *(() if store.hubs_beside(by.hub) else ("ask_other_hubs",))}
    if not to_pass_on(referral, profile, by, store.time.now()):  # it depends on who is on duty now
        never.add("pass_alert_on")
    return [kind for kind in open_to(referral, profile, by) if kind not in never and may(by.role, kind)]


async def possible(store: Store, case: Case, by: Actor) -> list[str]:
    """`offered`, of a case that was looked at."""
    async with store.transaction(by) as connection:
        return await offered(connection, store, case.reference, case.referral, by)


async def read_story(store: Store, case: Case, by: Actor) -> list[Recorded]:
    """The events of a case, in order, as far as they are for somebody to read."""
    reader = reader_of(store, case.referral, by)
    async with store.transaction(by) as connection:
        return story_as_read(await events_of(connection, case.reference), case.referral, reader)
