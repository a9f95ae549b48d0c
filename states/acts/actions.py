"""What was agreed at a meeting or a strategy discussion: who does what by when, each with a clock of its own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from mash.states.acts import demands
from mash.states.clocks import Due, Frozen, Length, Unit
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotInProfile, NotYours, Refusal
from mash.states.fold import Changes, folds
from mash.states.invited import roles_of
from mash.states.profile import ClockRule, Profile
from mash.states.rebuild import Caused, Rebuilt, rebuilds, same_fields, says_all, working
from mash.states.referral import Action, Referral
from mash.states.register import act
from mash.states.stages import ALL, SEEN
from mash.states.values import Actor, Code, CommandBase, EventBase, OneWord, Words

SOURCE = "agreed at the meeting: its minutes say who does what by when"
WITHIN_A_DAY = timedelta(days=1)
"""An action so near is warned of and told day and night. A product default, ours."""


class Agreed(Frozen):
    """Who does something, and by when. What it is, the words say that come with it."""

    owner: Code = Field(description="Who does it: an agency, somebody else who is invited, or a role of the hub.")
    due: AwareDatetime
    login: OneWord | None = Field(default=None, description="The login of whoever does it, where that is one person's.")


AllAgreed = Annotated[
    tuple[Agreed, ...],
    Field(description="What was agreed, in the words of the record.", max_length=20, exclude_if=lambda agreed: not agreed),
]


class RecordAction(CommandBase):
    """Somebody is to do something by a time, as was agreed. What it is, the words say."""

    kind: Literal["record_action"] = "record_action"
    owner: Code = Field(description="Who does it: an agency, somebody else who is invited, or a role of the hub.")
    due: AwareDatetime
    login: OneWord | None = Field(default=None, description="The login of whoever does it, where that is one person's.")


class CompleteAction(CommandBase):
    """What was agreed has been done, or is no longer to be done. The words say which."""

    kind: Literal["complete_action"] = "complete_action"
    action: Code
    outcome: Literal["done", "no_longer_needed"] = "done"


class ActionRecorded(EventBase):
    kind: Literal["action_recorded"] = "action_recorded"
    action: str
    owner: str
    due_at: datetime
    login: str | None = None
    words: Words = Field(alias="said")


class ActionCompleted(EventBase):
    kind: Literal["action_completed"] = "action_completed"
    action: str
    outcome: str
    words: Words | None = Field(alias="said")


def agreed_again(caused: Caused) -> tuple[Agreed, ...]:
    """What was agreed with an act, as its events say."""
    return tuple(Agreed(owner=each.owner, due=each.due_at, login=each.login) for each in caused.every(ActionRecorded))


def hub_roles(profile: Profile) -> tuple[str, ...]:
    """The roles of the hub's own people that its profile names."""
    rungs = (rung.role for rung in profile.ladder)
    return tuple(dict.fromkeys((*profile.raters, *profile.deciders, profile.meeting.chair, *rungs)))


def owners(profile: Profile) -> tuple[str, ...]:
    """Who can be given something to do: whoever has a role to be reminded by."""
    named = (*profile.agencies, *profile.invited)
    return (*(name for name in dict.fromkeys(named) if roles_of((name,), profile)), *hub_roles(profile))


def owner_role(owner: str, profile: Profile) -> str:
    """The role that is told and warned: the agency's, or the hub's own."""
    return next(iter(roles_of((owner,), profile)), owner)


def open_actions(referral: Referral) -> tuple[str, ...]:
    """The actions that are still to be done."""
    return tuple(aid for aid, action in referral.actions.items() if action.done_at is None)


def theirs(referral: Referral, profile: Profile, by: Actor) -> tuple[str, ...]:
    """Those of them that somebody may say are done: the hub all, anybody else those of their agency or role."""
    hub = (*hub_roles(profile), profile.out_of_hours.role)
    mine = (by.agency, by.role) if by.role not in hub else ()
    return tuple(aid for aid in open_actions(referral) if not mine or referral.actions[aid].owner in mine)


