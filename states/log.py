"""Events as they stand in the log: what, when, who, under which version of the hub's rules, chained to the one before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from pydantic import ConfigDict, Field, TypeAdapter

from mash.states.clocks import Frozen
from mash.states.decide import Decision
from mash.states.messages import Event
from mash.states.values import Actor

SCHEMA = 1
"""The schema number written with new events."""
RULES_EDITION = 1
"""The edition of the rules of deciding, written with new events: raised whenever a command leads to other events than before.
Histories of the present one are decided again, and have to come out the same; of what is older, that is not asked."""


class Recorded(Frozen):
    """An event as it stands in the log."""

    model_config = ConfigDict(serialize_by_alias=True)

    reference: str
    sequence: int
    at: datetime
    happened_at: datetime | None = Field(default=None, exclude_if=lambda at: at is None)
    """When it happened, where whoever entered it said that this was before."""
    by: Actor
    profile: str
    schema_number: int
    edition: int | None = Field(default=None, exclude_if=lambda edition: edition is None)
    """The edition of the rules that decided it; None before there was a number."""
    act: str | None = Field(default=None, exclude_if=lambda act: act is None)
    """The kind of the command that caused it and what follows it, up to the next one that names another; on the first of them."""
    event: Event
    previous: str

    def canonical(self) -> str:
        """The exact text that is stored and hashed."""
        return self.model_dump_json()

    @staticmethod
    def digest(canonical: str) -> str:
        """The hash of stored canonical text; it covers the hash of the event before, which the text holds."""
        return hashlib.sha256(canonical.encode()).hexdigest()


RECORDED: TypeAdapter[Recorded] = TypeAdapter(Recorded)
GENESIS = "0" * 64
"""The `previous` of a referral's first event."""


class Link(NamedTuple):
    """An event of a chain: as it is read, as it is stored, and its hash."""

    recorded: Recorded
    canonical: str
    hash: str


def chained(
    reference: str, decision: Decision, by: Actor, at: datetime, head: str, happened_at: datetime | None = None
) -> Iterator[Link]:
    """What was decided, as it is added to a log whose last event has the hash `head`."""
    for event, referral, act in zip(decision.events, decision.states, decision.acts, strict=True):
        recorded = Recorded(
            reference=reference,
            sequence=referral.version,
            at=at,
            happened_at=happened_at,
            by=by,
            profile=referral.profile,
            schema_number=SCHEMA,
            edition=RULES_EDITION,
            act=act,
            event=event,
            previous=head,
        )
        canonical = recorded.canonical()
        head = Recorded.digest(canonical)
        yield Link(recorded, canonical, head)
