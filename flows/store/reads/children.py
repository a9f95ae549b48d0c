"""Children in, and where each of them is: no one is lost, nobody is without an owner, and nothing has ended that no person saw.

Whoever a contact is about is counted, as they were when it came in; who they are, nothing here knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.rotas import read_rotas
from mash.flows.store.store import Store
from mash.flows.store.tables import REFERRALS
from mash.notifications.rota import Rota
from mash.states.profile import Profile
from mash.states.referral import Referral

_CAME = text("""
    SELECT coalesce(sum(CASE kind
        WHEN 'contact_received' THEN json_array_length(canonical::json -> 'event' -> 'subjects')
        WHEN 'subject_added' THEN 1
        ELSE -1 END), 0)
    FROM event WHERE kind IN ('contact_received', 'subject_added', 'subject_removed')""")
"""What the log says of whom contacts were about, and who was added or taken out since: apart from the states that are counted."""
_ENDED = text("""
    SELECT r.reference, s.key AS subject, r.stage, s.value ->> 'ended_by' AS ended_by
    FROM referral r, json_each(r.state::json -> 'subjects') s WHERE NOT r.is_open""")
SYSTEM = "system"


@dataclass
class Children:
    """The counts of a moment; what is wrong is said case by case, by reference and number."""

    came: int
    open: int = 0
    ended: int = 0
    owned: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By hub, role and login: of how many of those who are open it is that role's turn, and who has them by name; no login where
    their case is allocated to nobody."""
    names: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    """Who is on duty in such a role now; empty where the rota names nobody."""
    without_owner: list[str] = field(default_factory=list)
    """Of whom it is nobody's turn, or who are waited for without a date."""
    unseen: list[str] = field(default_factory=list)
    """Whose case has ended by no person. What software ended before a person had to confirm it is not among them."""

    @property
    def wrong(self) -> str:
        """What does not add up, in a sentence; empty where all does."""
        found = []
        if self.came != self.open + self.ended:
            found.append(f"contacts were about {self.came} people, {self.ended} have an end and {self.open} are open")
        for what, cases in (("nobody's turn, or without a date", self.without_owner), ("ended by no person", self.unseen)):
            if cases:
                found.append(f"{what}: {', '.join(cases[:MOST_NAMED])}{' and more' if len(cases) > MOST_NAMED else ''}")
        return "; ".join(found)

    def owners(self) -> Iterator[str]:
        """Whose turn it is, for how many, in a line for each role of each hub, and each person to whom cases are allocated."""
        for (hub, role, worker), number in sorted(self.owned.items()):
            who = f"allocated to {worker}" if worker else ", ".join(self.names[hub, role]) or "nobody on duty now"
            yield f"{hub}: {number} with the {role.replace('_', ' ')} ({who})"


MOST_NAMED = 10


async def children(store: Store) -> Children:
    """The counts of this moment."""
    rotas = await read_rotas(store)
    async with store.single.connect() as connection:
        # One moment for all: who comes in between two statements would look like a loss.
        await connection.execution_options(isolation_level="REPEATABLE READ")
        found = Children(came=int(await connection.scalar(_CAME) or 0))
        await _count_open(connection, found)
        await _count_ended(connection, found)
    for hub, role, _ in found.owned:
        found.names[hub, role] = _on_duty(rotas.get(hub), store.hubs.get(hub), role, store.time.now())
    return found


async def _count_open(connection: AsyncConnection, found: Children) -> None:
    query = select(REFERRALS.c.hub, REFERRALS.c.reference, REFERRALS.c.state).where(REFERRALS.c.is_open)
    for row in (await connection.execute(query)).all():
        referral = Referral.model_validate_json(row.state)
        for sid, subject in referral.subjects.items():
            if subject.outcome is not None:
                _ended(found, f"{row.reference} {sid}", referral.stage, subject.ended_by)
                continue
            found.open += 1
            if referral.owner is None or referral.due_at is None:
                found.without_owner.append(f"{row.reference} {sid}")
            else:
                found.owned[row.hub, referral.owner, referral.worker.login if referral.worker else ""] += 1


async def _count_ended(connection: AsyncConnection, found: Children) -> None:
    for row in (await connection.execute(_ENDED)).all():
        _ended(found, f"{row.reference} {row.subject}", row.stage, row.ended_by)


def _ended(found: Children, who: str, stage: str, ended_by: str | None) -> None:
    found.ended += 1
    # Until a person had to confirm it, a contact that a hub did not take ended at receipt: those stay as they were.
    if ended_by in (None, SYSTEM) and stage != "not_taken":
        found.unseen.append(who)


def _on_duty(rota: Rota | None, profile: Profile | None, role: str, now: datetime) -> tuple[str, ...]:
    """Who has a role's cases by name: whoever is on duty in it, or stands in for it while the hub is closed."""
    if rota is None or profile is None:
        return ()
    stands_in = profile.on_duty(role, now) if role == profile.ladder[0].role else role
    return tuple(each.person for each in rota.on_duty(stands_in, now, profile.calendar))
