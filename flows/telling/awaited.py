"""What a case waits for, as Prefect says it to whoever looks after the installation: the stage, what is due when, whose turn it
is, and where to look. In a line for the state of its run, and at the head of its story."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mash.config.words import agency_title, stage_title
from mash.flows.telling.addresses import Addresses
from mash.flows.telling.for_administrators import clocks_in_words, role_in_words, timeline
from mash.states.clocks import dated
from mash.states.log import Recorded
from mash.states.profile import Profile
from mash.states.reading import Reader, as_read
from mash.states.referral import Clock, Referral
from mash.states.roles import ladder_of

OUTSIDE = Reader(agency="", findings=False, inside=False, finds=False)
"""As whom Prefect's readers read a case: of no agency, and not knowing whether a child is known."""
NOTHING = "Nothing more is waited for."


@dataclass(frozen=True)
class _Awaited:
    """Something that a case waits for, in words; replies of agencies that are due at the same time are one thing."""

    what: str
    clocks: tuple[Clock, ...]

    @property
    def when(self) -> str:
        """When it is due; when it was, of what is late."""
        return f"{'late since' if self.clocks[0].breached_at else 'due'} {dated(self.clocks[0].due_at)}"

    def whose(self, profile: Profile | None) -> str:
        """Whose turn it is: the role of one, several agencies as such."""
        return "agencies" if len(self.clocks) > 1 else role_in_words(self.clocks[0].owner, profile)


def _awaited(referral: Referral, profile: Profile | None) -> list[_Awaited]:
    """What a case waits for, as far as it may be said, what is due first before the rest; replies after what the hub does."""
    running = sorted(as_read(referral, OUTSIDE).running, key=lambda clock: (clock.due_at, clock.kind == "check", clock.id))
    return [_Awaited(what, clocks) for what, clocks in clocks_in_words(running, profile)]


def _first(awaited: list[_Awaited]) -> list[_Awaited]:
    """What is due first, all of it."""
    return [each for each in awaited if each.clocks[0].due_at == awaited[0].clocks[0].due_at]


def _stage(referral: Referral, profile: Profile | None) -> str:
    """Where a case stands; of one that is closed, what is still to come."""
    if referral.open:
        return stage_title(as_read(referral, OUTSIDE).stage, profile)
    return "Disagreement to be determined" if referral.disputed else "Referrer to be told"


def _who(referral: Referral, awaited: list[_Awaited], profile: Profile | None) -> str:
    """Whose turn it is: a role, never a login. An alert that nobody has taken comes first."""
    raised = [clock for each in awaited for clock in each.clocks if clock.rung >= 0]
    open_alert = next((clock for clock in raised if clock.acknowledged_by is None), None)
    if open_alert:
        return f"Nobody has it: the alert went to the {_alerted(open_alert, profile)}."
    if raised:
        return f"Somebody has the alert to the {_alerted(raised[0], profile)}."
    worker = f"Allocated to: {role_in_words(referral.worker.role, profile)}." if referral.worker else ""
    whose = dict.fromkeys(each.whose(profile) for each in _first(awaited))
    turn = f"With the {' and the '.join(whose)}." if whose else ""
    return " ".join(filter(None, (turn, worker)))


def _alerted(clock: Clock, profile: Profile | None) -> str:
    """The role that the last alert of a clock went to, in words."""
    ladder = ladder_of(clock, profile) if profile else []
    return role_in_words(ladder[min(clock.rung, len(ladder) - 1)][0] if ladder else clock.owner, profile)


def in_a_line(reference: str, referral: Referral, profile: Profile | None, addresses: Addresses) -> str:
    """The message of the state of a case's run. Prefect keeps each of them for a day, and its earlier pages show the first 70
    characters: what matters most comes first."""
    where = f"Case: {addresses.case(reference)} Story: {addresses.story(reference)}"
    if referral.finished:
        return f"{NOTHING} {where}"
    awaited = _awaited(referral, profile)
    due, who = _due(_stage(referral, profile), awaited), _who(referral, awaited, profile)
    return " ".join(filter(None, (due, who, where)))


def _due(stage: str, awaited: list[_Awaited]) -> str:
    """The stage, and what is due first, by when."""
    first = _first(awaited)
    what = ", ".join(each.what for each in first if each.what.casefold() != stage.casefold())
    return f"{stage}{f', {first[0].when}' if first else ''}{f': {what}' if what else ''}."


@dataclass(frozen=True)
class Told:
    """What a story is told of: a case by its reference, the run that carries it, its log, its notices, and what it goes by."""

    reference: str
    run: UUID
    referral: Referral
    log: list[Recorded]
    notices: Iterable[Any]
    profile: Profile | None


def story(told: Told, addresses: Addresses) -> str:
    """A case's story as Markdown: what it waits for, then what happened, and which notices went. No personal data."""
    return f"# {told.reference}\n\n{_head(told, addresses)}\n{timeline(told.log, told.notices, told.profile)}"


def _head(told: Told, addresses: Addresses) -> str:
    links = f"[The case]({addresses.case(told.reference)}) · [Its run]({addresses.run(told.run)})"
    if told.referral.finished:
        return f"**{NOTHING}**\n\n{links}\n"
    awaited = _awaited(told.referral, told.profile)
    rows = "".join(f"| {each.when} | {_cell(each.what)} | {_cell(_with(each, told.profile))} |\n" for each in awaited)
    table = f"\n| when | what | with |\n|---|---|---|\n{rows}" if awaited else ""
    who = _who(told.referral, awaited, told.profile)
    return f"**Waits at: {_stage(told.referral, told.profile)}.** {who}\n\n{links}\n{table}"


def _with(awaited: _Awaited, profile: Profile | None) -> str:
    """Whose turn it is: of several replies, which agencies'."""
    if len(awaited.clocks) == 1:
        return awaited.whose(profile)
    return ", ".join(agency_title(profile, clock.whose) for clock in awaited.clocks)


def _cell(text: str) -> str:
    """A text within a table of Markdown."""
    return text.replace("|", "/")
