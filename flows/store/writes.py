"""What a transaction is going to write, gathered referral by referral and written at once: a storm of clocks is one batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.keys import digest, seal
from mash.flows.store.store import as_json
from mash.notifications.notices import REFERRER, URGENT, NoticeDraft, Over, notices_for, over_for
from mash.states.acts.information import GlassBroken, InformationReleased
from mash.states.course import AlertSeen
from mash.states.decide import Decision
from mash.states.errors import VersionConflict
from mash.states.firewall import taking_part
from mash.states.log import SCHEMA, Recorded
from mash.states.profile import Profile
from mash.states.referral import Referral
from mash.states.values import Actor, Words

CHANNEL = "mash_wake"
"""Where NOTIFY tells the worker that runs are behind, or that notices wait."""
_STANDING = "version, head_hash, state, stage, rating, is_open, finished, due_at, next_at, urgency"
QUEUED = "reference, hub, kind, role, clock, facts, created_at, status, tries, next_try_at, urgency"
# One statement, for one referral as for a storm of them: a round trip costs more than what is written. The rows are locked; the
# version is what decides all the same.
_WRITE = text(f"""
    WITH keys AS (
        INSERT INTO referral_key (reference, wrapped, hub, master)
        SELECT reference, wrapped, hub, master FROM json_populate_recordset(NULL::referral_key, CAST(:keys AS json))),
    items AS (
        INSERT INTO personal_item SELECT * FROM json_populate_recordset(NULL::personal_item, CAST(:items AS json))),
    released AS (
        UPDATE personal_item SET release_state = 'released' WHERE id = ANY (CAST(:released AS uuid[]))),
    begun AS (
        INSERT INTO referral (reference, root, hub, caller, received_at, {_STANDING})
        SELECT reference, root, hub, caller, received_at, {_STANDING}
        FROM json_populate_recordset(NULL::referral, CAST(:begun AS json))),
    changed AS (
        UPDATE referral r SET ({_STANDING}) = ROW ({", ".join("n." + name for name in _STANDING.split(", "))})
        FROM json_populate_recordset(NULL::referral, CAST(:changed AS json)) n
        JOIN json_to_recordset(CAST(:changed AS json)) AS before (reference text, seen integer) USING (reference)
        WHERE r.reference = n.reference AND r.version = before.seen RETURNING 1),
    events AS (
        INSERT INTO event SELECT * FROM json_populate_recordset(NULL::event, CAST(:events AS json))),
    notices AS (
        INSERT INTO notice ({QUEUED})
        SELECT {QUEUED} FROM json_populate_recordset(NULL::notice, CAST(:notices AS json))),
    parties AS (
        INSERT INTO participant (reference, party, hub, person, until)
        SELECT reference, party, hub, person, until
        FROM json_populate_recordset(NULL::participant, CAST(:parties AS json)) ON CONFLICT DO NOTHING),
    people AS (
        INSERT INTO known_person (reference, hub, subject, tokens, born)
        SELECT reference, hub, subject, tokens, born FROM json_populate_recordset(NULL::known_person, CAST(:people AS json)))
    SELECT (SELECT count(*) FROM changed), pg_notify('{CHANNEL}', '')""")  # noqa: S608  constants of ours

# What has not been sent yet is withdrawn, a message that waits for its next channel stops there, and whoever was alerted is told.
_END = text(f"""
    WITH ended AS (
        SELECT * FROM json_populate_recordset(NULL::notice, CAST(:over AS json))),
    locked AS (  -- in the order in which the outbox locks them
        SELECT n.id FROM notice n JOIN ended e ON n.reference = e.reference AND n.clock = e.clock
        WHERE n.role <> '{REFERRER}' AND n.status IN ('queued', 'delivered')
            AND (e.kind = 'all_clear' OR n.kind = ANY (CAST(:urgent AS text[]))) AND NOT n.over
        ORDER BY n.id FOR UPDATE OF n),
    withdrawn AS (
        UPDATE notice n SET status = CASE WHEN n.delivered_at IS NULL THEN 'withdrawn' ELSE 'delivered' END,
            step_at = NULL, next_try_at = NULL, over = true, ended = CASE WHEN n.delivered_at IS NULL THEN (
                SELECT to_json(e)::text FROM ended e WHERE e.reference = n.reference AND e.clock = n.clock LIMIT 1) END
        FROM locked WHERE n.id = locked.id)
    INSERT INTO notice ({QUEUED}, person)
    SELECT DISTINCT ON (e.reference, e.clock, n.role, n.person)
        {", ".join("e." + name if name != "role" else "n.role" for name in QUEUED.split(", "))}, n.person
    FROM ended e JOIN notice n ON n.reference = e.reference AND n.clock = e.clock
    WHERE n.kind = ANY (CAST(:urgent AS text[])) AND n.delivered_at IS NOT NULL
        AND (e.kind = 'all_clear' OR n.role <> e.role)""")  # noqa: S608  constants of ours

# Whoever saw an alert by its link is not called by further channels of theirs meanwhile.
_SEEN = text("""
    UPDATE notice n SET step_at = GREATEST(n.step_at, s.until)
    FROM json_to_recordset(CAST(:seen AS json)) AS s (reference text, clock text, until timestamptz)
    WHERE n.reference = s.reference AND n.clock = s.clock AND n.step_at IS NOT NULL""")


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
    """The rows of one transaction."""

    keys: list[dict[str, Any]] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    begun: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    notices: list[dict[str, Any]] = field(default_factory=list)
    over: list[dict[str, Any]] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)
    parties: list[dict[str, Any]] = field(default_factory=list)
    people: list[dict[str, Any]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)

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

    def append(self, standing: Standing, decision: Decision, profile: Profile, by: Actor, now: datetime) -> Referral:
        """Add what was decided to a referral's log, with all that follows from it; returns the referral as it will be."""
        before, events = standing.referral, decision.events
        if not events:
            if before is None:
                raise ValueError("a referral begins with an event")
            return before
        after = decision.after
        head = self._log(standing, decision, profile.name, by, now)
        self._state(standing, after, head, urgency(after, profile))
        joining = taking_part(after, profile) - (taking_part(before, profile) if before else set())
        for party in sorted(joining):
            self._take_part(standing.reference, profile.name, party)
        for draft in notices_for(standing.reference, before, after, events, profile, now):
            self.notices.append(queued(draft, now))
        for over in over_for(standing.reference, before, after, events, profile, by):
            self.over.append(queued(over, now))
        return after

    def _log(self, standing: Standing, decision: Decision, hub: str, by: Actor, now: datetime) -> str:
        """Chain the events to a referral's log, with what they change beside it; returns the hash of the last."""
        head = standing.head
        for event, referral in zip(decision.events, decision.states, strict=True):
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
                    "hub": hub,
                    "kind": event.kind,
                    "at": now,
                    "canonical": canonical,
                    "hash": head,
                }
            )
            if isinstance(event, InformationReleased):
                self._release(event.redacted.item if event.redacted else event.item)
            if isinstance(event, AlertSeen):
                self.seen.append({"reference": standing.reference, "clock": event.id, "until": event.until})
            if isinstance(event, GlassBroken):
                self._take_part(standing.reference, hub, event.agency, by.id, event.until)
        return head

    def _state(self, standing: Standing, referral: Referral, head: str, urgent: int) -> None:
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
            self.changed.append({"reference": standing.reference, "seen": standing.referral.version, **values})
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

    def _take_part(self, reference: str, hub: str, party: str, person: str = "", until: datetime | None = None) -> None:
        self.parties.append({"reference": reference, "party": party, "hub": hub, "person": person, "until": until})

    def _release(self, item: str) -> None:
        new = next((row for row in self.items if row["id"] == item), None)
        if new:
            new["release_state"] = "released"
        else:
            self.released.append(item)

    async def flush(self, connection: AsyncConnection) -> None:
        """Write it. Raises VersionConflict when somebody was quicker with one of the referrals."""
        if not self.events:
            return
        named = ("keys", "items", "begun", "changed", "events", "notices", "parties", "people")
        rows = {name: as_json(getattr(self, name)) for name in named}
        done = (await connection.execute(_WRITE, {**rows, "released": self.released})).one()
        if done[0] != len(self.changed):
            raise VersionConflict("somebody was quicker: look again, then decide", version=None)
        if self.over:
            await connection.execute(_END, {"over": as_json(self.over), "urgent": list(URGENT)})
        if self.seen:
            await connection.execute(_SEEN, {"seen": as_json(self.seen)})


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
