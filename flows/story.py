"""A case's story in lines, from its log: for the command line and the artifact on the flow run. No personal data is in a log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mash.states.clocks import local
from mash.states.events import Event, Recorded

_LEFT_OUT = {
    "kind",
    "held",
    "holdings",
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
    "schema_number",
}


def told(recorded: Recorded) -> str:
    """One event as a sentence of codes: what happened and its facts."""
    facts = facts_of(recorded.event)
    return f"{recorded.event.kind.replace('_', ' ')}{': ' if facts else ''}{facts}"


def facts_of(event: Event) -> str:
    """The facts of an event, in codes."""
    facts = []
    for name, value in event:
        if name in _LEFT_OUT or value in (None, (), {}, ""):
            continue
        shown = (
            ", ".join(f"{k}: {v}" for k, v in value.items())
            if isinstance(value, dict)
            else (
                ", ".join(map(str, value))
                if isinstance(value, tuple)
                else local(value)
                if hasattr(value, "astimezone")
                else str(value)
            )
        )
        facts.append(f"{name.replace('_', ' ')} {shown}")
    if event.kind == "clocks_started":
        facts = [f"{clock.why}, due {local(clock.due_at)}" for clock in event.clocks]
    if event.kind == "clock_moved":
        facts = [f"{event.clock.why}, due {local(event.clock.due_at)}"]
    return "; ".join(facts)


def markdown(reference: str, log: list[Recorded], notices: Iterable[Any]) -> str:
    """The timeline as Markdown, newest last; and which notices went, to which roles."""
    rows = "\n".join(f"| {r.sequence} | {local(r.at)} | {r.by.role} | {told(r).replace('|', '/')} |" for r in log)
    sent = "\n".join(f"| {local(n.created_at)} | {n.role} | {n.kind.replace('_', ' ')} | {n.status} |" for n in notices)
    told_whom = f"\n| queued | to | notice | |\n|---|---|---|---|\n{sent}\n" if sent else ""
    return f"## {reference}\n\n| # | when | who | what |\n|---|---|---|---|\n{rows}\n{told_whom}"
