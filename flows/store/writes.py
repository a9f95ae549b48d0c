"""What a transaction is going to write, gathered referral by referral and written at once: a storm of clocks is one batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.acting import signer_of
from mash.flows.store.keys import digest, seal
from mash.flows.store.seals import PART, seal_of
from mash.flows.store.store import as_json
from mash.notifications.notices import URGENT, NoticeDraft, Over, notices_for, over_for
from mash.states.acts.information import GlassBroken, InformationReleased
from mash.states.decide import Decision
from mash.states.firewall import taking_part
from mash.states.log import chained
from mash.states.profile import Profile
from mash.states.referral import Referral
from mash.states.values import Actor, Words

CHANNEL = "mash_wake"
"""Where NOTIFY tells the worker that runs are behind, or that notices wait."""
QUEUED = "reference, hub, kind, role, clock, facts, created_at, status, tries, next_try_at, urgency"
_WRITE = text("SELECT write_referrals(:document, :signature)")


@dataclass(frozen=True)
class Item:
    """Something personal to keep: what kind, about which subject, and the words or JSON."""

    kind: str
    content: bytes
    subject: str | None = None
    sensitivity: Literal["sensitive", "not_sensitive", "not_stated"] = "not_stated"


@dataclass
class Standing:
    """A locked referral: what is needed to append to its log."""

    reference: str
    root: str
    caller: str
    referral: Referral | None
    head: str


def urgency(referral: Referral, profile: Profile) -> int:
    """How urgently a referral's run is carried: 0 for its hub's most urgent rating, less for each place below it."""
    return -profile.place(referral.rating)


@dataclass
class Writes:
    """The rows of one transaction; those that let somebody into a case are sealed by `rows_key`."""

    rows_key: bytes = field(repr=False)
    keys: list[dict[str, Any]] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    begun: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    notices: list[dict[str, Any]] = field(default_factory=list)
    over: list[dict[str, Any]] = field(default_factory=list)
    parties: list[dict[str, Any]] = field(default_factory=list)
    people: list[dict[str, Any]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    renamed: list[dict[str, Any]] = field(default_factory=list)
    """Cases whose people are found by something else from now on, each with the rows by which they are."""

    def keep(self, reference: str, key: bytes, items: list[Item], by: Actor, now: datetime) -> list[Words]:
        """Encrypt personal items under the referral's key; returns what the log says of them, in the same order."""
        cipher, words = AESGCM(key), []
        for item in items:
            words.append(Words(item=str(uuid4()), hmac=digest(key, item.content)))
            self.items.append(
                {
                    "id": words[-1].item,
                    "reference": reference,
                    "hub": by.hub,
                    "kind": item.kind,
                    "subject": item.subject,
                    "owner_agency": by.agency,
                    "sensitivity": item.sensitivity,
                    "release_state": "held",
                    "created_at": now,
                    "created_by": by.id,
                    "sealed": as_bytea(seal(cipher, item.content, reference)),
                }
            )
        return words

    def append(
        self,
        standing: Standing,
        decision: Decision,
        profile: Profile,
        by: Actor,
        now: datetime,
        happened_at: datetime | None = None,
    ) -> Referral:
        """Add what was decided to a referral's log, with all that follows from it; returns the referral as it will be.
        `happened_at` is when it was done, where that was before."""
        before, events = standing.referral, decision.events
        if not events:
            if before is None:
                raise ValueError("a referral begins with an event")
            return before
        after = decision.after
        head = self.log(standing, decision, profile.name, by, now, happened_at)
        self.state(standing, after, head, urgency(after, profile))
        joining = taking_part(after, profile) - (taking_part(before, profile) if before else set())
        for party in sorted(joining):
            self.take_part(standing.reference, profile.name, party)
        for draft in notices_for(standing.reference, before, after, events, profile, by, now):
            self.notices.append(queued(draft, now))
        for over in over_for(standing.reference, after, events, profile, by):
            self.over.append(queued(over, now))
        return after

    def log(
        self, standing: Standing, decision: Decision, hub: str, by: Actor, now: datetime, happened_at: datetime | None = None
    ) -> str:
        """Chain the events to a referral's log, with what they change beside it; returns the hash of the last."""
        head = standing.head
        for link in chained(standing.reference, decision, by, now, head, happened_at):
            event, head = link.recorded.event, link.hash
            self.events.append(
                {
                    "reference": standing.reference,
                    "sequence": link.recorded.sequence,
                    "hub": hub,
                    "kind": event.kind,
                    "at": now,
                    "canonical": link.canonical,
                    "hash": head,
                }
            )
            if isinstance(event, InformationReleased):
                self._release(event.redacted.item if event.redacted else event.item)
            if isinstance(event, GlassBroken):
                self.take_part(standing.reference, hub, event.agency, by.id, event.until)
        return head

    def state(self, standing: Standing, referral: Referral, head: str, urgent: int) -> None:
        """Add what a referral is now, whose log ends with this hash."""
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
            "urgency": urgent,
        }
        if standing.referral is not None:
            self.changed.append({"reference": standing.reference, **values})
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

    def take_part(self, reference: str, hub: str, party: str, person: str = "", until: datetime | None = None) -> None:
        """Let somebody take part in a case."""
        row = {"reference": reference, "party": party, "hub": hub, "person": person, "until": until}
        self.parties.append({**row, "seal": seal_of(self.rows_key, PART, row)})

    def _release(self, item: str) -> None:
        new = next((row for row in self.items if row["id"] == item), None)
        if new:
            new["release_state"] = "released"
        else:
            self.released.append(item)

    async def flush(self, connection: AsyncConnection) -> None:
        """Write it; the database compares it with the log first. The referrals are locked."""
        if not self.events:
            return
        rows = {name: rows for name, rows in vars(self).items() if name != "rows_key"}
        document = as_json({**rows, "urgent": URGENT})
        signed = {"document": document, "signature": signer_of(connection).sign("write", document)}
        await connection.execute(_WRITE, signed)


def queued(notice: NoticeDraft | Over, now: datetime) -> dict[str, Any]:
    """A notice as a row that waits to be sent."""
    return {
        **notice.model_dump(exclude={"facts"}),
        "facts": as_json(notice.facts),
        "created_at": now,
        "status": "queued",
        "tries": 0,
        "next_try_at": datetime.now(UTC),
    }


def as_bytea(content: bytes) -> str:
    """Bytes as PostgreSQL reads them from JSON."""
    return f"\\x{content.hex()}"
