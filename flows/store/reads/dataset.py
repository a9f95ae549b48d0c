"""What the dataset is made of: each contact of a period with its referrals, the moments it came to each stage, and what came
before about the same child; a week's contacts at a time, in no order."""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, func, select, text

from mash.flows.store.reads.figures import Came, Seen, SeenSubject, began_at, came_in, came_of, seen
from mash.flows.store.reads.look import note_access
from mash.flows.store.reads.same_child import About, before, joined
from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS
from mash.states.clocks import LONDON, day_of
from mash.states.values import Actor

AT_A_TIME = 500
"""Contacts in memory at once, of some kilobytes each."""
LOOK = "take_dataset"
"""What is written down when somebody takes the dataset."""


class NotOver(ValueError):
    """A week that is not over is asked for: the sentence says which day is the last that can be."""


class Period(NamedTuple):
    """Contacts that came in since a moment, and before another."""

    since: datetime
    until: datetime


class Earlier(NamedTuple):
    """How many contacts about the same children came in within the twelve months before: as somebody has confirmed, and of these
    about one child; those that only the software suggests; and the same of referrals alone, where the contact is one."""

    confirmed: int = 0
    of_one_child: int = 0
    suggested: int = 0
    referrals_confirmed: int = 0
    referrals_suggested: int = 0


@dataclass
class Contact:
    """A contact: the referral that it began with, and the linked ones that it was split into."""

    root: str
    parts: list[Seen] = field(default_factory=list)
    """The one that it began with is the first."""
    entered: dict[str, datetime] = field(default_factory=dict)
    """When it first came to each stage; where that was entered later, when it happened."""
    rated_at: datetime | None = None
    """When it was first rated; the same."""
    earlier: Earlier = field(default_factory=Earlier)

    @property
    def received_at(self) -> datetime:
        """When it came in."""
        return datetime.fromisoformat(self.parts[0]["received_at"])

    @property
    def erased(self) -> bool:
        """Whether its people are erased: then nobody knows any more which contacts are about them."""
        return any(part["erased"] for part in self.parts)

    @property
    def subjects(self) -> Iterator[SeenSubject]:
        """Whom it is about, wherever their ways have led."""
        return (subject for part in self.parts for subject in part["subjects"].values())


_OF_PERIOD = (REFERRALS.c.hub == bindparam("hub"), REFERRALS.c.received_at >= bindparam("since"),
              REFERRALS.c.received_at < bindparam("until"))  # fmt: skip
_ROOTS = select(REFERRALS.c.reference).where(*_OF_PERIOD, REFERRALS.c.reference == REFERRALS.c.root)
_PARTS = (
    select(REFERRALS.c.root, REFERRALS.c.reference, REFERRALS.c.state)
    .where(REFERRALS.c.root.in_(bindparam("roots", expanding=True)))
    .order_by(REFERRALS.c.reference)
)
_REACHED = text("""
    SELECT reference, kind, said #>> '{event,stage}' AS stage,
        coalesce(CAST(coalesce(said #>> '{event,happened_at}', said ->> 'happened_at') AS timestamptz), at) AS at
    FROM (SELECT reference, kind, at, CAST(canonical AS json) AS said FROM event
        WHERE reference = ANY(:references) AND kind IN ('stage_entered', 'referral_rated') OFFSET 0) reached""")


def whole_weeks(first: date, last: date, now: datetime) -> Period:
    """The weeks, from Monday to Sunday in London, in which a day, another and those between them lie. Raises NotOver where the
    last is not over.

    A day's rows, or two takings minutes apart, would say which row is whose: references go up in the order of receipt.
    """
    today = day_of(now)
    sunday = today - timedelta(days=today.weekday() + 1)
    if last > sunday:
        raise NotOver(f"Choose a day to {sunday:%A} {sunday.day} {sunday:%B %Y}: only weeks that are over can be taken")
    begins, ends = first - timedelta(days=first.weekday()), last + timedelta(days=7 - last.weekday())
    return Period(*(datetime(day.year, day.month, day.day, tzinfo=LONDON) for day in (begins, ends)))


