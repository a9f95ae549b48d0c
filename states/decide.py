"""Command + state + profile + actor + now -> events and the state after them, or a refusal. Pure: the same question gets the same
answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from mash.states.acts.decisions import continue_split as continue_in
from mash.states.acts.disclosing import require
from mash.states.acts.handing_over import call_off_transfers, call_off_undone
from mash.states.acts.informing import correct
from mash.states.acts.not_ours import hasten
from mash.states.acts.parting import ReferralSplit
from mash.states.chart import NoSuchMove
from mash.states.deciding import Deciding
from mash.states.entered_later import check, check_order
from mash.states.entitled import hindrance, named
from mash.states.errors import ImpossibleMove
from mash.states.messages import STAFF_ACTS, Command, Event
from mash.states.profile import Profile
from mash.states.referral import Referral, SubjectState
from mash.states.register import ACTS
from mash.states.values import Actor, Colleague, Details, Enquiry, Heard, Holding, Words

CONTINUED = "continue_split"
"""What stands in a log in place of a command where a split began it."""


@dataclass(frozen=True)
class Decision:
    """What a command causes: its events, in order, and the referral after each of them."""

    events: list[Event]
    states: list[Referral]
    acts: list[str | None]
    """For each event the kind of the command that caused it, where it is the first that this one caused; else None."""

    def followed_by(self, other: Decision) -> Decision:
        """Both as one: the other was decided of the case as this one leaves it."""
        return Decision([*self.events, *other.events], [*self.states, *other.states], [*self.acts, *other.acts])

    @property
    def after(self) -> Referral:
        """The referral after all of it. Raises IndexError where nothing happened."""
        return self.states[-1]


def decide(
    referral: Referral | None,
    command: Command,
    profile: Profile,
    by: Actor,
    now: datetime,
    *,
    reference: str,
    words: Words | None = None,
    redacted: Words | None = None,
    details: Details | None = None,
    fresh: str = "",
    enquiries: tuple[Enquiry, ...] = (),
    heard: Heard | None = None,
    colleagues: tuple[Colleague, ...] = (),
    old_rules: Profile | None = None,
    happened_at: datetime | None = None,
) -> Decision:
    """What `command` causes. Raises a Refusal, and then nothing has changed.

    `words` points at what came with the command, already encrypted, `redacted` at the version of an agency's item that it
    releases, `details` at what it puts right about somebody, and `fresh` is a number that nothing else has (a link to a child);
    `enquiries` are the section 47s that are open elsewhere about the same children, `heard` is what other hubs answered,
    `colleagues` who works here and at the partners; `old_rules` those that a case went by until it adopts others;
    `happened_at` is when it was done, where that was before it is entered. `now` is UTC. A
    contact that is being received has no referral yet (None); `profile` is the hub's, or for `adopt_profile` the one to adopt.
    """
    if referral is not None and command.kind in STAFF_ACTS:
        refusal = hindrance(referral, profile, by, command.kind, command)  # type: ignore[arg-type]  # one of the staff's
        if refusal:
            raise refusal
    d = Deciding(referral, profile, by, now, reference, redacted, details, fresh, enquiries, heard, colleagues, old_rules)
    if happened_at is not None and referral is not None:
        check(referral, command.kind, happened_at, by, now)
        d.happened_at = happened_at if happened_at < now else None
    try:
        ACTS[command.kind].decide(d, command, words)
    except NoSuchMove as unknown:
        raise ImpossibleMove(d.referral.stage, command.kind, named(d.referral)) from unknown
    if happened_at is not None and referral is not None:
        check_order(referral, happened_at, d.events)
    call_off_transfers(d)
    call_off_undone(d, referral)
    correct(d, referral)
    hasten(d)
    require(d)
    return _decision(d, command.kind)


def continue_split(
    parent: Referral,
    split: ReferralSplit,
    subjects: dict[str, SubjectState],
    profile: Profile,
    by: Actor,
    now: datetime,
    parent_reference: str,
    held: tuple[Words, ...],
    holdings: tuple[Holding, ...],
    superseded: Mapping[str, str],
) -> Decision:
    """The beginning of the linked referral that a split makes: it stands at the decision and takes its own path. `subjects` are
    the parent's, from just before the split; `superseded` says which of the copied items stand in the place of which."""
    d = Deciding(None, profile, by, now, split.reference)
    continue_in(d, parent, split, subjects, parent_reference, held, holdings, superseded)
    return _decision(d, CONTINUED)


def _decision(d: Deciding, kind: str) -> Decision:
    return Decision(cast(list[Event], d.events), d.states, [None if number else kind for number in range(len(d.events))])
