"""The child's own words, and who has seen the child when: recorded, and asked for before what is found about a child is final."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from mash.states.acts import demands
from mash.states.acts.information import beside
from mash.states.acts.outcomes import each_changed
from mash.states.clocks import day_of
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotInProfile, Refusal
from mash.states.fold import Changes, folds
from mash.states.profile import Profile
from mash.states.rebuild import says_all
from mash.states.referral import Referral
from mash.states.register import act
from mash.states.stages import ALL
from mash.states.usual import Give, Step, rater
from mash.states.values import Actor, Code, CommandBase, EventBase, Words

if TYPE_CHECKING:
    from mash.states.world import World

WhyNotSeen = Literal["child_missing", "family_left", "unborn", "refused_access"]
"""Why nobody has seen a child before what is found about them is final; the words that come with it say more."""


class RecordChildVoice(CommandBase):
    """Whether and when the child was seen, and in the words what the child says, to whom (Working Together: see the child, and
    find out what they wish and feel)."""

    kind: Literal["record_child_voice"] = "record_child_voice"
    subject: Code
    seen_on: date | None = Field(default=None, description="The day on which the child was seen; without it: not yet seen.")
    alone: bool | None = Field(default=None, description="Whether the child was seen without a parent or carer.")
    asked_by: Code | None = Field(default=None, description="The agency that saw or asked the child; your own, unless said.")
    sensitive: bool = True


class ChildVoiceRecorded(EventBase):
    """What the child says is an item of `agency`, as all that it contributes; that the child was seen is everybody's to know."""

    kind: Literal["child_voice_recorded"] = "child_voice_recorded"
    subject: str
    agency: str
    asked_by: str
    seen_on: date | None
    alone: bool | None
    sensitive: bool
    words: Words | None = Field(alias="said")


def _of_no_agency(referral: Referral, profile: Profile, by: Actor, cmd: RecordChildVoice | None) -> Refusal | None:
    if by.agency in demands.named_agencies(profile):
        return None
    return NotInProfile(f"what a child says is recorded by an agency of the hub: {', '.join(profile.agencies)}")


# That a child was seen may be recorded where information is not to be shared: the words are released by nobody there.
@act(RecordChildVoice, stages=ALL, hindrance=_of_no_agency, stands_alone=True)
def record(d: Deciding, cmd: RecordChildVoice, words: Words | None) -> None:
    """The child was seen, or has said something, or both."""
    _of_a_child(d, cmd.subject)
    _on_a_day(d, cmd)
    asked_by = cmd.asked_by or d.by.agency
    demands.agencies(d, (asked_by,))
    said = words if cmd.seen_on else demands.words(words, "a child not yet seen: what is known of what the child says")
    d.record(
        ChildVoiceRecorded(
            subject=cmd.subject,
            agency=d.by.agency,
            asked_by=asked_by,
            seen_on=cmd.seen_on,
            alone=cmd.alone,
            sensitive=cmd.sensitive,
            words=said,
        )
    )


says_all(ChildVoiceRecorded, RecordChildVoice)


def _of_a_child(d: Deciding, sid: str) -> None:
    subject = d.referral.subjects.get(sid)
    if subject is None:
        raise Incomplete(f"that is not a subject of this referral: expected one of {', '.join(d.referral.subjects)}")
    if not subject.counts_as_child:
        raise Incomplete("what an adult wants is recorded with their capacity (record_adult_view): correct the cohort of a child")
    if subject.cohort == "unborn":
        raise Incomplete("an unborn child is not seen: record the birth first (record_birth)")


def _on_a_day(d: Deciding, cmd: RecordChildVoice) -> None:
    """To have seen the child before anybody was worried is not to have seen them about it."""
    if cmd.seen_on is None:
        if cmd.alone is not None:
            raise Incomplete("say on which day the child was seen alone, or not alone (seen_on)")
        return
    if cmd.alone is None:
        raise Incomplete("say whether the child was seen without a parent or carer (alone)")
    since = min(d.referral.received_at, d.referral.reported_at or d.referral.received_at)
    if not day_of(since) <= cmd.seen_on <= day_of(d.now):
        raise Incomplete("a child is seen since the concern was reported, and not in the future: check the day (seen_on)")


def demand_seen(d: Deciding, why_not: Mapping[str, str], words: Words | None) -> None:
    """Refuse to end what is about a child whom nobody has seen, unless it is said of each why not, in words too (Working
    Together: the child is seen in section 47 enquiries and in an assessment)."""
    subjects, unseen = d.referral.subjects, d.referral.unseen
    if needless := [sid for sid in why_not if sid not in subjects or subjects[sid].seen_on]:
        raise Incomplete(
            f"{len(needless)} of not_seen_because are no children whom nobody has seen; there are: {', '.join(unseen) or 'none'}"
        )
    if missing := [sid for sid in unseen if sid not in why_not]:
        raise Incomplete(
            f"nobody has seen {', '.join(missing)} yet: record that each child was seen, and what the child says"
            " (record_child_voice), or say why not (not_seen_because); of an adult, give the birthday (correct_details)"
        )
    if why_not:
        demands.words(words, "ending without a child having been seen")


@folds(ChildVoiceRecorded)
def _child_voice_recorded(referral: Referral, event: ChildVoiceRecorded, at: datetime, by: Actor) -> Changes:
    child = referral.subjects[event.subject]
    days = [day for day in (child.seen_on, event.seen_on) if day]
    fields = {"seen_on": max(days, default=None), "heard": child.heard or event.words is not None}
    changes = each_changed(referral, {event.subject: fields})
    if event.words:
        changes["held"] = beside(referral, event.agency, event.words, event.sensitive, at, event.subject)
    return changes


def seen(world: World) -> Iterator[Step]:
    """Somebody sees each child whom nobody has seen yet, alone, and asks."""
    for child in world.referral.unseen:
        voice = RecordChildVoice(subject=child, seen_on=day_of(world.now), alone=True, asked_by="social_care")
        yield Give(voice, rater(world.profile), "the child is seen alone, and asked")