@act(RecordAction, stages=SEEN)
def record_action(d: Deciding, cmd: RecordAction, words: Words | None) -> None:
    """Its owner is told, warned, and late as others are."""
    agree(d, (Agreed(owner=cmd.owner, due=cmd.due, login=cmd.login),), words)


@rebuilds(RecordAction, ActionRecorded)
def _record_action_again(caused: Caused, event: ActionRecorded) -> Rebuilt:
    return Rebuilt(same_fields(RecordAction, event, due="due_at"), colleagues=working(event.login))


def agree(d: Deciding, actions: Iterable[Agreed], words: Words | None) -> None:
    """Each of these is somebody's to do from now on. Raises NotInProfile, Incomplete or ReasonNeeded."""
    for each in actions:
        if each.owner not in owners(d.profile):
            raise NotInProfile(f"who does it is named as in the profile: expected one of {', '.join(owners(d.profile))}")
        demands.of_these_days(d, each.due, "due")
        if each.due <= d.now:
            raise Incomplete("an action is due at a time to come")
        written = demands.words(words, "an action")
        login = demands.login(d, each.login) if each.login else None
        aid = f"A{len(d.referral.actions) + 1}"
        d.record(ActionRecorded(action=aid, owner=each.owner, due_at=each.due, login=login, words=written))
        why = f"action {aid}, agreed at the meeting"
        d.start_until("action", _rule(d, each), Due(at=each.due, why=why), clock_id=f"action:{aid}")


def _rule(d: Deciding, each: Agreed) -> ClockRule:
    """What is due within a day, or while the hub is closed, is whoever's who is on duty then; anything else is the day team's."""
    soon = each.due - d.now <= WITHIN_A_DAY or not d.profile.calendar.is_open(each.due)
    length = Length(amount=1, unit=Unit.ELAPSED_HOURS if soon else Unit.WORKING_DAYS)
    return ClockRule(length=length, owner=owner_role(each.owner, d.profile), source=SOURCE)


def _not_theirs(referral: Referral, profile: Profile, by: Actor, cmd: CompleteAction | None) -> Refusal | None:
    can = theirs(referral, profile, by)
    if cmd is None:
        return None if can else NotYours("what is still to be done is others' to do")
    if cmd.action not in open_actions(referral):
        return Incomplete(f"that is not still to be done: expected one of {', '.join(open_actions(referral))}")
    return None if cmd.action in can else NotYours(f"{cmd.action} is {referral.actions[cmd.action].owner}'s to do")


@act(
    CompleteAction,
    stages=ALL,
    when=lambda referral: bool(open_actions(referral)),
    hindrance=_not_theirs,
    stands_alone=True,
)
def complete(d: Deciding, cmd: CompleteAction, words: Words | None) -> None:
    """What is no longer to be done needs a reason."""
    if cmd.outcome != "done":
        demands.words(words, "not doing what was agreed")
    d.record(ActionCompleted(action=cmd.action, outcome=cmd.outcome, words=words))
    d.stop_clocks(*(k.id for k in d.referral.running if k.id == f"action:{cmd.action}"), met=cmd.outcome == "done")


says_all(ActionCompleted, CompleteAction)


@folds(ActionRecorded)
def _recorded(referral: Referral, event: ActionRecorded, at: datetime, by: Actor) -> Changes:
    new = Action(owner=event.owner, due_at=event.due_at, login=event.login, words=event.words)
    return {"actions": {**referral.actions, event.action: new}}


@folds(ActionCompleted)
def _completed(referral: Referral, event: ActionCompleted, at: datetime, by: Actor) -> Changes:
    done = referral.actions[event.action].model_copy(update={"done_at": at, "outcome": event.outcome})
    return {"actions": {**referral.actions, event.action: done}}
