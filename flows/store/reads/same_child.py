"""Which contacts are about a child of another contact: one rule, for managers' figures and for the dataset."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import text

from mash.flows.store.reads.figures import Came, Seen, came_as
from mash.flows.store.store import Store
from mash.states.accumulation import contact_of
from mash.states.values import Actor

AGAIN = timedelta(days=365)
"""A re-referral is a referral within twelve months of another about the same child: children in need census."""
ANY = ""
"""Stands for the subjects of a contact where it is not said which of them a link is about."""


class Joined(NamedTuple):
    """A contact, one of its subjects, and another contact about the same child that came in within the twelve months before; and
    when each came in."""

    contact: str
    subject: str
    other: str
    came: Came
    other_came: Came


# The child, and not what a case was told of it when it last looked: a closed case is not told what was confirmed since.
_JOINED = text("""
    SELECT r.root, mine.subject, o.root AS other, r.received_at, coalesce(r.counted_as, counted_as(r.state)) AS counted_as,
        o.received_at AS other_at, coalesce(o.counted_as, counted_as(o.state)) AS other_as
    FROM referral r
    JOIN identity mine ON mine.reference = r.reference
    JOIN identity other ON other.hub = mine.hub AND other.child = mine.child AND other.reference <> mine.reference
    JOIN referral o ON o.reference = other.reference
    WHERE r.hub = :hub AND mine.hub = :hub AND o.hub = :hub AND r.received_at BETWEEN :since AND :until
        AND o.received_at >= r.received_at - CAST(:again AS interval) AND o.received_at < r.received_at AND o.root <> r.root""")


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
    """The contacts of somebody's own hub that are about a child of one before, as somebody has confirmed: of those that came in
    since then, until then."""
    async with store.transaction(by) as connection:
        asked = {"hub": by.hub, "since": since, "until": until, "again": AGAIN}
        rows = (await connection.execute(_JOINED, asked)).all()
    return [
        Joined(row.root, row.subject, row.other, came_as(row.received_at, row.counted_as), came_as(row.other_at, row.other_as))
        for row in rows
    ]
