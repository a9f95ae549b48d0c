"""A linked case is stepped up, or its family must not be told: brothers and sisters who were decided apart are one household all
the same, and whoever has one of them hears of the others."""

from __future__ import annotations

from typing import Literal

from mash.states.acts.sharing import MarkerRecorded
from mash.states.deciding import Deciding
from mash.states.fold import changes_nothing
from mash.states.profile import Profile
from mash.states.rebuild import Caused, as_given, rebuilds, says_all
from mash.states.referral import NOT_TO_TELL, Referral
from mash.states.register import act
from mash.states.stages import SECTION_47
from mash.states.values import Code, CommandBase, EventBase, Words

Why = Literal["rating", "strategy_discussion", "section_47"]


class RecordSteppedUp(CommandBase):
    """A case that this one is linked with, or comes of the same contact as, is stepped up."""

    kind: Literal["record_stepped_up"] = "record_stepped_up"
    other: Code
    why: Why


class RecordNotToTell(CommandBase):
    """The family of a case that this one is linked with, or comes of the same contact as, must not be told."""

    kind: Literal["record_not_to_tell"] = "record_not_to_tell"
    other: Code


class LinkedCaseSteppedUp(EventBase):
    """The other case was re-rated to the most urgent, or is about child protection now."""

    kind: Literal["linked_case_stepped_up"] = "linked_case_stepped_up"
    other: str
    why: str


def stepped_up(before: Referral, after: Referral, profile: Profile) -> Why | None:
    """Why a case counts as stepped up between two states: section 47 was decided, a strategy discussion called, or it was rated
    the most urgent; None where it was not."""
    if "section_47" in after.outcomes.values() and "section_47" not in before.outcomes.values():
        return "section_47"
    if after.stage in SECTION_47 and before.stage not in SECTION_47:
        return "strategy_discussion"
    if before.rating and after.rating and profile.place(after.rating) == 0 < profile.place(before.rating):
        return "rating"
    return None


@act(RecordSteppedUp)
def record_stepped_up(d: Deciding, cmd: RecordSteppedUp, words: Words | None) -> None:
    """Whoever has this case is told; one that is over says so too, for whoever opens it."""
    d.record(LinkedCaseSteppedUp(other=cmd.other, why=cmd.why))


says_all(LinkedCaseSteppedUp, RecordSteppedUp)


@act(RecordNotToTell)
def record_not_to_tell(d: Deciding, cmd: RecordNotToTell, words: Words | None) -> None:
    """One family reads both: the warning is this case's own from now on, and somebody here ends it, with a reason."""
    if NOT_TO_TELL not in d.referral.warnings and not d.referral.erased:
        d.record(MarkerRecorded(marker=NOT_TO_TELL, holds=True, words=None))


@rebuilds(RecordNotToTell, MarkerRecorded)
def _record_not_to_tell_again(caused: Caused, event: MarkerRecorded) -> RecordNotToTell:
    """Of which linked case it was said stands in that one's log."""
    return as_given(RecordNotToTell, other="")


changes_nothing(LinkedCaseSteppedUp)
