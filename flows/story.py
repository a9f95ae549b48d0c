"""A case's story in lines, from its log: for the command line and the artifact on the flow run. No personal data is in a log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from mash.config.words import CODED, decoded, sentence, worded
from mash.states.clocks import local
from mash.states.events import Event, Recorded

_LEFT_OUT = {
    "kind",
    "held",
    "holdings",
    "item",
    "said",
    "redacted",
    # What an agency found is the agency's, like its words: it is read from the case, not from a timeline.
    "known",
    "relevant",
    "recommendation",
    "suggested_rating",
    "configuration",
    "profile",
    "consent",
    "clocks",
    "clock",
    "subjects",
    "came_from",
    "adult_views",
    "rung",
    "next_at",
    "parent_sequence",
    "schema_number",
}
_NAMED = {
    "clock_warned": "Reminder",
    "clock_breached": "Not done in time",
    "clock_escalated": "Alert",
    "clocks_stopped": "No longer awaited",
    "stage_entered": "Stage",
}
"""Events whose names are not their own words."""
_LABELS = {
    "due_at": "due",
    "held_on": "on",
    "role": "to",
    "reported_at": "reported",
    "renew_at": "again at",
    "received_at": "received",
}
_SAY_THEMSELVES = {
    "about", "agencies", "agency", "at", "chair", "contact", "hub", "id", "ids", "marker", "mode", "other", "outcome", "outcomes",
    "parent", "place", "rating", "reference", "relation", "service", "stage", "subject", "what",
}  # fmt: skip
_YES_NO = {
    "beside_section_47": ("beside section 47", ""),
    "family_informed": ("the family knows", "the family does not know"),
    "family_known": ("the family is known", "the family is not known"),
    "final": ("final", ""),
    "holds": ("", "no longer"),
    "immediate_danger": ("immediate danger", ""),
    "late": ("late", ""),
    "met": ("it happened", "it is not needed any more"),
    "not_to_share": ("not to be shared", ""),
    "referrer_reachable": ("", "the referrer cannot be reached"),
    "sensitive": ("sensitive", ""),
    "share": ("may be shared", "may not be shared"),
    "significant_harm": ("significant harm", "no significant harm"),
}
"""What a fact that is true says, and one that is not."""


def told(recorded: Recorded) -> str:
    """One event in words: what happened and its facts."""
    facts = facts_of(recorded.event)
    return f"{named(recorded.event)}{': ' if facts else ''}{facts}"


def named(event: Event) -> str:
    """What happened."""
    return _NAMED.get(event.kind) or sentence(event.kind)


def facts_of(event: Event, without: frozenset[str] = frozenset()) -> str:
    """The facts of an event, some of them left out."""
    if event.kind == "clocks_started":
        facts: Iterable[str] = (f"{clock.why}, due {local(clock.due_at)}" for clock in event.clocks)
    elif event.kind == "clock_moved":
        facts = (f"{event.clock.why}, due {local(event.clock.due_at)}",)
    else:
        facts = (
            _fact(name, value) for name, value in event if name not in _LEFT_OUT | without and value not in (None, (), {}, "")
        )
    return "; ".join(filter(None, facts))


def _fact(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return _YES_NO[name][not value] if name in _YES_NO else f"{worded(name)}: {'yes' if value else 'no'}"
    if isinstance(value, dict):
        shown = ", ".join(f"{key}: {worded(each)}" for key, each in value.items())
    elif isinstance(value, tuple):
        shown = ", ".join(_shown(name, each) for each in value)
    else:
        shown = _shown(name, value)
    return shown if name in _SAY_THEMSELVES else f"{_LABELS.get(name) or worded(name)} {shown}"


def _shown(name: str, value: Any) -> str:
    if isinstance(value, datetime):
        return local(value)
    if name in ("id", "ids"):
        # A clock's id: what is awaited, of whom, and after a dot the how many-eth time.
        what, _, whose = str(value).partition(".")[0].partition(":")
        return f"{worded(what)} of {worded(whose)}" if whose else worded(what)
    return decoded(name, worded(value) if name not in CODED else value)


_OF_ITS_COURSE = {
    "stage_entered", "referral_rated", "referral_rerated", "referral_split", "checks_requested", "clocks_started",
    "clocks_stopped", "clock_moved", "clock_warned", "clock_breached", "clock_escalated", "referrer_told", "profile_adopted",
}  # fmt: skip
"""Events whose facts are for administrators too: where a case stands and what is waited for, not what was found or decided."""


def markdown(reference: str, log: list[Recorded], notices: Iterable[Any]) -> str:
    """The timeline as Markdown for whoever looks after the installation, newest last; and which notices went, to which roles."""

    def line(recorded: Recorded) -> str:
        return told(recorded) if recorded.event.kind in _OF_ITS_COURSE else named(recorded.event)

    rows = "\n".join(f"| {r.sequence} | {local(r.at)} | {r.by.role} | {line(r).replace('|', '/')} |" for r in log)
    sent = "\n".join(f"| {local(n.created_at)} | {n.role} | {worded(n.kind)} | {n.status} |" for n in notices)
    told_whom = f"\n| queued | to | notice | |\n|---|---|---|---|\n{sent}\n" if sent else ""
    return f"## {reference}\n\n| # | when | who | what |\n|---|---|---|---|\n{rows}\n{told_whom}"
