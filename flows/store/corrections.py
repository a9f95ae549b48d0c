"""Details that put a person right, on their way in: sealed as an item of the same kind, which supersedes the one before; and by
what people are found from then on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.details import (
    FIELDS,
    OF_A_BIRTH,
    Kind,
    age_of,
    demand_consistent,
    expected_week,
    flags_of,
    put_right,
    reached,
    upn_instead,
)
from mash.flows.store.keys import unseal
from mash.flows.store.names import NAMED, people
from mash.flows.store.store import Store, as_json
from mash.flows.store.tables import ITEMS
from mash.flows.store.writes import Item, Writes
from mash.states.acts.birth import BirthRecorded, RecordBirth
from mash.states.acts.corrections import (
    AddSubject,
    CorrectDetails,
    CorrectReferrer,
    DetailsCorrected,
    RecordHousehold,
    SubjectAdded,
    SubjectRemoved,
    next_subject,
)
from mash.states.clocks import day_of
from mash.states.decide import Decision
from mash.states.errors import Incomplete
from mash.states.messages import Command, StaffCommand
from mash.states.referral import Referral
from mash.states.values import Actor, Details

RENAMES = (DetailsCorrected, SubjectAdded, SubjectRemoved, BirthRecorded)
"""The events after which people of a case are found by something else, or not any more."""
WITH_DETAILS = (CorrectDetails, CorrectReferrer, AddSubject, RecordBirth, RecordHousehold)
OF_PEOPLE = (*NAMED, "referrer")
Given = Mapping[str, Any]
"""Details by field, as somebody gave them; a field without anything in it: there is none."""


@dataclass
class Correcting:
    """A case in which somebody is put right, within the transaction in which they are."""

    reference: str
    referral: Referral
    key: bytes
    items: list[Row[Any]]
    """Its people and whoever referred, as they were before."""

    @classmethod
    async def of(cls, connection: AsyncConnection, reference: str, referral: Referral, key: bytes) -> Correcting:
        """Read what is stored of the people of a case, whom the database shows to whoever acts."""
        query = select(ITEMS).where(ITEMS.c.reference == reference, ITEMS.c.kind.in_(OF_PEOPLE))
        rows = (await connection.execute(query.order_by(ITEMS.c.created_at, ITEMS.c.id))).all()
        return cls(reference, referral, key, list(rows))

    def sealed(self, command: StaffCommand | Command, given: Given, writes: Writes, by: Actor, now: datetime) -> Details:
        """Keep the details that came with a command, and say what they stand for. Raises Incomplete for somebody who is not
        there, and for fields that nobody of their kind has."""
        kind, subject, before = self._whose(command)
        what, fields = ("birth", OF_A_BIRTH) if isinstance(command, RecordBirth) else (kind, FIELDS[kind])
        if foreign := [name for name in given if name not in fields]:
            raise Incomplete(f"these are no details of a {what}: {', '.join(foreign)}; expected some of {', '.join(fields)}")
        right, changed = put_right(self._fields(before) if before else {}, given)
        if kind == "referrer":
            right = reached(right)
        today = day_of(now)
        if isinstance(command, CorrectDetails):
            right, changed = upn_instead(right, changed)
            demand_consistent(right, changed, today)
        age = age_of(right, today) if kind == "subject" else None
        flags = flags_of(kind, right, today)
        (stored,) = writes.keep(self.reference, self.key, [Item(kind, as_json(right).encode(), subject)], by, now)
        return Details(
            stored=stored,
            kind=kind,
            subject=subject,
            before=str(before.id) if before else None,
            changed=changed,
            flags=flags,
            age=age,
            expected_week=expected_week(right, age),
            reachable=kind == "referrer" and "referrer_not_reachable" not in flags,
        )

    def _whose(self, command: StaffCommand | Command) -> tuple[Kind, str | None, Row[Any] | None]:
        """Of which kind the details are, of which subject, and what stood there before."""
        there = [row for row in self.items if self.referral.stands(str(row.id), row.subject)]
        if isinstance(command, AddSubject):
            return "subject", next_subject(self.referral, self.reference), None
        if isinstance(command, RecordHousehold):
            return "household", None, None
        if isinstance(command, CorrectReferrer):
            return "referrer", None, next((row for row in there if row.kind == "referrer"), None)
        asked = command.item if isinstance(command, CorrectDetails) else getattr(command, "subject", "")
        row = next((row for row in there if row.kind in NAMED and asked in (str(row.id), row.subject)), None)
        if row is None and asked not in self.referral.subjects:
            raise Incomplete("nobody of this case has that item now: name it by its id (item), or a subject by number")
        return ("household", None, row) if row and row.kind == "household" else ("subject", row.subject if row else asked, row)

    def _fields(self, row: Row[Any]) -> dict[str, Any]:
        content = json.loads(unseal(AESGCM(self.key), row.sealed, self.reference))
        return content if isinstance(content, dict) else {}

    def found_by(self, store: Store, decision: Decision, details: Details | None, writes: Writes, hub: str) -> None:
        """Have the people of the case found by what they are called from now on, where they are called something else."""
        if not any(isinstance(event, RENAMES) for event in decision.events):
            return
        cipher, after = AESGCM(self.key), decision.after
        rows = [(str(row.id), row.kind, row.subject, row.sealed) for row in self.items]
        if details is not None:
            new = next(item for item in writes.items if item["id"] == details.stored.item)
            rows.append((new["id"], new["kind"], new["subject"], bytes.fromhex(new["sealed"].removeprefix("\\x"))))
        named = [
            Item(kind, unseal(cipher, sealed, self.reference), subject)
            for item, kind, subject, sealed in rows
            if kind in NAMED and after.stands(item, subject)
        ]
        found = people(store.keyring.search, self.reference, hub, named)
        writes.renamed.append({"reference": self.reference, "hub": hub, "people": found})
