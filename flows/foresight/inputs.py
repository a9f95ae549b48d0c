"""What a simulation of a hub goes by: what was learnt of its contacts, agencies and people, each with what it rests on."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime
from typing import Literal

from mash.states.acts.contact import ReceiveContact
from mash.states.clocks import Frozen
from mash.states.profile import Outcome

FEWEST = 20
"""From fewer than so many nothing is learnt: an assumption stands in, and is named."""
ASSUMED = {
    "triage": 20.0,
    "decision": 30.0,
    "sign_off": 10.0,
    "consultation": 20.0,
    "to_confirm_not_ours": 10.0,
    "attaching": 10.0,
}
"""Minutes that somebody is at a piece of work of which too little is on record; ours."""
SOME_MINUTES = 15.0
"""The same for any other."""


class Waiting(Frozen):
    """How long something is waited for: after how many hours which share is still waited for. What was still open when it was
    last looked at counts for as long as it was seen to wait (Kaplan and Meier's estimate)."""

    hours: tuple[float, ...] = ()
    still: tuple[float, ...] = ()
    while_open: bool = False
    """Whether the hours are the hub's opening hours: most of it came within them."""
    asked: int = 0
    came: int = 0

    def after(self, number: float) -> float | None:
        """Within how many hours it comes, by a drawn number; None where it never does."""
        place = bisect_left(self.still, number - 1.0, key=lambda share: -share)
        return self.hours[place] if place < len(self.hours) else None


PATIENT = Waiting(hours=(8.0,), still=(0.0,), while_open=True)
"""How long a hub waits on for an answer that is late, where too little is on record of that: a day of its hours; ours."""


class Past(Frozen):
    """A contact of the hub's past, as codes: what came, how it was rated and rated again, whom it was asked about, what was
    decided."""

    contact: ReceiveContact
    not_taken: bool = False
    advice: bool = False
    """Whether the consultation ended in advice."""
    attached: str | None = None
    """The stage in which it was added to the open case of the same child, and ended as a contact of its own."""
    rating: str | None = None
    rerated: tuple[tuple[float, str], ...] = ()
    """So many hours after the first rating, to what."""
    asked: tuple[str, ...] = ()
    outcomes: dict[str, Outcome] = {}
    """What was decided first, by subject; before an assessment and all else that a decision leads to."""


class Turn(Frozen):
    """Somebody of a role is there: a number for the person, and from when until when."""

    role: str
    person: str
    begins: datetime
    ends: datetime


class Learnt(Frozen):
    """One input, and what it rests on."""

    what: str
    basis: Literal["learnt", "assumed", "missing"]
    counted: int
    says: str


class Inputs(Frozen):
    """What was learnt of one hub, over which weeks."""

    hub: str
    since: datetime
    until: datetime
    past: tuple[Past, ...]
    replies: dict[str, Waiting]
    """By agency, and by agency and rating ('police:red'), where enough is on record of that."""
    any_reply: Waiting | None = None
    """Of all agencies together: it stands in for one of which too little is on record."""
    patience: Waiting = PATIENT
    """How long after an answer is late the hub goes on without it."""
    stages: dict[str, Waiting]
    """How long a case stays in a stage, as of replies: used where nobody of the rota does what it waits for."""
    minutes: dict[str, tuple[float, ...]]
    """By stage: minutes from opening the case to the act, of those on record."""
    learnt: tuple[Learnt, ...] = ()

    def reply_of(self, agency: str, rating: str | None) -> Waiting | None:
        """How long an agency is waited for in a case of this rating."""
        return self.replies.get(f"{agency}:{rating}") or self.replies.get(agency) or self.any_reply

    def stage_of(self, stage: str, rating: str | None) -> Waiting | None:
        """How long a case of this rating stays in a stage."""
        return self.stages.get(f"{stage}:{rating}") or self.stages.get(stage)

    def minutes_of(self, stage: str) -> tuple[float, ...]:
        """How long the work of a stage takes: as it was seen, or as it is assumed."""
        return self.minutes.get(stage) or (ASSUMED.get(stage, SOME_MINUTES),)
