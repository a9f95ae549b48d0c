"""A strategy discussion without somebody who must take part: by when that is put right, and that it was."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import Field

from mash.states.acts import demands
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete
from mash.states.fold import Changes, folds
from mash.states.rebuild import says_all
from mash.states.referral import Referral
from mash.states.register import act
from mash.states.stages import ALL
from mash.states.values import Actor, Code, CommandBase, EventBase, Words

PUT_RIGHT = "quorum_put_right"
"""The clock of it."""


class PutQuorumRight(CommandBase):
    """Whoever was missing from the strategy discussion has taken part since, or cannot. The words say what they added, or what
    was tried."""

    kind: Literal["put_quorum_right"] = "put_quorum_right"
    agencies: tuple[Code, ...] = Field(min_length=1, description="Who of those that were missing it is about.")
    how: Literal["took_part_since", "gave_their_view", "cannot_be_reached"]


class QuorumPutRight(EventBase):
    kind: Literal["quorum_put_right"] = "quorum_put_right"
    agencies: tuple[str, ...]
    outcome: str
    words: Words = Field(alias="said")


def await_quorum(d: Deciding, missing: Iterable[str]) -> None:
    """Whoever was missing is to hear of it and take part, within the hub's time. A discussion with everybody puts an earlier one
    right."""
    d.stop(PUT_RIGHT)
    if names := ", ".join(missing):
        d.start_clock(PUT_RIGHT, d.profile.strategy_discussion.put_right, f"put right that {names} did not take part")


@act(PutQuorumRight, stages=ALL, when=lambda referral: bool(referral.short_of))
def put_quorum_right(d: Deciding, cmd: PutQuorumRight, words: Words | None) -> None:
    """Each of those who were missing is accounted for; the clock runs until all of them are."""
    missing = d.referral.short_of
    if other := [name for name in cmd.agencies if name not in missing]:
        raise Incomplete(f"not missing from the strategy discussion: {', '.join(other)}; expected some of {', '.join(missing)}")
    written = demands.words(words, "putting right that somebody was missing")
    d.record(QuorumPutRight(agencies=cmd.agencies, outcome=cmd.how, words=written))
    if not d.referral.short_of:
        d.stop(PUT_RIGHT)


says_all(QuorumPutRight, PutQuorumRight, how="outcome")


@folds(QuorumPutRight)
def _put_right(referral: Referral, event: QuorumPutRight, at: datetime, by: Actor) -> Changes:
    return {"short_of": tuple(name for name in referral.short_of if name not in event.agencies)}
