"""What a transaction is going to write, gathered referral by referral and written at once: a storm of clocks is one batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.store import as_json
from mash.flows.store.tables import EVENTS, ITEMS, NOTICES, REFERRALS, WAKE_UPS
from mash.notifications.wording import notices_for
from mash.states.commands import Actor
from mash.states.errors import VersionConflict
from mash.states.events import SCHEMA, Event, InformationReleased, Recorded
from mash.states.profile import Profile
from mash.states.referral import Referral, evolve

CHANNEL = "mash_wake"
"""Where NOTIFY tells the worker that wake-ups or notices wait."""
_WAKE = text(f"SELECT pg_notify('{CHANNEL}', '')")
# The rows are locked; the version is what decides all the same.
_CHANGE = update(REFERRALS).where(REFERRALS.c.reference == bindparam("of"), REFERRALS.c.version == bindparam("seen"))
_RELEASE = update(ITEMS).where(ITEMS.c.id == bindparam("item")).values(release_state="released")


@dataclass
class Standing:
    """A locked referral: what is needed to append to its log."""

    reference: str
    root: str
    caller: str
    referral: Referral | None
    head: str


def urgency(referral: Referral, profile: Profile) -> int:
    """How urgent a referral's wake-up is: 0 for its hub's most urgent rating, less for each place below it."""
    return -profile.place(referral.rating)


@dataclass
class Writes:
    """The rows of one transaction."""

    begun: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    notices: list[dict[str, Any]] = field(default_factory=list)
    wake_ups: list[dict[str, Any]] = field(default_factory=list)
    released: list[dict[str, Any]] = field(default_factory=list)

    def append(self, standing: Standing, events: list[Event], profile: Profile, by: Actor, now: datetime) -> Referral:
        """Add these events to a referral's log, with all that follows from them; returns the referral as it will be."""
        referral, head = standing.referral, standing.head
        for event in events:
            referral = evolve(referral, event, now, by)
            recorded = Recorded(
                reference=standing.reference,
                sequence=referral.version,
                at=now,
                by=by,
                profile=referral.profile,
                schema_number=SCHEMA,
                event=event,
                previous=head,
            )
            canonical = recorded.canonical()
            head = Recorded.digest(canonical)
            self.events.append(
                {
                    "reference": standing.reference,
                    "sequence": referral.version,
                    "kind": event.kind,
                    "at": now,
                    "canonical": canonical,
                    "hash": head,
                }
            )
            if isinstance(event, InformationReleased):
                self.released.append({"item": UUID(event.redacted.item if event.redacted else event.item)})
        if referral is None:
            raise ValueError("a referral begins with an event")
        if events:
            self._state(standing, referral, head)
            self.wake_ups.append({"reference": standing.reference, "urgency": urgency(referral, profile)})
            for draft in notices_for(standing.reference, standing.referral, referral, events, profile, now):
                self.notices.append(
                    {
                        **draft.model_dump(exclude={"facts"}),
                        "facts": as_json(draft.facts),
                        "created_at": now,
                        "status": "queued",
                        "tries": 0,
                        "next_try_at": datetime.now(UTC),
                    }
                )
        return referral

    def _state(self, standing: Standing, referral: Referral, head: str) -> None:
        values = {
            "version": referral.version,
            "head_hash": head,
            "state": referral.model_dump_json(),
            "stage": referral.stage,
            "rating": referral.rating,
            "is_open": referral.open,
            "finished": referral.finished,
            "due_at": referral.due_at,
            "next_at": referral.next_at,
        }
        if standing.referral is not None:
            self.changed.append({"of": standing.reference, "seen": standing.referral.version, **values})
            return
        self.begun.append(
            {
                "reference": standing.reference,
                "root": standing.root,
                "hub": referral.hub,
                "caller": standing.caller,
                "received_at": referral.received_at,
                **values,
            }
        )

    async def flush(self, connection: AsyncConnection) -> None:
        """Write it. Raises VersionConflict when somebody was quicker with one of the referrals."""
        if not self.events:
            return
        if self.begun:
            await connection.execute(insert(REFERRALS), self.begun)
        if self.changed:
            done = await connection.execute(_CHANGE, self.changed)
            if done.rowcount != len(self.changed):
                raise VersionConflict("somebody was quicker: look again, then decide", version=None)
        await connection.execute(insert(EVENTS), self.events)
        if self.notices:
            await connection.execute(insert(NOTICES), self.notices)
        if self.released:
            await connection.execute(_RELEASE, self.released)
        await connection.execute(insert(WAKE_UPS), self.wake_ups)
        await connection.execute(_WAKE)
