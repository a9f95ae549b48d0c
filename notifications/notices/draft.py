"""A notice before it is a message: to which role, of which kind, how urgent; and what became of a try to send it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, computed_field

ADMINISTRATOR = "administrator"
"""The role that looks after the installation."""
GOVERNANCE = "information_governance"
"""The role that examines who looked at what."""
URGENT = ("immediate_danger", "escalation")
"""Kinds that ask for an acknowledgement: their further channels are used while there is none."""
OF_CHILD = ("look_at_case",)
"""Kinds that are sent because a child is known: only those see that there is one who may find people."""
DANGER, RED, LATE, ORDINARY = range(4)


@dataclass(frozen=True)
class Tried:
    """What became of a try by one channel: whether it was taken, what Apprise said, without secrets, and for how many seconds the
    receiver wants to be left alone; what a service calls the message that says later whether it arrived; and whether it is of no
    use to try the same again."""

    taken: bool
    result: str
    retry_after: float | None = None
    sent_as: str | None = None
    final: bool = False


class NoticeDraft(BaseModel):
    """A notice as it is queued: to which role, of which kind, with which facts."""

    model_config = ConfigDict(frozen=True)

    reference: str | None
    hub: str
    kind: str
    role: str
    clock: str | None = None
    facts: dict[str, Any] = {}

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def urgency(self) -> int:
        """Its place in the queue: immediate danger; what is red and late, that somebody broke the glass, and a change that cannot
        wait; what is late; all else."""
        if self.kind == "immediate_danger":
            return DANGER
        if self.kind == "escalation":
            return RED if self.facts.get("red") else LATE
        return RED if self.kind == "glass_broken" or self.facts.get("urgent") else ORDINARY


class Over(BaseModel):
    """The cause of alerts is gone, or somebody has it: what is not sent yet is withdrawn, and whoever was alerted is told."""

    model_config = ConfigDict(frozen=True)

    reference: str
    hub: str
    clock: str
    kind: str
    role: str
    facts: dict[str, Any]
    urgency: int = ORDINARY
