"""An agency's answer that somebody of the hub took down by telephone: it counts, and stands as told to them until the agency
confirms or corrects it with an answer of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from mash.states.acts import demands
from mash.states.acts.checks import Recommendation, await_confirmation, came_late, go_on
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, Refusal
from mash.states.fold import Changes, folds
from mash.states.profile import Profile
from mash.states.rebuild import says_all
from mash.states.referral import Referral, Told
from mash.states.register import act
from mash.states.stages import ALL
from mash.states.values import Actor, Code, CommandBase, EventBase, Words


class RecordAnswerByTelephone(CommandBase):
    """What an agency answered by telephone. Who said it, and what, stands in the words."""

    kind: Literal["record_answer_by_telephone"] = "record_answer_by_telephone"
    answering: Code = Field(description="The agency that answered.")
    told_at: AwareDatetime | None = Field(default=None, description="When; now, unless said.")
    read_back: bool = Field(description="Whether what was taken down was read back to them, and they agreed.")
    known: bool
    relevant: bool = False
    recommendation: Recommendation | None = None
    suggested_rating: Code | None = None


class AnswerTakenDown(EventBase):
    kind: Literal["answer_taken_down"] = "answer_taken_down"
    agency: str
    told_at: datetime
    read_back: bool
    known: bool
    relevant: bool
    recommendation: str | None
    suggested_rating: str | None
    late: bool
    words: Words = Field(alias="said")


def _not_waited_for(referral: Referral, profile: Profile, by: Actor, cmd: RecordAnswerByTelephone | None) -> Refusal | None:
    unanswered = [agency for agency, check in referral.checks.items() if check.answered_at is None]
    if cmd is None or cmd.answering in unanswered:
        return None
    return Incomplete(f"nothing is asked of that agency now; waited for: {', '.join(unanswered)}")


@act(
    RecordAnswerByTelephone,
    stages=ALL,
    when=lambda referral: any(check.answered_at is None for check in referral.checks.values()),
    hindrance=_not_waited_for,
    stands_alone=True,
)
def take_down(d: Deciding, cmd: RecordAnswerByTelephone, words: Words | None) -> None:
    """The check counts as answered; its agency is asked to confirm it, by a time as long as the case is open."""
    written = demands.words(words, "an answer by telephone")
    told_at = cmd.told_at or d.now
    if not d.referral.checks[cmd.answering].requested_at <= told_at <= d.now:
        raise Incomplete("an answer is told after it was asked for, and before it is recorded: check when (told_at)")
    if cmd.suggested_rating:
        demands.rating(d, cmd.suggested_rating)
    found = {name: getattr(cmd, name) for name in ("read_back", "known", "relevant", "recommendation", "suggested_rating")}
    d.happened_at = told_at if told_at < d.now else None
    late = came_late(d, cmd.answering)
    d.record(AnswerTakenDown(agency=cmd.answering, told_at=told_at, late=late, words=written, **found))
    if d.referral.open:
        await_confirmation(d)
    go_on(d, cmd.answering)


says_all(AnswerTakenDown, RecordAnswerByTelephone, answering="agency")


@folds(AnswerTakenDown)
def _taken_down(referral: Referral, event: AnswerTakenDown, at: datetime, by: Actor) -> Changes:
    found = {name: getattr(event, name) for name in ("known", "relevant", "recommendation", "suggested_rating")}
    told = Told(at=event.told_at, to=by.id, read_back=event.read_back, **found)
    check = referral.checks[event.agency].model_copy(update={"answered_at": at, "told": told, **found})
    return {"checks": {**referral.checks, event.agency: check}}
