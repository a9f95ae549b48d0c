"""A named worker: a case is allocated to a person, to another one, and given back; and none drifts while they are away."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from mash.states.acts import demands
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotYours, Refusal
from mash.states.fold import Changes, folds
from mash.states.profile import Profile
from mash.states.rebuild import Caused, Rebuilt, rebuilds, same_fields, says_all
from mash.states.referral import Referral
from mash.states.register import act
from mash.states.stages import SEEN
from mash.states.values import Actor, Colleague, CommandBase, EventBase, Login, Presence, Words, Worker


class AllocateCase(CommandBase):
    """Allocate the case to somebody of the hub; one that somebody has goes to somebody else."""

    kind: Literal["allocate_case"] = "allocate_case"
    worker: Login = Field(description="The login of whoever has the case from now on.")


class GiveCaseBack(CommandBase):
    """Whoever has the case gives it back, with a reason in words."""

    kind: Literal["give_case_back"] = "give_case_back"


class SayPresence(CommandBase):
    """Whether whoever has the case is there, absent, or does not work at the hub any more."""

    kind: Literal["say_presence"] = "say_presence"
    worker: Login
    presence: Presence


class CaseAllocated(EventBase):
    """Somebody has the case from now on. `role` is what they are at the hub."""

    kind: Literal["case_allocated"] = "case_allocated"
    worker: str
    role: str
    words: Words | None = Field(alias="said")


class CaseGivenBack(EventBase):
    """Nobody has the case, for the reason in the words."""

    kind: Literal["case_given_back"] = "case_given_back"
    worker: str
    words: Words = Field(alias="said")


class PresenceSaid(EventBase):
    """Whoever has the case is absent, has left, or is there again."""

    kind: Literal["presence_said"] = "presence_said"
    worker: str
    presence: Presence


@act(AllocateCase, stages=SEEN)
def allocate(d: Deciding, cmd: AllocateCase, words: Words | None) -> None:
    """To somebody who works at the hub, may have cases, and is there."""
    login = cmd.worker.lower()
    if d.referral.worker and d.referral.worker.login == login:
        raise Incomplete("they have this case already: expected somebody else")
    found = [each for each in demands.colleagues(d, login) if each.has_cases]
    if not found:
        raise Incomplete("that login is no social worker or manager of this hub: a case is allocated to one of them")
    if found[0].away_until:
        raise Incomplete("they are absent now: allocate it to somebody who is there")
    d.record(CaseAllocated(worker=login, role=found[0].role, words=words))
    d.ensure_allocation()


@rebuilds(AllocateCase, CaseAllocated)
def _allocate_case_again(caused: Caused, event: CaseAllocated) -> Rebuilt:
    worker = Colleague(login=event.worker, role=event.role, agency="", has_cases=True)
    return Rebuilt(same_fields(AllocateCase, event), colleagues=(worker,))


def _not_theirs(referral: Referral, profile: Profile, by: Actor, cmd: GiveCaseBack | None) -> Refusal | None:
    mine = referral.worker is not None and referral.worker.login == by.id
    return None if mine else NotYours("only whoever has the case gives it back: a manager allocates it to somebody else")


@act(GiveCaseBack, stages=SEEN, when=lambda r: r.worker is not None, hindrance=_not_theirs)
def give_back(d: Deciding, cmd: GiveCaseBack, words: Words | None) -> None:
    """The hub's manager is told, who allocates it anew."""
    d.record(CaseGivenBack(worker=d.by.id, words=demands.words(words, "giving a case back")))
    d.ensure_allocation()


says_all(CaseGivenBack, GiveCaseBack)


@act(SayPresence)
def say_presence(d: Deciding, cmd: SayPresence, words: Words | None) -> None:
    """Once each, and only of whoever has the case now."""
    worker = d.referral.worker
    if worker and worker.login == cmd.worker and worker.presence != cmd.presence:
        d.record(PresenceSaid(worker=cmd.worker, presence=cmd.presence))


says_all(PresenceSaid, SayPresence)


@folds(CaseAllocated)
def _case_allocated(referral: Referral, event: CaseAllocated, at: datetime, by: Actor) -> Changes:
    return {"worker": Worker(login=event.worker, role=event.role, since=at)}


@folds(CaseGivenBack)
def _case_given_back(referral: Referral, event: CaseGivenBack, at: datetime, by: Actor) -> Changes:
    return {"worker": None}


@folds(PresenceSaid)
def _presence_said(referral: Referral, event: PresenceSaid, at: datetime, by: Actor) -> Changes:
    worker = referral.worker
    return {"worker": worker.model_copy(update={"presence": event.presence})} if worker else {}
