"""Which contacts are about a child of another contact: one rule, for managers' figures and for the dataset."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, text

from mash.flows.store.reads.figures import Came, Seen
from mash.flows.store.store import Store
from mash.states.accumulation import contact_of
from mash.states.values import Actor

AGAIN = timedelta(days=365)
"""A re-referral is a referral within twelve months of another about the same child: children in need census."""
ANY = ""
"""Stands for the subjects of a contact where it is not said which of them a link is about."""


Joined = tuple[str, str, str]
"""A contact, one of its subjects, and another contact about the same child."""

# The child, and not what a case was told of it when it last looked: a closed case is not told what was confirmed since.
_JOINED = text("""
    SELECT r.root, mine.subject, other.reference FROM referral r
    JOIN identity mine ON mine.reference = r.reference
    JOIN identity other ON other.hub = mine.hub AND other.child = mine.child AND other.reference <> mine.reference
    WHERE r.hub = :hub AND mine.hub = :hub AND r.received_at BETWEEN :since AND :until""")


@dataclass
class Known:
    """A contact about a child of some before: when it came in (microseconds since 1970), whether it is a referral, and which came
    in within the twelve months before it, each with whether it is a referral."""

    at: int
    referral: bool
    others: dict[str, bool]


@dataclass
class About:
    """The other contacts that name a child of a contact, each with the subject whom it names: as people have confirmed (see
    `joined`), or have linked by hand; and as the software suggests."""

    confirmed: set[tuple[str, str]] = field(default_factory=set)
    suggested: set[tuple[str, str]] = field(default_factory=set)

    def add(self, referral: Seen) -> None:
        """What the state of a referral of this contact says: what is linked by hand, and what is suggested."""
        for match in referral["matches"]:
            # Somebody of the household is another person. What a state says is confirmed may have been taken back since the case
            # was closed, as it hears of neither.
            if match["other"] is not None and match["likeness"] == "likely":
                self.suggested.add((match["subject"], contact_of(match["reference"])))
        of_subjects = referral.get("linked_subjects", {})
        for other, relation in referral["links"].items():
            if relation == "same_child":
                self.confirmed |= {(subject, contact_of(other)) for subject in of_subjects.get(other, ()) or (ANY,)}

    @property
    def sure(self) -> set[str]:
        """The contacts that are about a child of this one as somebody has confirmed."""
        return {contact for _, contact in self.confirmed}

    @property
    def likely(self) -> set[str]:
        """Those of which the software suggests it."""
        return {contact for _, contact in self.suggested}

    def of_one_child(self, contacts: Collection[str]) -> int:
        """How many of these contacts are about one child of this one, as somebody has confirmed: about whom there are most."""
        of: dict[str, set[str]] = {}
        for subject, contact in self.confirmed:
            if contact in contacts:
                of.setdefault(subject, set()).add(contact)
        of_any = of.pop(ANY, set())
        return max((len(some | of_any) for some in of.values()), default=len(of_any))


def before(came: Mapping[str, Came], contact: str, others: Iterable[str]) -> set[str]:
    """Those of the others that came in within the twelve months before a contact; of those that are not in `came`, none. One
    whose people are erased is about nobody any more: it has none, and is none."""
    at, erased = came[contact].at, came[contact].erased
    found = (other for other in others if not erased and other in came and not came[other].erased)
    return {other for other in found if at - AGAIN <= came[other].at < at}


async def joined(store: Store, by: Actor, since: datetime, until: datetime) -> list[Joined]:
    """The contacts of somebody's own hub that are about a child of another one, as somebody has confirmed: of those that came in
    since then, until then."""
    async with store.transaction(by) as connection:
        rows = (await connection.execute(_JOINED, {"hub": by.hub, "since": since, "until": until})).all()
    pairs = ((row.root, row.subject, contact_of(row.reference)) for row in rows)
    return [(contact, subject, other) for contact, subject, other in pairs if other != contact]


async def confirmed_before(store: Store, by: Actor, since: datetime) -> dict[str, Known]:
    """The same as figures take it: of the contacts that came in since then, those before which others about the same child came
    in, within twelve months. Nobody of them is erased."""
    async with store.transaction(by) as connection:
        children = await connection.scalar(select(func.confirmed_children(since.astimezone(UTC) - AGAIN)))
    # Of tens of thousands that takes a while, in which others are served.
    return await asyncio.to_thread(_before, children or "", since)


def _before(children: str, since: datetime) -> dict[str, Known]:
    found, first, again = dict[str, Known](), since.timestamp() * 1_000_000, AGAIN.total_seconds() * 1_000_000
    for child in children.split("\n") if children else ():
        earlier = list[tuple[int, bool, str]]()
        for contact in child.split(" "):
            at, referral, root = int(contact[:16]), contact[16] == "+", contact[17:]
            others = {other: is_one for came, is_one, other in earlier if at - again <= came < at} if at >= first else None
            earlier.append((at, referral, root))
            if others:
                found.setdefault(root, Known(at, referral, {})).others.update(others)
    return found