def days_of(period: Period) -> tuple[date, date]:
    """Its first and its last day, in London."""
    return day_of(period.since), day_of(period.until - timedelta(microseconds=1))


async def note_taken(store: Store, by: Actor, period: Period, form: str) -> int:
    """Write down that somebody takes the dataset of a period in a form, before any row of it is read; how many contacts of their
    hub it is about."""
    async with store.transaction(by) as connection:
        asked = {"hub": by.hub, **period._asdict()}
        number = int(await connection.scalar(select(func.count()).select_from(_ROOTS.subquery()), asked) or 0)
        first, last = days_of(period)
        why = f"dataset of {number} contacts, {first} to {last}, as {form}"
        await note_access(connection, store, None, by, LOOK, why)
    return number


async def contacts(store: Store, by: Actor, period: Period) -> AsyncIterator[list[Contact]]:
    """The contacts of somebody's own hub that came in in a period, week by week: within a week in no order, or their place would
    tell which reference is whose."""
    began = await began_at(store, by)
    if began is None:
        return
    for week in weeks(Period(max(began, period.since), min(store.time.now() + timedelta(seconds=1), period.until))):
        async with store.transaction(by) as connection:
            roots = list(await connection.scalars(_ROOTS, {"hub": by.hub, **week._asdict()}))
        secrets.SystemRandom().shuffle(roots)
        named = defaultdict[str, set[tuple[str, str]]](set)
        for contact, subject, other in await joined(store, by, *week) if roots else ():
            named[contact].add((subject, other))
        for at in range(0, len(roots), AT_A_TIME):
            yield await _read(store, by, roots[at : at + AT_A_TIME], named)


def weeks(period: Period) -> Iterator[Period]:
    """The weeks of a period, from Monday to Monday in London, the first and the last as far as they go."""
    begins = period.since
    while begins < period.until:
        day = begins.astimezone(LONDON)
        monday = datetime(day.year, day.month, day.day, tzinfo=LONDON) + timedelta(days=7 - day.weekday())
        yield Period(begins, min(monday, period.until))
        begins = monday


async def _read(store: Store, by: Actor, roots: Sequence[str], named: Mapping[str, set[tuple[str, str]]]) -> list[Contact]:
    async with store.transaction(by) as connection:
        parts = (await connection.execute(_PARTS, {"roots": roots})).all()
        reached = (await connection.execute(_REACHED, {"references": [part.reference for part in parts]})).all()
    # To read hundreds of states takes a while, in which others are served.
    found = await asyncio.to_thread(_put_together, roots, parts, reached)
    about = {root: About(confirmed=set(named.get(root, ()))) for root in roots}
    for root, contact in found.items():
        for part in contact.parts:
            about[root].add(part)
    others = {other for each in about.values() for other in each.sure | each.likely}
    known = {root: came_of(contact.parts[0]) for root, contact in found.items()}
    known |= await came_in(store, by, others - known.keys())
    for root, contact in found.items():
        contact.earlier = _earlier(root, about[root], known)
    return list(found.values())


def _put_together(roots: Sequence[str], parts: Sequence[Row[Any, Any, Any]], reached: Sequence[Row[Any]]) -> dict[str, Contact]:
    found, of = {root: Contact(root) for root in roots}, dict[str, Contact]()
    for part in parts:
        of[part.reference] = found[part.root]
        found[part.root].parts.append(seen(part.state))
    for row in reached:
        contact = of[row.reference]
        if row.kind == "referral_rated":
            contact.rated_at = min(contact.rated_at or row.at, row.at)
        else:
            contact.entered[row.stage] = min(contact.entered.get(row.stage, row.at), row.at)
    return found


def _earlier(root: str, about: About, came: Mapping[str, Came]) -> Earlier:
    sure, likely = (before(came, root, others) for others in (about.sure, about.likely))
    likely -= sure
    found = Earlier(len(sure), about.of_one_child(sure), len(likely))
    if not came[root].referral:
        return found
    return found._replace(
        referrals_confirmed=sum(came[other].referral for other in sure),
        referrals_suggested=sum(came[other].referral for other in likely),
    )
